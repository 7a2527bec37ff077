"""`tobiishi route`: the ways by which friends come, each with a link and a QR code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import out
from tobiishi.cli.options import Channel, Title
from tobiishi.cli.server import Failed, call, path_of
from tobiishi.routes.qr import drawn

app = typer.Typer(help="Routes: how friends come to add the channel.", no_args_is_help=True)


@app.command()
def put(
    route: str,
    title: Title = None,
    channel: Channel = DEFAULT,
) -> None:
    """Make a route, or change its title. Prints its link."""
    made = call("PUT", path_of("routes", route), params={"channel": channel}, json={"title": title})
    _print(made)
    for note in made["notes"]:
        out.line(f"note: {note}", err=True)


@app.command("list")
def list_all(channel: Channel = DEFAULT) -> None:
    """All routes, with who came by them."""
    found = call("GET", "/api/routes", params={"channel": channel})
    for route in found:
        _print(route)
    for note in dict.fromkeys(note for route in found for note in route["notes"]):
        out.line(f"note: {note}", err=True)


@app.command()
def delete(route: str, channel: Channel = DEFAULT) -> None:
    """Delete a route that no scenario and no audience uses."""
    call("DELETE", path_of("routes", route), params={"channel": channel})
    out.line(f"{route} is deleted")


@app.command()
def qr(
    route: str,
    file: Annotated[Path, typer.Argument(help="Where to: a name in .svg or .png.")],
    channel: Channel = DEFAULT,
) -> None:
    """Write the QR code of the route's link into a file."""
    if file.suffix not in (".svg", ".png"):
        raise Failed(f"{file}: the name tells the kind; end it in .svg or .png")
    found = call("GET", path_of("routes", route), params={"channel": channel})
    if found["link"] is None:
        raise Failed(found["notes"][0])
    file.write_bytes(drawn(found["link"], "svg" if file.suffix == ".svg" else "png"))
    out.line(f"{file}: {found['link']}")


def _print(route: dict[str, Any]) -> None:
    came = f"{route['friends']} friends of {route['visits']} visits"
    out.row(route["route"], route["title"], came, route["link"] or "no link")
