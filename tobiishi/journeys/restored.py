"""Journeys after a restore: what the database lost of them, by what Temporal knows."""

from __future__ import annotations

from dataclasses import replace

from tobiishi.database import Connection, queries
from tobiishi.journeys import journeys, steps
from tobiishi.plan import Action, JourneyRef, Plan
from tobiishi.scenario import (
    Scenario,
    wait_for_at,
)

_sql = queries("restored")


async def adopt(
    connection: Connection, ref: JourneyRef, scenario: Scenario, plan: Plan
) -> JourneyRef:
    """Give a journey that runs in Temporal a row, with what it exits on and waits for.

    A row of the same entry, made after an older database was restored, becomes this journey's.
    Returns the reference with the row's number. To be called in a transaction that locks the
    friend.
    """
    row_id = await _sql.adopt(
        connection,
        channel=ref.channel,
        scenario=ref.scenario,
        version=ref.version,
        friend=ref.friend,
        entry=ref.entry,
        started_at=ref.started_at,
        why="was under way in Temporal, and not in the restored database",
    )
    located = replace(ref, journey_id=row_id)
    await journeys.watch_exits(connection, located, scenario)
    await steps.set_next(connection, located, plan)
    await _wait_again(connection, located, scenario, plan)
    return located


async def catch_up(
    connection: Connection,
    ref: JourneyRef,
    plan: Plan,
    scenario: Scenario,
    *,
    was: tuple[str | None, str | None],
) -> bool:
    """Keep what comes next as Temporal has it, unless it is no longer the action and step `was`."""
    action, step = was
    if not await _sql.is_next(connection, journey_id=ref.journey_id, action=action, step=step):
        return False
    await steps.set_next(connection, ref, plan)
    await _wait_again(connection, ref, scenario, plan)
    return True


async def _wait_again(
    connection: Connection, ref: JourneyRef, scenario: Scenario, plan: Plan
) -> None:
    """Wake the journey for the audience that it waits for; at once, as the friend may be in it."""
    if plan.action is Action.LOOK:
        audience = wait_for_at(scenario, plan.step).audience
        await journeys.wait_for(connection, ref, audience, step=plan.step)
        await journeys.wake(connection, ref)
