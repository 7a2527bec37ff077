"""Quotas: how many messages LINE's plan leaves a channel this month.

LINE's count is approximate, and holds what was sent by hand, too:
https://developers.line.biz/en/reference/messaging-api/#get-quota
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tobiishi.channels import holds
from tobiishi.database import Connection, queries

_sql = queries("quotas")


@dataclass(frozen=True, kw_only=True)
class Quota:
    """A channel's messages of this month, as LINE last reported them."""

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
    """LINE's report on this month; None where there is none yet."""
    row = await _sql.get(connection, channel=channel)
    quota = Quota(**row) if row else None
    # A past month's report is void: LINE counts from the beginning.
    return quota if quota and holds.month_turns(quota.told_at) > at else None


async def take(connection: Connection, *, now: datetime, before: datetime) -> str | None:
    """The channel whose quota was requested the longest ago, if before `before`."""
    channel: str | None = await _sql.take(connection, now=now, before=before)
    return channel


async def keep(
    connection: Connection, channel: str, *, monthly: int | None, used: int, now: datetime
) -> None:
    """Store LINE's answer about this month."""
    await _sql.keep(connection, channel=channel, monthly=monthly, used=used, now=now)
