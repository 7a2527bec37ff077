"""Serving an ASGI app on a real socket, inside the test's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from tests.ports import free_port


@asynccontextmanager
async def serving(app: Any, port: int | None = None, **more: Any) -> AsyncIterator[str]:
    """The app's URL, while it is served; `more` is for uvicorn, such as certificates."""
    port = port or free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=1, **more)
    )
    task = asyncio.create_task(server._serve())
    try:
        while not server.started:
            if task.done():
                await task
                raise RuntimeError("the app did not start")
            await asyncio.sleep(0.01)
        yield f"{'https' if 'ssl_certfile' in more else 'http'}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
