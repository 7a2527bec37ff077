"""Enrolments: those who are in a scenario's audience already enter it, once, whatever dies."""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import Open, Publish
from knocking import HANAKO, TARO, Door, count, follow, friend_id, journeys, unfollow
from proxying import Way
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from tests.defining import define
from tests.eventually import eventually
from tests.scenarios import STEPS, publish, yaml
from tobiishi import audiences, enrolments, forgetting, friends, publishing, webhooks
from tobiishi import journeys as journeys_
from tobiishi.database import Database
from tobiishi.enrolment_plan import MOST_WAITING, Progress
from tobiishi.enrolments import Enrolment
from tobiishi.errors import Invalid, NotFound
from tobiishi.relay import Relay, follow_event
from tobiishi.settings import Settings

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
MEMBERS = "start: {audience: vip, include_members: true}"

_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """A scenario that no other test starts: they share one Temporal."""
    return f"enrolled-{next(_numbers)}"


@pytest.fixture
async def vip(shop: Database) -> Database:
    """The database, with Hanako and Taro in an audience, and all that followed from it done."""
    async with shop.transaction() as connection:
        await define(connection, "vip", at=NOW)
    await join(shop, HANAKO, TARO)
    await forget_changes(shop)
    return shop


async def join(database: Database, *who: str, audience: str = "vip") -> None:
    async with database.transaction() as connection:
        await audiences.join(connection, "default", audience, who, at=NOW, reason="listed")


async def leave(database: Database, *who: str) -> None:
    async with database.transaction() as connection:
        await audiences.leave(connection, "default", "vip", who, at=NOW, reason="unlisted")


async def forget_changes(database: Database) -> None:
    """As an upload that nobody watched: it told of no change."""
    async with database.connection() as connection:
        await connection.execute("delete from audience_changes")


async def many(database: Database, members: int) -> list[str]:
    """So many more members."""
    ids = [friend_id(number) for number in range(100, 100 + members)]
    await join(database, *ids)
    await forget_changes(database)
    return ids


async def page(
    database: Database, at: datetime = NOW, *, enrolment: int = 0, keep: bool = True
) -> Progress:
    """Enter a page of the enrolment, the last one where no other is named."""
    async with database.connection() as connection:
        number = enrolment or await connection.fetchval("select max(id) from enrolments")
        found = await enrolments.get(connection, number)
        ref = found.ref
        version = await publishing.get(connection, ref.channel, ref.scenario, ref.version)
    async with database.transaction() as connection:
        progress = await enrolments.enter_page(connection, number, version.scenario, now=at)
        if not keep:
            raise ConnectionResetError("the worker died")
    return progress


async def all_pages(database: Database, at: datetime = NOW) -> Progress:
    """Enter page after page, each when it is due, with a Temporal that starts all at once."""
    while not (progress := await page(database, at)).is_over:
        assert progress.next_at is not None
        at = progress.next_at
        await start_all(database)
    return progress


