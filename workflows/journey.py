"""A friend's journey through one scenario.

The workflow knows no scenario: it waits until its plan is due, has the step taken by an activity,
and learns what comes next. So it stays as it is when marketers write new scenarios, and a
journey that sleeps for months wakes to the same code (see docs/journeys.md).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.workflow import ActivityCancellationType, ActivityConfig, ActivityHandle

with workflow.unsafe.imports_passed_through():
    from activities import Awaiting, Branching, Ending, Sending, Starting, Tagging
    from tobiishi.plan import (
        Action,
        Beginning,
        End,
        JourneyResult,
        JourneyState,
        Taken,
        Turn,
    )
    from tobiishi.temporal import JOURNEY_STATE, JOURNEYS, LINE, MAX_SUMMARY_BYTES
    from tobiishi.text import as_markdown

#: The world's errors wait and retry for as long as it takes: no outage drops a friend.
RETRY_FOREVER = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)
)
#: LINE is given 20 s for an answer; a worker that died is noticed after this,
ATTEMPT_TIMEOUT = timedelta(seconds=30)
#: and one that died in a send, which heartbeats meanwhile, after this.
HEARTBEAT_TIMEOUT = timedelta(seconds=10)
#: The database's clock and Temporal's show the same time where they are no further apart: it takes
#: a moment to start a journey.
CLOCKS_AGREE = timedelta(seconds=5)
#: How much of the trail the details page shows; the database keeps it all.
TRAIL_LINES_SHOWN = 20


@workflow.defn(name="journey")
class JourneyWorkflow:
    """One friend, one scenario: wait, take the step, learn what comes next, until the end."""

    @workflow.init
    def __init__(self, state: JourneyState) -> None:
        self.state = state
        self.stopped = False
        self.woken = False
        #: How the journey ended, where its last step ended it.
        self.outcome: str | None = None

    @workflow.run
    async def run(self, state: JourneyState) -> JourneyResult:
        try:
            await self.agree_on_time()
            while not await self.is_over():
                await self.take_step()
                if workflow.info().is_continue_as_new_suggested():
                    workflow.continue_as_new(state)
        except asyncio.CancelledError:
            # An operator cancelled it in the Temporal UI: the database must hear of it too.
            await self.end("stopped")
            raise
        return JourneyResult(outcome=await self.end("completed"))

    @workflow.signal
    def stop(self, entry: int | None = None) -> None:
        """Leave now. Why, and with what outcome, the database knows.

        `entry` is the one that is meant: the friend may have entered again under the same id.
        """
        self.stopped = self.stopped or entry in (None, self.state.journey.entry)

    @workflow.signal
    def wake(self, entry: int) -> None:
        """What the journey waits for may have come: look. `entry` as in `stop`."""
        self.woken = self.woken or entry == self.state.journey.entry

    async def agree_on_time(self) -> None:
        """Have the first plan made anew where it was made by a clock that is not Temporal's.

        It may have been due an hour ago, or not before an hour from now. Journeys of older releases
        don't tell by when their plan was made.
        """
        planned_at, self.state.planned_at = self.state.planned_at, None
        if planned_at is None:
            return
        journey, started = self.state.journey, workflow.info().workflow_start_time
        if abs(started - planned_at) <= CLOCKS_AGREE:
            return
        began = started - (planned_at - journey.started_at)
        taken = await workflow.execute_activity_method(
            Starting.plan,
            Beginning(journey=journey, began=began),
            task_queue=JOURNEYS,
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=RETRY_FOREVER,
            summary="plan by Temporal's clock",
        )
        self.state.plan = taken.plan

    async def is_over(self) -> bool:
        """Sleep until the next step is due. True where none is left, or the journey was stopped.

        A journey that waits for an audience is woken before its time when the friend joins.
        """
        plan = self.state.plan
        delay = plan.due - workflow.now()
        if delay > timedelta(0):
            waiting = f"until {plan.until}: {plan.label}"
            self.show(waiting)
            with suppress(TimeoutError):  # The delay is over, and nobody stopped the journey.
                await workflow.wait_condition(
                    lambda: self.stopped or (self.woken and plan.action == Action.LOOK),
                    timeout=delay,
                    timeout_summary=as_markdown(waiting, most_bytes=MAX_SUMMARY_BYTES),
                )
        return self.stopped or plan.action == Action.END

    async def take_step(self) -> None:
        """Have the step taken, and learn what comes next.

        A journey stopped while LINE or the database can't be reached doesn't wait for them; an
        attempt under way is let finish, so that what it did is known.
        """
        plan = self.state.plan
        # Whoever wakes the journey from here on may be too late for the step to have seen why.
        self.woken = False
        self.show(f"now: {plan.label}")
        step = self.start_step(Turn(journey=self.state.journey, plan=plan))
        await workflow.wait_condition(lambda: step.done() or self.stopped)
        if not step.done():
            step.cancel()
        try:
            taken = await step
        except ActivityError as error:
            if self.stopped and is_cancelled_exception(error):
                return
            raise
        self.state.plan, self.outcome = taken.plan, taken.outcome
        self.state.trail.append(taken.said)
        del self.state.trail[:-TRAIL_LINES_SHOWN]

    def start_step(self, turn: Turn) -> ActivityHandle[Taken]:
        options = ActivityConfig(
            task_queue=JOURNEYS,
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=RETRY_FOREVER,
            cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=as_markdown(turn.plan.label, most_bytes=MAX_SUMMARY_BYTES),
            priority=Priority(fairness_key=turn.journey.channel),
        )
        match turn.plan.action:
            case Action.SEND:
                options |= {"task_queue": LINE, "heartbeat_timeout": HEARTBEAT_TIMEOUT}
                return workflow.start_activity_method(Sending.send, turn, **options)
            case Action.BRANCH:
                return workflow.start_activity_method(Branching.choose, turn, **options)
            case Action.TAG:
                return workflow.start_activity_method(Tagging.tag, turn, **options)
            case Action.WATCH:
                return workflow.start_activity_method(Awaiting.begin, turn, **options)
            case Action.LOOK:
                return workflow.start_activity_method(Awaiting.look, turn, **options)
            case Action.END:
                raise AssertionError("the end is not a step to take")

    async def end(self, outcome: str) -> str:
        """Have the database know that the journey is over, unless its last step did so.

        It may know a better outcome.
        """
        if self.outcome is None:
            self.outcome = await workflow.execute_activity_method(
                Ending.end,
                End(journey=self.state.journey, outcome=outcome),
                task_queue=JOURNEYS,
                start_to_close_timeout=ATTEMPT_TIMEOUT,
                retry_policy=RETRY_FOREVER,
                summary="end",
            )
        workflow.upsert_search_attributes([JOURNEY_STATE.value_set(self.outcome)])
        self.show(self.outcome)
        return self.outcome

    def show(self, now: str) -> None:
        """Show in the Temporal UI where the friend is; costs no history."""
        trail = "\n".join(f"1. {as_markdown(done)}" for done in self.state.trail)
        workflow.set_current_details(f"**{as_markdown(now)}**\n\n{trail}")
