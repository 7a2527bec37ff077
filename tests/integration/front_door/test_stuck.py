"""What can't be applied: it is told, holds up only what depends on it, and can be acted on."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import Client

from tests.defining import define
from tests.eventually import eventually
from tests.integration.front_door.conftest import Publish, Run
from tests.integration.front_door.knocking import (
    HANAKO,
    TARO,
    Door,
    body_of,
    count,
    follow,
    journeys,
)
from tests.ports import free_port
from tests.scenarios import yaml
from tobiishi import webhooks
from tobiishi.cli.server import Failed
from tobiishi.database import Database
from tobiishi.metrics import STUCK_AFTER, Gauges
from tobiishi.people import audiences
from tobiishi.relay import forgetting
from tobiishi.relay import stuck as stuck_rows
from tobiishi.relay.queue import Queue
from tobiishi.relay.relay import Relay

NOW = datetime.now(UTC)
QUEUES = ("audience_changes", "forgettings", "outbox", "pending_entries", "webhook_events")


@pytest.fixture
def relay(shop: Database, temporal: Client) -> Relay:
    return Relay(shop, temporal)


@pytest.fixture
async def away(shop: Database) -> Relay:
    """A relay whose Temporal does not answer."""
    return Relay(shop, await Client.connect(f"127.0.0.1:{free_port()}", lazy=True))


async def hears(shop: Database, *events: dict[str, Any]) -> None:
    read = webhooks.read("default", body_of(*events), received_at=NOW)
    async with shop.connection() as connection:
        await webhooks.keep(connection, read)


async def changes(shop: Database, audience: str, friend: str = HANAKO, how: str = "join") -> None:
    async with shop.transaction() as connection:
        change = getattr(audiences, how)
        await change(connection, "default", audience, [friend], at=NOW, reason="x")


async def due(shop: Database) -> None:
    async with shop.connection() as connection:
        for table in QUEUES:
            await connection.execute(f"update {table} set retry_at = '-infinity'")


async def tries(shop: Database, queue: Queue, times: int = STUCK_AFTER) -> None:
    for _ in range(times):
        await due(shop)
        await queue.drain()


async def spoil(shop: Database, scenario: str) -> None:
    async with shop.connection() as connection:
        await connection.execute(
            "update scenario_versions set definition = '{}' where scenario = $1", scenario
        )


async def waiting(shop: Database) -> list[tuple[str, int]]:
    async with shop.connection() as connection:
        rows = await connection.fetch(
            "select change || ' ' || audience, attempts from audience_changes order by id"
        )
    return [tuple(row) for row in rows]


@pytest.fixture
async def stuck(shop: Database, relay: Relay, published: Publish, name: str) -> str:
    """Hanako is in what ends when she visits or buys; her visit starts what can't be read."""
    async with shop.transaction() as connection:
        for audience in ("visited", "bought"):
            await define(connection, audience, at=NOW)
    await published(yaml(f"{name}-visits", "start: friend_added\nexit: [{joins: visited}]"))
    await published(yaml(f"{name}-buys", "start: friend_added\nexit: [{joins: bought}]"))
    await published(yaml(f"{name}-lost", "start: {audience: visited}"))
    await hears(shop, follow())
    await relay.drain()
    await spoil(shop, f"{name}-lost")
    return name


async def stopping(shop: Database) -> dict[str, str | None]:
    return {row["scenario"].split("-")[-1]: row["stopping"] for row in await journeys(shop)}


async def test_what_a_change_ends_stands_whatever_else_of_it_fails(
    shop: Database, relay: Relay, stuck: str
) -> None:
    await changes(shop, "visited")
    await relay.changes.drain()
    assert await stopping(shop) == {"visits": "exited", "buys": None}
    assert await count(shop, "select count(*) from audience_changes where error is not null") == 1


async def test_what_a_change_ended_before_it_does_not_end_again(
    shop: Database, relay: Relay, stuck: str
) -> None:
    """A journey that began since came after the change."""
    await changes(shop, "visited")
    await relay.changes.drain()
    async with shop.connection() as connection:
        await connection.execute("update journeys set stopping = null")
    await tries(shop, relay.changes)
    assert await stopping(shop) == {"visits": None, "buys": None}


