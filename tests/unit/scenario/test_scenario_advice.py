"""Advice: what a scenario may say but probably doesn't mean."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tobiishi.scenario import Scenario, advice_on, read_scenario

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.yaml"))
NOW = datetime(2026, 11, 20, 3, 0, 30, tzinfo=UTC)  # 12:00:30 in Tokyo.


def send(name: str) -> dict[str, Any]:
    return {"send": {"name": name, "messages": [{"type": "text", "text": "hi"}]}}


def case(condition: dict[str, Any], *steps: dict[str, Any]) -> dict[str, Any]:
    return {"when": condition, "steps": list(steps)}


def advice(*steps: dict[str, Any], **more: Any) -> list[tuple[tuple[str | int, ...], str]]:
    scenario = {"scenario": "s", "title": "t", "start": "friend_added", "steps": list(steps)}
    return advice_on(Scenario.model_validate(scenario | more), NOW)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_of_an_example_nothing_is_doubtful(file: Path) -> None:
    assert advice_on(read_scenario(file.read_bytes()), NOW) == []


@pytest.mark.parametrize(
    "steps",
    [
        [send("a"), {"wait": {"days": 1}}, send("b")],
        [{"wait": {"until": "2026-11-20 12:30", "if_past": "send"}}, send("a")],
        [{"wait": {"until": "2026-11-20 12:30", "if_past": "skip"}}, send("a")],
        [{"branch": [case({"region": region}) for region in ("東京", "jp_27", "tw_01")]}],
    ],
)
def test_what_is_probably_meant_gets_no_advice(steps: list[dict[str, Any]]) -> None:
    assert advice(*steps) == []


@pytest.mark.parametrize(
    ("steps", "path", "said"),
    [
        (
            [{"wait": {"until": "2026-11-20 11:59"}}, send("a")],
            ("steps", 0, "wait", "until"),
            "this is over: nobody will wait here, and what follows is sent at once",
        ),
        (
            [{"wait": {"until": "2026-11-20 11:59", "if_past": "skip"}}, send("a")],
            ("steps", 0, "wait", "until"),
            "this is over: nobody will get what follows it",
        ),
        (
            [{"wait": {"until": "2026-11-20 12:30"}}, send("a")],
            ("steps", 0, "wait", "until"),
            "who starts after this is sent at once what follows",
        ),
        (
            [send("a"), send("b")],
            ("steps", 1, "send"),
            "sent right after another message; LINE keeps the order only within one request",
        ),
        (
            [{"branch": [case({"os": "ios"}, send("a"), send("b"))]}],
            ("steps", 0, "branch", 0, "steps", 1, "send"),
            "sent right after another message",
        ),
        (
            [{"branch": [case({"os": "ios"}), case({"os": "ios"})]}],
            ("steps", 0, "branch", 1, "when"),
            "an earlier case has the same condition: nobody will come here",
        ),
        (
            [send("a"), {"wait": {"days": 1}}],
            ("steps", 1, "wait"),
            "nothing follows this wait",
        ),
        (
            [{"branch": [case({"any": [{"not": {"region": "大坂"}}, {"os": "ios"}]})]}],
            ("steps", 0, "branch", 0, "when"),
            "'大坂' is not a prefecture",
        ),
    ],
)
def test_a_doubtful_step_gets_advice(
    steps: list[dict[str, Any]], path: tuple[str | int, ...], said: str
) -> None:
    [(where, what)] = advice(*steps)
    assert where == path
    assert what.startswith(said)


def test_a_period_that_ends_before_a_date_leaves_no_doubt_about_it() -> None:
    steps = [{"wait": {"until": "2026-11-22 10:00"}}, send("a")]
    assert advice(*steps, period={"until": "2026-11-21"}) == []
    [(path, _)] = advice(*steps, period={"until": "2026-11-22"})
    assert path == ("steps", 0, "wait", "until")


@pytest.mark.parametrize(
    ("window", "doubtful"),
    [
        ({"from": "09:00", "to": "09:59"}, True),
        ({"from": "23:30", "to": "00:15"}, True),
        ({"from": "09:00", "to": "10:00"}, False),
        ({"from": "21:00", "to": "20:00"}, False),
    ],
)
def test_a_window_of_less_than_an_hour_is_doubtful(window: dict[str, str], doubtful: bool) -> None:
    found = advice(send("a"), window=window)
    assert [path for path, _ in found] == ([("window",)] if doubtful else [])


@pytest.mark.parametrize(
    ("until", "over"),
    [("2026-11-19", True), ("2026-11-20 11:59", True), ("2026-11-20 12:00", False),
     ("2026-11-20", False)],
)  # fmt: skip
def test_a_period_that_is_over_is_doubtful_and_lets_nobody_in(until: str, over: bool) -> None:
    found = advice(send("a"), period={"until": until})
    assert [path for path, _ in found] == ([("period", "until")] if over else [])
    scenario = Scenario.model_validate(
        {"scenario": "s", "title": "t", "start": "friend_added", "period": {"until": until},
         "steps": [send("a")]}
    )  # fmt: skip
    assert scenario.is_open(NOW) is not over


@pytest.mark.parametrize(
    ("begins", "open_"), [("2026-11-20 12:00", True), ("2026-11-20 12:01", False)]
)
def test_a_period_begins_with_its_first_minute(begins: str, open_: bool) -> None:
    scenario = Scenario.model_validate(
        {"scenario": "s", "title": "t", "start": "friend_added", "period": {"from": begins},
         "steps": [send("a")]}
    )  # fmt: skip
    assert scenario.is_open(NOW) is open_


@pytest.mark.parametrize(
    ("start", "route", "unblocked", "starts"),
    [
        ("friend_added", None, False, True),
        ("friend_added", "qr", False, True),
        ("friend_added", None, True, False),
        ({"friend_added": {"routes": ["qr", "web"]}}, "web", False, True),
        ({"friend_added": {"routes": ["qr"]}}, "web", False, False),
        ({"friend_added": {"routes": ["qr"]}}, None, False, False),
        ({"friend_added": {"unblocked": True}}, None, True, True),
        ({"friend_added": {"unblocked": True, "routes": ["qr"]}}, None, True, False),
        ({"audience": "vip"}, None, False, False),
    ],
)
def test_adding_the_channel_starts_a_scenario(
    start: Any, route: str | None, unblocked: bool, starts: bool
) -> None:
    scenario = Scenario.model_validate(
        {"scenario": "s", "title": "t", "start": start, "steps": [send("a")]}
    )
    assert scenario.starts_on_friend_add(route=route, unblocked=unblocked) is starts


def test_a_scenario_names_all_its_audiences() -> None:
    scenario = Scenario.model_validate(
        {"scenario": "s", "title": "t", "start": {"audience": "a"},
         "exit": [{"joins": "b"}, {"leaves": "c"}],
         "steps": [{"branch": [case({"audience": "d"}, {"branch": [case({"audience": "e"})]})]}]}
    )  # fmt: skip
    assert scenario.audiences() == {"a", "b", "c", "d", "e"}


def says(text: str, **more: Any) -> list[tuple[tuple[str | int, ...], str]]:
    message = {"type": "text", "text": text} | more
    return advice({"send": {"name": "a", "messages": [message]}})


@pytest.mark.parametrize(
    "placeholder",
    [
        *("{Nickname}", "{nickname}", "{ name }", "{名前}", "{friend.display_name}", "{code}"),
        *("[name]", "[ Name ]", "[お名前]", "[[name]]", "%name%", "％name％", "%%NICK_NAME%%"),
        *("｛Nickname｝", "［名前］", "<name>", "#name#", "@display-name@", "$username$"),
    ],
)
def test_the_placeholders_of_other_tools_are_found(placeholder: str) -> None:
    (doubt,) = says(f"{placeholder}さん、こんにちは")
    path, said = doubt
    assert path == ("steps", 0, "send", "messages", 0, "text")
    assert "is sent just so: it is another tool's placeholder; for the friend's name write " in said
    assert "{{ friend.display_name | default: 'お客様' }}" in said
    assert ("{{ friend.fields.rank }}" in said) == ("code" in placeholder)


@pytest.mark.parametrize(
    "text",
    [
        "{{ friend.display_name | default: 'お客様' }}さん",
        "{{ friend.display_name }}さん [重要] 10%引き、20%引き <3 #春 {笑}",
        "https://shop.example/?a=%20b%20 {% if friend.region %}a{% endif %}",
        "定価 $100、今なら $80",
    ],
)
def test_what_is_no_placeholder_is_left_alone(text: str) -> None:
    assert says(text) == []


def test_a_placeholder_is_found_wherever_a_text_is() -> None:
    template = {"type": "confirm", "text": "[name]さん", "actions": []}
    message = {"type": "template", "altText": "a", "template": template}
    ((path, _),) = advice({"send": {"name": "a", "messages": [message]}})
    assert path == ("steps", 0, "send", "messages", 0, "template", "text")


def test_what_line_itself_fills_in_is_left_alone() -> None:
    emoji = {"type": "emoji", "productId": "p", "emojiId": "1"}
    assert says("{name}", type="textV2", substitution={"name": emoji}) == []
