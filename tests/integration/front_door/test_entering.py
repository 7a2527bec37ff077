"""Entering: who enters which version of a scenario, and which changes make them leave."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.defining import define
from tests.integration.front_door.conftest import Publish
from tests.integration.front_door.knocking import HANAKO, TARO, count, friend_id, journeys
from tests.scenarios import STEPS, publish, scenario_of, yaml
from tobiishi.database import Database
from tobiishi.errors import NotFound
from tobiishi.journeys import journeys as journeys_
from tobiishi.people import audiences, friends
from tobiishi.publishing import versions
from tobiishi.relay.audience_changes import AudienceChanges
from tobiishi.relay.webhook_events import apply_event
from tobiishi.webhooks import KeptEvent

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)

_numbers = itertools.count(1)


async def added(
    database: Database,
    friend: str = HANAKO,
    *,
    at: datetime = NOW,
    unblocked: bool = False,
    type: str = "follow",
    mode: str = "active",
) -> None:
    """Have the relay follow an event of LINE's."""
    event = KeptEvent(
        channel="default",
        webhook_event_id=f"event-{next(_numbers)}",
        type=type,
        friend=friend,
        occurred_at=at,
        received_at=at,
        body={"type": type, "mode": mode, "follow": {"isUnblocked": unblocked}},
        attempts=0,
    )
    async with database.transaction() as connection:
        await apply_event(connection, event)


async def by_route(database: Database, route: str, friend: str = HANAKO) -> None:
    """Know the route that the friend will be added by."""
    async with database.transaction() as connection:
        await friends.meet(connection, "default", friend, NOW - DAY)
        await connection.execute("update friends set route = $1 where friend = $2", route, friend)


async def change(database: Database, change: str, audience: str, *who: str) -> None:
    how = audiences.join if change == "joined" else audiences.leave
    async with database.transaction() as connection:
        await how(connection, "default", audience, who or [HANAKO], at=NOW, reason="bought")


async def entered(database: Database) -> list[tuple[str, int, int]]:
    """Scenario, version and entry of each journey."""
    return [(row["scenario"], row["version"], row["entry"]) for row in await journeys(database)]


async def end_all(database: Database, at: datetime) -> None:
    async with database.transaction() as connection:
        for row in await connection.fetch("select id from journeys where ended_at is null"):
            await journeys_.end(connection, row["id"], "completed", at=at)


# --- entering, and entering again


@pytest.mark.parametrize(
    ("reentry", "later", "entries"),
    [
        ("never", 1000 * DAY, 1),
        ("after_finishing", DAY, 2),
        ("{after_days: 7}", 6 * DAY, 1),
        ("{after_days: 7}", 7 * DAY, 2),
    ],
)
async def test_a_friend_enters_again_as_the_scenario_says(
    shop: Database, published: Publish, reentry: str, later: timedelta, entries: int
) -> None:
    await published(yaml(rules=f"start: {{friend_added: {{unblocked: true}}}}\nreentry: {reentry}"))
    await added(shop)
    await end_all(shop, NOW + timedelta(hours=1))
    await added(shop, at=NOW + later, unblocked=True)
    assert await entered(shop) == [("welcome", 1, number + 1) for number in range(entries)]
    assert await count(shop, "select count(*) from outbox where kind = 'start'") == entries


async def test_one_journey_at_a_time(shop: Database, published: Publish) -> None:
    await published(yaml(rules="start: friend_added\nreentry: after_finishing"))
    await added(shop)
    await added(shop, at=NOW + DAY)
    assert await entered(shop) == [("welcome", 1, 1)]


@pytest.mark.parametrize(
    ("rules", "unblocked", "enters"),
    [
        ("start: friend_added", False, True),
        ("start: friend_added", True, False),
        ("start: {friend_added: {unblocked: false}}", True, False),
        ("start: {friend_added: {unblocked: true}}", True, True),
        ("start: {friend_added: {unblocked: true}}", False, True),
    ],
)
async def test_unblocking_counts_as_adding_where_the_scenario_says_so(
    shop: Database, published: Publish, rules: str, unblocked: bool, enters: bool
) -> None:
    await published(yaml(rules=rules))
    await added(shop, unblocked=unblocked)
    rows = await journeys(shop)
    assert bool(rows) is enters
    if enters and unblocked:
        assert rows[0]["why"] == "unblocked the channel"


