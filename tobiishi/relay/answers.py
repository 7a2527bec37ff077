"""Answers: what a friend does in the chat, and the message of ours that it is an answer to.

LINE tells that a friend pressed a button, watched a video or wrote, and not in which message
(https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects). What was sent to
the friend tells that: each delivery keeps the data of its buttons and the ids of its videos.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tobiishi.database import Connection
from tobiishi.journeys import deliveries
from tobiishi.journeys.deliveries import Traced
from tobiishi.people import events
from tobiishi.text import is_keepable
from tobiishi.webhooks import KeptEvent, WebhookEvent, answer_key

#: Who writes in the chat has the latest message before their eyes; what is older than this they
#: may have long forgotten.
REPLY_PERIOD = timedelta(hours=24)

#: No data of a button is longer, nor a tracking id
#: (https://developers.line.biz/en/reference/messaging-api/#postback-action).
MAX_CHARS = 300

_EVENTS = {"postback": "postback", "videoPlayComplete": "video", "message": "reply"}


async def follow(connection: Connection, kept: KeptEvent) -> bool:
    """Keep a webhook event of a known friend as an answer. False where it is to nothing of ours."""
    assert kept.friend is not None
    answered = await _answered(connection, kept, kept.friend)
    if answered is None:
        return False
    return await events.record(
        connection,
        events.FriendEvent(
            channel=kept.channel,
            friend=kept.friend,
            source="message",
            event=_EVENTS[kept.type],
            occurred_at=kept.occurred_at,
            scenario=answered.scenario,
            message=answered.message,
            detail=_detail(kept.event),
            key=answer_key(kept.webhook_event_id),
        ),
    )


def _detail(event: WebhookEvent) -> dict[str, Any]:
    """What the answer is, but for what the friend wrote (docs/privacy.md)."""
    if event.postback is not None:
        chosen = {
            name: value
            for name, value in (event.postback.params or {}).items()
            if isinstance(value, str) and all(map(_is_kept, (name, value)))
        }
        given = {"data": event.postback.data[:MAX_CHARS]}
        return {**given, "params": chosen} if chosen else given
    if event.video_play_complete is not None:
        return {"tracking_id": event.video_play_complete.tracking_id[:MAX_CHARS]}
    kind = event.message and event.message.type
    return {"type": kind} if kind and _is_kept(kind) else {}


def _is_kept(text: str) -> bool:
    return len(text) <= MAX_CHARS and is_keepable(text)


async def _answered(connection: Connection, kept: KeptEvent, friend: str) -> Traced | None:
    event, channel = kept.event, kept.channel
    if event.postback is not None:
        return await deliveries.with_postback(connection, channel, friend, event.postback.data)
    if event.video_play_complete is not None:
        tracking_id = event.video_play_complete.tracking_id
        return await deliveries.with_video(connection, channel, friend, tracking_id)
    if event.message is not None and event.message.quoted_message_id is not None:
        quoted = event.message.quoted_message_id
        return await deliveries.quoted(connection, channel, friend, quoted)
    if event.message is not None:
        return await deliveries.latest_before(
            connection, channel, friend, kept.occurred_at, within=REPLY_PERIOD
        )
    return None
