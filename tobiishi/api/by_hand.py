"""One friend and one scenario, by hand over HTTP: have them enter, take them out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import BARRED, answers
from tobiishi.journeys import by_hand
from tobiishi.people.friends import ONE_LINE
from tobiishi.publishing import versions
from tobiishi.user_ids import FriendId

router = APIRouter(
    prefix="/api/scenarios/{scenario}/friends/{friend}",
    tags=["scenarios"],
    dependencies=[Authorised],
    responses=answers(400, 401, 404, 422, 503),
)


class Entry(Described):
    """Why a friend is to enter."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=200, pattern=ONE_LINE)
    """Why, in words; the journey keeps it."""
    again: bool = False
    """Whether they enter although they were in it before, whatever `reentry` says."""


class Entered(Described):
    """A friend who entered by hand, or is about to."""

    channel: str
    """The LINE channel."""
    scenario: str
    """The scenario's name."""
    friend: str
    """Their LINE user id."""
    version: int
    """The version of the scenario that they follow."""
    timezone: str
    """The scenario's time zone."""
    is_new: bool
    """False where the same was asked for a moment ago, and nothing more was done."""
    waits: bool
    """True where they enter once their former journey, which is being stopped, has ended."""
    entry: int | None
    """Which of their journeys through the scenario it is, from 1; null while they wait."""
    why: str
    """What the journey keeps as its cause."""
    started_at: datetime | None
    """When it began; null while they wait."""
    first: str | None
    """What it does first, in words; null while they wait."""
    first_at: datetime | None
    """When it does that; null while they wait."""


class TakenOut(Described):
    """A friend who was taken out of a scenario."""

    channel: str
    """The LINE channel."""
    scenario: str
    """The scenario's name."""
    friend: str
    """Their LINE user id."""
    version: int
    """The version of the scenario that their last journey followed."""
    timezone: str
    """The scenario's time zone."""
    stopped: bool
    """Whether a journey was under way, and is being stopped by this."""
    called_off: bool
    """Whether they were about to enter, and do not."""
    entry: int
    """Which of their journeys through the scenario it is, from 1."""
    because: str | None
    """Why it ended, or ends, early."""
    ended_at: datetime | None
    """When it ended; null while its end is on its way, within seconds."""
    outcome: str | None
    """How it ended; null while its end is on its way."""


@router.post(
    "", summary="Enter one friend into a scenario by hand", responses=answers(413) | BARRED
)
async def enter(
    scenario: str,
    friend: FriendId,
    body: Entry,
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
) -> Entered:
    """Whoever starts it otherwise. 409 with a code and words where they can't: a friend is in a
    scenario once at a time, is not sent to after blocking, and starts within the period.

    Asked twice with the same reason within two minutes, or while they are in it by that, it does
    nothing more.
    """
    async with context.database.transaction() as connection:
        await context.channels.get(connection, channel)
        entered = await by_hand.enter(
            connection,
            channel,
            scenario,
            friend,
            reason=body.reason,
            again=body.again,
            now=context.database.now(),
        )
    context.relay.outbox.ring()
    journey, first = entered.journey, entered.first
    return Entered(
        channel=channel,
        scenario=scenario,
        friend=friend,
        version=entered.version.version,
        timezone=entered.version.scenario.timezone,
        is_new=entered.is_new,
        waits=journey is None,
        entry=journey.ref.entry if journey else None,
        why=by_hand.in_words(body.reason),
        started_at=journey.ref.started_at if journey else None,
        first=first.label if first else None,
        first_at=first.due if first else None,
    )


@router.delete("", summary="Take one friend out of a scenario by hand")
async def take_out(
    scenario: str,
    friend: FriendId,
    context: InContext,
    reason: Annotated[
        str,
        Query(
            description="Why, in words; the journey keeps it.",
            min_length=1,
            max_length=200,
            pattern=ONE_LINE,
        ),
    ],
    channel: InChannel = DEFAULT_CHANNEL,
) -> TakenOut:
    """Nothing more of it is sent from now on; its outcome is `stopped`. Asked twice, it does
    nothing more.
    """
    async with context.database.transaction() as connection:
        await context.channels.get(connection, channel)
        done = await by_hand.take_out(connection, channel, scenario, friend, reason=reason)
        version = await versions.get(connection, channel, scenario, done.last.ref.version)
    context.relay.outbox.ring()
    return TakenOut(
        channel=channel,
        scenario=scenario,
        friend=friend,
        version=version.version,
        timezone=version.scenario.timezone,
        stopped=done.stopped,
        called_off=done.called_off,
        entry=done.last.ref.entry,
        because=done.last.stopping_because,
        ended_at=done.last.ended_at,
        outcome=done.last.outcome,
    )
