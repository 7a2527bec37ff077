"""Numbers in own attributes, which are stored as texts and compared as numbers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tobiishi.scenario import Scenario, advice_on, noting, render


def holds(condition: str, **fields: str) -> bool:
    text = "{% if " + condition + " %}yes{% endif %}"
    friend = {f"fields.{name}": value for name, value in fields.items()}
    return bool(render([{"type": "text", "text": text}], friend)[0]["text"] == "yes")


@pytest.mark.parametrize(
    ("condition", "points", "expected"),
    [
        ("friend.fields.points >= 100", "150", True),
        ("friend.fields.points >= 100", "100", True),
        ("friend.fields.points >= 100", "20", False),
        ("friend.fields.points > 100", "20", False),
        ("friend.fields.points > '100'", "20", False),
        ("friend.fields.points > '100'", "150", True),
        ("friend.fields.points < 100", "20", True),
        ("friend.fields.points < 100", "-5", True),
        ("100 <= friend.fields.points", "150", True),
        ("friend.fields.points >= 1000", "1,500", True),
        ("friend.fields.points >= 1000", "１５００", True),
        ("friend.fields.points >= 99.5", " 99.50 ", True),
        ("friend.fields.points == 100", "100", True),
        ("friend.fields.points == 100", "100.0", True),
        ("friend.fields.points != 100", "100", False),
        ("friend.fields.points == 100", "gold", False),
        ("friend.fields.points == '007'", "7", False),
        ("friend.fields.points == '007'", "007", True),
        ("friend.fields.points >= 100", "gold", False),
        ("friend.fields.points < 100", "gold", False),
        ("friend.fields.points < 100", "1,5", False),
        # Texts on both sides, such as dates.
        ("friend.fields.points < '2026-05-01'", "2026-01-31", True),
        ("friend.fields.points contains '5'", "150", True),
    ],
)
def test_a_number_is_compared_as_one(condition: str, points: str, expected: bool) -> None:
    assert holds(condition, points=points) is expected


def test_two_own_attributes_are_compared() -> None:
    assert holds("friend.fields.points >= friend.fields.needed", points="150", needed="20")
    assert not holds("friend.fields.points >= friend.fields.needed", points="20", needed="150")


def test_a_case_takes_a_number() -> None:
    text = "{% case friend.fields.points %}{% when 100 %}hundred{% else %}other{% endcase %}"
    assert render([{"text": text}], {"fields.points": "100"})[0]["text"] == "hundred"


def test_a_number_is_shown_as_it_is_written() -> None:
    assert render([{"text": "{{ friend.fields.points }}"}], {"fields.points": "0,1"}) == [
        {"text": "0,1"}
    ]


def test_what_is_not_a_number_is_noted() -> None:
    with noting() as notes:
        assert not holds("friend.fields.rank >= 100 or friend.fields.rank < 3", rank="gold")
        assert not holds("friend.fields.rank >= 100", rank="20")
    assert notes == ["rank is 'gold', not a number"]


def test_only_the_comparison_fails_that_has_no_number() -> None:
    text = "{{ friend.display_name }}{% if friend.fields.rank > 1 %}!{% endif %}"
    friend = {"display_name": "花子", "fields.rank": "gold"}
    assert render([{"text": text}], friend) == [{"text": "花子"}]


@pytest.mark.parametrize(
    ("condition", "warning"),
    [
        ("friend.fields.points >= 100", None),
        ("friend.fields.points == '100'", None),
        ("friend.fields.points >= '100'", "'100' is in quotes, and is compared as a number"),
        ("'100' < friend.fields.points", "'100' is in quotes, and is compared as a number"),
        ("friend.fields.rank > 'gold'", "'gold' is a text, and texts are compared"),
    ],
)
def test_a_comparison_with_a_text_is_doubtful(condition: str, warning: str | None) -> None:
    text = "{% if " + condition + " %}yes{% endif %}no"
    message = {"type": "text", "text": text}
    scenario = Scenario.model_validate(
        {"scenario": "s", "title": "t", "start": "friend_added",
         "steps": [{"send": {"name": "a", "messages": [message]}}]}
    )  # fmt: skip
    found = advice_on(scenario, datetime(2026, 11, 20, tzinfo=UTC))
    assert [path for path, _ in found] == (
        [("steps", 0, "send", "messages", 0, "text")] if warning else []
    )
    assert all(words.startswith(warning or "") for _, words in found)
