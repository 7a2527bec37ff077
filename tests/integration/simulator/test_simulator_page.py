"""The chat page, in a real browser, as wide as a desk and as a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.acceptance.browsing import browsing
from tests.eventually import eventually
from tests.integration.simulator.conftest import FRIEND, Receiver

TARO = "U" + "b" * 32
BUTTONS = {
    "type": "template",
    "altText": "ご予約",
    "template": {
        "type": "buttons",
        "text": "ご予約はこちら",
        "actions": [
            {"type": "postback", "label": "予約する", "data": "act=book", "displayText": "予約"},
            {"type": "datetimepicker", "label": "日を選ぶ", "data": "when", "mode": "date"},
        ],
    },
}
CARDS = {
    "type": "flex",
    "altText": "特集",
    "contents": {
        "type": "carousel",
        "contents": [
            {
                "type": "bubble",
                "body": {
                    "type": "box",
                    "layout": "vertical",
                    "contents": [{"type": "text", "text": f"<b>{number}</b>", "wrap": True}],
                },
            }
            for number in range(5)
        ],
    },
}
QUESTION = {
    "type": "text",
    "text": "どちら？ https://example.com/" + "long" * 50,
    "quickReply": {
        "items": [
            {"type": "action", "action": {"type": "message", "label": word, "text": word}}
            for word in ("はい", "いいえ")
        ]
    },
}


@asynccontextmanager
async def opened(http: httpx.AsyncClient, width: int, height: int) -> AsyncIterator[Page]:
    for user, name in ((TARO, "鈴木 太郎"), (FRIEND, "花子")):
        await http.post("/_simulator/friends", json={"userId": user, "displayName": name})
    for message in (BUTTONS, CARDS, QUESTION):
        body = {"to": FRIEND, "messages": [message]}
        assert (await http.post("/v2/bot/message/push", json=body)).status_code == 200
    errors: list[str] = []
    async with browsing() as browser:
        page = await browser.new_page(viewport={"width": width, "height": height}, locale="ja-JP")
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(str(http.base_url))
        await expect(page.locator(".person")).to_have_count(2)
        yield page
        # Nothing reaches over the edge, and nothing failed.
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert errors == []


async def told(receiver: Receiver, count: int) -> list[dict[str, Any]]:
    async def events() -> list[dict[str, Any]]:
        return [event for event in receiver.events if event["type"] in ("message", "postback")]

    return await eventually(events, lambda events: len(events) >= count)


async def test_a_chat_at_a_desk(http: httpx.AsyncClient, receiver: Receiver) -> None:
    async with opened(http, 1280, 800) as page:
        talk = page.locator("#talk")
        await expect(page.locator("#name")).to_have_text("花子")
        await expect(talk.locator(".item")).to_have_count(3)
        await expect(page.locator("#shop")).to_be_hidden()
        # What a message says is text, whatever it looks like.
        await expect(talk.locator(".flex").first).to_have_text("<b>0</b>")

        await page.get_by_role("button", name="予約する").click()
        await expect(talk.locator(".friend .bubble")).to_have_text(["予約"])
        await page.get_by_role("button", name="日を選ぶ").click()
        await page.locator("#picked").fill("2030-01-31")
        await page.locator("#picker-yes").click()
        await page.locator("#text").fill("こんにちは")
        await page.locator("#text").press("Enter")
        await expect(talk.locator(".friend .bubble")).to_have_text(["予約", "こんにちは"])
        booked, picked, said = await told(receiver, 3)
        assert booked["postback"] == {"data": "act=book"}
        assert picked["postback"] == {"data": "when", "params": {"date": "2030-01-31"}}
        assert said["message"]["text"] == "こんにちは"

        # Whom one talks with stays, also while another is sought.
        await page.locator("#search").fill("太郎")
        await expect(page.locator(".person b")).to_have_text(["鈴木 太郎"])
        await page.locator("#text").fill("まだいます")
        await page.locator("#text").press("Enter")
        await expect(talk.locator(".friend .bubble").last).to_have_text("まだいます")
        await page.locator("#search").fill("いない")
        await expect(page.locator("#more")).to_have_text("見つかりません")
        await expect(page.locator("#empty")).to_be_hidden()
        await page.locator("#search").fill("")
        await expect(page.locator(".person")).to_have_count(2)

        await page.locator("#block").click()
        await expect(page.locator("#notice")).to_be_visible()
        await expect(page.locator("#text")).to_be_disabled()


@pytest.mark.parametrize("width", [320, 390])
async def test_a_chat_on_a_phone(http: httpx.AsyncClient, receiver: Receiver, width: int) -> None:
    async with opened(http, width, 700) as page:
        # The friends first, then one chat, then the friends again.
        await expect(page.locator("#phone")).to_be_hidden()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.locator(".person", has_text="花子").click()
        await expect(page.locator("#add")).to_be_hidden()
        await page.locator("#quick button", has_text="はい").click()
        await expect(page.locator("#quick button")).to_have_count(0)
        (said,) = await told(receiver, 1)
        assert said["message"]["text"] == "はい"
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.locator("#back").click()
        await expect(page.locator("#phone")).to_be_hidden()
        await page.locator("#add").click()
        await expect(page.locator("#talk")).to_have_text("まだメッセージはありません")
