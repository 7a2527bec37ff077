"""Branching: where a friend goes at a branch, by what is known of them at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from temporalio import activity

from activities.context import Context, count_end, now, taken
from tobiishi.journeys import steps
from tobiishi.people import audiences, friends
from tobiishi.plan import Taken, Turn
from tobiishi.scenario import audiences_of, branch_at, choose, plan_way


@dataclass(frozen=True)
class Branching:
    context: Context

    @activity.defn(name="check_audience")
    async def choose(self, turn: Turn) -> Taken:
        """Check the memberships and attributes that the branch asks for, and choose its case.

        What was seen is kept in the trail: it is the answer to "why did this friend get this?".
        """
        plan, at = turn.plan, now()
        async with self.context.database.transaction() as connection:
            turn, scenario = await self.context.begin(connection, turn)
            journey = turn.journey
            branch = branch_at(scenario, plan.step)
            friend = await friends.get(connection, journey.channel, journey.friend)
            among = await audiences.memberships_among(
                connection, journey.channel, journey.friend, audiences_of(branch), at=at
            )
            facts = friend.facts(among, at.astimezone(ZoneInfo(scenario.timezone)).date())
            choice = choose(branch, facts)
            kept = await steps.add_to_trail(
                connection,
                journey,
                step=plan.step,
                at=at,
                text=choice.summary,
                detail={"case": choice.case, "saw": choice.saw, "parts": choice.parts},
            )
            # A retry goes the way that was gone before, whatever is known of the friend since.
            next_plan = plan_way(
                scenario, plan.step, kept.detail["case"], started_at=journey.started_at, now=at
            )
            answer = await taken(connection, scenario, turn, kept.said, at=at, plan=next_plan)
        count_end(journey, answer.outcome)
        return answer
