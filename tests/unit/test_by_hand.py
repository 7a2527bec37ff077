"""What keeps a friend out of a scenario whom somebody has enter by hand, and the words for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.scenarios import scenario_of, yaml
from tobiishi.journeys.by_hand import barrier
from tobiishi.journeys.journeys import Journey, Stopping
from tobiishi.people.friends import FriendStatus
from tobiishi.plan import JourneyRef

#: 10:00 in Tokyo.
NOW = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ADDED = "start: friend_added"
#: Over a while ago; under way; being stopped.
OVER, IN_IT, ENDING = (3 * DAY, DAY), (3 * DAY, None), (3 * DAY, "ending")


def last(began: timedelta, ended: timedelta | str | None) -> Journey:
    """A journey that began, and ended, so long ago."""
    is_over = isinstance(ended, timedelta)
    stopping: Stopping | None = "exited" if ended == "ending" else None
    return Journey(
        ref=JourneyRef(
            journey_id=1,
            channel="default",
            scenario="welcome",
            version=2,
            friend="U",
            entry=1,
            started_at=NOW - began,
        ),
        why="the friend added the channel",
        stopping=stopping,
        stopping_because=None,
        ended_at=NOW - ended if isinstance(ended, timedelta) else None,
        outcome="completed" if is_over else None,
    )


@pytest.mark.parametrize(
    ("rules", "status", "former", "again", "code", "words"),
    [
        ("", "following", None, False, None, ""),
        # Who starts it otherwise has no say.
        ("", "following", None, True, None, ""),
        ("", "blocked", None, False, "blocked", "blocked the channel"),
        ("", "blocked", None, True, "blocked", "blocked the channel"),
        ("reentry: never", "following", OVER, False, "entered_before", "reentry is never"),
        (
            "reentry: never",
            "following",
            OVER,
            False,
            "entered_before",
            "was in 'welcome' from 2026-11-23 10:00 JST on (completed)",
        ),
        ("reentry: never", "following", OVER, False, "entered_before", "pass `again`"),
        ("reentry: never", "following", OVER, True, None, ""),
        ("reentry: after_finishing", "following", OVER, False, None, ""),
        ("reentry: {after_days: 3}", "following", OVER, False, None, ""),
        (
            "reentry: {after_days: 4}",
            "following",
            OVER,
            False,
            "too_soon",
            "again from 2026-11-27 10:00 JST on (reentry: after_days: 4); pass `again`",
        ),
        ("reentry: {after_days: 4}", "following", OVER, True, None, ""),
        # Once at a time, whatever is passed.
        (
            "reentry: after_finishing",
            "following",
            IN_IT,
            False,
            "in_it",
            "is in 'welcome' since 2026-11-23 10:00 JST (version 2; the friend added the channel)",
        ),
        ("", "following", IN_IT, True, "in_it", "take them out first"),
        # Whose journey is being stopped enters once it has ended.
        ("reentry: after_finishing", "following", ENDING, False, None, ""),
        ("reentry: never", "following", ENDING, False, "entered_before", "is being stopped"),
        ("reentry: never", "following", ENDING, True, None, ""),
        ("period: {until: '2026-11-26'}", "following", None, False, None, ""),
        (
            "period: {until: '2026-11-25'}",
            "following",
            None,
            True,
            "not_open",
            "start until 2026-11-25 23:59 (Asia/Tokyo)",
        ),
        (
            "period: {from: '2026-11-26 10:01', until: '2026-12-01'}",
            "following",
            None,
            False,
            "not_open",
            "start from 2026-11-26 10:01 until 2026-12-01 23:59 (Asia/Tokyo)",
        ),
    ],
)
def test_what_keeps_a_friend_out(
    rules: str,
    status: FriendStatus,
    former: tuple[timedelta, timedelta | str | None] | None,
    again: bool,
    code: str | None,
    words: str,
) -> None:
    scenario = scenario_of(yaml("welcome", f"{ADDED}\n{rules}"))
    barred = barrier(scenario, status, last(*former) if former else None, again=again, now=NOW)
    assert (barred and barred.code) == code
    assert words in str(barred or "")
