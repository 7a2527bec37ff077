"""Sending messages: push, multicast, reply, and checking without sending.

https://developers.line.biz/en/docs/messaging-api/sending-messages/
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tobiishi.line import Detail
from tobiishi.simulator import friends
from tobiishi.simulator.answers import Rejection, body_errors, invalid_property, json_body
from tobiishi.simulator.events import message_id
from tobiishi.simulator.message_objects import MESSAGES
from tobiishi.simulator.platform import Platform, platform_of
from tobiishi.simulator.schema import Check, array, boolean, check, obj, text

#: How long LINE knows a retry key again.
RETRY_KEY_SECONDS = 24 * 3600
#: Different names of aggregation units in a month; further ones are dropped.
MAX_UNITS = 1000
_RECIPIENT = re.compile(r"[UCR][0-9a-f]{32}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_QUOTABLE = ("text", "textV2", "sticker", "image", "video", "template", "flex")

_UNITS = array(text(30, pattern=r"[a-zA-Z0-9_]{1,30}"), 0, 1)
_OPTIONS: dict[str, Check] = {"notificationDisabled": boolean, "customAggregationUnits": _UNITS}
_PUSH = obj({"to": text(50), "messages": MESSAGES}, _OPTIONS)
_MULTICAST = obj({"to": array(text(50), 1, 500), "messages": MESSAGES}, _OPTIONS)
_REPLY = obj({"replyToken": text(100), "messages": MESSAGES}, {"notificationDisabled": boolean})
_VALIDATE = obj({"messages": MESSAGES})


@dataclass(frozen=True, kw_only=True)
class _Sending:
    """A request that is well-formed, on its way to be accepted."""

    endpoint: str
    request_id: str
    retry_key: UUID | None
    recipients: Sequence[str]
    body: dict[str, Any]

    @property
    def unit(self) -> str | None:
        units = self.body.get("customAggregationUnits")
        return units[0] if units else None


async def push(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#send-push-message"""
    retry_key = _retry_key(request)
    body = await _checked(request, _PUSH)
    if not _RECIPIENT.fullmatch(body["to"]):
        raise invalid_property("to")
    sending = _sending(request, "push", body, [body["to"]], retry_key)
    platform = platform_of(request)
    sent = _accept(platform, sending)
    platform.previews.see(body["messages"])
    return JSONResponse({"sentMessages": sent})


