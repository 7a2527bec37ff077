"""`tobiishi why`: why a friend got a message, or did not, in words."""

from __future__ import annotations

from typing import Annotated

import typer

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import out
from tobiishi.cli.language import language
from tobiishi.cli.options import Channel
from tobiishi.cli.people import friend_id
from tobiishi.cli.server import call, path_of


def why(
    friend: Annotated[str, typer.Argument(help="A LINE user id, or a name.", metavar="friend")],
    message: Annotated[
        str | None,
        typer.Argument(help="A message, by its name; else the last one.", metavar="message"),
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Only this scenario; why they are in it, or not.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Each journey, or each time that it was sent.")
    ] = False,
    lang: Annotated[
        str | None, typer.Option(help="ja or en; where left out, as LANG says.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Sentences with their codes, and the facts.")
    ] = False,
    channel: Channel = DEFAULT,
) -> None:
    """Why a friend got a message, or did not: also long after, from what is kept."""
    asked = {"message": message, "scenario": scenario}
    params: dict[str, str] = {name: value for name, value in asked.items() if value}
    params |= {"channel": channel, "lang": lang or language()} | ({"all": "true"} if every else {})
    answer = call("GET", path_of("friends", friend_id(friend, channel), "why"), params=params)
    if as_json:
        out.data(answer)
    else:
        out.lines(answer["text"])
