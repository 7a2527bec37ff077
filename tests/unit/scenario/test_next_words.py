"""What comes next, in words of both languages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.scenario.test_scenario_planning import at, case, scenario, send, wait
from tobiishi.languages import Language
from tobiishi.plan import Action
from tobiishi.scenario.next_words import (
    action_in_words,
    due_in_words,
    wait_in_words,
    way_in_words,
    ways_in_words,
)
from tobiishi.scenario.planning import step_at

FEMALE = {"when": {"gender": "female"}, "steps": [send("f")]}
WAIT_FOR = {
    "wait_for": {
        "audience": "bought",
        "up_to": {"hours": 4},
        "in_time": [{"branch": [case(send("vip")), FEMALE, {"otherwise": None, "steps": []}]}],
        "too_late": [send("late")],
    }
}
TREE = scenario(send("a"), WAIT_FOR, {"tag": {"add": ["x", "y"], "remove": "z"}})


@pytest.mark.parametrize(
    ("action", "step", "english", "japanese"),
    [
        ("send", "0", "the message a", "メッセージ「a」"),
        (
            "watch",
            "1",
            "a wait for the audience bought (4 hours at most)",
            "「bought」に入るのを待つ（最長 4時間）",
        ),
        (
            "look",
            "1",
            "to see whether they are in the audience bought",
            "「bought」に入っているかを確かめる",
        ),
        (
            "branch",
            "1.0.0",
            "a branch (which of 2: in vip, gender female?)",
            "条件で分ける（which of 2: in vip, gender female?）",
        ),
        ("tag", "2", "tags +x +y -z", "タグ +x +y -z"),
        ("end", "", "the end", "終わり"),
    ],
)
def test_what_is_done_next(action: str, step: str, english: str, japanese: str) -> None:
    assert action_in_words(TREE, Action(action), step, "en") == english
    assert action_in_words(TREE, Action(action), step, "ja") == japanese


@pytest.mark.parametrize(
    ("how", "english", "japanese"),
    [
        ({"days": 3}, "3 days", "3日"),
        ({"days": 1, "hours": 2, "minutes": 1}, "1 day 2 hours 1 minute", "1日2時間1分"),
        ({"days": 3, "at": "10:00"}, "until 10:00, 3 days on", "3日後の10:00まで"),
        ({"days": 0, "at": "10:00"}, "until it is 10:00", "次の10:00まで"),
        (
            {"days_after_start": 1, "at": "18:30"},
            "until 18:30, 1 day after the start",
            "開始から1日後の18:30まで",
        ),
        ({"until": "2026-12-01 10:00"}, "until 2026-12-01 10:00", "2026-12-01 10:00まで"),
    ],
)
def test_a_wait(how: dict[str, Any], english: str, japanese: str) -> None:
    tree = scenario(wait(**how), send("a"))
    assert wait_in_words(tree, "0", "en") == english
    assert wait_in_words(tree, "0", "ja") == japanese


def test_a_wait_for_an_audience_is_a_wait() -> None:
    assert (
        wait_in_words(TREE, "1", "en") == "until they are in the audience bought (4 hours at most)"
    )
    assert wait_in_words(TREE, "1", "ja") == "「bought」に入るまで（最長 4時間）"


@pytest.mark.parametrize(
    ("step", "language", "ways"),
    [
        ("0", "en", []),
        ("", "en", []),
        ("1.1.0", "en", ["not in bought in time"]),
        ("1.1.0", "ja", ["「bought」に入らず時間切れ"]),
        ("1.0.0.0.0", "en", ["in bought in time", "in vip"]),
        ("1.0.0.0.0", "ja", ["「bought」に入った", "「vip」に入っている"]),
        ("1.0.0.1.0", "ja", ["「bought」に入った", "gender female"]),
        ("1.0.0.2.0", "en", ["in bought in time", "otherwise"]),
        ("1.0.0.2.0", "ja", ["「bought」に入った", "それ以外"]),
    ],
)
def test_the_ways_to_a_step(step: str, language: Language, ways: list[str]) -> None:
    assert ways_in_words(TREE, step, language) == ways


def test_the_way_past_all_cases() -> None:
    branch = step_at(scenario({"branch": [case(send("vip"))]}), "0")
    assert way_in_words(branch, None, "en") == "none of them"
    assert way_in_words(branch, None, "ja") == "どれでもない"


def test_a_moment_is_shown_with_its_zone() -> None:
    moment = at("2026-11-28 10:00")
    assert due_in_words(moment, "Asia/Tokyo", "en") == "2026-11-28 10:00 (Asia/Tokyo)"
    assert due_in_words(moment, "Europe/Paris", "ja") == "2026-11-28 02:00（Europe/Paris）"
