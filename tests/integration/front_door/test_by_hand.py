"""One friend and one scenario, by hand: they enter, and are taken out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from tests.integration.front_door.conftest import Publish, Run
from tests.integration.front_door.knocking import HANAKO, TARO, Door, count, journeys
from tests.scenarios import STEPS, yaml
from tobiishi.database import Database
from tobiishi.journeys import by_hand
from tobiishi.journeys import journeys as journeys_
from tobiishi.people import friends
from tobiishi.publishing import versions
from tobiishi.relay.relay import Relay

#: Nobody starts it by themselves here.
VIP = "start: {audience: vip}"


@pytest.fixture
async def hanako(shop: Database) -> str:
    async with shop.transaction() as connection:
        await friends.meet(connection, "default", HANAKO, datetime.now(UTC))
    return HANAKO


async def enter(
    door: Door, reason: str = "電話で頼まれた", *, friend: str = HANAKO, **more: Any
) -> httpx.Response:
    body = {"reason": reason, **more}
    return await door.api("POST", f"/scenarios/welcome/friends/{friend}", json=body)


async def leave(door: Door, reason: str = "解約", *, friend: str = HANAKO) -> httpx.Response:
    path = f"/scenarios/welcome/friends/{friend}"
    return await door.api("DELETE", path, params={"reason": reason})


async def ordered(shop: Database) -> list[str]:
    """What Temporal is to be told."""
    async with shop.connection() as connection:
        return [
            row["kind"] for row in await connection.fetch("select kind from outbox order by id")
        ]


async def end_all(shop: Database, *, ago: timedelta = timedelta(0)) -> None:
    """What the worker does at a journey's end; and all of it was so long ago."""
    async with shop.transaction() as connection:
        for row in await connection.fetch("select id from journeys where ended_at is null"):
            await journeys_.end(connection, row["id"], "completed", at=datetime.now(UTC))
        await connection.execute("update journeys set started_at = started_at - $1::interval", ago)


async def test_a_friend_enters_whoever_starts_it_otherwise(
    door: Door, shop: Database, published: Publish, hanako: str
) -> None:
    await published(yaml("welcome", f"{VIP}\nexit: [{{joins: bought}}]"))
    answer = await enter(door)
    assert answer.status_code == 200, answer.text
    entered = answer.json()
    [journey] = await journeys(shop)
    assert (journey["why"], journey["entry"]) == ("by hand: 電話で頼まれた", 1)
    assert await ordered(shop) == ["start"]
    # What ends it ends it all the same.
    assert await count(shop, "select count(*) from journey_interests where leads_to = 'exit'") == 1
    assert entered["is_new"] is True
    assert entered["waits"] is False
    assert (entered["version"], entered["entry"]) == (1, 1)
    assert entered["first"] == "send hello"
    due = datetime.fromisoformat(entered["first_at"])
    assert due - datetime.fromisoformat(entered["started_at"]) == timedelta(days=30)

    shown = (await door.api("GET", f"/friends/{hanako}")).json()
    assert [each["why"] for each in shown["journeys"]] == ["by hand: 電話で頼まれた"]


async def test_asked_twice_a_friend_enters_once(
    door: Door, shop: Database, published: Publish, hanako: str
) -> None:
    await published(yaml("welcome", VIP))
    answers = await asyncio.gather(*(enter(door, again=True) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert sorted(answer.json()["is_new"] for answer in answers) == [False, False, True]
    assert len(await journeys(shop)) == 1
    assert await ordered(shop) == ["start"]

    # Also where the scenario was over before the second came.
    await end_all(shop)
    again = (await enter(door, again=True)).json()
    assert (again["is_new"], again["entry"]) == (False, 1)
    # Not for ever, and not for another reason.
    assert (await enter(door, "別の理由", again=True)).json()["entry"] == 2
    await end_all(shop, ago=timedelta(minutes=3))
    assert (await enter(door, "別の理由", again=True)).json()["entry"] == 3


async def test_what_keeps_a_friend_out_has_a_code_and_words(
    door: Door, shop: Database, published: Publish, hanako: str
) -> None:
    unheard = await enter(door)
    assert (unheard.status_code, "does not exist" in unheard.text) == (404, True)
    await published(yaml("welcome", VIP))
    stranger = await enter(door, friend=TARO)
    assert (stranger.status_code, "is not a friend" in stranger.text) == (404, True)

    assert (await enter(door)).status_code == 200
    other = await enter(door, "別の理由")
    assert (other.status_code, other.json()["code"]) == (409, "in_it")
    assert "by hand: 電話で頼まれた" in other.json()["detail"]

    await end_all(shop, ago=timedelta(days=1))
    before = await enter(door)
    assert (before.status_code, before.json()["code"]) == (409, "entered_before")

    async with shop.transaction() as connection:
        await versions.retire(connection, "default", "welcome", now=datetime.now(UTC))
    retired = await enter(door, again=True)
    assert (retired.status_code, retired.json()["code"]) == (409, "retired")
    assert len(await journeys(shop)) == 1


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "x" * 201}, {"reason": "a\nb"}, {"reason": "a", "x": 1}]
)
async def test_a_reason_is_one_line(
    door: Door, published: Publish, hanako: str, body: dict[str, Any]
) -> None:
    await published(yaml("welcome", VIP))
    path = f"/scenarios/welcome/friends/{hanako}"
    assert (await door.api("POST", path, json=body)).status_code == 422


