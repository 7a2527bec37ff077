"""Quotas: how many messages LINE's plan leaves a channel this month.

LINE is asked every now and then. Its count is approximate, and holds what was sent by hand, too:
https://developers.line.biz/en/reference/messaging-api/#get-quota
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from tobiishi import holds
from tobiishi.channels import Channels
from tobiishi.database import Connection, Database, queries
from tobiishi.errors import SettingError
from tobiishi.line import LineClient, LineError
from tobiishi.queues import Queue

_sql = queries("quotas")
_log = logging.getLogger(__name__)

#: How often LINE is asked.
ASK_EVERY = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Quota:
    """A channel's messages of this month, as LINE told last."""

    channel: str
    #: Messages a month; None where there is no limit.
    monthly: int | None
    #: Messages sent this month.
    used: int
    told_at: datetime

    @property
    def left(self) -> int | None:
        """Messages that may be sent yet; None where there is no limit."""
        return None if self.monthly is None else max(0, self.monthly - self.used)


async def get(connection: Connection, channel: str, *, at: datetime) -> Quota | None:
    """What LINE told of this month; None where it has told nothing yet."""
    row = await _sql.get(connection, channel=channel)
    quota = Quota(**row) if row else None
    # Of a month that is over it says nothing: LINE counts from the beginning.
    return quota if quota and holds.month_turns(quota.told_at) > at else None


class Quotas(Queue):
    """Channels that LINE is to be asked about."""

    hands = 1
    look_every = timedelta(minutes=1)

    def __init__(self, database: Database, channels: Channels) -> None:
        super().__init__(database)
        self.channels = channels

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        channel = await _sql.take(connection, now=now, before=now - ASK_EVERY)
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
        await _sql.keep(connection, channel=channel, monthly=monthly, used=used, now=now)
        if (monthly is None or used < monthly) and await holds.lift(
            connection, channel, kind="quota"
        ):
            _log.info("channel %s: there are messages left again, and sends go on", channel)
        return True
