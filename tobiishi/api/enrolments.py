"""Enrolments over HTTP: how far each has come; pause, resume, cancel, and how fast it goes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext, now
from tobiishi.errors import NotFound
from tobiishi.publishing import enrolments
from tobiishi.publishing.enrolment_plan import FASTEST, Status

router = APIRouter(prefix="/api/enrolments", tags=["enrolments"], dependencies=[Authorised])


class PassedOver(BaseModel):
    """How many were looked at and did not enter, by why."""

    model_config = ConfigDict(from_attributes=True)

    #: They had entered before, or enter by themselves because they have just joined.
    had_entered: int
    #: They block the channel.
    blocked: int
    #: The scenario's period was over.
    too_late: int


class Enrolment(BaseModel):
    """Those who were in a scenario's audience before it was published enter it."""

    id: int
    channel: str
    scenario: str
    version: int
    audience: str
    status: Status
    #: How far it has come, in words.
    said: str
    #: Members when it began.
    total: int
    #: How many were looked at: those who entered, and those who were passed over.
    seen: int
    entered: int
    passed_over: PassedOver
    #: How many may enter in a second, at most.
    per_second: int
    started_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, enrolment: enrolments.Enrolment) -> Enrolment:
        return cls(
            id=enrolment.ref.enrolment_id,
            channel=enrolment.ref.channel,
            scenario=enrolment.ref.scenario,
            version=enrolment.ref.version,
            audience=enrolment.audience,
            status=enrolment.status,
            said=enrolment.said,
            total=enrolment.total,
            seen=enrolment.seen,
            entered=enrolment.entered,
            passed_over=PassedOver.model_validate(enrolment.passed_over),
            per_second=enrolment.per_second,
            started_at=enrolment.started_at,
            finished_at=enrolment.finished_at,
        )


class Pace(BaseModel):
    """What of an enrolment can be changed while it runs."""

    model_config = ConfigDict(extra="forbid")

    per_second: int = Field(ge=1, le=FASTEST)


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


@router.post("/{enrolment}/pause", summary="Enter nobody more until it is resumed")
async def pause(number: Number, context: InContext) -> Enrolment:
    """Who has entered already goes on. 400 where it is over."""
    async with context.database.transaction() as connection:
        changed = await enrolments.pause(connection, number)
    context.relay.enrolments.ring()
    return Enrolment.of(changed)


@router.post("/{enrolment}/resume", summary="Go on where it was paused")
async def resume(number: Number, context: InContext) -> Enrolment:
    """One that runs gets a workflow again, should somebody have terminated it. 400 where it is
    over."""
    async with context.database.transaction() as connection:
        changed = await enrolments.resume(connection, number)
    context.relay.enrolments.ring()
    return Enrolment.of(changed)


@router.post("/{enrolment}/cancel", summary="Enter nobody more, for good")
async def cancel(number: Number, context: InContext) -> Enrolment:
    """Who has entered already goes on. 400 where it is over."""
    async with context.database.transaction() as connection:
        changed = await enrolments.cancel(connection, number, because="by request", now=now())
    context.relay.enrolments.ring()
    return Enrolment.of(changed)


@router.patch("/{enrolment}", summary="Make it faster or slower, from its next page on")
async def pace(number: Number, body: Pace, context: InContext) -> Enrolment:
    async with context.database.transaction() as connection:
        return Enrolment.of(await enrolments.set_pace(connection, number, body.per_second))
