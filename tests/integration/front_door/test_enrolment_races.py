"""Enrolments while friends join, leave and block, and parts die: everybody enters once."""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import UTC, datetime

import pytest

from tests.integration.front_door.conftest import Publish
from tests.integration.front_door.enrolling import (
    DAY,
    MEMBERS,
    NOW,
    SECOND,
    all_pages,
    end_all,
    entered,
    join,
    last,
    leave,
    many,
    page,
    start_all,
    told,
)
from tests.integration.front_door.knocking import (
    HANAKO,
    TARO,
    count,
    follow,
    friend_id,
    journeys,
    unfollow,
)
from tests.scenarios import yaml
from tobiishi.database import Database
from tobiishi.people import audiences, friends
from tobiishi.publishing import enrolments, versions
from tobiishi.relay.relay import Relay

# --- joining, leaving and blocking meanwhile


async def test_who_joins_meanwhile_is_entered_by_that(vip: Database, published: Publish) -> None:
    await published(yaml(rules=f"{MEMBERS}\nreentry: after_finishing"))
    late = friend_id(50)
    await join(vip, late)

    progress = await page(vip)  # Before the relay has followed the change,
    assert progress.said == "2 / 3 entered, 1 passed over, done"
    assert await entered(vip) == [HANAKO, TARO]
    await Relay(vip, None).changes.drain()  # type: ignore[arg-type]
    rows = await journeys(vip)
    assert [(row["friend"], row["why"]) for row in rows][2:] == [(late, "joined vip: listed")]


async def test_who_has_joined_and_finished_meanwhile_is_passed_over(
    vip: Database, published: Publish
) -> None:
    await published(yaml(rules=f"{MEMBERS}\nreentry: after_finishing"))
    late = friend_id(50)
    await join(vip, late)
    await Relay(vip, None).changes.drain()  # type: ignore[arg-type]  # And after it.
    await end_all(vip)
    assert (await page(vip)).said == "2 / 3 entered, 1 passed over, done"
    assert [(row["friend"], row["entry"]) for row in await journeys(vip)] == [
        (HANAKO, 1),
        (TARO, 1),
        (late, 1),
    ]


async def test_a_block_at_the_same_moment_that_comes_first_keeps_the_friend_out(
    vip: Database, published: Publish
) -> None:
    await told(vip, follow())
    await published(yaml(rules=MEMBERS))
    async with vip.transaction() as connection:
        await friends.set_status(connection, "default", HANAKO, "blocked", datetime.now(UTC))
        entering = asyncio.create_task(page(vip))
        await asyncio.sleep(0.2)
        assert not entering.done()
    assert (await entering).said == "1 / 2 entered, 1 passed over, done"
    assert await entered(vip) == [TARO]


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_block_at_the_same_moment_that_comes_second_stops_the_journey(
    vip: Database, published: Publish, is_known: bool
) -> None:
    if is_known:
        await told(vip, follow())
    await published(yaml(rules=MEMBERS))
    version = await last(vip)
    async with vip.transaction() as connection:
        scenario = (await versions.get(connection, "default", "welcome", 1)).scenario
        number = version.ref.enrolment_id
        await enrolments.enter_page(connection, number, scenario, now=NOW)
        blocking = asyncio.create_task(told(vip, unfollow()))
        await asyncio.sleep(0.2)
        assert not blocking.done()
    await blocking
    hers, his = await journeys(vip)
    assert (hers["stopping"], his["stopping"]) == ("unfollowed", None)


async def test_who_leaves_at_the_same_moment_does_not_enter(
    vip: Database, published: Publish
) -> None:
    """Else nobody would tell the journey, which exits on it."""
    await told(vip, follow())
    await published(yaml(rules=f"{MEMBERS}\nexit: [{{leaves: vip}}]"))
    async with vip.transaction() as connection:
        await friends.lock(connection, "default", HANAKO)
        entering = asyncio.create_task(page(vip))
        await asyncio.sleep(0.2)  # The page has been chosen, and waits for her.
        await audiences.leave(connection, "default", "vip", [HANAKO], at=NOW, reason="x")
    assert (await entering).said == "1 / 2 entered, done"
    assert await entered(vip) == [TARO]


