"""Forgetting a friend: everywhere, for good, whatever is away meanwhile."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from tests.defining import define
from tests.eventually import eventually
from tests.integration.front_door.conftest import Publish
from tests.integration.front_door.knocking import (
    HANAKO,
    TARO,
    Door,
    body_of,
    event,
    follow,
    journeys,
    said,
)
from tests.ports import free_port
from tests.scenarios import yaml
from tobiishi import webhooks
from tobiishi.database import Database
from tobiishi.errors import NotFound
from tobiishi.people import audiences, events, friends
from tobiishi.people.events import FriendEvent
from tobiishi.relay import forgetting
from tobiishi.relay.relay import Relay
from tobiishi.routes import routes
from tobiishi.routes.routes import RouteVisit

NOW = datetime.now(UTC)
_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """A scenario that no other test starts: they share one Temporal."""
    return f"forgotten-{next(_numbers)}"


@pytest.fixture
def relay(shop: Database, temporal: Client) -> Relay:
    return Relay(shop, temporal)


async def live(relay: Relay, shop: Database, *who: str) -> None:
    """Each of them adds the channel, writes, is tagged and listed, clicks, and leaves a list."""
    async with shop.transaction() as connection:
        await define(connection, "listed", at=NOW)
        await define(connection, "left", at=NOW)
    for friend in who:
        read = webhooks.read(
            "default", body_of(follow(friend), said("ひみつ", friend)), received_at=NOW
        )
        async with shop.transaction() as connection:
            await webhooks.keep(connection, read)
        await relay.drain()
        async with shop.transaction() as connection:
            await friends.retag(connection, "default", friend, add=("vip",), at=NOW)
            for name in ("listed", "left"):
                await audiences.join(connection, "default", name, [friend], at=NOW, reason="x")
            await audiences.leave(connection, "default", "left", [friend], at=NOW, reason="x")
            await events.record(
                connection,
                FriendEvent(
                    channel="default",
                    friend=friend,
                    source="site",
                    event="purchase",
                    occurred_at=NOW,
                ),
            )
            await routes.put(connection, "default", "poster", title="ポスター")
            await routes.record(
                connection,
                RouteVisit(
                    channel="default",
                    route="poster",
                    login=friend,
                    friend=friend,
                    opened_at=NOW,
                    returned_at=NOW,
                    friendship_changed=None,
                    was_friend=True,
                ),
            )
            await connection.execute(
                "insert into deliveries (retry_key, journey_id, channel, friend, step, visit,"
                " message, status, claimed_at) select gen_random_uuid(), id, channel, friend, '0',"
                " 1, 'hello', 'sent', now() from journeys where friend = $1",
                friend,
            )
            await connection.execute(
                "insert into pending_entries"
                " (channel, friend, scenario, version, why, since, exits, retry_at)"
                " values ('default', $1, 'x', 1, 'x', now(), '{}', 'infinity')",
                friend,
            )


async def forget(shop: Database, friend: str) -> None:
    async with shop.transaction() as connection:
        await forgetting.ask(connection, "default", friend, at=NOW)


async def kept_of(shop: Database, friend: str) -> set[str]:
    """Every table that says the friend's id, in whatever column."""
    found = set()
    async with shop.connection() as connection:
        for row in await connection.fetch(
            "select table_name from information_schema.tables where table_schema = 'public'"
        ):
            table = row["table_name"]
            if await connection.fetchval(
                f"select exists (select from {table} as r where r::text like $1)", f"%{friend}%"
            ):
                found.add(table)
    return found


async def status(temporal: Client, name: str, friend: str) -> RPCStatusCode | None:
    try:
        await temporal.get_workflow_handle(f"journey/default/{name}/{friend}").describe()
    except RPCError as error:
        return error.status
    return None


async def test_nothing_is_kept_of_a_friend_who_is_forgotten_and_all_of_the_others(
    relay: Relay, shop: Database, temporal: Client, published: Publish, name: str
) -> None:
    await published(yaml(name, "start: friend_added\nexit: [{joins: bought}]"))
    await live(relay, shop, HANAKO, TARO)
    await relay.changes.drain()
    before = await kept_of(shop, TARO)
    assert before >= set(forgetting.TABLES) - {"audience_changes", "forgettings"}
    assert await kept_of(shop, HANAKO) == before

    await forget(shop, HANAKO)
    await relay.drain()

    assert await kept_of(shop, HANAKO) == set()
    assert await kept_of(shop, TARO) == before
    await eventually(lambda: status(temporal, name, HANAKO), lambda s: s == RPCStatusCode.NOT_FOUND)
    assert await status(temporal, name, TARO) is None


async def test_every_table_with_a_friend_is_known(shop: Database) -> None:
    async with shop.connection() as connection:
        rows = await connection.fetch(
            "select table_name from information_schema.columns"
            " join information_schema.tables using (table_schema, table_name)"
            " where table_schema = 'public' and column_name = 'friend'"
            " and table_type = 'BASE TABLE'"
        )
    assert {row["table_name"] for row in rows} == set(forgetting.TABLES)


