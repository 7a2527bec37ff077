"""Events over HTTP: the shop's own systems tell what a friend did, and anybody asks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from tobiishi.api import paging
from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import answers
from tobiishi.errors import Invalid
from tobiishi.people import events, friends
from tobiishi.scenario.rules import MAX_LOOK_BACK_DAYS, EventName
from tobiishi.user_ids import FriendId

router = APIRouter(
    prefix="/api", tags=["events"], dependencies=[Authorised], responses=answers(401, 404, 422, 503)
)

#: A clock that is ahead of ours by less than this is no reason to lose an event.
MAX_CLOCK_SKEW = timedelta(minutes=5)

#: As Postgres counts events.
MAX_ID = 2**63 - 1

_Text = StringConstraints(pattern=r"^[^\x00]+$")


class NewEvent(Described):
    """What a friend did, as the shop's own systems know it."""

    model_config = ConfigDict(extra="forbid")

    friend: FriendId
    """The friend's LINE user id."""
    event: EventName
    """`purchase`, `add_to_cart`, `page_view`, or one of the shop's own."""
    at: AwareDatetime | None = None
    """When; now, where left out."""
    id: Annotated[str, _Text, Field(max_length=128)] | None = None
    """Told again under the same id, it is the same event: the order's number, say."""
    url: Annotated[str, _Text, Field(max_length=2000)] | None = None
    """The page that it was about."""
    detail: dict[str, Any] = Field(default={}, max_length=50)
    """What else there is to say of it: an amount, a product."""


class NewEvents(Described):
    """Some events; all of them are kept, or none."""

    model_config = ConfigDict(extra="forbid")

    events: Annotated[list[NewEvent], Field(min_length=1, max_length=1000)]
    """The events, in any order."""


class Kept(Described):
    """How many of the events were new."""

    new: int
    """Events that were not known before."""
    known: int
    """Events that had been told before, and count once."""


class FriendEvent(Described):
    """What a friend was seen to do."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    """The event's number."""
    source: events.EventSource
    """Where it was seen."""
    event: str
    """What they did."""
    occurred_at: datetime
    """When they did it."""
    scenario: str | None
    """The scenario whose message it was about; null where none."""
    message: str | None
    """The message that it was about; null where none."""
    url: str | None
    """The link or the page that it was about; null where none."""
    detail: dict[str, Any]
    """What else was told of it."""


@router.post(
    "/events",
    summary="Tell what friends did on the shop's site or in its systems",
    responses=answers(400, 413),
)
async def record(body: NewEvents, context: InContext, channel: InChannel = DEFAULT_CHANNEL) -> Kept:
    at, new = context.database.now(), 0
    for number, event in enumerate(body.events):
        _check_time(number, event.at, at)
    async with context.database.transaction() as connection:
        await context.channels.get(connection, channel)
        known = await friends.get_many(connection, channel, [event.friend for event in body.events])
        for number, event in enumerate(body.events):
            if event.friend not in known:
                raise Invalid(
                    f"events[{number}].friend: {event.friend!r} is not a friend of channel "
                    f"{channel!r}; nothing was kept, leave it out or correct it"
                )
        # In one order, so that two requests about the same friends don't wait for each other.
        for event in sorted(body.events, key=lambda event: event.friend):
            new += await events.record(
                connection,
                events.FriendEvent(
                    channel=channel,
                    friend=event.friend,
                    source="site",
                    event=event.event,
                    occurred_at=min(event.at or at, at),
                    url=event.url,
                    detail=event.detail,
                    key=event.id and f"api {event.id}",
                ),
            )
    context.relay.changes.ring()
    return Kept(new=new, known=len(body.events) - new)


@router.get("/friends/{friend}/events", summary="What a friend was seen to do, the latest first")
async def of_friend(
    request: Request,
    response: Response,
    friend: FriendId,
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
    after: Annotated[int | None, paging.after("`id`"), Field(ge=1, le=MAX_ID)] = None,
    limit: paging.Limit = 100,
) -> list[FriendEvent]:
    async with context.database.connection() as connection:
        await friends.get(connection, channel, friend)
        found = await events.of_friend(connection, channel, friend, after=after, limit=limit)
    if found:
        paging.name_next(request, response, found, limit, found[-1].id)
    return [FriendEvent.model_validate(each) for each in found]


def _check_time(number: int, at: datetime | None, now: datetime) -> None:
    if at is None:
        return
    if at > now + MAX_CLOCK_SKEW:
        raise Invalid(f"events[{number}].at: {at.isoformat()} is in the future; correct it")
    if at < now - timedelta(days=MAX_LOOK_BACK_DAYS):
        raise Invalid(
            f"events[{number}].at: {at.isoformat()} is over {MAX_LOOK_BACK_DAYS} days ago, which "
            "no audience looks back; leave it out"
        )
