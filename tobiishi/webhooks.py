"""Webhook events: kept before LINE is answered, handled after.

LINE wants an answer within 2 seconds and may send an event twice or out of order
(https://developers.line.biz/en/docs/messaging-api/receiving-messages/), so an event is kept once
by its `webhookEventId`, and everything that follows from it follows from what was kept.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NoReturn

import asyncpg
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import Invalid
from tobiishi.people.events import forget_detail
from tobiishi.user_ids import FriendId

_sql = queries("webhooks")
_friend_id: TypeAdapter[str] = TypeAdapter(FriendId)
_log = logging.getLogger(__name__)

#: The type under which an unreadable event is kept.
UNREADABLE = "unreadable"

#: Text that Postgres can hold, of a length that LINE would use.
_Name = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", max_length=128)]


class _Line(BaseModel):
    """LINE may add properties, types and values at any time; unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True)


class WebhookSource(_Line):
    #: `user`, or the kind of chat that `user_id` speaks in without being a friend for it.
    type: str = "user"
    user_id: str | None = None


class Follow(_Line):
    is_unblocked: bool = False


class Postback(_Line):
    data: str
    #: What was chosen: a time, or a rich menu.
    params: dict[str, Any] | None = None


class WebhookMessage(_Line):
    #: `text`, `sticker`, `image` and so on.
    type: str | None = None
    #: The message that the friend quoted to answer it.
    quoted_message_id: str | None = None


class Unsend(_Line):
    message_id: str


class VideoPlayComplete(_Line):
    tracking_id: str


class WebhookEvent(_Line):
    """One webhook event, as far as we read it.

    https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects
    """

    type: _Name
    #: `standby` when another module answers this friend: then nothing is sent.
    mode: str = "active"
    #: Milliseconds since the epoch, of the event and not of a redelivery.
    timestamp: int | None = Field(default=None, ge=0, le=32_503_680_000_000)
    webhook_event_id: _Name | None = None
    #: Absent where the friend never consented to LINE's terms for it.
    source: WebhookSource | None = None
    follow: Follow | None = None
    postback: Postback | None = None
    message: WebhookMessage | None = None
    video_play_complete: VideoPlayComplete | None = None
    unsend: Unsend | None = None


class Body(_Line):
    """The body of a webhook request. `events` is empty where LINE only tries the connection."""

    destination: str | None = None
    events: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class KeptEvent:
    """A webhook event as it lies in the database."""

    channel: str
    webhook_event_id: str
    type: str
    #: LINE's user id, where the event had one that can be a friend's.
    friend: str | None
    occurred_at: datetime
    received_at: datetime
    body: dict[str, Any]
    #: How many times handling it has failed.
    attempts: int

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> KeptEvent:
        kept = cls(**{name: row[name] for name in cls.__dataclass_fields__})
        # A former release believed a moment that had not come.
        return replace(kept, occurred_at=min(kept.occurred_at, kept.received_at))

    @property
    def event(self) -> WebhookEvent:
        return WebhookEvent.model_validate(self.body)

    @property
    def is_standby(self) -> bool:
        return self.event.mode == "standby"


def read(channel: str, body: bytes, *, received_at: datetime) -> list[KeptEvent]:
    """The events of a webhook request. Raises `Invalid`, naming what is wrong with the body."""
    try:
        # Not pydantic's parser: it refuses a lone surrogate, which a friend's text may hold.
        parsed = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the body is not JSON: {error}") from error
    try:
        request = Body.model_validate(parsed)
        events = [_read_event(channel, event, received_at) for event in request.events]
    except ValidationError as error:
        raise Invalid(f"the body is not a LINE webhook: {_in_words(error)}") from error
    return _not_to_come(events, received_at)


def _not_to_come(events: list[KeptEvent], received_at: datetime) -> list[KeptEvent]:
    """The events, none of them later than it came: a clock may be wrong, or a stamp made up.

    Those that are later by their stamps keep their order, a microsecond apart.
    """
    later = sorted(
        (event for event in events if event.occurred_at > received_at),
        key=lambda event: event.occurred_at,
        reverse=True,
    )
    believed = {
        id(event): received_at - timedelta(microseconds=number)
        for number, event in enumerate(later)
    }
    return [
        replace(event, occurred_at=believed.get(id(event), event.occurred_at)) for event in events
    ]


