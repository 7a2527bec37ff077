"""`tobiishi scenario`: check, publish, retire, look up."""

from __future__ import annotations

import getpass
import json
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import difference, enrolment, out, trial
from tobiishi.cli.options import Channel, File
from tobiishi.cli.server import Failed, call, path_of
from tobiishi.cli.times import local
from tobiishi.scenario import json_schema

app = typer.Typer(help="Scenarios: check, publish, retire, look up.", no_args_is_help=True)
app.command()(difference.diff)
app.command("test")(trial.send_test)


@app.command()
def publish(
    file: File,
    channel: Channel = DEFAULT,
    follow: Annotated[
        bool | None, typer.Option(help="Watch the enrolment that begins with it.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="What changed, and why.")] = None,
    author: Annotated[
        str | None,
        typer.Option(help="Who publishes it; git's user.name, or yours here, where left out."),
    ] = None,
) -> None:
    """Check a scenario file and publish it as a new version."""
    given = {"author": author or whoever_asks(), "note": note}
    answer = _send("/api/scenarios", file, channel, **{k: v for k, v in given.items() if v})
    state = "is live already as" if answer["unchanged"] else "is live as"
    out.line(f"{answer['scenario']} {state} version {answer['version']}")
    if answer["unchanged"] and note:
        out.line("the note is not kept: a version that was published never changes", err=True)
    if answer["enrolment"]:
        enrolment.begun(answer["enrolment"], follow=follow)


@app.command()
def check(file: File, channel: Channel = DEFAULT) -> None:
    """Check a scenario file, and publish nothing."""
    answer = _send("/api/scenarios/check", file, channel)
    out.line(f"{answer['scenario']} can be published")
    out.line(answer["forecast"])


@app.command()
def retire(
    scenario: str,
    stop_journeys: Annotated[
        bool, typer.Option("--stop-journeys", help="End the journeys under way, too.")
    ] = False,
    channel: Channel = DEFAULT,
) -> None:
    """Stop a scenario from being entered, until it is published again."""
    under_way = "stop" if stop_journeys else "finish"
    params = {"channel": channel, "under_way": under_way}
    answer = call("POST", path_of("scenarios", scenario, "retire"), params=params, timeout=None)
    stop = f"{answer['stopped']:,} of those under way stop"
    out.line(f"{scenario} is retired; {stop if stop_journeys else 'those under way go on'}")


@app.command("list")
def list_all(
    retired: Annotated[bool, typer.Option("--retired", help="Those that were retired.")] = False,
    channel: Channel = DEFAULT,
) -> None:
    """The live version of each scenario."""
    table = out.table("scenario", "version", "title", "published at", "by", "note")
    for row in call("GET", "/api/scenarios", params={"channel": channel, "retired": retired}):
        at, number = local(row["published_at"]), str(row["version"])
        table.add_row(row["scenario"], number, row["title"], at, row["author"], row["note"])
    table.show()


@app.command()
def versions(scenario: str, channel: Channel = DEFAULT) -> None:
    """All versions of a scenario, the newest first: when, by whom, and what they noted."""
    table = out.table("version", "", "published at", "by", "note", "title")
    for row in _versions(scenario, channel):
        live, at = "live" if row["is_live"] else "", local(row["published_at"])
        number = str(row["version"])
        table.add_row(number, live, at, row["author"], row["note"], row["title"])
    table.show()


@app.command()
def show(
    scenario: str,
    version: Annotated[int | None, typer.Option(help="Which; else the live one.")] = None,
    channel: Channel = DEFAULT,
) -> None:
    """The file of a version, as it was published: the live one's, or the last of a retired one."""
    found = _versions(scenario, channel)
    if version is not None:
        found = [row for row in found if row["version"] == version]
        if not found:
            raise Failed(
                f"scenario {scenario!r} has no version {version}; "
                f"`tobiishi scenario versions {scenario}` lists them"
            )
    row = next((row for row in found if row["is_live"]), found[0])
    by = f" by {row['author']}" if row["author"] else ""
    state = "live" if row["is_live"] else "not live"
    # On the other stream, so that the file alone can be kept: `show welcome > welcome.yaml`.
    out.line(
        f"{row['scenario']} version {row['version']} ({state}), published "
        f"{local(row['published_at'])}{by}",
        err=True,
    )
    if row["note"]:
        out.line(f"note: {row['note']}", err=True)
    out.lines("\n".join(row["source"].splitlines()))


@app.command()
def schema() -> None:
    """The JSON Schema of scenario files, for editors."""
    out.lines(json.dumps(json_schema(), ensure_ascii=False, indent=2))


def whoever_asks() -> str | None:
    """The name of who is at this terminal: git's `user.name`, else the one they logged in by."""
    with suppress(OSError, subprocess.SubprocessError):
        asked = ["git", "config", "user.name"]
        found = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True)  # noqa: S603
        if name := found.stdout.strip():
            return name[:100]
    with suppress(OSError, KeyError):  # A user id without a name, as in a container.
        return getpass.getuser()[:100]
    return None


def _versions(scenario: str, channel: str) -> list[Any]:
    found: list[Any] = call("GET", path_of("scenarios", scenario), params={"channel": channel})
    return found


def _send(path: str, file: Path, channel: str, **more: str) -> Any:
    answer = call(
        "POST",
        path,
        params={"channel": channel, **more},
        content=file.read_bytes(),
    )
    for warning in answer["warnings"]:
        where = f"line {warning['line']}, " if warning["line"] else ""
        out.line(f"warning: {where}{warning['field']}: {warning['message']}", err=True)
    return answer
