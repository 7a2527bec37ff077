"""Channels: kept in the database, their secrets unreadable there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from tobiishi.channels.channels import Channel, Channels
from tobiishi.channels.vault import Vault
from tobiishi.database import Database
from tobiishi.errors import NotFound, SettingError
from tobiishi.settings import Settings

SHOP = Channel(
    channel="shop",
    title="お店",
    secret="the-secret",
    access_token="the-token",
    api_base_url="https://api.line.me",
)


async def test_a_channel_is_kept_and_changed(database: Database, channels: Channels) -> None:
    async with database.transaction() as connection:
        await channels.put(connection, SHOP)
        await channels.put(connection, replace(SHOP, access_token="a-new-token"))
        assert await channels.get(connection, "shop") == replace(SHOP, access_token="a-new-token")
        assert [channel.channel for channel in await channels.all(connection)] == ["shop"]


async def test_secrets_do_not_lie_in_the_database_in_clear(
    database: Database, channels: Channels
) -> None:
    async with database.transaction() as connection:
        await channels.put(connection, SHOP)
        row = await connection.fetchrow("select * from channels")
    assert row is not None
    assert b"the-secret" not in row["secret"]
    assert b"the-token" not in row["access_token"]
    assert "the-secret" not in repr(SHOP)


async def test_an_unknown_channel_is_named(database: Database, channels: Channels) -> None:
    async with database.connection() as connection:
        with pytest.raises(NotFound, match="'nobody' does not exist"):
            await channels.get(connection, "nobody")


async def test_the_environments_channel_is_the_default_one(
    database: Database, channels: Channels
) -> None:
    settings = Settings(
        line_channel_secret=SecretStr("s"), line_channel_access_token=SecretStr("t")
    )
    async with database.transaction() as connection:
        await channels.put_default(connection, settings)
        assert (await channels.get(connection, "default")).secret == "s"


async def test_a_former_key_still_opens_and_a_lost_one_says_what_to_do(
    database: Database, channels: Channels, secret_key: SecretStr
) -> None:
    newer = Fernet.generate_key().decode()
    both = Channels(Vault(SecretStr(f"{newer},{secret_key.get_secret_value()}")))
    lost = Channels(Vault(SecretStr(newer)))
    async with database.transaction() as connection:
        await channels.put(connection, SHOP)
        assert (await both.get(connection, "shop")).secret == "the-secret"
        with pytest.raises(SettingError, match="add the former key to TOBIISHI_SECRET_KEY"):
            await lost.get(connection, "shop")
