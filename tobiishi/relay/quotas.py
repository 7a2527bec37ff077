"""Asks LINE every now and then what a channel's plan leaves of the month's messages."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from tobiishi.channels import holds, quotas
from tobiishi.channels.channels import Channels
from tobiishi.database import Connection, Database
from tobiishi.errors import SettingError
from tobiishi.line import LineClient, LineError
from tobiishi.relay.queue import Queue

_log = logging.getLogger(__name__)

#: How often LINE is asked.
ASK_INTERVAL = timedelta(minutes=15)


class Quotas(Queue):
    """Channels that LINE is to be asked about."""

    hands = 1
    poll_interval = timedelta(minutes=1)

    def __init__(self, database: Database, channels: Channels) -> None:
        super().__init__(database)
        self.channels = channels

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        channel = await quotas.take(connection, now=now, before=now - ASK_INTERVAL)
        if channel is None:
            return False
        try:
            known = await self.channels.get(connection, channel)
            async with LineClient(
                base_url=known.api_base_url, access_token=known.access_token
            ) as line:
                monthly, used = (await line.quota()).limit, await line.quota_consumption()
        except (LineError, SettingError) as error:
            _log.info("channel %s: its quota is not known: %s", channel, error)
            return True
        await quotas.keep(connection, channel, monthly=monthly, used=used, now=now)
        if (monthly is None or used < monthly) and await holds.lift(
            connection, channel, kind="quota"
        ):
            _log.info("channel %s: there are messages left again, and sends go on", channel)
        return True
