"""Enrolments over HTTP: how far each has come; pause, resume, cancel, and how fast it goes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import ConfigDict, Field

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import answers
from tobiishi.errors import NotFound
from tobiishi.publishing import enrolments
from tobiishi.publishing.enrolment_plan import MAX_PER_SECOND, EnrolmentStatus

router = APIRouter(
    prefix="/api/enrolments",
    tags=["enrolments"],
    dependencies=[Authorised],
    responses=answers(401, 404, 422, 503),
)


class PassedOver(Described):
    """How many were looked at and did not enter, by why."""

    model_config = ConfigDict(from_attributes=True)

    had_entered: int
    """They had entered before, or enter by themselves because they have just joined."""
    blocked: int
    """They block the channel."""
    too_late: int
    """The scenario's period was over."""


class Enrolment(Described):
    """Those who were in a scenario's audience before it was published enter it."""

    id: int
    """Its number."""
    channel: str
    """The LINE channel of the scenario."""
    scenario: str
    """The scenario that they enter."""
    version: int
    """The version of the scenario that they enter."""
    audience: str
    """The audience whose members enter."""
    status: EnrolmentStatus
    """Whether it runs, waits or is over."""
    said: str
    """How far it has come, in words."""
    total: int
    """Members when it began."""
    seen: int
    """How many were looked at: those who entered, and those who were passed over."""
    entered: int
    """How many have entered."""
    passed_over: PassedOver
    """How many did not enter, by why."""
    per_second: int
    """How many may enter in a second, at most."""
    started_at: datetime
    """When it began."""
    finished_at: datetime | None
    """When it was over; null while it is not."""

    @classmethod
    def of(cls, enrolment: enrolments.Enrolment) -> Enrolment:
        return cls(
            id=enrolment.ref.enrolment_id,
            channel=enrolment.ref.channel,
            scenario=enrolment.ref.scenario,
            version=enrolment.ref.version,
            audience=enrolment.audience,
            status=enrolment.status,
            said=enrolment.summary,
            total=enrolment.total,
            seen=enrolment.seen,
            entered=enrolment.entered,
            passed_over=PassedOver.model_validate(enrolment.passed_over),
            per_second=enrolment.per_second,
            started_at=enrolment.started_at,
            finished_at=enrolment.finished_at,
        )


class EnrolmentPace(Described):
    """What of an enrolment can be changed while it runs."""

    model_config = ConfigDict(extra="forbid")

    per_second: int = Field(ge=1, le=MAX_PER_SECOND)
    """How many may enter in a second, at most."""


def _number(enrolment: str) -> int:
    # Whatever is no number of an enrolment is an enrolment that does not exist.
    if not re.fullmatch(r"[0-9]{1,18}", enrolment, re.ASCII):
        raise NotFound(f"enrolment {enrolment[:40]!r} does not exist; they have numbers, such as 1")
    return int(enrolment)


Number = Annotated[int, Depends(_number)]


@router.get("", summary="The last hundred enrolments of a channel, the newest first")
async def list_all(context: InContext, channel: InChannel = DEFAULT_CHANNEL) -> list[Enrolment]:
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
        found = await enrolments.all_of(connection, channel)
    return [Enrolment.of(enrolment) for enrolment in found]


@router.get("/{enrolment}", summary="One enrolment, and how far it has come")
async def show(number: Number, context: InContext) -> Enrolment:
    async with context.database.connection() as connection:
        return Enrolment.of(await enrolments.get(connection, number))


@router.post(
    "/{enrolment}/pause", summary="Enter nobody more until it is resumed", responses=answers(400)
)
async def pause(number: Number, context: InContext) -> Enrolment:
    """Who has entered already goes on. 400 where it is over."""
    async with context.database.transaction() as connection:
        changed = await enrolments.pause(connection, number)
    context.relay.enrolments.ring()
    return Enrolment.of(changed)


@router.post("/{enrolment}/resume", summary="Go on where it was paused", responses=answers(400))
async def resume(number: Number, context: InContext) -> Enrolment:
    """One that runs gets a workflow again, should somebody have terminated it. 400 where it is
    over."""
    async with context.database.transaction() as connection:
        changed = await enrolments.resume(connection, number)
    context.relay.enrolments.ring()
    return Enrolment.of(changed)


@router.post("/{enrolment}/cancel", summary="Enter nobody more, for good", responses=answers(400))
async def cancel(number: Number, context: InContext) -> Enrolment:
    """Who has entered already goes on. 400 where it is over."""
    async with context.database.transaction() as connection:
        changed = await enrolments.cancel(
            connection, number, because="by request", now=context.database.now()
        )
    context.relay.enrolments.ring()
    return Enrolment.of(changed)


@router.patch(
    "/{enrolment}",
    summary="Make it faster or slower, from its next page on",
    responses=answers(400, 413),
)
async def change_pace(number: Number, body: EnrolmentPace, context: InContext) -> Enrolment:
    async with context.database.transaction() as connection:
        return Enrolment.of(await enrolments.set_pace(connection, number, body.per_second))
