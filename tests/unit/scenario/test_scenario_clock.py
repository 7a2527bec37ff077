"""When a wait is over and when messages may be sent, by local calendars and clocks."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tobiishi.scenario.clock import (
    closing_after,
    due_after,
    is_within,
    next_opening,
    opening_after,
)
from tobiishi.scenario.model import Wait, Window

TOKYO = "Asia/Tokyo"
NEW_YORK = "America/New_York"


def local(said: str, timezone: str = TOKYO, *, fold: int = 0) -> datetime:
    shown = datetime.fromisoformat(said).replace(tzinfo=ZoneInfo(timezone), fold=fold)
    return shown.astimezone(UTC)


def due(
    wait: dict[str, Any], now: datetime, timezone: str = TOKYO, started: datetime | None = None
) -> datetime:
    return due_after(
        Wait.model_validate(wait), now=now, started_at=started or now, timezone=timezone
    )


@pytest.mark.parametrize(
    ("wait", "expected"),
    [
        ({"minutes": 90}, "2026-11-20 22:00"),
        ({"hours": 30}, "2026-11-22 02:30"),
        ({"days": 3}, "2026-11-23 20:30"),
        ({"days": 1, "hours": 2, "minutes": 5}, "2026-11-21 22:35"),
        ({"days": 3, "at": "10:00"}, "2026-11-23 10:00"),
        ({"days": 0, "at": "21:00"}, "2026-11-20 21:00"),
        ({"days": 0, "at": "20:30"}, "2026-11-20 20:30"),
        ({"days": 0, "at": "20:29"}, "2026-11-21 20:29"),
        ({"days_after_start": 30, "at": "9:05"}, "2026-12-20 09:05"),
        ({"days_after_start": 0, "at": "10:00"}, "2026-11-20 20:30"),
        ({"until": "2026-12-24 18:00"}, "2026-12-24 18:00"),
        ({"until": "2026-12-24"}, "2026-12-24 00:00"),
        ({"until": "2026-11-20 20:29"}, "2026-11-20 20:30"),
        ({"until": "2001-01-01"}, "2026-11-20 20:30"),
    ],
)
def test_a_wait_in_tokyo_is_over(wait: dict[str, Any], expected: str) -> None:
    assert due(wait, local("2026-11-20 20:30")) == local(expected)


def test_days_after_start_count_from_the_start_and_not_from_now() -> None:
    wait = {"days_after_start": 10, "at": "10:00"}
    started = local("2026-11-01 23:59")
    assert due(wait, local("2026-11-05 12:00"), started=started) == local("2026-11-11 10:00")


def test_days_after_a_start_that_is_longer_ago_is_now() -> None:
    wait = {"days_after_start": 3, "at": "10:00"}
    now = local("2026-11-05 12:00")
    assert due(wait, now, started=local("2026-11-01 09:00")) == now


def test_the_day_is_that_of_the_scenarios_time_zone() -> None:
    # In Tokyo it is the 21st already.
    now = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    assert due({"days": 1, "at": "10:00"}, now) == local("2026-11-22 10:00")


@pytest.mark.parametrize(
    ("wait", "now", "expected"),
    [
        # The clock jumps from 02:00 to 03:00.
        ({"days": 1}, "2026-03-07 02:30", "2026-03-08 03:30"),
        ({"days": 1, "at": "02:30"}, "2026-03-07 12:00", "2026-03-08 03:30"),
        ({"until": "2026-03-08 02:30"}, "2026-03-07 12:00", "2026-03-08 03:30"),
        ({"days": 1}, "2026-03-07 12:00", "2026-03-08 12:00"),
        ({"hours": 24}, "2026-03-07 12:00", "2026-03-08 13:00"),
        # The hour from 01:00 to 02:00 comes twice.
        ({"days": 1}, "2026-10-31 01:30", "2026-11-01 01:30"),
        ({"days": 1, "at": "01:30"}, "2026-10-31 12:00", "2026-11-01 01:30"),
        ({"until": "2026-11-01 01:30"}, "2026-10-31 12:00", "2026-11-01 01:30"),
        ({"days": 1}, "2026-10-31 12:00", "2026-11-01 12:00"),
        ({"hours": 24}, "2026-10-31 12:00", "2026-11-01 11:00"),
    ],
)
def test_a_wait_across_a_clock_change_in_new_york_is_over(
    wait: dict[str, Any], now: str, expected: str
) -> None:
    found = due(wait, local(now, NEW_YORK), NEW_YORK)
    assert f"{found.astimezone(ZoneInfo(NEW_YORK)):%Y-%m-%d %H:%M}" == expected
    assert found == local(expected, NEW_YORK)


def test_hours_are_absolute_in_whatever_time_zone_now_is_given() -> None:
    now = datetime(2026, 3, 7, 12, 0, tzinfo=ZoneInfo(NEW_YORK))
    assert due({"hours": 24}, now, NEW_YORK) == local("2026-03-08 13:00", NEW_YORK)


def test_the_hour_that_comes_twice_means_the_first() -> None:
    found = due({"days": 1, "at": "01:30"}, local("2026-10-31 12:00", NEW_YORK), NEW_YORK)
    assert found == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_in_the_second_of_the_two_hours_a_time_of_the_first_is_past() -> None:
    now = local("2026-11-01 01:40", NEW_YORK, fold=1)
    found = due({"days": 0, "at": "01:50"}, now, NEW_YORK)
    assert found == local("2026-11-02 01:50", NEW_YORK)


@pytest.mark.parametrize("timezone", [TOKYO, NEW_YORK, "Australia/Lord_Howe", "Pacific/Apia"])
def test_a_wait_never_ends_before_it_begins(timezone: str) -> None:
    chance = random.Random(timezone)
    for _ in range(500):
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(2_000_000))
        started = now - timedelta(minutes=chance.randrange(100_000))
        at = f"{chance.randrange(24):02}:{chance.randrange(60):02}"
        wait: dict[str, Any] = chance.choice(
            [
                {"minutes": chance.randrange(1, 5000)},
                {"days": chance.randrange(1, 400)},
                {"days": chance.randrange(400), "at": at},
                {"days_after_start": chance.randrange(400), "at": at},
                {"until": f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02} {at}"},
            ]
        )
        found = due(wait, now, timezone, started)
        assert found >= now, (wait, now)
        assert found.tzinfo is UTC


DAY = {"from": "09:00", "to": "21:00"}
NIGHT = {"from": "21:00", "to": "02:00"}


@pytest.mark.parametrize(
    ("window", "now", "opening"),
    [
        (DAY, "2026-11-20 12:00", None),
        (DAY, "2026-11-20 09:00", None),
        (DAY, "2026-11-20 20:59:59", None),
        (DAY, "2026-11-20 08:59:59", "2026-11-20 09:00"),
        (DAY, "2026-11-20 21:00", "2026-11-21 09:00"),
        (DAY, "2026-11-20 23:30", "2026-11-21 09:00"),
        (DAY, "2026-11-20 00:00", "2026-11-20 09:00"),
        (NIGHT, "2026-11-20 23:00", None),
        (NIGHT, "2026-11-20 01:59", None),
        (NIGHT, "2026-11-20 21:00", None),
        (NIGHT, "2026-11-20 02:00", "2026-11-20 21:00"),
        (NIGHT, "2026-11-20 20:59", "2026-11-20 21:00"),
    ],
)
def test_a_window_is_open_or_opens_next(
    window: dict[str, str], now: str, opening: str | None
) -> None:
    parsed = Window.model_validate(window)
    assert is_within(parsed, local(now), TOKYO) is (opening is None)
    assert next_opening(parsed, local(now), TOKYO) == local(opening or now)


def test_without_a_window_it_is_always_open() -> None:
    assert is_within(None, local("2026-11-20 03:00"), TOKYO)
    assert next_opening(None, local("2026-11-20 03:00"), TOKYO) == local("2026-11-20 03:00")


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-03-07 22:00", "2026-03-08 09:00"),
        ("2026-03-08 01:59", "2026-03-08 09:00"),
        ("2026-10-31 22:00", "2026-11-01 09:00"),
        ("2026-11-01 01:30", "2026-11-01 09:00"),
    ],
)
def test_a_window_opens_by_the_local_clock_whatever_it_was_changed_to(
    now: str, opening: str
) -> None:
    window = Window.model_validate(DAY)
    assert next_opening(window, local(now, NEW_YORK), NEW_YORK) == local(opening, NEW_YORK)


def window(opens: str, closes: str) -> Window:
    return Window.model_validate({"from": opens, "to": closes})


@pytest.mark.parametrize(
    ("opens", "closes", "now", "opening"),
    [
        # The clock skips it: at 3:15 nobody may be written to.
        ("02:15", "02:45", "2026-03-08 01:00", "2026-03-09 02:15"),
        # The clock skips its beginning: it is open when the clock shows 3:00.
        ("02:30", "21:00", "2026-03-08 01:00", "2026-03-08 03:00"),
        # The clock skips its closing only.
        ("01:30", "02:30", "2026-03-08 03:00", "2026-03-09 01:30"),
        # All day but half an hour.
        ("02:30", "02:00", "2026-03-08 01:00", "2026-03-09 02:30"),
    ],
)
def test_a_window_in_an_hour_that_the_clock_skips(
    opens: str, closes: str, now: str, opening: str
) -> None:
    found = opening_after(window(opens, closes), local(now, NEW_YORK), NEW_YORK)
    assert found == local(opening, NEW_YORK)
    assert is_within(window(opens, closes), found, NEW_YORK)


def test_a_window_in_a_repeated_hour_opens_and_closes_twice() -> None:
    # At 2:00 the clock is set back to 1:00.
    half_past, two = window("01:30", "02:00"), local("2026-11-01 01:00", NEW_YORK, fold=1)
    first = local("2026-11-01 01:30", NEW_YORK)
    second = local("2026-11-01 01:30", NEW_YORK, fold=1)
    assert next_opening(half_past, local("2026-11-01 00:30", NEW_YORK), NEW_YORK) == first
    assert closing_after(half_past, first, NEW_YORK) == two
    assert next_opening(half_past, two, NEW_YORK) == second
    assert closing_after(half_past, second, NEW_YORK) == local("2026-11-01 02:00", NEW_YORK)
    assert opening_after(half_past, second, NEW_YORK) == local("2026-11-02 01:30", NEW_YORK)


def test_a_day_that_begins_twice_has_openings_after_it() -> None:
    # At 0:01 of the 7th the clock is set back to 23:01 of the 6th.
    zone, midnight = "America/St_Johns", window("00:00", "00:01")
    second_half_past_11 = local("2010-11-06 23:30", zone, fold=1)
    again = local("2010-11-07 00:00", zone, fold=1)
    assert opening_after(midnight, second_half_past_11, zone) == again
    assert opening_after(midnight, again, zone) == local("2010-11-08 00:00", zone)
    for days in (0, 1):
        wait = {"days": days, "at": "00:00"}
        assert due(wait, second_half_past_11, zone) == again


def test_an_island_that_skips_a_day_has_its_openings_on_the_next() -> None:
    zone = "Pacific/Apia"
    late = local("2011-12-29 22:00", zone)
    assert opening_after(window("09:00", "21:00"), late, zone) == local("2011-12-31 09:00", zone)
    assert closing_after(window("09:00", "21:00"), late, zone) == local("2011-12-31 21:00", zone)


@pytest.mark.parametrize("timezone", [TOKYO, NEW_YORK, "Australia/Lord_Howe"])
def test_a_window_opens_within_a_day_or_so_and_never_before_now(timezone: str) -> None:
    chance = random.Random(timezone)
    for _ in range(1000):
        opens, closes = chance.sample(range(24), 2)
        window = Window.model_validate({"from": f"{opens:02}:00", "to": f"{closes:02}:30"})
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(600_000))
        found = next_opening(window, now, timezone)
        assert now <= found <= now + timedelta(hours=50)  # The clock may skip it on one day.
        assert is_within(window, found, timezone)
