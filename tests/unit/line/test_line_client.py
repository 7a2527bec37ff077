"""The client through httpx's transport seam: what it asks, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from tobiishi.line import (
    AcceptedPush,
    BotInfo,
    Detail,
    FriendNotFound,
    LineClient,
    LineError,
    MessageLimit,
    Profile,
    QuotaSpent,
    RateLimited,
    Refused,
    Unauthorised,
    Unreachable,
    client,
)

FRIEND = "U4af4980629" + "0" * 22
KEY = UUID("123e4567-e89b-12d3-a456-426614174000")
HELLO = [{"type": "text", "text": "こんにちは"}]
MARKED = {"x-line-request-id": "request"}


class Line(httpx.MockTransport):
    """Gives one answer to everything, and keeps what was asked."""

    def __init__(
        self, status: int = 200, body: Any = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(self._answer)
        self.requests: list[httpx.Request] = []
        self._response = {"status_code": status, "json": body or {}, "headers": headers or MARKED}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(**self._response)  # type: ignore[arg-type]

    def client(self, base_url: str = "https://api.line.me") -> LineClient:
        return LineClient(base_url=base_url, access_token="token", transport=self)


def breaking(error: Exception) -> LineClient:
    def broken(request: httpx.Request) -> httpx.Response:
        raise error

    return LineClient(
        base_url="https://api.line.me",
        access_token="token",
        transport=httpx.MockTransport(broken),
    )


async def push(line: LineClient) -> AcceptedPush:
    return await line.push(FRIEND, HELLO, retry_key=KEY)


# What each method asks: method, path, body.

Call = Callable[[LineClient], Awaitable[Any]]

REQUESTS: list[tuple[str, Call, str, str, dict[str, Any] | None, Any]] = [
    (
        "push",
        lambda line: push(line),
        "POST",
        "/v2/bot/message/push",
        {"to": FRIEND, "messages": HELLO},
        {"sentMessages": []},
    ),
    (
        "validate_push",
        lambda line: line.validate_push(HELLO),
        "POST",
        "/v2/bot/message/validate/push",
        {"messages": HELLO},
        {},
    ),
    (
        "profile",
        lambda line: line.profile(FRIEND),
        "GET",
        f"/v2/bot/profile/{FRIEND}",
        None,
        {"displayName": "花子"},
    ),
    (
        "quota",
        lambda line: line.quota(),
        "GET",
        "/v2/bot/message/quota",
        None,
        {"type": "none"},
    ),
    (
        "quota_consumption",
        lambda line: line.quota_consumption(),
        "GET",
        "/v2/bot/message/quota/consumption",
        None,
        {"totalUsage": 5},
    ),
    (
        "bot_info",
        lambda line: line.bot_info(),
        "GET",
        "/v2/bot/info",
        None,
        {"userId": "U1", "basicId": "@a", "displayName": "店"},
    ),
]


@pytest.mark.parametrize(
    ("call", "method", "path", "body", "answer"),
    [case[1:] for case in REQUESTS],
    ids=[case[0] for case in REQUESTS],
)
@pytest.mark.parametrize(
    ("base_url", "prefix"),
    [
        ("https://api.line.me", ""),
        ("https://api.line.me/", ""),
        ("http://127.0.0.1:8300/line", "/line"),
        ("http://127.0.0.1:8300/line/", "/line"),
    ],
)
async def test_request(
    call: Call,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    answer: Any,
    base_url: str,
    prefix: str,
) -> None:
    line = Line(body=answer)
    async with line.client(base_url) as opened:
        await call(opened)
    (request,) = line.requests
    assert (request.method, request.url.path) == (method, prefix + path)
    assert request.url.query == b""
    assert request.headers["authorization"] == "Bearer token"
    if body is None:
        assert request.content == b""
        assert "content-type" not in request.headers
    else:
        assert json.loads(request.content) == body
        assert request.headers["content-type"] == "application/json"
    pushes = path == "/v2/bot/message/push"
    assert request.headers.get("x-line-retry-key") == (str(KEY) if pushes else None)


async def test_half_a_character_does_not_stop_a_push() -> None:
    line = Line()
    await line.client().push(FRIEND, [{"type": "text", "text": "a\ud83d"}], retry_key=KEY)
    assert json.loads(line.requests[0].content)["messages"][0]["text"] == "a?"


async def test_user_id_can_not_change_the_path() -> None:
    line = Line(body={"displayName": "花子"})
    await line.client().profile("a/../b?c#d")
    assert line.requests[0].url.raw_path == b"/v2/bot/profile/a%2F..%2Fb%3Fc%23d"


@pytest.mark.parametrize("token", ["a\nb", "トークン"])
def test_token_that_no_header_can_hold(token: str) -> None:
    with pytest.raises(ValueError, match="access token"):
        LineClient(base_url="https://api.line.me", access_token=token)


# What it makes of the answers.


async def test_sent() -> None:
    line = Line(body={"sentMessages": [{"id": "1", "quoteToken": "q"}, {"id": "2"}]})
    assert await push(line.client()) == AcceptedPush(request_id="request", message_ids=("1", "2"))


async def test_sent_before() -> None:
    line = Line(
        409,
        {"message": "The retry key is already accepted", "sentMessages": [{"id": "1"}]},
        {"x-line-request-id": "second", "x-line-accepted-request-id": "first"},
    )
    assert await push(line.client()) == AcceptedPush(request_id="first", message_ids=("1",))


ERRORS: list[tuple[int, str, type[LineError], bool]] = [
    (400, "Failed to send messages", Refused, False),
    (401, "Authentication failed.", Unauthorised, False),
    (403, "Access to this API is not available for your account", Refused, False),
    (404, "Not found", Refused, False),
    (409, "Conflict", Unreachable, True),
    (413, "Payload Too Large", Refused, False),
    (429, "The API rate limit has been exceeded. Try again later.", RateLimited, False),
    (429, "You have reached your monthly limit.", QuotaSpent, False),
    (500, "Internal server error", Unreachable, True),
    (503, "Service unavailable", Unreachable, True),
]


@pytest.mark.parametrize(("status", "message", "kind", "ambiguous"), ERRORS)
async def test_error(status: int, message: str, kind: type[LineError], ambiguous: bool) -> None:
    with pytest.raises(LineError) as raised:
        await push(Line(status, {"message": message}).client())
    error = raised.value
    assert type(error) is kind
    assert (error.status, error.message, error.request_id) == (status, message, "request")
    assert error.ambiguous is ambiguous
    assert str(error) == f"LINE answered {status}: {message}"


async def test_error_names_what_is_wrong() -> None:
    body = {
        "message": "The request body has 1 error(s)",
        "details": [{"message": "May not be empty", "property": "messages[0].text"}],
    }
    with pytest.raises(Refused) as raised:
        await Line(400, body).client().validate_push(HELLO)
    assert raised.value.details == (Detail("messages[0].text", "May not be empty"),)
    assert str(raised.value) == (
        "LINE answered 400: The request body has 1 error(s) (messages[0].text: May not be empty)"
    )


def test_error_of_another_kind_keeps_everything() -> None:
    rate = RateLimited("No more", details=[Detail("", "a")], status=429, request_id="r")
    assert vars(QuotaSpent.like(rate)) == vars(rate)
    assert str(QuotaSpent.like(rate)) == "LINE answered 429: No more (a)"


@pytest.mark.parametrize(
    ("error", "ambiguous"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("busy"), False),
        (httpx.ProxyError("403"), False),
        (httpx.UnsupportedProtocol("no scheme"), False),
        (httpx.ReadTimeout(""), True),
        (httpx.WriteTimeout(""), True),
        (httpx.ReadError("reset"), True),
        (httpx.WriteError("reset"), True),
        (httpx.RemoteProtocolError("cut"), True),
        (httpx.DecodingError("not gzip"), True),
    ],
)
async def test_no_answer(error: Exception, ambiguous: bool) -> None:
    with pytest.raises(Unreachable, match=type(error).__name__) as raised:
        await push(breaking(error))
    assert raised.value.ambiguous is ambiguous
    assert (raised.value.status, raised.value.request_id) == (None, None)


async def test_an_answer_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def dripping(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(client, "TOTAL_TIMEOUT_SECONDS", 0.05)
    line = LineClient(
        base_url="https://api.line.me",
        access_token="token",
        transport=httpx.MockTransport(dripping),
    )
    with pytest.raises(Unreachable, match="TimeoutError") as raised:
        await push(line)
    assert raised.value.ambiguous


async def test_profile() -> None:
    body = {
        "displayName": "花子",
        "userId": FRIEND,
        "language": "ja",
        "pictureUrl": "https://example.com/a.png",
        "statusMessage": "こんにちは",
    }
    assert await Line(body=body).client().profile(FRIEND) == Profile(
        display_name="花子",
        language="ja",
    )
    assert await Line(body={"displayName": "花子"}).client().profile(FRIEND) == Profile(
        display_name="花子", language=None
    )


async def test_profile_of_no_friend() -> None:
    with pytest.raises(FriendNotFound, match="Not found") as raised:
        await Line(404, {"message": "Not found"}).client().profile(FRIEND)
    assert (raised.value.status, raised.value.request_id) == (404, "request")


async def test_profile_of_a_malformed_id() -> None:
    with pytest.raises(Refused) as raised:
        await Line(400, {"message": "invalid"}).client().profile("x")
    assert type(raised.value) is Refused


@pytest.mark.parametrize(
    ("body", "limit"), [({"type": "limited", "value": 1000}, 1000), ({"type": "none"}, None)]
)
async def test_quota(body: dict[str, Any], limit: int | None) -> None:
    assert await Line(body=body).client().quota() == MessageLimit(limit=limit)


async def test_quota_consumption() -> None:
    assert await Line(body={"totalUsage": 500}).client().quota_consumption() == 500


async def test_bot_info() -> None:
    body = {"userId": "U1", "basicId": "@a", "displayName": "店", "chatMode": "bot"}
    assert await Line(body=body).client().bot_info() == BotInfo(basic_id="@a")


@pytest.mark.parametrize("body", [{"else": 1}, {"type": "limited"}, {"type": 1}])
async def test_answer_without_what_was_asked(body: dict[str, Any]) -> None:
    with pytest.raises(Unreachable, match="has no"):
        await Line(body=body).client().quota()
