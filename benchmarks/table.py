"""The figures as a table for people, and as JSON for machines."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.figures import COUNTED, SIMULATOR, Figure, total

#: Characters of a line where the output is a file.
_WIDTH = 170
_ROOT = Path(__file__).parents[1]


def show(results: Mapping[str, Sequence[Figure]]) -> None:
    """Print one row a figure."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    table.add_column("figure", no_wrap=True)
    for heading in (
        *("ours", "bare", "ratio", "CPU ms", "bare", "ratio"),
        *COUNTED,
        SIMULATOR,
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for part, figures in results.items():
        for number, figure in enumerate(figures):
            table.add_row("" if number else part, *row(figure))
        table.add_section()
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(table)


def row(figure: Figure) -> list[str]:
    """A figure's cells; empty ones where there is nothing to show."""
    ours, bare = figure.our_cpu, figure.bare_cpu
    return [
        f"{figure.name}, {figure.unit}",
        short(figure.ours),
        short(figure.bare),
        times(figure.ratio),
        short(total(ours)) if ours else "",
        short(total(bare)) if bare else "",
        times(figure.cpu_ratio),
        *(pair(ours.get(name), bare.get(name)) for name in COUNTED),
        short(ours.get(SIMULATOR)),
    ]


def short(number: float | None) -> str:
    """Three digits are enough, and more are noise."""
    if number is None:
        return ""
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"


def times(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}"


def pair(ours: float | None, bare: float | None) -> str:
    """`12.3 / 4.50`, or `12.3 / –` where the bare thing has no such process."""
    if ours is None and bare is None:
        return ""
    return f"{short(ours) or '–'} / {short(bare) or '–'}"


def as_dict(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "unit": figure.unit,
        "ours": figure.ours,
        "bare": figure.bare,
        "ratio": figure.ratio,
        "cpu_ms": {"ours": dict(figure.our_cpu), "bare": dict(figure.bare_cpu)},
        "cpu_ratio": figure.cpu_ratio,
    }


def write(file: Path, results: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "os": platform.platform(),
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Of what is measured; the servers' own come from them."""
    return {
        "tobiishi": version("tobiishi"),
        "commit": _commit(),
        "temporalio": version("temporalio"),
        "asyncpg": version("asyncpg"),
        "uvicorn": version("uvicorn"),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def _commit() -> str:
    """The commit that is checked out; empty where this is not a checkout."""
    try:
        asked = subprocess.run(
            ("git", "describe", "--always", "--dirty"), cwd=_ROOT, capture_output=True, text=True
        )
    except OSError:
        return ""
    return asked.stdout.strip()
