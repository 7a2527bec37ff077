"""Who is entered by an enrolment, page by page, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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
    forget_changes,
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
from tests.scenarios import STEPS, publish, yaml
from tobiishi.database import Database
from tobiishi.people import friends
from tobiishi.publishing import enrolments
from tobiishi.publishing.enrolment_plan import MAX_WAITING_STARTS, Progress
from tobiishi.relay import forgetting
from tobiishi.relay.relay import Relay

# --- who enters


async def test_all_who_are_in_the_audience_already_enter(vip: Database, published: Publish) -> None:
    begun = (await published(yaml(rules=f"{MEMBERS}\nexit: [{{joins: bought}}]"))).enrolment
    assert begun is not None
    assert (begun.status, begun.total, begun.entered, begun.audience) == ("running", 2, 0, "vip")
    assert begun.summary == "0 / 2 entered, less than a minute left"

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
    assert slow.summary == "0 / 502 entered, about 4 minutes left"
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
    await many(vip, MAX_WAITING_STARTS + 100)
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
        await enrolments.confirm(connection, old)
        if is_paused:
            await enrolments.pause(connection, number)

    new = (await published(yaml(rules=f"{rules}\ndescription: newer"))).enrolment

    assert (new is not None) == begins
    over = await page(vip, NOW + SECOND, enrolment=number)
    assert over.said == "200 / 400 entered, cancelled, superseded by version 2"
    async with vip.connection() as connection:
        untold = await enrolments.next_unconfirmed(connection, now=NOW)
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
