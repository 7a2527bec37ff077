"""Options and arguments that several commands take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from tobiishi.cli.server import Failed

Channel = Annotated[str, typer.Option(help="The LINE channel.")]
Title = Annotated[str | None, typer.Option(help="What marketers call it.")]
#: A file that is there.
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
KeepGood = Annotated[
    bool,
    typer.Option(
        "--keep-good", help="Keep the good lines of a file that has wrong ones, not nothing."
    ),
]


def _identified(friend: str) -> str:
    """The friend's id, as `tobiishi.people.friends.FriendId`. Raises `Failed`."""
    if not re.fullmatch("[A-Za-z0-9_-]{1,64}", friend):
        raise Failed(f"{friend!r} is not a LINE user id (U and 32 of 0-9, a-f); correct it")
    return friend


FriendId = Annotated[
    str, typer.Argument(help="A LINE user id.", metavar="friend", callback=_identified)
]
