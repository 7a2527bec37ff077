"""Sends that wait: paused by somebody, or because LINE takes none just now. Nobody falls out."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from tests.acceptance.conftest import SECRET, Shop
from tests.eventually import eventually
from tobiishi.channels.holds import month_turns
from tobiishi.simulator import ACCESS_TOKEN

HELLO = """
scenario: hello
title: こんにちは
start: friend_added
steps:
  - send: {name: hello, messages: [{type: text, text: こんにちは}]}
"""
MINUTES = 10 / 60 / 24


async def held(shop: Shop) -> list[tuple[str, str]]:
    holds = (await shop.api.get("/api/holds")).json()
    return [(hold["scope"], hold["kind"]) for hold in holds]


async def tell(shop: Shop, path: str, **body: Any) -> None:
    answer = await shop.api.post(path, json=body or None)
    assert answer.status_code == 200, answer.text


async def waits(shop: Shop, friend: str) -> bool:
    """Whether the friend's journey has come to send, and waits."""
    try:
        described = await shop.journey("hello", friend).describe()
    except Exception:
        return False
    return any(
        pending.HasField("last_failure") for pending in described.raw_description.pending_activities
    )


@pytest.mark.parametrize("whom", ["channels/default", "scenarios/hello"])
async def test_who_is_added_in_a_pause_is_greeted_after_it(shop: Shop, whom: str) -> None:
    await shop.publish(HELLO)
    await tell(shop, f"/api/{whom}/pause", reason="棚卸し")
    friend = await shop.line.add_friend()
    await eventually(lambda: waits(shop, friend))
    await shop.pass_days(2)
    assert await shop.line.texts(friend) == []
    assert (await shop.friend(friend))["journeys"][0]["outcome"] is None

    await tell(shop, f"/api/{whom}/resume")
    await shop.pass_days(MINUTES)

    await shop.line.got(friend, "こんにちは")
    assert await shop.outcome(friend) == "completed"


async def test_a_pause_of_one_friend_concerns_nobody_else(shop: Shop) -> None:
    await shop.publish("""
scenario: hello
title: こんにちは
start: {audience: vip}
steps: [{send: {name: hello, messages: [{type: text, text: こんにちは}]}}]
""")
    one, other = [await shop.meet() for _ in range(2)]
    await tell(shop, f"/api/friends/{one}/pause")
    await shop.join("vip", one, other)
    await shop.line.got(other, "こんにちは")
    assert await shop.line.texts(one) == []
    await tell(shop, f"/api/friends/{one}/resume")
    await shop.pass_days(MINUTES)
    await shop.line.got(one, "こんにちは")


async def test_a_token_that_line_does_not_take_holds_the_channel_until_there_is_a_new_one(
    shop: Shop,
) -> None:
    await shop.publish(HELLO)
    channel = (await shop.api.get("/api/channels")).json()[0]
    good = {"secret": SECRET, "api_base_url": channel["api_base_url"]}
    wrong = good | {"access_token": "revoked"}
    (await shop.api.put("/api/channels/default", json=wrong)).raise_for_status()
    friends = [await shop.line.add_friend() for _ in range(3)]
    for friend in friends:
        await eventually(partial(waits, shop, friend))
    assert await held(shop) == [("channel", "token")]

    right = good | {"access_token": ACCESS_TOKEN}
    (await shop.api.put("/api/channels/default", json=right)).raise_for_status()
    assert await held(shop) == []
    await shop.pass_days(MINUTES)

    for friend in friends:
        await shop.line.got(friend, "こんにちは")


async def test_a_spent_quota_holds_the_channel_until_the_month_turns_or_somebody_resumes(
    shop: Shop,
) -> None:
    await shop.publish(HELLO)
    await shop.line.faults(quota=1)
    first = await shop.line.add_friend()
    await shop.line.got(first, "こんにちは")
    second = await shop.line.add_friend()
    await eventually(lambda: waits(shop, second))
    (hold,) = (await shop.api.get("/api/holds")).json()
    assert (hold["kind"], hold["scope"]) == ("quota", "channel")
    assert datetime.fromisoformat(hold["until"]) == month_turns(datetime.now(UTC))

    await shop.line.faults()
    await tell(shop, "/api/channels/default/resume")
    await shop.pass_days(MINUTES)

    await shop.line.got(second, "こんにちは")


async def test_a_hold_asks_line_nothing(shop: Shop) -> None:
    """No storm of requests that must fail."""
    await shop.publish(HELLO)
    await tell(shop, "/api/channels/default/pause")
    friend = await shop.line.add_friend()
    await eventually(lambda: waits(shop, friend))
    asked = (await shop.line.http.get("/_simulator/requests")).json()
    assert not [each for each in asked if "push" in str(each) and "validate" not in str(each)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/channels/nobody/pause", 404),
        ("/api/scenarios/nothing/pause", 404),
        (f"/api/friends/U{'0' * 32}/pause", 404),
        ("/api/channels/default/resume", 404),
    ],
)
async def test_what_is_not_there_is_neither_paused_nor_resumed(
    shop: Shop, path: str, status: int
) -> None:
    answer = await shop.api.post(path)
    assert (answer.status_code, bool(answer.json()["detail"])) == (status, True)


async def test_a_message_that_is_late_after_a_pause_goes_by_its_scenarios_rule(
    shop: Shop,
) -> None:
    skips = HELLO.replace("start: friend_added", "start: friend_added\nif_late: skip")
    await shop.publish(skips + "  - send: {name: next, messages: [{type: text, text: つぎ}]}\n")
    await tell(shop, "/api/channels/default/pause")
    friend = await shop.line.add_friend()
    await eventually(lambda: waits(shop, friend))
    await shop.pass_days(1)
    await tell(shop, "/api/channels/default/resume")
    await shop.pass_days(MINUTES)

    await shop.line.got(friend, "つぎ")
    (journey,) = (await shop.friend(friend))["journeys"]
    assert journey["trail"][0]["said"].startswith("did not send hello: it was late: due ")
    assert [each["status"] for each in journey["deliveries"]] == ["skipped", "sent"]
