"""The command line: `tobiishi run`, and the HTTP API for people at a terminal."""

from __future__ import annotations

import asyncio
import os
import sys

import typer
from cryptography.fernet import Fernet

from tobiishi.cli import (
    audience,
    channel,
    delivery,
    enrolment,
    friend,
    hold,
    out,
    pace,
    rehearse,
    route,
    scenario,
    schedule,
    site,
    stuck,
    why,
)
from tobiishi.cli.server import Failed, call
from tobiishi.errors import SettingError
from tobiishi.settings import Settings
from tobiishi.text import visible

app = typer.Typer(
    help="Step messages for LINE Official Accounts.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(scenario.app, name="scenario")
app.add_typer(enrolment.app, name="enrolment")
app.add_typer(audience.app, name="audience")
app.add_typer(friend.app, name="friend")
app.add_typer(channel.app, name="channel")
app.add_typer(site.app, name="site")
app.add_typer(route.app, name="route")
app.add_typer(stuck.app, name="stuck")

for command in (
    schedule.schedule,
    hold.pause,
    hold.resume,
    hold.holds,
    pace.pace,
    delivery.deliveries,
    why.why,
    rehearse.rehearse,
):
    app.command()(command)


@app.command()
def run() -> None:
    """Run all of Tobiishi on this machine, until Ctrl-C."""
    # Only this command needs the embedded parts installed.
    from tobiishi.local.run import run as run_here

    code = asyncio.run(run_here(Settings.load()))
    sys.stdout.flush()
    sys.stderr.flush()
    # The Temporal SDK's threads may abort an ordinary exit (temporalio/sdk-python#300).
    os._exit(code)


@app.command()
def key() -> None:
    """Make a key for TOBIISHI_SECRET_KEY or TOBIISHI_PAYLOAD_KEYS."""
    out.line(Fernet.generate_key().decode())


@app.command()
def codec() -> None:
    """Print the codec endpoint to set in the Temporal UI, where histories are encrypted."""
    out.line(call("GET", "/api/codec")["url"])


def main() -> None:
    """The entry point: a known error is one line, not a traceback."""
    try:
        app()
    except (SettingError, Failed) as error:
        lines = [visible(f"tobiishi: {line}") for line in str(error).splitlines()]
        sys.exit("\n".join(lines))


__all__ = ["app", "main"]
