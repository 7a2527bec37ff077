"""The enrolment of those who are in a scenario's audience already.

The workflow knows no friends: an activity enters page after page of them, and returns when to come
again. How far it came, whether it is paused and how fast it goes is in the database, which every
page reads: a signal only has it read now.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.workflow import ActivityConfig

from workflows.journey import ATTEMPT_TIMEOUT, RETRY_FOREVER

with workflow.unsafe.imports_passed_through():
    from activities import Enrolling
    from tobiishi.publishing.enrolment_plan import EnrolmentRef, Progress
    from tobiishi.temporal import JOURNEYS, MAX_SUMMARY_BYTES
    from tobiishi.text import as_markdown


@workflow.defn(name="enrolment")
class EnrolmentWorkflow:
    """One scenario and all who are in its audience: page after page, until nobody is left."""

    @workflow.init
    def __init__(self, enrolment: EnrolmentRef) -> None:
        self.enrolment = enrolment
        self.woken = False

    @workflow.run
    async def run(self, enrolment: EnrolmentRef) -> Progress:
        try:
            while not (progress := await self.enter_page()).is_over:
                await self.rest(progress)
                if workflow.info().is_continue_as_new_suggested():
                    workflow.continue_as_new(enrolment)
        except (asyncio.CancelledError, ActivityError) as error:
            if is_cancelled_exception(error):
                # An operator cancelled it in the Temporal UI: the database must hear of it too.
                await self.call_off()
            raise
        return progress

    @workflow.signal
    def look(self) -> None:
        """The enrolment was paused, resumed or cancelled: see which."""
        self.woken = True

    async def enter_page(self) -> Progress:
        """Have the next friends entered."""
        # A signal from here on may come too late for this page to have seen it.
        self.woken = False
        progress = await workflow.execute_activity_method(
            Enrolling.enter_page, self.enrolment, **self.activity_options("enter a page")
        )
        workflow.set_current_details(f"**{as_markdown(progress.said)}**")
        return progress

    async def rest(self, progress: Progress) -> None:
        """Sleep until the next page is due, or a signal asks to look."""
        delay = None
        if progress.next_at is not None:
            delay = max(progress.next_at - workflow.now(), timedelta(0))
        with suppress(TimeoutError):  # The next page is due.
            await workflow.wait_condition(
                lambda: self.woken,
                timeout=delay,
                timeout_summary=as_markdown(progress.said, most_bytes=MAX_SUMMARY_BYTES),
            )

    async def call_off(self) -> None:
        """Have the database know that nobody more is to enter."""
        await workflow.execute_activity_method(
            Enrolling.call_off, self.enrolment, **self.activity_options("call it off")
        )
        workflow.set_current_details("**cancelled in Temporal**")

    def activity_options(self, summary: str) -> ActivityConfig:
        return ActivityConfig(
            task_queue=JOURNEYS,
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=RETRY_FOREVER,
            summary=summary,
            priority=Priority(fairness_key=self.enrolment.channel),
        )
