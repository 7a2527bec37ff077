"""The relay: what is kept becomes journeys and stops, once, in order, whatever is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sized
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode

from tests.defining import define
from tests.eventually import eventually
from tests.integration.front_door.conftest import Open, Publish
from tests.integration.front_door.knocking import (
    HANAKO,
    TARO,
    body_of,
    count,
    event,
    follow,
    friend_id,
    journeys,
    said,
    unfollow,
)
from tests.integration.front_door.proxying import Way
from tests.scenarios import yaml
from tobiishi import webhooks
from tobiishi.database import Database
from tobiishi.journeys import deliveries
from tobiishi.journeys import journeys as journeys_
from tobiishi.people import audiences
from tobiishi.relay.relay import Relay
from tobiishi.settings import Settings


@pytest.fixture
def relay(shop: Database, temporal: Client) -> Relay:
    """A relay that works when told to."""
    return Relay(shop, temporal)


async def keep(database: Database, *events: dict[str, Any]) -> None:
    read = webhooks.read("default", body_of(*events), received_at=datetime.now(UTC))
    async with database.connection() as connection:
        await webhooks.keep(connection, read)


async def due_now(database: Database) -> None:
    """Let what was put off be due."""
    async with database.connection() as connection:
        for table in ("webhook_events", "audience_changes", "pending_entries", "outbox"):
            await connection.execute(f"update {table} set retry_at = '-infinity'")


async def orders(database: Database) -> list[tuple[str, int, str | None]]:
    async with database.connection() as connection:
        rows = await connection.fetch("select kind, attempts, error from outbox order by id")
    return [tuple(row) for row in rows]


async def stops_signalled(client: Client, workflow_id: str) -> int:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return sum(
        1
        for past in history.events
        if past.workflow_execution_signaled_event_attributes.signal_name == "stop"
    )


# --- starting


async def test_a_follow_starts_a_journey_that_can_be_found_in_temporal(
    relay: Relay, shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, follow())
    await relay.drain()

    (row,) = await journeys(shop)
    assert (row["friend"], row["scenario"], row["version"], row["entry"]) == (HANAKO, name, 1, 1)
    assert row["why"] == "was added as a friend"
    seen = await temporal.get_workflow_handle(f"journey/default/{name}/{HANAKO}").describe()
    assert seen.status == WorkflowExecutionStatus.RUNNING
    assert seen.workflow_type == "journey"
    assert seen.task_queue == "journeys"
    assert await seen.memo_value("entry") == 1
    told = {
        key: seen.typed_search_attributes[SearchAttributeKey.for_keyword(key)]
        for key in ("Channel", "Scenario", "ScenarioVersion", "Friend", "JourneyState")
    }
    assert told == {
        "Channel": "default",
        "Scenario": name,
        "ScenarioVersion": "1",
        "Friend": HANAKO,
        "JourneyState": "active",
    }
    assert await seen.static_summary() == f"{name} v1: {HANAKO}"
    assert "was added as a friend" in str(await seen.static_details())
    assert await orders(shop) == []


async def test_the_same_follow_twice_starts_one_journey(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(name, "start: friend_added\nreentry: after_finishing"))
    first = follow()
    await keep(shop, first)
    await relay.drain()
    await keep(shop, first, follow(at=first["timestamp"]))
    await relay.drain()
    assert len(await journeys(shop)) == 1


async def test_a_friend_who_speaks_before_their_follow_event_arrives_still_starts(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, said("やあ", at=2000))
    await relay.drain()
    await keep(shop, follow(at=1000))
    await relay.drain()
    assert len(await journeys(shop)) == 1


async def test_each_scenario_that_starts_on_it_starts(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(f"{name}-a"))
    await published(yaml(f"{name}-b"))
    await published(yaml(f"{name}-c", "start: {audience: vip}"))
    await keep(shop, follow(), follow(TARO))
    await relay.drain()
    started = [(row["friend"], row["scenario"]) for row in await journeys(shop)]
    assert started == [
        (HANAKO, f"{name}-a"),
        (HANAKO, f"{name}-b"),
        (TARO, f"{name}-a"),
        (TARO, f"{name}-b"),
    ]


async def test_two_relays_at_once_start_each_journey_once(
    shop: Database, dsn: str, temporal: Client, published: Publish, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, *(follow(friend_id(number)) for number in range(300)))
    other = await Database.open(dsn)
    try:
        relays = [Relay(shop, temporal), Relay(other, temporal)]
        for _ in range(2):  # What one of them held, the other passed over.
            await asyncio.gather(*(relay.drain() for relay in relays))
    finally:
        await other.close()
    rows = await journeys(shop)
    assert [row["friend"] for row in rows] == [friend_id(number) for number in range(300)]
    assert await orders(shop) == []
    assert await count(shop, "select count(*) from webhook_events where attempts > 0") == 0

    async def started() -> int:
        return (await temporal.count_workflows(f'Scenario = "{name}"')).count

    await eventually(started, lambda seen: seen == 300)


async def test_a_relay_that_dies_before_its_commit_does_not_start_twice(
    relay: Relay, shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, follow())
    await relay.events.drain()

    async def die() -> None:
        async with shop.transaction() as connection:
            assert await relay.outbox.handle_one(connection, datetime.now(UTC))
            raise KeyError("killed")

    with pytest.raises(KeyError):
        await die()
    handle = temporal.get_workflow_handle(f"journey/default/{name}/{HANAKO}")
    first = await handle.describe()
    assert [order[0] for order in await orders(shop)] == ["start"]
    await relay.drain()
    assert await orders(shop) == []
    assert (await handle.describe()).run_id == first.run_id


async def test_a_relay_cancelled_at_any_moment_loses_nothing(
    shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, *(follow(friend_id(number)) for number in range(40)))
    for _ in range(30):
        async with Relay(shop, temporal):
            await asyncio.sleep(0.01)
    await Relay(shop, temporal).drain()
    assert len(await journeys(shop)) == 40
    assert await orders(shop) == []


async def test_a_former_journey_that_is_about_to_close_is_waited_for(
    relay: Relay, shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(name, "start: friend_added\nreentry: after_finishing"))
    await keep(shop, follow())
    await relay.drain()
    (first,) = await journeys(shop)
    async with shop.transaction() as connection:
        await journeys_.end(connection, first["id"], "completed", at=datetime.now(UTC))
    await keep(shop, follow())
    await relay.drain()
    ((kind, attempts, error),) = await orders(shop)
    assert (kind, attempts) == ("start", 1)
    assert "AlreadyStarted" in str(error)

    handle = temporal.get_workflow_handle(f"journey/default/{name}/{HANAKO}")
    await handle.terminate()
    async with Relay(shop, temporal):
        await eventually(lambda: orders(shop), lambda seen: seen == [], seconds=5)
    seen = await handle.describe()
    assert seen.status == WorkflowExecutionStatus.RUNNING
    assert await seen.memo_value("entry") == 2


async def test_a_journey_that_ended_before_it_was_started_is_not_started(
    relay: Relay, shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, follow())
    await relay.events.drain()
    (row,) = await journeys(shop)
    async with shop.transaction() as connection:
        await journeys_.end(connection, row["id"], "stopped", at=datetime.now(UTC))
    await relay.drain()
    assert await orders(shop) == []
    with pytest.raises(RPCError) as refused:
        await temporal.get_workflow_handle(f"journey/default/{name}/{HANAKO}").describe()
    assert refused.value.status == RPCStatusCode.NOT_FOUND


async def test_a_journey_that_somebody_has_locked_is_not_waited_for(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, follow(), follow(TARO))
    await relay.events.drain()
    async with shop.transaction() as connection:
        await connection.execute("select from journeys where friend = $1 for update", HANAKO)
        async with asyncio.timeout(10):
            await relay.outbox.drain()
    assert await orders(shop) == []
    hers, his = await journeys(shop)
    assert (his["next_action"], his["next_step"], his["next_wait"]) == ("send", "1", "0")
    assert his["next_due"] > datetime.now(UTC) + timedelta(days=29)
    assert hers["next_action"] is None


async def test_each_journey_is_told_its_own(
    relay: Relay, shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    """Also where many are told at once, and one of them can't be."""
    await published(yaml(name, "start: friend_added\nreentry: after_finishing"))
    everybody = [friend_id(number) for number in range(40)]
    await keep(shop, *(follow(friend, at=1000) for friend in everybody))
    await relay.drain()
    for row in (await journeys(shop))[:2]:
        async with shop.transaction() as connection:
            await journeys_.end(connection, row["id"], "completed", at=datetime.now(UTC))
    # Two whose former workflows still run, and stops of the others.
    await keep(shop, *(follow(friend, at=2000) for friend in everybody[:2]))
    await keep(shop, *(unfollow(friend, at=3000) for friend in everybody[2:]))
    await temporal.get_workflow_handle(f"journey/default/{name}/{everybody[2]}").terminate()
    await relay.drain()
    assert [(kind, attempts) for kind, attempts, _ in await orders(shop)] == [("start", 1)] * 2
    ended = {row["friend"] for row in await journeys(shop) if row["outcome"] == "unfollowed"}
    assert ended == {everybody[2]}
    for friend in everybody[3:]:
        assert await stops_signalled(temporal, f"journey/default/{name}/{friend}") == 1


