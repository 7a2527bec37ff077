"""By hand: somebody has one friend enter one scenario, or takes one friend out of it.

What started a scenario and who it is for is passed over; that a friend is never in it twice, and
that nobody is sent to who blocked the channel, is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from tobiishi.database import Connection, queries
from tobiishi.errors import NotFound, TobiishiError
from tobiishi.journeys import journeys
from tobiishi.journeys.journeys import Journey, LastEntry, may_enter
from tobiishi.people import friends
from tobiishi.people.friends import FriendStatus
from tobiishi.plan import Plan
from tobiishi.publishing import versions
from tobiishi.publishing.versions import Version
from tobiishi.scenario import AfterDays, Reentry, Scenario, first_plan, spread_out

_sql = queries("by_hand")

#: Who asks twice for the same within so long is a program that had no answer: one that gives up
#: waiting after a minute, as the command line does, asks no later.
SAME_REQUEST = timedelta(minutes=2)

BarrierCode = Literal["retired", "blocked", "in_it", "not_open", "entered_before", "too_soon"]


class Barred(TobiishiError):
    """A friend can't enter a scenario now, for the reason that the code names."""

    def __init__(self, code: BarrierCode, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class EnteredByHand:
    """What came of having a friend enter."""

    version: Version
    #: None where they enter once their former journey, which is being stopped, has ended.
    journey: Journey | None
    #: False where the same was asked for before, and nothing more was done.
    is_new: bool

    @property
    def first(self) -> Plan | None:
        """What the journey does first, and when."""
        if self.journey is None:
            return None
        ref, scenario = self.journey.ref, self.version.scenario
        plan = first_plan(scenario, ref.started_at)
        return spread_out(scenario, plan, friend=ref.friend, now=ref.started_at)


@dataclass(frozen=True, kw_only=True)
class TakenOutByHand:
    """What came of taking a friend out."""

    #: Whether a journey was under way, and is being stopped by this.
    stopped: bool
    #: Whether they were about to enter, and do not.
    called_off: bool
    #: Their last journey, as it is now.
    last: Journey


def in_words(reason: str) -> str:
    """The cause of an entry or of a stop, as the journey keeps it."""
    return f"by hand: {reason}"


def barrier(
    scenario: Scenario,
    status: FriendStatus,
    last: Journey | None,
    *,
    again: bool,
    now: datetime,
) -> Barred | None:
    """What keeps a friend with that last journey out, if anything; `again` passes over `reentry`.

    A journey that is being stopped keeps nobody out: they enter once it has ended.
    """
    name, zone = scenario.scenario, scenario.timezone
    if status != "following":
        return Barred(
            "blocked",
            "the friend has blocked the channel, and LINE would deliver nothing; "
            "they can enter once they have unblocked it",
        )
    is_ending = last is not None and last.ended_at is None and last.stopping is not None
    if last and last.ended_at is None and not is_ending:
        return Barred(
            "in_it",
            f"the friend is in {name!r} since {_local(last.ref.started_at, zone)} (version "
            f"{last.ref.version}; {last.why}), and nobody is in a scenario twice at a time; "
            f"take them out first",
        )
    if not scenario.is_open(now):
        return Barred("not_open", _not_open(scenario))
    if last is None or again or _may_enter(scenario.reentry, last, now):
        return None
    began = _local(last.ref.started_at, zone)
    how = "is being stopped" if is_ending else last.outcome or "over"
    if isinstance(scenario.reentry, AfterDays):
        days = scenario.reentry.after_days
        may_from = _local(last.ref.started_at + timedelta(days=days), zone)
        return Barred(
            "too_soon",
            f"the friend was in {name!r} from {began} on ({how}), and may enter again from "
            f"{may_from} on (reentry: after_days: {days}); pass `again` to have them enter now",
        )
    return Barred(
        "entered_before",
        f"the friend was in {name!r} from {began} on ({how}), and its reentry is never; "
        "pass `again` to have them enter once more",
    )


def _may_enter(reentry: Reentry, last: Journey, now: datetime) -> bool:
    entry = LastEntry(
        entry=last.ref.entry, started_at=last.ref.started_at, ended_at=last.ended_at or now
    )
    return may_enter(reentry, entry, now)


async def enter(
    connection: Connection,
    channel: str,
    scenario: str,
    friend: str,
    *,
    reason: str,
    again: bool,
    now: datetime,
) -> EnteredByHand:
    """Have a friend enter the live version. Raises `NotFound` and `Barred`.

    To be called in a transaction. Asked for again, it does nothing more.
    """
    version = await versions.live_of(connection, channel, scenario)
    if version is None:
        # Raises where there never was one.
        await versions.versions_of(connection, channel, scenario)
        raise _retired(scenario)
    await friends.lock(connection, channel, friend)
    known = await friends.get(connection, channel, friend)
    last, why = await _last(connection, channel, scenario, friend), in_words(reason)
    if last is not None and _is_same(last, why, now):
        version = await versions.get(connection, channel, scenario, last.ref.version)
        return EnteredByHand(version=version, journey=last, is_new=False)
    if barred := barrier(version.scenario, known.status, last, again=again, now=now):
        raise barred
    entered = await journeys.enter(connection, version, friend, why=why, now=now, by_hand=True)
    waits = last is not None and last.ended_at is None
    if entered is None and not waits:
        raise _retired(scenario)
    journey = None if entered is None else await journeys.get(connection, entered)
    return EnteredByHand(version=version, journey=journey, is_new=True)


async def take_out(
    connection: Connection, channel: str, scenario: str, friend: str, *, reason: str
) -> TakenOutByHand:
    """Stop a friend's journey through a scenario, and let none follow that is due.

    Raises `NotFound`, also where they were never in it. To be called in a transaction. Asked for
    again, it does nothing more.
    """
    await friends.lock(connection, channel, friend)
    await friends.get(connection, channel, friend)
    where = {"channel": channel, "scenario": scenario, "friend": friend}
    called_off = bool(await _sql.call_off(connection, **where))
    stopped = await journeys.stop_one(connection, **where, because=in_words(reason))
    last = await _last(connection, **where)
    if last is None:
        # Raises where there is no such scenario.
        await versions.versions_of(connection, channel, scenario)
        raise NotFound(f"{friend!r} was never in scenario {scenario!r} of channel {channel!r}")
    return TakenOutByHand(stopped=stopped, called_off=called_off, last=last)


def _is_same(last: Journey, why: str, now: datetime) -> bool:
    """Whether that journey is what was asked for with the same words a moment ago."""
    if last.why != why or last.stopping is not None:
        return False
    return last.ended_at is None or now - last.ref.started_at < SAME_REQUEST


async def _last(connection: Connection, channel: str, scenario: str, friend: str) -> Journey | None:
    row = await _sql.last(connection, channel=channel, scenario=scenario, friend=friend)
    return Journey.from_row(row) if row else None


def _retired(scenario: str) -> Barred:
    return Barred(
        "retired",
        f"scenario {scenario!r} was retired, and nobody enters it; publish it again",
    )


def _not_open(scenario: Scenario) -> str:
    assert scenario.period is not None
    bounds = {"from": scenario.period.from_, "until": scenario.period.until}
    when = " ".join(f"{name} {at:%Y-%m-%d %H:%M}" for name, at in bounds.items() if at)
    return (
        f"journeys through {scenario.scenario!r} start {when} ({scenario.timezone}) and not now; "
        "publish it with another period"
    )


def _local(moment: datetime, timezone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M %Z}"
