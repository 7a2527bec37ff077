"""A page for people: each friend's chat as on a phone, where they tap, answer, block and add."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

_STATIC = Path(__file__).parent / "static"
#: A message's content can't run scripts here. Its images and videos may be anywhere.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src http: https: data:",
        "media-src http: https:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def index(request: Request) -> FileResponse:
    return FileResponse(_STATIC / "page.html", headers=_HEADERS)


async def script(request: Request) -> FileResponse:
    return FileResponse(_STATIC / "page.js", headers=_HEADERS)


async def looks(request: Request) -> FileResponse:
    return FileResponse(_STATIC / "page.css", headers=_HEADERS)


routes = [
    Route("/", index),
    Route("/_simulator/page.js", script),
    Route("/_simulator/page.css", looks),
]
