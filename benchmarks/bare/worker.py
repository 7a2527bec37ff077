"""The bare worker: `python -m benchmarks.bare.worker`, with TEMPORAL_ADDRESS.

As fast as Temporal's SDK allows: no sandbox, and the pollers of our own worker. Says `ready`.
"""

from __future__ import annotations

import asyncio

from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

from benchmarks.bare.workflows import QUEUE, Sleep, Wait, Walk, nothing
from tobiishi import temporal


async def main() -> None:
    pollers = PollerBehaviorAutoscaling(initial=2, maximum=20)
    worker = Worker(
        await temporal.connect(),
        task_queue=QUEUE,
        workflows=[Sleep, Wait, Walk],
        activities=[nothing],
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflow_task_poller_behavior=pollers,
        activity_task_poller_behavior=pollers,
    )
    async with worker:
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
