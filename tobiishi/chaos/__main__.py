"""`python -m tobiishi.chaos`: kill everything, and count what every friend received."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from tobiishi.chaos import fates, kills
from tobiishi.chaos.fates import Fate, Finding
from tobiishi.chaos.harness import Broken, Run, Walk

#: Seconds after the last message that a doubled or wrong one is still waited for.
_AFTERMATH_SECONDS = 10.0


def main(
    friends: Annotated[int, typer.Option(help="How many walk.", min=1)] = 300,
    minutes: Annotated[float, typer.Option(help="How long, about.", min=0.5)] = 3.0,
    seed: Annotated[int, typer.Option(help="Makes it the same again.")] = 1,
    rounds: Annotated[int, typer.Option(help="How often each part is killed.", min=0)] = 2,
    brisk: Annotated[bool, typer.Option(help="No waits by the clock: half a minute.")] = False,
    keep: Annotated[bool, typer.Option(help="Keep the data and the logs.")] = False,
    worker: Annotated[
        Path | None, typer.Option(help="A worker's program to try in place of ours.")
    ] = None,
) -> None:
    """Returns 0 where every friend received the expected messages, each once."""
    home = Path(tempfile.mkdtemp(prefix="tobiishi-chaos-"))
    run = Run(home, _free_ports(), worker)
    console = Console()
    try:
        wrong = asyncio.run(_chaos(run, console, friends, minutes * 60, seed, rounds, brisk=brisk))
    except Broken as error:
        console.print(str(error), style="red", markup=False, emoji=False)
        keep, wrong = True, True
    if keep or wrong:
        console.print(f"data and logs are in {home}")
    else:
        shutil.rmtree(home, ignore_errors=True)
    raise SystemExit(1 if wrong else 0)


async def _chaos(
    run: Run,
    console: Console,
    count: int,
    seconds: float,
    seed: int,
    rounds: int,
    *,
    brisk: bool,
) -> bool:
    walking = seconds / 3 if brisk else max(seconds - 150, 15)
    drawn = fates.draw(count, seconds=walking, brisk=brisk, seed=seed)
    planned = kills.draw(rounds=rounds, first=5, last=seconds * 0.8, seed=seed)
    console.print(f"{count} friends, {len(planned)} kills, seed {seed}; starting")
    await run.start()
    try:
        async with (
            httpx.AsyncClient(base_url=run.line, timeout=10, trust_env=False) as line,
            httpx.AsyncClient(
                base_url=run.starter,
                timeout=10,
                trust_env=False,
                headers={"Authorization": f"Bearer {run.api_token()}"},
            ) as api,
        ):
            walk = Walk(run=run, seed=seed, line=line, api=api)
            await walk.prepare(fates.scenario(brisk=brisk), drawn)
            async with asyncio.TaskGroup() as group:
                for fate in drawn:
                    group.create_task(walk.live(fate))
                for kill in planned:
                    group.create_task(walk.kill(kill))
            await asyncio.sleep(_AFTERMATH_SECONDS)
            found = await walk.findings(drawn)
            _report(console, drawn, found, walk.recoveries)
            return bool(found)
    finally:
        await run.stop()


def _report(
    console: Console,
    drawn: list[Fate],
    found: list[Finding],
    recoveries: list[tuple[str, float]],
) -> None:
    kinds = ("missing", "doubled", "wrong", "out of order", "ledger")
    table = Table("friend who", "friends", *kinds)
    for way in fates.Way:
        count = sum(fate.way == way for fate in drawn)
        wrong = Counter(finding.kind for finding in found if finding.way == way)
        if count:
            table.add_row(way.value, str(count), *(str(wrong[kind]) for kind in kinds))
    console.print(table)
    table = Table("killed", "times", "a new friend was greeted after", title_justify="left")
    for part in kills.PARTS:
        took = sorted(seconds for name, seconds in recoveries if name == part)
        if took:
            table.add_row(part, str(len(took)), " ".join(f"{each:.1f} s" for each in took))
    console.print(table)
    for finding in found[:20]:
        console.print(
            f"{finding.friend} ({finding.way.value}): {finding.kind}: "
            f"should have {', '.join(finding.expected)}; has {', '.join(finding.received)}",
            markup=False,
            emoji=False,
        )
    console.print("every friend received what they should have" if not found else "[red]FAILED[/]")


def _free_ports() -> dict[str, int]:
    names = ("PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT", "SIMULATOR_PORT")
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return {f"TOBIISHI_{name}": port for name, port in zip(names, ports, strict=True)}


if __name__ == "__main__":
    typer.run(main)