@pytest.mark.parametrize(
    ("route", "enters"), [("storefront", True), ("poster", True), ("web", False), (None, False)]
)
async def test_routes_tell_who_enters(
    shop: Database, published: Publish, route: str | None, enters: bool
) -> None:
    await published(yaml(rules="start: {friend_added: {routes: [storefront, poster]}}"))
    if route:
        await by_route(shop, route)
    await added(shop)
    assert bool(await journeys(shop)) is enters


@pytest.mark.parametrize(
    ("at", "enters"),
    [
        (datetime(2026, 11, 30, 14, 59, tzinfo=UTC), False),  # 23:59 in Japan
        (datetime(2026, 11, 30, 15, 0, tzinfo=UTC), True),
        (datetime(2026, 12, 24, 15, 0, tzinfo=UTC), True),
        (datetime(2026, 12, 24, 15, 1, tzinfo=UTC), False),
    ],
)
async def test_nobody_enters_outside_the_period(
    shop: Database, published: Publish, at: datetime, enters: bool
) -> None:
    period = 'period: {from: "2026-12-01 00:00", until: "2026-12-25 00:00"}'
    await published(yaml(rules=f"start: friend_added\n{period}"))
    await added(shop, at=at)
    assert bool(await journeys(shop)) is enters


async def test_an_event_is_counted_from_when_it_was_received(
    shop: Database, published: Publish
) -> None:
    await published(yaml())
    await added(shop, at=NOW - 3 * DAY)
    (row,) = await journeys(shop)
    assert row["started_at"] == NOW - 3 * DAY


async def test_who_is_blocked_or_unknown_or_on_standby_enters_nothing(
    shop: Database, published: Publish
) -> None:
    version = (await published(yaml())).version
    await added(shop, type="unfollow")
    async with shop.transaction() as connection:
        for friend in (HANAKO, TARO):
            entry = await journeys_.enter(connection, version, friend, why="x", now=NOW)
            assert entry is None
    await added(shop, TARO, mode="standby")
    assert await journeys(shop) == []


async def test_enrolments_of_one_friend_at_once_enter_once(
    shop: Database, published: Publish
) -> None:
    version = (await published(yaml(rules="start: friend_added\nreentry: after_finishing"))).version
    async with shop.transaction() as connection:
        await friends.set_status(connection, "default", HANAKO, "following", NOW)

    async def enter() -> int | None:
        async with shop.transaction() as connection:
            return await journeys_.enter(connection, version, HANAKO, why="x", now=NOW)

    came = await asyncio.gather(*(enter() for _ in range(10)))
    assert len([journey for journey in came if journey is not None]) == 1
    assert await entered(shop) == [("welcome", 1, 1)]


async def test_an_enrolment_that_is_rolled_back_leaves_nothing(
    shop: Database, published: Publish
) -> None:
    version = (await published(yaml(rules="start: friend_added\nexit: [{joins: vip}]"))).version
    async with shop.transaction() as connection:
        await friends.set_status(connection, "default", HANAKO, "following", NOW)

    async def fail() -> None:
        async with shop.transaction() as connection:
            assert await journeys_.enter(connection, version, HANAKO, why="x", now=NOW)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    for table in ("journeys", "journey_interests", "outbox"):
        assert await count(shop, f"select count(*) from {table}") == 0


# --- audiences start and end journeys


async def test_joining_an_audience_starts_a_journey_and_being_in_it_does_not(
    shop: Database, published: Publish
) -> None:
    await added(shop)
    await added(shop, TARO)
    await published(yaml("before", rules="start: {audience: vip}"))
    await change(shop, "joined", "vip", HANAKO)
    await AudienceChanges(shop).drain()
    await published(yaml("after", rules="start: {audience: vip}"))
    await change(shop, "joined", "vip", HANAKO, TARO)
    await AudienceChanges(shop).drain()
    rows = await journeys(shop)
    assert [(row["friend"], row["scenario"]) for row in rows] == [
        (HANAKO, "before"),
        (TARO, "after"),
        (TARO, "before"),
    ]
    assert rows[0]["why"] == "joined vip: bought"
    assert await count(shop, "select count(*) from audience_changes") == 0


