"""The LINE Login client through httpx's transport seam: what it asks, and what it believes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from tobiishi.line import LineError, RateLimited, Refused, Unauthorised, Unreachable, login
from tobiishi.line.login import (
    LoginChannel,
    LoginClient,
    Tokens,
    authorize_url,
    friend_add_link,
)

CHANNEL = LoginChannel(channel_id="2000000001", secret="the-secret")
HANAKO = "U" + "1" * 32
WHO = {"iss": "https://access.line.me", "sub": HANAKO, "aud": "2000000001", "nonce": "nonce"}
MARKED = {"x-line-request-id": "request"}


class Line(httpx.MockTransport):
    """Gives one answer to everything, and keeps what was asked."""

    def __init__(self, body: Any, status: int = 200) -> None:
        super().__init__(self._answer)
        self.requests: list[httpx.Request] = []
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        self._response: dict[str, Any] = {"status_code": status, "headers": MARKED, **content}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(**self._response)

    def client(self, base_url: str = "https://api.line.me") -> LoginClient:
        return LoginClient(CHANNEL, api_base_url=base_url, transport=self)

    def form(self) -> dict[str, str]:
        (request,) = self.requests
        return dict(parse_qsl(request.content.decode()))


async def exchange(client: LoginClient) -> Tokens:
    return await client.exchange("code", redirect_uri="https://a.example/r", code_verifier="v")


async def user_of(client: LoginClient) -> str:
    return await client.user_of("id-token", nonce="nonce")


async def is_friend(client: LoginClient) -> bool:
    return await client.is_friend("access-token")


CALLS: list[Callable[[LoginClient], Awaitable[Any]]] = [exchange, user_of, is_friend]


# Where people go.


def test_the_address_to_log_in_at() -> None:
    url = authorize_url(
        CHANNEL,
        api_base_url="https://api.line.me",
        redirect_uri="https://a.example/r/callback?channel=default",
        state="st-ate_",
        nonce="nonce",
        code_challenge="challenge",
    )
    assert url.startswith("https://access.line.me/oauth2/v2.1/authorize?")
    assert "the-secret" not in url
    # LINE wants `%20` between scopes, and takes no `+`.
    assert "scope=profile%20openid" in url
    assert parse_qs(urlsplit(url).query) == {
        "response_type": ["code"],
        "client_id": ["2000000001"],
        "redirect_uri": ["https://a.example/r/callback?channel=default"],
        "state": ["st-ate_"],
        "scope": ["profile openid"],
        "nonce": ["nonce"],
        "bot_prompt": ["aggressive"],
        "code_challenge": ["challenge"],
        "code_challenge_method": ["S256"],
    }


@pytest.mark.parametrize(
    ("api", "page", "link"),
    [
        ("https://api.line.me", "https://access.line.me/oauth2/", "https://line.me/R/ti/p/%40shop"),
        (
            "https://api.line.me/",
            "https://access.line.me/oauth2/",
            "https://line.me/R/ti/p/%40shop",
        ),
        ("http://[::1]:8300/", "http://[::1]:8300/oauth2/", "http://[::1]:8300/R/ti/p/%40shop"),
    ],
)
def test_a_stand_in_of_the_api_stands_in_for_the_pages_too(api: str, page: str, link: str) -> None:
    url = authorize_url(
        CHANNEL, api_base_url=api, redirect_uri="x", state="x", nonce="x", code_challenge="x"
    )
    assert url.startswith(page)
    assert friend_add_link("@shop", api_base_url=api) == link


# What it asks.


async def test_a_code_is_exchanged() -> None:
    line = Line({"id_token": "i", "access_token": "a", "expires_in": 1, "something": "new"})
    assert await exchange(line.client()) == Tokens(id_token="i", access_token="a")
    assert line.requests[0].url == "https://api.line.me/oauth2/v2.1/token"
    assert line.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert line.form() == {
        "grant_type": "authorization_code",
        "code": "code",
        "redirect_uri": "https://a.example/r",
        "client_id": "2000000001",
        "client_secret": "the-secret",
        "code_verifier": "v",
    }


async def test_line_verifies_the_id_token() -> None:
    line = Line({**WHO, "name": "花子", "amr": ["lineautologin"]})
    assert await user_of(line.client("http://127.0.0.1:8300/line/")) == HANAKO
    assert line.requests[0].url == "http://127.0.0.1:8300/line/oauth2/v2.1/verify"
    assert line.form() == {"id_token": "id-token", "client_id": "2000000001", "nonce": "nonce"}


@pytest.mark.parametrize("flag", [True, False])
async def test_the_friendship_is_asked_for(flag: bool) -> None:
    line = Line({"friendFlag": flag})
    assert await is_friend(line.client()) is flag
    (request,) = line.requests
    assert (request.method, request.url.path) == ("GET", "/friendship/v1/status")
    assert request.headers["authorization"] == "Bearer access-token"


def test_secrets_are_not_shown() -> None:
    tokens = Tokens(id_token="hidden-1", access_token="hidden-2")
    assert not re.search("hidden|the-secret", repr([CHANNEL, tokens]))


# What it believes.


@pytest.mark.parametrize(
    "other",
    [
        {"aud": "2000000002"},
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://access.line.me.evil.example"},
        {"sub": "a b"},
        {"sub": "../x"},
        {"sub": "U" * 65},
        {"sub": "shop-0001"},
        {"sub": "C" + "1" * 32},
        {"sub": HANAKO + "\n"},
    ],
)
async def test_an_id_token_of_another_login_is_not_believed(other: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="ID token"):
        await user_of(Line({**WHO, **other}).client())


@pytest.mark.parametrize("sub", [None, "", 7])
async def test_an_id_token_of_nobody(sub: Any) -> None:
    with pytest.raises(Unreachable, match="no sub"):
        await user_of(Line({**WHO, "sub": sub}).client())


@pytest.mark.parametrize(
    "garbage", [b"", b"<html>", b"[]", b"null", b"1", b'"x"', b"{}", b"\xff\xfe", b"[" * 100_000]
)
@pytest.mark.parametrize("call", CALLS)
async def test_garbage_is_no_answer(call: Callable[..., Awaitable[Any]], garbage: bytes) -> None:
    with pytest.raises((Unreachable, Refused)):
        await call(Line(garbage).client())


ERRORS: list[tuple[int, Any, type[LineError], str]] = [
    (
        400,
        {"error": "invalid_grant", "error_description": "invalid authorization code"},
        Refused,
        "LINE answered 400: invalid_grant: invalid authorization code",
    ),
    (400, {"error": 1, "error_description": None}, Refused, "LINE answered 400: no message"),
    (401, {"message": "invalid token"}, Unauthorised, "LINE answered 401: invalid token"),
    (403, {"message": "insufficient"}, Refused, "LINE answered 403: insufficient"),
    (429, {"message": "slow down"}, RateLimited, "LINE answered 429: slow down"),
    (429, {"message": "monthly limit"}, RateLimited, "LINE answered 429: monthly limit"),
    (500, b"oops", Unreachable, "LINE answered 500: oops"),
    (302, b"", Unreachable, "LINE answered 302: no message"),
]


@pytest.mark.parametrize(("status", "body", "kind", "text"), ERRORS)
@pytest.mark.parametrize("call", CALLS)
async def test_error(
    call: Callable[..., Awaitable[Any]], status: int, body: Any, kind: type[LineError], text: str
) -> None:
    with pytest.raises(LineError) as raised:
        await call(Line(body, status).client())
    assert type(raised.value) is kind
    assert str(raised.value) == text
    assert (raised.value.status, raised.value.request_id) == (status, "request")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout("")])
async def test_no_answer(call: Callable[..., Awaitable[Any]], error: Exception) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise error

    transport = httpx.MockTransport(broken)
    async with LoginClient(CHANNEL, api_base_url="http://a", transport=transport) as client:
        with pytest.raises(Unreachable, match=type(error).__name__):
            await call(client)


async def test_an_answer_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def dripping(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(login, "TOTAL_TIMEOUT_SECONDS", 0.05)
    transport = httpx.MockTransport(dripping)
    with pytest.raises(Unreachable, match="TimeoutError"):
        await exchange(LoginClient(CHANNEL, api_base_url="http://a", transport=transport))


@pytest.mark.parametrize("token", ["ト", "a\nb", "\ud83d"])
async def test_an_access_token_that_no_header_can_hold(token: str) -> None:
    with pytest.raises(Unreachable):
        async with LoginClient(CHANNEL, api_base_url="http://127.0.0.1:1") as client:
            await client.is_friend(token)
