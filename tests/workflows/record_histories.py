"""Writes the histories that `test_replay.py` replays, by playing each shape on a real server.

    .venv/bin/python -m tests.workflows.record_histories NAME…

A committed history is a journey that may still be asleep somewhere, so none is ever overwritten:
a new shape, or a new way of an old one, gets a new name.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.eventually import eventually
from tests.workflows.conftest import Script, Stage
from tests.workflows.enrolment_stage import EnrolmentScript, EnrolmentStage
from tobiishi import temporal
from tobiishi.plan import Action, JourneyResult
from tobiishi.publishing.enrolment_plan import Progress
from workflows import EnrolmentWorkflow, JourneyWorkflow

HISTORIES = Path(__file__).parent.parent / "histories"
SECOND = timedelta(seconds=1)
LONG = timedelta(days=30)

Handle = WorkflowHandle[JourneyWorkflow, JourneyResult]
EnrolmentHandle = WorkflowHandle[EnrolmentWorkflow, Progress]


async def walked(stage: Stage) -> Handle:
    """Sends, waits, branches, tags, and comes to its end."""
    stage.script.next = {
        "0": (Action.BRANCH, "1", SECOND),
        "1": (Action.SEND, "1.0.0", timedelta(0)),
        "1.0.0": (Action.TAG, "2", SECOND),
        "2": (Action.END, "", SECOND),
    }
    return await stage.start()


async def ended_by_its_last_step(stage: Stage) -> Handle:
    """The activity of the last step ends the journey, which needs none of its own for it."""
    stage.script.next = {"0": (Action.SEND, "1", SECOND)}
    stage.script.outcome = "completed"
    return await stage.start()


async def cancelled_in_its_last_step(stage: Stage) -> Handle:
    """Cancelled by an operator while LINE is away; the next attempt ends the journey."""
    stage.script.failures = {"0": 2}
    stage.script.outcome = "completed"
    journey = await stage.start()
    await eventually(lambda: _attempts(stage), lambda attempts: attempts >= 1)
    await journey.cancel()
    return journey


async def retried(stage: Stage) -> Handle:
    """LINE is away for a while."""
    stage.script.failures = {"0": 2}
    return await stage.start()


async def stopped_asleep(stage: Stage) -> Handle:
    """Stopped in the middle of a long wait."""
    stage.script.next = {"0": (Action.SEND, "1", LONG)}
    journey = await stage.start()
    await _taken(stage, 1)
    await journey.signal("stop")
    return journey


async def stopped_in_an_outage(stage: Stage) -> Handle:
    """Stopped while LINE is away."""
    stage.script.failures = {"0": 1000}
    journey = await stage.start()
    await eventually(lambda: _attempts(stage), lambda attempts: attempts >= 2)
    await journey.signal("stop")
    return journey


async def cancelled(stage: Stage) -> Handle:
    """Cancelled by an operator in the Temporal UI."""
    stage.script.next = {"0": (Action.SEND, "1", LONG)}
    journey = await stage.start()
    await _taken(stage, 1)
    await journey.cancel()
    return journey


async def continued(stage: Stage) -> Handle:
    """So long that it goes on in a new run; the first run is what is kept."""
    stage.script.next = {str(step): (Action.TAG, str(step + 1), timedelta(0)) for step in range(40)}
    return await stage.start()


async def woken(stage: Stage) -> Handle:
    """Waits for an audience, and the friend joins."""
    stage.script.next = {
        "0": (Action.WATCH, "1", timedelta(0)),
        "1": (Action.LOOK, "1w", LONG),
        "1w": (Action.SEND, "1.0.0", timedelta(0)),
    }
    journey = await stage.start()
    await _taken(stage, 2)
    await journey.signal("wake", 1)
    return journey


async def waited_in_vain(stage: Stage) -> Handle:
    """Waits for an audience that the friend does not join in time."""
    stage.script.next = {
        "0": (Action.WATCH, "1", timedelta(0)),
        "1": (Action.LOOK, "1w", SECOND),
        "1w": (Action.TAG, "2", timedelta(0)),
    }
    return await stage.start()


async def stopped_while_it_waits(stage: Stage) -> Handle:
    """Waits for an audience, and is stopped."""
    stage.script.next = {
        "0": (Action.WATCH, "1", timedelta(0)),
        "1": (Action.LOOK, "1w", LONG),
    }
    journey = await stage.start()
    await _taken(stage, 2)
    await journey.signal("stop", 1)
    return journey


SHAPES: dict[str, Callable[[Stage], Awaitable[Handle]]] = {
    shape.__name__: shape
    for shape in (
        walked,
        ended_by_its_last_step,
        cancelled_in_its_last_step,
        retried,
        stopped_asleep,
        stopped_in_an_outage,
        cancelled,
        continued,
        woken,
        waited_in_vain,
        stopped_while_it_waits,
    )
}


async def enrolment_walked(stage: EnrolmentStage) -> EnrolmentHandle:
    """Page after page, and one that fails at first."""
    stage.script.failures = 1
    return await stage.start()


async def enrolment_paused(stage: EnrolmentStage) -> EnrolmentHandle:
    """Paused, and resumed."""
    stage.script.status = "paused"
    enrolment = await stage.start()
    await _looked(stage, 1)
    stage.script.status = "running"
    await enrolment.signal("look")
    return enrolment


async def enrolment_cancelled(stage: EnrolmentStage) -> EnrolmentHandle:
    """Cancelled over HTTP, while it waits for its period."""
    stage.script.rest = LONG
    enrolment = await stage.start()
    await _looked(stage, 1)
    stage.script.status = "cancelled"
    await enrolment.signal("look")
    return enrolment


async def enrolment_called_off(stage: EnrolmentStage) -> EnrolmentHandle:
    """Cancelled by an operator in the Temporal UI."""
    stage.script.rest = LONG
    enrolment = await stage.start()
    await _looked(stage, 1)
    await enrolment.cancel()
    return enrolment


async def enrolment_called_off_in_an_outage(stage: EnrolmentStage) -> EnrolmentHandle:
    """Cancelled by an operator while the database is away."""
    stage.script.failures = 1000
    enrolment = await stage.start()
    await _looked(stage, 2)
    await enrolment.cancel()
    return enrolment


async def enrolment_continued(stage: EnrolmentStage) -> EnrolmentHandle:
    """So many pages that it goes on in a new run; the first run is what is kept."""
    stage.script.pages, stage.script.rest = 20, SECOND
    return await stage.start()


ENROLMENT_SHAPES: dict[str, Callable[[EnrolmentStage], Awaitable[EnrolmentHandle]]] = {
    shape.__name__: shape
    for shape in (
        enrolment_walked,
        enrolment_paused,
        enrolment_cancelled,
        enrolment_called_off,
        enrolment_called_off_in_an_outage,
        enrolment_continued,
    )
}


async def _looked(stage: EnrolmentStage, times: int) -> None:
    async def look() -> int:
        return len(stage.script.looked)

    await eventually(look, lambda looked: looked >= times)
    await asyncio.sleep(0.5)  # The workflow has heard of it too, and sleeps.


async def _taken(stage: Stage, steps: int) -> None:
    async def look() -> int:
        return len(stage.script.taken)

    await eventually(look, lambda taken: taken >= steps)
    await asyncio.sleep(0.5)  # The workflow has heard of it too, and sleeps.


async def _attempts(stage: Stage) -> int:
    return stage.script.attempts


def _without_the_machine(value: Any) -> Any:
    """The history without the names and paths of the machine it was recorded on."""
    if isinstance(value, dict):
        told = {key: _without_the_machine(part) for key, part in value.items()}
        return told | {key: "recorder" for key in ("identity", "stackTrace") if key in told}
    if isinstance(value, list):
        return [_without_the_machine(part) for part in value]
    return value


async def record(name: str) -> None:
    file = HISTORIES / f"{name}.json"
    if file.exists():
        sys.exit(f"{file} exists; a committed history is never overwritten, use another name")
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=str(Path(sys.executable).with_name("temporal")),
        search_attributes=list(temporal.SEARCH_ATTRIBUTES),
        # Short histories that continue as new.
        dev_server_extra_args=[
            "--dynamic-config-value",
            f"limit.historyCount.suggestContinueAsNew={100 if 'continued' in name else 4096}",
        ],
    ) as env:
        script, pages = Script(), EnrolmentScript()
        async with (
            Worker(
                env.client,
                identity="recorder",
                task_queue=temporal.JOURNEYS,
                workflows=[JourneyWorkflow, EnrolmentWorkflow],
                activities=[*script.of_database, *pages.activities],
            ),
            Worker(env.client, task_queue=temporal.LINE, activities=[script.send]),
        ):
            played: WorkflowHandle[Any, Any]
            if name in SHAPES:
                played = await SHAPES[name](Stage(env, script))
            else:
                played = await ENROLMENT_SHAPES[name](EnrolmentStage(env, pages))
            try:
                await played.result()
            except WorkflowFailureError:
                assert "cancelled" in name or "called_off" in name
            history = await played.fetch_history()
    told = json.dumps(_without_the_machine(json.loads(history.to_json())), indent=1)
    file.write_text(told + "\n", encoding="utf-8")
    print(f"{file}: {len(history.events)} events")


async def main() -> None:
    for name in sys.argv[1:] or [*SHAPES, *ENROLMENT_SHAPES]:
        await record(name)
    await asyncio.sleep(0.25)


if __name__ == "__main__":
    asyncio.run(main())
