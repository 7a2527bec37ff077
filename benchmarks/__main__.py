"""`make bench`, or `python -m benchmarks [PART …]`."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import parts, table
from benchmarks.figures import Figure
from benchmarks.parts.journeys import bare_walk, walk
from benchmarks.stage import Broken, Sizes, Stage

#: The first journeys of a process are its slowest: they are counted nowhere.
WARM_UP = 30


def main(
    names: Annotated[list[str] | None, typer.Argument(metavar="[PART]...")] = None,
    friends: Annotated[int | None, typer.Option(help="Friends of a round.", min=1)] = None,
    rounds: Annotated[
        int | None, typer.Option(help="Rounds, ours and bare in turn.", min=1)
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Little of everything: 2 minutes.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="With 50,000 journeys asleep.")] = False,
    file: Annotated[Path, typer.Option("--json", help="Where the figures go.")] = Path(
        "build/bench.json"
    ),
    keep: Annotated[bool, typer.Option("--keep", help="Keep the data and the logs.")] = False,
) -> None:
    """Measure everything, or the named parts, beside the barest thing that does the same."""
    chosen = names or list(parts.NAMES)
    if unknown := [name for name in chosen if name not in parts.NAMES]:
        raise typer.BadParameter(f"{', '.join(unknown)}: parts are {', '.join(parts.NAMES)}")
    sizes = Sizes()
    if quick:
        sizes = Sizes(
            friends=50, rounds=1, herds=(10, 100), webhooks=500, ids=100_000, asleep=(200,)
        )
    if full:
        sizes = replace(sizes, asleep=(1_000, 10_000, 50_000))
    sizes = replace(sizes, friends=friends or sizes.friends, rounds=rounds or sizes.rounds)
    home = Path(tempfile.mkdtemp(prefix="tobiishi-bench-"))
    broken = True
    try:
        broken = asyncio.run(_bench(home, chosen, sizes, file))
    except Broken as error:
        print(f"bench: {error}", file=sys.stderr)
    finally:
        keep = keep or broken
        if keep:
            print(f"data and logs are in {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)
    raise SystemExit(1 if broken else 0)


async def _bench(home: Path, names: list[str], sizes: Sizes, file: Path) -> bool:
    """Returns whether a part could not be measured; the others are all the same."""
    broken = False
    results: dict[str, list[Figure]] = {}
    started = datetime.now(UTC)
    async with Stage.open(home, sizes) as stage:
        await walk(stage, min(WARM_UP, sizes.friends))
        await bare_walk(stage, min(WARM_UP, sizes.friends))
        for name in names:
            begun = time.monotonic()
            try:
                results[name] = await parts.part(name).measure(stage)
                done = f"{time.monotonic() - begun:.0f} s"
            except Broken as error:
                broken, done = True, f"not measured: {error}"
            print(f"{name}: {done}", file=sys.stderr, flush=True)
        versions = table.versions() | await stage.versions()
    table.show(results)
    written = {
        "date": started.isoformat(timespec="seconds"),
        "machine": table.machine(),
        "versions": versions,
        "settings": asdict(sizes),
        "parts": {
            name: {
                "bare": parts.part(name).BARE,
                "figures": [table.as_dict(figure) for figure in figures],
            }
            for name, figures in results.items()
        },
    }
    table.write(file, written)
    print(f"\nratio: 1 is as light as the bare thing, 2 is twice as heavy. Figures: {file}")
    return broken


if __name__ == "__main__":
    typer.run(main)
