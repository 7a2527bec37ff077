"""Deliveries: the ledger of every message that a journey came to send.

A row is claimed before LINE is asked and settled after it answered, so that a crash between any
two lines neither loses a message nor doubles it: the retry finds the row, and LINE knows the
retry key (https://developers.line.biz/en/docs/messaging-api/retrying-api-request/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import asyncpg

from tobiishi.channels.channels import Channel, Channels
from tobiishi.channels.holds import Hold
from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import NotFound
from tobiishi.people.friends import Friend
from tobiishi.plan import JourneyRef
from tobiishi.text import is_keepable

_sql = queries("deliveries")

DeliveryStatus = Literal["claimed", "sent", "refused", "skipped", "unknown"]

#: What to do with a delivery that was claimed: nothing, ask LINE, skip it, skip it and try again
#: under a new retry key, or leave open whether LINE accepted it.
Verdict = Literal["settled", "ask_line", "skip_late", "new_key", "unknown"]

#: LINE remembers a retry key for 24 hours from its first request; after that the same key is a
#: new request. An hour is left for clocks that differ.
RETRY_KEY_LIFETIME = timedelta(hours=23)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One message of one journey, as far as we know what became of it."""

    #: Sent to LINE as X-Line-Retry-Key.
    retry_key: UUID
    step: str
    #: The message's name in its scenario.
    message: str
    status: DeliveryStatus
    #: LINE's words, or ours, for any status but `sent`.
    reason: str | None
    #: When it was first tried.
    claimed_at: datetime
    attempts: int
    #: First attempt after which LINE may or may not have accepted the message.
    ambiguous_at: datetime | None
    #: When the status became final.
    settled_at: datetime | None
    #: LINE's id of the accepted request.
    request_id: str | None
    message_ids: list[str]

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> Delivery:
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})

    def key_is_spent(self, now: datetime) -> bool:
        """Whether LINE may have forgotten the retry key."""
        return now - self.claimed_at > RETRY_KEY_LIFETIME


@dataclass(frozen=True, kw_only=True)
class Traced:
    """The message that a friend's act goes back to."""

    scenario: str
    #: Its name in its scenario.
    message: str
    #: Of its delivery.
    retry_key: UUID


def verdict_on(delivery: Delivery, *, now: datetime, too_late: bool) -> Verdict:
    """Returns what to do with the delivery, so that its message is sent at most once."""
    if delivery.status != "claimed":
        return "settled"
    is_ambiguous = delivery.ambiguous_at is not None
    if too_late and not is_ambiguous:
        return "skip_late"
    if not delivery.key_is_spent(now):
        return "ask_line"
    # Where every answer was a no, nothing can have been accepted: a new key is safe.
    return "unknown" if is_ambiguous else "new_key"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a send gets to know before it asks LINE."""

    #: The number that the journey's row has now.
    journey_id: int
    #: What holds the send back; nothing is claimed then.
    hold: Hold | None
    #: None where it is held back.
    delivery: Delivery | None


async def claim(
    connection: Connection,
    journey: JourneyRef,
    *,
    retry_key: UUID,
    step: str,
    visit: int,
    message: str,
    at: datetime,
) -> Claim | None:
    """Take the delivery in hand, unless the friend or the journey bars it (then `skipped`).

    None where the database does not know the journey.
    """
    row = await _sql.claim(
        connection,
        retry_key=retry_key,
        channel=journey.channel,
        scenario=journey.scenario,
        friend=journey.friend,
        entry=journey.entry,
        started_at=journey.started_at,
        step=step,
        visit=visit,
        message=message,
        at=at,
    )
    if row is None:
        return None
    return Claim(
        journey_id=row["located"],
        hold=row["hold_kind"] and _hold_in(row, journey.channel),
        delivery=row["retry_key"] and Delivery.from_row(row),
    )


def _hold_in(row: asyncpg.Record, channel: str) -> Hold:
    return Hold(
        channel=channel,
        scope=row["hold_scope"],
        name=row["hold_name"],
        kind=row["hold_kind"],
        reason=row["hold_reason"],
        since=row["hold_since"],
        until=row["hold_until"],
    )


async def recipient(
    connection: Connection, channels: Channels, journey: JourneyRef
) -> tuple[Channel, Friend]:
    """The channel that asks LINE, and the friend. Raises `NotFound` where one is gone."""
    row = await _sql.recipient(connection, channel=journey.channel, friend=journey.friend)
    if row is None:
        raise NotFound(f"{journey.friend!r} is not a friend of channel {journey.channel!r}")
    return channels.opened(row), Friend.from_row(row)


async def record_failed_attempt(
    connection: Connection, delivery: Delivery, *, reason: str, ambiguous: bool, at: datetime
) -> None:
    """Record why an attempt did not settle the delivery, and whether LINE may have accepted it."""
    await _sql.record_failed_attempt(
        connection, retry_key=delivery.retry_key, reason=reason, ambiguous=ambiguous, at=at
    )


async def keep_traces(
    connection: Connection, delivery: Delivery, *, postbacks: Sequence[str], videos: Sequence[str]
) -> None:
    """Keep what in the message tells who acted on it: `with_postback`, `with_video` find it."""
    await _sql.keep_traces(
        connection, retry_key=delivery.retry_key, postbacks=postbacks, videos=videos
    )


async def with_postback(
    connection: Connection, channel: str, friend: str, data: str
) -> Traced | None:
    """The friend's latest message with a button that answers with this data."""
    return await _trace(_sql.with_postback, connection, channel, friend, data=data)


async def with_video(
    connection: Connection, channel: str, friend: str, tracking_id: str
) -> Traced | None:
    """The friend's latest message with the video of this id."""
    return await _trace(_sql.with_video, connection, channel, friend, tracking_id=tracking_id)


async def quoted(
    connection: Connection, channel: str, friend: str, message_id: str
) -> Traced | None:
    """The friend's message that LINE knows by this id."""
    return await _trace(_sql.quoted, connection, channel, friend, message_id=message_id)


async def latest_before(
    connection: Connection, channel: str, friend: str, at: datetime, *, within: timedelta
) -> Traced | None:
    """The last message that was sent to the friend up to `at`, and no longer before it."""
    return await _trace(
        _sql.latest_before, connection, channel, friend, at=at, earliest=at - within
    )


async def _trace(
    query: Any, connection: Connection, channel: str, friend: str, **asked: Any
) -> Traced | None:
    if any(isinstance(value, str) and not is_keepable(value) for value in asked.values()):
        return None  # Nor was it kept: Postgres can't even be asked for it.
    row = await query(connection, channel=channel, friend=friend, **asked)
    return Traced(**row) if row else None


async def of_journey(connection: Connection, journey_id: int) -> list[Delivery]:
    return [
        Delivery.from_row(row)
        for row in await all_rows(_sql.of_journey(connection, journey_id=journey_id))
    ]


@dataclass(frozen=True, kw_only=True)
class ToLookAt:
    """A delivery that somebody may want to look at, and whose it is."""

    delivery: Delivery
    friend: str
    scenario: str
    entry: int


async def to_look_at(
    connection: Connection,
    channel: str,
    status: Literal["claimed", "unknown", "refused"],
    *,
    after: UUID | None = None,
    limit: int,
) -> list[ToLookAt]:
    """Deliveries of that status, the latest first, those behind the delivery `after`."""
    rows = _sql.to_look_at(connection, channel=channel, status=status, after=after, limit=limit)
    return [
        ToLookAt(
            delivery=Delivery.from_row(row),
            friend=row["friend"],
            scenario=row["scenario"],
            entry=row["entry"],
        )
        for row in await all_rows(rows)
    ]
