"""All the ways through a scenario. Pure.

A way is made of decisions: which case of a branch, and whether a wait for an audience ends in time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tobiishi.scenario import Scenario, Step
from tobiishi.scenario.conditions import in_words

#: How many ways are looked at where nothing else is said.
MOST = 64


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A step on a way, and which of its own ways goes on from it."""

    path: str
    step: Step
    way: int | None = None

    @property
    def decides(self) -> bool:
        return self.step.branch is not None or self.step.wait_for is not None

    def in_words(self) -> str:
        """What the decision is: `in clicked-hello`."""
        if self.step.wait_for:
            return f"{self.step.wait_for.audience} {'too late' if self.way else 'in time'}"
        assert self.step.branch is not None
        if self.way is None:
            return "none of the cases"
        when = self.step.branch[self.way].when
        return in_words(when) if when else "otherwise"


WayThrough = tuple[Passed, ...]


def count_ways(scenario: Scenario) -> int:
    """How many ways there are, also those that nobody can take."""
    return _count(scenario.steps)


def _count(steps: Sequence[Step]) -> int:
    number = 1
    for step in steps:
        if step.branch or step.wait_for:
            number *= sum(_count(below) for _, below in _ways_of(step))
    return number


def ways_through(scenario: Scenario, *, most: int) -> list[WayThrough]:
    """All the ways; where there are more than `most`, each way of each step at least once."""
    if count_ways(scenario) <= most:
        return list(_through(scenario.steps, ""))
    chosen: dict[tuple[tuple[str, int | None], ...], WayThrough] = {}
    each_once = (_forced(scenario.steps, "", forced) for forced in _each_decision(scenario))
    # No more are made than are taken: there may be millions.
    for way in itertools.chain(each_once, _through(scenario.steps, "")):
        if len(chosen) >= most:
            break
        chosen.setdefault(tuple((step.path, step.way) for step in way), way)
    return list(chosen.values())


def _ways_of(step: Step) -> list[tuple[int | None, tuple[Step, ...]]]:
    """The ways on from a step; None where no case of a branch is taken."""
    ways: list[tuple[int | None, tuple[Step, ...]]] = [
        (number, below) for number, (_, below) in enumerate(step.ways)
    ]
    if step.branch and step.branch[-1].when is not None:
        ways.append((None, ()))
    return ways


def _through(steps: tuple[Step, ...], place: str, index: int = 0) -> Iterator[WayThrough]:
    if index == len(steps):
        yield ()
        return
    for here in _past(steps[index], f"{place}{index}"):
        for rest in _through(steps, place, index + 1):
            yield (*here, *rest)


def _past(step: Step, path: str) -> Iterator[WayThrough]:
    if not (step.branch or step.wait_for):
        yield (Passed(path=path, step=step),)
        return
    for way, below in _ways_of(step):
        for inner in _through(below, f"{path}.{way}."):
            yield (Passed(path=path, step=step, way=way), *inner)


def _each_decision(scenario: Scenario) -> Iterator[dict[str, int | None]]:
    """For each way of each step, the decisions that lead there, and it."""

    def below(steps: tuple[Step, ...], place: str, so_far: dict[str, int | None]) -> Any:
        for index, step in enumerate(steps):
            path = f"{place}{index}"
            for way, inner in _ways_of(step) if step.branch or step.wait_for else ():
                decided = {**so_far, path: way}
                yield decided
                yield from below(inner, f"{path}.{way}.", decided)

    yield from below(scenario.steps, "", {})


def _forced(steps: tuple[Step, ...], place: str, forced: Mapping[str, int | None]) -> WayThrough:
    """The way with those decisions, and the first of all others."""
    found: list[Passed] = []
    for index, step in enumerate(steps):
        path = f"{place}{index}"
        if not (step.branch or step.wait_for):
            found.append(Passed(path=path, step=step))
            continue
        ways = dict(_ways_of(step))
        way = forced[path] if path in forced else next(iter(ways))
        found.append(Passed(path=path, step=step, way=way))
        found += _forced(ways[way], f"{path}.{way}.", forced)
    return tuple(found)
