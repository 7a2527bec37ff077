"""The outbox: starts and signals that were committed with their cause, delivered to Temporal.

Entries stay locked while Temporal answers, for `ANSWER_TIMEOUT` at most: a journey's entries are
delivered one at a time and in order, and a second relay must not overtake. Those of different
journeys are delivered side by side, and kept together: most of what an entry costs here is its
share of a transaction.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import asyncpg
from temporalio.client import Client
from temporalio.service import RPCError

from tobiishi.database import Connection, Database, all_rows, queries
from tobiishi.journeys import journeys, steps
from tobiishi.plan import JourneyRef, Plan
from tobiishi.publishing.versions import Versions
from tobiishi.relay.queue import Loop, Queue, attempt
from tobiishi.relay.workflow_start import start_workflow
from tobiishi.scenario import first_plan, spread_out
from tobiishi.temporal import ANSWER_TIMEOUT, is_workflow_gone

_sql = queries("relay")


@dataclass(kw_only=True)
class _Batch:
    """Entries that a transaction has locked, and what it is to keep of them."""

    connection: Connection
    now: datetime
    #: For whoever uses the connection: they come one at a time.
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: The ids of those that are delivered.
    delivered: list[int] = field(default_factory=list)
    #: Those that failed, as a query takes them.
    postponed: list[dict[str, Any]] = field(default_factory=list)
    #: The first plans of journeys that were started.
    plans: list[tuple[JourneyRef, Plan]] = field(default_factory=list)

    async def postpone(self, entry_id: int, **failure: Any) -> None:
        self.postponed.append({"id": entry_id, **failure})

    async def keep(self) -> None:
        """Keep all of it; none of this can fail for what one entry is."""
        if self.plans:
            await steps.set_first(self.connection, self.plans)
        if self.delivered:
            await _sql.remove_from_outbox(self.connection, ids=self.delivered)
        if self.postponed:
            await _sql.postpone_outbox_entries(self.connection, self.postponed)


class Outbox(Queue):
    """Starts and signals that were committed and that Temporal has not confirmed yet."""

    rows_at_once = 8
    is_planned_each_time = True

    def __init__(self, database: Database, temporal: Client, reconciliation: Loop) -> None:
        """`reconciliation` is rung where a workflow that should run does not."""
        super().__init__(database)
        self.reconciliation = reconciliation
        self.temporal = temporal
        self.versions = Versions()

    async def handle_one(self, connection: Connection, now: datetime) -> int:
        """Take some entries, each of another journey, and deliver them side by side."""
        taken = await all_rows(_sql.take_from_outbox(connection, now=now, limit=self.rows_at_once))
        batch = _Batch(connection=connection, now=now)
        # All are through before one's failure is raised: none still uses the connection.
        deliveries = (self.deliver(batch, entry) for entry in taken)
        for came in await asyncio.gather(*deliveries, return_exceptions=True):
            if isinstance(came, BaseException):
                raise came
        await batch.keep()
        return len(taken)

    async def deliver(self, batch: _Batch, entry: asyncpg.Record) -> None:
        """Deliver an entry, or have it postponed."""
        journey = journeys.Journey.from_row(entry)
        async with attempt(
            f"{entry['kind']} {journey.ref.workflow_id}",
            attempts=entry["attempts"],
            postpone=partial(batch.postpone, entry["outbox_id"]),
            now=batch.now,
        ):
            if journey.ended_at is None:
                if entry["kind"] == "start":
                    await self.start(batch, journey)
                else:
                    await self.signal(entry["kind"], batch, journey)
            batch.delivered.append(entry["outbox_id"])

    async def start(self, batch: _Batch, journey: journeys.Journey) -> None:
        """Start the journey's workflow. Idempotent: a second start of the same entry is ignored."""
        ref, now = journey.ref, batch.now
        async with batch.alone:
            version = await self.versions.get(
                batch.connection, ref.channel, ref.scenario, ref.version
            )
        # A starter of a former release has it begin by a clock of its own, which may be ahead.
        began = min(ref.started_at, now)
        first = first_plan(version.scenario, began)
        own = spread_out(version.scenario, first, friend=ref.friend, now=began)
        plan = replace(own, past=())
        await start_workflow(self.temporal, journey, version.scenario, plan, planned_at=now)
        if not first.past:
            batch.plans.append((ref, plan))
            return
        async with batch.alone, batch.connection.transaction():
            await steps.set_first(batch.connection, [(ref, plan)])
            await steps.record_past_waits(
                batch.connection, ref, version.scenario, first, at=ref.started_at
            )

    async def signal(self, signal: str, batch: _Batch, journey: journeys.Journey) -> None:
        """Signal the journey's workflow to stop, or to look at what it waits for."""
        ref = journey.ref
        try:
            handle = self.temporal.get_workflow_handle(ref.workflow_id)
            await handle.signal(signal, ref.entry, rpc_timeout=ANSWER_TIMEOUT)
        except RPCError as error:
            if not is_workflow_gone(error):
                raise
            if signal != "stop":
                # It waits here until the workflow is brought back, or its journey is ended.
                self.reconciliation.ring()
                raise
            # Somebody terminated the workflow, or Temporal lost it: it can't end by itself.
            async with batch.alone, batch.connection.transaction():
                await journeys.end(batch.connection, ref.journey_id, "stopped", at=batch.now)
