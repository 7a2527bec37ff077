"""Growth: what costs more when many journeys are asleep?"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from statistics import median

import httpx
import psutil

from benchmarks.figures import COUNTED, Figure, rate, total
from benchmarks.parts import herd
from benchmarks.parts.journeys import bare_walk, walk
from benchmarks.parts.rush import bare_starts, enrol
from benchmarks.parts.sleeping import put_to_sleep
from benchmarks.stage import Stage, descendants, send

BARE = """\
The bare things of the parts above, again; for a friend's page, their one row by its key. Memory and
idleness beside the bare worker and starter, which have no queue to look into."""

#: The first look, at next to nobody.
FEW = 20
IDLE_SECONDS = 5.0
#: Sleepers whose pages are asked for.
ASKED = 30
MEGABYTE = 1_000_000

#: A statement's step in the log of Postgres, with its milliseconds.
_DURATION = re.compile(r"duration: ([\d.]+) ms  (?:parse|bind|execute|statement)")


async def measure(stage: Stage) -> list[Figure]:
    figures: list[Figure] = []
    asleep = 0
    for count in (FEW, *stage.sizes.asleep):
        sleepers = await put_to_sleep(stage, count - asleep)
        asleep = count
        figures += await _with_asleep(stage, f"{asleep:,} asleep", sleepers)
    return figures


async def _with_asleep(stage: Stage, asleep: str, sleepers: Sequence[str]) -> list[Figure]:
    some = stage.sizes.some
    figures = [
        *(await _idle(stage, asleep)),
        rate(
            f"{asleep}: three sends in a row",
            "journeys",
            some,
            await walk(stage, some),
            await bare_walk(stage, some),
        ),
        rate(
            f"{asleep}: enrolled and greeted",
            "friends",
            some,
            await enrol(stage, some),
            await bare_starts(stage, some),
        ),
        *(await _requests(stage, asleep, sleepers)),
        *_memory(stage, asleep),
    ]
    if len(sleepers) > FEW:  # A herd waits for a whole minute to come.
        for figure in (await herd.of(stage, some))[:2]:
            figures.append(replace(figure, name=f"{asleep}: {figure.name}"))
    return figures


async def _idle(stage: Stage, asleep: str) -> list[Figure]:
    """What is done while nothing is due, and how long the relay's looks into its queues take."""
    async with stage.ours() as ours, stage.bare() as bare:
        await asyncio.sleep(IDLE_SECONDS)
    our_cpu, bare_cpu = (each.spent.each(int(IDLE_SECONDS)) for each in (ours, bare))
    statements = await _statements(stage)
    return [
        Figure(
            name=f"{asleep}: nothing is due",
            unit="CPU ms/s",
            ours=total(our_cpu),
            bare=total(bare_cpu),
            our_cpu=our_cpu,
            bare_cpu=bare_cpu,
        ),
        Figure(
            name=f"{asleep}: nothing is due, queries",
            unit="ms/s",
            ours=sum(statements) / IDLE_SECONDS,
        ),
        Figure(
            name=f"{asleep}: nothing is due, slowest query",
            unit="ms",
            ours=max(statements, default=0),
        ),
    ]


async def _statements(stage: Stage) -> list[float]:
    """Milliseconds of each step of a statement that Postgres did while nothing was due."""
    log = stage.home / "data" / "logs" / "postgres.log"
    await stage.database.execute("alter system set log_min_duration_statement = 0")
    await stage.database.execute("select pg_reload_conf()")
    before = log.stat().st_size
    await asyncio.sleep(IDLE_SECONDS)
    text = log.read_bytes()[before:].decode(errors="replace")
    await stage.database.execute("alter system reset log_min_duration_statement")
    await stage.database.execute("select pg_reload_conf()")
    return [float(found) for found in _DURATION.findall(text)]


async def _requests(stage: Stage, asleep: str, sleepers: Sequence[str]) -> list[Figure]:
    """What people ask for: a friend's page, a scenario's forecast, the gauges."""
    some = sleepers[:ASKED]
    name = stage.name("forecast")
    start = {"audience": name}
    file = {"scenario": name, "title": name, "start": start, "steps": [send("hello")]}
    content = json.dumps(file).encode()
    page = median([await _took(stage.api.get(f"/api/friends/{each}")) for each in some])
    row = median([await _took(stage.bare_api.get(f"/friend/{each}")) for each in some])
    check = median(
        [await _took(stage.api.post("/api/scenarios/check", content=content)) for _ in some]
    )
    gauges = await _took(stage.api.get("/metrics"))  # Kept for a while: once.
    return [
        Figure(name=f"{asleep}: a friend's page", unit="ms", ours=page, bare=row),
        Figure(name=f"{asleep}: a check with its forecast", unit="ms", ours=check),
        Figure(name=f"{asleep}: /metrics", unit="ms", ours=gauges),
    ]


async def _took(request: Awaitable[httpx.Response]) -> float:
    """Milliseconds."""
    begun = time.perf_counter()
    (await request).raise_for_status()
    return 1000 * (time.perf_counter() - begun)


def _memory(stage: Stage, asleep: str) -> Iterator[Figure]:
    for name in COUNTED:
        ours, bare = stage.our_processes[name], stage.bare_processes[name]
        yield Figure(
            name=f"{asleep}: {name}'s memory (PSS)",
            unit="MB",
            ours=_megabytes(ours),
            bare=None if bare is ours else _megabytes(bare),
        )


def _megabytes(process: psutil.Process) -> float:
    """What it keeps in memory, with what it shares with others counted in proportion."""
    size = 0.0
    for each in descendants(process):
        with suppress(psutil.NoSuchProcess):
            size += each.memory_full_info().pss
    return size / MEGABYTE