async def test_a_stuck_change_holds_up_its_own_audience_only(
    shop: Database, relay: Relay, stuck: str
) -> None:
    await changes(shop, "visited")
    await changes(shop, "visited", how="leave")
    await changes(shop, "bought")
    await tries(shop, relay.changes, STUCK_AFTER - 1)
    assert [change for change, _ in await waiting(shop)] == [
        "joined visited",
        "left visited",
        "joined bought",
    ]
    await tries(shop, relay.changes, 2)
    assert await waiting(shop) == [("joined visited", STUCK_AFTER + 1), ("left visited", 0)]
    assert await stopping(shop) == {"visits": "exited", "buys": "exited"}


async def test_a_row_that_fails_five_times_is_told_once(
    shop: Database, relay: Relay, stuck: str, caplog: pytest.LogCaptureFixture
) -> None:
    await changes(shop, "visited")
    await tries(shop, relay.changes, STUCK_AFTER + 3)
    told = [record for record in caplog.records if "is stuck" in record.getMessage()]
    assert [record.levelno for record in told] == [logging.ERROR]
    assert "tobiishi stuck list" in told[0].getMessage()
    looked = (await Gauges(shop, relay.outbox.temporal).collect()).decode()
    assert 'tobiishi_relay_stuck{queue="audience_changes"} 1.0' in looked
    assert 'tobiishi_relay_stuck{queue="outbox"} 0.0' in looked
    assert 'tobiishi_relay_lag_seconds{queue="audience_changes"} 0.0' in looked


async def test_a_webhook_event_that_always_fails_holds_nobody_up(
    shop: Database, relay: Relay, published: Publish, name: str
) -> None:
    await published(yaml(name))
    await spoil(shop, name)
    await hears(shop, follow())
    await tries(shop, relay.events)
    async with shop.connection() as connection:
        await connection.execute("delete from scenarios")
    await hears(shop, follow(TARO))
    await relay.events.drain()
    assert await count(shop, "select count(*) from friends where friend = $1", TARO) == 1


async def test_nothing_is_stuck_as_temporal_is_away(
    shop: Database, away: Relay, published: Publish, name: str
) -> None:
    await published(yaml(name))
    await hears(shop, follow())
    await away.events.drain()
    async with shop.transaction() as connection:
        await forgetting.ask(connection, "default", HANAKO, at=NOW)
    for queue in (away.outbox, away.forgettings):
        await tries(shop, queue, STUCK_AFTER + 2)
    seen = "select max(attempts) from "
    assert await count(shop, f"{seen} outbox") == STUCK_AFTER - 1
    assert await count(shop, f"{seen} forgettings") == STUCK_AFTER - 1


# --- what an operator does


async def make_stuck(shop: Database, table: str, where: str = "true") -> None:
    async with shop.connection() as connection:
        await connection.execute(
            f"update {table} set attempts = 7, retry_at = now() + interval '1 hour',"
            f" error = 'ValueError: why' where {where}"
        )


async def test_what_is_stuck_is_listed_and_dropped(
    door: Door, run: Run, database: Database, published: Publish, caplog: pytest.LogCaptureFixture
) -> None:
    await published(yaml("welcome"))
    assert "nothing is stuck" in await run("stuck", "list")
    await door.knock(follow(), follow(TARO))
    await eventually(lambda: count(database, "select count(*) from outbox"), lambda all: all == 2)
    await make_stuck(database, "outbox")
    first, second = (await door.api("GET", "/stuck")).json()
    assert (first["queue"], first["what"], first["attempts"]) == ("outbox", "start welcome", 7)
    assert (first["friend"], first["error"]) == (HANAKO, "ValueError: why")
    page = await door.api("GET", "/stuck?limit=1")
    assert page.json() == [first]
    assert (await door.http.get(page.links["next"]["url"], headers=door.headers)).json() == [second]

    assert f"{first['key']}: start welcome of {HANAKO}" in await run("stuck", "list")
    assert "dropped" in await run("stuck", "drop", first["key"], says="y\n")
    assert "was dropped by request" in caplog.text
    hers, his = await journeys(database)
    assert (hers["outcome"], hers["stopping"], his["outcome"]) == ("stopped", "stopped", None)
    assert await count(database, "select count(*) from outbox") == 1
    path = f"/stuck/outbox/{first['id']}"
    assert (await door.api("POST", f"{path}/drop")).status_code == 404
    assert (await door.api("POST", f"{path}/retry")).status_code == 404


