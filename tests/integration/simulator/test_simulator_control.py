"""The control API: what it takes, and how it says no."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.eventually import eventually
from tests.integration.simulator.conftest import FRIEND, Receiver


async def webhooks(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = (await http.get("/_simulator/webhooks")).json()
    return kept


async def test_friends(http: httpx.AsyncClient) -> None:
    friend = (await http.post("/_simulator/friends", json={"displayName": "花子"})).json()
    assert friend["userId"].startswith("U")
    assert (friend["displayName"], friend["language"]) == ("花子", "ja")
    assert (await http.post("/_simulator/friends")).status_code == 200
    listed = (await http.get("/_simulator/friends")).json()
    assert listed[0] == friend
    assert listed[1]["displayName"]
    blocked = (await http.delete(f"/_simulator/friends/{friend['userId']}")).json()
    assert blocked == {**friend, "status": "blocked"}
    again = await http.post("/_simulator/friends", json={"userId": friend["userId"]})
    assert again.json() == friend


async def test_block_twice_is_told_once(http: httpx.AsyncClient) -> None:
    await http.post("/_simulator/friends", json={"userId": FRIEND})
    for _ in range(2):
        assert (await http.delete(f"/_simulator/friends/{FRIEND}")).status_code == 200
    assert [each["events"][0]["type"] for each in await webhooks(http)] == ["follow", "unfollow"]


async def test_events_change_friends(http: httpx.AsyncClient) -> None:
    for kind, status in [("follow", "friend"), ("unfollow", "blocked"), ("message", "blocked")]:
        await http.post("/_simulator/events", json={"type": kind, "userId": FRIEND})
        assert (await http.get("/_simulator/friends")).json()[0]["status"] == status


async def test_messages_of_one_friend(http: httpx.AsyncClient) -> None:
    other = "U" + "b" * 32
    for to in (FRIEND, other, FRIEND):
        body = {"to": to, "messages": [{"type": "text", "text": to[-1]}]}
        await http.post("/v2/bot/message/push", json=body)
    arrived = (await http.get("/_simulator/messages", params={"to": FRIEND})).json()
    assert [message["to"] for message in arrived] == [FRIEND, FRIEND]
    assert (await http.delete("/_simulator/messages")).status_code == 204
    assert (await http.get("/_simulator/messages")).json() == []
    assert (await http.get("/v2/bot/message/quota/consumption")).json() == {"totalUsage": 3}


async def test_put_faults_replaces_all(http: httpx.AsyncClient) -> None:
    defaults = (await http.get("/_simulator/faults")).json()
    assert (await http.put("/_simulator/faults", json={"rate_500": 0.5})).json() == {
        **defaults,
        "rate_500": 0.5,
    }
    assert (await http.put("/_simulator/faults", json={})).json() == defaults


WRONG: list[tuple[str, str, Any, list[str]]] = [
    ("PUT", "faults", {"rate_429": 1.1}, ["rate_429", "less than or equal to 1"]),
    ("PUT", "faults", {"rate_429": -0.1}, ["rate_429", "greater than or equal to 0"]),
    ("PUT", "faults", {"rate_429": "0.1"}, ["rate_429", "number"]),
    ("PUT", "faults", {"rate429": 0.1}, ["rate429", "known are", "rate_429"]),
    ("PUT", "faults", {"unknown_users": "drop"}, ["unknown_users", "'adopt' or 'refuse'"]),
    ("PUT", "faults", {"quota": -1}, ["quota"]),
    ("PUT", "faults", [], ["body"]),
    ("POST", "friends", {"userId": "U123"}, ["userId", "pattern"]),
    ("POST", "friends", {"name": "花子"}, ["name", "known are", "displayName"]),
    ("POST", "friends", {"displayName": ""}, ["displayName"]),
    ("POST", "friends", {"displayName": "a\ud83d"}, ["displayName"]),
    ("POST", "events", {}, ["type"]),
    ("POST", "events", {"type": ""}, ["type"]),
    ("POST", "events", {"events": [{"type": "follow"}, {}]}, ["events.1.type"]),
    ("POST", "events", {"events": {}}, ["events"]),
    ("POST", "events", "follow", ["body"]),
]


@pytest.mark.parametrize(("method", "path", "body", "words"), WRONG)
async def test_wrong_input(
    shared: httpx.AsyncClient, method: str, path: str, body: Any, words: list[str]
) -> None:
    answer = await shared.request(method, f"/_simulator/{path}", content=json.dumps(body))
    assert answer.status_code == 422
    assert all(word in answer.json()["message"] for word in words)


async def test_not_json(http: httpx.AsyncClient) -> None:
    answer = await http.put("/_simulator/faults", content=b"{")
    assert answer.status_code == 400
    assert "send a JSON object" in answer.json()["message"]


async def test_nobody_to_block(http: httpx.AsyncClient) -> None:
    answer = await http.delete(f"/_simulator/friends/{FRIEND}")
    assert answer.status_code == 404
    assert "GET /_simulator/friends" in answer.json()["message"]


async def test_page(http: httpx.AsyncClient) -> None:
    answer = await http.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    assert "友だちを追加" in answer.text
    assert "//" not in answer.text.replace("<!doctype", "")  # Nothing from elsewhere.


# Webhooks: sent, sent again, given up.


async def delivered(http: httpx.AsyncClient, status: str = "delivered") -> dict[str, Any]:
    kept = await eventually(
        lambda: webhooks(http), lambda all_: [each["status"] for each in all_] == [status]
    )
    return kept[0]


async def test_redelivery(http: httpx.AsyncClient, receiver: Receiver) -> None:
    await http.put("/_simulator/faults", json={"webhook_redelivery_seconds": 0.01})
    receiver.statuses = [500, 302]
    await http.post("/_simulator/friends", json={"userId": FRIEND})
    kept = await delivered(http)
    assert [attempt["status"] for attempt in kept["attempts"]] == [500, 302, 200]
    first, *again = receiver.events
    assert first["deliveryContext"] == {"isRedelivery": False}
    for event in again:
        assert event == {**first, "deliveryContext": {"isRedelivery": True}}


async def test_slow_answer_is_none(http: httpx.AsyncClient, receiver: Receiver) -> None:
    await http.put("/_simulator/faults", json={"webhook_redeliveries": 0})
    receiver.delay = 2.5
    await http.post("/_simulator/friends", json={"userId": FRIEND})
    kept = await delivered(http, "failed")
    assert [attempt["error"] for attempt in kept["attempts"]] != [None]


async def test_giving_up(http: httpx.AsyncClient, receiver: Receiver) -> None:
    await http.put(
        "/_simulator/faults",
        json={"webhook_redeliveries": 2, "webhook_redelivery_seconds": 0.01},
    )
    receiver.statuses = [500] * 9
    await http.post("/_simulator/friends", json={"userId": FRIEND})
    assert len((await delivered(http, "failed"))["attempts"]) == 3


async def test_duplicate(http: httpx.AsyncClient, receiver: Receiver) -> None:
    await http.put("/_simulator/faults", json={"webhook_duplicate": 1})
    await http.post("/_simulator/friends", json={"userId": FRIEND})

    async def taken() -> list[tuple[str, str]]:
        return list(receiver.taken)

    first, second = await eventually(taken, lambda taken: len(taken) == 2)
    assert first == second
