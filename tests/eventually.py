"""Waiting for what must come true, and failing with what was there instead."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    look: Callable[[], Awaitable[T]],
    accept: Callable[[T], bool] = bool,
    *,
    seconds: float = 20,
    every: float = 0.02,
) -> T:
    """What `look` sees, as soon as `accept` takes it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        seen = await look()
        if accept(seen):
            return seen
        if loop.time() > deadline:
            raise AssertionError(f"after {seconds} s it is still {seen!r}")
        await asyncio.sleep(every)
