"""Who comes to enter while their former journey is being stopped enters once it has ended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from temporalio.client import Client

from tests.defining import define
from tests.eventually import eventually
from tests.integration.front_door.conftest import Publish
from tests.integration.front_door.knocking import (
    HANAKO,
    TARO,
    body_of,
    count,
    follow,
    friend_id,
    journeys,
    unfollow,
)
from tests.scenarios import STEPS, yaml
from tobiishi import webhooks
from tobiishi.database import Database
from tobiishi.journeys import journeys as journeys_
from tobiishi.people import audiences
from tobiishi.publishing import versions
from tobiishi.relay import forgetting
from tobiishi.relay.relay import Relay

#: Starts over at each visit.
AT_EACH_VISIT = "start: {audience: visited}\nexit: [{joins: visited}]\nreentry: after_finishing"


@pytest.fixture
def relay(shop: Database, temporal: Client) -> Relay:
    return Relay(shop, temporal)


async def hears(shop: Database, relay: Relay, *events: dict[str, object]) -> None:
    read = webhooks.read("default", body_of(*events), received_at=datetime.now(UTC))
    async with shop.connection() as connection:
        await webhooks.keep(connection, read)
    await relay.events.drain()


async def joins(shop: Database, audience: str, friend: str = HANAKO) -> None:
    """Join, also where they are in it already."""
    now = datetime.now(UTC)
    async with shop.transaction() as connection:
        await audiences.leave(connection, "default", audience, [friend], at=now, reason="x")
        await audiences.join(connection, "default", audience, [friend], at=now, reason="came")


async def end_former(shop: Database) -> None:
    """What the worker does once the workflow was told to stop."""
    async with shop.transaction() as connection:
        rows = await connection.fetch(
            "select id from journeys where stopping is not null and ended_at is null"
        )
        for row in rows:
            await journeys_.end(connection, row["id"], "completed", at=datetime.now(UTC))


async def outcomes(shop: Database, scenario: str) -> list[tuple[int, str | None, str | None]]:
    return [
        (row["entry"], row["stopping"], row["outcome"])
        for row in await journeys(shop)
        if row["scenario"] == scenario
    ]


async def pending(shop: Database) -> int:
    return await count(shop, "select count(*) from pending_entries")


@pytest.fixture
async def visiting(shop: Database, relay: Relay, published: Publish, name: str) -> str:
    """A scenario that starts over at each visit, with Hanako's first journey being stopped."""
    async with shop.transaction() as connection:
        for audience in ("visited", "bought"):
            await define(connection, audience, at=datetime.now(UTC))
    await published(yaml(name, AT_EACH_VISIT))
    await hears(shop, relay, follow(at=1000))
    await joins(shop, "visited")
    await relay.drain()
    await joins(shop, "visited")
    await relay.drain()
    return name


async def test_a_scenario_starts_over_at_each_visit(
    shop: Database, relay: Relay, visiting: str
) -> None:
    # The exit stands, and no change waits for the former journey to end.
    assert await outcomes(shop, visiting) == [(1, "exited", None)]
    assert await count(shop, "select count(*) from audience_changes") == 0
    assert await pending(shop) == 1

    before = datetime.now(UTC)
    await end_former(shop)
    await relay.drain()
    assert await outcomes(shop, visiting) == [(1, "exited", "exited"), (2, None, None)]
    last = (await journeys(shop))[-1]
    assert (last["why"], last["started_at"] >= before) == ("joined visited: came", True)
    assert await pending(shop) == 0


async def test_nothing_waits_behind_an_entry_that_is_pending(
    shop: Database, relay: Relay, visiting: str, published: Publish
) -> None:
    await published(yaml(f"{visiting}-welcome", "start: friend_added\nexit: [{joins: bought}]"))
    await hears(shop, relay, follow(at=2000))
    await joins(shop, "bought")
    await relay.drain()
    assert await outcomes(shop, f"{visiting}-welcome") == [(1, "exited", None)]
    assert await outcomes(shop, visiting) == [(1, "exited", None)]


async def test_two_visits_before_the_end_are_one_entry(
    shop: Database, relay: Relay, visiting: str
) -> None:
    await joins(shop, "visited")
    await relay.drain()
    await end_former(shop)
    await relay.drain()
    assert await outcomes(shop, visiting) == [(1, "exited", "exited"), (2, None, None)]


