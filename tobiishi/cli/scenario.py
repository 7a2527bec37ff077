"""`tobiishi scenario`: check, publish, retire, look up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import enrolment, out
from tobiishi.cli.options import Channel, File
from tobiishi.cli.server import call, path_of
from tobiishi.cli.times import local
from tobiishi.scenario import json_schema

app = typer.Typer(help="Scenarios: check, publish, retire, look up.", no_args_is_help=True)


@app.command()
def publish(
    file: File,
    channel: Channel = DEFAULT,
    follow: Annotated[
        bool | None, typer.Option(help="Watch the enrolment that begins with it.")
    ] = None,
) -> None:
    """Check a scenario file and publish it as a new version."""
    answer = _send("/api/scenarios", file, channel)
    state = "is live already as" if answer["unchanged"] else "is live as"
    out.line(f"{answer['scenario']} {state} version {answer['version']}")
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
    table = out.table("scenario", "version", "title", "published at")
    for row in call("GET", "/api/scenarios", params={"channel": channel, "retired": retired}):
        at = local(row["published_at"])
        table.add_row(row["scenario"], str(row["version"]), row["title"], at)
    table.show()


@app.command()
def schema() -> None:
    """The JSON Schema of scenario files, for editors."""
    out.lines(json.dumps(json_schema(), ensure_ascii=False, indent=2))


def _send(path: str, file: Path, channel: str) -> Any:
    answer = call(
        "POST",
        path,
        params={"channel": channel},
        content=file.read_bytes(),
    )
    for warning in answer["warnings"]:
        where = f"line {warning['line']}, " if warning["line"] else ""
        out.line(f"warning: {where}{warning['field']}: {warning['message']}", err=True)
    return answer
