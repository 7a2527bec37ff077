"""What virtual friends do, and the webhook events that LINE would send of it.

LINE's own SDK reads every webhook, as a second opinion on its shape
(https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects).
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from linebot.v3.webhook import UnknownEvent, WebhookParser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tests.eventually import eventually
from tests.integration.simulator.conftest import FRIEND, Clock, Receiver
from tests.serving import serving
from tobiishi.simulator import CHANNEL_SECRET, phones
from tobiishi.simulator.phones import PREVIEW_USER_AGENT, USER_AGENTS

POSTBACK = {"type": "postback", "label": "予約する", "data": "act=book", "displayText": "予約"}
SAYS = {"type": "message", "label": "はい", "text": "はい、行きます"}
PHOTO = {"originalContentUrl": "https://example.com/a.jpg"}
PREVIEW = {"previewImageUrl": "https://example.com/b.jpg"}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def link(uri: str, label: str = "見る") -> dict[str, Any]:
    return {"type": "uri", "label": label, "uri": uri}


def buttons(*actions: dict[str, Any]) -> dict[str, Any]:
    template = {"type": "buttons", "text": "どうしますか", "actions": list(actions)}
    return {"type": "template", "altText": "ボタン", "template": template}


def flex(*contents: dict[str, Any]) -> dict[str, Any]:
    body = {"type": "box", "layout": "vertical", "contents": list(contents)}
    bubble = {"type": "bubble", "body": body}
    return {"type": "flex", "altText": "お知らせ", "contents": bubble}


def asking(*actions: dict[str, Any]) -> dict[str, Any]:
    """A text with quick replies."""
    items = [{"type": "action", "action": action} for action in actions]
    return text("どれにしますか", quickReply={"items": items})


def picker(mode: str, **more: str) -> dict[str, Any]:
    return {"type": "datetimepicker", "label": "選ぶ", "data": "when", "mode": mode, **more}


@dataclass
class Web:
    """A site that remembers who came."""

    url: str = ""
    #: Path, and headers, of each request.
    came: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        self.came.append((request.url.path, dict(request.headers)))
        if request.url.path == "/away":
            return RedirectResponse("/there")
        return Response("ok")

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.came]


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    site = Web()
    async with serving(Starlette(routes=[Route("/{path:path}", site.answer)])) as url:
        site.url = url
        yield site


@pytest.fixture
async def secure_web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Web]:
    """A site with a certificate that phones trust: LINE takes no images from others."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "site.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    trusting = ssl.create_default_context(cafile=str(file))
    monkeypatch.setattr(phones, "_tls", lambda: trusting)
    site = Web()
    app = Starlette(routes=[Route("/{path:path}", site.answer)])
    async with serving(app, ssl_certfile=str(file)) as url:
        site.url = url
        yield site