async def test_what_is_taken_is_planned_for_what_is_there(
    dsn: str, shop: Database, temporal: Client
) -> None:
    """A plan that Postgres keeps from an empty queue takes seconds for a full one."""
    own = await Database.open(dsn, size=1)
    try:
        relay = Relay(own, temporal)
        queues = (relay.changes, relay.pending, relay.outbox)
        for queue in queues:
            for _ in range(10):
                await queue.drain()
        async with own.connection() as connection:
            plans = await connection.fetch(
                "select custom_plans, generic_plans from pg_prepared_statements"
                " where statement like '%skip' || ' locked%'"
            )
    finally:
        await own.close()
    assert [tuple(row) for row in plans] == [(10, 0)] * len(queues)


# --- stopping


async def test_an_unfollow_stops_every_journey_of_the_friend(
    relay: Relay, shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(f"{name}-a"))
    await published(yaml(f"{name}-b"))
    await keep(shop, follow(at=1000), follow(TARO, at=1000))
    await relay.drain()
    await keep(shop, unfollow(at=2000))
    await relay.drain()
    for row in await journeys(shop):
        hers = row["friend"] == HANAKO
        assert row["stopping"] == ("unfollowed" if hers else None)
        assert row["stopping_because"] == ("blocked the channel" if hers else None)
        workflow_id = f"journey/default/{row['scenario']}/{row['friend']}"
        assert await stops_signalled(temporal, workflow_id) == (1 if hers else 0)


