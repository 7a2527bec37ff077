"""One message, sent once: the ledger, the friend's status and LINE's retry key, try after try."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import Sending
from activities.context import Context
from tests.eventually import eventually
from tests.scenarios import publish, yaml
from tests.serving import serving
from tobiishi.channels.channels import Channel, Channels
from tobiishi.database import Database
from tobiishi.journeys import deliveries, journeys
from tobiishi.journeys.deliveries import RETRY_KEY_LIFETIME
from tobiishi.people import friends
from tobiishi.plan import JourneyRef, Plan, Turn
from tobiishi.scenario import first_plan
from tobiishi.simulator import ACCESS_TOKEN, create_simulator

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
HANAKO = "U" + "1" * 32
STEPS = """steps:
  - send: {name: hello, messages: [{type: text, text: こんにちは}]}
  - send: {name: bye, messages: [{type: text, text: さようなら}]}
"""


@dataclass
class Desk:
    """Where one journey's message is sent from, try after try."""

    context: Context
    line: httpx.AsyncClient
    journey: JourneyRef
    plan: Plan
    #: How the journey ended by the last send, if so.
    outcome: str | None = None

    async def send(self, *, after: timedelta = timedelta(0)) -> str:
        """What the trail says, or the error that has it tried again. Takes on the next plan."""
        env = ActivityEnvironment()
        env.info = replace(ActivityEnvironment.default_info(), started_time=NOW + after)
        turn = Turn(journey=self.journey, plan=self.plan)
        try:
            taken = await env.run(Sending(self.context).send, turn)
        except ApplicationError as error:
            return f"again: {error.type}"
        self.plan, self.outcome = taken.plan, taken.outcome
        return str(taken.said).split(" ", 2)[2]

    async def faults(self, **faults: Any) -> None:
        (await self.line.put("/_simulator/faults", json=faults)).raise_for_status()

    async def received(self) -> int:
        answer = await self.line.get("/_simulator/messages", params={"to": HANAKO})
        return len(answer.raise_for_status().json())

    async def ledger(self) -> list[asyncpg.Record]:
        async with self.context.database.connection() as connection:
            return await connection.fetch("select * from deliveries order by claimed_at, visit")

    async def statuses(self) -> list[str]:
        return [row["status"] for row in await self.ledger()]

    async def block(self) -> None:
        async with self.context.database.transaction() as connection:
            await friends.set_status(connection, "default", HANAKO, "blocked", NOW + DAY)


@pytest.fixture
async def desk(database: Database, channels: Channels) -> AsyncIterator[Desk]:
    simulator = create_simulator(webhook_url="http://127.0.0.1:1/", channel_secret="s")
    async with serving(simulator) as url, httpx.AsyncClient(base_url=url) as line:
        async with database.transaction() as connection:
            channel = Channel(
                channel="default",
                title="x",
                secret="s",
                access_token=ACCESS_TOKEN,
                api_base_url=url,
            )
            await channels.put(connection, channel)
            version = (await publish(connection, yaml(steps=STEPS), now=NOW)).version
            await friends.meet(connection, "default", HANAKO, NOW)
            entry = await journeys.enter(connection, version, HANAKO, why="x", now=NOW)
            assert entry is not None
            journey = (await journeys.get(connection, entry)).ref
        async with Context(database=database, channels=channels).closing() as context:
            yield Desk(context, line, journey, first_plan(version.scenario, NOW))


GROUP = "C" + "1" * 32


async def test_a_group_that_a_former_release_took_for_a_friend_gets_nothing(desk: Desk) -> None:
    async with desk.context.database.transaction() as connection:
        await friends.meet(connection, "default", GROUP, NOW)
        await connection.execute("update journeys set friend = $1", GROUP)
    desk.journey = replace(desk.journey, friend=GROUP)
    await desk.send()
    (row,) = await desk.ledger()
    assert (row["status"], row["reason"]) == ("skipped", "not the id of a friend")
    assert row["request_id"] is None


