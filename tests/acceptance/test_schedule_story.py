"""What the schedule confirms is what then goes out."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.acceptance.conftest import Shop
from tests.eventually import eventually

TOKYO = ZoneInfo("Asia/Tokyo")

SPRING = """
scenario: spring
title: 春のお知らせ
start: friend_added
audiences: {vip: {kind: upload}}
steps:
  - wait: {minutes: %(minutes)s}
  - send: {name: first, messages: [{type: text, text: はじめまして}]}
  - wait: {days: 1, at: "10:00"}
  - branch:
      - when: {audience: vip}
        steps: [{send: {name: coupon, messages: [{type: text, text: クーポン}]}}]
      - otherwise:
        steps: [{send: {name: reminder, messages: [{type: text, text: ご覧ください}]}}]
"""
QUIZ = """
scenario: quiz
title: クイズ
start: {audience: quiz}
spread: {minutes: 20}
steps:
  - wait: {days: 2, at: "18:30"}
  - send: {name: answer, messages: [{type: text, text: 答え}]}
"""


def to_half_past(now: datetime) -> int:
    """Minutes until an hour is half over, some hours from now."""
    return 180 + (30 - now.minute) % 60


async def scheduled(shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = (await shop.api.get("/api/schedule")).raise_for_status().json()
    return found


def lines(schedule: dict[str, Any], name: str) -> Counter[tuple[str, str, str]]:
    """How many get each message of each scenario in each hour; `confirmed` or `expected`."""
    return Counter(
        {
            (line["hour"], line["scenario"], line["message"]): line[name]
            for line in schedule["lines"]
            if line[name]
        }
    )


async def sent(shop: Shop, friends: list[str]) -> Counter[tuple[str, str, str]]:
    """The same of what went out, by the clock that the journeys go by."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for friend in friends:
        for journey in (await shop.friend(friend))["journeys"]:
            for entry in journey["trail"]:
                if entry["said"].startswith("sent "):
                    at = datetime.fromisoformat(entry["at"]).astimezone(TOKYO)
                    hour = at.replace(minute=0, second=0, microsecond=0).isoformat()
                    message = entry["said"].removeprefix("sent ")
                    counted[hour, journey["scenario"], message] += 1
    return counted


async def test_what_went_out_is_what_was_scheduled(shop: Shop) -> None:
    await shop.publish(SPRING % {"minutes": to_half_past(datetime.now(UTC))})
    await shop.publish(QUIZ)
    friends = [await shop.meet() for _ in range(6)]
    await shop.join("quiz", *friends[:4])
    await shop.join("vip", *friends[2:5])

    async def is_known() -> bool:
        schedule = await scheduled(shop)
        return (schedule["confirmed"], schedule["not_known"]) == (10, 0)

    await eventually(is_known)
    schedule = await scheduled(shop)
    confirmed, expected = lines(schedule, "confirmed"), lines(schedule, "expected")
    assert {(scenario, message) for _, scenario, message in confirmed} == {
        ("spring", "first"),
        ("quiz", "answer"),
    }
    assert {message for _, _, message in expected} == {"coupon", "reminder"}

    await shop.pass_days(4)
    for friend in friends:
        assert await shop.outcome(friend) == "completed"

    # Half of them are in the audience, and nobody came by before: equal shares are the true ones.
    assert await sent(shop, friends) == confirmed + expected
    assert (await scheduled(shop))["lines"] == []


async def test_a_friends_next_step_is_the_step_that_is_then_taken(shop: Shop) -> None:
    await shop.publish(QUIZ)
    friend = await shop.meet()
    await shop.join("quiz", friend)

    async def planned() -> dict[str, Any] | None:
        journeys = (await shop.friend(friend))["journeys"]
        found: dict[str, Any] | None = journeys[0]["next"] if journeys else None
        return found if found and found["state"] == "planned" else None

    found = await eventually(planned)
    assert found is not None
    assert (found["message"], found["wait"], found["timezone"]) == ("answer", "0", "Asia/Tokyo")
    await shop.pass_days(4)
    assert await shop.outcome(friend) == "completed"
    (journey,) = (await shop.friend(friend))["journeys"]
    assert journey["next"] is None
    at = datetime.fromisoformat(journey["trail"][0]["at"])
    due = datetime.fromisoformat(found["due"])
    assert timedelta(0) <= at - due < timedelta(minutes=1)
