"""Webhook events, completed from the properties given.

https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects
"""

from __future__ import annotations

import secrets
from typing import Any

from tobiishi.simulator import friends, talks
from tobiishi.simulator.platform import Platform
from tobiishi.simulator.webhooks import REPLY_SECONDS

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_REPLYABLE = ("follow", "message", "postback", "videoPlayComplete", "beacon", "accountLink")


def complete(platform: Platform, given: dict[str, Any]) -> dict[str, Any]:
    """Complete an event with all that LINE would put in; given values stay, `null` omits.

    `userId` is short for a `source` of type `user`. The friend that a follow or unfollow event is
    about changes with it.
    """
    given = dict(given)
    user_id = given.pop("userId", None)
    kind, now = given["type"], platform.clock()
    event: dict[str, Any] = {
        "type": kind,
        "timestamp": int(now * 1000),
        "mode": "active",
        "webhookEventId": ulid(now),
        "deliveryContext": {"isRedelivery": False},
    }
    if user_id is not None:
        event["source"] = {"type": "user", "userId": user_id}
    event |= given
    source = event.get("source")
    user = source.get("userId") if isinstance(source, dict) else None
    user = user if isinstance(user, str) and friends.USER_ID.fullmatch(user) else None
    if user:
        _involve(platform, user, event)
    if kind == "message":
        event["message"] = _message(event.get("message") or {"text": "こんにちは"})
        if user:
            talks.add(platform, user, event["message"], str(event["message"]["id"]))
    unsent = event.get("unsend")
    if user and kind == "unsend" and isinstance(unsent, dict):
        talks.unsend(platform, user, str(unsent.get("messageId")))
    if user and kind in _REPLYABLE and event["mode"] == "active" and "replyToken" not in event:
        event["replyToken"] = _reply_token(platform, user, now)
    return {name: value for name, value in event.items() if value is not None}


def _message(given: dict[str, Any]) -> dict[str, Any]:
    made_up: dict[str, Any] = {"id": message_id(), "type": "text"}
    if given.get("type", "text") in talks.QUOTABLE:
        made_up["quoteToken"] = secrets.token_urlsafe(48)
    return {**made_up, **given}


def ulid(now: float) -> str:
    """An id that sorts by time, as `webhookEventId` is."""
    number = int(now * 1000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def message_id() -> str:
    """An id of a message, a number of 18 digits."""
    return str(4 * 10**17 + secrets.randbelow(2 * 10**17))


def _involve(platform: Platform, user: str, event: dict[str, Any]) -> None:
    before = friends.find(platform, user)
    blocked = before is not None and before.blocked
    if event["type"] == "follow":
        event.setdefault("follow", {"isUnblocked": blocked})
        blocked = False
    elif event["type"] == "unfollow":
        blocked = True
    friends.keep(platform, user, blocked=blocked)


def _reply_token(platform: Platform, user: str, now: float) -> str:
    token = secrets.token_hex(16)
    platform.store.run(
        "insert into reply_tokens (token, user_id, occurred_at, valid_until) values (?, ?, ?, ?)",
        token,
        user,
        now,
        now + REPLY_SECONDS,
    )
    return token
