"""How commands reach the starter's HTTP API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from tobiishi.cli.language import language
from tobiishi.errors import TobiishiError
from tobiishi.local.keys import kept_keys
from tobiishi.settings import Settings


class Failed(TobiishiError):
    """The starter did not do what was asked; the text says why."""


def path_of(*names: str) -> str:
    """The URL path of these names, percent-encoded."""
    return "/api/" + "/".join(quote(name, safe="") for name in names)


def call(method: str, path: str, *, timeout: float | None = 60, **request: Any) -> Any:
    """Return the starter's JSON answer, within so many seconds. Raises `Failed`.

    The address is `TOBIISHI_URL`, or this machine's `TOBIISHI_PORT`; the token is
    `TOBIISHI_API_TOKEN`, or the one that `tobiishi run` keeps in the data folder.
    """
    settings = Settings.load()
    url = settings.url or f"http://127.0.0.1:{settings.port}"
    token = settings.api_token and settings.api_token.get_secret_value()
    token = token or kept_keys(settings.home).get("TOBIISHI_API_TOKEN", "")
    if not token or not token.isascii():
        raise Failed(
            "TOBIISHI_API_TOKEN is not set to the starter's token, and "
            f"{settings.home} has none either; set it"
        )
    try:
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": language()}
        answer = asyncio.run(
            _answer(method, url + path, seconds=timeout, headers=headers, **request)
        )
    except (TimeoutError, httpx.ReadTimeout) as error:
        raise Failed(
            f"the starter at {url} has not answered within {timeout:g} s; it may be at it still"
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Failed(
            f"the starter at {url} does not answer ({error}); start it with `make run`, "
            "or set TOBIISHI_URL to where it is"
        ) from error
    if answer.status_code == 401:
        raise Failed(f"the starter at {url} has another token; set TOBIISHI_API_TOKEN to it")
    if answer.status_code == 413:
        raise Failed("that is more than the starter takes in one request (64 MB of a file)")
    if not answer.is_success:
        raise Failed(_words(answer))
    return answer.json() if answer.content else None


async def _answer(
    method: str, url: str, *, seconds: float | None, content: Any = None, **request: Any
) -> httpx.Response:
    """The whole answer in time: httpx's own limit is for each piece of it."""
    if isinstance(content, Iterator):
        content = _pieces(content)
    async with (
        asyncio.timeout(seconds),
        httpx.AsyncClient(timeout=seconds, trust_env=False) as http,
    ):
        return await http.request(method, url, content=content, **request)


async def _pieces(content: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


def _words(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        answered = f"{answer.status_code} {answer.text[:200]}".strip()
        return f"{answer.url.copy_with(query=None)} answered {answered}; is it a starter?"
    if isinstance(detail, list):  # FastAPI's list of problems with a request.
        return "\n".join(_problem(problem) for problem in detail)
    return str(detail)


def _problem(problem: Mapping[str, Any]) -> str:
    field = ".".join(str(part) for part in problem["loc"][1:])
    return f"{field}: {problem['msg']}" if field else str(problem["msg"])
