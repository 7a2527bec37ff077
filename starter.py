"""The starter: takes LINE's webhooks, serves the HTTP API, and starts journeys.

`python starter.py`, or any ASGI server with `starter:app`.
"""

from __future__ import annotations

import asyncio
import gc
import sys

import uvicorn
from fastapi import FastAPI

from tobiishi import http_server, logs
from tobiishi.api import create_app
from tobiishi.api.context import Context
from tobiishi.database import Database, Unavailable
from tobiishi.errors import TobiishiError
from tobiishi.settings import Settings


def app() -> FastAPI:
    """The ASGI app, for `uvicorn --factory starter:app`."""
    return create_app(Settings.load())


def main() -> None:
    try:
        settings = Settings.load()
        logs.start(settings.log_format)
        # What is missing or in the way is said before the port is opened, and in a line.
        database_url, _ = Context.check(settings)
        asyncio.run(_migrate(database_url))
    except TobiishiError as error:
        sys.exit("\n".join(f"starter: {line}" for line in str(error).splitlines()))
    except Unavailable as error:
        sys.exit(f"starter: the database can't be reached (DATABASE_URL): {error}")
    try:
        doors = http_server.doors(settings.host, settings.port)
    except OSError as error:
        sys.exit(
            f"starter: port {settings.port} can't be opened on {settings.host} ({error}); "
            "set TOBIISHI_PORT to another one"
        )
    server = uvicorn.Server(
        http_server.config(create_app(settings), log_config=None, timeout_graceful_shutdown=2)
    )
    # What is there by now stays: each full collection would stop all requests to go through it.
    gc.collect()
    gc.freeze()
    server.run(sockets=doors)
    sys.exit(0 if server.started else 1)


async def _migrate(database_url: str) -> None:
    database = await Database.open(database_url, size=1)
    await database.close()


if __name__ == "__main__":
    main()
