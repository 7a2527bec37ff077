"""`python -m tobiishi.simulator`: LINE on this machine, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import os
import signal
from pathlib import Path

import uvicorn

from tobiishi import http_server
from tobiishi.simulator import CHANNEL_SECRET, create_simulator


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tobiishi.simulator",
        description="LINE's Messaging API on this machine, with virtual friends.",
        epilog="LINE_CHANNEL_SECRET is the channel secret, where set. See docs/simulator.md.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=8300, help="port (%(default)s)")
    parser.add_argument("--webhook-url", help="where webhooks go; without it none are sent")
    parser.add_argument(
        "--database", default=":memory:", help="SQLite file to keep everything in (%(default)s)"
    )
    parser.add_argument("--shop", type=Path, help="folder of a demo shop's pages (/shop/)")
    parser.add_argument(
        "--starter-url",
        help="where the shop's pages find the tag (the origin of --webhook-url)",
    )
    options = parser.parse_args()

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    if options.database != ":memory:":
        Path(options.database).parent.mkdir(parents=True, exist_ok=True)
    app = create_simulator(
        webhook_url=options.webhook_url,
        database=options.database,
        channel_secret=os.environ.get("LINE_CHANNEL_SECRET") or CHANNEL_SECRET,
        shop=options.shop,
        starter_url=options.starter_url,
    )
    # uvicorn shuts down at these, and then raises them again: a wanted end is not a failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        doors = http_server.doors(options.host, options.port)
    except OSError as error:
        parser.exit(1, f"port {options.port} can't be opened on {options.host} ({error})\n")
    server = uvicorn.Server(
        http_server.config(app, log_level="warning", timeout_graceful_shutdown=1)
    )
    server.run(sockets=doors)
    if not server.started:
        parser.exit(3)


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise ValueError
    return port


if __name__ == "__main__":
    main()
