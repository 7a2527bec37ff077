"""`tobiishi channel`: the LINE Official Accounts that the deployment serves."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tobiishi.cli import out
from tobiishi.cli.server import call, path_of
from tobiishi.settings import LINE_API_BASE_URL

app = typer.Typer(help="Channels: add, look up.", no_args_is_help=True)


@app.command("list")
def list_all() -> None:
    """All channels, with what is left of their messages this month."""
    table = out.table("channel", "title", "webhook", "messages left this month")
    for channel in call("GET", "/api/channels"):
        left = _in_words(channel["quota"])
        table.add_row(channel["channel"], channel["title"], channel["webhook"], left)
    table.show()


def _in_words(quota: dict[str, Any] | None) -> str:
    if quota is None:
        return "not known yet"
    if quota["monthly"] is None:
        return "no limit"
    return f"{quota['left']:,} of {quota['monthly']:,}"


@app.command()
def put(
    channel: str,
    title: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    api_base_url: Annotated[str, typer.Option(help="Where its API is.")] = LINE_API_BASE_URL,
) -> None:
    """Add a channel, or change it. Its secret and token are asked for, and not shown."""
    body = {
        "title": title,
        "secret": typer.prompt("Channel secret", hide_input=True),
        "access_token": typer.prompt("Channel access token", hide_input=True),
        "api_base_url": api_base_url,
    }
    answer = call("PUT", path_of("channels", channel), json=body)
    out.line(f"{answer['channel']}: set its webhook URL to https://YOUR-HOST{answer['webhook']}")


@app.command()
def login(
    channel: str,
    remove: Annotated[bool, typer.Option("--remove", help="It has none any more.")] = False,
) -> None:
    """Set the LINE Login channel for routes (docs/routes.md). Asks for its secret."""
    path = path_of("channels", channel, "login")
    if remove:
        call("DELETE", path)
        out.line(f"{channel}: nobody is told by LINE Login any more")
        return
    body = {
        "channel_id": typer.prompt("Channel ID of the LINE Login channel"),
        "secret": typer.prompt("Channel secret of the LINE Login channel", hide_input=True),
    }
    answer = call("PUT", path, json=body)
    out.line(f"{channel}: set its callback URL to https://YOUR-HOST{answer['callback']}")
