"""The starter: takes LINE's webhooks, serves the HTTP API, and starts journeys.

`python starter.py`, or any ASGI server with `starter:app`.
"""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI

from tobiishi import logs
from tobiishi.api import create_app
from tobiishi.api.context import Context
from tobiishi.errors import SettingError
from tobiishi.settings import Settings


def app() -> FastAPI:
    """The ASGI app, for `uvicorn --factory starter:app`."""
    return create_app(Settings.load())


def main() -> None:
    try:
        settings = Settings.load()
        logs.start(settings.log_format)
        Context.check(settings)  # What is missing is said before the port is opened.
    except SettingError as error:
        sys.exit("\n".join(f"starter: {line}" for line in str(error).splitlines()))
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
    )
    server.run()
    sys.exit(0 if server.started else 1)


if __name__ == "__main__":
    main()
