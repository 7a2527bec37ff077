"""A herd: everybody is due in the same second. How late are they, and how fast does it go?"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from statistics import median

from benchmarks.figures import Figure, Spent, percentile
from benchmarks.stage import Broken, Stage, friends, journeys, send

BARE = """\
A workflow that sleeps until that second and runs one activity that does nothing but look at the
clock. Ours is as late as LINE's acceptance of the message."""

#: How many fall asleep in a second, at the least.
PER_SECOND = 25
#: Both are measured from here on, and sleep by then.
LEAD_SECONDS = 0.3


async def measure(stage: Stage) -> list[Figure]:
    figures: list[Figure] = []
    for count in stage.sizes.herds:
        figures += await of(stage, count)
    return figures


async def of(stage: Stage, count: int) -> list[Figure]:
    """The figures of one herd."""
    our_lateness, ours = await _ours(stage, count)
    lateness, bare = await _bare(stage, count)
    return list(_figures(count, our_lateness, lateness, ours, bare))


async def _ours(stage: Stage, count: int) -> tuple[list[float], Spent]:
    name = stage.name("herd")
    # A scenario's times are whole minutes.
    due = math.ceil((time.time() + 5 + count / PER_SECOND) / 60) * 60
    until = f"{datetime.fromtimestamp(due, UTC):%Y-%m-%d %H:%M}"
    await stage.scenario(name, {"wait": {"until": until}}, send("now"))
    ids = friends(count)
    await stage.join(name, ids)
    async with _in_time(due):
        await stage.until_asleep(name, count)
    async with stage.ours() as measuring:
        await stage.until_completed(journeys(name), count)
    messages = (await stage.line.get("/_simulator/messages")).raise_for_status().json()
    accepted = {each["to"]: datetime.fromisoformat(each["acceptedAt"]) for each in messages}
    return [accepted[each].timestamp() - due for each in ids], measuring.spent


async def _bare(stage: Stage, count: int) -> tuple[list[float], Spent]:
    name = stage.name("bare-herd")
    due = math.ceil(time.time() + 3 + count / PER_SECOND / 4)
    async with _in_time(due):
        ids = await stage.start_bare("sleep", name, count, due)
    async with stage.bare() as measuring:
        await stage.until_completed(name, count)
    ran = [await stage.client.get_workflow_handle(each, result_type=float).result() for each in ids]
    return [each - due for each in ran], measuring.spent


@asynccontextmanager
async def _in_time(due: float) -> AsyncIterator[None]:
    """For a herd to fall asleep in; ends shortly before it is due."""
    try:
        async with asyncio.timeout(due - LEAD_SECONDS - time.time()):
            yield
    except TimeoutError:
        raise Broken(
            "the herd was not asleep by the time it was due: this machine is busy"
        ) from None
    await asyncio.sleep(due - LEAD_SECONDS - time.time())


def _figures(
    count: int, ours: Sequence[float], bare: Sequence[float], our: Spent, their: Spent
) -> Iterator[Figure]:
    herd = f"{count:,} due at once"
    yield Figure(
        name=herd,
        unit="sends/s",
        ours=count / max(ours),
        bare=count / max(bare),
        more_is_better=True,
        our_cpu=our.each(count),
        bare_cpu=their.each(count),
    )
    late = (("median", median), ("p99", lambda each: percentile(each, 99)), ("last", max))
    for name, of_all in late:
        yield Figure(
            name=f"{herd}, {name}",
            unit="ms late",
            ours=1000 * of_all(ours),
            bare=1000 * of_all(bare),
        )
