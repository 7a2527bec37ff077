"""docs/reliability.md names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_promise_has_its_test() -> None:
    promised = re.findall(r"`(test_\w+)`", (ROOT / "docs" / "reliability.md").read_text("utf-8"))
    sources = [file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")]
    there = {name for text in sources for name in re.findall(r"def (test_\w+)\(", text)}
    assert len(promised) > 20
    assert [name for name in promised if name not in there] == []
