"""Options and arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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


Friend = Annotated[str, typer.Argument(help="A LINE user id, or a name.", metavar="friend")]