async def test_joining_again_enters_again_where_the_scenario_says_so(
    shop: Database, published: Publish
) -> None:
    await added(shop)
    await published(yaml(rules="start: {audience: vip}\nreentry: after_finishing"))
    for _ in range(2):
        await change(shop, "joined", "vip")
        await change(shop, "left", "vip")
        await AudienceChanges(shop).drain()
        await end_all(shop, NOW)
    assert await entered(shop) == [("welcome", 1, 1), ("welcome", 1, 2)]


@pytest.mark.parametrize(
    ("exits", "changes", "because"),
    [
        ("[{joins: bought}]", [("joined", "bought")], "joined bought"),
        ("[{leaves: members}]", [("left", "members")], "left members"),
        ("[{joins: a}, {joins: bought}]", [("joined", "bought")], "joined bought"),
        ("[{joins: a}, {leaves: a}]", [("joined", "a"), ("left", "a")], "joined a"),
        ("[{joins: bought}]", [("joined", "bought"), ("left", "bought")], "joined bought"),
        ("[{leaves: bought}]", [("joined", "bought")], None),
        ("[{joins: members}]", [("left", "members")], None),
        ("[{joins: a}]", [("joined", "bought")], None),
        ("[]", [("joined", "bought")], None),
    ],
)
async def test_a_change_that_the_scenario_exits_on_stops_the_journey(
    shop: Database,
    published: Publish,
    exits: str,
    changes: list[tuple[str, str]],
    because: str | None,
) -> None:
    for name in ("a", "bought", "members"):
        await audience(shop, name)
    await change(shop, "joined", "members", HANAKO, TARO)
    await AudienceChanges(shop).drain()
    await published(yaml(rules=f"start: friend_added\nexit: {exits}"))
    await added(shop)
    await added(shop, TARO)
    for how, name in changes:
        await change(shop, how, name)
    await AudienceChanges(shop).drain()
    hers, his = await journeys(shop)
    assert hers["stopping_because"] == because
    assert hers["stopping"] == ("exited" if because else None)
    assert his["stopping"] is None
    assert await count(shop, "select count(*) from outbox where kind = 'stop'") == bool(because)


async def test_only_the_journeys_that_watch_are_stopped(shop: Database, published: Publish) -> None:
    await published(yaml("watching", rules="start: friend_added\nexit: [{joins: vip}]"))
    await published(yaml("deaf"))
    await added(shop)
    await change(shop, "joined", "vip")
    await AudienceChanges(shop).drain()
    stopping = {row["scenario"]: row["stopping"] for row in await journeys(shop)}
    assert stopping == {"watching": "exited", "deaf": None}


async def test_a_journey_that_is_over_hears_of_nothing(shop: Database, published: Publish) -> None:
    await published(yaml(rules="start: friend_added\nexit: [{joins: vip}]"))
    await added(shop)
    await end_all(shop, NOW)
    assert await count(shop, "select count(*) from journey_interests") == 0
    await change(shop, "joined", "vip")
    await AudienceChanges(shop).drain()
    (row,) = await journeys(shop)
    assert (row["stopping"], row["outcome"]) == (None, "completed")


async def test_the_first_reason_to_stop_stands(shop: Database, published: Publish) -> None:
    await published(yaml(rules="start: friend_added\nexit: [{joins: vip}]"))
    await added(shop)
    await change(shop, "joined", "vip")
    await AudienceChanges(shop).drain()
    await added(shop, type="unfollow", at=NOW + DAY)
    await end_all(shop, NOW + DAY)
    (row,) = await journeys(shop)
    assert (row["stopping"], row["outcome"]) == ("exited", "exited")
    assert await count(shop, "select count(*) from outbox where kind = 'stop'") == 1


