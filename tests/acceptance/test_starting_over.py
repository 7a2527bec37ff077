"""A scenario that starts over at each visit, and what else goes on meanwhile."""

from __future__ import annotations

from tests.acceptance.conftest import Shop
from tests.eventually import eventually

VISITED = """
scenario: visited
title: ご来店の方へ
start: {audience: visited}
exit: [{joins: visited}]
reentry: after_finishing
steps:
  - send: {name: thanks, messages: [{type: text, text: ご来店ありがとうございます}]}
  - wait: {days: 30}
  - send: {name: again, messages: [{type: text, text: また来てください}]}
"""
WELCOME = """
scenario: welcome
title: ようこそ
start: friend_added
audiences: {bought: {kind: upload}}
exit: [{joins: bought}]
steps:
  - wait: {days: 3}
  - send: {name: coupon, messages: [{type: text, text: クーポン}]}
"""


async def test_each_visit_starts_over_and_a_purchase_ends_the_rest_at_once(shop: Shop) -> None:
    await shop.publish(VISITED)
    await shop.publish(WELCOME)
    friend = await shop.meet()

    async def outcomes(scenario: str) -> list[str | None]:
        journeys = (await shop.friend(friend))["journeys"]
        return [each["outcome"] for each in journeys if each["scenario"] == scenario]

    await eventually(lambda: outcomes("welcome"), lambda seen: seen == [None])
    for visits in range(1, 4):
        await shop.join("visited", friend)
        await shop.line.got(friend, *["ご来店ありがとうございます"] * visits)
        await shop.leave("visited", friend)
    assert await outcomes("visited") == ["exited", "exited", None]

    await shop.join("bought", friend)
    await eventually(lambda: outcomes("welcome"), lambda seen: seen == ["exited"])

    await shop.pass_days(31)
    await shop.line.got(friend, *["ご来店ありがとうございます"] * 3, "また来てください")
    over = ["exited", "exited", "completed"]
    await eventually(lambda: outcomes("visited"), lambda seen: seen == over)