@dataclass
class Person:
    """A virtual friend, and what LINE tells of what they do."""

    http: httpx.AsyncClient
    receiver: Receiver
    user_id: str = FRIEND

    async def get(self, *messages: dict[str, Any]) -> list[str]:
        """Have messages arrive; their ids."""
        body = {"to": self.user_id, "messages": list(messages)}
        answer = await self.http.post("/v2/bot/message/push", json=body)
        assert answer.status_code == 200, answer.text
        return [sent["id"] for sent in answer.json()["sentMessages"]]

    async def act(self, path: str, method: str = "POST", **body: Any) -> Any:
        """What the control API answers."""
        answer = await self.ask(path, method, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ask(self, path: str, method: str = "POST", **body: Any) -> httpx.Response:
        path = f"/_simulator/friends/{self.user_id}/{path}"
        return await self.http.request(method, path, json=body or None)

    async def talk(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = await self.act("talk", "GET")
        return items

    async def told(self, count: int = 1) -> list[dict[str, Any]]:
        """The events that LINE told of, as soon as there are so many, and what is in all of them
        taken out: who, when, by which id."""

        async def events() -> list[dict[str, Any]]:
            return [event for event in self.receiver.events if event["type"] != "follow"]

        found = await eventually(events, lambda events: len(events) >= count)
        assert len(found) == count
        for body, signature in self.receiver.taken:
            for read in WebhookParser(CHANNEL_SECRET).parse(body, signature):
                assert not isinstance(read, UnknownEvent)
        for event in found:
            assert event.pop("source") == {"type": "user", "userId": self.user_id}
            assert event.pop("mode") == "active"
            assert event.pop("deliveryContext") == {"isRedelivery": False}
            assert len(event.pop("webhookEventId")) == 26
            assert event.pop("timestamp") > 1_700_000_000_000
        return found

    async def told_nothing(self) -> None:
        """Nothing was told, nor is on its way."""
        kept = (await self.http.get("/_simulator/webhooks")).json()
        assert {event["type"] for each in kept for event in each["events"]} <= {
            "follow",
            "unfollow",
        }


@pytest.fixture
async def person(http: httpx.AsyncClient, receiver: Receiver) -> Person:
    given = {"userId": FRIEND, "displayName": "花子", "language": "ja", "device": "ios"}
    (await http.post("/_simulator/friends", json=given)).raise_for_status()
    return Person(http, receiver)


# Buttons


async def test_a_postback_button(person: Person) -> None:
    await person.get(buttons(POSTBACK))
    answer = await person.act("tap", label="予約する")
    (event,) = await person.told()
    assert len(event.pop("replyToken")) == 32
    assert event == {"type": "postback", "postback": {"data": "act=book"}}
    assert answer["action"] == POSTBACK
    assert answer["events"][0]["postback"] == event["postback"]
    # What it displays is seen in the chat, and LINE tells nobody.
    said = (await person.talk())[-1]
    assert (said["sender"], said["message"]["text"], said["id"]) == ("friend", "予約", None)


async def test_a_postback_button_of_old_says_its_text_as_a_message(person: Person) -> None:
    await person.get(buttons({"type": "postback", "label": "x", "data": "d", "text": "予約"}))
    await person.act("tap", data="d")
    message, postback = await person.told(2)
    assert (message["message"]["text"], postback["postback"]) == ("予約", {"data": "d"})


async def test_a_message_button(person: Person) -> None:
    await person.get(buttons(SAYS))
    await person.act("tap", label="はい")
    (event,) = await person.told()
    message = event["message"]
    assert message.pop("id").isdigit()
    assert message.pop("quoteToken")
    assert message == {"type": "text", "text": "はい、行きます"}
    assert event["replyToken"]


@pytest.mark.parametrize(
    ("mode", "more", "picked", "params"),
    [
        ("date", {}, "2030-01-31", {"date": "2030-01-31"}),
        ("time", {}, "09:05", {"time": "09:05"}),
        ("datetime", {}, "2030-01-31T23:59", {"datetime": "2030-01-31T23:59"}),
        ("datetime", {"initial": "2030-01-31t10:00"}, None, {"datetime": "2030-01-31T10:00"}),
        ("date", {"min": "2090-01-01"}, None, {"date": "2090-01-01"}),
        ("date", {"max": "2001-01-01"}, None, {"date": "2001-01-01"}),
        ("time", {"min": "10:00", "max": "11:00"}, "11:00", {"time": "11:00"}),
    ],
)
async def test_a_date_or_time_is_picked(
    person: Person, mode: str, more: dict[str, str], picked: str | None, params: dict[str, str]
) -> None:
    await person.get(buttons(picker(mode, **more)))
    await person.act("tap", label="選ぶ", **({"picked": picked} if picked else {}))
    (event,) = await person.told()
    assert event["postback"] == {"data": "when", "params": params}


@pytest.mark.parametrize(
    ("action", "picked", "status", "says"),
    [
        (picker("date"), "2030/01/31", 422, "'2030/01/31' is not a date; write 2030-01-01"),
        (picker("date"), "2030-02-30", 422, "is not a date"),
        (picker("time"), "2030-01-31", 422, "is not a time; write 10:00"),
        (picker("date", min="2030-01-01"), "2029-12-31", 422, "not among what the button lets"),
        (picker("time", max="10:00"), "10:01", 422, "not among what the button lets"),
        (POSTBACK, "2030-01-01", 409, "nothing can be picked with a postback action"),
    ],
)
async def test_what_can_not_be_picked(
    person: Person, action: dict[str, str], picked: str, status: int, says: str
) -> None:
    await person.get(buttons(action))
    answer = await person.ask("tap", label=action["label"], picked=picked)
    assert (answer.status_code, says in answer.json()["message"]) == (status, True)
    await person.told_nothing()


async def test_every_button_is_found_by_its_number_its_label_and_its_data(person: Person) -> None:
    def action(name: str) -> dict[str, Any]:
        return {"type": "postback", "label": name, "data": f"data {name}"}

    def column(*names: str) -> dict[str, Any]:
        return {"text": "x", "defaultAction": action(names[0]), "actions": [action(names[1])]}

    carousel = {"type": "carousel", "columns": [column("a", "b"), column("c", "d")]}
    inner: dict[str, Any] = {"type": "box", "layout": "vertical", "action": action("g")}
    inner["contents"] = [{"type": "button", "action": action("h")}]
    messages = [
        {"type": "template", "altText": "x", "template": carousel},
        {
            "type": "template",
            "altText": "x",
            "template": {
                "type": "confirm",
                "text": "x",
                "actions": [action("e"), action("f")],
            },
        },
        flex({"type": "text", "text": "x", "action": action("i")}, inner),
    ]
    ids = await person.get(*messages)
    names = [(ids[0], "abcd"), (ids[1], "ef"), (ids[2], "igh")]
    seen = 0
    for message, labels in names:
        for number, label in enumerate(labels):
            for by in ({"messageId": message, "index": number}, {"label": label}):
                answer = await person.act("tap", **by)
                assert answer["events"][0]["postback"]["data"] == f"data {label}"
            await person.act("tap", data=f"data {label}")
            seen += 3
    await person.told(seen)


async def test_of_two_buttons_of_one_name_the_later_message_counts(person: Person) -> None:
    first, _ = [
        (await person.get(buttons({"type": "postback", "label": "はい", "data": data})))[0]
        for data in ("one", "two")
    ]
    answer = await person.act("tap", label="はい")
    assert answer["events"][0]["postback"] == {"data": "two"}
    answer = await person.act("tap", label="はい", messageId=first)
    assert answer["events"][0]["postback"] == {"data": "one"}


async def test_an_imagemap(person: Person, web: Web) -> None:
    area = {"x": 0, "y": 0, "width": 520, "height": 1040}
    (message,) = await person.get(
        {
            "type": "imagemap",
            "baseUrl": "https://example.com/map",
            "altText": "x",
            "baseSize": {"width": 1040, "height": 1040},
            "actions": [
                {"type": "message", "text": "左", "area": area},
                {"type": "uri", "linkUri": f"{web.url}/right", "area": {**area, "x": 520}},
            ],
        }
    )
    await person.act("tap", messageId=message, index=0)
    (event,) = await person.told()
    assert event["message"]["text"] == "左"
    answer = await person.act("tap", messageId=message, index=1)
    assert (answer["url"], answer["events"]) == (f"{web.url}/right", [])
    assert web.came == []


# Links


@pytest.mark.parametrize("device", ["ios", "android"])
async def test_a_link_opens_in_the_browser_inside_line(
    person: Person, web: Web, device: str
) -> None:
    await person.http.post("/_simulator/friends", json={"userId": FRIEND, "device": device})
    await person.get(buttons(link(f"{web.url}/away")))
    answer = await person.act("tap", label="見る", follow=True)
    assert (answer["url"], answer["events"]) == (f"{web.url}/away", [])
    assert answer["hops"] == [
        {"url": f"{web.url}/away", "status": 307, "location": "/there"},
        {"url": f"{web.url}/there", "status": 200},
    ]
    assert web.paths == ["/away", "/there"]
    headers = web.came[0][1]
    assert headers["user-agent"] == USER_AGENTS[device]  # type: ignore[index]
    assert headers["accept-language"].startswith("ja")
    await person.told_nothing()


async def test_a_link_that_nobody_answers(person: Person) -> None:
    await person.get(buttons(link("http://127.0.0.1:1/x"), link("tel:0312345678", "電話")))
    answer = await person.act("tap", label="見る", follow=True)
    assert "ConnectError" in answer["hops"][0]["error"]
    answer = await person.act("tap", label="電話", follow=True)
    assert (answer["url"], answer["hops"]) == ("tel:0312345678", [])


async def test_links_of_a_text_have_numbers(person: Person, web: Web) -> None:
    one, two = f"{web.url}/one", f"{web.url}/two?a=1"
    await person.http.put("/_simulator/faults", json={"link_preview": "off"})
    (message,) = await person.get(text(f"こちら（{one}）と、{two}。"))
    for number, url in enumerate((one, two)):
        assert (await person.act("tap", messageId=message, index=number))["url"] == url
    assert (await person.ask("tap", messageId=message, index=2)).status_code == 404
    (item,) = await person.talk()
    assert item["message"]["parts"] == [
        {"text": "こちら（"},
        {"text": one, "url": one},
        {"text": "）と、"},
        {"text": two, "url": two},
        {"text": "。"},
    ]


async def test_the_preview_opens_links_of_texts_as_line_does(person: Person, web: Web) -> None:
    page = f"{web.url}/away"
    await person.get(text(f"見て {page} {page} https://example.com/"), buttons(link(page)))
    await eventually(lambda: _length(web), lambda count: count >= 2)
    assert web.paths == ["/away", "/there"]  # Once, and not to another machine.
    assert web.came[0][1]["user-agent"] == PREVIEW_USER_AGENT
    await person.http.put("/_simulator/faults", json={"link_preview": "off"})
    await person.get(text(f"{web.url}/off"))
    await person.http.put("/_simulator/faults", json={})
    await person.get(text(f"{web.url}/last"))
    await eventually(lambda: _length(web), lambda count: count >= 3)
    assert web.paths[2:] == ["/last"]


async def _length(web: Web) -> int:
    return len(web.came)


# Quick replies


async def test_quick_replies_are_gone_once_one_is_tapped(person: Person) -> None:
    silent = {"type": "postback", "label": "予約する", "data": "act=book"}  # It displays nothing.
    await person.get(asking(SAYS, silent))
    offered = (await person.talk())[-1]["quickReplies"]
    assert [action["label"] for action in offered] == ["はい", "予約する"]
    await person.act("tap", quickReply=1)
    (event,) = await person.told()
    assert event["postback"] == {"data": "act=book"}
    assert all(item["quickReplies"] == [] for item in await person.talk())
    for by in ({"quickReply": 0}, {"label": "はい"}):
        assert (await person.ask("tap", **by)).status_code in (404, 409)


async def test_quick_replies_are_of_the_last_message_only(person: Person) -> None:
    await person.get(asking(SAYS))
    await person.get(text("ほかのお知らせ"))
    answer = await person.ask("tap", quickReply=0)
    assert answer.status_code == 409
    assert "not the last message" in answer.json()["message"]
    assert all(item["quickReplies"] == [] for item in await person.talk())


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("camera", {"type": "image", "contentProvider": {"type": "line"}}),
        ("cameraRoll", {"type": "image", "contentProvider": {"type": "line"}}),
        ("location", {"type": "location", "title": "東京駅", "latitude": 35.681236}),
    ],
)
async def test_quick_replies_that_send_a_photo_or_a_place(
    person: Person, kind: str, message: dict[str, Any]
) -> None:
    await person.get(asking({"type": kind, "label": "送る"}))
    await person.act("tap", quickReply=0)
    (event,) = await person.told()
    assert event["message"].items() >= message.items()
    assert event["message"]["id"].isdigit()


