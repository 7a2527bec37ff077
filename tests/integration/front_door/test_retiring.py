"""Retiring a scenario: nobody enters it any more, and who is under way finishes or stops."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.defining import define
from tests.eventually import eventually
from tests.integration.front_door.conftest import Publish, Run
from tests.integration.front_door.knocking import (
    HANAKO,
    TARO,
    Door,
    count,
    follow,
    friend_id,
    journeys,
)
from tests.scenarios import yaml
from tobiishi.database import Database
from tobiishi.journeys import journeys as journeys_
from tobiishi.people import audiences, friends
from tobiishi.publishing import enrolments, versions

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
VIP = "start: {audience: vip}"


async def retire(door: Door, scenario: str = "welcome", **how: str) -> dict[str, Any]:
    answer = await door.api("POST", f"/scenarios/{scenario}/retire", params=how)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def listed(door: Door, **which: bool) -> list[tuple[str, int]]:
    answer = await door.api("GET", "/scenarios", params=which)
    return [(row["scenario"], row["version"]) for row in answer.raise_for_status().json()]


async def enter(database: Database, published: versions.Published, *who: str) -> list[int | None]:
    entered = []
    async with database.transaction() as connection:
        for friend in who:
            await friends.meet(connection, "default", friend, NOW)
            entered.append(
                await journeys_.enter(connection, published.version, friend, why="x", now=NOW)
            )
    return entered


async def ended(database: Database) -> list[tuple[str, str | None, str | None]]:
    rows = await journeys(database)
    return [(row["friend"], row["stopping"], row["stopping_because"]) for row in rows]


async def test_nobody_enters_a_retired_scenario_until_it_is_published_again(
    door: Door, shop: Database, published: Publish
) -> None:
    await published(yaml())
    await door.knock(follow(HANAKO))
    await eventually(lambda: journeys(shop))
    assert await retire(door) == {"channel": "default", "scenario": "welcome", "stopped": 0}
    assert (await listed(door), await listed(door, retired=True)) == ([], [("welcome", 1)])

    await door.knock(follow(TARO))
    await eventually(lambda: count(shop, "select count(*) from friends where friend = $1", TARO))
    assert await ended(shop) == [(HANAKO, None, None)]

    again = await published(yaml())
    assert (again.version.version, again.unchanged) == (2, False)
    assert (await listed(door), await listed(door, retired=True)) == ([("welcome", 2)], [])
    await door.knock(follow(friend_id(3)))
    await eventually(lambda: journeys(shop), lambda found: len(found) == 2)


async def test_journeys_under_way_stop_where_that_is_asked(
    door: Door, shop: Database, published: Publish
) -> None:
    people = [friend_id(number) for number in range(1, 1202)]
    await enter(shop, await published(yaml("other")), HANAKO)
    await enter(shop, await published(yaml()), *people)
    assert (await retire(door, under_way="stop"))["stopped"] == len(people)
    because = ("stopped", "the scenario was retired")
    assert {each[1:] for each in await ended(shop)} == {because, (None, None)}
    assert await count(shop, "select count(*) from journeys where stopping is null") == 1
    told = "select count(distinct journey_id) from outbox where kind = 'stop'"
    assert await count(shop, told) == len(people)
    assert (await retire(door, under_way="stop"))["stopped"] == 0


async def test_it_is_done_and_seen_at_the_terminal(
    run: Run, shop: Database, published: Publish
) -> None:
    await enter(shop, await published(yaml()), HANAKO)
    assert "active" in await run("friend", "show", HANAKO)
    said = await run("scenario", "retire", "welcome")
    assert said.strip() == "welcome is retired; those under way go on"
    said = await run("scenario", "retire", "welcome", "--stop-journeys")
    assert said.strip() == "welcome is retired; 1 of those under way stop"
    assert "welcome" not in await run("scenario", "list")
    assert "welcome" in await run("scenario", "list", "--retired")
    async with shop.transaction() as connection:
        (journey,) = await journeys_.of_friend(connection, "default", HANAKO)
        await journeys_.end(connection, journey.ref.journey_id, "completed", at=NOW)
    assert "welcome v1: x; stopped: the scenario was retired" in await run("friend", "show", HANAKO)


async def test_who_enters_in_that_moment_is_stopped_too(
    door: Door, shop: Database, published: Publish
) -> None:
    version = (await published(yaml())).version
    async with shop.transaction() as connection:
        await friends.meet(connection, "default", HANAKO, NOW)
        await journeys_.enter(connection, version, HANAKO, why="x", now=NOW)
        retiring = asyncio.create_task(retire(door, under_way="stop"))
        query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        await eventually(lambda: count(shop, query))
    assert (await retiring)["stopped"] == 1


async def test_who_would_enter_a_moment_later_does_not(
    door: Door, shop: Database, published: Publish
) -> None:
    late = await published(yaml())
    await retire(door)
    assert await enter(shop, late, HANAKO) == [None]


async def test_an_enrolment_under_way_is_called_off(
    door: Door, shop: Database, published: Publish
) -> None:
    members = "start: {audience: vip, include_members: true}"
    begun = (await published(yaml(rules=members))).enrolment
    assert begun is not None
    await retire(door)
    async with shop.connection() as connection:
        found = await enrolments.get(connection, begun.ref.enrolment_id)
    assert (found.status, found.because) == ("cancelled", "the scenario was retired")


async def test_what_a_retired_scenario_used_can_be_deleted(
    door: Door, shop: Database, published: Publish
) -> None:
    async with shop.transaction() as connection:
        await define(connection, "vip", at=NOW)
    vip = await published(yaml(rules=VIP))
    await enter(shop, vip, HANAKO)
    refused = await door.api("DELETE", "/audiences/vip")
    assert (refused.status_code, "retire them" in refused.json()["detail"]) == (409, True)
    await retire(door)
    under_way = (await door.api("DELETE", "/audiences/vip")).json()["detail"]
    assert "journeys of scenario welcome version 1" in under_way
    (journey,) = await journeys(shop)
    async with shop.transaction() as connection:
        await journeys_.end(connection, journey["id"], "completed", at=NOW)
    assert (await door.api("DELETE", "/audiences/vip")).status_code == 204
    async with shop.connection() as connection:
        assert await audiences.all_of(connection, "default") == []


@pytest.mark.parametrize(
    ("scenario", "how", "status"),
    [("nothing", "finish", 404), ("welcome", "vanish", 422)],
)
async def test_what_cannot_be_retired_is_refused(
    door: Door, published: Publish, scenario: str, how: str, status: int
) -> None:
    await published(yaml())
    answer = await door.api("POST", f"/scenarios/{scenario}/retire", params={"under_way": how})
    assert (answer.status_code, bool(answer.json()["detail"])) == (status, True)
    assert await listed(door) == [("welcome", 1)]
