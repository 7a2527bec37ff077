"""The rehearsals that a starter has under way, each in a process of its own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tobiishi.errors import NotFound, TobiishiError
from tobiishi.rehearsal.process import IDLE_SECONDS, RehearsalGone, RehearsalProcess

#: How many there are at once: each is a Python, a Temporal server, and work for the database.
MOST_AT_ONCE = 4


class TooMany(TobiishiError):
    """As many rehearsals are under way as a starter has at once."""


class Rehearsals:
    """Begun and not ended, by their ids."""

    def __init__(self) -> None:
        self._held: dict[str, RehearsalProcess] = {}
        self._running = 0

    @asynccontextmanager
    async def once(self) -> AsyncIterator[RehearsalProcess]:
        """A rehearsal that ends with the block. Raises `TooMany`."""
        await self._take()
        try:
            process = await RehearsalProcess.start()
            try:
                yield process
            finally:
                await process.close()
        finally:
            self._running -= 1

    async def begin(self) -> tuple[str, RehearsalProcess]:
        """A rehearsal that goes on until it is ended, and its id. Raises `TooMany`."""
        await self._take()
        try:
            process = await RehearsalProcess.start()
        except BaseException:
            self._running -= 1
            raise
        name = secrets.token_hex(8)
        self._held[name] = process
        return name, process

    def get(self, name: str) -> RehearsalProcess:
        """Raises `NotFound`."""
        process = self._held.get(name)
        if process is None or process.has_ended:
            raise NotFound(
                f"rehearsal {name!r} is not under way; it ends when nobody asks for it for "
                f"{IDLE_SECONDS / 60:g} minutes: begin another one"
            )
        return process

    async def end(self, name: str) -> None:
        """Raises `NotFound`."""
        process = self._held.pop(name, None)
        if process is None:
            raise NotFound(f"rehearsal {name!r} is not under way")
        try:
            await process.close()
        finally:
            self._running -= 1

    async def close(self) -> None:
        """End all."""
        await asyncio.gather(*(self.end(name) for name in list(self._held)))

    async def _take(self) -> None:
        """Have a place for one more."""
        for name in [name for name, process in self._held.items() if process.has_ended]:
            await self.end(name)
        if self._running >= MOST_AT_ONCE:
            raise TooMany(
                f"{MOST_AT_ONCE} rehearsals are under way, and a starter has no more at once; "
                "end one, or try again soon"
            )
        self._running += 1


__all__ = ["RehearsalGone", "RehearsalProcess", "Rehearsals", "TooMany"]
