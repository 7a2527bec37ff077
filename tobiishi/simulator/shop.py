"""A demo shop: plain pages with Tobiishi's tag, so that a whole scenario can be tried by hand.

In a page, `{{ starter }}` stands for the starter's address, where the tag comes from.
"""

from __future__ import annotations

import html
import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tobiishi.simulator.answers import Rejection
from tobiishi.simulator.platform import platform_of

_KINDS = (".html", ".css", ".js", ".svg", ".png", ".jpg", ".webp")


def page(request: Request) -> Response:
    """The page of that name, such as `/shop/sneakers`, or a file of the pages, `/shop/shop.css`.

    In a thread: it reads files.
    """
    platform = platform_of(request)
    name = request.path_params.get("name", "index")
    # Looked up among what is there, so that no name leads out of the folder.
    files = {file.name: file for file in _files(platform.shop)}
    file = files.get(name) or files.get(f"{name}.html")
    if file is None:
        raise Rejection(404, f"the demo shop has no page {name}")
    content = file.read_bytes()
    if file.suffix == ".html":
        starter = html.escape(platform.starter_url)
        content = content.replace(b"{{ starter }}", starter.encode())
    return Response(
        content,
        media_type=mimetypes.guess_type(file.name)[0],
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )


async def entrance(request: Request) -> RedirectResponse:
    return RedirectResponse("/shop/")


def _files(folder: Path | None) -> list[Path]:
    if folder is None or not folder.is_dir():
        return []
    return [file for file in folder.iterdir() if file.suffix in _KINDS and file.is_file()]


routes = [Route("/shop", entrance), Route("/shop/{name}", page), Route("/shop/", page)]
