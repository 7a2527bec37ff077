"""A demo shop: plain pages with Tobiishi's tag, so that a whole scenario can be tried by hand.

In a page, `{{ starter }}` stands for the starter's address, where the tag comes from.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tobiishi.simulator.answers import Rejection
from tobiishi.simulator.platform import platform_of


def page(request: Request) -> Response:
    """The page of that name, such as `/shop/sneakers`. In a thread: it reads files."""
    platform = platform_of(request)
    name = request.path_params.get("name", "index")
    pages = {file.stem: file for file in Path(platform.shop or "").glob("*.html")}
    if platform.shop is None or name not in pages:
        raise Rejection(404, f"the demo shop has no page {name}")
    starter = urlsplit(platform.courier.url or "")
    text = pages[name].read_text(encoding="utf-8")
    return HTMLResponse(
        text.replace("{{ starter }}", f"{starter.scheme}://{starter.netloc}"),
        headers={"Cache-Control": "no-store"},
    )


async def entrance(request: Request) -> RedirectResponse:
    return RedirectResponse("/shop/")


routes = [Route("/shop", entrance), Route("/shop/{name}", page), Route("/shop/", page)]
