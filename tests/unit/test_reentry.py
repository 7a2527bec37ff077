"""Who may enter a scenario again, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tobiishi.journeys.journeys import LastEntry, may_enter
from tobiishi.scenario import AfterDays, Reentry

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
WEEK = AfterDays(after_days=7)
SECOND = timedelta(seconds=1)


def last(began: timedelta, ended: timedelta | None) -> LastEntry:
    """An entry that began, and ended, so long ago."""
    return LastEntry(
        entry=1, started_at=NOW - began, ended_at=None if ended is None else NOW - ended
    )


@pytest.mark.parametrize(
    ("reentry", "entry", "may"),
    [
        # Nobody was in it before.
        ("never", None, True),
        ("after_finishing", None, True),
        (WEEK, None, True),
        # It goes on.
        ("never", last(timedelta(days=1), None), False),
        ("after_finishing", last(timedelta(days=1), None), False),
        (WEEK, last(timedelta(days=1), None), False),
        (WEEK, last(timedelta(days=100), None), False),
        # It is over.
        ("never", last(timedelta(days=1000), timedelta(days=999)), False),
        ("after_finishing", last(timedelta(days=1), timedelta(0)), True),
        ("after_finishing", last(timedelta(0), timedelta(0)), True),
        # The days count from its beginning, not from its end.
        (WEEK, last(timedelta(days=7) - SECOND, timedelta(days=6)), False),
        (WEEK, last(timedelta(days=7), timedelta(days=6)), True),
        (WEEK, last(timedelta(days=7), timedelta(0)), True),
        (WEEK, last(timedelta(days=30), timedelta(days=29)), True),
        # An event that was kept before that entry began, and is handled after.
        (WEEK, last(-SECOND, timedelta(0)), False),
        ("after_finishing", last(-SECOND, timedelta(0)), True),
    ],
)
def test_who_may_enter(reentry: Reentry, entry: LastEntry | None, may: bool) -> None:
    assert may_enter(reentry, entry, NOW) is may
