"""The one way by which anything is printed: what people wrote is shown as they wrote it.

Nothing of it is taken for markup, for the name of an emoji, or for what commands a terminal.
"""

from __future__ import annotations

import json
from typing import Any

import typer
from rich.console import Console
from rich.progress import TextColumn
from rich.table import Column, Table
from rich.text import Text

from tobiishi.text import visible


def line(text: str, *, err: bool = False) -> None:
    """Print one line."""
    typer.echo(visible(text), err=err)


def lines(text: str, *, err: bool = False) -> None:
    """Print a text of several lines."""
    typer.echo(visible(text, keep="\n"), err=err)


def data(value: Any) -> None:
    """Print a value as JSON, for programs; people can read it, too."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    unseen = {each for each in text if each != "\n" and visible(each) != each}
    typer.echo(text.translate({ord(each): f"\\u{ord(each):04x}" for each in unseen}))


def row(*cells: str) -> None:
    """Print cells with tabs between them."""
    typer.echo("\t".join(map(visible, cells)))


def words(*parts: str, bold: str = "") -> None:
    """Print a line, folded to the terminal's width; `bold` stands first."""
    heading = [Text(visible(bold), style="bold")] if bold else []
    console().print(*heading, *(Text(visible(part)) for part in parts))


def table(*columns: Column | str) -> Rows:
    """A table to fill and to print."""
    return Rows(*columns)


class Rows(Table):
    """A table whose cells are shown as they are."""

    def add_row(self, *cells: Any, **more: Any) -> None:
        """Add a row of texts."""
        super().add_row(*(Text(visible(cell or "")) for cell in cells), **more)

    def show(self) -> None:
        """Print it."""
        console().print(self)


def console(*, err: bool = False) -> Console:
    """A console that takes a text for nothing but a text."""
    return Console(stderr=err, highlight=False, markup=False, emoji=False)


def column(format: str) -> TextColumn:
    """A column of a progress bar."""
    return TextColumn(format, markup=False)
