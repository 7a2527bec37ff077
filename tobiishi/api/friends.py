"""Friends over HTTP: what the shop knows of them, and why they got what they got."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ConfigDict, Field

from tobiishi.api import paging
from tobiishi.api.context import (
    DEFAULT_CHANNEL,
    Authorised,
    InChannel,
    InContext,
    InLanguage,
)
from tobiishi.api.described import Described
from tobiishi.api.errors import answers
from tobiishi.database import Connection, clock
from tobiishi.journeys import deliveries, journeys, next_steps, steps
from tobiishi.languages import Language
from tobiishi.people import audiences, friends
from tobiishi.people.friends import Attributes
from tobiishi.plan import Action
from tobiishi.relay import forgetting
from tobiishi.scenario import send_at, wait_for_at
from tobiishi.scenario.next_words import ways_in_words
from tobiishi.scenario.parts import Tag, plain_tag
from tobiishi.user_ids import FriendId

router = APIRouter(
    prefix="/api/friends",
    tags=["friends"],
    dependencies=[Authorised],
    responses=answers(401, 404, 422, 503),
)

#: Whatever is kept under it must be removable: releases up to 0.1 took ids that are no friend's.
KeptId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class _Read(Described):
    model_config = ConfigDict(from_attributes=True)


class CurrentMembership(_Read):
    """An audience that the friend is in, since when and why."""

    audience: str
    """The audience's name."""
    joined_at: datetime
    """Since when they are in it."""
    reason: str
    """Why they came in, in words."""


class TrailEntry(_Read):
    """One thing that a journey did, and what it rests on."""

    at: datetime
    """When it was done."""
    step: str
    """The step of the scenario."""
    said: str
    """What was done, in words."""
    detail: dict[str, Any]
    """What it rests on."""


class JourneyDelivery(_Read):
    """One message that a journey came to send."""

    step: str
    """The step of the scenario that sends it."""
    message: str
    """The message's name in the scenario."""
    status: deliveries.DeliveryStatus
    """`sent`: LINE accepted it, which is all that anyone can know."""
    reason: str | None
    """Why it was not sent, or may not have been; null where there is nothing to say."""
    claimed_at: datetime
    """When the journey came to send it."""
    settled_at: datetime | None
    """When it was known what became of it; null until then."""
    attempts: int
    """How often LINE was asked to send it."""
    retry_key: Any
    """The X-Line-Retry-Key that every try of it carries."""
    request_id: str | None
    """The X-Line-Request-Id of LINE's answer; null where there was none."""


class NextStep(Described):
    """What comes next in a journey that goes on."""

    state: next_steps.NextState
    """`held`: a hold on its channel, its scenario or its friend keeps its sends waiting.
    `stopping`: it is being ended. `not_known`: it is about to begin, or went to sleep under an
    older release."""
    in_words: str
    """All of it, in the language of `Accept-Language`: Japanese or English."""
    action: Action | None
    """What is done next; `watch` begins to wait for an audience, `look` ends that wait. Null where
    that is not known, as are the others."""
    step: str | None
    """The step of the scenario; empty at its end."""
    message: str | None
    """The name of the message, where one is sent next."""
    ways: list[str]
    """The ways of branches and waits for audiences on which the step is, the outermost first."""
    due: datetime | None
    """When, by the clock of the scenario's time zone."""
    timezone: str
    """The scenario's time zone."""
    wait: str | None
    """The step of the wait that it is in; null where in none."""
    audience: str | None
    """The audience that it waits for; null where for none."""
    holds: list[str]
    """What keeps its sends waiting, in words."""


class Journey(Described):
    """One journey of the friend, from its cause to its last step."""

    scenario: str
    """The scenario."""
    version: int
    """The version of the scenario that it follows to its end."""
    entry: int
    """Which of the friend's journeys through the scenario it is, from 1."""
    why: str
    """Why the friend entered, in words."""
    started_at: datetime
    """When it began."""
    ended_at: datetime | None
    """When it ended; null while it goes on."""
    outcome: str | None
    """How it ended; null while it goes on."""
    because: str | None
    """Why it ended, or must end, early."""
    workflow_id: str
    """Its workflow in Temporal."""
    trail: list[TrailEntry]
    """What it did, step by step."""
    deliveries: list[JourneyDelivery]
    """The messages that it came to send."""
    next: NextStep | None
    """What comes next; null once it has ended."""


class FriendSummary(_Read):
    """What is known of a friend, without what they did."""

    friend: str
    """Their LINE user id."""
    status: friends.FriendStatus
    """Whether they can be sent to."""
    display_name: str | None
    """Their name in LINE's profile; null until LINE has told."""
    route: str | None
    """The route by which they came; null where none is known."""
    attributes: Attributes
    """What the shop told of them."""
    seen: friends.Seen
    """What was seen by itself; what the shop told counts first."""


class Friend(Described):
    """A friend: attributes, tags, memberships, journeys."""

    channel: str
    """The LINE channel whose friend they are."""
    friend: str
    """Their LINE user id."""
    status: friends.FriendStatus
    """Whether they can be sent to."""
    display_name: str | None
    """Their name in LINE's profile; null until LINE has told."""
    language: str | None
    """As the shop told, else as in LINE's profile, else as seen."""
    route: str | None
    """The route by which they came; null where none is known."""
    attributes: Attributes
    """What the shop told of them."""
    seen: friends.Seen
    """What was seen by itself; what the shop told counts first."""
    tags: list[str]
    """The tags that they carry."""
    audiences: list[CurrentMembership]
    """The audiences that they are in."""
    journeys: list[Journey]
    """Their journeys, those that are over too."""