async def test_an_unfollow_said_twice_signals_once(
    relay: Relay, shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, follow(at=1000))
    await relay.drain()
    await keep(shop, unfollow(at=2000), unfollow(at=2000), unfollow(at=3000))
    await relay.drain()
    assert await stops_signalled(temporal, f"journey/default/{name}/{HANAKO}") == 1


async def test_a_block_told_before_the_follow_it_came_after_keeps_the_friend_out(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, unfollow(at=2000))
    await relay.drain()
    await keep(shop, follow(at=1000))
    await relay.drain()
    assert await journeys(shop) == []
    assert await count(shop, "select count(*) from friends where status = 'blocked'") == 1


async def test_a_block_told_after_the_follow_that_came_after_it_stops_nothing(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, follow(at=2000))
    await relay.drain()
    await keep(shop, unfollow(at=1000))
    await relay.drain()
    (row,) = await journeys(shop)
    assert row["stopping"] is None
    assert await count(shop, "select count(*) from friends where status = 'following'") == 1


async def test_a_follow_and_an_unfollow_handled_at_once_leave_no_journey_going(
    shop: Database, dsn: str, temporal: Client, published: Publish, name: str
) -> None:
    await published(yaml(name))
    for number in range(50):
        await keep(shop, follow(friend_id(number), at=1000), unfollow(friend_id(number), at=2000))
    relay = Relay(shop, temporal)
    await relay.drain()
    going = "select count(*) from journeys where stopping is null"
    assert await count(shop, going) == 0
    assert await count(shop, "select count(*) from friends where status = 'blocked'") == 50
    await due_now(shop)
    await relay.drain()
    assert await orders(shop) == []


