"""A Temporal server whose clock skips ahead, and activities that follow a script.

What activities really do is tested elsewhere; here only the journey's own ways are.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tobiishi import temporal
from tobiishi.plan import Action, End, JourneyRef, JourneyResult, JourneyState, Plan, Taken, Turn
from worker import deployment
from workflows import JourneyWorkflow

FRIEND = "U" + "0" * 32
TEST_SERVER = Path(sys.executable).with_name("temporal-test-server")


def plan(action: Action, step: str, due: datetime, label: str = "") -> Plan:
    return Plan(
        action=action,
        step=step,
        due=due,
        until=f"{due:%m-%d %H:%M}",
        label=label or f"{action} {step}",
    )


@dataclass
class Script:
    """Activities that note what they are asked, and answer what the test wrote."""

    #: What comes after a step, by the step's path; the end where the test says nothing. The delay
    #: is counted from when the step is taken.
    next: dict[str, tuple[Action, str, timedelta]] = field(default_factory=dict)
    #: How many times a step fails before it succeeds.
    failures: dict[str, int] = field(default_factory=dict)
    #: How the last step ends the journey; None as in releases where it never does.
    outcome: str | None = None
    #: Steps taken, and when.
    taken: list[tuple[str, datetime]] = field(default_factory=list)
    attempts: int = 0
    ended: list[str] = field(default_factory=list)

    @property
    def of_database(self) -> list[Callable[..., Any]]:
        """The activities that need no LINE."""
        return [self.choose, self.tag, self.watch, self.look, self.end]

    @property
    def steps(self) -> list[str]:
        return [step for step, _ in self.taken]

    @activity.defn(name="send_message")
    async def send(self, turn: Turn) -> Taken:
        return self._take(turn)

    @activity.defn(name="check_audience")
    async def choose(self, turn: Turn) -> Taken:
        return self._take(turn)

    @activity.defn(name="tag_friend")
    async def tag(self, turn: Turn) -> Taken:
        return self._take(turn)

    @activity.defn(name="watch_audience")
    async def watch(self, turn: Turn) -> Taken:
        return self._take(turn)

    @activity.defn(name="look_for_audience")
    async def look(self, turn: Turn) -> Taken:
        return self._take(turn)

    @activity.defn(name="end_journey")
    async def end(self, end: End) -> str:
        self.ended.append(end.outcome)
        return end.outcome

    def _take(self, turn: Turn) -> Taken:
        self.attempts += 1
        step = turn.plan.step
        if self.failures.get(step, 0) > 0:
            self.failures[step] -= 1
            raise RuntimeError("LINE is away")
        now = activity.info().started_time
        self.taken.append((step, now))
        action, after, delay = self.next.get(step, (Action.END, "", timedelta(0)))
        is_over = action is Action.END and not delay
        return Taken(
            said=f"took {step}",
            plan=plan(action, after, now + delay),
            outcome=self.outcome if is_over else None,
        )


@dataclass
class Stage:
    """Where a scripted journey is played."""

    env: WorkflowEnvironment
    script: Script

    @property
    def client(self) -> Client:
        return self.env.client

    async def start(
        self, first: Plan | None = None
    ) -> WorkflowHandle[JourneyWorkflow, JourneyResult]:
        """Start a journey; without a plan its first step is the send `0`, at once."""
        return await start(self.client, await self.env.get_current_time(), first)


async def start(
    client: Client, now: datetime, first: Plan | None = None, *, friend: str = FRIEND
) -> WorkflowHandle[JourneyWorkflow, JourneyResult]:
    """Start a journey, as a stage does."""
    journey = JourneyRef(
        journey_id=1,
        channel="default",
        scenario="welcome",
        version=1,
        friend=friend,
        entry=1,
        started_at=now,
    )
    return await client.start_workflow(
        JourneyWorkflow.run,
        JourneyState(journey=journey, plan=first or plan(Action.SEND, "0", now)),
        id=journey.workflow_id,
        task_queue=temporal.JOURNEYS,
        search_attributes=temporal.search_attributes_of(journey),
    )


@pytest.fixture
def script() -> Script:
    return Script()


@asynccontextmanager
async def working(
    client: Client, script: Script, *, build_id: str | None = None
) -> AsyncIterator[None]:
    """Workers that know the script, and run workflows in the sandbox: see `worker.working`."""
    version = deployment(build_id)
    async with (
        Worker(
            client,
            task_queue=temporal.JOURNEYS,
            workflows=[JourneyWorkflow],
            activities=script.of_database,
            deployment_config=version,
        ),
        Worker(
            client, task_queue=temporal.LINE, activities=[script.send], deployment_config=version
        ),
    ):
        yield


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Client]:
    """A real Temporal server, for what the one that skips time does not do."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sys.executable).with_name("temporal")),
        search_attributes=temporal.SEARCH_ATTRIBUTES,
        data_converter=pydantic_data_converter,
        dev_server_log_level="error",
    ) as server:
        yield server.client


@pytest.fixture
async def stage(script: Script) -> AsyncIterator[Stage]:
    # A server of the test's own: its clock is one for all that runs on it.
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(TEST_SERVER), data_converter=pydantic_data_converter
    ) as env:
        await env.client.operator_service.add_search_attributes(
            temporal.add_search_attributes_request(env.client.namespace, temporal.SEARCH_ATTRIBUTES)
        )
        async with working(env.client, script):
            yield Stage(env, script)