class Tags(Described):
    """Tags to add and to remove."""

    model_config = ConfigDict(extra="forbid")

    add: list[Tag] = Field(default=[], max_length=100)
    """Tags to add."""
    remove: list[Tag] = Field(default=[], max_length=100)
    """Tags to remove."""


@router.get("", summary="Friends, page by page, in the order of their ids", responses=answers(400))
async def list_all(
    request: Request,
    response: Response,
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
    after: Annotated[str, paging.after("`friend`")] = "",
    limit: paging.Limit = 100,
    tag: Annotated[str | None, Query(description="Only those who carry it.")] = None,
    audience: Annotated[str | None, Query(description="Only those who are in it.")] = None,
    name: Annotated[
        str | None,
        Query(description="Only those in whose name it is.", max_length=100, pattern=r"^[^\x00]*$"),
    ] = None,
) -> list[FriendSummary]:
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
        found = await friends.page(
            connection,
            channel,
            after=after,
            limit=limit,
            tag=None if tag is None else plain_tag(tag),
            audience=audience,
            name=name,
        )
    if found:
        paging.name_next(request, response, found, limit, found[-1].friend)
    return [FriendSummary.model_validate(each) for each in found]


@router.delete("/{friend}", status_code=202, summary="Forget a friend")
async def forget(
    friend: KeptId, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> dict[str, str]:
    """Ends their journeys, and removes what we keep of them, here and in Temporal.

    202: nothing more is sent from now on; all is removed within seconds, or as soon as Temporal
    can be reached. Who comes back is a new friend.
    """
    async with context.database.transaction() as connection:
        await forgetting.ask(connection, channel, friend, at=context.database.now())
    context.relay.forgettings.ring()
    return {"detail": "the friend is being forgotten"}


@router.get(
    "/{friend}", summary="A friend, with every journey, why each step was taken and what comes next"
)
async def show(
    friend: FriendId,
    context: InContext,
    language: InLanguage,
    channel: InChannel = DEFAULT_CHANNEL,
) -> Friend:
    async with context.database.connection() as connection:
        return await _whole(connection, await friends.get(connection, channel, friend), language)


@router.patch(
    "/{friend}/attributes",
    summary="Tell attributes of a friend; null forgets one",
    responses=answers(400, 413),
)
async def set_attributes(
    friend: FriendId,
    body: Attributes,
    context: InContext,
    language: InLanguage,
    channel: InChannel = DEFAULT_CHANNEL,
) -> Friend:
    async with context.database.transaction() as connection:
        answer = await _whole(
            connection,
            await friends.set_attributes(
                connection, channel, friend, body, at=context.database.now()
            ),
            language,
        )
    context.relay.changes.ring()
    return answer


@router.post("/{friend}/tags", summary="Add and remove tags", responses=answers(400, 413))
async def retag(
    friend: FriendId,
    body: Tags,
    context: InContext,
    language: InLanguage,
    channel: InChannel = DEFAULT_CHANNEL,
) -> Friend:
    async with context.database.transaction() as connection:
        known = await friends.get(connection, channel, friend)
        await friends.retag(
            connection,
            channel,
            friend,
            add=tuple(body.add),
            remove=tuple(body.remove),
            at=context.database.now(),
        )
        answer = await _whole(connection, known, language)
    context.relay.changes.ring()
    return answer


async def _whole(connection: Connection, friend: friends.Friend, language: Language) -> Friend:
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
            CurrentMembership(audience=audience, joined_at=member.joined_at, reason=member.reason)
            for audience, member in memberships.items()
        ],
        journeys=[
            await _journey(connection, journey, language)
            for journey in await journeys.of_friend(connection, friend.channel, friend.friend)
        ],
    )


async def _journey(
    connection: Connection, journey: journeys.Journey, language: Language
) -> Journey:
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
            TrailEntry.model_validate(entry)
            for entry in await steps.trail_of(connection, ref.journey_id)
        ],
        deliveries=[
            JourneyDelivery.model_validate(delivery)
            for delivery in await deliveries.of_journey(connection, ref.journey_id)
        ],
        next=await _next(connection, journey, language),
    )


async def _next(
    connection: Connection, journey: journeys.Journey, language: Language
) -> NextStep | None:
    at = await clock(connection)
    found = await next_steps.of_journey(connection, journey, at=at)
    if found is None:
        return None
    plan, scenario = found.plan, found.scenario
    action = plan.action if plan else None
    step = plan.step if plan else ""
    return NextStep(
        state=found.state,
        in_words=next_steps.in_words(found, language, at=at),
        action=action,
        step=step if plan else None,
        message=send_at(scenario, step).name if action is Action.SEND else None,
        ways=ways_in_words(scenario, step, language),
        due=plan.due.astimezone(ZoneInfo(scenario.timezone)) if plan else None,
        timezone=scenario.timezone,
        wait=(plan.wait if plan else "") or None,
        audience=wait_for_at(scenario, step).audience if action is Action.LOOK else None,
        holds=[next_steps.hold_in_words(hold, language) for hold in found.holds],
    )