async def test_from_the_asking_on_nothing_more_is_sent(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(name))
    await live(relay, shop, HANAKO)
    await forget(shop, HANAKO)
    await forget(shop, HANAKO)  # Asked twice, it is one wish.
    (row,) = await journeys(shop)
    assert (row["stopping"], row["stopping_because"]) == ("stopped", "is to be forgotten")


async def test_who_comes_back_is_a_new_friend(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    await published(yaml(name))
    await live(relay, shop, HANAKO)
    await forget(shop, HANAKO)
    await relay.drain()
    again = webhooks.read("default", body_of(follow(at=1)), received_at=datetime.now(UTC))
    async with shop.transaction() as connection:
        await webhooks.keep(connection, again)
    await relay.drain()
    (row,) = await journeys(shop)
    assert row["entry"] == 1


async def test_a_stranger_can_not_be_forgotten(shop: Database) -> None:
    with pytest.raises(NotFound, match="is not a friend"):
        await forget(shop, HANAKO)


async def test_while_temporal_is_away_the_wish_stays(
    relay: Relay, shop: Database, temporal: Client, published: Publish, name: str
) -> None:
    await published(yaml(name))
    await live(relay, shop, HANAKO)
    await forget(shop, HANAKO)
    away = Relay(shop, await Client.connect(f"127.0.0.1:{free_port()}", lazy=True))
    assert await away.forgettings.drain() == 1
    assert "friends" in await kept_of(shop, HANAKO)
    async with shop.connection() as connection:
        assert await connection.fetchval("select attempts from forgettings") == 1
        await connection.execute("update forgettings set retry_at = '-infinity'")
    await relay.drain()
    assert await kept_of(shop, HANAKO) == set()


async def test_who_is_forgotten_in_the_middle_of_a_tagging_gets_no_tag(shop: Database) -> None:
    async with shop.transaction() as connection:
        await friends.retag(connection, "default", HANAKO, add=("late",), at=NOW)
        assert await friends.tags_of(connection, "default", HANAKO) == []


async def test_forgetting_while_the_friend_acts_leaves_nothing_half(
    relay: Relay, shop: Database, published: Publish, name: str
) -> None:
    """Whatever comes at the same moment is before it, and goes, or after it, of a new friend."""
    await published(yaml(name))
    await live(relay, shop, HANAKO)

    async def act(number: int) -> None:
        async with shop.transaction() as connection:
            await friends.meet(connection, "default", HANAKO, NOW)
            await friends.retag(connection, "default", HANAKO, add=(f"t{number}",), at=NOW)

    await forget(shop, HANAKO)
    await asyncio.gather(relay.forgettings.drain(), *(act(number) for number in range(20)))
    async with shop.connection() as connection:
        known = await friends.get_many(connection, "default", [HANAKO])
        tags = await friends.tags_of(connection, "default", HANAKO)
    assert bool(known) or not tags


async def test_a_message_that_was_taken_back_is_not_kept(relay: Relay, shop: Database) -> None:
    secret = event("message", message={"id": "4711", "type": "text", "text": "ひみつ\0"})
    other = event("message", message={"id": "4712", "type": "text", "text": "こんにちは"})
    taken_back = event("unsend", unsend={"messageId": "4711"})
    read = webhooks.read("default", body_of(secret, other, taken_back), received_at=NOW)
    async with shop.transaction() as connection:
        await webhooks.keep(connection, read)
    await relay.drain()
    async with shop.connection() as connection:
        bodies = [row["body"] for row in await connection.fetch("select body from webhook_events")]
    texts = [body["message"].get("text") for body in bodies if body["type"] == "message"]
    assert set(texts) == {None, "こんにちは"}


async def test_what_is_kept_for_a_time_goes_after_it(relay: Relay, shop: Database) -> None:
    await live(relay, shop, HANAKO)
    async with shop.connection() as connection:
        assert await relay.housekeeping.drain() == 0
        await connection.execute("update webhook_events set handled_at = now() - interval '31 day'")
        await connection.execute("update events set occurred_at = now() - interval '182 day'")
        relay.housekeeping.batch = 1
        assert await relay.housekeeping.drain() == 2
        for table in ("webhook_events", "events"):
            assert await connection.fetchval(f"select count(*) from {table}") == 0


async def test_over_http_it_is_a_wish_that_is_taken(door: Door, database: Database) -> None:
    async with database.transaction() as connection:
        await friends.meet(connection, "default", HANAKO, NOW - timedelta(days=1))
    assert (await door.api("DELETE", f"/friends/{HANAKO}")).status_code == 202
    assert (await door.api("DELETE", f"/friends/{TARO}")).status_code == 404
