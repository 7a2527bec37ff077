"""`tobiishi audience`: make, fill, look into."""

from __future__ import annotations

import json
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


@app.command()
def show(audience: str, channel: Channel = DEFAULT) -> None:
    """One audience: its kind, its rule, how many friends are in it."""
    known = call("GET", f"/api/audiences/{audience}", params={"channel": channel})
    typer.echo(f"{known['audience']}: {known['title']}")
    typer.echo(f"{known['kind']}, {known['members']} members")
    if known["rule"]:
        typer.echo(json.dumps(known["rule"], ensure_ascii=False, indent=2))


@app.command()
def members(
    audience: str,
    after: Annotated[str, typer.Option(help="Only those whose ids come after this one.")] = "",
    most: Annotated[int, typer.Option(min=1, max=1000, help="No more than so many.")] = 100,
    channel: Channel = DEFAULT,
) -> None:
    """Who is in it, since when and why, in the order of their ids."""
    params = {"channel": channel, "after": after, "limit": most}
    page = call("GET", f"/api/audiences/{audience}/members", params=params)
    table = Table("friend", "since (UTC)", "why")
    for member in page:
        table.add_row(member["friend"], member["joined_at"][:19], member["reason"])
    Console(highlight=False, markup=False).print(table)
    if len(page) == most:
        typer.echo(f"there may be more: --after {page[-1]['friend']}")


@app.command()
def history(audience: str, friend: str, channel: Channel = DEFAULT) -> None:
    """When and why a friend was in it, and is."""
    path = f"/api/audiences/{audience}/members/{friend}"
    table = Table("joined (UTC)", "why", "left (UTC)", "why")
    for time in call("GET", path, params={"channel": channel}):
        left, because = (time["left_at"] or "")[:19], time["left_reason"] or "is in it"
        table.add_row(time["joined_at"][:19], time["reason"], left, because)
    Console(highlight=False, markup=False).print(table)


@app.command()
def delete(audience: str, channel: Channel = DEFAULT) -> None:
    """Delete an audience that nothing uses."""
    call("DELETE", f"/api/audiences/{audience}", params={"channel": channel})
    typer.echo(f"{audience} is deleted")