async def test_what_does_nothing_that_line_tells_of(person: Person) -> None:
    await person.get(buttons({"type": "clipboard", "label": "写す", "clipboardText": "A-1"}))
    answer = await person.act("tap", label="写す")
    assert (answer["action"]["clipboardText"], answer["events"]) == ("A-1", [])
    await person.told_nothing()


# Saying, and taking back


async def test_a_friend_writes(person: Person) -> None:
    event = await person.act("messages", text="予約したいです\n🐈")
    (told,) = await person.told()
    assert told["message"] == event["message"]
    assert set(told["message"]) == {"id", "type", "text", "quoteToken"}
    assert told["message"]["text"] == "予約したいです\n🐈"
    # Its token is good for an answer.
    body = {"replyToken": told["replyToken"], "messages": [text("承りました")]}
    assert (await person.http.post("/v2/bot/message/reply", json=body)).status_code == 200
    assert [item["sender"] for item in await person.talk()] == ["friend", "account"]


async def test_a_friend_sends_a_sticker(person: Person) -> None:
    await person.act("messages", packageId="446", stickerId="1988")
    (event,) = await person.told()
    message = event["message"]
    assert (message["type"], message["packageId"], message["stickerId"]) == (
        "sticker",
        "446",
        "1988",
    )
    assert message["stickerResourceType"] == "STATIC"
    assert message["quoteToken"]


