"""Test sends over HTTP: the messages of a scenario's file to a named tester."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import WRONG_SCENARIO, answers
from tobiishi.channels import holds
from tobiishi.database import Connection
from tobiishi.errors import Invalid
from tobiishi.line import FriendNotFound, LineClient, LineError
from tobiishi.people import friends
from tobiishi.people.friends import Friend
from tobiishi.people.personas import persona
from tobiishi.publishing import trials
from tobiishi.publishing.validation import aside
from tobiishi.scenario import Scenario, read, uses_profile
from tobiishi.user_ids import FriendId

router = APIRouter(
    prefix="/api/scenarios",
    tags=["scenarios"],
    dependencies=[Authorised],
    responses=answers(400, 401, 404, 413, 503) | WRONG_SCENARIO,
)


class TrialPush(Described):
    """One push of a test: one of the month's messages, whatever is in it."""

    model_config = ConfigDict(from_attributes=True)

    message: str
    """The message's name in the scenario."""
    messages: list[dict[str, Any]]
    """As LINE gets them, filled in, the mark first."""
    status: trials.TrialStatus
    """`planned`: nothing was sent. `unknown`: LINE gave no answer and may have taken it."""
    reason: str | None
    """LINE's words where it refused it; null where there is nothing to say."""
    request_id: str | None
    """The X-Line-Request-Id of LINE's answer; null where there was none."""


class Trial(Described):
    """A test of a scenario's messages."""

    channel: str
    """The LINE channel."""
    scenario: str
    """The scenario's name."""
    to: str
    """The tester's LINE user id."""
    display_name: str | None
    """The tester's name in LINE, where it is known."""
    uses: int
    """How many of the month's messages it takes: one a push."""
    left: int | None
    """How many LINE's plan leaves this month before it; null where there is no limit, or it is
    not known."""
    monthly: int | None
    """How many LINE's plan has a month; null where there is no limit, or it is not known."""
    is_quota_known: bool
    """Whether LINE told of the month's messages."""
    pushes: list[TrialPush]
    """What is sent, or would be, in order."""


@router.post(
    "/test",
    summary="Send the messages of a file to a tester, or tell what that would take",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/yaml": {"schema": {"type": "string"}}},
        }
    },
)
async def send_test(
    request: Request,
    context: InContext,
    to: Annotated[FriendId, Query(description="The tester: a friend who is following.")],
    message: Annotated[
        list[str] | None, Query(description="Only these messages; all if left out.")
    ] = None,
    friend: Annotated[
        list[str] | None,
        Query(
            description="Filled in for a friend of whom this is known and nothing else: "
            "`gender=female,rank=gold`; if left out, for the tester."
        ),
    ] = None,
    key: Annotated[
        UUID | None,
        Query(
            description="A UUID of your own for this test: the messages are sent, and LINE takes "
            "them once however often you ask. Left out, nothing is sent."
        ),
    ] = None,
    lang: Annotated[Literal["ja", "en"], Query(description="Of the mark.")] = "ja",
    channel: InChannel = DEFAULT_CHANNEL,
) -> Trial:
    """The body is the YAML. All messages at once, each marked as a test, counted in LINE's quota
    alone: no journey, delivery, event or figure comes of it, and links are not tracked.
    """
    source = await aside(read, await request.body(), timezone=context.settings.timezone)
    scenario, at = source.scenario, context.database.now()
    async with context.database.connection() as connection:
        known = await context.channels.get(connection, channel)
        tester = await _tester(connection, channel, to, at)
    async with LineClient(base_url=known.api_base_url, access_token=known.access_token) as line:
        if friend is None:
            filled_for = await _named(line, scenario, tester)
        else:
            today = at.astimezone(ZoneInfo(context.settings.timezone)).date()
            filled_for = persona(tester, friend, today=today)
        pushes = await aside(
            trials.pushes_of,
            scenario,
            filled_for.variables(),
            only=message or (),
            language=lang,
        )
        month = await trials.months_messages(line)
        if key is not None:
            pushes = await trials.send_all(line, to, pushes, key=key)
    return Trial(
        channel=channel,
        scenario=scenario.scenario,
        to=to,
        display_name=tester.display_name,
        uses=len(pushes),
        left=month.left,
        monthly=month.monthly,
        is_quota_known=month.is_known,
        pushes=[TrialPush.model_validate(push) for push in pushes],
    )


async def _tester(connection: Connection, channel: str, to: str, at: datetime) -> Friend:
    """The friend to send to. Raises `NotFound`, and `Invalid` where nothing may be sent to them."""
    tester = await friends.get(connection, channel, to)
    if tester.status != "following":
        raise Invalid(
            f"to: {to} has blocked the channel, and LINE would deliver nothing; name a friend who "
            "follows it"
        )
    for hold in await holds.all_of(connection, channel, at=at):
        # A scenario is perhaps paused for the very mistake that is being mended.
        if hold.scope == "channel" or (hold.scope, hold.name) == ("friend", to):
            whom = f"{hold.scope} {hold.name or channel}"
            raise Invalid(f"the sends of {whom} are held back ({hold.reason}); resume them first")
    return tester


async def _named(line: LineClient, scenario: Scenario, tester: Friend) -> Friend:
    """The tester with the name that LINE tells, where a message greets by it."""
    sends = [step.send for _, step in scenario.walk() if step.send]
    if not any(uses_profile(send.messages) for send in sends):
        return tester
    try:
        profile = await line.profile(tester.friend)
    except FriendNotFound:
        return replace(tester, display_name=None, language=None)
    except LineError:
        return tester  # An old name is better than none.
    return replace(tester, display_name=profile.display_name, language=profile.language)
