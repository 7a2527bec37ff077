"""A friend who calls the shop: into a scenario by hand, out of it, and in again."""

from __future__ import annotations

from typing import Any

import httpx

from tests.acceptance.conftest import Shop
from tests.eventually import eventually

COURSE = """
scenario: course
title: 使い方講座
start: {audience: bought}
steps:
  - send: {name: first, messages: [{type: text, text: 第1回です}]}
  - wait: {days: 30}
  - send: {name: second, messages: [{type: text, text: 第2回です}]}
"""


async def test_a_friend_goes_in_and_out_and_in_again_by_hand(shop: Shop) -> None:
    await shop.publish(COURSE)
    friend = await shop.meet()
    path = f"/api/scenarios/course/friends/{friend}"

    async def enter(**body: Any) -> httpx.Response:
        return await shop.api.post(path, json={"reason": "電話で頼まれた"} | body)

    async def journeys() -> list[tuple[str, str | None, str | None]]:
        known = (await shop.friend(friend))["journeys"]
        return [(each["why"], each["outcome"], each["because"]) for each in known]

    assert (await enter()).is_success
    await shop.line.got(friend, "第1回です")
    await shop.pass_days(1)
    left = await shop.api.delete(path, params={"reason": "解約した"})
    assert left.json()["stopped"] is True
    # At once, while their journey is perhaps being ended yet.
    assert (await enter()).json()["code"] == "entered_before"
    assert (await enter(again=True)).is_success
    await shop.line.got(friend, "第1回です", "第1回です")

    # The first journey sends nothing more, and the second all of it.
    await shop.pass_days(31)
    await shop.line.got(friend, "第1回です", "第1回です", "第2回です")
    why = "by hand: 電話で頼まれた"
    over = [(why, "stopped", "by hand: 解約した"), (why, "completed", None)]
    await eventually(journeys, lambda seen: seen == over)

    # A test send leaves no trace of any of it.
    before = await shop.friend(friend)
    tested = await shop.api.post(
        "/api/scenarios/test",
        content=COURSE.encode(),
        params={"to": friend, "key": "00000000-0000-4000-8000-000000000001"},
    )
    assert [push["status"] for push in tested.json()["pushes"]] == ["sent", "sent"]
    assert len(await shop.line.texts(friend)) == 5
    assert await shop.friend(friend) == before

    await shop.line.block(friend)
    await eventually(lambda: shop.friend(friend), lambda known: known["status"] == "blocked")
    assert (await enter(again=True, reason="また")).json()["code"] == "blocked"