async def test_a_message_is_sent_once_however_often_it_is_tried(desk: Desk) -> None:
    first = desk.plan
    assert await desk.send() == "sent hello"
    for _ in range(3):
        desk.plan = first  # The worker died before it could say so.
        assert await desk.send() == "sent hello"
    assert await desk.received() == 1
    (row,) = await desk.ledger()
    assert row["status"] == "sent"
    assert row["request_id"]


@pytest.mark.parametrize("fault", ["cut_after_acceptance", "rate_500", "cut_before_acceptance"])
async def test_an_answer_that_is_lost_is_asked_for_again_under_the_same_key(
    desk: Desk, fault: str
) -> None:
    await desk.faults(**{fault: 1})
    assert await desk.send() == "again: Unreachable"
    await desk.faults()
    assert await desk.send() == "sent hello"
    assert await desk.received() == 1
    (row,) = await desk.ledger()
    assert (row["status"], row["attempts"]) == ("sent", 2)


async def test_who_blocked_a_moment_ago_gets_nothing(desk: Desk) -> None:
    await desk.block()
    assert "blocked" in await desk.send()
    assert (await desk.received(), await desk.statuses()) == (0, ["skipped"])


async def test_a_block_and_a_send_at_once_agree(desk: Desk) -> None:
    """Whichever comes first, the ledger says what LINE was asked."""
    said, _ = await asyncio.gather(desk.send(), desk.block())
    (status,) = await desk.statuses()
    assert (status, await desk.received()) == (("sent", 1) if "sent" in said else ("skipped", 0))


async def test_who_blocks_after_an_answer_was_lost_may_have_got_it(desk: Desk) -> None:
    await desk.faults(cut_after_acceptance=1)
    await desk.send()
    await desk.faults()
    await desk.block()
    assert (await desk.send()).startswith("perhaps sent hello")
    assert await desk.statuses() == ["unknown"]


async def test_after_a_day_of_lost_answers_nothing_is_sent_blind(desk: Desk) -> None:
    await desk.faults(rate_500=1)
    await desk.send()
    await desk.send(after=RETRY_KEY_LIFETIME - timedelta(minutes=1))
    await desk.faults()
    assert (await desk.send(after=RETRY_KEY_LIFETIME + timedelta(minutes=1))).startswith(
        "perhaps sent"
    )
    assert (await desk.received(), await desk.statuses()) == (0, ["unknown"])


async def test_after_a_day_of_clear_refusals_a_new_key_is_safe(desk: Desk) -> None:
    await desk.faults(rate_429=1)
    for hours in (0, 10, 22):
        assert await desk.send(after=timedelta(hours=hours)) == "again: RateLimited"
    await desk.faults()
    assert "tried again a day later" in await desk.send(after=DAY)
    assert await desk.received() == 0
    assert await desk.send(after=DAY) == "sent hello"
    assert await desk.received() == 1
    rows = await desk.ledger()
    assert [(row["status"], row["visit"]) for row in rows] == [("skipped", 1), ("sent", 2)]
    assert rows[0]["retry_key"] != rows[1]["retry_key"]


