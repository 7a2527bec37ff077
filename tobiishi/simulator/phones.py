"""Fetching links and images, as a friend's phone or LINE's own machine.

Its own requests, as servers see them. User agents are as seen in the wild: LINE does
not document them (https://developers.line.biz/en/docs/liff/differences-between-liff-browser-and-line-in-app-browser/).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from ipaddress import ip_address
from typing import Any, Literal

import httpx

#: The friend's platform.
Device = Literal["ios", "android"]

#: LINE's in-app browser.
USER_AGENTS: Mapping[Device, str] = {
    "ios": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Mobile/15E148 Safari Line/15.12.1"
    ),
    "android": (
        "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP2A.240905.003; wv) AppleWebKit/537.36 "
        "(KHTML, like Gecko) Version/4.0 Chrome/138.0.7204.179 Mobile Safari/537.36 "
        "Line/15.12.1/IAB"
    ),
}
#: The fetcher of link previews.
PREVIEW_USER_AGENT = "facebookexternalhit/1.1;line-poker/1.0"
#: Seconds that a fetch may take, with all its redirects.
TIMEOUT_SECONDS = 10.0
MAX_HOPS = 10
_MAX_BYTES = 10 * 1024 * 1024
_LANGUAGE = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True)
class Hop:
    """One request of a fetch, and the answer to it."""

    url: str
    #: None where there was no answer.
    status: int | None = None
    #: Where the answer sends on to, as it says it.
    location: str | None = None
    #: Why there was no answer.
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def browser(device: Device, language: str | None) -> dict[str, str]:
    """The headers of LINE's in-app browser on a phone that is set to this language."""
    accepted = "text/html,application/xhtml+xml,*/*;q=0.8"
    return {"Accept": accepted, **_phone(device, language)}


def image_loader(device: Device, language: str | None) -> dict[str, str]:
    """The headers with which LINE on a phone loads images; a guess, undocumented."""
    return {"Accept": "image/*,*/*;q=0.8", **_phone(device, language)}


def is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def is_local(url: str) -> bool:
    """Whether the address is one of this very machine."""
    try:
        host = httpx.URL(url).host
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except (httpx.InvalidURL, ValueError):
        return False


async def fetch(
    url: str, headers: Mapping[str, str], may: Callable[[str], bool] = is_web
) -> list[Hop]:
    """Get an address, and what it leads to as long as `may` allows it. Never raises."""
    hops: list[Hop] = []
    here: str | None = url
    try:
        # No cookies of others, and no proxy between a phone and a server on this machine.
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            httpx.AsyncClient(headers=headers, trust_env=False, verify=_tls()) as http,
        ):
            while here is not None and may(here) and len(hops) < MAX_HOPS:
                hop, following = await _hop(http, here)
                hops.append(hop)
                here = following
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
        words = f"{type(error).__name__}: {error}".removesuffix(": ")
        hops.append(Hop(here or url, error=words))
    return hops


async def _hop(http: httpx.AsyncClient, url: str) -> tuple[Hop, str | None]:
    async with http.stream("GET", url) as answer:
        location = answer.headers.get("location")
        following = str(answer.next_request.url) if answer.next_request else None
        taken = 0
        async for piece in answer.aiter_raw():
            taken += len(piece)
            if taken > _MAX_BYTES:
                break
    return Hop(url, answer.status_code, location), following


def _phone(device: Device, language: str | None) -> dict[str, str]:
    wished = language if language and _LANGUAGE.fullmatch(language) else "ja"
    if device == "android":
        wished += ",en-US;q=0.9"
    return {"User-Agent": USER_AGENTS[device], "Accept-Language": wished}


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # Reading the certificates takes a while.
