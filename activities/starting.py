"""Starting: a journey's first plan by Temporal's clock, where the database's shows another time."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import activity

from activities.context import Context
from tobiishi.journeys import journeys, steps
from tobiishi.plan import Beginning, Taken
from tobiishi.scenario import first_plan, spread_out


@dataclass(frozen=True)
class Starting:
    context: Context

    @activity.defn(name="plan_first")
    async def plan(self, beginning: Beginning) -> Taken:
        """Plan the first step anew, as of when the journey began by Temporal's clock."""
        async with self.context.database.transaction() as connection:
            journey = await journeys.locate(connection, beginning.journey)
            version = await self.context.versions.get(
                connection, journey.channel, journey.scenario, journey.version
            )
            first = first_plan(version.scenario, beginning.began)
            plan = spread_out(version.scenario, first, friend=journey.friend, now=beginning.began)
            await steps.set_next(connection, journey, plan)
        return Taken(said="", plan=plan)
