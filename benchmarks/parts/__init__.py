"""The parts, one a module: its name is the module's.

`BARE` says in two lines beside what it is measured; `measure` returns its figures, in their order.
"""

from __future__ import annotations

from collections.abc import Awaitable
from importlib import import_module
from typing import Protocol, cast

from benchmarks.figures import Figure
from benchmarks.stage import Stage


class Part(Protocol):
    """What a module of a part has."""

    BARE: str

    def measure(self, stage: Stage) -> Awaitable[list[Figure]]: ...


#: In the order in which they run: what leaves much behind comes last.
NAMES = (
    "journeys",
    "herd",
    "rush",
    "webhooks",
    "wakes",
    "history",
    "sleeping",
    "growth",
    "upload",
)


def part(name: str) -> Part:
    return cast(Part, import_module(f"{__name__}.{name}"))
