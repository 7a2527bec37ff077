"""A rush: all who are in an audience already enter a scenario, and each is greeted."""

from __future__ import annotations

from benchmarks.figures import Figure, Spent, rate
from benchmarks.stage import Stage, friends, journeys, send

BARE = """\
A client that starts a workflow of one activity that does nothing for each friend, as many at once
as our own starter does. It keeps nothing: killed in the middle, it does not know who is left."""

#: Friends a second who may enter: the most that an enrolment takes.
PACE = 1_000


async def measure(stage: Stage) -> list[Figure]:
    ours, bare = Spent(), Spent()
    count, rounds = stage.sizes.friends, stage.sizes.rounds
    for _ in range(rounds):
        ours += await enrol(stage, count)
        bare += await bare_starts(stage, count)
    return [rate("enrolled and greeted", "friends", rounds * count, ours, bare)]


async def enrol(stage: Stage, count: int) -> Spent:
    name = stage.name("rush")
    await stage.audience(name)
    await stage.join(name, friends(count))
    async with stage.ours() as measuring:
        published = await stage.scenario(name, send("hello"), start={"include_members": True})
        # Refused where a few have all entered by then, as those of the first page do at once.
        path = f"/api/enrolments/{published['enrolment']['id']}"
        await stage.api.patch(path, json={"per_second": PACE})
        await stage.until_completed(journeys(name), count)
    return measuring.spent


async def bare_starts(stage: Stage, count: int) -> Spent:
    name = stage.name("bare-rush")
    async with stage.bare() as measuring:
        await stage.start_bare("walk", name, count, 1)
        await stage.until_completed(name, count)
    return measuring.spent
