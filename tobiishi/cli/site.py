"""`tobiishi site`: the shop's own pages, where friends are recognised."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import out
from tobiishi.cli.options import Channel
from tobiishi.cli.server import call

app = typer.Typer(help="Sites: the shop's own pages.", no_args_is_help=True)

Host = Annotated[str, typer.Argument(help="Such as www.shop.example.")]


@app.command()
def add(host: Host, channel: Channel = DEFAULT) -> None:
    """Recognise friends on a host's pages, which carry the tag (docs/site.md)."""
    _print(_call("PUT", f"/{quote(host, safe='')}", channel))


@app.command()
def remove(host: Host, channel: Channel = DEFAULT) -> None:
    """Accept no more events from the host's pages."""
    _print(_call("DELETE", f"/{quote(host, safe='')}", channel))


@app.command("list")
def list_all(channel: Channel = DEFAULT) -> None:
    """All sites of the channel."""
    _print(_call("GET", "", channel))


def _call(method: str, path: str, channel: str) -> Any:
    return call(method, f"/api/sites{path}", params={"channel": channel})


def _print(answer: Any) -> None:
    out.lines("\n".join(answer["sites"]) or "no sites")
