"""What is written as an event of a rehearsal, and when that is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.scenarios import scenario_of
from tobiishi.errors import Invalid
from tobiishi.rehearsal.happenings import Happening, definitions_of, read_happening

SCENARIO = scenario_of(
    """
scenario: welcome
title: welcome
start: friend_added
audiences:
  clicked: {kind: click, message: hello}
  bought: {kind: web, event: purchase}
  gold: {kind: tag, tag: ゴールド}
  both: {kind: combined, when: {all: [{audience: clicked}, {audience: gold}]}}
exit: [{joins: bought}, {joins: both}]
steps:
  - send: {name: hello, messages: [{type: text, text: https://shop.example/}]}
"""
)
DEFINITIONS = definitions_of(SCENARIO)


def happening(text: str) -> Happening:
    return read_happening(text, SCENARIO, DEFINITIONS)


@pytest.mark.parametrize(
    ("text", "words", "due"),
    [
        ("+2d joins bought", "joins bought", "2026-12-03 09:30"),
        ("+0d leaves bought", "leaves bought", "2026-12-01 09:30"),
        ("+3h blocks", "blocks", "2026-12-01 12:30"),
        ("+90m tags ゴールド", "tags ゴールド", "2026-12-01 11:00"),
        ("+1d12h30m unblocks", "unblocks", "2026-12-02 22:00"),
        ("+2d 10:00 clicks hello", "clicks hello", "2026-12-03 10:00"),
        ("+2d 9:05 presses hello yes please", "presses hello yes please", "2026-12-03 09:05"),
        ("  +2d   does purchase https://shop.example/x ", None, "2026-12-03 09:30"),
        # That time of the first day is over: at once.
        ("+0d 08:00 blocks", "blocks", "2026-12-01 09:30"),
    ],
)
def test_an_event_says_when_and_what(text: str, words: str | None, due: str) -> None:
    found = happening(text)
    assert words is None or found.in_words() == words
    at = found.moment(datetime(2026, 12, 1, 0, 30, tzinfo=UTC), "Asia/Tokyo")
    assert at == datetime.fromisoformat(f"{due}+09:00")


def test_days_are_calendar_days_where_the_clocks_change() -> None:
    start = datetime.fromisoformat("2026-10-31T09:30-04:00")
    at = happening("+1d blocks").moment(start, "America/New_York")
    assert at == datetime.fromisoformat("2026-11-01T09:30-05:00")
    at = happening("+24h blocks").moment(start, "America/New_York")
    assert at == datetime.fromisoformat("2026-11-01T08:30-05:00")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("joins bought", "does not begin with when it happens; write it as +2d"),
        ("2d joins bought", "does not begin with when"),
        ("+2 joins bought", "does not begin with when"),
        ("+2d", "does not begin with when"),
        ("+2d 25:00 blocks", "is not a time of day"),
        ("+2h 10:00 blocks", "a time of day goes with days alone"),
        ("+99999d blocks", "over a hundred years"),
        ("+2d join bought", "did you mean 'joins'? "),
        ("+2d dances", "write one of: joins AUDIENCE, leaves AUDIENCE"),
        ("+2d joins", "says too little; write it as `joins AUDIENCE`"),
        ("+2d blocks me", "says too much; write it as `blocks`"),
        ("+2d joins bougth", "did you mean 'bought'? there are: both, bought, clicked, gold"),
        ("+2d joins bought now", "'now' is too much"),
        ("+2d joins both", "is combined, and is joined and left with what it asks about"),
        ("+2d clicks helo", "did you mean 'hello'?"),
        ("+2d presses hello", "the button's data is missing"),
        ("+2d does add_to_cart", "is not an event that an audience of this scenario is of"),
        ("+2d does Purchase!", "is not an event of a site"),
        (f"+2d tags {'x' * 65}", "shorten it to 64"),
    ],
)
def test_what_is_wrong_with_an_event_is_named_with_its_fix(text: str, problem: str) -> None:
    with pytest.raises(Invalid) as refused:
        happening(text)
    assert problem in str(refused.value)
