"""`tobiishi friend`: what is known of a friend, and why they got each message."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import by_hand, out
from tobiishi.cli.files import send
from tobiishi.cli.options import Channel, Friend, KeepGood
from tobiishi.cli.people import friend_id
from tobiishi.cli.server import Failed, call, path_of
from tobiishi.cli.times import local, zone
from tobiishi.errors import Invalid
from tobiishi.odd_characters import shown
from tobiishi.people.attribute_columns import FORGET, columns_of, value_of

app = typer.Typer(help="Friends: who they are, and why they got what.", no_args_is_help=True)

Tags = Annotated[list[str], typer.Argument(help="Tags.")]
Assignments = Annotated[list[str], typer.Argument(help="name=- forgets.", metavar="name=value")]

for command in (by_hand.enter, by_hand.leave):
    app.command()(command)

#: As many as the starter returns in one answer.
_PAGE_SIZE = 1000


@app.command("list")
def list_all(
    tag: Annotated[str | None, typer.Option(help="Only those who carry it.")] = None,
    audience: Annotated[str | None, typer.Option(help="Only those who are in it.")] = None,
    name: Annotated[str | None, typer.Option(help="Only those in whose name it is.")] = None,
    most: Annotated[int, typer.Option(min=1, help="No more than so many.")] = 100,
    channel: Channel = DEFAULT,
) -> None:
    """Friends, in the order of their ids."""
    only = {"tag": tag, "audience": audience, "name": name}
    params = {"channel": channel} | {name: value for name, value in only.items() if value}
    found: list[dict[str, Any]] = []
    # One more than is shown reveals whether there are more.
    while wanted := most + 1 - len(found):
        limit, after = min(wanted, _PAGE_SIZE), found[-1]["friend"] if found else ""
        page = call("GET", "/api/friends", params={**params, "after": after, "limit": limit})
        found += page
        if len(page) < limit:
            break
    if not found and audience:
        call("GET", path_of("audiences", audience), params={"channel": channel})
    table = out.table(Column("friend", no_wrap=True), "name", "status", "attributes")
    for each in found[:most]:
        known = _in_words(each["attributes"])
        table.add_row(each["friend"], each["display_name"] or "", each["status"], known)
    table.show()
    if len(found) > most:
        out.line(f"and more; see more of them with --most {most * 10}")


@app.command()
def show(friend: Friend, channel: Channel = DEFAULT) -> None:
    """A friend, with every journey, why each step was taken and what comes next."""
    known = call("GET", path_of("friends", friend_id(friend, channel)), params={"channel": channel})
    out.words(known["status"], bold=known["display_name"] or friend)
    out.words("tags:", ", ".join(known["tags"]) or "none")
    out.words("attributes:", _in_words(known["attributes"]) or "none")
    seen = {**known["seen"], "route": known["route"]}
    if seen_text := ", ".join(
        f"{name}={value}" for name, value in seen.items() if value is not None
    ):
        out.words("seen:", seen_text)
    out.words("audiences:", "" if known["audiences"] else "none")
    for member in known["audiences"]:
        out.words(f"  {member['audience']}: {member['reason']}, {local(member['joined_at'])}")
    for journey in known["journeys"]:
        state = journey["outcome"] or "active"
        because = f": {journey['because']}" if journey["because"] else ""
        name = f"{journey['scenario']} v{journey['version']}"
        out.line("")
        out.words(f"{name}: {journey['why']}; {state}{because}")
        table = out.table(f"at ({zone()})", "step", "what")
        for entry in journey["trail"]:
            table.add_row(local(entry["at"], seconds=True), entry["step"], entry["said"])
        if journey["trail"]:
            table.show()
        if journey["next"]:
            out.words(f"→ {journey['next']['in_words']}")


@app.command()
def tag(friend: Friend, tags: Tags, channel: Channel = DEFAULT) -> None:
    """Add tags."""
    path = path_of("friends", friend_id(friend, channel), "tags")
    known = call("POST", path, params={"channel": channel}, json={"add": tags})
    out.line(", ".join(known["tags"]))


@app.command()
def untag(friend: Friend, tags: Tags, channel: Channel = DEFAULT) -> None:
    """Remove tags."""
    path = path_of("friends", friend_id(friend, channel), "tags")
    known = call("POST", path, params={"channel": channel}, json={"remove": tags})
    out.line(", ".join(known["tags"]) or "none")


@app.command("set")
def set_attributes(friend: Friend, assignments: Assignments, channel: Channel = DEFAULT) -> None:
    """Set attributes: gender, birthday, age, region, os, language, or the shop's own."""
    path = path_of("friends", friend_id(friend, channel), "attributes")
    known = call("PATCH", path, params={"channel": channel}, json=_attributes(assignments))
    out.line(_in_words(known["attributes"]) or "none")


