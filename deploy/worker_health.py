"""Exit code 0 where a worker of this container has asked Temporal for work of late.

A worker that lives, reaches its database and Temporal (`/readyz` tells that) but no longer polls is
worth as little as a dead one.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from datetime import UTC, datetime, timedelta

from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

from tobiishi import temporal

# A poll lasts up to about a minute, and the server notes when it began.
_MAX_POLL_AGE = timedelta(minutes=3)


async def polls() -> bool:
    async with asyncio.timeout(20):
        client = await temporal.connect()
        answer = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace, task_queue=TaskQueue(name=temporal.JOURNEYS)
            )
        )
    here = f"@{socket.gethostname()}"
    return any(
        poller.identity.endswith(here)
        and datetime.now(UTC) - poller.last_access_time.ToDatetime(UTC) < _MAX_POLL_AGE
        for poller in answer.pollers
    )


if __name__ == "__main__":
    healthy = asyncio.run(polls())
    sys.stdout.flush()
    # The Temporal SDK's threads may abort an ordinary exit (temporalio/sdk-python#300).
    os._exit(0 if healthy else 1)
