"""What a scenario would take of the month's messages, and how long a moment lasts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tobiishi.publishing.forecast import Forecast, moment_of, most_messages
from tobiishi.scenario import Scenario

SEND_NUMBER = iter(range(1000))


def send() -> dict[str, Any]:
    name = f"s{next(SEND_NUMBER)}"
    return {"send": {"name": name, "messages": [{"type": "text", "text": "x"}]}}


def case(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"when": {"audience": "vip"}, "steps": list(steps)}


def wait_for(in_time: list[Any], too_late: list[Any]) -> dict[str, Any]:
    waits = {"audience": "vip", "up_to": {"days": 1}, "in_time": in_time, "too_late": too_late}
    return {"wait_for": waits}


@pytest.mark.parametrize(
    ("steps", "most"),
    [
        ([{"tag": {"add": "x"}}], 0),
        ([send(), {"wait": {"days": 1}}, send()], 2),
        ([{"branch": [case(send(), send()), {"otherwise": None, "steps": [send()]}]}, send()], 3),
        ([wait_for([send()], [send(), send(), send()])], 3),
        ([{"branch": [case(wait_for([send(), send()], []))]}, send()], 3),
    ],
)
def test_the_longest_way_is_counted(steps: list[dict[str, Any]], most: int) -> None:
    written = {"scenario": "s", "title": "t", "start": "friend_added", "steps": steps}
    assert most_messages(Scenario.model_validate(written).steps) == most


@pytest.mark.parametrize(
    ("friends", "per_second", "spread", "seconds"),
    [(0, 1000, 0, 0), (100_000, 1000, 0, 100), (100_000, 1000, 1800, 1800), (90, 10, 5, 9)],
)
def test_a_moment_lasts_as_long_as_its_pace_or_its_spread(
    friends: int, per_second: float, spread: int, seconds: int
) -> None:
    took = moment_of(friends, per_second, timedelta(seconds=spread))
    assert took == timedelta(seconds=seconds)


def forecast(**more: Any) -> Forecast:
    usual = {"friends": 5000, "entering": 0, "coming": 0, "under_way": 0, "left": None}
    return Forecast(**{**usual, "per_second": 1000, "moment": timedelta(minutes=2), **more})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, None),
        ({"coming": 10**9}, None),
        ({"left": 1}, None),
        ({"left": 0}, "this month's messages are used up"),
        ({"left": 100, "coming": 100}, None),
        ({"left": 100, "coming": 101}, "100 of this month's messages are left"),
        ({"left": 100, "coming": 60, "under_way": 50}, "up to 60 at once, beside up to 50 of"),
        ({"left": 100, "under_way": 1000}, "beside up to 1,000 of those under way"),
    ],
)
def test_what_is_more_than_is_left_is_warned_of(more: dict[str, int], said: str | None) -> None:
    warning = forecast(**more).warning()
    assert (warning is None) if said is None else (said in str(warning))


def test_it_is_told_in_words() -> None:
    assert forecast().in_words() == (
        "5,000 friends who wait for the same moment are sent to within about 2 minutes "
        "(up to 1,000 a second)"
    )
    assert forecast(friends=0, one_by_one=True).in_words() == (
        "each friend enters at the moment they add the channel; up to 1,000 are sent to in a second"
    )
    assert forecast(entering=5000).in_words().startswith("5,000 friends enter within a minute; ")
