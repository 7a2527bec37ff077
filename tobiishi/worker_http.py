"""A worker's own HTTP server: its metrics, and whether it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.client import Client

from tobiishi import http_server, metrics, readiness
from tobiishi.database import Database
from tobiishi.errors import SettingError
from tobiishi.settings import Settings


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the worker: it finishes what it is sending first."""
        yield


@asynccontextmanager
async def opened(settings: Settings, database: Database, client: Client) -> AsyncIterator[None]:
    """`/metrics`, `/healthz`, `/readyz` on `TOBIISHI_METRICS_PORT`, where that is set."""
    if settings.metrics_port is None:
        yield
        return

    async def counted(_: Request) -> Response:
        return Response(metrics.counted(), media_type=metrics.CONTENT_TYPE)

    async def lives(_: Request) -> Response:
        return JSONResponse({"status": readiness.OK})

    async def ready(_: Request) -> Response:
        parts = await readiness.of_both(database, client)
        return JSONResponse(parts, 200 if set(parts.values()) == {readiness.OK} else 503)

    routes = {"/metrics": counted, "/healthz": lives, "/readyz": ready}
    try:
        doors = http_server.doors(settings.metrics_host, settings.metrics_port)
        for door in doors:
            door.listen()  # Who comes before the server runs waits for it.
    except OSError as error:
        raise SettingError(
            f"port {settings.metrics_port} can't be opened on {settings.metrics_host} ({error}); "
            "set TOBIISHI_METRICS_PORT to another one"
        ) from error
    app = Starlette(routes=[Route(path, answer) for path, answer in routes.items()])
    server = _Server(http_server.config(app, log_config=None, timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=doors))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
