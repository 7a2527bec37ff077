"""The outbox: starts and signals that were committed with their cause, delivered to Temporal.

An entry stays locked while Temporal answers, for `ANSWER_TIMEOUT` at most: a journey's entries are
delivered one at a time and in order, and a second relay must not overtake.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from temporalio.client import Client
from temporalio.service import RPCError

from tobiishi.database import Connection, Database, all_rows, queries
from tobiishi.journeys import journeys
from tobiishi.plan import JourneyRef
from tobiishi.publishing.versions import Versions
from tobiishi.relay.queue import Loop, Queue, attempt
from tobiishi.relay.workflow_start import start_workflow
from tobiishi.scenario import first_plan, spread_out
from tobiishi.temporal import ANSWER_TIMEOUT, is_workflow_gone

_sql = queries("relay")


class Outbox(Queue):
    """Starts and signals that were committed and that Temporal has not confirmed yet."""

    hands = 12

    def __init__(self, database: Database, temporal: Client, reconciliation: Loop) -> None:
        """`reconciliation` is rung where a workflow that should run does not."""
        super().__init__(database)
        self.reconciliation = reconciliation
        self.temporal = temporal
        self.versions = Versions()

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        taken = await all_rows(_sql.take_from_outbox(connection, now=now, limit=1))
        for entry in taken:
            journey = journeys.Journey.from_row(entry)
            async with attempt(
                f"{entry['kind']} {journey.ref.workflow_id}",
                attempts=entry["attempts"],
                postpone=partial(_sql.postpone_outbox_entry, connection, id=entry["outbox_id"]),
                now=now,
            ):
                if entry["kind"] == "start":
                    await self.start(connection, journey, now)
                else:
                    await self.signal(entry["kind"], connection, journey, now)
                await _sql.remove_from_outbox(connection, id=entry["outbox_id"])
        return bool(taken)

    async def start(self, connection: Connection, journey: journeys.Journey, now: datetime) -> None:
        """Start the journey's workflow. Idempotent: a second start of the same entry is ignored."""
        ref = journey.ref
        if journey.ended_at is not None:
            return
        version = await self.versions.get(connection, ref.channel, ref.scenario, ref.version)
        # A starter of a former release has it begin by a clock of its own, which may be ahead.
        began = min(ref.started_at, now)
        first = first_plan(version.scenario, began)
        own = spread_out(version.scenario, first, friend=ref.friend, now=began)
        plan = replace(own, past=())
        await start_workflow(self.temporal, journey, version.scenario, plan, planned_at=now)
        await journeys.set_first(connection, ref, plan)
        await journeys.record_past_waits(
            connection, ref, version.scenario, first, at=ref.started_at
        )

    async def signal(
        self, signal: str, connection: Connection, journey: journeys.Journey, now: datetime
    ) -> None:
        """Signal the journey's workflow to stop, or to look at what it waits for."""
        ref: JourneyRef = journey.ref
        if journey.ended_at is not None:
            return
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
            await journeys.end(connection, ref.journey_id, "stopped", at=now)