@app.command()
def upload(
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV with a header row, as Excel saves it.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ],
    keep_good: KeepGood = False,
    channel: Channel = DEFAULT,
) -> None:
    """Set attributes and tags of many friends, by a CSV with a header row (docs/friends.md)."""
    done = send("/api/friends/attributes", file, channel=channel, keep_good=keep_good)
    for wrong in done["wrong_lines"]:
        where = f"line {wrong['line']}" + (wrong["column"] and f", {wrong['column']}")
        out.line(f"{where}: '{shown(wrong['text'])}' {wrong['problem']}", err=True)
    out.line(
        f"{done['friends']} friends, {done['met']} of them new, {done['wrong']} wrong lines; "
        f"read as {done['encoding']}"
    )


@app.command()
def events(
    friend: Friend,
    most: Annotated[int, typer.Option(min=1, max=_PAGE_SIZE, help="No more than so many.")] = 100,
    channel: Channel = DEFAULT,
) -> None:
    """What a friend was seen to do, the latest first."""
    path = path_of("friends", friend_id(friend, channel), "events")
    table = out.table(f"at ({zone()})", "event", "of", "url", "detail")
    for each in call("GET", path, params={"channel": channel, "limit": most}):
        of = "/".join(filter(None, (each["scenario"], each["message"]))) or each["source"]
        at = local(each["occurred_at"], seconds=True)
        detail = json.dumps(each["detail"], ensure_ascii=False) if each["detail"] else ""
        table.add_row(at, each["event"], of, each["url"] or "", detail)
    table.show()


@app.command()
def forget(
    friend: Annotated[str, typer.Argument(help="The id that all of it is kept under.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    channel: Channel = DEFAULT,
) -> None:
    """Forget a friend: end their journeys, and remove all that is kept of them."""
    if not yes:
        typer.confirm(f"Remove all that is kept of {friend}? It can't be undone.", abort=True)
    done = call("DELETE", path_of("friends", friend), params={"channel": channel})
    out.line(done["detail"])


def _attributes(assignments: list[str]) -> dict[str, Any]:
    """Parse the words `name=value` for the API. Raises `Failed`."""
    attributes: dict[str, Any] = {}
    for assignment in assignments:
        header, separator, text = assignment.partition("=")
        try:
            if not separator:
                raise ValueError("write it as name=value")
            _, column = columns_of(["friend", header])
            if column.name in ("", "friend", "tags"):
                raise ValueError("names no attribute; for tags there is `tobiishi friend tag`")
            value = (
                None if text == FORGET else value_of(column.name, text, datetime.now(UTC).date())
            )
        except (Invalid, ValueError) as error:
            raise Failed(f"{assignment}: {error}") from error
        (attributes.setdefault("fields", {}) if column.is_own else attributes)[column.name] = value
    return attributes


def _in_words(attributes: dict[str, Any]) -> str:
    """`gender=female, rank=gold`: as `tobiishi friend set` takes them."""
    known = {**attributes, **attributes["fields"]}
    del known["fields"]
    return ", ".join(f"{name}={value}" for name, value in known.items() if value is not None)
