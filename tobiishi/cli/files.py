"""Files on their way to the starter, and how far they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TimeElapsedColumn

from tobiishi.cli import out
from tobiishi.cli.server import Failed, call
from tobiishi.text import visible

#: Bytes that are read, and sent, at a time.
_CHUNK_BYTES = 1 << 16


def send(path: str, file: Path, *, channel: str, keep_good: bool) -> Any:
    """Send the file with a progress bar; returns the answer. Raises `Failed`."""
    console = out.console(err=True)
    columns = (
        out.column("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        task = shown.add_task(f"{visible(file.name)}: sending", total=None)
        with shown.open(file, "rb", task_id=task) as source:

            def pieces() -> Iterator[bytes]:
                yield from iter(lambda: source.read(_CHUNK_BYTES), b"")
                # The bar is full, and the starter has yet to keep what it was sent.
                shown.update(task, description=f"{visible(file.name)}: keeping", total=None)

            try:
                return call(
                    "POST",
                    path,
                    params={
                        "channel": channel,
                        "on_wrong": "keep_good" if keep_good else "keep_nothing",
                    },
                    content=pieces(),
                    timeout=None,
                )
            except Failed as error:
                # The starter answers in the words of its API.
                raise Failed(str(error).replace("on_wrong=keep_good", "--keep-good")) from error
