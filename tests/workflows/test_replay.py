"""Journeys that sleep will wake to today's code: it must take the steps they took already."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.workflows.record_histories import ENROLMENT_SHAPES, HISTORIES, SHAPES
from workflows import EnrolmentWorkflow, JourneyWorkflow

RECORDED = sorted(HISTORIES.glob("*.json"))

WHAT_TO_DO = (
    "A workflow no longer does what those under way have done. Keep the old way for "
    "them with workflow.patched (docs/journeys.md, 'Changing workflows/journey.py'), and record "
    "the new way under a new name with tests/workflows/record_histories.py."
)


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
async def test_a_journey_under_way_replays(file: Path) -> None:
    history = WorkflowHistory.from_json("journey", file.read_text(encoding="utf-8"))
    replayer = Replayer(
        workflows=[JourneyWorkflow, EnrolmentWorkflow], data_converter=pydantic_data_converter
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is None, f"{WHAT_TO_DO}\n\n{result.replay_failure}"


def test_every_shape_is_recorded() -> None:
    assert {file.stem for file in RECORDED} >= {*SHAPES, *ENROLMENT_SHAPES}