# --- whatever dies


async def test_a_page_that_dies_before_its_commit_has_entered_nobody(
    vip: Database, published: Publish
) -> None:
    await many(vip, 298)
    await published(yaml(rules=MEMBERS))
    with pytest.raises(ConnectionResetError):
        await page(vip, keep=False)
    assert await journeys(vip) == []
    assert (await last(vip)).seen == 0
    assert (await all_pages(vip)).said == "300 / 300 entered, done"


async def test_a_page_that_dies_after_its_commit_is_not_entered_again(
    vip: Database, published: Publish
) -> None:
    await many(vip, 298)
    await published(yaml(rules=MEMBERS))
    await page(vip)  # Nobody hears of it: the same page is asked for again.
    assert (await page(vip)).said.startswith("200 / 300 entered")
    assert (await all_pages(vip, NOW + SECOND)).said == "300 / 300 entered, done"
    assert len(set(await entered(vip))) == len(await entered(vip)) == 300


async def test_pages_at_once_enter_nobody_twice(vip: Database, published: Publish) -> None:
    people = await many(vip, 900)
    chance = random.Random(1)
    for friend in chance.sample(people, 300):
        await told(vip, follow(friend))
    await published(yaml(rules=MEMBERS))
    at = NOW
    while (await last(vip)).status == "running":
        await asyncio.gather(*(page(vip, at + number * SECOND) for number in range(4)))
        await start_all(vip)
        at += 10 * SECOND
    assert sorted(await entered(vip)) == sorted([HANAKO, TARO, *people])
    assert (await last(vip)).summary == "902 / 902 entered, done"


async def test_pages_and_changes_and_blocks_at_once_wait_for_nobody_for_ever(
    vip: Database, published: Publish
) -> None:
    """All hold many friends: were it in different orders, Postgres would end one of them."""
    people = await many(vip, 1200)
    rules = f"{MEMBERS}\nexit: [{{joins: bought}}]\nreentry: after_finishing"
    await published(yaml(rules=rules))
    random.Random(2).shuffle(people)
    joining, buying, blocking = people[:300], people[300:500], people[450:550]
    for friend in joining:  # In an order that is not that of their ids.
        await leave(vip, friend)
        await join(vip, friend)
    await join(vip, *buying, audience="bought")
    relay = Relay(vip, None)  # type: ignore[arg-type]

    async def enter() -> None:
        """While the changes are followed: slowly enough to meet them."""
        days = itertools.count(1)
        while not (await page(vip, NOW + next(days) * DAY)).is_over:
            await start_all(vip)
            await asyncio.sleep(0.1)

    async def block() -> None:
        for friend in blocking:
            await told(vip, unfollow(friend))

    await asyncio.gather(enter(), relay.changes.drain(), block())

    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    assert await count(vip, deadlocks) == 0
    assert await count(vip, "select count(*) from audience_changes") == 0
    came = await journeys(vip)
    assert len({row["friend"] for row in came}) == len(came)
    assert {HANAKO, TARO, *people}.difference(row["friend"] for row in came) <= set(blocking)
    for row in came:
        assert (row["stopping"] is not None) or row["friend"] not in blocking


async def test_a_page_and_a_publishing_at_once_wait_for_nobody_for_ever(
    vip: Database, published: Publish
) -> None:
    """Each defines combined audiences, which pages look up when they meet somebody new."""
    await many(vip, 600)
    audience = "{kind: combined, when: {audience: vip}}"
    await published(yaml(rules=MEMBERS))

    async def publish_often() -> None:
        for number in range(10):
            rules = f"{MEMBERS}\naudiences: {{all-{number}: {audience}}}"
            await published(yaml(rules=rules))

    async def pages() -> None:
        for number in range(40):
            await page(vip, NOW + number * SECOND)
            await start_all(vip)

    await asyncio.gather(publish_often(), pages(), pages())
    await all_pages(vip, NOW + DAY)
    assert len(await journeys(vip)) == 602
