"""How a journey's workflow begins, for the first time or brought back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from temporalio.client import Client
from temporalio.common import Priority
from temporalio.exceptions import WorkflowAlreadyStartedError

from tobiishi.journeys import journeys
from tobiishi.plan import JourneyRef, JourneyState, Plan
from tobiishi.scenario import Scenario
from tobiishi.temporal import ANSWER_TIMEOUT, JOURNEYS, search_attributes_of
from tobiishi.text import as_markdown

#: What a summary has room for (400 bytes) beside a version and a friend.
_MAX_TITLE_BYTES = 280


async def start_workflow(
    temporal: Client,
    journey: journeys.Journey,
    scenario: Scenario,
    plan: Plan,
    trail: Sequence[str] = (),
    *,
    planned_at: datetime | None = None,
) -> None:
    """Start the journey's workflow with that plan, unless it runs already.

    `planned_at` is the time of a first plan by the database's clock: Temporal's may show another.

    Raises `WorkflowAlreadyStartedError` where another journey runs under its id.
    """
    ref = journey.ref
    try:
        await temporal.start_workflow(
            "journey",
            JourneyState(journey=ref, plan=plan, trail=list(trail), planned_at=planned_at),
            id=ref.workflow_id,
            task_queue=JOURNEYS,
            memo=memo_of(ref),
            search_attributes=search_attributes_of(ref),
            static_summary=(
                f"{as_markdown(scenario.title, most_bytes=_MAX_TITLE_BYTES)} v{ref.version}: "
                f"{as_markdown(ref.friend)}"
            ),
            static_details=(
                f"channel {as_markdown(ref.channel)}, scenario {ref.scenario} version "
                f"{ref.version}, entry {ref.entry}: {as_markdown(journey.why)}. Times are those of "
                f"{scenario.timezone}."
            ),
            priority=Priority(fairness_key=ref.channel),
            rpc_timeout=ANSWER_TIMEOUT,
        )
    except WorkflowAlreadyStartedError:
        handle = temporal.get_workflow_handle(ref.workflow_id)
        running = await handle.describe(rpc_timeout=ANSWER_TIMEOUT)
        if await running.memo_value("entry") != ref.entry:
            raise  # The friend's former journey is about to close: try again soon.


def memo_of(ref: JourneyRef) -> dict[str, Any]:
    """What tells, beside the workflow's id, which journey a workflow is."""
    return {"entry": ref.entry, "started_at": ref.started_at.isoformat()}
