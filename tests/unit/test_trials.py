"""What a test send pushes, and for whom it is filled in."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from tests.scenarios import scenario_of
from tobiishi.errors import Invalid
from tobiishi.people.friends import Attributes, Friend, Seen
from tobiishi.people.personas import persona
from tobiishi.publishing.trials import ANSWER, pushes_of
from tobiishi.scenario import Scenario

TODAY = date(2026, 11, 26)
TESTER = Friend(
    channel="default",
    friend="U",
    status="following",
    route=None,
    attributes=Attributes(gender="male", fields={"rank": "gold"}),
    seen=Seen(language="en"),
    display_name="太郎",
    language="ja",
    profile_at=None,
)


def scenario(*sends: tuple[str, list[dict[str, Any]]]) -> Scenario:
    """A scenario whose last message stands on a branch's way."""
    steps: list[Any] = [{"send": {"name": name, "messages": each}} for name, each in sends]
    steps[-1:] = [{"branch": [{"when": {"gender": "female"}, "steps": steps[-1:]}]}]
    head = {"scenario": "welcome", "title": "春の{企画}", "start": "friend_added"}
    return scenario_of(json.dumps({**head, "steps": steps}))


def texts(count: int) -> list[dict[str, Any]]:
    return [{"type": "text", "text": str(number)} for number in range(count)]


def test_each_push_is_marked() -> None:
    pushes = pushes_of(scenario(("hello", texts(1)), ("four", texts(4)), ("five", texts(5))), {})
    # Five messages are as many as LINE takes: their mark is a push of its own.
    assert [(push.message, len(push.messages)) for push in pushes] == [
        ("hello", 2),
        ("four", 5),
        ("five", 1),
        ("five", 5),
    ]
    marks = [push.messages[0]["text"] for push in pushes[:3]]
    assert marks[0] == "【テスト配信】シナリオ「春の{企画}」のメッセージ「hello」です"
    assert all(mark.startswith("【テスト配信】") for mark in marks)
    assert [push.messages[1]["text"] for push in pushes[:2]] == ["0", "0"]


def test_the_mark_in_english() -> None:
    [push] = pushes_of(scenario(("hello", texts(1))), {}, language="en")
    assert push.messages[0]["text"] == "[Test] message “hello” of the scenario “春の{企画}”"


def test_only_what_is_named_in_the_order_of_the_file() -> None:
    sends = scenario(("a", texts(1)), ("b", texts(1)), ("c", texts(1)))
    assert [push.message for push in pushes_of(sends, {}, only=["c", "a", "a"])] == ["a", "c"]
    with pytest.raises(Invalid, match="sends no message 'd'; it sends a, b, c"):
        pushes_of(sends, {}, only=["a", "d"])


def test_nothing_tells_which_message_an_answer_is_to() -> None:
    buttons = {
        "type": "template",
        "altText": "どうぞ",
        "template": {
            "type": "buttons",
            "text": "どうぞ",
            "actions": [
                {"type": "postback", "label": "はい", "data": "yes", "displayText": "はい"},
                {"type": "datetimepicker", "label": "日", "data": "day", "mode": "date"},
                {"type": "uri", "label": "見る", "uri": "https://shop.example/"},
            ],
        },
    }
    video = {
        "type": "video",
        "originalContentUrl": "https://shop.example/a.mp4",
        "previewImageUrl": "https://shop.example/a.png",
        "trackingId": "a",
    }
    [push] = pushes_of(scenario(("hello", [buttons, video])), {})
    _, sent, watched = push.messages
    first, second, third = sent["template"]["actions"]
    assert (first["data"], second["data"]) == (ANSWER, ANSWER)
    assert first["displayText"] == "はい"
    # Links lead where they are written to lead.
    assert third["uri"] == "https://shop.example/"
    assert "trackingId" not in watched


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ([], {}),
        ([""], {}),
        (["gender=female"], {"gender": "female"}),
        (["性別=女性, 地域=東京都"], {"gender": "female", "region": "東京都"}),
        (["rank=platinum", "language=en,"], {"fields.rank": "platinum", "language": "en"}),
        (["display_name=花子", "age=34"], {"display_name": "花子"}),
    ],
)
def test_a_persona_is_known_by_what_is_said_alone(words: list[str], known: dict[str, str]) -> None:
    made = persona(TESTER, words, today=TODAY)
    assert {name: value for name, value in made.variables().items() if value} == known
    assert made.friend == TESTER.friend


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("female", "'female': write it as name=value, with commas"),
        ("=female", "write it as name=value"),
        ("gender=f", "'gender=f': is none of male, female, other"),
        ("タグ=a", "no message names a friend's tags"),
        ("friend=U", "take one out"),
        ("Rank!=a", "'Rank!' is not known"),
        ("display_name=a\x00b", "control character"),
        ("rank=" + "x" * 201, "shorten it to 200"),
    ],
)
def test_what_a_persona_can_not_be(words: str, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        persona(TESTER, [words], today=TODAY)
