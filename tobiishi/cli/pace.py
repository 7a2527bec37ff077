"""`tobiishi pace`: how fast messages are sent."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tobiishi.cli import out
from tobiishi.cli.server import call


def pace(
    per_channel: Annotated[
        float | None, typer.Option(help="Messages a second to each channel's friends, 1 to 2000.")
    ] = None,
    together: Annotated[
        float | None, typer.Option(help="Messages a second of all channels together; 0: no limit.")
    ] = None,
) -> None:
    """How many messages a second are sent, at most; with options, from now on."""
    now = call("GET", "/api/pace")
    if per_channel is not None or together is not None:
        body: dict[str, Any] = {
            "per_channel": now["per_channel"] if per_channel is None else per_channel,
            "together": now["together"] if together is None else together or None,
        }
        now = call("PUT", "/api/pace", json=body)
    out.line(f"{_in_words(now['per_channel'])} to each channel's friends")
    out.line(f"{_in_words(now['together'])} of all channels together")


def _in_words(limit: float | None) -> str:
    return "no limit" if limit is None else f"{limit:,.0f} a second"