async def test_a_stop_is_told_after_its_start_only(
    relay: Relay, shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, follow(at=1000))
    await relay.events.drain()
    await keep(shop, unfollow(at=2000))
    await relay.events.drain()
    assert [order[0] for order in await orders(shop)] == ["start", "stop"]
    now = datetime.now(UTC)
    async with shop.transaction() as first:
        assert await relay.outbox.handle_one(first, now)
        async with shop.transaction() as second:
            assert not await relay.outbox.handle_one(second, now)
    await relay.outbox.drain()
    assert await orders(shop) == []
    assert await stops_signalled(temporal, f"journey/default/{name}/{HANAKO}") == 1


async def test_a_start_that_is_put_off_puts_off_its_stop_too(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, follow(at=1000))
    await relay.events.drain()
    await keep(shop, unfollow(at=2000))
    await relay.events.drain()
    async with shop.connection() as connection:
        await connection.execute(
            "update outbox set retry_at = now() + interval '1 hour' where kind = 'start'"
        )
    await relay.drain()
    assert [order[0] for order in await orders(shop)] == ["start", "stop"]
    await due_now(shop)
    await relay.drain()
    assert await orders(shop) == []


async def test_a_stop_ends_a_journey_whose_workflow_an_operator_terminated(
    relay: Relay, shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, follow(at=1000))
    await relay.drain()
    await temporal.get_workflow_handle(f"journey/default/{name}/{HANAKO}").terminate()
    await keep(shop, unfollow(at=2000))
    await relay.drain()
    (row,) = await journeys(shop)
    assert row["ended_at"] is not None
    assert row["outcome"] == "unfollowed"
    assert await orders(shop) == []


async def test_a_stop_for_a_namespace_that_is_not_there_ends_nothing(
    shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, follow(at=1000))
    await Relay(shop, temporal).drain()
    await keep(shop, unfollow(at=2000))
    config = temporal.service_client.config
    lost = await Client.connect(config.target_host, namespace="nowhere", lazy=True)
    await Relay(shop, lost).drain()
    (row,) = await journeys(shop)
    assert row["ended_at"] is None
    assert [order[0] for order in await orders(shop)] == ["stop"]


# --- audience changes


async def test_changes_of_one_friend_are_followed_in_their_order(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(name, "start: {audience: vip}\nexit: [{leaves: vip}]"))
    await keep(shop, follow(), follow(TARO))
    await relay.drain()
    now = datetime.now(UTC)
    async with shop.transaction() as connection:
        await audiences.join(connection, "default", "vip", [HANAKO], at=now, reason="bought")
    async with shop.transaction() as connection:
        await audiences.leave(connection, "default", "vip", [HANAKO], at=now, reason="returned")
    async with shop.transaction() as connection:
        await audiences.join(connection, "default", "vip", [TARO], at=now, reason="bought")
    now = datetime.now(UTC)
    async with shop.transaction() as first:
        # Her first and his: her second must wait.
        assert await relay.changes.handle_one(first, now)
        async with shop.transaction() as second:
            assert not await relay.changes.handle_one(second, now)
        assert await first.fetchval("select count(*) from audience_changes") == 1
    await relay.drain()
    hers, his = await journeys(shop)
    assert (hers["friend"], hers["stopping"]) == (HANAKO, "exited")
    assert hers["stopping_because"] == "left vip"
    assert (his["friend"], his["stopping"]) == (TARO, None)


# --- failing, and going on


async def test_an_event_that_cannot_be_handled_is_put_off_and_blocks_nobody(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(name))
    definition = await spoil(shop, '{"\\u0000": 1}')
    await keep(shop, *(follow(friend_id(number)) for number in range(6)))
    await keep(shop, event("message", friend_id(99)))
    await relay.drain()
    async with shop.connection() as connection:
        rows = await connection.fetch(
            "select attempts, error, retry_at - now() as wait from webhook_events"
            " where handled_at is null"
        )
    assert [row["attempts"] for row in rows] == [1] * 6
    assert all("ValidationError" in row["error"] for row in rows)
    assert all(row["wait"] < timedelta(seconds=2) for row in rows)
    assert await count(shop, "select count(*) from friends") == 1

    await spoil(shop, definition)
    async with Relay(shop, relay.outbox.temporal):
        await eventually(lambda: journeys(shop), lambda seen: len(seen) == 6, seconds=5)


