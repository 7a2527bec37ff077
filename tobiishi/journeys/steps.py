"""Steps: what a journey did, which is its trail, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tobiishi.database import Connection, all_rows, queries
from tobiishi.journeys.deliveries import Delivery
from tobiishi.plan import Action, JourneyRef, Plan
from tobiishi.scenario import (
    Scenario,
    first_plan,
    past_in_words,
    plan_after,
    plan_again,
    plan_way,
)

_sql = queries("steps")


@dataclass(frozen=True, kw_only=True)
class TrailEntry:
    """One thing that a journey did, and what it rests on."""

    at: datetime
    step: str
    said: str
    detail: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class StepDone:
    """One thing that a journey did, as it is to be kept in the trail."""

    step: str
    visit: int = 1
    text: str
    detail: dict[str, Any] = field(default_factory=dict)


async def advance(
    connection: Connection,
    ref: JourneyRef,
    plan: Plan,
    *,
    at: datetime,
    done: Sequence[StepDone] = (),
    delivery: Delivery | None = None,
    refused_because: str | None = None,
) -> str | None:
    """Keep what was done at a step and what comes next: all of it, or nothing. Idempotent.

    `delivery` is what became of the step's message. Where nothing comes next the journey is over by
    this, as refused where it says why. Returns how it ended then.
    """
    is_over = plan.action is Action.END and plan.due <= at
    outcome: str | None = await _sql.advance(
        connection,
        journey_id=ref.journey_id,
        at=at,
        action=plan.action.value,
        next_step=plan.step,
        visit=plan.visit,
        due=plan.due,
        wait=plan.wait,
        ends_as=("refused" if refused_because else "completed") if is_over else None,
        because=refused_because,
        steps=[each.step for each in done],
        visits=[each.visit for each in done],
        texts=[each.text for each in done],
        details=[each.detail for each in done],
        retry_key=delivery and delivery.retry_key,
        status=delivery and delivery.status,
        reason=delivery and delivery.reason,
        request_id=delivery and delivery.request_id,
        message_ids=delivery.message_ids if delivery else [],
    )
    return outcome


async def set_next(connection: Connection, ref: JourneyRef, plan: Plan) -> None:
    """Keep what comes next, and when."""
    await _sql.set_next(
        connection,
        journey_id=ref.journey_id,
        action=plan.action.value,
        step=plan.step,
        visit=plan.visit,
        due=plan.due,
        wait=plan.wait,
    )


async def set_first(connection: Connection, plans: Sequence[tuple[JourneyRef, Plan]]) -> None:
    """Keep journeys' first plans; one that has taken a step by now has a later one."""
    await _sql.set_first(
        connection,
        ids=[ref.journey_id for ref, _ in plans],
        actions=[plan.action.value for _, plan in plans],
        steps=[plan.step for _, plan in plans],
        visits=[plan.visit for _, plan in plans],
        dues=[plan.due for _, plan in plans],
        waits=[plan.wait for _, plan in plans],
    )


async def kept_plan(connection: Connection, ref: JourneyRef, scenario: Scenario) -> Plan | None:
    """What comes next as the database keeps it; None before Temporal has the journey."""
    row = await _sql.next(connection, journey_id=ref.journey_id)
    return row and plan_again(
        scenario,
        Action(row["next_action"]),
        row["next_step"],
        due=row["next_due"],
        visit=row["next_visit"],
        wait=row["next_wait"],
    )


async def next_plan(connection: Connection, ref: JourneyRef, scenario: Scenario) -> Plan:
    """What comes next, also where only the trail tells it."""
    if plan := await kept_plan(connection, ref, scenario):
        return plan
    trail = await trail_of(connection, ref.journey_id)
    if not trail:
        return first_plan(scenario, ref.started_at)
    # It took its last step under a release that kept no plan: it follows from that step.
    last = trail[-1]
    for way in ("case", "way"):
        if way in last.detail:
            return plan_way(
                scenario, last.step, last.detail[way], started_at=ref.started_at, now=last.at
            )
    return plan_after(scenario, last.step, started_at=ref.started_at, now=last.at)


async def add_to_trail(
    connection: Connection,
    journey: JourneyRef,
    *,
    step: str,
    visit: int = 1,
    at: datetime,
    text: str,
    detail: dict[str, Any] | None = None,
) -> TrailEntry:
    """Store what the journey did at a step. Idempotent: at a retry the first entry stands.

    Returns what is stored now.
    """
    row = await _sql.add_to_trail(
        connection,
        journey_id=journey.journey_id,
        step=step,
        visit=visit,
        at=at,
        said=text,
        detail=detail or {},
    )
    return TrailEntry(**row)


def past_waits(scenario: Scenario, plan: Plan) -> list[StepDone]:
    """What the plan leaves out, because the wait before it was past."""
    return [
        StepDone(step=step, text=past_in_words(scenario, step), detail={"past": True})
        for step in plan.past
    ]


async def record_past_waits(
    connection: Connection, journey: JourneyRef, scenario: Scenario, plan: Plan, *, at: datetime
) -> None:
    """Store in the trail what the plan leaves out, because the wait before it was past."""
    for each in past_waits(scenario, plan):
        await add_to_trail(
            connection, journey, step=each.step, at=at, text=each.text, detail=each.detail
        )


async def trail_of(connection: Connection, journey_id: int) -> list[TrailEntry]:
    """What the journey did so far, in order."""
    return [
        TrailEntry(**row)
        for row in await all_rows(_sql.trail_of(connection, journey_id=journey_id))
    ]
