"""The arithmetic of the benchmarks, and what is said of their parts."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks import figures, parts, table
from benchmarks.figures import Figure, Spent, percentile, rate

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("percent", "value"), [(0, 1), (1, 1), (50, 50), (51, 51), (99, 99), (99.1, 100), (100, 100)]
)
def test_a_percentile_is_one_of_the_values(percent: float, value: int) -> None:
    values = list(range(1, 101))
    random.Random(1).shuffle(values)
    assert percentile(values, percent) == value


def test_the_percentile_of_one_value_is_it() -> None:
    assert {percentile([7.0], percent) for percent in (0, 50, 99, 100)} == {7.0}


def test_rounds_add_up() -> None:
    rounds = Spent(1, {"temporal": 2}) + Spent(3, {"temporal": 0.5, "worker": 1})
    assert rounds == Spent(4, {"temporal": 2.5, "worker": 1})
    assert rounds.each(10) == {"temporal": 250, "worker": 100}


def test_a_ratio_says_how_many_times_as_heavy() -> None:
    slower = rate("walk", "journeys", 100, Spent(10), Spent(5))
    assert (slower.ours, slower.bare, slower.ratio) == (10, 20, 2)
    longer = Figure(name="late", unit="ms", ours=30, bare=20)
    assert longer.ratio == 1.5
    assert Figure(name="late", unit="ms", ours=30).ratio is None
    assert Figure(name="late", unit="ms", ours=30, bare=0).ratio is None


def test_the_simulators_cpu_counts_nowhere() -> None:
    ours = {"temporal": 1.0, "worker": 2.0, "postgres": 3.0, "starter": 4.0, "simulator": 90.0}
    figure = Figure(
        name="walk", unit="s", ours=1, bare=1, our_cpu=ours, bare_cpu={"temporal": 1, "worker": 4}
    )
    assert figures.total(ours) == 10
    assert figure.cpu_ratio == 2


def test_a_row_shows_ours_beside_the_bare_thing() -> None:
    figure = Figure(
        name="walk",
        unit="journeys/s",
        ours=1234.5,
        bare=2469.0,
        more_is_better=True,
        our_cpu={"temporal": 12.34, "worker": 1.234, "simulator": 5},
        bare_cpu={"temporal": 6.17},
    )
    assert table.row(figure) == [
        *("walk, journeys/s", "1,234", "2,469", "2.00"),
        *("13.6", "6.17", "2.20"),
        *("12.3 / 6.17", "1.23 / –", "", "", "5.00"),
    ]


def test_a_row_is_empty_where_nothing_was_measured() -> None:
    figure = Figure(name="asleep", unit="bytes", ours=99.96)
    assert table.row(figure) == ["asleep, bytes", "100.0", *[""] * 10]


def test_each_part_says_in_two_lines_beside_what_it_is_measured() -> None:
    modules = {file.stem for file in (ROOT / "benchmarks" / "parts").glob("*.py")} - {"__init__"}
    assert set(parts.NAMES) == modules
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for name in parts.NAMES:
        bare = parts.part(name).BARE
        assert len(bare.splitlines()) == 2
        assert " ".join(bare.split()) in " ".join(page.split()), name
