"""A journey that waits for its friend to join an audience, but not for ever."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

from tests.acceptance.conftest import Shop
from tests.eventually import eventually

CART = """
scenario: cart
title: カートに入れた方へ
start: friend_added
steps:
  - wait_for:
      audience: bought
      up_to: {days: 2}
      in_time: [{send: {name: survey, messages: [{type: text, text: いかがでしたか}]}}]
      too_late: [{send: {name: reminder, messages: [{type: text, text: お忘れではありませんか}]}}]
  - send: {name: end, messages: [{type: text, text: また来てください}]}
"""


async def test_a_friend_who_joins_in_time_goes_on_at_once(shop: Shop) -> None:
    await shop.publish(CART)
    friend = await shop.line.add_friend()
    await eventually(lambda: _waits(shop, friend))
    await shop.pass_days(1)
    assert await shop.line.texts(friend) == []

    await shop.join("bought", friend)

    await shop.line.got(friend, "いかがでしたか", "また来てください")
    assert await shop.outcome(friend) == "completed"
    (journey,) = (await shop.friend(friend))["journeys"]
    assert journey["trail"][0]["said"] == "joined bought: in time"
    described = await shop.journey("cart", friend).describe()
    assert described.close_time is not None
    assert described.close_time - described.start_time < timedelta(days=1.5)


async def test_a_friend_who_does_not_join_goes_on_when_the_time_is_over(shop: Shop) -> None:
    await shop.publish(CART)
    friend = await shop.line.add_friend()
    await eventually(lambda: _waits(shop, friend))
    await shop.pass_days(2.1)
    await shop.line.got(friend, "お忘れではありませんか", "また来てください")
    (journey,) = (await shop.friend(friend))["journeys"]
    assert journey["trail"][0]["said"] == "in bought: not in time"


async def test_a_friend_who_is_in_already_does_not_wait(shop: Shop) -> None:
    await shop.publish(CART)
    friend = "U" + "5" * 32
    await shop.join("bought", friend)
    await shop.line.add_friend(userId=friend)
    await shop.line.got(friend, "いかがでしたか", "また来てください")
    (journey,) = (await shop.friend(friend))["journeys"]
    assert journey["trail"][0]["said"] == "in bought: already"


async def test_a_friend_who_joins_and_leaves_before_the_journey_looks_has_joined(
    shop: Shop,
) -> None:
    await shop.publish(CART)
    friend = await shop.line.add_friend()
    await eventually(lambda: _waits(shop, friend))
    await shop.join("bought", friend)
    await shop.leave("bought", friend)
    await shop.line.got(friend, "いかがでしたか", "また来てください")


async def test_no_joining_falls_between_the_beginning_of_a_waiting_and_its_look(
    shop: Shop,
) -> None:
    """Friends join at about the moment that their journeys begin to wait, before it and after."""
    await shop.publish(CART)
    await shop.join("bought", "U" + "0" * 32)
    friends = [f"U{number:032x}" for number in range(1, 61)]

    async def enter(number: int) -> None:
        chance = random.Random(number)
        adding = asyncio.create_task(shop.line.add_friend(userId=friends[number]))
        await asyncio.sleep(chance.uniform(0, 2.5))
        await shop.join("bought", friends[number])
        await adding

    await asyncio.gather(*(enter(number) for number in range(len(friends))))

    first = set()
    for friend in friends:
        await shop.line.got(friend, "いかがでしたか", "また来てください")
        (journey,) = (await shop.friend(friend))["journeys"]
        first.add(journey["trail"][0]["said"])
    # Else the test has tried only one of the two orders.
    assert first == {"in bought: already", "joined bought: in time"}


async def _waits(shop: Shop, friend: str) -> bool:
    try:
        history = await shop.journey("cart", friend).fetch_history()
    except Exception:
        return False
    return any(event.HasField("timer_started_event_attributes") for event in history.events)


async def test_what_follows_a_date_that_is_past_is_left_out_and_the_trail_has_why(
    shop: Shop,
) -> None:
    await shop.publish("""
scenario: reminders
title: お知らせ
start: friend_added
steps:
  - wait: {until: "2020-12-01 10:00", if_past: skip}
  - send: {name: first, messages: [{type: text, text: あと3週間です}]}
  - wait: {minutes: 1}
  - send: {name: hello, messages: [{type: text, text: こんにちは}]}
  - wait: {until: "2020-12-20 10:00", if_past: skip}
  - send: {name: last, messages: [{type: text, text: あと2日です}]}
""")
    friend = await shop.meet()

    async def has_begun() -> bool:
        journeys = (await shop.friend(friend))["journeys"]
        return bool(journeys and journeys[0]["trail"])

    await eventually(has_begun)
    await shop.pass_days(1)
    assert await shop.outcome(friend) == "completed"
    assert await shop.line.texts(friend) == ["こんにちは"]
    (journey,) = (await shop.friend(friend))["journeys"]
    assert [entry["said"] for entry in journey["trail"]] == [
        "left out send first: 2020-12-01 10:00 was past",
        "sent hello",
        "left out send last: 2020-12-20 10:00 was past",
    ]
