"""When a rehearsal starts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tobiishi.errors import Invalid
from tobiishi.rehearsal.play import start_in_words, start_of


@pytest.mark.parametrize(
    ("text", "timezone", "moment", "words"),
    [
        ("2026-12-01T09:30", "Asia/Tokyo", "2026-12-01T00:30Z", "2026-12-01T09:30"),
        ("2026-12-01 09:30:59", "Asia/Tokyo", "2026-12-01T00:30Z", "2026-12-01T09:30"),
        ("2026-12-01T09:30Z", "Asia/Tokyo", "2026-12-01T09:30Z", "2026-12-01T18:30"),
        ("2026-12-01", "Asia/Tokyo", "2026-11-30T15:00Z", "2026-12-01T00:00"),
        # It comes twice.
        ("2026-11-01T01:30", "America/New_York", "2026-11-01T05:30Z", "2026-11-01T01:30"),
        (
            "2026-11-01T01:30-05:00",
            "America/New_York",
            "2026-11-01T06:30Z",
            "2026-11-01T01:30-05:00",
        ),
    ],
)
def test_a_start_is_local_and_read_again_as_it_is_written(
    text: str, timezone: str, moment: str, words: str
) -> None:
    start = start_of(text, timezone)
    assert start == datetime.fromisoformat(moment)
    assert start_in_words(start, timezone) == words
    assert start_of(words, timezone) == start


def test_no_start_is_now_to_the_minute() -> None:
    start = start_of(None, "Asia/Tokyo")
    assert (start.second, start.microsecond) == (0, 0)
    assert abs((datetime.now(UTC) - start).total_seconds()) < 120


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "0001-01-01", "9999-12-31"])
def test_what_is_not_a_start_is_refused_with_its_fix(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        start_of(text, "Asia/Tokyo")
    assert str(refused.value).startswith("at: ")
    assert "write it as 2026-12-01T09:30" in str(refused.value) or "correct the year" in str(
        refused.value
    )
