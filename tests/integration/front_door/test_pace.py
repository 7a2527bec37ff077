"""How fast messages are sent: told to a real Temporal server, and kept by it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import Priority
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.eventually import eventually
from tests.integration.front_door.conftest import Open
from tests.integration.front_door.knocking import Door
from tobiishi.channels import pacing
from tobiishi.channels.pacing import DEFAULT_PER_SECOND, MAX_PER_SECOND, Pace
from tobiishi.settings import Settings
from tobiishi.temporal import LINE


@pytest.fixture(scope="module")
async def fair() -> AsyncIterator[Client]:
    """A server of its own, as `make run` starts it: the pace is one for all that it does."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sys.executable).with_name("temporal")),
        dev_server_extra_args=["--dynamic-config-value", "matching.enableFairness=true"],
        dev_server_log_level="error",
    ) as server:
        yield server.client


@workflow.defn
class Send:
    """One send of a channel."""

    @workflow.run
    async def run(self, channel: str) -> None:
        await workflow.execute_activity(
            "send",
            channel,
            task_queue=LINE,
            start_to_close_timeout=timedelta(seconds=30),
            priority=Priority(fairness_key=channel),
        )


async def test_the_pace_is_the_usual_one_until_somebody_says_otherwise(fair: Client) -> None:
    assert await pacing.current(fair) == Pace(per_channel=None, together=None)
    await pacing.ensure(fair)
    assert await pacing.current(fair) == Pace(per_channel=DEFAULT_PER_SECOND, together=None)
    slow = Pace(per_channel=3, together=30)
    await pacing.change(fair, slow, reason="a test")
    await pacing.ensure(fair)
    assert await pacing.current(fair) == slow
    assert await pacing.of_a_channel(fair) == 3


async def test_a_busy_channel_keeps_its_pace_and_no_other_waits_for_it(fair: Client) -> None:
    sent: list[str] = []

    @activity.defn(name="send")
    async def send(channel: str) -> None:
        sent.append(channel)

    await pacing.change(fair, Pace(per_channel=5, together=None), reason="a test")
    workflows = Worker(
        fair, task_queue="w", workflows=[Send], workflow_runner=UnsandboxedWorkflowRunner()
    )
    async with workflows:
        for number in range(60):
            await fair.start_workflow(Send.run, "busy", id=f"busy-{number}", task_queue="w")
        for number in range(3):
            await fair.start_workflow(Send.run, "calm", id=f"calm-{number}", task_queue="w")
        began = time.monotonic()
        async with Worker(fair, task_queue=LINE, activities=[send]):
            await eventually(lambda: asyncio.sleep(0, sent.count("calm")), lambda n: n == 3)
            # Without a limit it would be all of them by now; at the start it lets some more pass.
            await asyncio.sleep(2)
            assert 0 < sent.count("busy") <= 5 * (time.monotonic() - began) + 20
            await pacing.change(fair, Pace(per_channel=500, together=None), reason="a test")
            # At 5 a second the others would take longer than this.
            await eventually(
                lambda: asyncio.sleep(0, len(sent)), lambda n: n == 63, seconds=9, every=0.1
            )


async def test_it_is_seen_and_set_over_http(
    opened: Open, settings: Settings, fair: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", fair.service_client.config.target_host)
    async with opened(settings) as door:
        for body, status in (
            ({"per_channel": 300}, 200),
            ({"per_channel": 0}, 422),
            ({"per_channel": MAX_PER_SECOND + 1}, 422),
            ({"together": 0.5}, 422),
            ({"fast": True}, 422),
        ):
            assert (await door.api("PUT", "/pace", json=body)).status_code == status, body
        said = (await door.api("GET", "/pace")).json()
        assert said == {"per_channel": 300, "together": None}


async def test_while_temporal_is_away_it_can_not_be_told(door: Door) -> None:
    assert (await door.api("GET", "/pace")).status_code == 503
    assert (await door.api("PUT", "/pace", json={})).status_code == 503
