"""LINE's Messaging API, as far as step messages need it.

A thin shell around `outcome_of`: it makes requests, and turns their outcome into a value or a
`LineError`. It never retries; the caller knows for how long that makes sense.

https://developers.line.biz/en/reference/messaging-api/
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx

from tobiishi.line.errors import (
    FriendNotFound,
    LineError,
    QuotaSpent,
    RateLimited,
    Refused,
    Unauthorised,
    Unreachable,
)
from tobiishi.line.outcome import Outcome, OutcomeKind, outcome_of

T = TypeVar("T")

#: A message object: https://developers.line.biz/en/reference/messaging-api/#message-objects
Message = Mapping[str, Any]

#: Seconds that a request may take in all, from the wait for a connection to the last byte.
TOTAL_TIMEOUT_SECONDS = 20.0
_TIMEOUT = httpx.Timeout(15.0, connect=5.0, pool=5.0)

_ERRORS: Mapping[OutcomeKind, type[LineError]] = {
    OutcomeKind.RATE_LIMITED: RateLimited,
    OutcomeKind.QUOTA_SPENT: QuotaSpent,
    OutcomeKind.UNAUTHORISED: Unauthorised,
    OutcomeKind.REFUSED: Refused,
    OutcomeKind.UNREACHABLE: Unreachable,
}

# Errors that httpx raises before the first byte of a request has left.
_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True, kw_only=True)
class AcceptedPush:
    """A push that LINE has accepted; LINE does not confirm delivery."""

    #: LINE's id of the request that it accepted; the first one, where this one came second.
    request_id: str | None
    #: Ids of the messages, in the order of the request.
    message_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The profile that a friend shows."""

    #: The name in LINE.
    display_name: str
    #: BCP 47 language tag; `None` without the friend's consent.
    language: str | None


@dataclass(frozen=True, kw_only=True)
class MessageLimit:
    """How many messages a channel may send in this month."""

    #: Messages, counted by recipients; `None` where there is no limit.
    limit: int | None


@dataclass(frozen=True, kw_only=True)
class BotInfo:
    """The LINE Official Account of a channel."""

    #: Basic id, such as `@216ru...`.
    basic_id: str


class LineClient:
    """The Messaging API with the access token of one channel. Close it, or use `async with`.

    Each method raises a `LineError`. `base_url` may have a path; `transport` takes the network's
    place in tests. Raises `ValueError` where the token can't be an HTTP header.
    """

    def __init__(
        self,
        *,
        base_url: str,
        access_token: str,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if not (access_token.isascii() and access_token.isprintable()):
            raise ValueError("the access token holds characters that no access token has")
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {access_token}", "User-Agent": "tobiishi"},
            timeout=_TIMEOUT,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def push(
        self,
        to: str,
        messages: Sequence[Message],
        *,
        retry_key: UUID,
    ) -> AcceptedPush:
        """Send 1 to 5 message objects to one friend, once for each retry key.

        A friend who has blocked the channel, or left LINE, gets nothing, and LINE says nothing of
        it.

        https://developers.line.biz/en/reference/messaging-api/#send-push-message
        """
        body: dict[str, Any] = {"to": to, "messages": list(messages)}
        # https://developers.line.biz/en/reference/messaging-api/#retry-key
        headers = {"X-Line-Retry-Key": str(retry_key)}
        outcome, _ = await self._ask("POST", "/v2/bot/message/push", body, headers)
        already = outcome.kind is OutcomeKind.ALREADY_ACCEPTED
        return AcceptedPush(
            request_id=outcome.accepted_request_id if already else outcome.request_id,
            message_ids=outcome.message_ids,
        )

    async def validate_push(self, messages: Sequence[Message]) -> None:
        """Ask LINE to check message objects without sending them. Raises `Refused`.

        https://developers.line.biz/en/reference/messaging-api/#validate-message-objects-of-push-message
        """
        await self._ask("POST", "/v2/bot/message/validate/push", {"messages": list(messages)})

    async def profile(self, user_id: str) -> Profile:
        """The friend's profile. Raises `FriendNotFound`.

        https://developers.line.biz/en/reference/messaging-api/#get-profile
        """
        try:
            body = await self._get(f"/v2/bot/profile/{quote(user_id, safe='')}")
        except Refused as error:
            raise (FriendNotFound.like(error) if error.status == 404 else error) from None
        return Profile(
            display_name=_read(body, "displayName", str),
            language=_read_optional(body, "language", str),
        )

    async def quota(self) -> MessageLimit:
        """How many messages this month's plan allows.

        https://developers.line.biz/en/reference/messaging-api/#get-quota
        """
        body = await self._get("/v2/bot/message/quota")
        limited = _read(body, "type", str) == "limited"
        return MessageLimit(limit=_read(body, "value", int) if limited else None)

    async def quota_consumption(self) -> int:
        """How many messages were sent this month, by LINE's own approximate count.

        https://developers.line.biz/en/reference/messaging-api/#get-consumption
        """
        return _read(await self._get("/v2/bot/message/quota/consumption"), "totalUsage", int)

    async def bot_info(self) -> BotInfo:
        """The account of this token: the cheapest way to check a token.

        https://developers.line.biz/en/reference/messaging-api/#get-bot-info
        """
        return BotInfo(basic_id=_read(await self._get("/v2/bot/info"), "basicId", str))

    async def _get(self, path: str) -> dict[str, Any]:
        _, body = await self._ask("GET", path)
        try:
            parsed = json.loads(body)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise Unreachable(f"the answer to GET {path} is not a JSON object")
        return parsed

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Outcome, bytes]:
        """Return the outcome of an accepted request, and its body. Raises `LineError` otherwise."""
        content = None
        if body is not None:
            # A name cut in the middle of an emoji holds half a character, which UTF-8 can't have.
            text = json.dumps(body, ensure_ascii=False, allow_nan=False)
            content = text.encode(errors="replace")
            headers = {**(headers or {}), "Content-Type": "application/json"}
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT_SECONDS):
                answer = await self._http.request(method, path, content=content, headers=headers)
        except _NOTHING_SENT as error:
            raise Unreachable(f"LINE can't be reached: {_named(error)}") from error
        except (httpx.RequestError, TimeoutError) as error:
            message = f"no answer from LINE: {_named(error)}"
            raise Unreachable(message, ambiguous=True) from error
        outcome = outcome_of(answer.status_code, answer.headers, answer.content)
        if outcome.kind in _ERRORS:
            raise _ERRORS[outcome.kind](
                outcome.message,
                details=outcome.details,
                status=outcome.status,
                request_id=outcome.request_id,
                ambiguous=outcome.kind is OutcomeKind.UNREACHABLE,
            )
        return outcome, answer.content


def _named(error: Exception) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _read(body: Mapping[str, Any], name: str, kind: type[T]) -> T:
    value = body.get(name)
    if not isinstance(value, kind):
        raise Unreachable(f"LINE's answer has no {name}")
    return value


def _read_optional(body: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    return None if body.get(name) is None else _read(body, name, kind)
