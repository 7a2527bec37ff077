"""Journeys whose workflow was ended by force in Temporal, so that it could not report its end.

A workflow that is terminated in the Temporal UI records nothing any more. Its end is recorded
for it, so that no journey stays under way for good that nothing moves.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from tobiishi.database import Connection, Database
from tobiishi.journeys import journeys
from tobiishi.relay.queue import Queue
from tobiishi.temporal import ANSWER_TIMEOUT

_log = logging.getLogger(__name__)

#: How far back the first look goes: as long as Temporal is told to keep what ended.
RETENTION = timedelta(days=30)
#: What ended may be listed so much later.
LISTING_DELAY = timedelta(minutes=5)


class TerminatedWorkflows(Queue):
    """Ends the journeys whose workflows were terminated since the last look."""

    hands = 1
    poll_interval = timedelta(minutes=1)

    def __init__(self, database: Database, temporal: Client) -> None:
        super().__init__(database)
        self.temporal = temporal
        self._looked_at: datetime | None = None

    async def run(self) -> None:
        """As every queue, but not at once: a relay that starts has more urgent things to ask."""
        await asyncio.sleep(self.poll_interval.total_seconds())
        await super().run()

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        """Always False: whatever it found, there is nothing more to do at once."""
        since = now - RETENTION if self._looked_at is None else self._looked_at - LISTING_DELAY
        ended = self.temporal.list_workflows(
            "WorkflowType = 'journey' AND ExecutionStatus IN ('Terminated', 'Failed', 'TimedOut')"
            f" AND CloseTime >= '{since:%Y-%m-%dT%H:%M:%SZ}'",
            rpc_timeout=ANSWER_TIMEOUT,
        )
        try:
            async for run in ended:
                entry = await run.memo_value("entry", default=None)
                await self._end(connection, run.id, entry, now)
        except (RPCError, RuntimeError) as error:  # The latter: it was never there yet.
            _log.warning("Temporal can't be asked for terminated journeys: %s", error)
            return False
        self._looked_at = now
        return False

    async def _end(
        self, connection: Connection, workflow_id: str, entry: object, now: datetime
    ) -> None:
        journey = await journeys.under_way(connection, workflow_id)
        if journey is None or journey.ref.entry != entry:
            return
        # A journey that was reset was terminated, too, and goes on in another run.
        handle = self.temporal.get_workflow_handle(workflow_id)
        latest = await handle.describe(rpc_timeout=ANSWER_TIMEOUT)
        if latest.status == WorkflowExecutionStatus.RUNNING:
            return
        await journeys.end(connection, journey.ref.journey_id, "stopped", at=now)
        _log.warning("%s was terminated; its journey is stopped", workflow_id)
