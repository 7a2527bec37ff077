"""Awaiting: a journey waits for its friend to join an audience, but not for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from temporalio import activity

from activities.context import Context, count_end, now, taken
from tobiishi.database import Connection
from tobiishi.journeys import journeys, steps
from tobiishi.people import audiences
from tobiishi.plan import JourneyRef, Taken, Turn
from tobiishi.scenario import Scenario, plan_to_wait, plan_way, wait_for_at

IN_TIME, TOO_LATE = 0, 1


@dataclass(frozen=True)
class Awaiting:
    context: Context

    @activity.defn(name="watch_audience")
    async def begin(self, turn: Turn) -> Taken:
        """Begin to wait; go on at once where the friend is in the audience already.

        The interest is committed before the membership is looked at. Who joins before that look is
        seen by it, and who joins after it is seen by the relay, which looks for the interest after
        the joining is committed: no joining falls between the two.
        """
        answer = await self._begin(turn)
        count_end(turn.journey, answer.outcome)
        return answer

    async def _begin(self, turn: Turn) -> Taken:
        plan, at = turn.plan, now()
        async with self.context.database.connection() as connection:
            turn, scenario = await self.context.begin(connection, turn)
            journey = turn.journey
            awaited = wait_for_at(scenario, plan.step)
            await journeys.wait_for(connection, journey, awaited.audience, step=plan.step)
        async with self.context.database.transaction() as connection:
            if await self._is_in(connection, journey, awaited.audience, plan.step, at):
                text = f"in {awaited.audience}: already"
                return await self._go_on(connection, scenario, turn, IN_TIME, text, at)
            later = plan_to_wait(scenario, plan.step, started_at=journey.started_at, now=at)
            text = f"waits for {awaited.audience} until {later.until}"
            return await taken(connection, scenario, turn, text, at=at, plan=later)

    @activity.defn(name="look_for_audience")
    async def look(self, turn: Turn) -> Taken:
        """See whether the friend joined, when told so or when the time is over."""
        answer = await self._look(turn)
        count_end(turn.journey, answer.outcome)
        return answer

    async def _look(self, turn: Turn) -> Taken:
        plan, at = turn.plan, now()
        async with self.context.database.transaction() as connection:
            turn, scenario = await self.context.begin(connection, turn)
            journey = turn.journey
            awaited = wait_for_at(scenario, plan.step)
            if await self._is_in(connection, journey, awaited.audience, plan.step, at):
                text = f"joined {awaited.audience}: in time"
                return await self._go_on(connection, scenario, turn, IN_TIME, text, at)
            if at >= plan.due:
                text = f"in {awaited.audience}: not in time"
                return await self._go_on(connection, scenario, turn, TOO_LATE, text, at)
            text = f"still waits for {awaited.audience}"
            return await taken(connection, scenario, turn, text, at=at, plan=plan)

    async def _is_in(
        self, connection: Connection, journey: JourneyRef, audience: str, step: str, at: datetime
    ) -> bool:
        names = frozenset({audience})
        if await audiences.memberships_among(
            connection, journey.channel, journey.friend, names, at=at
        ):
            return True
        return await journeys.has_come(connection, journey, step=step)

    async def _go_on(
        self,
        connection: Connection,
        scenario: Scenario,
        turn: Turn,
        way: int,
        text: str,
        at: datetime,
    ) -> Taken:
        journey, step = turn.journey, turn.plan.step
        kept = await steps.add_to_trail(
            connection, journey, step=step, at=at, text=text, detail={"way": way}
        )
        await journeys.stop_waiting(connection, journey, step=step)
        # A retry goes the way that was gone before, whatever has happened since.
        next_plan = plan_way(
            scenario, step, kept.detail["way"], started_at=journey.started_at, now=at
        )
        return await taken(connection, scenario, turn, kept.said, at=at, plan=next_plan)