async def test_an_order_that_cannot_be_followed_is_put_off_and_blocks_nobody(
    relay: Relay, shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(f"{name}-good"))
    await published(yaml(f"{name}-lost"))
    await keep(shop, follow(), follow(TARO))
    await relay.events.drain()
    definition = await spoil(shop, '{"\\u0000": 1}', like="%-lost")
    await relay.drain()
    assert [attempts for _, attempts, _ in await orders(shop)] == [1, 1]
    for friend in (HANAKO, TARO):
        await temporal.get_workflow_handle(f"journey/default/{name}-good/{friend}").describe()
    await spoil(shop, definition, like="%-lost")
    await due_now(shop)
    await relay.drain()
    assert await orders(shop) == []


async def test_a_change_that_cannot_be_followed_is_put_off_and_blocks_nobody(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(f"{name}-good", "start: {audience: regulars}"))
    await published(yaml(f"{name}-lost", "start: {audience: vip}"))
    await keep(shop, follow(), follow(TARO))
    await relay.drain()
    definition = await spoil(shop, "{}", like="%-lost")
    now = datetime.now(UTC)
    async with shop.transaction() as connection:
        await audiences.join(connection, "default", "vip", [HANAKO], at=now, reason="x")
        await audiences.join(connection, "default", "regulars", [TARO], at=now, reason="x")
    await relay.drain()
    assert [row["friend"] for row in await journeys(shop)] == [TARO]
    await spoil(shop, definition, like="%-lost")
    await due_now(shop)
    await relay.drain()
    assert [row["friend"] for row in await journeys(shop)] == [HANAKO, TARO]


async def spoil(database: Database, definition: str, *, like: str = "%") -> str:
    """Put that in the place of published definitions; tells one of the former."""
    async with database.connection() as connection:
        former: str = await connection.fetchval(
            "select definition::text from scenario_versions where scenario like $1 limit 1", like
        )
        await connection.execute(
            "update scenario_versions set definition = $1::text::json where scenario like $2",
            definition,
            like,
        )
    return former


async def test_a_clock_behind_the_databases_holds_nothing_up(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(name))
    behind = datetime.now(UTC) - timedelta(hours=1)
    await keep(shop, follow())
    async with shop.transaction() as connection:
        assert await relay.events.handle_one(connection, behind)
        assert await relay.outbox.handle_one(connection, behind)
        await define(connection, "vip", at=behind)
        await audiences.join(connection, "default", "vip", [HANAKO], at=behind, reason="x")
        assert await relay.changes.handle_one(connection, behind)


async def test_a_relay_whose_database_goes_and_comes_goes_on(
    shop: Database, dsn: str, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(name))
    own = await Database.open(dsn)
    try:
        async with Relay(own, temporal) as relay:
            for number in range(2):
                async with shop.connection() as connection:
                    await connection.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where datname = current_database() and pid <> pg_backend_pid()"
                    )
                await keep(shop, follow(friend_id(number)))
                relay.events.ring()

                def are_all(seen: Sized, expected: int = number + 1) -> bool:
                    return len(seen) == expected

                await eventually(lambda: journeys(shop), are_all, seconds=5)
            assert relay.is_running
    finally:
        await own.close()


async def test_a_row_that_no_hand_can_take_does_not_end_the_relay(
    shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(name))
    async with Relay(shop, temporal) as relay:
        async with shop.connection() as connection:
            await connection.execute("alter table webhook_events rename to elsewhere")
        await asyncio.sleep(0.6)
        assert relay.is_running
        async with shop.connection() as connection:
            await connection.execute("alter table elsewhere rename to webhook_events")
        await keep(shop, follow())
        await eventually(lambda: journeys(shop), lambda seen: len(seen) == 1, seconds=5)


