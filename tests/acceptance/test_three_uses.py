"""The three uses that audiences are for, as the examples have them, in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.acceptance.browsing import browsing
from tests.acceptance.conftest import Shop
from tests.eventually import eventually

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 Safari Line/14.9.1"
)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as opened:
        yield opened


async def link_to(shop: Shop, friend: str) -> str:
    """The link in the friend's last message, which is a text's or a button's."""
    sent = await eventually(lambda: shop.line.messages(friend))
    (message,) = sent[-1]["messages"]
    if message["type"] == "text":
        return str(message["text"].splitlines()[-1])
    return str(message["template"]["actions"][0]["uri"])


async def tap(browser: Browser, link: str) -> Page:
    """Open the link as the friend's phone does, in a browser of their own."""
    phone = await browser.new_context(user_agent=IPHONE, locale="ja-JP")
    page = await phone.new_page()
    async with page.expect_response("**/t"):
        await page.goto(link)
    return page


async def press(shop: Shop, friend: str, data: str) -> None:
    event = {"type": "postback", "userId": friend, "postback": {"data": data}}
    (await shop.line.http.post("/_simulator/events", json=event)).raise_for_status()


async def told(page: Page, action: Any) -> None:
    """Do it, and wait until the tag has told of it."""
    async with page.expect_response("**/t") as answer:
        await action
    assert (await answer.value).status == 204


async def is_in(shop: Shop, friend: str, audience: str) -> None:
    async def look() -> list[str]:
        return [each["audience"] for each in (await shop.friend(friend))["audiences"]]

    await eventually(look, lambda audiences: audience in audiences)


async def texts(shop: Shop, friend: str) -> list[str]:
    """What each message says; of a template, its alternative text."""
    return [
        message.get("text") or message["altText"]
        for sent in await shop.line.messages(friend)
        for message in sent["messages"]
    ]


async def said(shop: Shop, friend: str) -> list[str]:
    """The trail of the friend's first journey."""
    (journey, *_) = (await shop.friend(friend))["journeys"]
    return [each["said"] for each in journey["trail"]]


async def test_who_opened_the_message_gets_the_sale_three_days_later(
    shop: Shop, browser: Browser
) -> None:
    await shop.publish_example("opened")
    taps, presses, sleeps = [await shop.meet() for _ in range(3)]
    await shop.join("newsletter", taps, presses, sleeps)

    page = await tap(browser, await link_to(shop, taps))
    assert page.url == f"{shop.site}/sneakers"  # The visitor's parameter is gone again.
    await eventually(lambda: shop.line.messages(presses))
    await press(shop, presses, "later")
    for friend in (taps, presses):
        await is_in(shop, friend, "opened-launch")
        # The clock is not turned before the journey has heard of it.
        await eventually(partial(said, shop, friend), lambda seen: len(seen) == 2)
    await shop.pass_days(2)
    assert [len(await texts(shop, friend)) for friend in (taps, presses, sleeps)] == [1, 1, 1]
    await shop.pass_days(2.1)

    for friend in (taps, presses):
        seen = await eventually(partial(texts, shop, friend), lambda seen: len(seen) == 2)
        assert "先行セール" in seen[1]
    await shop.pass_days(12)
    assert await shop.outcome(sleeps) == "completed"
    assert await texts(shop, sleeps) == ["新作スニーカー発売のお知らせ"]
    assert (await said(shop, taps))[1] == "joined opened-launch: in time"


async def test_who_left_the_cart_is_reminded_and_who_bought_is_asked(
    shop: Shop, browser: Browser
) -> None:
    await shop.publish_example("opened")
    await shop.publish_example("cart")
    buys, forgets = [await shop.meet() for _ in range(2)]
    await shop.join("newsletter", buys, forgets)

    for friend in (buys, forgets):
        page = await tap(browser, await link_to(shop, friend))
        await told(page, page.click("#cart"))
        await is_in(shop, friend, "left-behind")
        if friend == buys:
            async with page.expect_response("**/t"):
                await page.goto(f"{shop.site}/cart")
            await page.click("#buy")
            await page.wait_for_url("**/thanks")
            await is_in(shop, friend, "bought")
    await shop.pass_days(2)

    seen = await eventually(lambda: texts(shop, buys), lambda seen: len(seen) == 2)
    assert seen[1] == "お買い物はいかがでしたか？"
    seen = await eventually(lambda: texts(shop, forgets), lambda seen: len(seen) == 2)
    assert "お忘れではありませんか" in seen[1]
    known = await shop.friend(buys)
    assert "left-behind" not in [each["audience"] for each in known["audiences"]]


async def test_of_those_who_clicked_only_the_target_group_gets_more(
    shop: Shop, browser: Browser
) -> None:
    await shop.publish_example("similar")
    right, too_old, sleeps = [await shop.meet() for _ in range(3)]
    for friend, age in ((right, 25), (too_old, 60), (sleeps, 25)):
        attributes = {"gender": "female", "age": age}
        await shop.api.patch(f"/api/friends/{friend}/attributes", json=attributes)
    await shop.join("shoe-lovers", right, too_old, sleeps)
    for friend in (right, too_old):
        await tap(browser, await link_to(shop, friend))
        await is_in(shop, friend, "tapped-sneakers")

    await shop.pass_days(2.1)

    for friend in (right, too_old, sleeps):
        assert await shop.outcome(friend) == "completed"
    counts = [len(await texts(shop, friend)) for friend in (right, too_old, sleeps)]
    assert counts == [2, 1, 1]
    (journey,) = (await shop.friend(too_old))["journeys"]
    assert journey["trail"][1]["said"].startswith("in tapped-sneakers and gender female")