async def test_each_queue_can_be_acted_on(
    door: Door, database: Database, published: Publish
) -> None:
    relay = door.app.state.context.relay
    async with database.transaction() as connection:
        await define(connection, "vip", at=NOW)
    await changes(database, "vip")
    await published(yaml("members", "start: {audience: vip, include_members: true}"))
    await hears(database, follow(TARO))
    await relay.events.drain()
    await relay.changes.drain()
    read = webhooks.read("default", body_of(follow()), received_at=NOW)
    async with database.transaction() as connection:
        await webhooks.keep(connection, read)
        await audiences.leave(connection, "default", "vip", [HANAKO], at=NOW, reason="x")
        await forgetting.ask(connection, "default", TARO, at=NOW)
        await connection.execute(
            "insert into pending_entries (channel, friend, scenario, version, why, since, exits)"
            " values ('default', $1, 'members', 1, 'x', now(), '{}')",
            TARO,
        )
        for table in (*QUEUES, "enrolments"):
            await connection.execute(
                f"update {table} set attempts = 7, error = 'why', retry_at = 'infinity'"
            )
    found = (await door.api("GET", "/stuck")).json()
    queues = [row["queue"] for row in found]
    assert set(queues) == {*QUEUES, "enrolments"}
    assert [row["key"] for row in found] == sorted(row["key"] for row in found)
    for row in found:
        path = f"/stuck/{row['queue']}/{row['id']}"
        expected = 400 if row["queue"] == "forgettings" else 200
        dropped = await door.api("POST", f"{path}/drop")
        assert dropped.status_code == expected, dropped.text
    assert [row["queue"] for row in (await door.api("GET", "/stuck")).json()] == ["forgettings"]
    assert await count(database, "select count(*) from enrolments where status = 'cancelled'") == 1


async def test_a_retry_is_at_once(
    door: Door, run: Run, database: Database, published: Publish, shop: Database
) -> None:
    await hears(database, follow())
    async with database.connection() as connection:
        await connection.execute(
            "update webhook_events set attempts = 7, retry_at = 'infinity', handled_at = null"
        )
    (row,) = (await door.api("GET", "/stuck")).json()
    assert "is tried again" in await run("stuck", "retry", row["key"])

    async def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await door.api("GET", "/stuck")).json()
        return found

    await eventually(listed, lambda found: found == [])
    assert "is not a key" in str(await failure(run, "stuck", "retry", "17"))


async def failure(run: Run, *words: str) -> Exception:
    with pytest.raises(Failed) as raised:
        await run(*words)
    return raised.value


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("?limit=0", 422),
        ("?channel=nobody", 404),
        ("/nothing/1/retry", 422),
        ("/outbox/1/retry", 404),
        ("/outbox/x/drop", 404),
    ],
)
async def test_what_can_not_be_asked(door: Door, path: str, status: int) -> None:
    method = "GET" if path.startswith("?") else "POST"
    assert (await door.api(method, f"/stuck{path}")).status_code == status


async def test_a_stop_that_is_dropped_ends_its_journey_and_a_wake_does_not(
    shop: Database, away: Relay, published: Publish, name: str
) -> None:
    await published(yaml(name))
    await hears(shop, follow(), follow(TARO))
    await away.events.drain()
    async with shop.connection() as connection:
        await connection.execute(
            "update outbox set attempts = 7, kind = case friend when $1 then 'stop' else 'wake' end"
            " from journeys where journeys.id = journey_id",
            HANAKO,
        )
    async with shop.transaction() as connection:
        for row in await stuck_rows.page(connection, "default", limit=10):
            await stuck_rows.drop(connection, "default", row.queue, row.id, now=NOW)
    hers, his = await journeys(shop)
    assert (hers["outcome"], hers["stopping"]) == ("stopped", "stopped")
    assert hers["stopping_because"] == "its stop was dropped by request"
    assert (his["outcome"], his["stopping"]) == (None, None)
    assert await count(shop, "select count(*) from outbox") == 0
