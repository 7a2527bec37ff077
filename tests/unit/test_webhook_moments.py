"""A webhook event is not later than it came, whatever its stamp says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tobiishi import webhooks

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)


def times(*stamps: datetime) -> list[datetime]:
    events = [{"type": "follow", "timestamp": round(stamp.timestamp() * 1000)} for stamp in stamps]
    body = json.dumps({"events": events}).encode()
    return [kept.occurred_at for kept in webhooks.read("default", body, received_at=NOW)]


@pytest.mark.parametrize(
    "stamp",
    [NOW + timedelta(milliseconds=1), NOW + timedelta(hours=1), datetime(2999, 1, 1, tzinfo=UTC)],
)
def test_a_moment_to_come_is_that_of_its_coming(stamp: datetime) -> None:
    assert times(stamp) == [NOW]


def test_a_moment_that_was_is_believed() -> None:
    stamps = [NOW, NOW - timedelta(milliseconds=1), datetime(1999, 1, 1, tzinfo=UTC)]
    assert times(*stamps) == stamps


def test_what_comes_together_keeps_its_order() -> None:
    first, second, third = times(
        NOW + timedelta(seconds=3), NOW + timedelta(seconds=1), NOW + timedelta(seconds=2)
    )
    assert second < third < first <= NOW
    assert NOW - second < timedelta(milliseconds=1)
