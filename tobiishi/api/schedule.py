"""The schedule over HTTP: what goes out in the next days."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Query
from pydantic import AfterValidator

from tobiishi.api.context import (
    DEFAULT_CHANNEL,
    Authorised,
    InChannel,
    InContext,
    InLanguage,
)
from tobiishi.api.described import Described
from tobiishi.api.errors import answers
from tobiishi.api.holds import Hold
from tobiishi.database import clock
from tobiishi.journeys import schedule
from tobiishi.languages import Language
from tobiishi.publishing import versions
from tobiishi.scenario import step_at
from tobiishi.scenario.next_words import way_in_words


def _known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"{name!r} is not a time zone; use an IANA name such as Asia/Tokyo"
        ) from error
    return name


router = APIRouter(
    prefix="/api/schedule",
    tags=["schedule"],
    dependencies=[Authorised],
    responses=answers(401, 404, 422, 503),
)


class ScheduleLine(Described):
    """How many friends get one message of one scenario in one hour."""

    hour: datetime
    """The beginning of the hour."""
    scenario: str
    """The scenario's name."""
    title: str
    """What marketers call it."""
    message: str
    """The message's name in the scenario."""
    confirmed: int
    """Friends who wait for exactly this message."""
    expected: int
    """Friends further up the scenario who come to it, by the shares in which friends took each way
    so far; a whole number that adds up with the others."""
    held: int
    """Those of the confirmed whose send waits: the channel, the scenario or the friend is held."""


class ExpectedWay(Described):
    """One way on from a branch, or from a wait for an audience."""

    in_words: str
    """Who takes it, in the language of `Accept-Language`."""
    share: float
    """Its share of the friends, from 0 to 1."""


class ExpectedSplit(Described):
    """Where friends part on their way, and by which shares they are expected to."""

    scenario: str
    """The scenario's name."""
    version: int
    """Its version."""
    step: str
    """The step at which they part."""
    friends: int
    """How many friends took a way there so far, of those who are counted (2,000 of the scenario at
    most); where it is 0, the shares are equal."""
    ways: list[ExpectedWay]
    """Its ways."""


class ScheduleMonth(Described):
    """What the schedule takes of one of LINE's months, which begin in Japan."""

    month: str
    """Which one: `2026-11`."""
    begins: datetime
    """Its first moment."""
    monthly: int | None
    """Messages a month; null where there is no limit."""
    used: int
    """Messages that were sent in it, by LINE's own approximate count."""
    left: int | None
    """Messages that may still be sent in it; null where there is no limit."""
    confirmed: int
    """Messages of the schedule that are confirmed."""
    expected: int
    """Messages of the schedule that are expected."""
    runs_out: datetime | None
    """The hour in which both together have taken more than is left; null where enough is left."""


class CloseSend(Described):
    """One of the messages that a friend gets within an hour."""

    at: datetime
    """When it is due."""
    scenario: str
    """The scenario's name."""
    message: str
    """The message's name in the scenario."""


class CrowdedFriend(Described):
    """A friend who gets several messages within an hour."""

    friend: str
    """Their LINE user id."""
    display_name: str | None
    """Their name in LINE's profile; null until LINE has told."""
    sends: list[CloseSend]
    """The messages that are less than an hour apart, in order."""


class CrowdedFriends(Described):
    """Friends who get several messages within an hour, by what is confirmed."""

    count: int
    """How many."""
    first: list[CrowdedFriend]
    """The first hundred of them, by when that is."""


class Schedule(Described):
    """What goes out from now on, to those who are under way; new entries are not predicted."""

    channel: str
    """The LINE channel."""
    timezone: str
    """The time zone of all hours and times."""
    since: datetime
    """From when on: now."""
    until: datetime
    """Until when."""
    confirmed: int
    """All that is confirmed."""
    expected: int
    """All that is expected."""
    lines: list[ScheduleLine]
    """By hour, scenario and message; hours in which nothing goes out are left out."""
    splits: list[ExpectedSplit]
    """The shares that what is expected rests on."""
    holds: list[Hold]
    """What holds sends of the channel or of a scenario back. Where its end is known, sends are in
    the hour in which they go then; else in that for which they are planned."""
    not_known: int
    """Journeys whose next step is not known yet, as they are about to begin, or went to sleep under
    an older release. What they send is not in it."""
    months: list[ScheduleMonth]
    """The month's messages; empty until LINE has told of them."""
    crowded: CrowdedFriends
    """Friends who get several messages within an hour."""


@router.get("", summary="What goes out in the next days, by hour, scenario and message")
async def show(
    context: InContext,
    language: InLanguage,
    channel: InChannel = DEFAULT_CHANNEL,
    days: Annotated[int, Query(ge=1, le=60, description="From now on for so many days.")] = 14,
    scenario: Annotated[
        str | None,
        Query(description="Only this scenario.", pattern=r"^[a-z0-9][a-z0-9-]{0,63}$"),
    ] = None,
    timezone: Annotated[
        Annotated[str, AfterValidator(_known)] | None,
        Query(description="IANA name; TOBIISHI_TIMEZONE where left out.", max_length=100),
    ] = None,
) -> Schedule:
    """Of those who are under way now: `confirmed` where somebody waits for exactly this message,
    `expected` for those further up their scenario. Those who enter from now on are not predicted,
    and nobody is expected to leave early.

    With `scenario`, what it takes of the month's messages is of this scenario alone.
    """
    zone = ZoneInfo(timezone or context.settings.timezone)
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
        if scenario is not None:
            await versions.versions_of(connection, channel, scenario)
        found = await schedule.schedule(
            connection,
            context.versions,
            channel,
            now=await clock(connection),
            days=days,
            zone=zone,
            only=scenario,
        )
    return _answer(found, channel, zone, language)


def _answer(found: schedule.Schedule, channel: str, zone: ZoneInfo, language: Language) -> Schedule:
    def local(moment: datetime) -> datetime:
        return moment.astimezone(zone)

    return Schedule(
        channel=channel,
        timezone=zone.key,
        since=local(found.since),
        until=local(found.until),
        confirmed=sum(line.confirmed for line in found.lines),
        expected=sum(line.expected for line in found.lines),
        lines=[ScheduleLine(**{**vars(line), "hour": local(line.hour)}) for line in found.lines],
        splits=[_split(split, language) for split in found.splits],
        holds=[Hold.model_validate(hold) for hold in found.holds],
        not_known=found.not_known,
        months=[
            ScheduleMonth(
                **{
                    **vars(month),
                    "month": f"{month.begins:%Y-%m}",
                    "begins": local(month.begins),
                    "runs_out": month.runs_out and local(month.runs_out),
                }
            )
            for month in found.months
        ],
        crowded=CrowdedFriends(
            count=found.crowded_count,
            first=[
                CrowdedFriend(
                    friend=each.friend,
                    display_name=each.display_name,
                    sends=[
                        CloseSend(**{**vars(send), "at": local(send.at)}) for send in each.sends
                    ],
                )
                for each in found.crowded
            ],
        ),
    )


def _split(split: schedule.Split, language: Language) -> ExpectedSplit:
    step = step_at(split.scenario, split.step)
    return ExpectedSplit(
        scenario=split.scenario.scenario,
        version=split.version,
        step=split.step,
        friends=split.friends,
        ways=[
            ExpectedWay(in_words=way_in_words(step, way, language), share=share)
            for way, share in split.shares.items()
        ],
    )
