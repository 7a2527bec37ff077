"""Journeys whose workflow was ended by force in Temporal, so that it could not report its end.

A workflow that is terminated in the Temporal UI records nothing any more. Its end is recorded
for it, so that no journey stays under way for good that nothing moves.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from tobiishi.database import Database
from tobiishi.journeys import journeys
from tobiishi.relay.queue import Survey
from tobiishi.temporal import ANSWER_TIMEOUT

_log = logging.getLogger(__name__)

#: How far back the first look goes: as long as Temporal is told to keep what ended.
RETENTION = timedelta(days=30)
#: What ended may be listed so much later.
LISTING_DELAY = timedelta(minutes=5)


class TerminatedWorkflows(Survey):
    """Looks for journeys that were terminated since the last look."""

    poll_interval = timedelta(minutes=1)
    #: A relay that starts has more urgent things to ask.
    initial_delay = timedelta(minutes=1)

    def __init__(self, database: Database, temporal: Client) -> None:
        super().__init__(database)
        self.temporal = temporal
        self._looked_at: datetime | None = None

    async def survey(self, now: datetime) -> None:
        since = now - RETENTION if self._looked_at is None else self._looked_at - LISTING_DELAY
        ended = self.temporal.list_workflows(
            "WorkflowType = 'journey' AND ExecutionStatus IN ('Terminated', 'Failed', 'TimedOut')"
            f" AND CloseTime >= '{since:%Y-%m-%dT%H:%M:%SZ}'",
            rpc_timeout=ANSWER_TIMEOUT,
        )
        try:
            async for run in ended:
                entry = await run.memo_value("entry", default=None)
                await self._end(run.id, entry, now)
        except (RPCError, RuntimeError) as error:  # The latter: it was never there yet.
            _log.warning("Temporal can't be asked for terminated journeys: %s", error)
            return
        self._looked_at = now

    async def _end(self, workflow_id: str, entry: object, now: datetime) -> None:
        async with self.database.connection() as connection:
            journey = await journeys.under_way(connection, workflow_id)
        if journey is None or journey.ref.entry != entry:
            return
        # A journey that was reset was terminated, too, and goes on in another run.
        handle = self.temporal.get_workflow_handle(workflow_id)
        latest = await handle.describe(rpc_timeout=ANSWER_TIMEOUT)
        if latest.status == WorkflowExecutionStatus.RUNNING:
            return
        async with self.database.transaction() as connection:
            await journeys.end(connection, journey.ref.journey_id, "stopped", at=now)
        _log.warning("%s was terminated; its journey is stopped", workflow_id)