async def test_a_friend_quotes_a_message(person: Person) -> None:
    image, place = await person.get(
        {"type": "image", **PHOTO, **PREVIEW},
        {"type": "location", "title": "店", "address": "x", "latitude": 35.0, "longitude": 139.0},
    )
    await person.act("messages", text="これはいくら？", quotedMessageId=image)
    (event,) = await person.told()
    assert event["message"]["quotedMessageId"] == image
    assert (await person.talk())[-1]["quoted"] == "[画像]"
    refused = await person.ask("messages", text="ここ？", quotedMessageId=place)
    assert (refused.status_code, "can't quote" in refused.text) == (409, True)
    refused = await person.ask("messages", text="どれ？", quotedMessageId="1")
    assert (refused.status_code, "no message 1" in refused.text) == (404, True)


async def test_a_friend_takes_back_what_they_said(person: Person) -> None:
    (ours,) = await person.get(text("こんにちは"))
    said = (await person.act("messages", text="まちがい"))["message"]["id"]
    await person.act(f"messages/{said}", "DELETE")
    _, event = await person.told(2)
    assert event == {"type": "unsend", "unsend": {"messageId": said}}  # No reply token.
    assert (await person.talk())[-1]["message"] is None
    for message, status in ((said, 409), (ours, 409), ("1", 404)):
        assert (await person.ask(f"messages/{message}", "DELETE")).status_code == status


