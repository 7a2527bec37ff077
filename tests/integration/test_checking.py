"""A scenario is checked for several friends, as LINE takes each one's messages or refuses them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.serving import serving
from tobiishi.line import LineClient
from tobiishi.line.client import Message
from tobiishi.publishing.validation import SAMPLES, check
from tobiishi.scenario import ScenarioError
from tobiishi.simulator import ACCESS_TOKEN, create_simulator

NAME = "{{ friend.display_name }}"
NOBODY = "a friend of whom nothing is known"
LONG = "a friend with a long name"


class CountingClient(LineClient):
    """Counts what is asked of LINE."""

    asked = 0

    async def validate_push(self, messages: Sequence[Message]) -> None:
        self.asked += 1
        await super().validate_push(messages)


@pytest.fixture
async def line() -> AsyncIterator[CountingClient]:
    async with (
        serving(create_simulator()) as url,
        CountingClient(base_url=url, access_token=ACCESS_TOKEN) as client,
    ):
        yield client


async def problems(line: LineClient, *messages: dict[str, Any]) -> list[tuple[str, str]]:
    """What is refused, each with its field below the send."""
    scenario = {
        "scenario": "hello",
        "title": "こんにちは",
        "start": "friend_added",
        "steps": [{"send": {"name": "hello", "messages": messages}}],
    }
    data = json.dumps(scenario).encode()
    try:
        await check(data, line=line, timezone="Asia/Tokyo", now=datetime.now(UTC))
    except ScenarioError as error:
        return [
            (each.field.removeprefix("steps[0].send.messages"), each.message)
            for each in error.problems
        ]
    return []


def text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def buttons(uri: str = "https://a.example/", **fields: Any) -> dict[str, Any]:
    actions = [{"type": "uri", "label": "見る", "uri": uri}]
    template = {"type": "buttons", "text": "どうぞ", "actions": actions, **fields}
    return {"type": "template", "altText": "どうぞ", "template": template}


def bubble(*contents: dict[str, Any]) -> dict[str, Any]:
    body = {"type": "box", "layout": "vertical", "contents": contents}
    return {"type": "flex", "altText": "どうぞ", "contents": {"type": "bubble", "body": body}}


def test_the_long_name_is_as_long_as_line_lets_it_be() -> None:
    assert max(len(friend.known.get("display_name") or "") for friend in SAMPLES) == 20


@pytest.mark.parametrize(
    ("message", "field", "friend", "fix"),
    [
        (text("{{ friend.region }}"), "[0].text", NOBODY, "it is empty for {}, and LINE takes no "),
        (text("{{ friend.region }}"), "[0].text", NOBODY, "; give what is not known a default, "),
        (text("{{ friend.fields.rank }}"), "[0].text", NOBODY, "it is empty for {}"),
        (text(" {{ friend.region }} "), "[0].text", NOBODY, "it is empty for {}"),
        ({**buttons(), "altText": NAME}, "[0].altText", NOBODY, "it is empty for {}"),
        (buttons(text=NAME), "[0].template.text", NOBODY, "it is empty for {}"),
        (
            text("{% if friend.display_name %}{{ friend.region }}{% else %}はい{% endif %}"),
            "[0].text",
            "a friend of whom only the name is known",
            "it is empty for {}",
        ),
        (
            buttons("{{ friend.fields.page }}"),
            "[0].template.actions[0].uri",
            NOBODY,
            "empty for {}",
        ),
        (
            buttons(title=f"{NAME}さん、いつもご利用いただきありがとうございます！！"),
            "[0].template.title",
            LONG,
            "by `| truncate: 10`",
        ),
        (
            bubble(
                {
                    "type": "button",
                    "action": {"type": "message", "label": NAME + "あ" * 30, "text": "はい"},
                }
            ),
            "[0].contents.body.contents[0].action.label",
            LONG,
            "; shorten what is filled in",
        ),
    ],
)
async def test_what_line_refuses_for_some_is_refused_and_for_whom(
    line: CountingClient, message: dict[str, Any], field: str, friend: str, fix: str
) -> None:
    [(where, why)] = await problems(line, message)
    assert where == field
    assert friend in why
    assert fix.format(friend) in why


@pytest.mark.parametrize(
    "message",
    [
        text(f"{NAME}さん、ようこそ"),
        text('{{ friend.region | default: "日本" }}'),
        buttons(f"https://a.example/?n={NAME}"),
        buttons(f"https://a.example/{NAME}/?n={{{{ friend.display_name | url_encode }}}}"),
        buttons('{{ friend.fields.page | default: "https://a.example/" }}'),
        buttons(title=NAME),
        buttons(thumbnailImageUrl="{{ friend.fields.image }}"),
        bubble({"type": "text", "text": NAME}, {"type": "text", "text": "はい"}),
        {**text(f"{NAME}$"), "emojis": [{"index": len(NAME), "productId": "p", "emojiId": "1"}]},
        {**text("はい"), "sender": {"name": "{{ friend.region }}"}},
    ],
)
async def test_what_every_friend_can_get_is_taken(
    line: CountingClient, message: dict[str, Any]
) -> None:
    assert await problems(line, message) == []


async def test_line_is_asked_once_for_those_who_get_the_same(line: CountingClient) -> None:
    assert await problems(line, text("はい"), text("いいえ")) == []
    assert line.asked == 1
    assert await problems(line, text("{% if friend.region %}A{% else %}B{% endif %}")) == []
    assert line.asked == 1 + 2


async def test_what_is_refused_for_everybody_is_told_once_and_for_nobody(
    line: CountingClient,
) -> None:
    wrong = {**buttons(), "template": {"type": "buttons", "text": "a", "actions": []}}
    [(field, why)] = await problems(line, text(f"{NAME}さん"), wrong)
    assert field == "[1].template.actions"
    assert " for " not in why
