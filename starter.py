"""The starter: takes LINE's webhooks, serves the HTTP API, and starts journeys.

`python starter.py`, or any ASGI server with `starter:app`.
"""

from __future__ import annotations

import logging
import sys

import uvicorn
from fastapi import FastAPI

from tobiishi.api import create_app
from tobiishi.settings import Settings


def app() -> FastAPI:
    """The ASGI app, for `uvicorn --factory starter:app`."""
    return create_app(Settings.load())


def main() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    settings = Settings.load()
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
        )
    )
    server.run()
    sys.exit(0 if server.started else 1)


if __name__ == "__main__":
    main()
