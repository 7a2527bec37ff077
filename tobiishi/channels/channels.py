"""Channels: the LINE Official Accounts that this deployment serves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from tobiishi.channels import holds
from tobiishi.channels.vault import Vault
from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import Invalid, NotFound, SettingError
from tobiishi.line.login import LoginChannel
from tobiishi.settings import Settings

#: The channel that the environment's `LINE_*` settings describe.
DEFAULT = "default"

_sql = queries("channels")


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A LINE channel, and what it takes to speak for it."""

    #: Our name for it, as in `/webhook/{channel}`.
    channel: str
    #: Its title, for people.
    title: str
    #: Channel secret: webhook signatures are checked with it.
    secret: str = field(repr=False)
    #: Channel access token: requests to LINE carry it.
    access_token: str = field(repr=False)
    #: Where LINE's API answers for it.
    api_base_url: str
    #: The LINE Login channel that identifies who comes by a route, if any.
    login: LoginChannel | None = None
    #: The account's `@…`; None until LINE has returned it.
    basic_id: str | None = None


def unknown(channel: str) -> NotFound:
    return NotFound(f"channel {channel!r} does not exist; PUT /api/channels/{channel} adds it")


class Channels:
    """The channels in the database, their secrets encrypted there."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def put(self, connection: Connection, channel: Channel) -> None:
        """Add the channel, or change it. Raises `Invalid` for a token that can't be one.

        Its LINE Login channel stays as it is: see `put_login`.
        """
        token = channel.access_token
        if not (token.isascii() and token.isprintable()):
            raise Invalid(
                f"the access token of channel {channel.channel!r} has characters that no token "
                "has; copy it again from the LINE Developers console"
            )
        former = await _sql.get(connection, channel=channel.channel)
        if former is not None and self._token_of(former) != token:
            # It may be good, where the former was not.
            await holds.lift(connection, channel.channel, kind="token")
            # It may be another account's.
            await self.keep_basic_id(connection, channel.channel, None)
            await _sql.forget_quota(connection, channel=channel.channel)
        await _sql.put(
            connection,
            channel=channel.channel,
            title=channel.title,
            secret=self._vault.seal(channel.secret),
            access_token=self._vault.seal(channel.access_token),
            api_base_url=channel.api_base_url,
        )

    async def get(self, connection: Connection, channel: str) -> Channel:
        """Return the channel. Raises `NotFound`."""
        row = await _sql.get(connection, channel=channel)
        if row is None:
            raise unknown(channel)
        return self.opened(row)

    async def secrets(
        self, connection: Connection, channels: Collection[str]
    ) -> tuple[dict[str, str], datetime]:
        """The channel secrets of those that exist, and the time by the database's clock."""
        rows = await all_rows(_sql.secrets(connection, channels=list(channels)))
        opened = {
            row["channel"]: self._vault.open(row["secret"])
            for row in rows
            if row["secret"] is not None
        }
        return opened, rows[0]["now"]

    async def all(self, connection: Connection) -> list[Channel]:
        return [self.opened(row) for row in await all_rows(_sql.all(connection))]

    async def put_login(
        self, connection: Connection, channel: str, login: LoginChannel | None
    ) -> None:
        """Set or remove the LINE Login channel of a channel."""
        await _sql.put_login(
            connection,
            channel=channel,
            login_channel_id=login and login.channel_id,
            login_channel_secret=self._vault.seal(login.secret) if login else None,
        )

    async def keep_basic_id(
        self, connection: Connection, channel: str, basic_id: str | None
    ) -> None:
        """Store the account's `@…`, as LINE returned it."""
        await _sql.keep_basic_id(connection, channel=channel, basic_id=basic_id)

    async def put_default(self, connection: Connection, settings: Settings) -> None:
        """Keep the environment's channel as `default`, so that it is found like any other."""
        if settings.line_channel_access_token and settings.line_channel_secret:
            await self.put(
                connection,
                Channel(
                    channel=DEFAULT,
                    title=settings.line_channel_id or DEFAULT,
                    secret=settings.line_channel_secret.get_secret_value(),
                    access_token=settings.line_channel_access_token.get_secret_value(),
                    api_base_url=settings.line_api_base_url,
                ),
            )
            if settings.line_login_channel_id and settings.line_login_channel_secret:
                login = LoginChannel(
                    channel_id=settings.line_login_channel_id,
                    secret=settings.line_login_channel_secret.get_secret_value(),
                )
                await self.put_login(connection, DEFAULT, login)

    def _token_of(self, row: asyncpg.Record) -> str | None:
        """The stored token; None where the key that it was encrypted with is lost."""
        try:
            return self._vault.open(row["access_token"])
        except SettingError:
            return None

    def opened(self, row: asyncpg.Record) -> Channel:
        """The channel of a row of `channels`. Raises `SettingError` where a key is missing."""
        return Channel(
            channel=row["channel"],
            title=row["title"],
            secret=self._vault.open(row["secret"]),
            access_token=self._vault.open(row["access_token"]),
            api_base_url=row["api_base_url"],
            login=row["login_channel_id"]
            and LoginChannel(
                channel_id=row["login_channel_id"],
                secret=self._vault.open(row["login_channel_secret"]),
            ),
            basic_id=row["basic_id"],
        )
