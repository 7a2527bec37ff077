"""Audiences over HTTP: make, fill, look into."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field

from tobiishi.api import paging
from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import answers
from tobiishi.people import audiences, definitions
from tobiishi.publishing import audience_removal
from tobiishi.scenario.rules import AudienceKind, Definition
from tobiishi.user_ids import FriendId

router = APIRouter(
    prefix="/api/audiences",
    tags=["audiences"],
    dependencies=[Authorised],
    responses=answers(401, 404, 422, 503),
)

#: As many ids as LINE takes in one JSON upload.
MAX_FRIENDS_PER_REQUEST = 10_000

AudienceName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class Audience(Described):
    """An audience, and how many friends are in it now."""

    model_config = ConfigDict(from_attributes=True)

    channel: str
    """The LINE channel that it is of."""
    audience: str
    """Its name, in scenarios and in addresses."""
    title: str
    """What people call it."""
    kind: AudienceKind
    """What decides who is in it: a list, or a rule of this kind."""
    rule: dict[str, Any]
    """What goes with its kind: the tag, the message, the page and the days, the condition."""
    members: int
    """How many friends are in it now."""


class Member(Described):
    """A friend's membership."""

    model_config = ConfigDict(from_attributes=True)

    friend: str
    """The friend's LINE user id."""
    joined_at: datetime
    """Since when they are in it."""
    reason: str
    """Why they came in, in words."""


class Membership(Described):
    """One time that a friend was a member, or is."""

    model_config = ConfigDict(from_attributes=True)

    joined_at: datetime
    """When they came in."""
    reason: str
    """Why they came in, in words."""
    left_at: datetime | None
    """Null where they are in it now."""
    left_reason: str | None
    """Why they left, in words; null where they are in it now."""


class FriendIds(Described):
    """LINE user ids."""

    model_config = ConfigDict(extra="forbid")

    friends: list[FriendId] = Field(min_length=1, max_length=MAX_FRIENDS_PER_REQUEST)
    """The friends' LINE user ids."""


class Joined(Described):
    """What adding came to."""

    joined: int
    """Friends who were added."""
    already_in: int
    """Friends who were in the audience before."""


class Left(Described):
    """What removing came to."""

    left: int
    """Friends who were removed: 0 where they were not in it."""


@router.get("", summary="All audiences of a channel")
async def list_all(context: InContext, channel: InChannel = DEFAULT_CHANNEL) -> list[Audience]:
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
        found = await audiences.all_of(connection, channel)
    return [Audience.model_validate(audience) for audience in found]


@router.put("/{audience}", summary="Make an audience, or change it", responses=answers(400, 413))
async def put(
    audience: AudienceName,
    body: Definition,
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
) -> Audience:
    async with context.database.transaction() as connection:
        await context.channels.get(connection, channel)
        made = await definitions.put(
            connection,
            channel,
            audience,
            body,
            timezone=context.settings.timezone,
            at=context.database.now(),
        )
    context.relay.changes.ring()
    return Audience.model_validate(made)


@router.get("/{audience}", summary="One audience")
async def show(
    audience: AudienceName, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> Audience:
    async with context.database.connection() as connection:
        return Audience.model_validate(await audiences.get(connection, channel, audience))


@router.get("/{audience}/members", summary="Members, page by page, in the order of their ids")
async def members(
    request: Request,
    response: Response,
    audience: AudienceName,
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
    after: Annotated[str, paging.after("`friend`")] = "",
    limit: paging.Limit = 100,
) -> list[Member]:
    async with context.database.connection() as connection:
        await audiences.get(connection, channel, audience)
        page = await audiences.members_of(connection, channel, audience, after=after, limit=limit)
    if page:
        paging.name_next(request, response, page, limit, page[-1].friend)
    return [Member.model_validate(member) for member in page]


@router.delete(
    "/{audience}",
    status_code=204,
    summary="Delete an audience that nothing uses",
    responses=answers(409),
)
async def delete(
    audience: AudienceName, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> None:
    """409 where a live scenario, a journey under way or a combined audience uses it."""
    async with context.database.transaction() as connection:
        await audience_removal.delete(connection, channel, audience)


@router.get("/{audience}/members/{friend}", summary="When and why a friend was in it, and is")
async def history(
    audience: AudienceName,
    friend: FriendId,
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
) -> list[Membership]:
    async with context.database.connection() as connection:
        await audiences.get(connection, channel, audience)
        found = await audiences.history_of(connection, channel, audience, friend)
    return [Membership.model_validate(each) for each in found]


@router.post(
    "/{audience}/members",
    summary="Add friends; those already in stay as they are",
    responses=answers(400, 413),
)
async def add(
    audience: AudienceName,
    body: FriendIds,
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
) -> Joined:
    async with context.database.transaction() as connection:
        await audiences.get_listed(connection, channel, audience)
        joined = await audiences.join(
            connection,
            channel,
            audience,
            body.friends,
            at=context.database.now(),
            reason="added through the API",
        )
    context.relay.changes.ring()
    return Joined(joined=joined, already_in=len(set(body.friends)) - joined)


@router.delete("/{audience}/members/{friend}", summary="Remove a friend", responses=answers(400))
async def remove(
    audience: AudienceName,
    friend: FriendId,
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
) -> Left:
    async with context.database.transaction() as connection:
        await audiences.get_listed(connection, channel, audience)
        left = await audiences.leave(
            connection,
            channel,
            audience,
            [friend],
            at=context.database.now(),
            reason="removed through the API",
        )
    context.relay.changes.ring()
    return Left(left=left)
