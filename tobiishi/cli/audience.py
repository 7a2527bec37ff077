"""`tobiishi audience`: make, fill, look into."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich import progress
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tobiishi.channels import DEFAULT
from tobiishi.cli.server import Failed, call

app = typer.Typer(help="Audiences: make, fill, look into.", no_args_is_help=True)

Channel = Annotated[str, typer.Option(help="The LINE channel.")]
Friends = Annotated[list[str], typer.Argument(help="LINE user ids.")]


@app.command()
def put(
    audience: str,
    title: Annotated[str | None, typer.Option(help="What marketers call it.")] = None,
    tag: Annotated[str | None, typer.Option(help="Members are those who carry this tag.")] = None,
    channel: Channel = DEFAULT,
) -> None:
    """Make an audience, or change it."""
    body: dict[str, Any] = {"title": title}
    if tag is not None:
        body |= {"kind": "tag", "tag": tag}
    made = call("PUT", f"/api/audiences/{audience}", params={"channel": channel}, json=body)
    typer.echo(f"{made['audience']}: {made['kind']}, {made['members']} members")


@app.command()
def define(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    channel: Channel = DEFAULT,
) -> None:
    """Make audiences, or change them, as a file says: the `audiences:` of a scenario's file do."""
    try:
        said = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
        definitions: dict[str, Any] = dict(said["audiences"])
    except (YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise Failed(
            f"{file}: this is no file of audiences ({error}); write them below `audiences:`, "
            "each as `its-name: {kind: …}` (docs/audiences.md)"
        ) from error
    for name, definition in definitions.items():
        path = f"/api/audiences/{quote(str(name), safe='')}"
        made = call("PUT", path, params={"channel": channel}, json=definition or {})
        typer.echo(f"{made['audience']}: {made['kind']}, {made['members']} members")


@app.command()
def add(audience: str, friends: Friends, channel: Channel = DEFAULT) -> None:
    """Add friends."""
    answer = call(
        "POST",
        f"/api/audiences/{audience}/members",
        params={"channel": channel},
        json={"friends": friends},
    )
    typer.echo(f"{answer['joined']} joined, {answer['already_in']} were in already")


@app.command()
def upload(
    audience: str,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    keep_good: Annotated[
        bool, typer.Option(help="Keep the good lines of a file that has wrong ones.")
    ] = False,
    channel: Channel = DEFAULT,
) -> None:
    """Add the user ids of a file: one a line, or a CSV with the ids in its first column."""
    with progress.open(file, "rb", description=file.name, console=Console(stderr=True)) as source:
        done = call(
            "POST",
            f"/api/audiences/{audience}/upload",
            params={
                "channel": channel,
                "on_wrong": "keep_good" if keep_good else "keep_nothing",
            },
            content=iter(lambda: source.read(1 << 16), b""),
            timeout=None,
        )
    for wrong in done["wrong_lines"]:
        typer.echo(f"line {wrong['line']} holds no user id: {wrong['text']}", err=True)
    typer.echo(
        f"{done['joined']} joined, {done['already_in']} were in already, "
        f"{done['wrong']} wrong lines"
    )


@app.command()
def remove(audience: str, friends: Friends, channel: Channel = DEFAULT) -> None:
    """Remove friends."""
    left = 0
    for friend in friends:
        path = f"/api/audiences/{audience}/members/{friend}"
        left += call("DELETE", path, params={"channel": channel})["left"]
    typer.echo(f"{left} left")


@app.command("list")
def list_all(channel: Channel = DEFAULT) -> None:
    """All audiences, and how many friends are in each."""
    table = Table("audience", "title", "kind", "members")
    for row in call("GET", "/api/audiences", params={"channel": channel}):
        table.add_row(row["audience"], row["title"], row["kind"], str(row["members"]))
    Console().print(table)