# Watching, and looking


async def test_a_video_that_is_watched_to_its_end(person: Person) -> None:
    video = {
        "type": "video",
        "originalContentUrl": "https://example.com/v.mp4",
        **PREVIEW,
        "trackingId": "opening",
    }
    untracked = {name: value for name, value in video.items() if name != "trackingId"}
    seen, other, words = await person.get(video, untracked, text("x"))
    await person.act("watch", messageId=seen)
    (event,) = await person.told()
    assert event.pop("replyToken")
    assert event == {
        "type": "videoPlayComplete",
        "videoPlayComplete": {"trackingId": "opening"},
    }
    for message in (other, words):
        answer = await person.ask("watch", messageId=message)
        assert (answer.status_code, "not a video with a trackingId" in answer.text) == (409, True)


async def test_a_phone_loads_the_images_of_a_message(person: Person, secure_web: Web) -> None:
    web = secure_web

    def url(name: str) -> str:
        return f"{web.url}/{name}"

    card = buttons(POSTBACK)
    card["template"]["thumbnailImageUrl"] = url("card")
    await person.http.put("/_simulator/faults", json={"link_preview": "off"})
    ids = await person.get(
        {"type": "image", "originalContentUrl": url("full"), "previewImageUrl": url("small")},
        {"type": "video", "originalContentUrl": url("film"), "previewImageUrl": url("still")},
        flex({"type": "image", "url": url("away")}, {"type": "image", "url": url("away")}),
        card,
        text(url("page")),
    )
    found = [(await person.act("look", messageId=message))["images"] for message in ids]
    assert [[image["url"] for image in images] for images in found] == [
        [url("small"), url("full")],
        [url("still")],
        [url("away")],
        [url("card")],
        [],
    ]
    assert [hop["status"] for hop in found[2][0]["hops"]] == [307, 200]
    assert web.paths == ["/small", "/full", "/still", "/away", "/there", "/card"]
    assert web.came[0][1]["user-agent"] == USER_AGENTS["ios"]
    assert web.came[0][1]["accept"].startswith("image/")
    await person.told_nothing()


# What is not done


async def test_who_has_blocked_the_account_tells_it_nothing(person: Person, web: Web) -> None:
    video = {"type": "video", **PHOTO, **PREVIEW, "trackingId": "opening"}
    message, _ = await person.get(video, buttons(POSTBACK, link(f"{web.url}/page")))
    said = (await person.act("messages", text="さようなら"))["message"]["id"]
    await person.told()
    await person.http.delete(f"/_simulator/friends/{FRIEND}")
    for path, body in (
        ("tap", {"label": "予約する"}),
        ("messages", {"text": "まだいます"}),
        ("watch", {"messageId": message}),
    ):
        answer = await person.ask(path, **body)
        assert (answer.status_code, "has blocked the account" in answer.text) == (409, True)
    assert (await person.ask(f"messages/{said}", "DELETE")).status_code == 409
    # A link is the phone's own business.
    assert (await person.act("tap", label="見る", follow=True))["hops"][0]["status"] == 200
    assert [event["type"] for event in person.receiver.events].count("message") == 1


