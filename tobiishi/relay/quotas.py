"""Asks LINE every now and then what a channel's plan leaves of the month's messages."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from tobiishi.channels import holds, quotas
from tobiishi.channels.channels import Channels
from tobiishi.database import Database
from tobiishi.errors import SettingError
from tobiishi.line import LineClient, LineError
from tobiishi.relay.queue import Survey

_log = logging.getLogger(__name__)

#: How often LINE is asked.
ASK_INTERVAL = timedelta(minutes=15)


class Quotas(Survey):
    """Asks LINE about each channel's quota, the one first that was asked about longest ago."""

    poll_interval = timedelta(minutes=1)

    def __init__(self, database: Database, channels: Channels) -> None:
        super().__init__(database)
        self.channels = channels

    async def survey(self, now: datetime) -> None:
        while (channel := await self._take(now)) is not None:
            await self._ask(channel, now)

    async def _take(self, now: datetime) -> str | None:
        """Returns a channel that LINE was not asked about lately; it counts as asked from here."""
        async with self.database.transaction() as connection:
            return await quotas.take(connection, now=now, before=now - ASK_INTERVAL)

    async def _ask(self, channel: str, now: datetime) -> None:
        try:
            async with self.database.connection() as connection:
                known = await self.channels.get(connection, channel)
            async with LineClient(
                base_url=known.api_base_url, access_token=known.access_token
            ) as line:
                monthly, used = (await line.quota()).limit, await line.quota_consumption()
        except (LineError, SettingError) as error:
            _log.info("channel %s: its quota is not known: %s", channel, error)
            return
        async with self.database.transaction() as connection:
            await quotas.keep(connection, channel, monthly=monthly, used=used, now=now)
            has_left = monthly is None or used < monthly
            if has_left and await holds.lift(connection, channel, kind="quota"):
                _log.info("channel %s: there are messages left again, and sends go on", channel)
