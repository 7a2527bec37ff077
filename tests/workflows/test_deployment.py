"""New code is shipped while journeys sleep, on a server that routes by the workers' versions."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from tests.eventually import eventually
from tests.workflows.conftest import Script, start, working
from tobiishi.plan import Action

FRIEND = "U" + "d" * 32


async def make_current(server: Client, build_id: str) -> None:
    """As `temporal worker deployment set-current-version` does."""

    async def tell() -> bool:
        try:
            await server.workflow_service.set_worker_deployment_current_version(
                SetWorkerDeploymentCurrentVersionRequest(
                    namespace=server.namespace,
                    deployment_name="tobiishi",
                    build_id=build_id,
                    ignore_missing_task_queues=True,
                )
            )
        except RPCError:  # The server has not heard of its workers yet.
            return False
        return True

    await eventually(tell)


async def test_a_journey_goes_on_with_the_version_that_is_made_current(server: Client) -> None:
    old, new = Script(), Script()
    for script in (old, new):
        script.next = {
            "0": (Action.SEND, "1", timedelta(seconds=2)),
            "1": (Action.SEND, "2", timedelta(seconds=4)),
        }
    async with working(server, old, build_id="1"):
        await make_current(server, "1")
        journey = await start(server, datetime.now(UTC), friend=FRIEND)
        await eventually(lambda: asyncio.sleep(0, old.steps), lambda steps: steps == ["0"])
        async with working(server, new, build_id="2"):
            # The new workers are there, and get nothing before they are made current.
            await eventually(lambda: asyncio.sleep(0, old.steps), lambda steps: "1" in steps)
            await make_current(server, "2")
            await eventually(journey.describe, lambda now: now.close_time is not None)
    assert (old.steps, new.steps) == (["0", "1"], ["2"])
    assert new.ended == ["completed"]
