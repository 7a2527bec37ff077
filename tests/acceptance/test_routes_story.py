"""Somebody scans a poster, logs in, adds the account, and is greeted as one who came by it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.acceptance.browsing import browsing
from tests.acceptance.conftest import Shop
from tests.eventually import eventually
from tobiishi.simulator.login import LOGIN_CHANNEL_ID, LOGIN_CHANNEL_SECRET

GREETINGS = """
scenario: poster
title: ポスターから
start: {friend_added: {routes: [poster]}}
steps: [{send: {name: hello, messages: [{type: text, text: ご来店ありがとうございます}]}}]
"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as opened:
        yield opened


async def test_who_scans_the_poster_is_greeted_for_it(shop: Shop, browser: Browser) -> None:
    login = {"channel_id": LOGIN_CHANNEL_ID, "secret": LOGIN_CHANNEL_SECRET}
    (await shop.api.put("/api/channels/default/login", json=login)).raise_for_status()
    put = await shop.api.put("/api/routes/poster", json={"title": "店頭ポスター"})
    link = put.raise_for_status().json()["link"]
    await shop.publish(GREETINGS)
    other = await shop.line.add_friend()  # By another way.

    page = await (await browser.new_context(locale="ja-JP")).new_page()
    await page.goto(link)
    assert "LINEログイン" in await page.inner_text("h1")
    await page.get_by_role("button", name="許可する").click()
    # On to the account's own page, where those who did not add it find the button.
    await page.wait_for_url("**/R/ti/p/*")
    assert "友だち" in await page.inner_text("main")

    async def friends() -> list[str]:
        everybody = (await shop.line.http.get("/_simulator/friends")).json()
        return [friend["userId"] for friend in everybody if friend["userId"] != other]

    (friend,) = await eventually(friends)
    await shop.line.got(friend, "ご来店ありがとうございます")
    assert (await shop.friend(friend))["route"] == "poster"
    assert await shop.line.texts(other) == []
    told = (await shop.api.get("/api/routes/poster")).json()
    assert (told["visits"], told["friends"]) == (1, 1)
