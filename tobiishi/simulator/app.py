"""The simulator, put together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from tobiishi.simulator import (
    ACCESS_TOKEN,
    CHANNEL_SECRET,
    acts,
    audience_groups,
    control,
    friends,
    login,
    page,
    sending,
    statistics,
    talks,
    tokens,
)
from tobiishi.simulator import shop as shop_pages
from tobiishi.simulator.answers import Rejection
from tobiishi.simulator.faults import Faults
from tobiishi.simulator.gateway import Gateway
from tobiishi.simulator.platform import Platform
from tobiishi.simulator.previews import Previews
from tobiishi.simulator.store import Store
from tobiishi.simulator.webhooks import Courier


def create(
    *,
    webhook_url: str | None = None,
    database: str | Path = ":memory:",
    channel_secret: str = CHANNEL_SECRET,
    access_token: str = ACCESS_TOKEN,
    clock: Callable[[], float] = time.time,
    shop: Path | None = None,
    starter_url: str | None = None,
) -> ASGIApp:
    """The simulator as an ASGI app, for uvicorn: faults that cut a connection need it.

    Webhooks go to `webhook_url`, signed with `channel_secret`. What is to be kept is kept in
    `database`, an SQLite file. `clock` returns seconds since the epoch. `shop` is a folder of pages
    that are served at `/shop/`; they have the tag from `starter_url`, the origin of `webhook_url`
    where it is not given.
    """
    store = Store(database)
    faults = Faults(store)
    courier = Courier(store, faults, url=webhook_url, channel_secret=channel_secret, clock=clock)
    previews = Previews(faults)
    platform = Platform(
        store=store,
        faults=faults,
        courier=courier,
        access_token=access_token,
        clock=clock,
        previews=previews,
        shop=shop,
        starter_url=starter_url or _origin(webhook_url or ""),
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        working = [asyncio.create_task(part.run()) for part in (courier, previews)]
        try:
            yield
        finally:
            for task in working:
                task.cancel()
            for task in working:
                with suppress(asyncio.CancelledError):
                    await task
            store.close()

    app = Starlette(
        routes=[
            *sending.routes,
            *friends.routes,
            *statistics.routes,
            *audience_groups.routes,
            *tokens.routes,
            *login.routes,
            *control.routes,
            *talks.routes,
            *acts.routes,
            *page.routes,
            *shop_pages.routes,
        ],
        exception_handlers={Rejection: _rejected, HTTPException: _no_such_thing},
        lifespan=lifespan,
    )
    app.state.platform = platform
    return Gateway(app, platform)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


async def _rejected(request: Request, error: Exception) -> Response:
    assert isinstance(error, Rejection)
    return error.answer()


async def _no_such_thing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = "Not found" if error.status_code == 404 else error.detail
    return Rejection(error.status_code, message, headers=error.headers).answer()
