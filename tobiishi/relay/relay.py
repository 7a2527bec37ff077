"""The relay: turns what was stored into what follows from it.

Webhook events and audience changes become entries and stops, in the database; the outbox of those
becomes starts and signals, in Temporal. `tobiishi.relay.queue` says how a row is handled.
"""

from __future__ import annotations

import asyncio

from temporalio.client import Client

from tobiishi.channels.channels import Channels
from tobiishi.database import Database
from tobiishi.relay.audience_changes import AudienceChanges, Birthdays, Expiries
from tobiishi.relay.enrolments import Enrolments
from tobiishi.relay.forgetting import Forgettings, Housekeeping
from tobiishi.relay.outbox import Outbox
from tobiishi.relay.pending_entries import PendingEntries
from tobiishi.relay.queue import Loop, Queue
from tobiishi.relay.quotas import Quotas
from tobiishi.relay.reconciliation import Reconciliation
from tobiishi.relay.terminated_workflows import TerminatedWorkflows
from tobiishi.relay.webhook_events import WebhookEvents


class Relay:
    """All queues, each waking the one that it feeds."""

    def __init__(
        self,
        database: Database,
        temporal: Client,
        *,
        timezone: str = "Asia/Tokyo",
        channels: Channels | None = None,
    ) -> None:
        """With `channels`, LINE is asked about their quotas, too."""
        self.reconciliation = Reconciliation(database, temporal)
        self.outbox = Outbox(database, temporal, self.reconciliation)
        self.pending = PendingEntries(database, feeds=[self.outbox])
        self.changes = AudienceChanges(database, timezone=timezone, feeds=[self.outbox])
        self.expiries = Expiries(database, feeds=[self.changes])
        self.birthdays = Birthdays(database, timezone=timezone, feeds=[self.changes])
        self.events = WebhookEvents(database, feeds=[self.changes, self.outbox])
        self.enrolments = Enrolments(database, temporal)
        self.forgettings = Forgettings(database, temporal)
        self.terminated_workflows = TerminatedWorkflows(database, temporal)
        self.housekeeping = Housekeeping(database)
        #: In the order in which what is due now is handled.
        self.loops: tuple[Loop, ...] = (
            self.events,
            self.expiries,
            self.birthdays,
            self.changes,
            self.pending,
            self.outbox,
            self.enrolments,
            self.forgettings,
            self.terminated_workflows,
            self.reconciliation,
            self.housekeeping,
            *((Quotas(database, channels),) if channels else ()),
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def __aenter__(self) -> Relay:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as running:
            for loop in self.loops:
                running.create_task(loop.run())

    async def drain(self) -> None:
        """Handle all rows that are due now, and all that follows from them."""
        for loop in self.loops:
            if isinstance(loop, Queue):
                await loop.drain()
