"""LINE's API gateway: each request gets an id, is admitted or not, and may meet a fault.

An ASGI app around the endpoints. It holds back their answer, since whether the answer arrives is
what faults are about.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tobiishi.simulator.answers import Rejection
from tobiishi.simulator.faults import Fault
from tobiishi.simulator.platform import Platform, iso

#: https://developers.line.biz/en/reference/messaging-api/#status-codes
MAX_BODY_BYTES = 2 * 1024 * 1024

#: Where LINE's APIs are.
API = ("/v2/", "/oauth2/", "/friendship/")
PUSH = "/v2/bot/message/push"
SENDS = (PUSH, "/v2/bot/message/multicast", "/v2/bot/message/reply")

_RATE = Rejection(429, "The API rate limit has been exceeded. Try again later.")
_QUOTA = Rejection(429, "You have reached your monthly limit.")
_FAILED = Rejection(500, "Internal server error")
_FAULTY_ANSWERS = {
    Fault.RATE_429: _RATE,
    Fault.RATE_QUOTA_429: _QUOTA,
    Fault.RATE_500: _FAILED,
    Fault.TIMEOUT_BEFORE_ACCEPTANCE: _FAILED,
    Fault.CUT_BEFORE_ACCEPTANCE: _FAILED,
}
_TIMEOUTS = (Fault.TIMEOUT_BEFORE_ACCEPTANCE, Fault.TIMEOUT_AFTER_ACCEPTANCE)
_CUTS = (Fault.CUT_BEFORE_ACCEPTANCE, Fault.CUT_AFTER_ACCEPTANCE)


@dataclass
class _Answer:
    """An answer of the endpoints, held back."""

    status: int = 0
    messages: list[Message] = field(default_factory=list)

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self.messages.append(message)

    def error(self) -> str | None:
        """The error message in it."""
        if self.status < 400:
            return None
        body = b"".join(message.get("body", b"") for message in self.messages[1:])
        try:
            error = json.loads(body)
        except ValueError:
            return None
        return str(error.get("message") or error.get("error_description"))


class _Disconnected(Exception):
    """The client has gone before its request was complete."""


class _Bucket:
    """A token bucket that holds a second's worth, as LINE limits its endpoints."""

    def __init__(self) -> None:
        self._filled: tuple[float, float] | None = None

    def take(self, rate: float | None, now: float) -> bool:
        if rate is None:
            return True
        tokens, at = self._filled or (rate, now)
        tokens = min(rate, tokens + max(0.0, now - at) * rate)
        self._filled = (tokens - 1 if tokens >= 1 else tokens, now)
        return tokens >= 1


class Gateway:
    """Guards LINE's APIs; everything else passes through."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        self._app = app
        self._platform = platform
        self._pushes = _Bucket()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return
        try:
            body = await _body(receive)
        except _Disconnected:
            return
        platform, path, headers = self._platform, scope["path"], Headers(scope=scope)
        request_id = scope["line_request_id"] = str(uuid4())
        sends = scope["method"] == "POST" and path in SENDS
        refusal = self._refusal(scope, headers, body)
        fault = None if refusal else platform.faults.draw(sends=sends)
        answer = _Answer()
        if refusal is None and fault in _FAULTY_ANSWERS:
            refusal = _FAULTY_ANSWERS[fault]
        if refusal is None:
            await self._app(scope, _canned(body), answer.take)
            if answer.status >= 300:  # Nothing was accepted, so no fault can follow.
                fault = None
        else:
            await refusal.answer()(scope, _canned(body), answer.take)
        platform.requests.append(
            {
                "at": iso(platform.clock()),
                "method": scope["method"],
                "path": path,
                "status": answer.status,
                "message": answer.error(),
                "fault": fault and fault.value,
                "requestId": request_id,
                "retryKey": headers.get("x-line-retry-key"),
            }
        )
        if platform.faults.settings.latency_seconds:
            await asyncio.sleep(platform.faults.settings.latency_seconds)
        if fault in _TIMEOUTS and await _gone(receive, platform.faults.settings.timeout_seconds):
            return
        if fault in _CUTS:
            await _cut(receive)
            return
        for message in answer.messages:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-line-request-id", request_id.encode()))
            await send(message)

    def _refusal(self, scope: Scope, headers: Mapping[str, str], body: bytes) -> Rejection | None:
        """Return why a request is refused here."""
        if scope["path"].startswith("/v2/"):
            authorization = headers.get("authorization", "")
            scheme, _, token = authorization.partition(" ")
            if scheme != "Bearer" or not self._is_valid(token):
                reason = (
                    "Confirm that the access token in the authorization header is valid."
                    if authorization
                    else "Authorization header required. Must follow the scheme, "
                    "'Authorization: Bearer <ACCESS TOKEN>'"
                )
                return Rejection(
                    401, f"Authentication failed due to the following reason: {reason}"
                )
        if len(body) > MAX_BODY_BYTES:
            return Rejection(413, "Request exceeds the max size of 2MB.")
        if scope["path"] == PUSH:
            rate = self._platform.faults.settings.pushes_per_second
            if not self._pushes.take(rate, self._platform.clock()):
                return _RATE
        return None

    def _is_valid(self, token: str) -> bool:
        if token == self._platform.access_token:
            return True
        return token.isascii() and bool(
            self._platform.store.one(
                "select 1 from access_tokens where token = ? and expires_at > ?",
                token,
                self._platform.clock(),
            )
        )


async def _body(receive: Receive) -> bytes:
    """The request's body, as far as it takes to know that it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        if len(body) <= MAX_BODY_BYTES:
            body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def _canned(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _gone(receive: Receive, seconds: float) -> bool:
    """Wait; return whether the client has disconnected meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            await receive()
    except TimeoutError:
        return False
    return True


async def _cut(receive: Receive) -> None:
    """Break the connection before the first byte."""
    # ASGI has no message for it, but uvicorn's `receive` is bound to the connection's owner.
    receive.__self__.transport.abort()  # type: ignore[attr-defined]
    await receive()
