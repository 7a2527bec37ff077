"""Whose birthdays are followed when a day begins, or several have gone by."""

from __future__ import annotations

from datetime import date

import pytest

from tobiishi.relay.audience_changes import days_of_birthdays


@pytest.mark.parametrize(
    ("last", "today", "days"),
    [
        (date(2026, 11, 22), date(2026, 11, 23), ["11-23"]),
        (date(2026, 11, 20), date(2026, 11, 23), ["11-21", "11-22", "11-23"]),
        (date(2026, 12, 31), date(2027, 1, 1), ["01-01"]),
        (date(2026, 2, 27), date(2026, 2, 28), ["02-28"]),
        (date(2026, 2, 28), date(2026, 3, 1), ["02-29", "03-01"]),
        (date(2028, 2, 28), date(2028, 2, 29), ["02-29"]),
        (date(2028, 2, 29), date(2028, 3, 1), ["03-01"]),
    ],
)
def test_the_birthdays_since_the_last_day_are(last: date, today: date, days: list[str]) -> None:
    assert days_of_birthdays(last, today) == days


def test_after_a_year_away_everybody_has_had_one() -> None:
    assert len(days_of_birthdays(date(2024, 1, 1), date(2027, 1, 1))) == 366
