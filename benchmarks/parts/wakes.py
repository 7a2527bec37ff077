"""Friends who join the audience that their journeys wait for: how soon do these go on?"""

from __future__ import annotations

from statistics import mean

from temporalio.api.enums.v1 import EventType

from benchmarks.figures import Figure, Spent, rate
from benchmarks.stage import Stage, friends, journeys

BARE = """\
A signal to a workflow that waits for it and then ends: nobody looks whether anyone waits, or for
what, and a signal that comes too early is lost."""

#: Journeys whose signals are counted.
LOOKED_AT = 20


async def measure(stage: Stage) -> list[Figure]:
    ours, bare, signals = Spent(), Spent(), list[int]()
    count, rounds = stage.sizes.friends, stage.sizes.rounds
    for _ in range(rounds):
        spent, seen = await join(stage, count)
        ours += spent
        signals += seen
        bare += await bare_signals(stage, count)
    return [
        rate("joins until awake", "joins", rounds * count, ours, bare),
        Figure(name="signals of one join", unit="signals", ours=mean(signals), bare=1),
    ]


async def join(stage: Stage, count: int) -> tuple[Spent, list[int]]:
    """Returns how many signals some of the journeys got, too."""
    name = stage.name("cart")
    bought = f"{name}-bought"
    await stage.audience(bought)
    await stage.scenario(name, {"wait_for": {"audience": bought, "up_to": {"days": 30}}})
    ids = friends(count)
    await stage.join(name, ids)
    await stage.until_asleep(name, count)
    async with stage.ours() as measuring:
        await stage.join(bought, ids)
        await stage.until_completed(journeys(name), count)
    signals = [await _signals(stage, f"{journeys(name)}/{each}") for each in ids[:LOOKED_AT]]
    return measuring.spent, signals


async def bare_signals(stage: Stage, count: int) -> Spent:
    name = stage.name("bare-cart")
    ids = await stage.start_bare("wait", name, count)
    async with stage.bare() as measuring:
        (await stage.bare_api.post("/signal", json={"ids": ids})).raise_for_status()
        await stage.until_completed(name, count)
    return measuring.spent


async def _signals(stage: Stage, workflow: str) -> int:
    history = await stage.client.get_workflow_handle(workflow).fetch_history()
    signalled = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    return sum(event.event_type == signalled for event in history.events)