async def multicast(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#send-multicast-message"""
    retry_key = _retry_key(request)
    body = await _checked(request, _MULTICAST)
    for index, user_id in enumerate(body["to"]):
        if not friends.USER_ID.fullmatch(user_id):
            raise invalid_property(f"to[{index}]")
    recipients = list(dict.fromkeys(body["to"]))
    platform = platform_of(request)
    _accept(platform, _sending(request, "multicast", body, recipients, retry_key))
    platform.previews.see(body["messages"])
    return JSONResponse({})


async def reply(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#send-reply-message"""
    if "x-line-retry-key" in request.headers:
        raise Rejection(400, "The retry key is not supported by this API")
    platform = platform_of(request)
    body = await _checked(request, _REPLY)
    token, now = body["replyToken"], platform.clock()
    with platform.store.transaction():
        row = token.isascii() and platform.store.one(
            "select user_id from reply_tokens where token = ? and not used and valid_until >= ?",
            token,
            now,
        )
        if not row:
            raise Rejection(400, "Invalid reply token")
        platform.store.run("update reply_tokens set used = 1 where token = ?", token)
        sending = _sending(request, "reply", body, [row["user_id"]], None)
        sent = _deliver(platform, sending)
    platform.previews.see(body["messages"])
    return JSONResponse({"sentMessages": sent})


async def validate(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#validate-message-objects-of-push-message"""
    await _checked(request, _VALIDATE)
    return JSONResponse({})


async def _checked(request: Request, shape: Check) -> dict[str, Any]:
    body = await json_body(request)
    details = check(body, shape)
    if details:
        raise body_errors(details)
    return body


def _mentions(messages: Sequence[dict[str, Any]], recipients: Sequence[str]) -> list[Detail]:
    """Mentions to others than a group or a room; checking without sending does not find them.

    https://developers.line.biz/en/reference/messaging-api/#text-message-v2-mention-object
    """
    if not any(recipient.startswith("U") for recipient in recipients):
        return []
    return [
        Detail(f"messages[{number}].substitution.{key}", "Mentions can be sent to groups only")
        for number, message in enumerate(messages)
        for key, each in (message.get("substitution") or {}).items()
        if each["type"] == "mention"
    ]


def _sending(
    request: Request,
    endpoint: str,
    body: dict[str, Any],
    recipients: Sequence[str],
    retry_key: UUID | None,
) -> _Sending:
    if details := _mentions(body["messages"], recipients):
        raise body_errors(details)
    return _Sending(
        endpoint=endpoint,
        request_id=request.scope["line_request_id"],
        retry_key=retry_key,
        recipients=recipients,
        body=body,
    )


def _retry_key(request: Request) -> UUID | None:
    """https://developers.line.biz/en/reference/messaging-api/#retry-key"""
    given = request.headers.get("x-line-retry-key")
    if given is None:
        return None
    if not _UUID.fullmatch(given):
        raise Rejection(400, "The value for the 'X-Line-Retry-Key' header is invalid")
    return UUID(given)


def _accept(platform: Platform, sending: _Sending) -> list[dict[str, str]]:
    """Accept a request, once for each retry key; returns what was sent. Raises `Rejection`.

    All in one transaction: of requests that come at once with the same key, one is accepted, and
    a request that is refused binds no key.
    """
    store, now = platform.store, platform.clock()
    key = str(sending.retry_key) if sending.retry_key else None
    with store.transaction():
        first = store.one(
            "select * from accepted where retry_key = ? and accepted_at > ?",
            key,
            now - RETRY_KEY_SECONDS,
        )
        if first:
            # Only a push returns again what it sent.
            again = json.loads(first["sent_messages"]) if sending.endpoint == "push" else None
            raise Rejection(
                409,
                "The retry key is already accepted",
                headers={"x-line-accepted-request-id": first["request_id"]},
                **({"sentMessages": again} if again else {}),
            )
        sent = _deliver(platform, sending)
        if key:
            store.run(
                "insert or replace into accepted values (?, ?, ?, ?)",
                key,
                sending.request_id,
                json.dumps(sent),
                now,
            )
    return sent


def _deliver(platform: Platform, sending: _Sending) -> list[dict[str, str]]:
    """Bring the messages to those recipients who have not blocked the account."""
    store, now = platform.store, platform.clock()
    reached = _reached(platform, sending)
    quota = platform.faults.settings.quota
    used = 0 if sending.endpoint == "reply" else platform.used_quota() + len(reached)
    if quota is not None and used > quota:  # Replies are free.
        raise Rejection(429, "You have reached your monthly limit.")
    if reached:
        store.run(
            "insert into sent values (?1, ?2, ?3)"
            " on conflict (day, endpoint) do update set recipients = recipients + ?3",
            platform.day(),
            sending.endpoint,
            len(reached),
        )
    messages = json.dumps(sending.body["messages"])
    kinds = [message["type"] for message in sending.body["messages"]]
    # Each recipient acts on messages by id, so each has ids of their own.
    sent = {user_id: [_sent_message(kind) for kind in kinds] for user_id in reached}
    place = friends.touch(platform, reached)
    unit = _kept_unit(platform, sending.unit)
    store.run_many(
        "insert into messages (user_id, endpoint, request_id, retry_key, messages,"
        " notification_disabled, unit, accepted_at, sent, place)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                user_id,
                sending.endpoint,
                sending.request_id,
                str(sending.retry_key) if sending.retry_key else None,
                messages,
                bool(sending.body.get("notificationDisabled")),
                unit,
                now,
                json.dumps(sent[user_id]),
                place,
            )
            for user_id in reached
        ],
    )
    return sent.get(sending.recipients[0]) or [_sent_message(kind) for kind in kinds]


def _reached(platform: Platform, sending: _Sending) -> list[str]:
    reached = []
    for index, user_id in enumerate(sending.recipients):
        known = friends.USER_ID.fullmatch(user_id)  # Groups and rooms are not simulated.
        friend = friends.find_or_adopt(platform, user_id) if known else None
        if friend is None:
            if sending.endpoint == "multicast":
                raise invalid_property(f"to[{index}]")
            raise Rejection(400, "Failed to send messages")
        if not friend.blocked:
            reached.append(user_id)
    return reached


def _kept_unit(platform: Platform, unit: str | None) -> str | None:
    if unit is None:
        return None
    store, month = platform.store, platform.day()[:6]
    if store.one("select 1 from units where month = ? and name = ?", month, unit):
        return unit
    if store.number("select count(*) from units where month = ?", month) >= MAX_UNITS:
        return None
    store.run("insert into units values (?, ?)", month, unit)
    return unit


def _sent_message(kind: str) -> dict[str, str]:
    sent = {"id": message_id()}
    if kind in _QUOTABLE:
        sent["quoteToken"] = secrets.token_urlsafe(48)
    return sent


routes = [
    Route("/v2/bot/message/push", push, methods=["POST"]),
    Route("/v2/bot/message/multicast", multicast, methods=["POST"]),
    Route("/v2/bot/message/reply", reply, methods=["POST"]),
    *(
        Route(f"/v2/bot/message/validate/{kind}", validate, methods=["POST"])
        for kind in ("reply", "push", "multicast", "narrowcast", "broadcast")
    ),
]
