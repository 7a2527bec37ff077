"""`tobiishi audience`: make, fill, look into."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import out
from tobiishi.cli.files import send
from tobiishi.cli.options import Channel, File, Friend, KeepGood, Title
from tobiishi.cli.people import friend_id
from tobiishi.cli.server import Failed, call, path_of
from tobiishi.cli.times import local, zone
from tobiishi.scenario import ScenarioError, read_mapping

app = typer.Typer(help="Audiences: make, fill, look into.", no_args_is_help=True)

Friends = Annotated[list[str], typer.Argument(help="LINE user ids.")]


def _named(audience: str) -> str:
    """The audience's name. Raises `Failed`."""
    if not re.fullmatch("[a-z0-9][a-z0-9-]{0,63}", audience):
        raise Failed(
            f"{audience!r} can't be an audience's name; write it in a to z, digits and -, up to 64 "
            "(what marketers call it is its title)"
        )
    return audience


Name = Annotated[
    str, typer.Argument(help="The audience's name.", metavar="audience", callback=_named)
]


@app.command()
def put(
    audience: Name,
    title: Title = None,
    tag: Annotated[str | None, typer.Option(help="Members are those who carry this tag.")] = None,
    channel: Channel = DEFAULT,
) -> None:
    """Make an audience, or change it."""
    body: dict[str, Any] = {"title": title}
    if tag is not None:
        body |= {"kind": "tag", "tag": tag}
    made = call("PUT", path_of("audiences", audience), params={"channel": channel}, json=body)
    out.line(f"{made['audience']}: {made['kind']}, {made['members']} members")


@app.command()
def define(
    file: File,
    channel: Channel = DEFAULT,
) -> None:
    """Make audiences, or change them, as a file says: the `audiences:` of a scenario's file do."""
    for name, definition in _definitions(file).items():
        path = path_of("audiences", _named(name))
        try:
            made = call("PUT", path, params={"channel": channel}, json=definition)
        except Failed as error:
            raise Failed(f"audiences.{name}: {error}") from error
        out.line(f"{made['audience']}: {made['kind']}, {made['members']} members")


def _definitions(file: Path) -> dict[str, dict[str, Any]]:
    """The definition of each audience in the file. Raises `Failed`."""
    problem, found = "it has no `audiences:`", None
    try:
        parsed, warnings = read_mapping(file.read_bytes())
    except ScenarioError as error:
        problem = str(error)
    else:
        found = parsed.get("audiences")
        for warning in warnings:
            out.line(f"warning: {warning}", err=True)
    if not isinstance(found, dict) or not all(
        isinstance(each or {}, dict) for each in found.values()
    ):
        raise Failed(
            f"{file}: this is not a file of audiences ({problem}); write them below `audiences:`, "
            "each as `its-name: {kind: …}` (docs/audiences.md)"
        )
    return {str(name): definition or {} for name, definition in found.items()}


@app.command()
def add(audience: Name, friends: Friends, channel: Channel = DEFAULT) -> None:
    """Add friends."""
    friends = [friend_id(each, channel) for each in friends]
    answer = call(
        "POST",
        path_of("audiences", audience, "members"),
        params={"channel": channel},
        json={"friends": friends},
    )
    out.line(f"{answer['joined']} joined, {answer['already_in']} were in already")


@app.command()
def upload(
    audience: Name,
    file: Annotated[
        Path,
        typer.Argument(
            help="Ids, or a CSV with them in its first column.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ],
    keep_good: KeepGood = False,
    channel: Channel = DEFAULT,
) -> None:
    """Add the user ids of a file: one a line, or a CSV with the ids in its first column."""
    path = path_of("audiences", audience, "upload")
    done = send(path, file, channel=channel, keep_good=keep_good)
    for wrong in done["wrong_lines"]:
        out.line(f"line {wrong['line']} {wrong['problem']}: {wrong['text']}", err=True)
    if done["header"]:
        out.line(f"the first line was taken for a header: {done['header']}", err=True)
    if not done["ids"]:
        out.line("the file holds no user ids", err=True)
    out.line(
        f"{done['joined']} joined, {done['already_in']} were in already, "
        f"{done['wrong']} wrong lines"
    )


@app.command()
def remove(audience: Name, friends: Friends, channel: Channel = DEFAULT) -> None:
    """Remove friends."""
    friends = [friend_id(each, channel) for each in friends]
    removed = 0
    for friend in friends:
        path = path_of("audiences", audience, "members", friend)
        removed += call("DELETE", path, params={"channel": channel})["left"]
    out.line(f"{removed} removed, {len(friends) - removed} were not in it")


@app.command("list")
def list_all(channel: Channel = DEFAULT) -> None:
    """All audiences, and how many friends are in each."""
    table = out.table("audience", "title", "kind", "members")
    for row in call("GET", "/api/audiences", params={"channel": channel}):
        table.add_row(row["audience"], row["title"], row["kind"], str(row["members"]))
    table.show()


@app.command()
def show(audience: Name, channel: Channel = DEFAULT) -> None:
    """One audience: its kind, its rule, how many friends are in it."""
    known = call("GET", path_of("audiences", audience), params={"channel": channel})
    out.line(f"{known['audience']}: {known['title']}")
    out.line(f"{known['kind']}, {known['members']} members")
    if known["rule"]:
        out.lines(json.dumps(known["rule"], ensure_ascii=False, indent=2))


@app.command()
def members(
    audience: Name,
    after: Annotated[str, typer.Option(help="Only those whose ids come after this one.")] = "",
    most: Annotated[int, typer.Option(min=1, max=1000, help="No more than so many.")] = 100,
    channel: Channel = DEFAULT,
) -> None:
    """The members, since when and why, in the order of their ids."""
    params = {"channel": channel, "after": after, "limit": most}
    page = call("GET", path_of("audiences", audience, "members"), params=params)
    table = out.table(Column("friend", no_wrap=True), f"since ({zone()})", "why")
    for member in page:
        table.add_row(member["friend"], local(member["joined_at"], seconds=True), member["reason"])
    table.show()
    if len(page) == most:
        out.line(f"there may be more: --after {page[-1]['friend']}")


@app.command()
def history(audience: Name, friend: Friend, channel: Channel = DEFAULT) -> None:
    """When and why a friend was in it, and is."""
    friend = friend_id(friend, channel)
    path = path_of("audiences", audience, "members", friend)
    times = call("GET", path, params={"channel": channel})
    if not times:
        out.line(f"{friend} was never in {audience}")
        return
    table = out.table(f"joined ({zone()})", "why", f"left ({zone()})", "why")
    for time in times:
        left = local(time["left_at"], seconds=True) if time["left_at"] else ""
        joined, because = local(time["joined_at"], seconds=True), time["left_reason"] or "is in it"
        table.add_row(joined, time["reason"], left, because)
    table.show()


@app.command()
def delete(audience: Name, channel: Channel = DEFAULT) -> None:
    """Delete an audience that nothing uses."""
    call("DELETE", path_of("audiences", audience), params={"channel": channel})
    out.line(f"{audience} is deleted")
