"""Journeys whose workflow was ended by force, which no workflow can tell the database."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

from tests.eventually import eventually
from tests.integration.front_door.conftest import Publish
from tests.integration.front_door.knocking import HANAKO, TARO, body_of, follow
from tests.scenarios import yaml
from tobiishi import webhooks
from tobiishi.database import Database
from tobiishi.journeys import journeys
from tobiishi.relay.relay import Relay
from tobiishi.relay.terminated_workflows import TerminatedWorkflows

_numbers = itertools.count(1)


@pytest.fixture
def relay(shop: Database, temporal: Client) -> Relay:
    return Relay(shop, temporal)


async def entries(shop: Database) -> list[asyncpg.Record]:
    async with shop.connection() as connection:
        return await connection.fetch("select * from journeys order by id")


async def outcomes(shop: Database) -> dict[str, str | None]:
    return {row["friend"]: row["outcome"] for row in await entries(shop)}


async def added(relay: Relay, *events: dict[str, Any]) -> None:
    read = webhooks.read("default", body_of(*events), received_at=datetime.now(UTC))
    async with relay.events.database.transaction() as connection:
        await webhooks.keep(connection, read)
    await relay.drain()


async def look(shop: Database, temporal: Client) -> dict[str, str | None]:
    await TerminatedWorkflows(shop, temporal).drain()
    return await outcomes(shop)


@pytest.fixture
async def walking(relay: Relay, shop: Database, published: Publish) -> str:
    """Hanako and Taro are under way in a scenario of that name, which no other test starts."""
    name = f"strayed-{next(_numbers)}"
    await published(yaml(name, "start: friend_added\nreentry: after_finishing"))
    await added(relay, follow(HANAKO), follow(TARO))
    assert await outcomes(shop) == {HANAKO: None, TARO: None}
    return name


async def test_a_terminated_journey_is_stopped_and_no_other(
    walking: str, shop: Database, temporal: Client
) -> None:
    await temporal.get_workflow_handle(f"journey/default/{walking}/{HANAKO}").terminate()
    seen = await eventually(lambda: look(shop, temporal), lambda seen: seen[HANAKO] is not None)
    assert seen == {HANAKO: "stopped", TARO: None}


async def test_who_has_entered_again_goes_on(
    walking: str, shop: Database, temporal: Client, relay: Relay
) -> None:
    former = temporal.get_workflow_handle(f"journey/default/{walking}/{HANAKO}")
    await former.terminate()
    (hers,) = [row for row in await entries(shop) if row["friend"] == HANAKO]
    async with shop.transaction() as connection:
        await journeys.end(connection, hers["id"], "stopped", at=datetime.now(UTC))
    at = int((datetime.now(UTC) + timedelta(seconds=1)).timestamp() * 1000)
    await added(relay, follow(HANAKO, at=at))
    await temporal.get_workflow_handle(f"journey/default/{walking}/{TARO}").terminate()

    await eventually(lambda: look(shop, temporal), lambda seen: seen[TARO] == "stopped")

    (_, again) = [row for row in await entries(shop) if row["friend"] == HANAKO]
    assert (again["entry"], again["outcome"]) == (2, None)


async def test_while_temporal_is_away_nothing_is_ended(
    walking: str, shop: Database, temporal: Client
) -> None:
    away = await Client.connect("127.0.0.1:1", lazy=True)
    assert await look(shop, away) == {HANAKO: None, TARO: None}
