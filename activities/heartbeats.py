"""Heartbeats: Temporal hears of a worker that died long before the attempt would be over.

https://docs.temporal.io/encyclopedia/detecting-activity-failures#activity-heartbeat
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import activity

T = TypeVar("T")

#: What is done sooner costs no heartbeat.
HEARTBEAT_INTERVAL = timedelta(seconds=4)


async def let_finish(work: Coroutine[Any, Any, T]) -> T:
    """Do the work, with heartbeats for as long as it takes.

    Heartbeats bring word of a cancelled activity. What it has begun is finished all the same, so
    that what it did is known; only a worker that stops breaks it off.
    """
    doing = asyncio.create_task(work)
    while not doing.done():
        try:
            await asyncio.wait([doing], timeout=HEARTBEAT_INTERVAL.total_seconds())
        except asyncio.CancelledError:
            if activity.is_worker_shutdown():
                doing.cancel()
        if not doing.done():
            activity.heartbeat()
    return await doing
