"""Enrolling: those who are in a scenario's audience already enter it, page by page."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import activity

from activities.context import Context, now
from tobiishi.publishing import enrolments
from tobiishi.publishing.enrolment_plan import EnrolmentRef, Progress


@dataclass(frozen=True)
class Enrolling:
    context: Context

    @activity.defn(name="enter_page")
    async def enter_page(self, enrolment: EnrolmentRef) -> Progress:
        """Enter the next friends, and tell how far that came and when to come again.

        The page and the place that it came to are committed together: a second try after a crash
        goes on from there, wherever the first one died.
        """
        async with self.context.database.transaction() as connection:
            version = await self.context.versions.get(
                connection, enrolment.channel, enrolment.scenario, enrolment.version
            )
            return await enrolments.enter_page(
                connection, enrolment.enrolment_id, version.scenario, now=now()
            )

    @activity.defn(name="call_off_enrolment")
    async def call_off(self, enrolment: EnrolmentRef) -> None:
        """Keep that an operator cancelled the workflow, if it was not over by then."""
        async with self.context.database.transaction() as connection:
            await enrolments.call_off(connection, enrolment.enrolment_id, at=now())