async def test_an_end_said_twice_keeps_the_first(shop: Database, published: Publish) -> None:
    await published(yaml())
    await added(shop)
    (row,) = await journeys(shop)
    async with shop.connection() as connection:
        for number, outcome in enumerate(("completed", "stopped")):
            at = NOW + number * DAY
            assert await journeys_.end(connection, row["id"], outcome, at=at) == "completed"
    (row,) = await journeys(shop)
    assert row["ended_at"] == NOW


async def test_an_end_said_by_two_at_once_is_heard_by_both(
    shop: Database, published: Publish
) -> None:
    await published(yaml())
    await added(shop)
    (row,) = await journeys(shop)

    async def end(outcome: str) -> str:
        async with shop.transaction() as connection:
            return await journeys_.end(connection, row["id"], outcome, at=NOW)

    async with shop.transaction() as connection:
        await connection.execute("select from journeys for update")
        both = [asyncio.create_task(end(outcome)) for outcome in ("completed", "stopped")]
        await asyncio.sleep(0.1)
    heard = await asyncio.gather(*both)
    assert heard[0] == heard[1]


# --- versions


async def test_the_same_file_published_again_is_the_same_version(published: Publish) -> None:
    first = await published(yaml())
    again = await published(yaml())
    assert (first.version.version, first.unchanged) == (1, False)
    assert (again.version.version, again.unchanged) == (1, True)


EVERYTHING = """
scenario: everything
title: 全部
description: どの語も一度は
start: {friend_added: {routes: [storefront], unblocked: true}}
period: {from: "2026-12-01", until: "2026-12-25 10:00"}
reentry: {after_days: 30}
window: {from: "09:00", to: "21:00"}
exit: [{joins: bought}, {leaves: members}]
steps:
  - send: {name: hello, messages: [{type: text, text: "{{ friend.display_name }}さん"}]}
  - wait: {days: 3, at: "10:00"}
  - tag: {add: [greeted], remove: new}
  - branch:
      - when: {all: [{audience: vip}, {not: {gender: male}}], age: {from: 20}}
        steps: [{wait: {minutes: 5}}]
      - otherwise:
        steps: []
"""


@pytest.mark.parametrize(
    "text",
    [
        EVERYTHING,
        yaml(),
        yaml(rules="start: {audience: vip}"),
        yaml(rules="start: {friend_added: }"),
    ],
)
async def test_a_version_is_read_back_as_it_was_published(
    shop: Database, published: Publish, text: str
) -> None:
    first = await published(text)
    assert (await published(text)).unchanged
    name = first.version.scenario.scenario
    async with shop.connection() as connection:
        back = await versions.get(connection, "default", name, 1)
    assert back == first.version
    assert back.scenario == scenario_of(text)
    assert back.source == text


async def test_a_changed_file_is_a_new_version_and_running_journeys_keep_theirs(
    shop: Database, published: Publish
) -> None:
    await published(yaml())
    await added(shop)
    changed = await published(yaml(rules="start: friend_added\nreentry: after_finishing"))
    assert (changed.version.version, changed.unchanged) == (2, False)
    await added(shop, TARO)
    assert [row["version"] for row in await journeys(shop)] == [1, 2]
    async with shop.connection() as connection:
        listed = await versions.versions_of(connection, "default", "welcome")
        (live,) = await versions.live(connection, "default")
    assert [version.version for version in listed] == [2, 1]
    assert live.version == 2


async def test_going_back_to_a_former_text_is_a_new_version(published: Publish) -> None:
    await published(yaml())
    await published(yaml(steps=STEPS.replace("こんにちは", "やあ")))
    assert (await published(yaml())).version.version == 3


async def test_a_scenario_that_starts_otherwise_now_starts_no_more_the_old_way(
    shop: Database, published: Publish
) -> None:
    await published(yaml())
    await published(yaml(rules="start: {audience: vip}"))
    await added(shop)
    assert await journeys(shop) == []
    await change(shop, "joined", "vip")
    await AudienceChanges(shop).drain()
    assert await entered(shop) == [("welcome", 2, 1)]


