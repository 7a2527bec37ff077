"""How fast an enrolment goes, when it waits, and how it tells of itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.scenarios import scenario_of, yaml
from tobiishi.publishing.enrolment_plan import (
    MAX_WAITING_STARTS,
    EnrolmentStatus,
    in_words,
    opens_at,
    page_size,
    recent_rate,
    rest,
    time_in_words,
)

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("per_second", "seconds"), [(1, 10), (10, 10), (20, 5), (100, 1), (1000, 1)]
)
def test_pages_are_neither_tiny_nor_far_between(per_second: int, seconds: float) -> None:
    assert rest(per_second) == seconds * SECOND


@pytest.mark.parametrize(
    ("per_second", "since_last", "waiting", "size"),
    [
        (100, 1 * SECOND, 0, 100),
        (100, 1.4 * SECOND, 0, 140),  # A timer that was late is made up for,
        (100, 60 * SECOND, 0, 200),  # but not an hour in which nobody worked.
        (100, DAY, 0, 200),
        (100, None, 0, 200),
        (100, 0 * SECOND, 0, 0),
        (1, 10 * SECOND, 0, 10),
        (1, 0.5 * SECOND, 0, 0),
        (100, -1 * SECOND, 0, 0),  # Another machine's clock.
        # Others wait to be started: fewer, and then none.
        (100, 1 * SECOND, MAX_WAITING_STARTS - 100, 100),
        (100, 1 * SECOND, MAX_WAITING_STARTS - 30, 30),
        (100, 1 * SECOND, MAX_WAITING_STARTS, 0),
        (100, 1 * SECOND, 10 * MAX_WAITING_STARTS, 0),
        (1000, 1 * SECOND, 0, MAX_WAITING_STARTS),
    ],
)
def test_a_page_is_as_large_as_the_pace_and_the_backlog_allow(
    per_second: int, since_last: timedelta | None, waiting: int, size: int
) -> None:
    assert page_size(per_second, since_last=since_last, waiting=waiting) == size


@pytest.mark.parametrize(
    ("former", "looked", "since_last", "rate"),
    [
        (None, 200, None, None),
        (None, 100, 2 * SECOND, 50),
        (100, 0, 60 * SECOND, 0),
        (100, 400, 6 * SECOND, 96.7),
        (100, 50, None, 100),
        (100, 50, timedelta(0), 100),
    ],
)
def test_the_rate_follows_what_was_looked_at_recently(
    former: float | None, looked: int, since_last: timedelta | None, rate: float | None
) -> None:
    assert recent_rate(former, looked, since_last) == (rate and pytest.approx(rate, abs=0.1))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than a minute"),
        (55, "less than a minute"),
        (58, "about 1 minute"),
        (840, "about 14 minutes"),
        (3600, "about 60 minutes"),
        (7200, "about 2 hours"),
        (30 * 3600, "about 30 hours"),
        (2 * 86_400, "about 2 days"),
        (30 * 86_400, "about 30 days"),
    ],
)
def test_times_are_told_in_words(seconds: float, said: str) -> None:
    assert time_in_words(seconds) == said


@pytest.mark.parametrize(
    ("entered", "seen", "rate", "status", "note", "said"),
    [
        (0, 0, 100, "running", "", "0 / 100,000 entered, about 17 minutes left"),
        (12_300, 12_300, 104, "running", "", "12,300 / 100,000 entered, about 14 minutes left"),
        (
            12_300,
            12_340,
            104,
            "running",
            "",
            "12,300 / 100,000 entered, 40 passed over, about 14 minutes left",
        ),
        (5, 5, 0, "running", "", "5 / 100,000 entered"),
        (5, 5, 9, "running", "waits for x", "5 / 100,000 entered, waits for x"),
        (5, 5, 9, "paused", "", "5 / 100,000 entered, paused"),
        (5, 5, 9, "cancelled", "by request", "5 / 100,000 entered, cancelled, by request"),
        (100_000, 100_000, 9, "done", "", "100,000 / 100,000 entered, done"),
        # Others joined while it went on.
        (90_000, 100_003, 9, "done", "", "90,000 / 100,003 entered, 10,003 passed over, done"),
        (100_003, 100_003, 9, "running", "", "100,003 / 100,003 entered"),
    ],
)
def test_it_tells_how_far_it_has_come(
    entered: int, seen: int, rate: float, status: EnrolmentStatus, note: str, said: str
) -> None:
    told = in_words(entered=entered, seen=seen, total=100_000, rate=rate, status=status, note=note)
    assert told == said


NOON = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)  # In Japan.


@pytest.mark.parametrize(
    ("period", "opens"),
    [
        ("", NOON),
        ('period: {from: "2026-11-26 12:00"}', NOON),
        ('period: {until: "2026-11-26 12:00"}', NOON),
        ('period: {from: "2026-11-26 12:01"}', NOON + timedelta(minutes=1)),
        ('period: {from: "2026-12-24", until: "2026-12-25"}', NOON + 27.5 * DAY),
        ('period: {until: "2026-11-26 11:59"}', None),
        ('period: {from: "2026-11-01", until: "2026-11-25"}', None),
    ],
)
def test_it_waits_for_the_period_and_ends_with_it(period: str, opens: datetime | None) -> None:
    scenario = scenario_of(yaml(rules=f"start: {{audience: vip}}\n{period}"))
    assert opens_at(scenario, NOON) == opens


def test_the_period_that_is_waited_for_is_open_then() -> None:
    rules = 'start: {audience: vip}\ntimezone: America/New_York\nperiod: {from: "2027-03-14 02:30"}'
    scenario = scenario_of(yaml(rules=rules))  # A time that no clock shows there.
    opening = opens_at(scenario, NOON)
    assert opening is not None
    assert opening > NOON
    assert opens_at(scenario, opening) == opening


def test_a_period_that_begins_in_a_repeated_hour_is_waited_for_when_the_clock_is_set_back() -> None:
    rules = 'start: {audience: vip}\ntimezone: America/New_York\nperiod: {from: "2026-11-01 01:30"}'
    scenario = scenario_of(yaml(rules=rules))
    first, set_back = (
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 6, tzinfo=UTC),
    )
    assert opens_at(scenario, first - SECOND) == first
    assert opens_at(scenario, set_back) == set_back + timedelta(minutes=30)
