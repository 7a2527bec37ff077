"""Options and arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tobiishi.cli.server import Failed
from tobiishi.user_ids import NOT_ONE, is_user_id

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
    """The friend's id. Raises `Failed`."""
    if not is_user_id(friend):
        raise Failed(f"{friend!r} {NOT_ONE}")
    return friend


FriendId = Annotated[
    str, typer.Argument(help="A LINE user id.", metavar="friend", callback=_identified)
]