@pytest.mark.parametrize("comes_back", [False, True])
async def test_who_blocks_meanwhile_does_not_enter(
    shop: Database, relay: Relay, visiting: str, comes_back: bool
) -> None:
    await hears(shop, relay, unfollow(at=2000))
    if comes_back:
        await hears(shop, relay, follow(at=3000, unblocked=True))
    await end_former(shop)
    await relay.drain()
    assert await outcomes(shop, visiting) == [(1, "exited", "exited")]
    assert await pending(shop) == 0


async def test_a_scenario_that_is_retired_meanwhile_is_not_entered(
    shop: Database, relay: Relay, visiting: str
) -> None:
    async with shop.transaction() as connection:
        await versions.retire(connection, "default", visiting, now=datetime.now(UTC))
    await end_former(shop)
    await relay.drain()
    assert await outcomes(shop, visiting) == [(1, "exited", "exited")]
    assert await pending(shop) == 0


@pytest.mark.parametrize(
    ("rules", "enters"),
    [
        (AT_EACH_VISIT, True),
        (AT_EACH_VISIT.replace("start: {audience: vis", "start: {audience: rev"), False),
    ],
)
async def test_the_version_is_entered_that_is_live_then_if_it_starts_the_same_way(
    shop: Database, relay: Relay, visiting: str, published: Publish, rules: str, enters: bool
) -> None:
    await published(yaml(visiting, rules, STEPS.replace("30", "31")))
    await end_former(shop)
    await relay.drain()
    assert [row["version"] for row in await journeys(shop)] == ([1, 2] if enters else [1])


async def test_a_change_that_would_end_the_journey_calls_its_entry_off(
    shop: Database, relay: Relay, published: Publish, name: str
) -> None:
    async with shop.transaction() as connection:
        for audience in ("visited", "bought"):
            await define(connection, audience, at=datetime.now(UTC))
    rules = AT_EACH_VISIT.replace("[{", "[{joins: bought}, {")
    await published(yaml(name, rules))
    await hears(shop, relay, follow(at=1000))
    for _ in range(2):
        await joins(shop, "visited")
        await relay.drain()
    assert await pending(shop) == 1
    await joins(shop, "bought")
    await relay.drain()
    assert await pending(shop) == 0


async def test_who_is_forgotten_meanwhile_does_not_enter(
    shop: Database, relay: Relay, visiting: str
) -> None:
    async with shop.transaction() as connection:
        await forgetting.ask(connection, "default", HANAKO, at=datetime.now(UTC))
    assert await pending(shop) == 0


async def test_who_unblocks_before_the_former_journey_has_ended_enters_after_it(
    shop: Database, relay: Relay, published: Publish, name: str
) -> None:
    rules = "start: {friend_added: {unblocked: true}}\nreentry: after_finishing"
    await published(yaml(name, rules))
    await hears(shop, relay, follow(at=1000))
    await hears(shop, relay, unfollow(at=2000))
    await hears(shop, relay, follow(at=3000, unblocked=True))
    assert await count(shop, "select count(*) from webhook_events where handled_at is null") == 0
    assert await pending(shop) == 1
    await end_former(shop)
    await relay.drain()
    assert await outcomes(shop, name) == [(1, "unfollowed", "unfollowed"), (2, None, None)]


async def test_many_relays_at_once_enter_each_friend_once(
    shop: Database, relay: Relay, temporal: Client, published: Publish, name: str
) -> None:
    rules = "start: {friend_added: {unblocked: true}}\nreentry: after_finishing"
    await published(yaml(name, rules))
    people = [HANAKO, TARO, *(friend_id(number) for number in range(3, 20))]
    await hears(shop, relay, *(follow(friend, at=1000) for friend in people))
    await hears(shop, relay, *(unfollow(friend, at=2000) for friend in people))
    await hears(shop, relay, *(follow(friend, at=3000, unblocked=True) for friend in people))
    assert await pending(shop) == len(people)
    await end_former(shop)
    async with Relay(shop, temporal), Relay(shop, temporal):
        await eventually(lambda: pending(shop), lambda left: left == 0)
    assert len(await outcomes(shop, name)) == 2 * len(people)


async def test_one_that_fails_is_tried_again(shop: Database, relay: Relay, visiting: str) -> None:
    await end_former(shop)
    async with shop.connection() as connection:
        kept = await connection.fetchval("select definition::text from scenario_versions")
        await connection.execute("update scenario_versions set definition = '{}'")
    await relay.drain()
    assert await count(shop, "select count(*) from pending_entries where error is not null") == 1
    async with shop.connection() as connection:
        await connection.execute("update scenario_versions set definition = $1::text::json", kept)
        await connection.execute("update pending_entries set retry_at = '-infinity'")
    await relay.drain()
    assert await outcomes(shop, visiting) == [(1, "exited", "exited"), (2, None, None)]
