"""`tobiishi deliveries`: messages that somebody may want to look at."""

from __future__ import annotations

from typing import Annotated

import typer

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import out
from tobiishi.cli.options import Channel
from tobiishi.cli.server import call
from tobiishi.cli.times import local


def deliveries(
    status: Annotated[str, typer.Option(help="unknown, refused or claimed.")] = "unknown",
    limit: Annotated[int, typer.Option(help="How many, the latest first.")] = 100,
    channel: Channel = DEFAULT,
) -> None:
    """Messages that LINE may or may not have taken, refused, or has not taken yet."""
    params: dict[str, str | int] = {"status": status, "limit": limit, "channel": channel}
    table = out.table("friend", "scenario", "message", "first tried", "tries", "why")
    for row in call("GET", "/api/deliveries", params=params):
        table.add_row(
            row["friend"],
            row["scenario"],
            row["message"],
            local(row["claimed_at"]),
            str(row["attempts"]),
            row["reason"],
        )
    table.show()
