"""`tobiishi enrolment`: how far it has come; pause, resume, cancel, and how fast it goes."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import out
from tobiishi.cli.options import Channel
from tobiishi.cli.server import call
from tobiishi.text import visible

app = typer.Typer(
    help="Enrolments: who was in a scenario's audience before it was published enters it.",
    no_args_is_help=True,
)

Number = Annotated[int, typer.Argument(help="The enrolment's number, as `list` tells it.", min=0)]

#: Seconds between two looks at an enrolment that is followed.
_POLL_SECONDS = 1.0


@app.command("list")
def list_all(channel: Channel = DEFAULT) -> None:
    """The last enrolments, the newest first."""
    table = out.table("number", "scenario", "audience", "status", "how far")
    for row in call("GET", "/api/enrolments", params={"channel": channel}):
        scenario = f"{row['scenario']} v{row['version']}"
        table.add_row(str(row["id"]), scenario, row["audience"], row["status"], row["said"])
    table.show()


@app.command()
def show(
    number: Number,
    follow: Annotated[bool, typer.Option("--follow", help="Watch it until it is over.")] = False,
) -> None:
    """How far an enrolment has come."""
    if follow:
        show_until_over(number)
    else:
        _print(call("GET", f"/api/enrolments/{number}"))


@app.command()
def pause(number: Number) -> None:
    """Enter nobody more until it is resumed."""
    _print(call("POST", f"/api/enrolments/{number}/pause"))


@app.command()
def resume(number: Number) -> None:
    """Go on where it was paused."""
    _print(call("POST", f"/api/enrolments/{number}/resume"))


@app.command()
def cancel(number: Number) -> None:
    """Enter nobody more, for good; those who have entered go on."""
    _print(call("POST", f"/api/enrolments/{number}/cancel"))


@app.command()
def pace(
    number: Number,
    per_second: Annotated[int, typer.Argument(help="Friends a second, at most.")],
) -> None:
    """Make it faster or slower, from its next page on."""
    _print(call("PATCH", f"/api/enrolments/{number}", json={"per_second": per_second}))


def begun(enrolment: dict[str, Any], *, follow: bool | None) -> None:
    """Report an enrolment that has just begun, and follow it on request."""
    number, total = enrolment["id"], enrolment["total"]
    out.line(f"enrolment {number} begins: {total:,} friends are in {enrolment['audience']}")
    if follow is None and sys.stdin.isatty() and sys.stdout.isatty():
        follow = typer.confirm("Watch it? (It goes on whether you do or not.)", default=True)
    if follow:
        show_until_over(number)
    else:
        out.line(f"watch it with: tobiishi enrolment show {number} --follow")


def show_until_over(number: int) -> None:
    """Show a progress bar until it is over; Ctrl-C ends the bar, not the enrolment."""
    bar = Progress(
        out.column("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        out.column("{task.fields[said]}"),
        console=out.console(err=True),
    )
    seen = call("GET", f"/api/enrolments/{number}")
    try:
        with bar:
            task = bar.add_task(visible(seen["scenario"]), total=None, said="")
            while True:
                # More may be looked at than were in it when it began.
                total = max(seen["total"], seen["seen"])
                bar.update(task, completed=seen["seen"], total=total, said=visible(seen["said"]))
                if seen["finished_at"]:
                    break
                time.sleep(_POLL_SECONDS)
                seen = call("GET", f"/api/enrolments/{number}")
    except KeyboardInterrupt:
        out.line(f"it goes on; tobiishi enrolment pause {number} stops it for a while", err=True)
    _print(seen)


def _print(enrolment: dict[str, Any]) -> None:
    where = f"{enrolment['audience']} into {enrolment['scenario']} version {enrolment['version']}"
    out.line(f"enrolment {enrolment['id']}, {where}: {enrolment['status']}")
    out.line(f"{enrolment['said']}, up to {enrolment['per_second']} a second")
    passed = enrolment["passed_over"]
    if any(passed.values()):
        why = {
            "had_entered": "had entered before",
            "blocked": "block the channel",
            "too_late": "came after its period",
        }
        counts = (f"{passed[name]:,} {words}" for name, words in why.items() if passed[name])
        out.line(f"passed over: {', '.join(counts)}")
