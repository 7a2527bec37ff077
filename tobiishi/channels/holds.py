"""Holds: sends that wait, because an operator paused them or because LINE takes none now.

A hold is one row. It changes no journey: each one that comes to send finds the row, waits and polls
again; its waits, branches and exits go on meanwhile, and no journey is lost.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal

import asyncpg

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import NotFound

_sql = queries("holds")

Scope = Literal["channel", "scenario", "friend"]
HoldKind = Literal["paused", "token", "quota"]

#: How soon a held journey polls again: after as long as the hold has lasted, within these, so that
#: journeys go on soon after a short hold, and spread out after a long one.
SOONEST, LATEST = timedelta(seconds=10), timedelta(minutes=6)
#: LINE counts months in Japan (https://developers.line.biz/en/docs/messaging-api/pricing/).
_JAPAN = timezone(timedelta(hours=9))


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A row that makes sends wait."""

    channel: str
    scope: Scope
    #: The scenario's name or the friend's id; empty for the channel.
    name: str
    #: `paused`: by an operator. `token`: LINE does not take the channel's access token.
    #: `quota`: the month's messages are used up.
    kind: HoldKind
    #: In words.
    reason: str
    since: datetime
    #: When it ends by itself; None where somebody has to end it.
    until: datetime | None

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> Hold:
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})

    def look_again(self, now: datetime) -> timedelta:
        """How long a held journey waits until it polls again, with jitter."""
        lasted = min(max(now - self.since, SOONEST), LATEST)
        return lasted * random.uniform(0.5, 1)  # noqa: S311 - spreads load, not a secret


def month_turns(now: datetime) -> datetime:
    """When LINE's next month begins, and with it a new quota."""
    local = now.astimezone(_JAPAN)
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


async def put(
    connection: Connection,
    channel: str,
    *,
    scope: Scope = "channel",
    name: str = "",
    kind: HoldKind,
    reason: str,
    until: datetime | None = None,
    at: datetime,
) -> tuple[Hold, bool]:
    """Hold sends from now on. Returns whether the hold is new, and so to be reported."""
    row = await _sql.put(
        connection,
        channel=channel,
        scope=scope,
        name=name,
        kind=kind,
        reason=reason,
        until=until,
        at=at,
    )
    return Hold.from_row(row), row["is_new"]


async def lift(
    connection: Connection,
    channel: str,
    *,
    scope: Scope = "channel",
    name: str = "",
    kind: HoldKind,
) -> bool:
    """Lift the hold for that reason. Returns whether there was one."""
    lifted: int = await _sql.lift(connection, channel=channel, scope=scope, name=name, kind=kind)
    return lifted > 0


async def resume(
    connection: Connection, channel: str, *, scope: Scope = "channel", name: str = ""
) -> None:
    """Resume sends for an operator. Raises `NotFound` where nothing held them."""
    kinds: tuple[HoldKind, ...] = ("paused", "quota", "token")
    lifted = [await lift(connection, channel, scope=scope, name=name, kind=kind) for kind in kinds]
    if not any(lifted):
        whom = f"{scope} {name}" if name else f"channel {channel}"
        raise NotFound(f"nothing holds back the sends of {whom}")


async def all_of(connection: Connection, channel: str, *, at: datetime) -> list[Hold]:
    """The channel's current holds, the oldest first."""
    return [
        Hold.from_row(row) for row in await all_rows(_sql.all(connection, channel=channel, at=at))
    ]
