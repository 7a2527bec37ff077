"""Moments to come: nobody is believed who stamps what happened with one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.eventually import eventually
from tests.integration.front_door.knocking import HANAKO, Door, count, follow, unfollow
from tobiishi.database import SQL, Database


async def handled(database: Database, number: int) -> None:
    query = "select count(*) from webhook_events where handled_at is not null"
    await eventually(lambda: count(database, query), lambda done: done == number)


async def friends(database: Database) -> dict[str, str]:
    async with database.connection() as connection:
        return {row["friend"]: row["status"] for row in await connection.fetch("table friends")}


IN_2999 = int(datetime(2999, 1, 1, tzinfo=UTC).timestamp() * 1000)


async def test_a_follow_stamped_in_a_time_to_come_makes_no_later_block_ignored(
    door: Door, database: Database
) -> None:
    await door.knock(follow(at=IN_2999))
    await handled(database, 1)
    assert await friends(database) == {HANAKO: "following"}
    await door.knock(unfollow())
    await handled(database, 2)
    assert await friends(database) == {HANAKO: "blocked"}
    await door.knock(follow())
    await handled(database, 3)
    assert await friends(database) == {HANAKO: "following"}
    assert await count(database, "select count(*) from friends where status_at > now()") == 0
    assert (
        await count(database, "select count(*) from webhook_events where occurred_at > now()") == 0
    )


async def test_a_time_to_come_that_a_former_release_believed_is_overcome(
    door: Door, database: Database
) -> None:
    await door.knock(follow())
    await handled(database, 1)
    async with database.connection() as connection:
        await connection.execute("update friends set status_at = '2999-01-01'")
    await door.knock(unfollow())
    await handled(database, 2)
    assert await friends(database) == {HANAKO: "blocked"}
    # As was kept by a release that runs beside this one, and waits to be handled.
    async with database.connection() as connection:
        await connection.execute(
            "insert into webhook_events select channel, 'other', 'follow', friend, '2999-01-01',"
            " now(), $1 from friends",
            follow(at=IN_2999),
        )
    await handled(database, 3)
    await door.knock(unfollow())
    await handled(database, 4)
    assert await friends(database) == {HANAKO: "blocked"}


async def test_memberships_by_events_of_a_time_to_come_end(door: Door, database: Database) -> None:
    await door.knock(follow())
    await handled(database, 1)
    await door.api(
        "PUT", "/audiences/buyers", json={"kind": "web", "event": "purchase", "days": 30}
    )
    soon = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    event = {"friend": HANAKO, "event": "purchase", "at": soon}
    assert (await door.api("POST", "/events", json={"events": [event]})).json()["new"] == 1
    ahead = "select count(*) from events where occurred_at > now()"
    later = "select count(*) from audience_members where expires_at > now() + interval '30 days'"
    assert (await count(database, ahead), await count(database, later)) == (0, 0)
    assert await count(database, "select count(*) from audience_members") == 1
    async with database.connection() as connection:
        await connection.execute("update events set occurred_at = '2999-01-01'")
        await connection.execute("update audience_members set expires_at = '2999-02-01'")
        await connection.execute((SQL / "migrations" / "0016_future.sql").read_text("utf-8"))
    assert (await count(database, ahead), await count(database, later)) == (0, 0)