NOBODY = "U" + "9" * 32
WRONG: list[tuple[str, str, dict[str, Any], int, str]] = [
    (NOBODY, "tap", {"label": "x"}, 404, "is not a friend; GET /_simulator/friends"),
    (NOBODY, "messages", {"text": "x"}, 404, "is not a friend"),
    (NOBODY, "watch", {"messageId": "1"}, 404, "is not a friend"),
    (NOBODY, "look", {"messageId": "1"}, 404, "is not a friend"),
    (FRIEND, "tap", {}, 422, "give one of index, quickReply, label and data"),
    (FRIEND, "tap", {"label": "x", "data": "x"}, 422, "give one of"),
    (FRIEND, "tap", {"index": 0}, 422, "index needs messageId"),
    (FRIEND, "tap", {"index": -1, "messageId": "1"}, 422, "index"),
    (FRIEND, "tap", {"label": "x", "follow": 1}, 422, "follow"),
    (FRIEND, "tap", {"name": "x"}, 422, "known are"),
    (FRIEND, "tap", {"label": "ない"}, 404, "the chat has nothing to tap with label 'ない'"),
    (FRIEND, "tap", {"index": 0, "messageId": "1"}, 404, "the chat has no message 1"),
    (FRIEND, "messages", {}, 422, "give text, or packageId and stickerId"),
    (FRIEND, "messages", {"text": ""}, 422, "text"),
    (FRIEND, "messages", {"text": "x" * 5001}, 422, "text"),
    (FRIEND, "messages", {"text": "x", "stickerId": "1"}, 422, "give text, or"),
    (FRIEND, "messages", {"packageId": "1"}, 422, "give text, or"),
    (FRIEND, "messages", {"packageId": "a", "stickerId": "1"}, 422, "packageId"),
    (FRIEND, "watch", {}, 422, "messageId"),
    (FRIEND, "look", {"messageId": "1"}, 404, "the chat has no message 1"),
]


@pytest.mark.parametrize(("who", "path", "body", "status", "says"), WRONG)
async def test_what_can_not_be_done_is_told(
    person: Person, who: str, path: str, body: dict[str, Any], status: int, says: str
) -> None:
    answer = await person.http.post(f"/_simulator/friends/{who}/{path}", json=body)
    assert answer.status_code == status
    assert says in answer.json()["message"]
    await person.told_nothing()


# The chats


async def test_a_chat_has_all_in_order_with_what_can_be_tapped(person: Person) -> None:
    ids = await person.get(buttons(POSTBACK, SAYS), text("{x}"))
    said = (await person.act("messages", text="https://example.com/"))["message"]["id"]
    first, second, third = await person.talk()
    assert [each["id"] for each in (first, second, third)] == [*ids, said]
    assert [action["tap"] for action in first["message"]["template"]["actions"]] == [0, 1]
    assert third["message"]["parts"] == [
        {"text": "https://example.com/", "url": "https://example.com/"}
    ]
    assert len(await person.act("talk?limit=1", "GET")) == 1
    assert (await person.ask("talk?limit=0", "GET")).status_code == 400
    # What arrived stays as it was sent.
    (arrived,) = (await person.http.get("/_simulator/messages")).json()
    assert "tap" not in json.dumps(arrived["messages"])
    assert (await person.http.delete("/_simulator/messages")).status_code == 204
    assert await person.talk() == []


async def test_the_list_of_chats_tells_what_is_new(person: Person, clock: Clock) -> None:
    async def look(**query: Any) -> Any:
        return (await person.http.get("/_simulator/talks", params=query)).json()

    other = "U" + "b" * 32
    await person.http.post(
        "/_simulator/friends", json={"userId": other, "displayName": "鈴木 太郎"}
    )
    first = await look()
    assert [each["displayName"] for each in first["talks"]] == ["鈴木 太郎", "花子"]
    assert (await look(since=first["revision"]))["talks"] == []
    await person.get(buttons(POSTBACK))
    news = await look(since=first["revision"])
    assert [(each["userId"], each["last"]) for each in news["talks"]] == [(FRIEND, "ボタン")]
    assert (news["total"], news["revision"] > first["revision"]) == (2, True)
    assert [each["userId"] for each in (await look(search="太郎"))["talks"]] == [other]
    assert [each["userId"] for each in (await look(search="Uaaa"))["talks"]] == [FRIEND]
    said = (await person.act("messages", text="まちがい"))["message"]["id"]
    await person.act(f"messages/{said}", "DELETE")
    assert (await look())["talks"][0]["last"] == "送信を取り消しました"


async def test_two_taps_at_a_time_are_two_taps(person: Person) -> None:
    await person.get(buttons(POSTBACK))
    await asyncio.gather(*(person.act("tap", label="予約する") for _ in range(10)))
    assert len(await person.told(10)) == 10
