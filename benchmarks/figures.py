"""What is measured, as numbers: pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: The processes whose CPU counts, in the order of the table.
COUNTED = ("temporal", "worker", "postgres", "starter")
#: LINE's stand-in: shown apart, and counted nowhere.
SIMULATOR = "simulator"


@dataclass(frozen=True)
class Spent:
    """What something took."""

    #: Of the clock on the wall.
    seconds: float = 0.0
    #: CPU seconds, by process.
    cpu: Mapping[str, float] = field(default_factory=dict)

    def __add__(self, other: Spent) -> Spent:
        names = [*self.cpu, *(name for name in other.cpu if name not in self.cpu)]
        cpu = {name: self.cpu.get(name, 0.0) + other.cpu.get(name, 0.0) for name in names}
        return Spent(self.seconds + other.seconds, cpu)

    def each(self, units: int) -> dict[str, float]:
        """CPU milliseconds a unit, by process."""
        return {name: seconds * 1000 / units for name, seconds in self.cpu.items()}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row of the table: ours beside the bare thing, where there is one."""

    name: str
    unit: str
    ours: float
    bare: float | None = None
    #: Rates; of all else less is better.
    more_is_better: bool = False
    #: CPU milliseconds a unit, by process.
    our_cpu: Mapping[str, float] = field(default_factory=dict)
    bare_cpu: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times as heavy as the bare thing: 1 is equal, and less is better, always."""
        if self.bare is None:
            return None
        return ratio(self.bare, self.ours) if self.more_is_better else ratio(self.ours, self.bare)

    @property
    def cpu_ratio(self) -> float | None:
        return ratio(total(self.our_cpu), total(self.bare_cpu))


def rate(name: str, unit: str, units: int, ours: Spent, bare: Spent) -> Figure:
    """How many a second, and the CPU that one takes."""
    return Figure(
        name=name,
        unit=f"{unit}/s",
        ours=units / ours.seconds,
        bare=units / bare.seconds,
        more_is_better=True,
        our_cpu=ours.each(units),
        bare_cpu=bare.each(units),
    )


def total(cpu: Mapping[str, float]) -> float:
    """The CPU of all processes that count."""
    return sum(cpu.get(name, 0.0) for name in COUNTED)


def ratio(one: float, other: float) -> float | None:
    """None where there is nothing to divide by."""
    return one / other if other > 0 else None


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all are not above (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
