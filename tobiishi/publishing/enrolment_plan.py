"""How an enrolment goes on: the values that workflow and activity exchange, and pure decisions.

All numbers of friends; all moments aware and absolute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from tobiishi.scenario import Scenario

#: `cancelled` and `done` are for good.
EnrolmentStatus = Literal["running", "paused", "cancelled", "done"]

#: How many a second, by default and at most.
DEFAULT_PER_SECOND, MAX_PER_SECOND = 100, 1000
#: How many members are looked at for one page.
MEMBERS_PER_PAGE = 2000
#: How many starts may wait for Temporal: a friend who is added now waits for no more than these.
MAX_WAITING_STARTS = 300
#: The time between pages, and how many friends a page should be worth.
MIN_REST, MAX_REST, FRIENDS_PER_PAGE = timedelta(seconds=1), timedelta(seconds=10), 100
#: The period of the recent rate.
RATE_PERIOD = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class EnrolmentRef:
    """Which enrolment it is: enough to find everything else about it."""

    #: Its number in the `enrolments` table.
    enrolment_id: int
    channel: str
    scenario: str
    #: The version that is entered.
    version: int

    @property
    def workflow_id(self) -> str:
        return f"enrolment/{self.channel}/{self.scenario}/{self.enrolment_id}"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far an enrolment has come, as an activity answers it."""

    status: EnrolmentStatus
    #: How far, for people: `12,300 / 100,000 entered, about 14 minutes left`.
    said: str
    #: When the next page is due; None where it waits for an operator.
    next_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.status in ("cancelled", "done")


def rest(per_second: int) -> timedelta:
    """The time from one page to the next."""
    return min(max(timedelta(seconds=FRIENDS_PER_PAGE / per_second), MIN_REST), MAX_REST)


def page_size(per_second: int, *, since_last: timedelta | None, waiting: int) -> int:
    """How many may enter now, so long after the last page (None: this is the first).

    A late timer or two are made up for, more are not: where Temporal is behind with its
    tasks, pages come late because of it, and that is how an enrolment makes way for others.
    """
    most = 2 * rest(per_second)
    worth = most if since_last is None else min(since_last, most)
    allowance = int(per_second * worth.total_seconds())
    return max(0, min(allowance, MAX_WAITING_STARTS - waiting))


def recent_rate(former: float | None, looked: int, since_last: timedelta | None) -> float | None:
    """How many a second were looked at recently, from the former rate and the last page."""
    if not since_last:
        return former
    now = looked / since_last.total_seconds()
    weight = min(1.0, since_last / RATE_PERIOD)
    return now if former is None else former + weight * (now - former)


def opens_at(scenario: Scenario, now: datetime) -> datetime | None:
    """When journeys may start: now, later, or never again."""
    if scenario.is_open(now):
        return now
    assert scenario.period is not None  # Or it would be open.
    if scenario.period.from_ is not None:
        local = scenario.period.from_.replace(tzinfo=ZoneInfo(scenario.timezone))
        for fold in (0, 1):  # A clock that is set back shows it twice.
            opening = local.replace(fold=fold).astimezone(UTC)
            if opening > now:
                return opening
    return None


def in_words(
    *, entered: int, seen: int, total: int, rate: float, status: EnrolmentStatus, note: str
) -> str:
    """How far it has come, for people; `rate` in friends a second that are looked at."""
    parts = [f"{entered:,} / {max(total, seen):,} entered"]
    if seen > entered:
        parts.append(f"{seen - entered:,} passed over")
    if status != "running":
        parts.append(status)
    elif not note and rate > 0 and total > seen:
        parts.append(f"{time_in_words((total - seen) / rate)} left")
    if note:
        parts.append(note)
    return ", ".join(parts)


def time_in_words(seconds: float) -> str:
    """`about 14 minutes`."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= 0.95 * length * (2 if unit != "minute" else 1):
            count = round(seconds / length)
            return f"about {count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
