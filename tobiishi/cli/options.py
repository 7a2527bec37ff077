"""Options and arguments that several commands take."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from tobiishi.cli.server import Failed
from tobiishi.odd_characters import shown
from tobiishi.user_ids import is_user_id, why_not

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


def identified(friend: str | None) -> str | None:
    """The friend's id. Raises `Failed`."""
    if friend is not None and not is_user_id(friend):
        raise Failed(no_id(friend))
    return friend


def all_identified(friends: list[str]) -> list[str]:
    """The friends' ids. Raises `Failed`."""
    for friend in friends:
        identified(friend)
    return friends


def no_id(text: str) -> str:
    """Why that is not a friend's id, and how to find it."""
    if NEARLY_AN_ID.match(text):
        return f"'{shown(text)}' {why_not(text)}"
    name = text.strip() or "NAME"
    name = name if name.isalnum() else shlex.quote(name)
    return (
        f"'{shown(text)}' is not a LINE user id; find the id by the name: "
        f"tobiishi friend list --name {name}"
    )


#: What begins so was meant as an id.
NEARLY_AN_ID = re.compile(r"\W*[Uu][0-9A-Fa-f]{4}")

FriendId = Annotated[
    str, typer.Argument(help="A LINE user id.", metavar="friend", callback=identified)
]