def _in_words(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where or 'body'}: {first['msg']}"


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number in JSON")


def _read_event(channel: str, body: dict[str, Any], received_at: datetime) -> KeptEvent:
    try:
        event = WebhookEvent.model_validate(body)
    except ValidationError as error:
        # Refused, it would take the request's other events with it.
        _log.warning("channel %s: can't read a webhook event: %s", channel, _in_words(error))
        event = WebhookEvent(type=UNREADABLE)
    occurred_at = received_at
    if event.timestamp is not None:
        occurred_at = datetime.fromtimestamp(event.timestamp / 1000, UTC)
    return KeptEvent(
        channel=channel,
        webhook_event_id=event.webhook_event_id or _digest(body),
        type=event.type,
        friend=_friend_of(event),
        occurred_at=occurred_at,
        received_at=received_at,
        body=body,
        attempts=0,
    )


def _friend_of(event: WebhookEvent) -> str | None:
    if event.source is None or event.source.type != "user":
        return None
    try:
        return _friend_id.validate_python(event.source.user_id)
    except ValidationError:
        return None


def _digest(body: Mapping[str, Any]) -> str:
    """A deterministic id for an event that came without one."""
    same = {key: value for key, value in body.items() if key != "deliveryContext"}
    return "sha256-" + hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()


async def keep(connection: Connection, events: Sequence[KeptEvent]) -> dict[str, int]:
    """Store the events, except those stored before (idempotent). Returns new ones by channel."""
    # In one lock order, so that two requests with the same events don't deadlock.
    events = sorted(events, key=lambda event: (event.channel, event.webhook_event_id))
    kept = _sql.keep(
        connection,
        channels=[event.channel for event in events],
        ids=[event.webhook_event_id for event in events],
        types=[event.type for event in events],
        friends=[event.friend for event in events],
        times=[event.occurred_at for event in events],
        received=[event.received_at for event in events],
        bodies=[event.body for event in events],
    )
    return {row["channel"]: row["new"] for row in await all_rows(kept)}


async def forget_message(connection: Connection, kept: KeptEvent) -> None:
    """Erase what is stored of a message that its sender unsent.

    https://developers.line.biz/en/docs/messaging-api/receiving-messages/#unsend-event
    """
    unsent = kept.event.unsend and kept.event.unsend.message_id
    written = _sql.written_by(connection, channel=kept.channel, friend=kept.friend)
    for row in await all_rows(written):
        message = row["body"].get("message")
        if isinstance(message, dict) and message.get("id") == unsent:
            body = {**row["body"], "message": {"id": unsent, "type": "unsent"}}
            await _sql.rewrite(
                connection,
                channel=kept.channel,
                webhook_event_id=row["webhook_event_id"],
                body=body,
            )
            await forget_detail(connection, kept.channel, answer_key(row["webhook_event_id"]))


def answer_key(webhook_event_id: str) -> str:
    """The key of the friend's event that a webhook event is kept as."""
    return f"webhook {webhook_event_id}"


async def take(connection: Connection, *, now: datetime, limit: int) -> list[KeptEvent]:
    """Take and lock events not handled yet; those that others have locked are skipped."""
    taken = await all_rows(_sql.take(connection, now=now, limit=limit))
    return [KeptEvent.from_row(row) for row in taken]


async def handled(connection: Connection, event: KeptEvent, *, now: datetime) -> None:
    await _sql.handled(
        connection, channel=event.channel, webhook_event_id=event.webhook_event_id, now=now
    )


async def postpone(
    connection: Connection, event: KeptEvent, *, attempts: int, retry_at: datetime, error: str
) -> None:
    """Try again at `retry_at`: handling it failed with `error`, so many times by now."""
    await _sql.postpone(
        connection,
        channel=event.channel,
        webhook_event_id=event.webhook_event_id,
        attempts=attempts,
        retry_at=retry_at,
        error=error,
    )
