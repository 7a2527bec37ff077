"""Deliveries over HTTP; what they hold is tested where they are sent."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.eventually import eventually
from tests.integration.front_door.conftest import Publish
from tests.integration.front_door.knocking import HANAKO, Door, count, follow
from tests.scenarios import yaml
from tobiishi.database import Database


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("?status=refused", 200),
        (f"?after={UUID(int=1)}", 200),
        ("?status=sent", 422),
        ("?after=1", 422),
        ("?limit=0", 422),
        ("?limit=1001", 422),
        ("?channel=nobody", 404),
    ],
)
async def test_what_may_be_asked_for(door: Door, query: str, status: int) -> None:
    assert (await door.api("GET", f"/deliveries{query}")).status_code == status
    assert (await door.http.get(f"/api/deliveries{query}")).status_code == 401


async def test_one_that_nobody_knows_the_outcome_of_is_named(
    door: Door, database: Database, published: Publish
) -> None:
    await published(yaml())
    await door.knock(follow(HANAKO))
    await eventually(lambda: count(database, "select count(*) from journeys"))
    async with database.connection() as connection:
        key = await connection.fetchval(
            "insert into deliveries (retry_key, journey_id, channel, friend, step, visit, message,"
            " status, reason, claimed_at) select gen_random_uuid(), id, channel, friend, '1', 1,"
            " 'hello', 'unknown', 'nobody knows', now() from journeys returning retry_key"
        )
    (said,) = (await door.api("GET", "/deliveries")).json()
    assert said["retry_key"] == str(key)
    assert (said["friend"], said["scenario"], said["message"]) == (HANAKO, "welcome", "hello")
    assert (said["status"], said["reason"]) == ("unknown", "nobody knows")
    assert (await door.api("GET", f"/deliveries?after={key}")).json() == []
