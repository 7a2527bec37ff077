"""LINE Login, as far as it takes to learn who somebody is, by the web login with PKCE.

https://developers.line.biz/en/docs/line-login/integrate-line-login/
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpx

from tobiishi.line.errors import LineError, RateLimited, Refused, Unauthorised, Unreachable
from tobiishi.line.outcome import OutcomeKind, outcome_of
from tobiishi.user_ids import is_user_id

#: Seconds that a request may take in all.
TOTAL_TIMEOUT_SECONDS = 15.0
_TIMEOUT = httpx.Timeout(10.0, connect=5.0, pool=5.0)

#: Who makes LINE's ID tokens: https://developers.line.biz/en/docs/line-login/verify-id-token/
ISSUER = "https://access.line.me"
_LINE_API = "https://api.line.me"

_ERRORS: Mapping[OutcomeKind, type[LineError]] = {
    OutcomeKind.RATE_LIMITED: RateLimited,
    OutcomeKind.QUOTA_SPENT: RateLimited,
    OutcomeKind.UNAUTHORISED: Unauthorised,
    OutcomeKind.REFUSED: Refused,
}


@dataclass(frozen=True, kw_only=True)
class LoginChannel:
    """A LINE Login channel, of the same provider as the channel that it logs people in for."""

    #: Its channel ID, a number.
    channel_id: str
    #: Its channel secret.
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """The tokens that an authorization code was exchanged for."""

    #: A JWT that names who logged in. Not trusted before LINE has verified it.
    id_token: str = field(repr=False)
    #: Opens the user's profile and friendship status for 30 days.
    access_token: str = field(repr=False)


def authorize_url(
    login: LoginChannel,
    *,
    api_base_url: str,
    redirect_uri: str,
    state: str,
    nonce: str,
    code_challenge: str,
) -> str:
    """Where a person logs in, and is offered to add the account that is linked with the channel.

    https://developers.line.biz/en/docs/line-login/link-a-bot/#redirect-users
    """
    query = {
        "response_type": "code",
        "client_id": login.channel_id,
        "redirect_uri": redirect_uri,
        "state": state,
        # LINE returns the friendship status only with `profile`.
        "scope": "profile openid",
        "nonce": nonce,
        "bot_prompt": "aggressive",
        "code_challenge": code_challenge,
        "code_challenge_method": "S256",
    }
    host = _host_for_people("https://access.line.me", api_base_url)
    return f"{host}/oauth2/v2.1/authorize?{urlencode(query, quote_via=quote)}"


def friend_add_link(basic_id: str, *, api_base_url: str) -> str:
    """Where a person adds the account. A friend gets to the chat instead.

    https://developers.line.biz/en/docs/messaging-api/using-line-url-scheme/
    """
    return f"{_host_for_people('https://line.me', api_base_url)}/R/ti/p/{quote(basic_id, safe='')}"


def _host_for_people(host: str, api_base_url: str) -> str:
    """That host of LINE's; a stand-in of its API stands in for that one too."""
    api = api_base_url.rstrip("/")
    return host if api == _LINE_API else api


class LoginClient:
    """The LINE Login API for one LINE Login channel. Close it, or use `async with`.

    Each method raises a `LineError`. It never retries; a code is good for one exchange within 10
    minutes. `transport` takes the network's place in tests.

    https://developers.line.biz/en/reference/line-login/
    """

    def __init__(
        self,
        login: LoginChannel,
        *,
        api_base_url: str,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._login = login
        self._http = httpx.AsyncClient(
            base_url=api_base_url,
            headers={"User-Agent": "tobiishi"},
            timeout=_TIMEOUT,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def exchange(self, code: str, *, redirect_uri: str, code_verifier: str) -> Tokens:
        """Exchange the authorization code that the person came back with.

        https://developers.line.biz/en/reference/line-login/#issue-access-token
        """
        answer = await self._post(
            "/oauth2/v2.1/token",
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "client_id": self._login.channel_id,
                "client_secret": self._login.secret,
                "code_verifier": code_verifier,
            },
        )
        return Tokens(
            id_token=_text(answer, "id_token"), access_token=_text(answer, "access_token")
        )

    async def user_of(self, id_token: str, *, nonce: str) -> str:
        """The LINE user id in the ID token, verified by LINE. Raises `Refused` where it is not
        of this channel and this login.

        https://developers.line.biz/en/reference/line-login/#verify-id-token
        """
        answer = await self._post(
            "/oauth2/v2.1/verify",
            {"id_token": id_token, "client_id": self._login.channel_id, "nonce": nonce},
        )
        expected = {"iss": ISSUER, "aud": self._login.channel_id, "nonce": nonce}
        for name, value in expected.items():
            if answer.get(name) != value:
                raise Refused(f"the ID token is not of this login: its {name} is another one")
        user_id = _text(answer, "sub")
        if not is_user_id(user_id):
            raise Refused("the ID token tells no LINE user id")
        return user_id

    async def is_friend(self, access_token: str) -> bool:
        """Whether the person is a friend, now, of the account linked with the channel.

        https://developers.line.biz/en/reference/line-login/#get-friendship-status
        """
        flag = (await self._ask("GET", "/friendship/v1/status", token=access_token)).get(
            "friendFlag"
        )
        if not isinstance(flag, bool):
            raise Unreachable("LINE's answer has no friendFlag")
        return flag

    async def _post(self, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        return await self._ask("POST", path, form=form)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> dict[str, Any]:
        """Return LINE's answer, a JSON object. Raises `LineError`."""
        try:
            headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
            async with asyncio.timeout(TOTAL_TIMEOUT_SECONDS):
                answer = await self._http.request(method, path, data=form, headers=headers)
        except (httpx.RequestError, TimeoutError, UnicodeEncodeError) as error:
            text = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise Unreachable(f"LINE Login does not answer: {text}", ambiguous=True) from error
        outcome = outcome_of(answer.status_code, answer.headers, answer.content)
        try:
            parsed = json.loads(answer.content)
        except (ValueError, RecursionError):
            parsed = None
        if outcome.kind is OutcomeKind.ACCEPTED and isinstance(parsed, dict):
            return parsed
        raise _ERRORS.get(outcome.kind, Unreachable)(
            _words(parsed)
            or outcome.message
            or f"the answer to {method} {path} is not a JSON object",
            status=outcome.status,
            request_id=outcome.request_id,
        )


def _words(body: Any) -> str:
    """LINE Login's words for an error: `invalid_grant: invalid authorization code`."""
    if not isinstance(body, dict):
        return ""
    words = (body.get("error"), body.get("error_description"))
    return ": ".join(word for word in words if isinstance(word, str))


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Unreachable(f"LINE's answer has no {name}")
    return value
