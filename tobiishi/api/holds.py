"""Pause and resume over HTTP: a channel, a scenario, a friend."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import ConfigDict, Field

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, Context, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import answers
from tobiishi.channels import holds
from tobiishi.database import Connection, clock
from tobiishi.people import friends
from tobiishi.publishing import versions
from tobiishi.user_ids import FriendId

router = APIRouter(
    prefix="/api", tags=["holds"], dependencies=[Authorised], responses=answers(401, 404, 422, 503)
)

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class Why(Described):
    """Why sends are to wait."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="paused through the API", min_length=1, max_length=200)
    """Why, in words; it is shown wherever the hold is."""


class Hold(Described):
    """Something that holds sends back."""

    model_config = ConfigDict(from_attributes=True)

    channel: str
    """The LINE channel."""
    scope: holds.Scope
    """What it holds back: a channel, a scenario, a friend."""
    name: str
    """The scenario's name or the friend's id; empty for the whole channel."""
    kind: holds.HoldKind
    """Who or what holds: somebody paused it, or LINE takes nothing now."""
    reason: str
    """Why, in words."""
    since: datetime
    """Since when."""
    until: datetime | None
    """Null where somebody has to end it."""


@router.get("/holds", summary="What holds sends back now")
async def list_all(context: InContext, channel: InChannel = DEFAULT_CHANNEL) -> list[Hold]:
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
        return [Hold.model_validate(each) for each in await _all(connection, channel)]


@router.post(
    "/channels/{channel}/pause",
    summary="Send nothing of a channel until it is resumed",
    responses=answers(400, 413),
)
async def pause_channel(channel: Name, context: InContext, body: Why | None = None) -> list[Hold]:
    return await _pause(context, channel, "channel", "", body)


@router.post("/channels/{channel}/resume", summary="Send again; held ones go on soon")
async def resume_channel(channel: Name, context: InContext) -> list[Hold]:
    """Also where LINE had not taken the token, or the month's messages were used up."""
    return await _resume(context, channel, "channel", "")


@router.post(
    "/scenarios/{scenario}/pause",
    summary="Send nothing of a scenario until resumed",
    responses=answers(400, 413),
)
async def pause_scenario(
    scenario: Name,
    context: InContext,
    body: Why | None = None,
    channel: InChannel = DEFAULT_CHANNEL,
) -> list[Hold]:
    return await _pause(context, channel, "scenario", scenario, body)


@router.post("/scenarios/{scenario}/resume", summary="Send again; held ones go on soon")
async def resume_scenario(
    scenario: Name, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> list[Hold]:
    return await _resume(context, channel, "scenario", scenario)


@router.post(
    "/friends/{friend}/pause",
    summary="Send nothing to a friend until resumed",
    responses=answers(400, 413),
)
async def pause_friend(
    friend: FriendId,
    context: InContext,
    body: Why | None = None,
    channel: InChannel = DEFAULT_CHANNEL,
) -> list[Hold]:
    return await _pause(context, channel, "friend", friend, body)


@router.post("/friends/{friend}/resume", summary="Send again; held ones go on soon")
async def resume_friend(
    friend: Name, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> list[Hold]:
    return await _resume(context, channel, "friend", friend)


async def _pause(
    context: Context, channel: str, scope: holds.Scope, name: str, why: Why | None
) -> list[Hold]:
    async with context.database.transaction() as connection:
        await context.channels.get(connection, channel)
        if scope == "scenario":
            await versions.versions_of(connection, channel, name)
        if scope == "friend":
            await friends.get(connection, channel, name)
        await holds.put(
            connection,
            channel,
            scope=scope,
            name=name,
            kind="paused",
            reason=(why or Why()).reason,
            at=context.database.now(),
        )
        return [Hold.model_validate(each) for each in await _all(connection, channel)]


async def _resume(context: Context, channel: str, scope: holds.Scope, name: str) -> list[Hold]:
    async with context.database.transaction() as connection:
        await context.channels.get(connection, channel)
        await holds.resume(connection, channel, scope=scope, name=name)
        return [Hold.model_validate(each) for each in await _all(connection, channel)]


async def _all(connection: Connection, channel: str) -> list[holds.Hold]:
    return await holds.all_of(connection, channel, at=await clock(connection))
