"""`tobiishi stuck`: what can't be applied, to be looked at, tried again or dropped."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import out
from tobiishi.cli.options import Channel
from tobiishi.cli.server import Failed, call, path_of
from tobiishi.cli.times import local

app = typer.Typer(
    help="What follows from events and changes, and failed again and again.",
    no_args_is_help=True,
)

Key = Annotated[str, typer.Argument(help="As `list` prints it: audience_changes/17.")]


@app.command("list")
def list_all(
    after: Annotated[str, typer.Option(help="The last key of the page before.")] = "",
    limit: Annotated[int, typer.Option(help="How many.")] = 100,
    channel: Channel = DEFAULT,
) -> None:
    """What failed again and again, and why."""
    params: dict[str, str | int] = {"after": after, "limit": limit, "channel": channel}
    found = call("GET", "/api/stuck", params=params)
    for row in found:
        out.line(_line(row))
    if not found:
        out.line("nothing is stuck")
    elif len(found) == limit:
        out.line(f"there may be more: --after {found[-1]['key']}")


@app.command()
def retry(key: Key, channel: Channel = DEFAULT) -> None:
    """Try one at once; each is tried again by itself, too."""
    row = call("POST", f"{_path(key)}/retry", params={"channel": channel})
    out.line(f"{row['key']} is tried again")


@app.command()
def drop(
    key: Key,
    channel: Channel = DEFAULT,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
) -> None:
    """Let one go: what was to follow from it does not, for good."""
    if not yes:
        typer.confirm(f"Drop {key}? It is never done then.", abort=True)
    row = call("POST", f"{_path(key)}/drop", params={"channel": channel})
    out.line(f"dropped: {_line(row)}")


def _path(key: str) -> str:
    queue, slash, row_id = key.partition("/")
    if not (queue and slash and row_id):
        raise Failed(
            f"{key!r} is not a key; `tobiishi stuck list` prints them: audience_changes/17"
        )
    return path_of("stuck", queue, row_id)


def _line(row: Any) -> str:
    whom = f" of {row['friend']}" if row["friend"] else ""
    error = " ".join((row["error"] or "").split())
    since = local(row["since"])
    return f"{row['key']}: {row['what']}{whom}, since {since}, {row['attempts']} times: {error}"
