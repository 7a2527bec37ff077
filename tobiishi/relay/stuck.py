"""Stuck rows: those that failed again and again, for an operator to look at and act on.

They are tried again all the same, every 30 seconds. What is dropped is never done.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import Invalid, NotFound
from tobiishi.journeys import journeys
from tobiishi.metrics import STUCK_AFTER
from tobiishi.publishing import enrolments

_sql = queries("stuck")
_log = logging.getLogger(__name__)

#: The queues whose rows may be stuck, as their tables are called.
QueueName = Literal[
    "audience_changes",
    "enrolments",
    "forgettings",
    "outbox",
    "pending_entries",
    "webhook_events",
]

_RETRY: dict[QueueName, Callable[..., Awaitable[Any]]] = {
    "audience_changes": _sql.retry_audience_change,
    "enrolments": _sql.retry_enrolment,
    "forgettings": _sql.retry_forgetting,
    "outbox": _sql.retry_outbox_entry,
    "pending_entries": _sql.retry_pending_entry,
    "webhook_events": _sql.retry_webhook_event,
}


@dataclass(frozen=True, kw_only=True)
class StuckRow:
    """A row of one of the relay's queues that failed again and again."""

    #: Its queue and its id: `audience_changes/17`.
    key: str
    queue: QueueName
    id: str
    channel: str
    #: Whom it is about, where it is about one friend.
    friend: str | None
    #: What is to follow from it, in words.
    what: str
    #: How often it failed.
    attempts: int
    since: datetime
    #: When it is tried next; None: at once.
    retry_at: datetime | None
    #: Why it failed last.
    error: str | None

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> StuckRow:
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


async def page(
    connection: Connection, channel: str, *, after: str = "", limit: int
) -> list[StuckRow]:
    """Stuck rows in the order of their keys, those after `after`."""
    return await _look_up(connection, channel, None, after=after, limit=limit)


async def retry(connection: Connection, channel: str, queue: QueueName, row_id: str) -> StuckRow:
    """Have the row tried at once. Raises `NotFound` where it is not stuck."""
    found = await _get(connection, channel, queue, row_id)
    await _RETRY[queue](connection, channel=channel, id=row_id)
    return found


async def drop(
    connection: Connection, channel: str, queue: QueueName, row_id: str, *, now: datetime
) -> StuckRow:
    """Let the row go: what was to follow from it does not. Raises `NotFound`, `Invalid`.

    To be called in a transaction. A journey that Temporal can't be told to start or to stop is
    over by that, and an enrolment is cancelled.
    """
    found = await _get(connection, channel, queue, row_id)
    where = {"channel": channel, "id": row_id}
    match queue:
        case "audience_changes":
            dropped = await _sql.drop_audience_change(connection, **where)
        case "pending_entries":
            dropped = await _sql.drop_pending_entry(connection, **where)
        case "webhook_events":
            dropped = await _sql.drop_webhook_event(connection, **where, now=now)
        case "outbox":
            dropped = await _drop_outbox_entry(connection, **where, now=now)
        case "enrolments":
            with suppress(Invalid):  # It is over.
                because = "Temporal could not be told of it"
                await enrolments.cancel(connection, int(row_id), because=because, now=now)
            dropped = await _sql.drop_enrolment(connection, **where)
        case "forgettings":
            raise Invalid(
                "somebody who is to be forgotten is tried until they are; "
                "see to what its error names"
            )
    if not dropped:
        raise _not_stuck(channel, queue, row_id)
    _log.warning(
        "channel %s: %s was dropped by request, after %d attempts: %s: %s",
        channel,
        found.key,
        found.attempts,
        found.what,
        found.error,
    )
    return found


async def _drop_outbox_entry(
    connection: Connection, *, channel: str, id: str, now: datetime
) -> bool:
    row = await _sql.drop_outbox_entry(connection, channel=channel, id=id)
    if row is None:
        return False
    if row["kind"] != "wake":
        because = f"its {row['kind']} was dropped by request"
        await _sql.give_up_journey(connection, journey_id=row["journey_id"], because=because)
        await journeys.end(connection, row["journey_id"], "stopped", at=now)
        await _sql.drop_outbox_of(connection, journey_id=row["journey_id"])
    return True


async def _get(connection: Connection, channel: str, queue: QueueName, row_id: str) -> StuckRow:
    for found in await _look_up(connection, channel, f"{queue}/{row_id}", after="", limit=1):
        return found
    raise _not_stuck(channel, queue, row_id)


def _not_stuck(channel: str, queue: QueueName, row_id: str) -> NotFound:
    return NotFound(
        f"{queue}/{row_id[:128]} is not stuck in channel {channel!r}; GET /api/stuck lists what is"
    )


async def _look_up(
    connection: Connection, channel: str, key: str | None, *, after: str, limit: int
) -> list[StuckRow]:
    rows = _sql.look_up(
        connection, channel=channel, key=key, after=after, limit=limit, stuck_after=STUCK_AFTER
    )
    return [StuckRow.from_row(row) for row in await all_rows(rows)]
