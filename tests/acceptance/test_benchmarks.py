"""The cheapest part of the benchmarks, with all that it needs, from the command to the file."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


async def bench(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=Path(__file__).parents[2],
    )
    printed, _ = await process.communicate()
    return process.returncode, printed.decode()


def figures(written: dict[str, Any], part: str) -> dict[str, dict[str, Any]]:
    return {f"{each['name']}, {each['unit']}": each for each in written["parts"][part]["figures"]}


@pytest.mark.timeout(300)
async def test_a_part_is_measured_beside_the_bare_thing(tmp_path: Path) -> None:
    file = tmp_path / "made" / "bench.json"
    options = ("--quick", "--friends", "2", "--json", str(file))
    code, printed = await bench("history", "journeys", *options)
    assert code == 0, printed
    written = json.loads(file.read_text(encoding="utf-8"))

    history = figures(written, "history")
    for sends in (1, 3, 10):
        name = f"history of {sends} send{'s' if sends > 1 else ''}"
        events = history[f"{name}, events"]
        # Started, and a workflow task's three; of each activity three, and a workflow task again;
        # completed.
        assert events["bare"] == 4 + 6 * sends + 1
        assert events["ours"] > events["bare"]
        assert history[f"{name}, bytes"]["ratio"] > 1

    walk = figures(written, "journeys")["three sends in a row, journeys/s"]
    assert walk["ours"] > 0
    assert set(walk["cpu_ms"]["ours"]) == {
        *("temporal", "worker", "postgres", "starter", "simulator")
    }
    assert set(walk["cpu_ms"]["bare"]) == {"temporal", "worker", "starter"}
    assert walk["cpu_ms"]["ours"]["temporal"] > 0

    assert written["settings"]["friends"] == 2
    assert written["machine"]["cores"] > 0
    assert written["versions"]["temporal_server"]
    assert written["versions"]["postgres"]
    assert "three sends in a row, journeys/s" in printed


async def test_a_part_that_does_not_exist_is_refused_at_once(tmp_path: Path) -> None:
    code, printed = await bench("histroy", "--json", str(tmp_path / "bench.json"))
    assert code == 2
    assert "histroy" in printed
    assert not (tmp_path / "bench.json").exists()
