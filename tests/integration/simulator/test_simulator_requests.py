"""What LINE refuses, and in which words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.simulator.conftest import FRIEND, Clock
from tobiishi.simulator import CHANNEL_SECRET

HELLO = {"type": "text", "text": "a"}
HTTPS = "https://example.com/a.jpg"
TAP = {"type": "postback", "label": "はい", "data": "a=1"}
BOX: dict[str, Any] = {
    "type": "box",
    "layout": "vertical",
    "contents": [{"type": "text", "text": "a", "weight": "bold"}],
}
BUBBLE = {"type": "bubble", "body": BOX}


def deep(levels: int) -> dict[str, Any]:
    box = BOX
    for _ in range(levels):
        box = {"type": "box", "layout": "vertical", "contents": [box]}
    return {"type": "bubble", "body": box}


def flex(contents: Any) -> dict[str, Any]:
    return {"type": "flex", "altText": "a", "contents": contents}


GOOD: list[dict[str, Any]] = [
    HELLO,
    {"type": "text", "text": "😀" * 2500},
    {
        "type": "text",
        "text": "a",
        "quickReply": {"items": [{"type": "action", "action": TAP}] * 13},
    },
    {"type": "text", "text": "a", "sender": {"name": "店長", "iconUrl": HTTPS}},
    {"type": "text", "text": "$", "emojis": [{"index": 0, "productId": "p", "emojiId": "e"}]},
    {
        "type": "textV2",
        "text": "{{a}} {who}",
        "substitution": {"who": {"type": "mention", "mentionee": {"type": "all"}}},
    },
    {"type": "sticker", "packageId": "446", "stickerId": "1988"},
    {"type": "image", "originalContentUrl": HTTPS, "previewImageUrl": HTTPS},
    {
        "type": "video",
        "originalContentUrl": HTTPS,
        "previewImageUrl": HTTPS,
        "trackingId": "t",
    },
    {"type": "audio", "originalContentUrl": HTTPS, "duration": 60_000},
    {"type": "location", "title": "店", "address": "東京", "latitude": 35.6, "longitude": 139},
    {
        "type": "imagemap",
        "baseUrl": HTTPS,
        "altText": "a",
        "baseSize": {"width": 1040, "height": 1040},
        "actions": [
            {
                "type": "uri",
                "linkUri": HTTPS,
                "area": {"x": 0, "y": 0, "width": 520, "height": 1040},
            }
        ],
    },
    {
        "type": "template",
        "altText": "a",
        "template": {"type": "buttons", "text": "a", "actions": [TAP]},
    },
    {
        "type": "template",
        "altText": "a",
        "template": {"type": "carousel", "columns": [{"text": "a", "actions": [TAP]}]},
    },
    flex(BUBBLE),
    flex({"type": "carousel", "contents": [BUBBLE] * 12}),
    flex(deep(5)),
    {"type": "coupon", "couponId": "c"},
]


@pytest.mark.parametrize("message", GOOD, ids=[f"{i}-{m['type']}" for i, m in enumerate(GOOD)])
async def test_good_message(shared: httpx.AsyncClient, message: dict[str, Any]) -> None:
    answer = await shared.post("/v2/bot/message/validate/push", json={"messages": [message]})
    assert (answer.status_code, answer.json()) == (200, {})


DETAILS: list[tuple[Any, str, str]] = [
    ({"type": "text", "text": ""}, "messages[0].text", "May not be empty"),
    ({"type": "text"}, "messages[0].text", "May not be empty"),
    ({"text": "a"}, "messages[0].type", "May not be empty"),
    (
        {"type": "text", "text": "😀" * 2501},
        "messages[0].text",
        "Length must be between 0 and 5000",
    ),
    (
        {**HELLO, "quickReply": {"items": [{"type": "action", "action": TAP}] * 14}},
        "messages[0].quickReply.items",
        "Size must be between 1 and 13",
    ),
    (
        {"type": "image", "originalContentUrl": "http://example.com/a", "previewImageUrl": HTTPS},
        "messages[0].originalContentUrl",
        "Must be a valid URL (https)",
    ),
    (
        {"type": "textV2", "text": "{a"},
        "messages[0].text",
        "Braces must be escaped",
    ),
    (
        {"type": "textV2", "text": "{a}"},
        "messages[0].substitution.a",
        "May not be empty",
    ),
    (
        {"type": "text", "text": "a", "emojis": [{"index": 0, "productId": "p", "emojiId": "e"}]},
        "messages[0].emojis[0].index",
        "Must be the index of a $",
    ),
    (
        {**flex(BUBBLE), "altText": "a" * 1501},
        "messages[0].altText",
        "Length must be between 0 and 1500",
    ),
    (
        flex({"type": "carousel", "contents": [BUBBLE] * 13}),
        "messages[0].contents.contents",
        "Size must be between 1 and 12",
    ),
    (
        flex({**BUBBLE, "footer": {**BOX, "contents": [{"type": "text", "text": "a" * 4999}] * 7}}),
        "messages[0].contents",
        "Size must be less than or equal to 30KB",
    ),
    (
        flex({"type": "bubble", "body": {**BOX, "contents": [{"type": "button"}]}}),
        "messages[0].contents.body.contents[0].action",
        "May not be empty",
    ),
    (
        {
            "type": "template",
            "altText": "a",
            "template": {"type": "confirm", "text": "a", "actions": [TAP]},
        },
        "messages[0].template.actions",
        "Size must be between 2 and 2",
    ),
    (
        {
            "type": "template",
            "altText": "a",
            "template": {
                "type": "carousel",
                "columns": [{"text": "a", "actions": [TAP] * count} for count in (1, 2)],
            },
        },
        "messages[0].template.columns",
        "All columns must have the same number of actions",
    ),
    (
        {
            "type": "template",
            "altText": "a",
            "template": {"type": "buttons", "title": "a", "text": "a" * 61, "actions": [TAP]},
        },
        "messages[0].template.text",
        "Length must be between 0 and 60",
    ),
    (
        flex({"type": "bubble", "body": {**BOX, "backgroundColor": "red"}}),
        "messages[0].contents.body.backgroundColor",
        "Invalid value",
    ),
]


@pytest.mark.parametrize(("message", "place", "words"), DETAILS)
async def test_detail(shared: httpx.AsyncClient, message: Any, place: str, words: str) -> None:
    answer = await shared.post("/v2/bot/message/push", json={"to": FRIEND, "messages": [message]})
    assert answer.status_code == 400
    assert answer.json() == {
        "message": "The request body has 1 error(s)",
        "details": [{"message": words, "property": place}],
    }


async def test_a_mention_reaches_no_friend(shared: httpx.AsyncClient) -> None:
    mention = {"type": "mention", "mentionee": {"type": "all"}}
    message = {"type": "textV2", "text": "{who}", "substitution": {"who": mention}}
    for path, to in (("push", FRIEND), ("multicast", [FRIEND])):
        body = {"to": to, "messages": [HELLO, message]}
        answer = await shared.post(f"/v2/bot/message/{path}", json=body)
        assert answer.status_code == 400
        assert answer.json()["details"][0]["property"] == "messages[1].substitution.who"


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"to": FRIEND, "messages": [HELLO], "extra": 1}, "extra"),
    ({"to": FRIEND, "messages": HELLO}, "messages"),
    ({"to": 7, "messages": [HELLO]}, "to"),
    ({"to": "U123", "messages": [HELLO]}, "to"),
    ({"to": FRIEND, "messages": ["a"]}, "messages[0]"),
    ({"to": FRIEND, "messages": [{"type": "telegram"}]}, "messages[0].type"),
    ({"to": FRIEND, "messages": [{**HELLO, "name": "own"}]}, "messages[0].name"),
    ({"to": FRIEND, "messages": [{"type": "text", "text": 7}]}, "messages[0].text"),
    ({"to": FRIEND, "messages": [HELLO], "notificationDisabled": "no"}, "notificationDisabled"),
    (
        {"to": FRIEND, "messages": [flex({"type": "bubble", "body": {"type": "text"}})]},
        "messages[0].contents.body.type",
    ),
]


@pytest.mark.parametrize(("body", "place"), INVALID)
async def test_invalid_property(
    shared: httpx.AsyncClient, body: dict[str, Any], place: str
) -> None:
    answer = await shared.post("/v2/bot/message/push", json=body)
    assert answer.status_code == 400
    assert answer.json() == {
        "message": f"The property, {place}, in the request body is invalid (line: -, column: -)"
    }


@pytest.mark.parametrize("unit", ["with-hyphen", "a" * 31, ""])
async def test_invalid_unit(shared: httpx.AsyncClient, unit: str) -> None:
    body = {"to": FRIEND, "messages": [HELLO], "customAggregationUnits": [unit]}
    answer = await shared.post("/v2/bot/message/push", json=body)
    assert answer.json()["details"][0]["property"] == "customAggregationUnits[0]"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "could not be parsed as JSON (line: 1, column: 2)"),
        (b"", "could not be parsed as JSON (line: 1, column: 1)"),
        (b"[]", "could not be parsed as JSON"),
        (b"\xff", "could not be parsed as JSON"),
        (b'{"to": NaN}', "could not be parsed as JSON"),
        (b'{"to":' + b"[" * 50_000, "could not be parsed as JSON"),
        (b"{}", "The request body has 2 error(s)"),
        (b'{"\\ud83d": 1}', "in the request body is invalid"),
    ],
)
async def test_body_that_is_no_request(
    shared: httpx.AsyncClient, content: bytes, words: str
) -> None:
    answer = await shared.post(
        "/v2/bot/message/push", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert words in answer.json()["message"]


async def test_content_type(shared: httpx.AsyncClient) -> None:
    answer = await shared.post("/v2/bot/message/push", content=b"{}")
    assert answer.status_code == 400
    answer = await shared.post("/v2/bot/message/push", data={"to": FRIEND})
    assert answer.json() == {
        "message": "The content type, application/x-www-form-urlencoded, is not supported"
    }


async def test_too_long(shared: httpx.AsyncClient) -> None:
    body = {"to": FRIEND, "messages": [{"type": "text", "text": "a" * 2**21}]}
    assert (await shared.post("/v2/bot/message/push", json=body)).status_code == 413


@pytest.mark.parametrize(
    "header", [None, "", "simulator-token", "Bearer", "Bearer wrong", "Bearer é"]
)
async def test_unauthorised(shared: httpx.AsyncClient, header: str | None) -> None:
    headers = {} if header is None else {b"Authorization": header.encode("latin-1")}
    async with httpx.AsyncClient(base_url=shared.base_url, headers=headers) as http:
        for path in ("/v2/bot/info", "/v2/nothing"):
            answer = await http.get(path)
            assert answer.status_code == 401
            assert answer.json()["message"].startswith("Authentication failed due to")
            assert answer.headers["x-line-request-id"]


async def test_unknown_path(shared: httpx.AsyncClient) -> None:
    answer = await shared.get("/v2/bot/nothing")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})
    assert (await shared.get("/v2/bot/message/push")).status_code == 405


async def test_half_an_emoji_is_kept(http: httpx.AsyncClient) -> None:
    content = b'{"to": "%s", "messages": [{"type": "text", "text": "\\ud83d"}]}' % FRIEND.encode()
    headers = {"Content-Type": "application/json"}
    answer = await http.post("/v2/bot/message/push", content=content, headers=headers)
    assert answer.status_code == 200
    (message,) = (await http.get("/_simulator/messages")).json()
    assert message["messages"][0]["text"] == "\ud83d"


async def test_stateless_token(simulator: str, http: httpx.AsyncClient, clock: Clock) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": "1234567890",
        "client_secret": CHANNEL_SECRET,
    }
    async with httpx.AsyncClient(base_url=simulator) as anybody:
        issued = (await anybody.post("/oauth2/v3/token", data=form)).json()
        assert (issued["token_type"], issued["expires_in"]) == ("Bearer", 900)
        anybody.headers["Authorization"] = f"Bearer {issued['access_token']}"
        assert (await anybody.get("/v2/bot/info")).status_code == 200
        clock.ahead = 901
        assert (await anybody.get("/v2/bot/info")).status_code == 401
        wrong = await anybody.post("/oauth2/v3/token", data={**form, "client_secret": "no"})
        assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_request")


async def test_statistics_hide_fewer_than_20(http: httpx.AsyncClient, clock: Clock) -> None:
    async def seen() -> list[int | None]:
        answer = await http.get("/v2/bot/insight/message/event/aggregation", params=query)
        body = answer.raise_for_status().json()
        return [body["overview"]["uniqueImpression"]] + [
            message["uniqueImpression"] for message in body["messages"]
        ]

    async def send(numbers: range, messages: int) -> None:
        users = [f"U{number:032x}" for number in numbers]
        body = {"to": users, "messages": [HELLO] * messages, "customAggregationUnits": ["spring"]}
        (await http.post("/v2/bot/message/multicast", json=body)).raise_for_status()

    day = (datetime.now(UTC) + timedelta(hours=9)).strftime("%Y%m%d")
    query = {"customAggregationUnit": "spring", "from": day, "to": day}
    await send(range(19), 2)
    assert await seen() == [None, None, None]
    await send(range(19, 25), 1)
    assert await seen() == [25, 25, None]
    wrong = await http.get("/v2/bot/insight/message/event/aggregation", params={"from": day})
    assert wrong.status_code == 400
    assert wrong.json() == {"message": None, "key": None, "stacktrace": None, "code": None}
