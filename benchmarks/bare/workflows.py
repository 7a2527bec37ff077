"""Workflows that do what a journey does and nothing else."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from temporalio import activity, workflow

#: The task queue of the bare worker: of its workflows and its activity, so that an activity can be
#: run by the worker that asked for it, without another round trip ("eager").
QUEUE = "bare"


@activity.defn
async def nothing() -> float:
    """Returns when it was run: seconds since the epoch."""
    return time.time()


async def _do_nothing() -> float:
    return await workflow.execute_activity(nothing, start_to_close_timeout=timedelta(seconds=30))


@workflow.defn(name="bare-walk")
class Walk:
    """So many activities in a row."""

    @workflow.run
    async def run(self, activities: int) -> None:
        for _ in range(activities):
            await _do_nothing()


@workflow.defn(name="bare-sleep")
class Sleep:
    """Sleeps until then (seconds since the epoch), and runs one activity. Returns when that ran."""

    @workflow.run
    async def run(self, until: float) -> float:
        await asyncio.sleep(until - workflow.time())
        return await _do_nothing()


@workflow.defn(name="bare-wait")
class Wait:
    """Waits for a signal, and ends."""

    @workflow.init
    def __init__(self) -> None:
        self.woken = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.woken)

    @workflow.signal
    def wake(self) -> None:
        self.woken = True