async def start_all(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("delete from outbox where kind = 'start'")


async def end_all(database: Database) -> None:
    async with database.transaction() as connection:
        for row in await connection.fetch("select id from journeys where ended_at is null"):
            await journeys_.end(connection, row["id"], "completed", at=NOW)


async def last(database: Database) -> Enrolment:
    async with database.connection() as connection:
        return await enrolments.get(
            connection, await connection.fetchval("select max(id) from enrolments")
        )


async def entered(database: Database) -> list[str]:
    return [row["friend"] for row in await journeys(database)]


async def told(database: Database, *events: dict[str, Any]) -> None:
    """Have the relay follow webhook events."""
    for event in events:
        read = webhooks.read("default", knocked(event), received_at=NOW)
        for kept in read:
            async with database.transaction() as connection:
                await follow_event(connection, kept)


def knocked(event: dict[str, Any]) -> bytes:
    from knocking import body_of

    return body_of(event)


# --- who enters


async def test_all_who_are_in_the_audience_already_enter(vip: Database, published: Publish) -> None:
    begun = (await published(yaml(rules=f"{MEMBERS}\nexit: [{{joins: bought}}]"))).enrolment
    assert begun is not None
    assert (begun.status, begun.total, begun.entered, begun.audience) == ("running", 2, 0, "vip")
    assert begun.said == "0 / 2 entered, less than a minute left"

    progress = await page(vip)

    assert progress == Progress(status="done", said="2 / 2 entered, done", next_at=None)
    rows = await journeys(vip)
    assert [(row["friend"], row["scenario"], row["version"], row["entry"]) for row in rows] == [
        (HANAKO, "welcome", 1, 1),
        (TARO, "welcome", 1, 1),
    ]
    assert {row["why"] for row in rows} == {"is in vip: enrolled"}
    assert {row["started_at"] for row in rows} == {NOW}
    assert await count(vip, "select count(*) from outbox where kind = 'start'") == 2
    kept = await last(vip)
    assert (kept.status, kept.finished_at, kept.cursor) == ("done", NOW, "")


async def test_a_scenario_that_does_not_say_so_enters_no_members(
    vip: Database, published: Publish
) -> None:
    assert (await published(yaml(rules="start: {audience: vip}"))).enrolment is None
    assert await count(vip, "select count(*) from enrolments") == 0


async def test_who_enters_so_leaves_when_the_scenario_says_so(
    vip: Database, published: Publish
) -> None:
    await published(yaml(rules=f"{MEMBERS}\nexit: [{{joins: bought}}, {{leaves: vip}}]"))
    await page(vip)
    await join(vip, HANAKO, audience="bought")
    await leave(vip, TARO)
    await Relay(vip, None).changes.drain()  # type: ignore[arg-type]
    hers, his = await journeys(vip)
    assert (hers["stopping_because"], his["stopping_because"]) == ("joined bought", "left vip")


async def test_people_whom_nobody_has_met_are_met(vip: Database, published: Publish) -> None:
    """They were friends long before: an upload from the shop's books."""
    everybody = "{kind: combined, when: {not: {audience: vip}}}"
    rules = f"{MEMBERS}\naudiences: {{others: {everybody}}}"
    await published(yaml(rules=rules))
    await page(vip)
    async with vip.connection() as connection:
        known = await friends.get_many(connection, "default", [HANAKO, TARO])
        assert {friend.status for friend in known.values()} == {"following"}
        assert await count(vip, "select count(*) from audience_changes where change = 'known'") == 2
    # Whatever LINE tells of them later is newer.
    await told(vip, unfollow(at=1000))
    async with vip.connection() as connection:
        assert (await friends.get(connection, "default", HANAKO)).status == "blocked"


async def test_who_blocks_the_channel_is_passed_over(vip: Database, published: Publish) -> None:
    await told(vip, follow(), unfollow())
    await published(yaml(rules=MEMBERS))
    assert (await page(vip)).said == "1 / 2 entered, 1 passed over, done"
    assert await entered(vip) == [TARO]
    assert (await last(vip)).passed_over.blocked == 1


async def test_who_is_to_be_forgotten_does_not_enter(vip: Database, published: Publish) -> None:
    await told(vip, follow())
    async with vip.transaction() as connection:
        await forgetting.ask(connection, "default", HANAKO, at=NOW)
    await published(yaml(rules=MEMBERS))
    await page(vip)
    assert await entered(vip) == [TARO]


async def test_memberships_that_are_over_count_no_more(vip: Database, published: Publish) -> None:
    async with vip.connection() as connection:
        await connection.execute(
            "update audience_members set expires_at = $1 where friend = $2", NOW + SECOND, HANAKO
        )
    await published(yaml(rules=MEMBERS))
    await page(vip, NOW + SECOND)
    assert await entered(vip) == [TARO]


@pytest.mark.parametrize("reentry", ["never", "after_finishing", "{after_days: 1}"])
@pytest.mark.parametrize("is_over", [True, False])
async def test_who_has_ever_entered_enters_no_more(
    vip: Database, published: Publish, reentry: str, is_over: bool
) -> None:
    rules = f"{MEMBERS}\nreentry: {reentry}"
    await published(yaml(rules=rules))
    await page(vip)
    if is_over:
        await end_all(vip)
    late = friend_id(7)
    await join(vip, late)
    await forget_changes(vip)

    again = await published(yaml(rules=rules, steps=STEPS.replace("こんにちは", "やあ")))
    progress = await page(vip, NOW + 10 * DAY)

    assert again.version.version == 2
    assert progress.said == "1 / 3 entered, 2 passed over, done"
    rows = await journeys(vip)
    assert {(row["friend"], row["version"], row["entry"]) for row in rows} == {
        (HANAKO, 1, 1),
        (TARO, 1, 1),
        (late, 2, 1),
    }
    assert (await last(vip)).passed_over.had_entered == 2


async def test_an_entry_of_another_scenario_is_none_of_this_one(
    vip: Database, published: Publish
) -> None:
    await published(yaml("other", rules=MEMBERS))
    await page(vip)
    await published(yaml("welcome", rules=MEMBERS))
    assert (await page(vip)).said == "2 / 2 entered, done"


# --- pages, and how fast they come


async def test_pages_come_one_after_another_and_nobody_twice(
    vip: Database, published: Publish
) -> None:
    people = [HANAKO, TARO, *await many(vip, 448)]
    await published(yaml(rules=MEMBERS))

    first = await page(vip)
    assert first.status == "running"
    assert first.next_at == NOW + SECOND
    assert first.said.startswith("200 / 450 entered, less than a minute left")
    assert await entered(vip) == people[:200]
    second = await page(vip, NOW + 1.1 * SECOND)  # Only 100 may wait with those.
    assert second.said.startswith("300 / 450 entered")
    third = await page(vip, NOW + 2 * SECOND)
    assert third.said == "300 / 450 entered, waits until Temporal has started 300 others"
    assert third.next_at == NOW + 3 * SECOND
    await start_all(vip)
    fourth = await page(vip, NOW + 10 * SECOND)
    assert fourth.said == "450 / 450 entered, done"
    assert await entered(vip) == people


async def test_an_end_between_two_pages_is_found(vip: Database, published: Publish) -> None:
    await many(vip, 198)
    await published(yaml(rules=MEMBERS))
    assert (await page(vip)).said == "200 / 200 entered"
    assert (await page(vip, NOW + SECOND)).said == "200 / 200 entered, done"


async def test_an_empty_audience_is_done_at_once(shop: Database, published: Publish) -> None:
    await published(yaml(rules=MEMBERS))
    assert (await page(shop)).said == "0 / 0 entered, done"


async def test_the_pace_can_be_changed_while_it_runs(vip: Database, published: Publish) -> None:
    await many(vip, 500)
    begun = (await published(yaml(rules=MEMBERS))).enrolment
    assert begun is not None
    async with vip.transaction() as connection:
        slow = await enrolments.set_pace(connection, begun.ref.enrolment_id, 2)
    assert slow.said == "0 / 502 entered, about 4 minutes left"
    first = await page(vip)
    assert (first.next_at, await count(vip, "select count(*) from journeys")) == (
        NOW + 10 * SECOND,
        40,
    )
    await page(vip, NOW + 10 * SECOND)
    assert await count(vip, "select count(*) from journeys") == 60


async def test_those_who_have_entered_before_cost_no_time(
    vip: Database, published: Publish
) -> None:
    await many(vip, 1498)
    await published(yaml(rules=MEMBERS))
    await all_pages(vip)
    await join(vip, *(friend_id(number) for number in range(2000, 2010)))
    await forget_changes(vip)
    await published(yaml(rules=MEMBERS, steps=STEPS.replace("こんにちは", "やあ")))
    assert (await page(vip)).said == "10 / 1,510 entered, 1,500 passed over, done"


async def test_an_order_that_always_fails_holds_no_enrolment_up(
    vip: Database, published: Publish
) -> None:
    await many(vip, MOST_WAITING + 100)
    await published(yaml(rules=MEMBERS))
    await page(vip)
    async with vip.connection() as connection:
        await connection.execute("update outbox set attempts = 9")
    assert (await page(vip, NOW + DAY)).said.startswith("400 / 402 entered")


async def test_the_time_that_is_left_follows_the_real_speed(
    vip: Database, published: Publish
) -> None:
    await many(vip, 1998)
    await published(yaml(rules=MEMBERS))
    await page(vip)
    progress, at = None, NOW
    for _ in range(6):
        at += 30 * SECOND  # Pages come late: Temporal has much to do.
        await start_all(vip)
        progress = await page(vip, at)
    assert progress is not None
    assert (
        progress.said == "1,400 / 2,000 entered, about 2 minutes left"
    )  # Not 6 s, as by the pace.


# --- the period


PERIOD = 'period: {from: "2026-12-01", until: "2026-12-24 18:00"}'


async def test_it_waits_for_the_period(vip: Database, published: Publish) -> None:
    await published(yaml(rules=f"{MEMBERS}\n{PERIOD}"))
    opening = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
    waits = await page(vip)
    assert (waits.status, waits.next_at) == ("running", opening)
    assert waits.said == "0 / 2 entered, waits for its period, which begins 2026-12-01 00:00"
    assert await journeys(vip) == []
    assert (await page(vip, opening)).said == "2 / 2 entered, done"


async def test_it_ends_with_the_period(vip: Database, published: Publish) -> None:
    await many(vip, 498)
    await published(yaml(rules=f"{MEMBERS}\n{PERIOD}"))
    until = datetime(2026, 12, 24, 9, 0, tzinfo=UTC)
    await page(vip, until)
    late = await page(vip, until + timedelta(minutes=1))
    assert late.said == "200 / 500 entered, 300 passed over, done, its period is over"
    assert late.is_over
    assert (await last(vip)).passed_over.too_late == 300


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
        await friends.tell_status(connection, "default", HANAKO, "blocked", datetime.now(UTC))
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
        scenario = (await publishing.get(connection, "default", "welcome", 1)).scenario
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
        await friends.hold(connection, "default", HANAKO)
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
    assert (await last(vip)).said == "902 / 902 entered, done"


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
        while not (await page(vip, NOW + next(_numbers) * DAY)).is_over:
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


# --- pause, resume, cancel


async def test_a_paused_one_enters_nobody_until_it_is_resumed(
    vip: Database, published: Publish
) -> None:
    await many(vip, 398)
    begun = (await published(yaml(rules=MEMBERS))).enrolment
    assert begun is not None
    number = begun.ref.enrolment_id
    await page(vip)
    async with vip.transaction() as connection:
        await enrolments.pause(connection, number)
        await enrolments.pause(connection, number)  # Said twice, it is paused.
    waits = await page(vip, NOW + SECOND)
    assert waits == Progress(status="paused", said="200 / 400 entered, paused", next_at=None)
    assert not waits.is_over
    async with vip.transaction() as connection:
        await enrolments.resume(connection, number)
    await start_all(vip)
    assert (await page(vip, NOW + DAY)).said.startswith("400 / 400 entered")


async def test_a_cancelled_one_enters_nobody_any_more(vip: Database, published: Publish) -> None:
    await many(vip, 398)
    begun = (await published(yaml(rules=MEMBERS))).enrolment
    assert begun is not None
    number = begun.ref.enrolment_id
    await page(vip)
    async with vip.transaction() as connection:
        await enrolments.cancel(connection, number, because="by request", now=NOW)
    over = await page(vip, NOW + SECOND)
    assert over.said == "200 / 400 entered, cancelled, by request"
    assert over.is_over
    assert (await last(vip)).cursor == ""
    for change in (
        enrolments.pause(connection, number),
        enrolments.resume(connection, number),
        enrolments.cancel(connection, number, because="again", now=NOW),
        enrolments.set_pace(connection, number, 5),
    ):
        change.close()
    async with vip.transaction() as connection:
        with pytest.raises(Invalid, match="over: it was cancelled at 2026-11-26 10:00 UTC"):
            await enrolments.resume(connection, number)
        with pytest.raises(NotFound, match="enrolment 77 does not exist"):
            await enrolments.pause(connection, 77)
        with pytest.raises(Invalid, match="per_second is 0; make it 1 to 1000"):
            await enrolments.set_pace(connection, number, 0)
    async with vip.transaction() as connection:
        await enrolments.call_off(connection, number, at=NOW + DAY)
    assert (await last(vip)).finished_at == NOW


# --- publishing again


async def test_the_same_file_again_begins_nothing(vip: Database, published: Publish) -> None:
    assert (await published(yaml(rules=MEMBERS))).enrolment is not None
    assert (await published(yaml(rules=MEMBERS))).enrolment is None
    await page(vip)
    assert (await published(yaml(rules=MEMBERS))).enrolment is None
    assert await count(vip, "select count(*) from enrolments") == 1


@pytest.mark.parametrize(("rules", "begins"), [(MEMBERS, True), ("start: {audience: vip}", False)])
@pytest.mark.parametrize("is_paused", [True, False])
async def test_a_newer_version_takes_over_or_ends_it(
    vip: Database, published: Publish, rules: str, begins: bool, is_paused: bool
) -> None:
    await many(vip, 398)
    old = (await published(yaml(rules=MEMBERS))).enrolment
    assert old is not None
    number = old.ref.enrolment_id
    await page(vip)
    await start_all(vip)
    async with vip.transaction() as connection:
        await enrolments.told(connection, old)
        if is_paused:
            await enrolments.pause(connection, number)

    new = (await published(yaml(rules=f"{rules}\ndescription: newer"))).enrolment

    assert (new is not None) == begins
    over = await page(vip, NOW + SECOND, enrolment=number)
    assert over.said == "200 / 400 entered, cancelled, superseded by version 2"
    async with vip.connection() as connection:
        untold = await enrolments.untold(connection, now=NOW)
    assert untold is not None
    assert untold[0].ref == old.ref  # Its workflow is told, wherever it waits.
    if begins:
        assert (
            await all_pages(vip, NOW + SECOND)
        ).said == "200 / 400 entered, 200 passed over, done"
        assert len(await entered(vip)) == len(set(await entered(vip))) == 400


async def test_a_publishing_that_is_rolled_back_begins_nothing(vip: Database) -> None:
    async def fail() -> None:
        async with vip.transaction() as connection:
            done = await publish(connection, yaml(rules=MEMBERS), now=NOW)
            assert done.enrolment
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await count(vip, "select count(*) from enrolments") == 0


# --- Temporal


def handle_of(client: Client, enrolment: Enrolment) -> Any:
    return client.get_workflow_handle(enrolment.ref.workflow_id)


async def looks(client: Client, enrolment: Enrolment) -> int:
    """How often its workflow was told to look."""
    history = await handle_of(client, enrolment).fetch_history()
    return sum(
        past.workflow_execution_signaled_event_attributes.signal_name == "look"
        for past in history.events
    )


async def test_the_relay_starts_its_workflow_once_and_tells_it_to_look(
    vip: Database, published: Publish, temporal: Client, name: str
) -> None:
    begun = (await published(yaml(name, rules=MEMBERS))).enrolment
    assert begun is not None
    assert begun.ref.workflow_id == f"enrolment/default/{name}/{begun.ref.enrolment_id}"
    relay = Relay(vip, temporal)
    await relay.drain()
    await relay.drain()
    described = await handle_of(temporal, begun).describe()
    assert described.workflow_type == "enrolment"
    assert described.typed_search_attributes[_keyword("Scenario")] == name
    assert await looks(temporal, begun) == 0

    for change in (enrolments.pause, enrolments.resume):
        async with vip.transaction() as connection:
            await change(connection, begun.ref.enrolment_id)
        await relay.drain()
        await relay.drain()
    assert await looks(temporal, begun) == 2


async def test_a_relay_that_dies_before_its_commit_starts_one_workflow(
    vip: Database, published: Publish, temporal: Client, name: str
) -> None:
    begun = (await published(yaml(name, rules=MEMBERS))).enrolment
    assert begun is not None
    relay = Relay(vip, temporal)

    async def die() -> None:
        async with vip.transaction() as connection:
            assert await relay.enrolments.handle_one(connection, NOW)
            raise KeyError

    with pytest.raises(KeyError):
        await die()
    first = await handle_of(temporal, begun).describe()
    await asyncio.gather(relay.drain(), Relay(vip, temporal).drain())
    assert (await handle_of(temporal, begun).describe()).run_id == first.run_id
    assert await count(vip, "select count(*) from enrolments where told") == 1


async def test_what_is_said_while_temporal_is_being_told_is_told_too(
    vip: Database, published: Publish, temporal: Client, name: str
) -> None:
    begun = (await published(yaml(name, rules=MEMBERS))).enrolment
    assert begun is not None
    async with vip.transaction() as connection:
        await enrolments.pause(connection, begun.ref.enrolment_id)
        await enrolments.told(connection, begun)  # It was told that it runs.
        assert await enrolments.untold(connection, now=NOW)


async def test_an_enrolment_begins_by_itself_when_temporal_is_back(
    vip: Database, published: Publish, temporal: Client, name: str
) -> None:
    target = temporal.service_client.config.target_host
    async with Way(target) as way:
        client = await Client.connect(
            way.address, data_converter=pydantic_data_converter, lazy=True
        )
        async with Relay(vip, client):
            begun = (await published(yaml(name, rules=MEMBERS))).enrolment
            assert begun is not None
            failed = "select attempts from enrolments"
            await eventually(lambda: count(vip, failed), lambda attempts: attempts > 0)
            await way.open()
            untold = "select count(*) from enrolments where not told"
            await eventually(lambda: count(vip, untold), lambda seen: seen == 0, seconds=8)
    await handle_of(temporal, begun).describe()


async def test_one_whose_workflow_was_terminated_goes_on_when_it_is_resumed(
    vip: Database, published: Publish, temporal: Client, name: str
) -> None:
    begun = (await published(yaml(name, rules=MEMBERS))).enrolment
    assert begun is not None
    relay = Relay(vip, temporal)
    await relay.drain()
    await handle_of(temporal, begun).terminate()
    async with vip.transaction() as connection:
        await enrolments.resume(connection, begun.ref.enrolment_id)
    await relay.drain()
    status = (await handle_of(temporal, begun).describe()).status
    assert status == WorkflowExecutionStatus.RUNNING


async def test_one_that_is_over_before_temporal_knew_it_is_not_started(
    vip: Database, published: Publish, temporal: Client, name: str
) -> None:
    begun = (await published(yaml(name, rules=MEMBERS))).enrolment
    assert begun is not None
    async with vip.transaction() as connection:
        await enrolments.cancel(connection, begun.ref.enrolment_id, because="x", now=NOW)
    await Relay(vip, temporal).drain()
    with pytest.raises(RPCError, match="not found"):
        await handle_of(temporal, begun).describe()
    assert await count(vip, "select count(*) from enrolments where told") == 1


def _keyword(name: str) -> Any:
    from temporalio.common import SearchAttributeKey

    return SearchAttributeKey.for_keyword(name)


# --- the API


async def test_an_enrolment_is_seen_paused_and_cancelled_over_http(
    vip: Database, published: Publish, door: Door
) -> None:
    await many(vip, 398)
    await published(yaml(rules=MEMBERS))
    await page(vip)
    (row,) = (await door.api("GET", "/enrolments")).json()
    at = f"/enrolments/{row['id']}"
    assert (await door.api("GET", at)).json() == row
    started_at = row.pop("started_at")
    assert started_at
    assert row == {
        "id": row["id"],
        "channel": "default",
        "scenario": "welcome",
        "version": 1,
        "audience": "vip",
        "status": "running",
        "said": "200 / 400 entered, less than a minute left",
        "total": 400,
        "seen": 200,
        "entered": 200,
        "passed_over": {"had_entered": 0, "blocked": 0, "too_late": 0},
        "per_second": 100,
        "finished_at": None,
    }
    assert (await door.api("POST", f"{at}/pause")).json()["status"] == "paused"
    assert (await door.api("POST", f"{at}/resume")).json()["status"] == "running"
    assert (await door.api("PATCH", at, json={"per_second": 7})).json()["per_second"] == 7
    cancelled = (await door.api("POST", f"{at}/cancel")).json()
    assert cancelled["status"] == "cancelled"
    assert cancelled["said"] == "200 / 400 entered, cancelled, by request"
    assert cancelled["finished_at"]
    for change in ("pause", "resume", "cancel"):
        answer = await door.api("POST", f"{at}/{change}")
        assert answer.status_code == 400
        assert "is over: it was cancelled at" in answer.json()["detail"]
    assert (await door.api("PATCH", at, json={"per_second": 7})).status_code == 400


@pytest.mark.parametrize(
    "number", ["1", "0", "-1", "x", "999999999999999999", "9" * 40, "1.5", "٣", "%00"]
)
async def test_an_enrolment_that_does_not_exist_is_not_found(door: Door, number: str) -> None:
    for method, path in (
        ("GET", ""),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/cancel"),
    ):
        answer = await door.api(method, f"/enrolments/{number}{path}")
        assert answer.status_code == 404
        assert "does not exist" in answer.json()["detail"]
    answer = await door.api("PATCH", f"/enrolments/{number}", json={"per_second": 5})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "body", [{"per_second": 0}, {"per_second": 1001}, {"per_second": None}, {}, {"pace": 1}]
)
async def test_a_pace_that_cannot_be_is_refused(
    vip: Database, published: Publish, door: Door, body: dict[str, Any]
) -> None:
    begun = (await published(yaml(rules=MEMBERS))).enrolment
    assert begun is not None
    answer = await door.api("PATCH", f"/enrolments/{begun.ref.enrolment_id}", json=body)
    assert answer.status_code == 422


async def test_enrolments_are_for_those_with_the_token(door: Door) -> None:
    for method, path in (("GET", ""), ("GET", "/1"), ("POST", "/1/pause"), ("PATCH", "/1")):
        answer = await door.http.request(method, f"/api/enrolments{path}")
        assert answer.status_code == 401


async def test_a_pause_does_not_wait_for_a_temporal_that_hangs(
    opened: Open,
    settings: Settings,
    vip: Database,
    published: Publish,
    temporal: Client,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Way(temporal.service_client.config.target_host) as way:
        await way.open(hangs=True)
        monkeypatch.setenv("TEMPORAL_ADDRESS", way.address)
        async with opened(settings) as door:
            begun = (await published(yaml(name, rules=MEMBERS))).enrolment
            assert begun is not None
            await asyncio.sleep(0.7)  # The relay is telling Temporal now.
            async with asyncio.timeout(3):
                at = f"/enrolments/{begun.ref.enrolment_id}"
                assert (await door.api("POST", f"{at}/pause")).json()["status"] == "paused"