async def test_a_worker_that_died_while_it_asked_has_perhaps_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could keep nothing of the outcome; and then nobody could ask for a day."""

    class Died(Exception):
        pass

    async def die(*_: Any, **__: Any) -> None:
        raise Died

    with monkeypatch.context() as dying:
        dying.setattr("tobiishi.journeys.steps.advance", die)
        with pytest.raises(Died):
            await desk.send()
    assert (await desk.received(), await desk.statuses()) == (1, ["claimed"])

    said = await desk.send(after=DAY)

    assert said.startswith("perhaps sent hello")
    assert (await desk.received(), await desk.statuses()) == (1, ["unknown"])


@pytest.mark.parametrize(
    ("fault", "status", "received"),
    [
        ("cut_after_acceptance", "unknown", 1),
        ("rate_500", "unknown", 0),
        ("rate_429", "skipped", 0),
    ],
)
async def test_a_journey_that_ends_leaves_no_message_half_sent(
    desk: Desk, fault: str, status: str, received: int
) -> None:
    await desk.faults(**{fault: 1})
    assert (await desk.send()).startswith("again: ")
    async with desk.context.database.transaction() as connection:
        await journeys.end(connection, desk.journey.journey_id, "exited", at=NOW)
    (row,) = await desk.ledger()
    assert (row["status"], await desk.received()) == (status, received)
    assert row["reason"].startswith("the journey ended before LINE had clearly answered")


async def test_an_answer_that_comes_after_the_journey_ended_is_kept(desk: Desk) -> None:
    """As where somebody terminates the workflow in the Temporal UI in that moment."""
    await desk.faults(latency_seconds=1)
    sending = asyncio.create_task(desk.send())
    await eventually(desk.statuses)
    async with desk.context.database.transaction() as connection:
        await journeys.end(connection, desk.journey.journey_id, "stopped", at=NOW)
    assert await desk.statuses() == ["unknown"]
    assert await sending == "sent hello"
    (row,) = await desk.ledger()
    assert (row["status"], row["reason"], bool(row["request_id"])) == ("sent", None, True)


async def test_what_is_unknown_or_refused_is_there_to_look_at(desk: Desk) -> None:
    first = desk.plan
    await desk.faults(unknown_users="refuse")
    for visit in range(1, 6):
        desk.plan = replace(first, visit=visit)
        await desk.send(after=timedelta(seconds=visit))
    async with desk.context.database.connection() as connection:
        page = await deliveries.to_look_at(connection, "default", "refused", limit=3)
        last = page[-1].delivery.retry_key
        rest = await deliveries.to_look_at(connection, "default", "refused", after=last, limit=3)
        none = await deliveries.to_look_at(connection, "default", "unknown", limit=3)
    seen = [each.delivery.claimed_at for each in (*page, *rest)]
    assert seen == sorted(seen, reverse=True)
    assert (len(page), len(rest), none) == (3, 2, [])
    assert {(each.friend, each.scenario) for each in page} == {(HANAKO, "welcome")}


async def test_the_last_message_ends_the_journey_however_often_it_is_tried(desk: Desk) -> None:
    """The worker may die when all is kept, and before Temporal hears of it."""

    async def journey() -> journeys.Journey:
        async with desk.context.database.connection() as connection:
            return await journeys.get(connection, desk.journey.journey_id)

    assert await desk.send() == "sent hello"
    assert (desk.outcome, (await journey()).ended_at) == (None, None)
    last = desk.plan
    for after in (timedelta(0), timedelta(minutes=1)):
        desk.plan = last
        assert await desk.send(after=after) == "sent bye"
        assert (desk.outcome, (await journey()).outcome) == ("completed", "completed")
    assert (await journey()).ended_at == NOW
    assert await desk.received() == 2


async def test_a_journey_that_is_stopped_in_its_last_send_ends_as_stopped(desk: Desk) -> None:
    await desk.send()
    await desk.faults(latency_seconds=1)
    sending = asyncio.create_task(desk.send())
    await eventually(desk.statuses, lambda statuses: len(statuses) == 2)
    await desk.block()
    async with desk.context.database.transaction() as connection:
        await journeys.stop_all_of_friend(
            connection, "default", HANAKO, "unfollowed", because="blocked the channel"
        )
    assert await sending == "sent bye"
    assert desk.outcome == "unfollowed"


async def test_a_retry_key_is_of_journey_entry_step_and_visit(desk: Desk) -> None:
    first = desk.plan
    keys = []
    for change in ({}, {"visit": 2}, {"step": "0"}):
        desk.plan = replace(first, **change)
        await desk.send()
        keys = [row["retry_key"] for row in await desk.ledger()]
    assert len(set(keys)) == 2  # `0` is the step that it was.
