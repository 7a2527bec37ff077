"""Audience changes: a friend joined or left, by themselves or as time went by."""

from __future__ import annotations

from calendar import isleap
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Literal
from zoneinfo import ZoneInfo

import asyncpg

from tobiishi.database import Connection, Database, all_rows, queries
from tobiishi.journeys import journeys
from tobiishi.metrics import STUCK_AFTER
from tobiishi.people import audiences, definitions, friends
from tobiishi.publishing import versions
from tobiishi.relay.queue import Queue, attempt, is_away

_sql = queries("relay")

#: How many audience changes are applied in one transaction, how many of those where a journey
#: may start, and of those where a combined audience may change.
CHANGES_PER_BATCH, STARTING_CHANGES_PER_BATCH, SLOW_CHANGES_PER_BATCH = 200, 50, 10


class AudienceChanges(Queue):
    """Audience changes: a friend joined, or left."""

    is_planned_each_time = True

    def __init__(
        self, database: Database, *, timezone: str = "Asia/Tokyo", feeds: Sequence[Queue] = ()
    ) -> None:
        super().__init__(database, feeds=feeds)
        self.timezone = timezone

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        """Take some changes, each of another friend, and apply them."""
        taken = await all_rows(
            _sql.take_changes(connection, now=now, limit=CHANGES_PER_BATCH, stuck_after=STUCK_AFTER)
        )
        if not taken:
            return False
        # Lock order: friends by their ids, as everywhere. So one transaction applies changes of
        # one kind, that of the oldest; the rest stays for the next.
        kind = _kind_of(taken[0])
        changes = [change for change in taken if _kind_of(change) == kind]
        match kind:
            case "plain":
                # None of these can fail by itself, so all are applied at once.
                await apply_changes(connection, changes)
                await _sql.changes_done(connection, ids=[change["id"] for change in changes])
            case "starting":
                await self._start(connection, _in_order(changes[:STARTING_CHANGES_PER_BATCH]), now)
            case "slow":
                for change in _in_order(changes[:SLOW_CHANGES_PER_BATCH]):
                    await self._try(connection, change, now)
        return True

    async def _start(
        self, connection: Connection, changes: Sequence[asyncpg.Record], now: datetime
    ) -> None:
        """Apply changes at once that start journeys; one by one where any of them fails."""
        try:
            async with connection.transaction():
                await start_together(connection, changes, now=now)
                await _sql.changes_done(connection, ids=[change["id"] for change in changes])
        except Exception as error:
            if is_away(error):
                raise
            for change in changes:
                await self._try(connection, change, now)

    async def _try(self, connection: Connection, change: asyncpg.Record, now: datetime) -> None:
        """Apply a change that may fail; what it ends or wakes stands, whatever the rest does."""
        done: bool = change["journeys_told"]

        async def postpone(*, attempts: int, retry_at: datetime, error: str) -> None:
            await _sql.postpone_change(
                connection,
                id=change["id"],
                attempts=attempts,
                retry_at=retry_at,
                error=error,
                journeys_told=done,
            )

        async with attempt(
            f"channel {change['channel']}: audience change {change['id']}",
            attempts=change["attempts"],
            postpone=postpone,
            now=now,
        ):
            if not done:
                async with connection.transaction():
                    await apply_changes(connection, [change])
                done = True
            async with connection.transaction():
                await apply_change(connection, change, timezone=self.timezone, now=now)
                await _sql.changes_done(connection, ids=[change["id"]])


async def apply_changes(connection: Connection, changes: Sequence[asyncpg.Record]) -> None:
    """Stop and wake the journeys that exit on these changes or wait for them."""
    # Lock order: friends before their journeys, or two transactions would deadlock.
    await friends.lock_many(connection, [(each["channel"], each["friend"]) for each in changes])
    applied = [
        (each["channel"], each["audience"], each["friend"], each["change"]) for each in changes
    ]
    await journeys.apply_changes(connection, applied)


async def apply_change(
    connection: Connection, change: asyncpg.Record, *, timezone: str, now: datetime
) -> None:
    """Apply what follows of one friend's joining or leaving one audience, but for `apply_changes`.

    Or of something new that is known of a friend: `known`, of no audience (`""`).
    """
    channel, audience, friend = change["channel"], change["audience"], change["friend"]
    starting = []
    if change["change"] == "joined":
        starting = await versions.started_by_audience(connection, channel, audience)
    if starting:
        # A shop that lists them knows them, if from before Tobiishi was there.
        await friends.meet(connection, channel, friend, friends.LONG_AGO)
    await definitions.update_combined(
        connection, channel, friend, audience, timezone=timezone, at=now
    )
    for version in starting:
        why = f"joined {audience}: {change['reason']}"
        await journeys.enter(connection, version, friend, why=why, now=now)


async def start_together(
    connection: Connection, changes: Sequence[asyncpg.Record], *, now: datetime
) -> None:
    """Apply what follows of friends' joining audiences that start journeys, and nothing else do.

    As `apply_changes` and `apply_change`, for changes in lock order.
    """
    for channel, joined in groupby(changes, key=lambda change: str(change["channel"])):
        of_channel = list(joined)
        await friends.meet_many(
            connection, channel, {change["friend"] for change in of_channel}, now=now
        )
        if fresh := [change for change in of_channel if not change["journeys_told"]]:
            await apply_changes(connection, fresh)
        reasons: dict[str, dict[str, str]] = defaultdict(dict)
        for change in of_channel:
            audience = change["audience"]
            reasons[audience][change["friend"]] = f"joined {audience}: {change['reason']}"
        for audience, why in reasons.items():
            for version in await versions.started_by_audience(connection, channel, audience):
                await journeys.enter_many(connection, version, why, now=now)


def _kind_of(change: asyncpg.Record) -> Literal["plain", "starting", "slow"]:
    if change["is_part"]:
        return "slow"
    return "starting" if change["starts"] else "plain"


def _in_order(changes: Sequence[asyncpg.Record]) -> list[asyncpg.Record]:
    """The changes in the order in which everybody locks friends."""
    return sorted(changes, key=lambda change: (change["channel"], change["friend"]))


class Expiries(Queue):
    """Memberships that end by themselves."""

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        return await audiences.expire(connection, now=now, limit=100) > 0


class Birthdays(Queue):
    """Friends who are a year older today: combined audiences may ask about ages."""

    hands = 1
    poll_interval = timedelta(minutes=1)

    def __init__(
        self, database: Database, *, timezone: str = "Asia/Tokyo", feeds: Sequence[Queue] = ()
    ) -> None:
        super().__init__(database, feeds=feeds)
        self.timezone = timezone

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        today = now.astimezone(ZoneInfo(self.timezone)).date()
        last = await _sql.lock_birthdays(connection)
        if last >= today:
            return False
        await _sql.follow_birthdays(connection, days=days_of_birthdays(last, today), now=now)
        await _sql.birthdays_followed(connection, day=today)
        return True


def days_of_birthdays(last: date, today: date) -> list[str]:
    """The birthdays, as `MM-DD`, that came after the day `last`, up to today.

    Who was born on a 29 February has their birthday on 1 March where the year has none.
    """
    count = min((today - last).days, 366)
    days = [today - timedelta(days=number) for number in range(count)]
    found = {f"{day:%m-%d}" for day in days}
    if any(f"{day:%m-%d}" == "03-01" and not isleap(day.year) for day in days):
        found.add("02-29")
    return sorted(found)
