"""Ending: the database hears that a journey is over."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import activity

from activities.context import Context, count_end, now
from tobiishi.journeys import journeys
from tobiishi.plan import End


@dataclass(frozen=True)
class Ending:
    context: Context

    @activity.defn(name="end_journey")
    async def end(self, end: End) -> str:
        """Keep that the journey is over, and tell with what outcome.

        A friend who blocks at the last moment makes it `unfollowed`, whatever the workflow knew.
        """
        async with self.context.database.transaction() as connection:
            journey = await journeys.locate(connection, end.journey)
            outcome = await journeys.end(connection, journey.journey_id, end.outcome, at=now())
        count_end(journey, outcome)
        return outcome
