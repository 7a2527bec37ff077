"""The month's messages, as LINE tells them; the simulator is the LINE that is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.integration.front_door.conftest import Open
from tests.integration.front_door.knocking import SECRET, Door, friend_id
from tests.scenarios import yaml
from tests.serving import serving
from tobiishi.channels import holds, quotas
from tobiishi.channels.channels import Channels
from tobiishi.database import Database
from tobiishi.people import audiences, friends
from tobiishi.relay.quotas import ASK_INTERVAL, Quotas
from tobiishi.settings import Settings
from tobiishi.simulator import ACCESS_TOKEN, create_simulator

NOW = datetime.now(UTC)


@pytest.fixture
async def line() -> AsyncIterator[httpx.AsyncClient]:
    simulator = create_simulator(webhook_url="http://127.0.0.1:1/", channel_secret=SECRET)
    async with serving(simulator) as url, httpx.AsyncClient(base_url=url) as line:
        yield line


@pytest.fixture
def settings(settings: Settings, line: httpx.AsyncClient) -> Settings:
    """Of a starter whose LINE is the simulator."""
    token = SecretStr(ACCESS_TOKEN)
    about = {"line_channel_access_token": token, "line_api_base_url": str(line.base_url)}
    return settings.model_copy(update=about)


async def plan(line: httpx.AsyncClient, **faults: Any) -> None:
    (await line.put("/_simulator/faults", json=faults)).raise_for_status()


async def ask(shop: Database, channels: Channels, now: datetime = NOW) -> quotas.Quota | None:
    """What is known once those were asked who were due then."""
    await Quotas(shop, channels).survey(now)
    async with shop.connection() as connection:
        return await quotas.get(connection, "default", at=now)


async def test_line_is_asked_every_now_and_then(
    shop: Database, channels: Channels, line: httpx.AsyncClient
) -> None:
    await plan(line, quota=500)
    known = await ask(shop, channels)
    assert known is not None
    assert (known.monthly, known.used, known.left) == (500, 0, 500)

    await plan(line, quota=800)
    known = await ask(shop, channels, NOW + ASK_INTERVAL - timedelta(seconds=1))
    assert known is not None
    assert known.monthly == 500
    known = await ask(shop, channels, NOW + ASK_INTERVAL)
    assert known is not None
    assert known.monthly == 800


async def test_a_line_that_is_away_changes_nothing(
    shop: Database, channels: Channels, line: httpx.AsyncClient
) -> None:
    assert await ask(shop, channels) is not None
    await plan(line, rate_500=1, applies_to="all")
    later = NOW + ASK_INTERVAL
    known = await ask(shop, channels, later)
    assert known is not None
    assert known.told_at == NOW


async def test_what_was_told_of_a_month_that_is_over_is_not_known(
    shop: Database, channels: Channels, line: httpx.AsyncClient
) -> None:
    await ask(shop, channels)
    async with shop.connection() as connection:
        over = holds.month_turns(NOW)
        before = over - timedelta(seconds=1)
        assert await quotas.get(connection, "default", at=before) is not None
        assert await quotas.get(connection, "default", at=over) is None


@pytest.mark.parametrize(("monthly", "goes_on"), [(0, False), (1, True), (None, True)])
async def test_sends_go_on_where_there_are_messages_again(
    shop: Database,
    channels: Channels,
    line: httpx.AsyncClient,
    monthly: int | None,
    goes_on: bool,
) -> None:
    await plan(line, quota=monthly)
    async with shop.transaction() as connection:
        await holds.put(connection, "default", kind="quota", reason="spent", at=NOW)
        await holds.put(connection, "default", kind="paused", reason="stocktaking", at=NOW)
    await ask(shop, channels)
    async with shop.connection() as connection:
        held = await holds.all_of(connection, "default", at=NOW)
    assert [hold.kind for hold in held] == (["paused"] if goes_on else ["quota", "paused"])


async def test_a_new_token_is_asked_about_anew(
    shop: Database, channels: Channels, line: httpx.AsyncClient
) -> None:
    assert await ask(shop, channels) is not None
    async with shop.transaction() as connection:
        known = await channels.get(connection, "default")
        await channels.put(connection, known)
        assert await quotas.get(connection, "default", at=NOW) is not None
        changed = type(known)(**{**known.__dict__, "access_token": "another"})
        await channels.put(connection, changed)
        assert await quotas.get(connection, "default", at=NOW) is None


async def test_a_scenario_that_would_take_too_much_says_so_before_it_goes_live(
    opened: Open, settings: Settings, shop: Database, channels: Channels, line: httpx.AsyncClient
) -> None:
    everybody = [friend_id(number) for number in range(30)]
    async with shop.transaction() as connection:
        for friend in everybody:
            await friends.meet(connection, "default", friend, NOW)
    await plan(line, quota=20)
    await ask(shop, channels)
    two_sends = yaml("sale", "start: {audience: vip, include_members: true}").replace(
        "steps:", "steps:\n  - send: {name: more, messages: [{type: text, text: x}]}"
    )
    async with opened(settings) as door:
        (await door.api("PUT", "/audiences/vip", json={})).raise_for_status()
        said = await checked(door, two_sends)
        assert said["warnings"] == []
        assert said["forecast"] == "no friend is there yet who may enter"

        async with shop.transaction() as connection:
            await audiences.join(connection, "default", "vip", everybody, at=NOW, reason="x")
        said = await checked(door, two_sends)
        (warning,) = said["warnings"]
        assert warning["field"] == "start"
        assert "messages are left, and it may take up to 60" in warning["message"]
        assert said["forecast"].startswith("30 friends enter within a second; 30 friends who wait")

        (channel,) = (await door.api("GET", "/channels")).json()
        assert (channel["quota"]["monthly"], channel["quota"]["left"]) == (20, 20)


async def checked(door: Door, text: str) -> dict[str, Any]:
    answer = await door.api("POST", "/scenarios/check", content=text.encode())
    said: dict[str, Any] = answer.raise_for_status().json()
    return said