async def test_a_friend_is_taken_out(
    door: Door, shop: Database, published: Publish, hanako: str
) -> None:
    await published(yaml("welcome", VIP))
    never = await leave(door)
    assert (never.status_code, "was never in scenario 'welcome'" in never.text) == (404, True)
    await enter(door)
    left = (await leave(door)).raise_for_status().json()
    assert (left["stopped"], left["because"], left["ended_at"]) == (True, "by hand: 解約", None)
    # Asked twice, it is told to Temporal once, and the first reason stands.
    twice = (await leave(door, "別の理由")).raise_for_status().json()
    assert (twice["stopped"], twice["because"]) == (False, "by hand: 解約")
    assert await ordered(shop) == ["start", "stop"]

    await end_all(shop)
    [journey] = await journeys(shop)
    assert (journey["outcome"], journey["stopping_because"]) == ("stopped", "by hand: 解約")
    over = (await leave(door)).raise_for_status().json()
    assert (over["stopped"], over["outcome"]) == (False, "stopped")


async def test_who_is_leaving_enters_again_once_they_have_left(
    door: Door, shop: Database, published: Publish, hanako: str, temporal: Client
) -> None:
    await published(yaml("welcome", VIP))
    await enter(door)
    await leave(door)
    assert (await enter(door)).json()["code"] == "entered_before"
    waiting = (await enter(door, again=True)).raise_for_status().json()
    assert (waiting["waits"], waiting["entry"]) == (True, None)
    # Nothing of the start matters to who enters by hand, nor `reentry`.
    await published(yaml("welcome", "start: friend_added"))
    await end_all(shop)
    await Relay(shop, temporal).pending.drain()
    outcomes = [(row["version"], row["outcome"], row["why"]) for row in await journeys(shop)]
    why = "by hand: 電話で頼まれた"
    assert outcomes == [(1, "stopped", why), (2, None, why)]


async def test_who_was_about_to_enter_is_called_off(
    door: Door, shop: Database, published: Publish, hanako: str
) -> None:
    await published(yaml("welcome", VIP))
    await enter(door)
    await leave(door)
    await enter(door, again=True)
    left = (await leave(door)).raise_for_status().json()
    assert (left["stopped"], left["called_off"]) == (False, True)
    assert await count(shop, "select count(*) from pending_entries") == 0


async def test_temporal_is_told_of_both(
    shop: Database, published: Publish, hanako: str, temporal: Client, name: str
) -> None:
    await published(yaml(name, VIP))
    relay, where = Relay(shop, temporal), ("default", name, hanako)
    async with shop.transaction() as connection:
        entered = await by_hand.enter(
            connection, *where, reason="試し", again=False, now=datetime.now(UTC)
        )
    await relay.drain()
    assert entered.journey is not None
    handle = temporal.get_workflow_handle(entered.journey.ref.workflow_id)
    assert await (await handle.describe()).memo_value("entry") == 1
    async with shop.transaction() as connection:
        await by_hand.take_out(connection, *where, reason="試し")
    await relay.drain()
    signals = [
        past.workflow_execution_signaled_event_attributes.signal_name
        for past in (await handle.fetch_history()).events
        if past.HasField("workflow_execution_signaled_event_attributes")
    ]
    assert signals == ["stop"]


async def test_at_the_terminal(run: Run, shop: Database, published: Publish, hanako: str) -> None:
    await published(yaml("welcome", f"{VIP}\ntimezone: Europe/Berlin", STEPS))
    assert "Missing option '--because'" in await run("friend", "enter", hanako, "welcome")
    entered = await run("friend", "enter", hanako, "welcome", "--because", "電話で")
    assert f"{hanako} entered welcome version 1 (by hand: 電話で)" in entered
    assert "first: send hello, " in entered
    assert "CE" in entered.splitlines()[1]  # CET or CEST.
    twice = await run("friend", "enter", hanako, "welcome", "--because", "電話で")
    assert "with the same words; nothing more was done" in twice

    left = await run("friend", "leave", hanako, "welcome", "--because", "解約")
    assert left == f"{hanako} leaves welcome version 1 (by hand: 解約)\n"
    twice = await run("friend", "leave", hanako, "welcome", "--because", "解約")
    assert twice == f"{hanako} is leaving welcome already (by hand: 解約)\n"
    waits = await run("friend", "enter", hanako, "welcome", "--because", "また", "--again")
    assert "once their former journey, which is ending, has ended" in waits
    called_off = await run("friend", "leave", hanako, "welcome", "--because", "やめる")
    assert f"{hanako} was about to enter welcome, and does not\n" in called_off
    await end_all(shop, ago=timedelta(days=1))
    over = await run("friend", "leave", hanako, "welcome", "--because", "解約")
    assert f"{hanako} is not in welcome: their journey ended at " in over
    assert "(stopped: by hand: 解約)" in over
    with pytest.raises(Exception, match="pass --again"):
        await run("friend", "enter", hanako, "welcome", "--because", "また")
