"""How fast messages are sent: limits of the task queue of sends, which Temporal keeps.

They hold for all workers together, and change while those run. LINE allows 2,000 pushes a second
for each channel: https://developers.line.biz/en/reference/messaging-api/#rate-limits
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import RateLimit, RateLimitConfig, TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    UpdateTaskQueueConfigRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from tobiishi.temporal import ANSWER_TIMEOUT, LINE, in_time

_log = logging.getLogger(__name__)

#: LINE's own limit for each channel.
MAX_PER_SECOND = 2000
#: The default: other programs of the shop may push to the same channel.
DEFAULT_PER_SECOND = 1000


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How many messages a second are sent, at most; None where there is no limit."""

    #: To the friends of each channel. Needs `matching.enableFairness` on the Temporal server.
    per_channel: float | None
    #: Of all channels together.
    together: float | None


async def current(client: Client) -> Pace:
    """The pace that Temporal keeps now. Raises `RPCError`."""
    async with in_time():
        answer = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=LINE),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
                report_config=True,
            ),
            timeout=ANSWER_TIMEOUT,
        )
    config = answer.config
    return Pace(
        per_channel=_limit(config.fairness_keys_rate_limit_default),
        together=_limit(config.queue_rate_limit),
    )


async def of_a_channel(client: Client) -> float:
    """Messages a second to one channel's friends; the default while Temporal is away."""
    try:
        now = await current(client)
    except (RPCError, RuntimeError):
        return DEFAULT_PER_SECOND
    return min(now.per_channel or MAX_PER_SECOND, now.together or MAX_PER_SECOND)


async def change(client: Client, pace: Pace, *, reason: str) -> None:
    """Set the pace in Temporal; it acts within seconds. Raises `RPCError`."""
    update = UpdateTaskQueueConfigRequest.RateLimitUpdate
    async with in_time():
        await client.workflow_service.update_task_queue_config(
            UpdateTaskQueueConfigRequest(
                namespace=client.namespace,
                identity=client.identity,
                task_queue=LINE,
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
                update_queue_rate_limit=update(
                    rate_limit=_rate_limit(pace.together), reason=reason
                ),
                update_fairness_key_rate_limit_default=update(
                    rate_limit=_rate_limit(pace.per_channel), reason=reason
                ),
            ),
            timeout=ANSWER_TIMEOUT,
        )


async def ensure(client: Client) -> None:
    """Set the default pace in Temporal where it has none: LINE would refuse faster sends."""
    try:
        now = await current(client)
        if now.per_channel is None:
            await change(
                client, replace(now, per_channel=DEFAULT_PER_SECOND), reason="LINE's rate limit"
            )
    except RPCError as error:
        if error.status not in (RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED):
            raise
        _log.warning("the Temporal server keeps no pace of sends: %s", error)


def _limit(config: RateLimitConfig) -> float | None:
    has_limit = config.HasField("rate_limit") and config.rate_limit.requests_per_second > 0
    return config.rate_limit.requests_per_second if has_limit else None


def _rate_limit(limit: float | None) -> RateLimit | None:
    return None if limit is None else RateLimit(requests_per_second=limit)