async def test_publications_at_once_count_up_without_a_gap(shop: Database) -> None:
    async def put(number: int) -> int:
        text = yaml(rules=f"start: {{audience: vip-{number % 3}}}\ndescription: '{number}'")
        async with shop.transaction() as connection:
            return (await publish(connection, text, now=NOW)).version.version

    numbers = await asyncio.gather(*(put(number) for number in range(12)))
    assert sorted(numbers) == list(range(1, 13))


async def test_publishing_makes_the_audiences_it_names_and_says_so(
    shop: Database, published: Publish
) -> None:
    await audience(shop, "vip")
    rules = "start: {audience: vip}\nexit: [{joins: bought}, {leaves: members}]"
    assert (await published(yaml(rules=rules))).new_audiences == ["bought", "members"]
    assert (await published(yaml(rules=rules))).new_audiences == []
    async with shop.connection() as connection:
        made = await audiences.get(connection, "default", "bought")
    assert (made.kind, made.members, made.title) == ("upload", 0, "bought")


async def test_what_was_never_published_is_not_found(shop: Database) -> None:
    async with shop.connection() as connection:
        with pytest.raises(NotFound, match="'welcome' does not exist"):
            await versions.versions_of(connection, "default", "welcome")
        with pytest.raises(NotFound, match="no version 1"):
            await versions.get(connection, "default", "welcome", 1)


async def test_versions_are_remembered_within_bounds(shop: Database, published: Publish) -> None:
    for number in range(4):
        await published(yaml(f"s{number}"))
    remembered: Any = versions.Versions(remembered=2)
    async with shop.connection() as connection:
        for number in (0, 1, 2, 3, 0):
            version = await remembered.get(connection, "default", f"s{number}", 1)
            assert version.scenario.scenario == f"s{number}"
    assert len(remembered._versions) == 2


async def audience(database: Database, name: str) -> None:
    async with database.transaction() as connection:
        await define(connection, name, at=NOW)


async def test_many_who_join_at_once_enter_as_each_would_alone(
    shop: Database, published: Publish
) -> None:
    rules = "start: {audience: vip}\nexit: [{joins: bought}]\nreentry: after_finishing"
    await published(yaml(rules=rules))
    await published(yaml("other", "start: {audience: vip}\nreentry: never"))
    stranger, known, blocked, inside, finished, stopping = map(friend_id, range(6))
    now = datetime.now(UTC)
    async with shop.transaction() as connection:
        for friend in (known, blocked, inside, finished, stopping):
            await friends.meet(connection, "default", friend, now)
        await connection.execute("update friends set status = 'blocked' where friend = $1", blocked)
        live = await versions.live_of(connection, "default", "welcome")
        assert live is not None
        for friend in (inside, finished, stopping):
            await journeys_.enter(connection, live, friend, why="before", now=now)
        await connection.execute(
            "update journeys set ended_at = now(), outcome = 'completed' where friend = $1",
            finished,
        )
        await connection.execute(
            "update journeys set stopping = 'stopped' where friend = $1", stopping
        )
        await connection.execute("delete from outbox")

    await change(shop, "joined", "vip", stranger, known, blocked, inside, finished, stopping)
    assert await AudienceChanges(shop).drain() == 1
    rows = await journeys(shop)
    new = [row for row in rows if row["why"] == "joined vip: bought"]
    assert [(row["friend"], row["entry"]) for row in new if row["scenario"] == "welcome"] == [
        (stranger, 1),
        (known, 1),
        (finished, 2),
    ]
    others = [row["friend"] for row in new if row["scenario"] == "other"]
    assert others == [stranger, known, inside, finished, stopping]
    assert await count(shop, "select count(*) from pending_entries") == 1
    assert await count(shop, "select count(*) from outbox where kind = 'start'") == len(new)
    assert await count(shop, "select count(*) from audience_changes") == 0

    await change(shop, "joined", "bought", stranger, finished)
    await AudienceChanges(shop).drain()
    left = [row["friend"] for row in await journeys(shop) if row["stopping"] == "exited"]
    assert left == [stranger, finished]
