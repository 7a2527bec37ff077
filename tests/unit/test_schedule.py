"""The schedule's pure parts: whole numbers that add up, and what is drawn from the quota."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tobiishi.channels.quotas import Quota
from tobiishi.journeys.schedule import Line, months_of, rounded, rounded_in_turn

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
#: LINE's month turns at midnight in Japan.
TURN = datetime(2026, 11, 30, 15, tzinfo=UTC)

# The same examples every time: what fails here fails for whoever looks into it, too.
quickly = settings(max_examples=70, deadline=None, database=None, derandomize=True)

amounts = st.lists(st.floats(0, 5000), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ([], []),
        ([2.5, 2.5], [3, 2]),
        ([0.2, 0.3, 0.5], [0, 0, 1]),
        ([1 / 3, 1 / 3, 1 / 3], [1, 0, 0]),
        ([4.0, 0.4], [4, 0]),
        ([0.1] * 10, [1] + [0] * 9),
    ],
)
def test_whole_numbers(given_: list[float], expected: list[int]) -> None:
    assert rounded(given_) == expected


@quickly
@given(amounts)
def test_whole_numbers_add_up_and_none_is_off_by_one(given_: list[float]) -> None:
    whole = rounded(given_)
    assert sum(whole) == round(sum(given_))
    assert all(abs(one - amount) < 1 + 1e-6 for one, amount in zip(whole, given_, strict=True))


@pytest.mark.parametrize(
    ("given_", "total", "expected"),
    [
        ([0.5, 0.5, 0.5, 0.5], 2, [0, 1, 1, 0]),
        ([0.1] * 7, 1, [0, 0, 0, 1, 0, 0, 0]),
        ([10.0, 20.4], 31, [10, 21]),
        ([0.2], 0, [0]),
    ],
)
def test_whole_numbers_in_turn(given_: list[float], total: int, expected: list[int]) -> None:
    assert rounded_in_turn(given_, total) == expected


@quickly
@given(st.lists(st.floats(0.001, 5000), min_size=1, max_size=40))
def test_whole_numbers_in_turn_add_up(given_: list[float]) -> None:
    total = round(sum(given_))
    whole = rounded_in_turn(given_, total)
    assert sum(whole) == total
    assert min(whole) >= 0


def line(hour: datetime, confirmed: int, expected: int = 0) -> Line:
    return Line(
        hour=hour,
        scenario="s",
        title="t",
        message="m",
        confirmed=confirmed,
        expected=expected,
        held=0,
    )


LINES = [
    line(NOW, 10),
    line(NOW + HOUR, 20, 5),
    line(TURN - HOUR, 7),
    line(TURN, 0, 90),
    line(TURN + HOUR, 30, 90),
]


def quota(monthly: int | None, used: int) -> Quota:
    return Quota(channel="default", monthly=monthly, used=used, told_at=NOW)


def test_each_of_lines_months_gives_its_own_messages() -> None:
    this, next_ = months_of(LINES, quota(200, 165), now=NOW, until=TURN + 2 * HOUR)
    assert (this.used, this.left, this.confirmed, this.expected) == (165, 35, 37, 5)
    assert (next_.used, next_.left, next_.confirmed, next_.expected) == (0, 200, 30, 180)
    assert f"{this.begins:%Y-%m %z}" == "2026-11 +0900"
    assert next_.begins == TURN
    assert this.runs_out == TURN - HOUR
    assert next_.runs_out == TURN + HOUR


def test_what_is_enough_does_not_run_out() -> None:
    """Not either where the last message is the last that is left."""
    (this,) = months_of(LINES[:3], quota(200, 158), now=NOW, until=TURN)
    assert this.left == this.confirmed + this.expected == 42
    assert this.runs_out is None


def test_without_a_limit_nothing_runs_out() -> None:
    (this,) = months_of(LINES[:3], quota(None, 900), now=NOW, until=TURN)
    assert (this.left, this.runs_out, this.confirmed) == (None, None, 37)


def test_months_go_on_as_long_as_the_schedule_does() -> None:
    months = months_of([], quota(1, 0), now=NOW, until=NOW + timedelta(days=60))
    assert [f"{month.begins:%m}" for month in months] == ["11", "12", "01"]
