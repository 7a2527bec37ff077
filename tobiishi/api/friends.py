"""Friends over HTTP: what the shop knows of them, and why they got what they got."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext, now
from tobiishi.database import Connection
from tobiishi.journeys import deliveries, journeys
from tobiishi.people import audiences, friends
from tobiishi.people.friends import Attributes, FriendId
from tobiishi.relay import forgetting

router = APIRouter(prefix="/api/friends", tags=["friends"], dependencies=[Authorised])

Tag = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]


class _Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Membership(_Read):
    """An audience that the friend is in, since when and why."""

    audience: str
    joined_at: datetime
    reason: str


class Said(_Read):
    """One thing that a journey did, and what it rests on."""

    at: datetime
    step: str
    said: str
    detail: dict[str, Any]


class Delivery(_Read):
    """One message that a journey came to send."""

    step: str
    message: str
    #: `sent`: LINE accepted it, which is all that anyone can know.
    status: deliveries.Status
    reason: str | None
    claimed_at: datetime
    settled_at: datetime | None
    attempts: int
    retry_key: Any
    request_id: str | None


class Journey(BaseModel):
    """One journey of the friend, from its cause to its last step."""

    scenario: str
    version: int
    entry: int
    why: str
    started_at: datetime
    ended_at: datetime | None
    #: None while it goes on.
    outcome: str | None
    #: Why it ended, or must end, early.
    because: str | None
    workflow_id: str
    trail: list[Said]
    deliveries: list[Delivery]


class Summary(_Read):
    """What is known of a friend, without what they did."""

    friend: str
    status: friends.Status
    display_name: str | None
    route: str | None
    attributes: Attributes
    seen: friends.Seen


class Friend(BaseModel):
    """A friend: attributes, tags, memberships, journeys."""

    channel: str
    friend: str
    status: friends.Status
    display_name: str | None
    #: As the shop told, else as in LINE's profile, else as seen.
    language: str | None
    route: str | None
    attributes: Attributes
    #: What was seen by itself; what the shop told counts first.
    seen: friends.Seen
    tags: list[str]
    audiences: list[Membership]
    journeys: list[Journey]


class Tags(BaseModel):
    """Tags to add and to remove."""

    model_config = ConfigDict(extra="forbid")

    add: list[Tag] = Field(default=[], max_length=100)
    remove: list[Tag] = Field(default=[], max_length=100)


@router.get("", summary="Friends, page by page, in the order of their ids")
async def list_all(
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
    after: Annotated[str, Query(description="The last id of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    tag: Annotated[str | None, Query(description="Only those who carry it.")] = None,
    audience: Annotated[str | None, Query(description="Only those who are in it.")] = None,
) -> list[Summary]:
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
        found = await friends.page(
            connection, channel, after=after, limit=limit, tag=tag, audience=audience
        )
    return [Summary.model_validate(each) for each in found]


@router.delete("/{friend}", status_code=202, summary="Forget a friend")
async def forget(
    friend: FriendId, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> dict[str, str]:
    """Ends their journeys, and removes what we keep of them, here and in Temporal.

    202: nothing more is sent from now on; all is removed within seconds, or as soon as Temporal
    can be reached. Who comes back is a new friend.
    """
    async with context.database.transaction() as connection:
        await forgetting.ask(connection, channel, friend, at=now())
    context.relay.forgettings.ring()
    return {"detail": "the friend is being forgotten"}


@router.get("/{friend}", summary="A friend, with every journey and why each step was taken")
async def show(
    friend: FriendId, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> Friend:
    async with context.database.connection() as connection:
        return await _whole(connection, await friends.get(connection, channel, friend))


@router.patch("/{friend}/attributes", summary="Tell attributes of a friend; null forgets one")
async def set_attributes(
    friend: FriendId,
    body: Attributes,
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
) -> Friend:
    async with context.database.transaction() as connection:
        answer = await _whole(
            connection, await friends.set_attributes(connection, channel, friend, body, at=now())
        )
    context.relay.changes.ring()
    return answer


@router.post("/{friend}/tags", summary="Add and remove tags")
async def retag(
    friend: FriendId, body: Tags, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> Friend:
    async with context.database.transaction() as connection:
        known = await friends.get(connection, channel, friend)
        await friends.retag(
            connection,
            channel,
            friend,
            add=tuple(body.add),
            remove=tuple(body.remove),
            at=now(),
        )
        answer = await _whole(connection, known)
    context.relay.changes.ring()
    return answer


async def _whole(connection: Connection, friend: friends.Friend) -> Friend:
    memberships = await audiences.memberships_of(connection, friend.channel, friend.friend)
    return Friend(
        channel=friend.channel,
        friend=friend.friend,
        status=friend.status,
        display_name=friend.display_name,
        language=friend.spoken,
        route=friend.route,
        attributes=friend.attributes,
        seen=friend.seen,
        tags=await friends.tags_of(connection, friend.channel, friend.friend),
        audiences=[
            Membership(audience=audience, joined_at=member.joined_at, reason=member.reason)
            for audience, member in memberships.items()
        ],
        journeys=[
            await _journey(connection, journey)
            for journey in await journeys.of_friend(connection, friend.channel, friend.friend)
        ],
    )


async def _journey(connection: Connection, journey: journeys.Journey) -> Journey:
    ref = journey.ref
    return Journey(
        scenario=ref.scenario,
        version=ref.version,
        entry=ref.entry,
        why=journey.why,
        started_at=ref.started_at,
        ended_at=journey.ended_at,
        outcome=journey.outcome,
        because=journey.stopping_because,
        workflow_id=ref.workflow_id,
        trail=[
            Said.model_validate(said)
            for said in await journeys.trail_of(connection, ref.journey_id)
        ],
        deliveries=[
            Delivery.model_validate(delivery)
            for delivery in await deliveries.of_journey(connection, ref.journey_id)
        ],
    )
