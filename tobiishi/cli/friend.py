"""`tobiishi friend`: what is known of a friend, and why they got what they got."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tobiishi.channels import DEFAULT
from tobiishi.cli.server import call

app = typer.Typer(help="Friends: who they are, and why they got what.", no_args_is_help=True)

Channel = Annotated[str, typer.Option(help="The LINE channel.")]
Tags = Annotated[list[str], typer.Argument(help="Tags.")]


@app.command()
def show(friend: str, channel: Channel = DEFAULT) -> None:
    """A friend, with every journey and why each step was taken."""
    known = call("GET", f"/api/friends/{friend}", params={"channel": channel})
    console = Console(highlight=False)
    console.print(f"[bold]{known['display_name'] or friend}[/] {known['status']}")
    console.print("tags:", ", ".join(known["tags"]) or "none")
    console.print("audiences:", ", ".join(a["audience"] for a in known["audiences"]) or "none")
    for journey in known["journeys"]:
        state = journey["outcome"] or "active"
        table = Table("at (UTC)", "step", "what", title_justify="left")
        table.title = f"{journey['scenario']} v{journey['version']}: {state} ({journey['why']})"
        for said in journey["trail"]:
            table.add_row(said["at"][:19], said["step"], said["said"])
        console.print(table)


@app.command()
def tag(friend: str, tags: Tags, channel: Channel = DEFAULT) -> None:
    """Add tags."""
    path = f"/api/friends/{friend}/tags"
    known = call("POST", path, params={"channel": channel}, json={"add": tags})
    typer.echo(", ".join(known["tags"]))


@app.command()
def untag(friend: str, tags: Tags, channel: Channel = DEFAULT) -> None:
    """Remove tags."""
    path = f"/api/friends/{friend}/tags"
    known = call("POST", path, params={"channel": channel}, json={"remove": tags})
    typer.echo(", ".join(known["tags"]) or "none")