async def test_a_relay_ends_whenever_it_is_rung(shop: Database) -> None:
    """Also where the bell rings in the moment in which it is told to end."""
    queue = Relay(shop, await Client.connect("127.0.0.1:1", lazy=True)).changes
    for moments in range(8):
        running = asyncio.create_task(queue.run())
        await asyncio.sleep(0.1)  # It has looked, and waits.
        queue.ring()
        for _ in range(moments):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running], timeout=5)
        assert running.cancelled(), moments


# --- Temporal away


@asynccontextmanager
async def through(way: Way) -> AsyncIterator[Client]:
    yield await Client.connect(way.address, data_converter=pydantic_data_converter, lazy=True)


async def test_journeys_start_by_themselves_when_temporal_is_back(
    shop: Database, published: Publish, temporal: Client, name: str
) -> None:
    await published(yaml(name))
    target = temporal.service_client.config.target_host
    async with Way(target) as way, through(way) as client, Relay(shop, client) as relay:
        await keep(shop, follow(), follow(TARO))
        await eventually(
            lambda: orders(shop), lambda seen: [order[1] > 0 for order in seen] == [True, True]
        )
        assert relay.is_running
        await way.open()
        await eventually(lambda: orders(shop), lambda seen: seen == [], seconds=8)
    for friend in (HANAKO, TARO):
        await temporal.get_workflow_handle(f"journey/default/{name}/{friend}").describe()


async def test_a_temporal_that_hangs_holds_up_no_webhook(
    opened: Open,
    settings: Settings,
    published: Publish,
    temporal: Client,
    name: str,
    shop: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await published(yaml(name))
    async with Way(temporal.service_client.config.target_host) as way:
        await way.open(hangs=True)
        monkeypatch.setenv("TEMPORAL_ADDRESS", way.address)
        async with opened(settings) as door:
            await door.knock(*(follow(friend_id(number)) for number in range(30)))
            await eventually(lambda: journeys(shop), lambda seen: len(seen) == 30, seconds=5)
            began = time.monotonic()
            for number in range(20):
                answers = await asyncio.gather(
                    *(door.knock(said("a", friend_id(number))) for _ in range(5))
                )
                assert [answer.status_code for answer in answers] == [200] * 5
            assert time.monotonic() - began < 9  # It does not wait for Temporal, which hangs.

            await way.open()
            # One attempt hangs for as long as the relay waits for an answer.
            await eventually(lambda: orders(shop), lambda seen: seen == [], seconds=20)


# --- deadlocks


async def test_a_claim_and_a_block_at_once_do_not_wait_for_each_other(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(name))
    await keep(shop, follow(at=1000))
    await relay.drain()
    (row,) = await journeys(shop)
    journey = journeys_.Journey.from_row(row).ref  # type: ignore[arg-type]

    async def claim() -> deliveries.Delivery:
        async with shop.transaction() as connection:
            claim = await deliveries.claim(
                connection,
                journey,
                retry_key=uuid4(),
                step="0",
                visit=1,
                message="hello",
                at=datetime.now(UTC),
            )
        assert claim is not None
        assert claim.delivery is not None
        return claim.delivery

    async with shop.transaction() as connection:
        await connection.execute("update friends set status = 'blocked'")
        claimed = asyncio.create_task(claim())
        await asyncio.sleep(0.1)
        await journeys_.stop_all_of_friend(
            connection, "default", HANAKO, "unfollowed", because="blocked"
        )
    assert (await claimed).status == "skipped"


async def test_a_change_and_a_block_at_once_do_not_wait_for_each_other(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(f"{name}-a", "start: friend_added\nexit: [{joins: vip}]"))
    await published(yaml(f"{name}-b", "start: {audience: vip}"))
    await keep(shop, follow(at=1000))
    await relay.drain()
    async with shop.transaction() as connection:
        await audiences.join(
            connection, "default", "vip", [HANAKO], at=datetime.now(UTC), reason="x"
        )
    async with shop.transaction() as connection:
        await connection.execute("update friends set status = 'blocked'")
        change = asyncio.create_task(relay.changes.drain())
        await asyncio.sleep(0.1)
        await journeys_.stop_all_of_friend(
            connection, "default", HANAKO, "unfollowed", because="blocked"
        )
    assert await change == 1
    assert [row["stopping"] for row in await journeys(shop)] == ["unfollowed"]
