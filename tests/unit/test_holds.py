"""When what is held looks again, and when a month's messages come anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tobiishi.channels.holds import Hold, month_turns

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "turns"),
    [
        ("2026-11-23T00:00:00+00:00", "2026-11-30T15:00:00+00:00"),
        ("2026-11-30T14:59:59+00:00", "2026-11-30T15:00:00+00:00"),
        ("2026-11-30T15:00:00+00:00", "2026-12-31T15:00:00+00:00"),
        ("2026-12-31T16:00:00+00:00", "2027-01-31T15:00:00+00:00"),
    ],
)
def test_months_turn_in_japan(now: str, turns: str) -> None:
    assert month_turns(datetime.fromisoformat(now)) == datetime.fromisoformat(turns)


@pytest.mark.parametrize(
    ("lasted", "longest"),
    [
        (timedelta(0), timedelta(seconds=10)),
        (timedelta(seconds=-3), timedelta(seconds=10)),  # By another machine's clock.
        (timedelta(seconds=40), timedelta(seconds=40)),
        (timedelta(minutes=6), timedelta(minutes=6)),
        (timedelta(days=30), timedelta(minutes=6)),
    ],
)
def test_who_is_held_looks_again_within_as_long_as_the_hold_has_lasted(
    lasted: timedelta, longest: timedelta
) -> None:
    since = NOW - lasted
    hold = Hold(
        channel="default",
        scope="channel",
        name="",
        kind="paused",
        reason="stocktaking",
        since=since,
        until=None,
    )
    looks = {hold.look_again(NOW) for _ in range(100)}
    assert longest / 2 <= min(looks) < max(looks) <= longest
