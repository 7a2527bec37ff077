"""Pending entries: friends who enter a scenario again once their former journey has ended.

A journey that is being stopped ends when its workflow has said so. Who comes to enter meanwhile
waits here, and nothing else waits behind them: what stopped the former journey stands.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

import asyncpg

from tobiishi.database import Connection, all_rows, queries
from tobiishi.journeys import journeys
from tobiishi.publishing import versions
from tobiishi.relay.queue import Queue, attempt

_sql = queries("relay")


class PendingEntries(Queue):
    """Entries whose friend's former journey has ended."""

    is_planned_each_time = True

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        taken = await all_rows(_sql.take_pending_entries(connection, now=now, limit=1))
        for pending in taken:
            async with (
                attempt(
                    f"channel {pending['channel']}: pending entry {pending['id']}",
                    attempts=pending["attempts"],
                    postpone=partial(_sql.postpone_pending_entry, connection, id=pending["id"]),
                    now=now,
                ),
                connection.transaction(),
            ):
                await apply_pending(connection, pending, now=now)
        return bool(taken)


async def apply_pending(connection: Connection, pending: asyncpg.Record, *, now: datetime) -> None:
    """Enter the friend into the live version, if they still may, as of now.

    Into none where the scenario was retired meanwhile, or starts otherwise now, unless somebody
    had them enter by hand.
    """
    channel, scenario = pending["channel"], pending["scenario"]
    await _sql.pending_entry_done(connection, id=pending["id"])
    live = await versions.live_of(connection, channel, scenario)
    if live is None:
        return
    by_hand: bool = pending["by_hand"]
    if live.version != pending["version"] and not by_hand:
        former = await versions.get(connection, channel, scenario, pending["version"])
        start, was = live.scenario.start, former.scenario.start
        if (start.audience, start.friend_added) != (was.audience, was.friend_added):
            return
    await journeys.enter(
        connection, live, pending["friend"], why=pending["why"], now=now, by_hand=by_hand
    )
