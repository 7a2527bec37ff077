"""Tagging: a journey adds and removes tags of its friend."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import activity

from activities.context import Context, count_end, now, taken
from tobiishi.journeys.steps import StepDone
from tobiishi.people import friends
from tobiishi.plan import Taken, Turn
from tobiishi.scenario import plan_after, tag_at


@dataclass(frozen=True)
class Tagging:
    context: Context

    @activity.defn(name="tag_friend")
    async def tag(self, turn: Turn) -> Taken:
        """Add and remove the tags, and with them the memberships of the tags' audiences."""
        plan, at = turn.plan, now()
        async with self.context.database.transaction() as connection:
            turn, scenario = await self.context.begin(connection, turn)
            journey = turn.journey
            tags = tag_at(scenario, plan.step)
            await friends.retag(
                connection,
                journey.channel,
                journey.friend,
                add=tags.add,
                remove=tags.remove,
                at=at,
            )
            answer = await taken(
                connection,
                scenario,
                turn,
                plan.label,
                at=at,
                plan=plan_after(scenario, plan.step, started_at=journey.started_at, now=at),
                done=[StepDone(step=plan.step, text=plan.label)],
            )
        count_end(journey, answer.outcome)
        return answer
