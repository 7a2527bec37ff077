"""Rehearsing ninety days, beside the bare start and end of the servers that it needs.

.venv/bin/python -m benchmarks.rehearse [ROUNDS]
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tobiishi.local.postgres import EmbeddedPostgres
from tobiishi.rehearsal.stage import test_server

DAYS = 90
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def ninety_days() -> str:
    """A scenario that sends a message a day."""
    steps = "".join(
        f"  - send: {{name: day-{day}, messages: [{{type: text, text: day {day}}}]}}\n"
        "  - wait: {days: 1}\n"
        for day in range(DAYS)
    )
    return f"scenario: ninety\ntitle: ninety\nstart: friend_added\nsteps:\n{steps}"


async def bare() -> float:
    """Seconds that the servers take to start, one after the other, and to end."""
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedPostgres(Path(folder), settings=FAST), test_server():
            pass
    return time.perf_counter() - begun


def ours(file: Path) -> tuple[float, float]:
    """Seconds that the command takes, and those of the processor in all its processes."""
    before, begun = _spent(), time.perf_counter()
    words = ("-m", "tobiishi", "rehearse", str(file), "--at", "2026-12-01T09:30")
    done = subprocess.run((sys.executable, *words), check=True, capture_output=True, text=True)
    assert f"day {DAYS - 1}" in done.stdout
    return time.perf_counter() - begun, _spent() - before


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ninety.yaml"
        file.write_text(ninety_days(), encoding="utf-8")
        for _ in range(rounds):
            alone = asyncio.run(bare())
            wall, processor = ours(file)
            print(
                f"servers alone {alone:.2f} s; {DAYS} days rehearsed in {wall:.2f} s "
                f"({wall / alone:.1f} times, {processor:.2f} s of the processor)"
            )


if __name__ == "__main__":
    main()
