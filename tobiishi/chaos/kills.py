"""The schedule of kills, and how soon a new friend was greeted after each."""

from __future__ import annotations

import random
from dataclasses import dataclass

#: The parts of a run, and the words in their command lines that identify them.
PARTS = {
    "worker": "worker.py",
    "starter": "starter.py",
    "Temporal": "temporal server",
    "Postgres": "/postgres",
}


@dataclass(frozen=True, kw_only=True)
class Kill:
    """A SIGKILL to come."""

    part: str
    #: Seconds after the beginning.
    at: float


def draw(*, rounds: int, first: float, last: float, seed: int) -> list[Kill]:
    """Each part once in each round, in an order of its own, evenly over the time."""
    dice = random.Random(seed)  # noqa: S311 - dice, not secrets
    order = [part for _ in range(rounds) for part in dice.sample(list(PARTS), len(PARTS))]
    every = (last - first) / max(len(order) - 1, 1)
    return [Kill(part=part, at=first + number * every) for number, part in enumerate(order)]
