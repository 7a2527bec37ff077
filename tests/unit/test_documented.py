"""Whatever one can set, ask or watch is told in docs/, and nothing is told that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from tobiishi.api import create_app
from tobiishi.cli import app
from tobiishi.metrics import GAUGES, REGISTRY
from tobiishi.settings import Settings

ROOT = Path(__file__).parents[2]


def told(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def in_first_column(name: str, beginning: str) -> list[str]:
    """What the tables of a page have in their first column, where it begins so."""
    return re.findall(rf"^\| `({beginning}[^`]*)` \|", told(name), re.MULTILINE)


def commands_of(group: Any, before: str = "tobiishi") -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands_of(command, f"{before} {name}")
        else:
            yield f"{before} {name}"


def test_every_setting_is_documented() -> None:
    ours = [Settings.variable(field) for field in Settings.model_fields]
    documented = in_first_column("settings.md", "(?:TOBIISHI|DATABASE|LINE)_")
    assert sorted(documented) == sorted(ours)


def test_every_metric_is_documented() -> None:
    ours = {metric.name for metric in REGISTRY.collect()}
    ours |= {"tobiishi_away", *(f"tobiishi_{name}" for name in GAUGES)}
    documented = set(re.findall(r"\btobiishi_[a-z_]+[a-z]", told("monitoring.md")))
    # Prometheus's own endings of a counter and of a histogram.
    plain = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in documented}
    assert plain == ours


def test_every_command_is_documented() -> None:
    ours = list(commands_of(typer.main.get_command(app)))
    # Arguments are in capitals.
    documented = [
        re.sub(r" \[?[A-Z].*", "", line) for line in in_first_column("reference.md", "tobiishi ")
    ]
    assert sorted(documented) == sorted(ours)


def test_every_operation_is_documented() -> None:
    paths = create_app(Settings()).openapi()["paths"]
    ours = [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]
    assert sorted(in_first_column("reference.md", "[A-Z]+ /")) == sorted(ours)
