"""A page for people: each friend's chat, where they tap, answer, block and add."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

_STATIC = Path(__file__).parent / "static"


async def index(request: Request) -> FileResponse:
    # Whatever a message holds, it runs nothing here.
    return FileResponse(
        _STATIC / "page.html",
        headers={
            "Content-Security-Policy": (
                "default-src 'self'; style-src 'unsafe-inline'; img-src * data:; object-src 'none'"
            )
        },
    )


async def script(request: Request) -> FileResponse:
    return FileResponse(_STATIC / "page.js")


routes = [Route("/", index), Route("/_simulator/page.js", script)]
