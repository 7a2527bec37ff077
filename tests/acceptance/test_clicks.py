"""A friend taps a link of a message: from the scenario's file to the event, on real parts."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from tests.acceptance.conftest import SECRET, Shop
from tests.eventually import eventually
from tests.serving import serving
from tobiishi.database import Database
from tobiishi.journeys import deliveries
from tobiishi.journeys.deliveries import Traced
from tobiishi.people import events
from tobiishi.people.events import FriendEvent
from tobiishi.simulator import ACCESS_TOKEN

IPHONE = {
    "User-Agent": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Mobile/15E148 Safari Line/14.9.1"
    ),
    "Accept-Language": "ja",
}
PREVIEW = {"User-Agent": "facebookexternalhit/1.1;line-poker/1.0"}
SALE = "https://shop.example/sale"

SCENARIO = """
scenario: welcome
title: 友だち追加ありがとう
start: friend_added
audiences:
  clicked-sale: {kind: click, message: hello, url: "https://shop.example/sale"}
steps:
  - send:
      name: hello
      messages:
        - type: text
          text: "{{ friend.display_name }}さん、「https://shop.example/sale」をご覧ください。"
        - type: template
          altText: はじめに
          template:
            type: buttons
            text: はじめに
            actions:
              - type: uri
                label: 見る
                uri: "https://shop.example/?n={{ friend.display_name | url_encode }}"
              - {type: postback, label: はい, data: "answer=yes"}
              - {type: uri, label: LIFF, uri: "https://liff.line.me/123-abc"}
        - type: video
          originalContentUrl: https://img.example/1.mp4
          previewImageUrl: https://img.example/1.png
  - wait_for:
      audience: clicked-sale
      up_to: {days: 3}
      in_time:
        - send: {name: thanks, messages: [{type: text, text: ありがとうございます}]}
"""


async def messages_of(shop: Shop, friend: str) -> list[Any]:
    """The messages of the first push that arrived."""
    (push, *_) = await eventually(lambda: shop.line.messages(friend))
    messages: list[Any] = push["messages"]
    return messages


def link_in(text: str) -> str:
    return text.split("「")[1].split("」")[0]


async def tap(url: str, headers: dict[str, str] = IPHONE) -> httpx.Response:
    async with httpx.AsyncClient() as phone:
        return await phone.get(url, headers=headers, follow_redirects=False)


async def events_of(database: Database, friend: str) -> list[FriendEvent]:
    async with database.connection() as connection:
        return await events.of_friend(connection, "default", friend)


async def test_a_click_is_seen_and_leads_the_journey_on(shop: Shop, database: Database) -> None:
    await shop.publish(SCENARIO)
    hanako = await shop.line.add_friend(displayName="花子")
    taro = await shop.line.add_friend(displayName="太郎")
    text, template, _ = await messages_of(shop, hanako)
    link = link_in(text["text"])
    assert text["text"] == f"花子さん、「{link}」をご覧ください。"
    assert link.startswith(f"{shop.api.base_url}/l/")
    assert len(link.rsplit("/", 1)[1]) < 40
    theirs = link_in((await messages_of(shop, taro))[0]["text"])
    assert theirs != link

    preview = await tap(link, PREVIEW)
    assert (preview.status_code, preview.headers["location"]) == (302, SALE)
    assert await events_of(database, hanako) == []

    answer = await tap(link)
    assert (answer.status_code, answer.headers["location"]) == (302, SALE)
    (event,) = await events_of(database, hanako)
    assert (event.event, event.scenario, event.message, event.url) == (
        "click",
        "welcome",
        "hello",
        SALE,
    )
    assert await events_of(database, taro) == []
    pushes = await eventually(lambda: shop.line.messages(hanako), lambda seen: len(seen) == 2)
    assert pushes[1]["messages"][0]["text"] == "ありがとうございます"

    button, _, liff = template["template"]["actions"]
    answer = await tap(button["uri"])
    assert answer.headers["location"] == "https://shop.example/?n=%E8%8A%B1%E5%AD%90"
    assert liff["uri"] == "https://liff.line.me/123-abc"
    assert len(await events_of(database, hanako)) == 2


async def test_nobody_is_sent_anywhere_by_a_token_that_is_not_ours(
    shop: Shop, database: Database
) -> None:
    await shop.publish(SCENARIO)
    friend = await shop.line.add_friend(displayName="花子")
    link = link_in((await messages_of(shop, friend))[0]["text"])
    start, token = link.rsplit("/", 1)
    wrong = ["x", token[:-1], token[1:], token + "A", token.swapcase(), "A" * len(token)]
    wrong += [
        token[:at] + ("B" if token[at] == "A" else "A") + token[at + 1 :]
        for at in range(len(token))
    ]
    for word in wrong:
        answer = await tap(f"{start}/{word}")
        assert answer.status_code == 404, word
        assert "location" not in answer.headers
        assert "このリンクは開けません" in answer.text
    assert (await tap(link.replace("/l/", "/i/"))).status_code == 404
    assert await events_of(database, friend) == []


async def test_what_answers_will_tell_is_kept_before_the_message_is_sent(
    shop: Shop, database: Database
) -> None:
    await shop.publish(SCENARIO)
    friend = await shop.line.add_friend(displayName="花子")
    *_, video = await messages_of(shop, friend)
    tracking_id = video["trackingId"]
    async with database.connection() as connection:
        of_button = await deliveries.with_postback(connection, "default", friend, "answer=yes")
        of_video = await deliveries.with_video(connection, "default", friend, tracking_id)
    assert of_button == of_video
    assert of_button == Traced(scenario="welcome", message="hello", retry_key=UUID(tracking_id))


async def test_a_retry_sends_the_same_body(shop: Shop) -> None:
    """LINE demands it under one retry key, whatever was new when the message was tried first."""
    pushed: list[bytes] = []
    way = FastAPI()

    @way.post("/{path:path}")
    async def pass_on(path: str, request: Request) -> Response:
        pushed.append(await request.body())
        if len(pushed) < 3:
            return Response(status_code=500)
        headers = {"Content-Type": "application/json"}
        for name in ("authorization", "x-line-retry-key"):
            headers[name] = request.headers[name]
        answer = await shop.line.http.post(f"/{path}", content=pushed[-1], headers=headers)
        return Response(answer.content, answer.status_code, {"x-line-request-id": "1"})

    scenario = SCENARIO.replace("{{ friend.display_name }}", "花子")
    await shop.publish(scenario.replace("{{ friend.display_name | url_encode }}", "1"))
    async with serving(way) as url:
        channel = {"secret": SECRET, "access_token": ACCESS_TOKEN, "api_base_url": url}
        (await shop.api.put("/api/channels/default", json=channel)).raise_for_status()
        friend = await shop.line.add_friend()
        messages = await messages_of(shop, friend)
    assert len(pushed) == 3
    assert len(set(pushed)) == 1
    assert json.loads(pushed[0])["messages"] == messages
    assert f"{shop.api.base_url}/l/" in messages[0]["text"]


@pytest.mark.parametrize("track_links", [True, False])
async def test_a_send_may_leave_its_links_as_they_are(shop: Shop, track_links: bool) -> None:
    scenario = f"""
scenario: plain
title: plain
start: friend_added
steps:
  - send:
      name: hello
      track_links: {str(track_links).lower()}
      messages: [{{type: text, text: "{SALE}"}}]
"""
    await shop.publish(scenario)
    friend = await shop.line.add_friend()
    (message,) = await messages_of(shop, friend)
    assert (message["text"] != SALE) is track_links
