"""Whole journeys: a friend joins, gets three messages in a row, and the journey ends."""

from __future__ import annotations

from benchmarks.figures import Figure, Spent, rate
from benchmarks.stage import Stage, friends, journeys, send

BARE = """\
A workflow of three activities in a row that do nothing, started directly: no queue before it,
nothing kept in Postgres, no message to LINE. Its worker runs activities without a round trip."""


async def measure(stage: Stage) -> list[Figure]:
    ours, bare = Spent(), Spent()
    count, rounds = stage.sizes.friends, stage.sizes.rounds
    for _ in range(rounds):
        ours += await walk(stage, count)
        bare += await bare_walk(stage, count)
    return [rate("three sends in a row", "journeys", rounds * count, ours, bare)]


async def walk(stage: Stage, count: int, sends: int = 3) -> Spent:
    name = stage.name("walk")
    await stage.scenario(name, *(send(f"message-{number}") for number in range(sends)))
    ids = friends(count)
    async with stage.ours() as measuring:
        await stage.join(name, ids)
        await stage.until_completed(journeys(name), count)
    return measuring.spent


async def bare_walk(stage: Stage, count: int, activities: int = 3) -> Spent:
    name = stage.name("bare-walk")
    async with stage.bare() as measuring:
        await stage.start_bare("walk", name, count, activities)
        await stage.until_completed(name, count)
    return measuring.spent
