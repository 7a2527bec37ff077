"""Reconciliation: journeys in the database beside workflows in Temporal, and what either has lost.

The two are backed up apart, so a restore of one leaves them apart:

- Temporal is older, or was lost: a journey under way has no workflow. It is started again from
  what the database keeps of it: the next step, and when it is due.
- Postgres is older: a workflow runs whose journey the database does not know. It gets its row back
  from what the workflow carries. One that is over in Temporal only is over here, too.

In both cases the ledger of deliveries and LINE's retry keys keep a message from being sent twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import asyncpg
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from tobiishi import metrics
from tobiishi.database import Database, all_rows, queries
from tobiishi.errors import NotFound
from tobiishi.journeys import journeys, restored, steps
from tobiishi.journeys.journeys import Journey
from tobiishi.people import friends
from tobiishi.plan import JourneyRef, JourneyResult, JourneyState, Taken
from tobiishi.publishing import enrolments
from tobiishi.publishing.versions import Versions
from tobiishi.relay.queue import Survey
from tobiishi.relay.workflow_start import start_workflow
from tobiishi.scenario import Scenario, spread_out
from tobiishi.temporal import ANSWER_TIMEOUT, is_workflow_gone

_sql = queries("reconciliation")
_log = logging.getLogger(__name__)

#: A journey that began this recently may not be in Temporal's listing yet.
LISTING_DELAY = timedelta(minutes=1)
#: Journeys that are looked up in one statement.
JOURNEYS_PER_PAGE = 1000
#: Between two workflows that are looked into.
CATCH_UP_PAUSE = timedelta(milliseconds=20)
#: Characters of a workflow's details that tell what it did: see `workflows.journey`.
TRAIL_ENTRIES = 20


class Reconciliation(Survey):
    """Compares both sides soon after the relay's start, and every ten minutes."""

    poll_interval = timedelta(minutes=10)
    #: A relay that starts has more urgent things to ask.
    initial_delay = timedelta(seconds=10)

    def __init__(self, database: Database, temporal: Client) -> None:
        super().__init__(database)
        self.temporal = temporal
        self.versions = Versions()
        #: Workflows that can't be brought back, so that each is logged once.
        self._hopeless: set[str] = set()
        self._has_looked_closely = False

    async def survey(self, now: datetime) -> None:
        try:
            running = [run async for run in self._running()]
            known = {run.id for run in running}
            await self._adopt_unknown(running, now)
            await self._bring_back_lost(known, now)
            await self._bring_back_enrolments()
            if not self._has_looked_closely:
                await self._catch_up_all(running)
                self._has_looked_closely = True
        except (RPCError, RuntimeError) as error:  # The latter: it was never there yet.
            _log.warning("journeys can't be compared with Temporal: %s", error)

    def _running(self) -> AsyncIterator[WorkflowExecution]:
        return self.temporal.list_workflows(
            "WorkflowType = 'journey' AND ExecutionStatus = 'Running'",
            page_size=JOURNEYS_PER_PAGE,
            rpc_timeout=ANSWER_TIMEOUT,
        )

    # --- Postgres is older: workflows without a journey

    async def _adopt_unknown(self, running: list[WorkflowExecution], now: datetime) -> None:
        async for run, row in self._beside_journeys(running):
            if row is None:
                await self._adopt(run, now)

    async def _beside_journeys(
        self, running: list[WorkflowExecution]
    ) -> AsyncIterator[tuple[WorkflowExecution, asyncpg.Record | None]]:
        """Each workflow, beside the row of its journey; None where it has none under way."""
        for first in range(0, len(running), JOURNEYS_PER_PAGE):
            page = running[first : first + JOURNEYS_PER_PAGE]
            async with self.database.connection() as connection:
                rows = await all_rows(_sql.under_way(connection, ids=[run.id for run in page]))
            known = {row["workflow_id"]: row for row in rows}
            for run in page:
                row = known.get(run.id)
                began = None if row is None else (row["entry"], row["started_at"])
                yield run, row if await _is_of(run, began) else None

    async def _catch_up_all(self, running: list[WorkflowExecution]) -> None:
        """Look once into every workflow whose journey may wait for an audience.

        A restored database may not know what the journey waits for now, and would not wake it.
        Nothing tells that from outside, so this is done after each start, and slowly.
        """
        async for run, row in self._beside_journeys(running):
            if row is None:
                continue
            ref = Journey.from_row(row).ref
            async with self.database.connection() as connection:
                version = await self.versions.get(
                    connection, ref.channel, ref.scenario, ref.version
                )
            waits = any(step.wait_for for _, step in version.scenario.walk())
            if waits or row["next_action"] is None:
                await self._catch_up(run.id, row, ref, version.scenario)
                await asyncio.sleep(CATCH_UP_PAUSE.total_seconds())

    async def _catch_up(
        self, workflow_id: str, row: asyncpg.Record, ref: JourneyRef, scenario: Scenario
    ) -> None:
        handle = self.temporal.get_workflow_handle(workflow_id)
        described = await _describe(handle)
        if described is None or described.raw_description.pending_activities:
            return  # Over, or in the middle of a step, which keeps by itself what comes next.
        plan = (await self._state_of(handle)).plan
        was = row["next_action"], row["next_step"]
        if (plan.action, plan.step) == was:
            return
        async with self.database.transaction() as connection:
            await friends.lock(connection, ref.channel, ref.friend)
            if await restored.catch_up(connection, ref, plan, scenario, was=was):
                _count("caught_up", ref)
                _log.info("%s: what comes next is known again: %s", workflow_id, plan.label)

    async def _adopt(self, run: WorkflowExecution, now: datetime) -> None:
        """Give a workflow its journey's row back, unless it has one or has ended by now."""
        handle = self.temporal.get_workflow_handle(run.id)
        described = await _describe(handle)
        if described is None or described.status != WorkflowExecutionStatus.RUNNING:
            return
        state = await self._state_of(handle)
        ref = state.journey
        async with self.database.transaction() as connection:
            try:
                located = await journeys.locate(connection, ref)
                if (await journeys.get(connection, located.journey_id)).ended_at is not None:
                    # Temporal has an older state of it, from before it ended.
                    await handle.signal("stop", ref.entry, rpc_timeout=ANSWER_TIMEOUT)
                    _log.warning("%s is over, and still ran in Temporal; it is stopped", run.id)
                return
            except journeys.Unknown:
                pass
            if await _sql.is_being_forgotten(connection, channel=ref.channel, friend=ref.friend):
                return
            try:
                version = await self.versions.get(
                    connection, ref.channel, ref.scenario, ref.version
                )
            except NotFound as error:
                self._give_up(run.id, f"{error}; publish it again, or end the workflow in Temporal")
                return
            await friends.meet(connection, ref.channel, ref.friend, ref.started_at)
            await friends.lock(connection, ref.channel, ref.friend)
            await restored.adopt(connection, ref, version.scenario, state.plan)
            # Who is forgotten in this very moment must not come back: their workflow goes first.
            if await _describe(handle) is None:
                raise journeys.Unknown(f"{run.id} is gone")
        _count("adopted", ref)
        _log.warning("%s ran without a journey in the database; it has one again", run.id)

    async def _state_of(self, handle: WorkflowHandle[object, object]) -> JourneyState:
        """What the workflow carries: what it was started with, and the plan it came to."""
        converter = self.temporal.data_converter
        state: JourneyState | None = None
        async for event in handle.fetch_history_events(rpc_timeout=ANSWER_TIMEOUT):
            if event.HasField("workflow_execution_started_event_attributes"):
                started = event.workflow_execution_started_event_attributes
                (state,) = await converter.decode(started.input.payloads, [JourneyState])
            elif event.HasField("activity_task_completed_event_attributes"):
                result = event.activity_task_completed_event_attributes.result.payloads
                try:
                    (taken,) = await converter.decode(result, [Taken])
                except Exception:  # noqa: S112 - the answer of another activity
                    continue
                if state is not None and isinstance(taken, Taken):
                    state.plan = taken.plan
        if state is None:
            raise RuntimeError(f"the history of {handle.id} has no beginning")
        return state

    # --- Temporal is older, or lost: journeys without a workflow

    async def _bring_back_lost(self, known: set[str], now: datetime) -> None:
        after = 0
        while True:
            async with self.database.connection() as connection:
                rows = await all_rows(
                    _sql.page_under_way(
                        connection, after=after, before=now - LISTING_DELAY, limit=JOURNEYS_PER_PAGE
                    )
                )
            if not rows:
                return
            after = rows[-1]["id"]
            for row in rows:
                journey = Journey.from_row(row)
                if journey.ref.workflow_id not in known:
                    await self._bring_back(journey, now)
            await asyncio.sleep(0)

    async def _bring_back(self, journey: Journey, now: datetime) -> None:
        """Start a journey's workflow again, or end the journey where its workflow has ended."""
        ref = journey.ref
        described = await _describe(self.temporal.get_workflow_handle(ref.workflow_id))
        if described is not None and described.status == WorkflowExecutionStatus.RUNNING:
            return  # It was not in the listing yet.
        if described is not None and await _is_of(described, (ref.entry, ref.started_at)):
            if described.status == WorkflowExecutionStatus.COMPLETED:
                await self._end(journey, now)
            return  # Terminated: see `tobiishi.relay.terminated_workflows`.
        async with self.database.transaction() as connection:
            await friends.lock(connection, ref.channel, ref.friend)
            journey = await journeys.get(connection, ref.journey_id)
            if journey.ended_at is not None:
                return
            if journey.stopping is not None:
                await journeys.end(connection, ref.journey_id, "stopped", at=now)
                return
            version = await self.versions.get(connection, ref.channel, ref.scenario, ref.version)
            plan = await steps.next_plan(connection, ref, version.scenario)
            trail = await steps.trail_of(connection, ref.journey_id)
            try:
                await start_workflow(
                    self.temporal,
                    journey,
                    version.scenario,
                    spread_out(version.scenario, plan, friend=ref.friend, now=now),
                    [entry.said for entry in trail[-TRAIL_ENTRIES:]],
                )
            except WorkflowAlreadyStartedError:
                return  # Another of the friend's runs: that one is looked at first.
        _count("brought_back", ref)
        _log.warning("%s had no workflow; it goes on with: %s", ref.workflow_id, plan.label)

    async def _end(self, journey: Journey, now: datetime) -> None:
        """Keep how a journey ended that is over in Temporal."""
        ref = journey.ref
        handle = self.temporal.get_workflow_handle(ref.workflow_id, result_type=JourneyResult)
        result = await handle.result(rpc_timeout=ANSWER_TIMEOUT)
        async with self.database.transaction() as connection:
            await friends.lock(connection, ref.channel, ref.friend)
            await journeys.end(connection, ref.journey_id, result.outcome, at=now)
        _count("ended", ref)
        _log.warning("%s was over in Temporal only; its journey is over", ref.workflow_id)

    async def _bring_back_enrolments(self) -> None:
        """Have workflows started again of enrolments that go on without one."""
        async with self.database.connection() as connection:
            unfinished = await enrolments.confirmed_unfinished(connection)
        for enrolment in unfinished:
            ref = enrolment.ref
            described = await _describe(self.temporal.get_workflow_handle(ref.workflow_id))
            if described is not None and described.status == WorkflowExecutionStatus.RUNNING:
                continue
            async with self.database.transaction() as connection:
                await enrolments.unconfirm(connection, enrolment)
            _log.warning("%s had no workflow; it goes on", ref.workflow_id)

    def _give_up(self, workflow_id: str, why: str) -> None:
        if workflow_id not in self._hopeless:
            self._hopeless.add(workflow_id)
            _log.error("%s runs without a journey in the database: %s", workflow_id, why)


async def _describe(
    handle: WorkflowHandle[object, object],
) -> WorkflowExecutionDescription | None:
    """The latest run under that id; None where Temporal knows none."""
    try:
        return await handle.describe(rpc_timeout=ANSWER_TIMEOUT)
    except RPCError as error:
        if is_workflow_gone(error):
            return None
        raise


async def _is_of(run: WorkflowExecution, began: tuple[int, datetime] | None) -> bool:
    """Whether the workflow is that journey's: of that entry, which began at that time."""
    if began is None:
        return False
    entry, started_at = began
    if await run.memo_value("entry", default=None) != entry:
        return False
    # Workflows of older releases tell no time; none of them began before its journey.
    began_at = await run.memo_value("started_at", default=None)
    if began_at is None:
        return run.start_time >= started_at - LISTING_DELAY
    return datetime.fromisoformat(began_at) == started_at


def _count(what: str, ref: JourneyRef) -> None:
    metrics.journeys_reconciled.labels(ref.channel, what).inc()
