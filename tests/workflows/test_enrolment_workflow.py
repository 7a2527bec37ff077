"""What an enrolment's workflow does, as stories."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import CancelledError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.eventually import eventually
from tests.workflows.conftest import TEST_SERVER
from tests.workflows.enrolment_stage import SECOND, EnrolmentScript, EnrolmentStage
from tobiishi import temporal
from tobiishi.publishing.enrolment_plan import Progress
from workflows import EnrolmentWorkflow

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
async def enrolling() -> AsyncIterator[EnrolmentStage]:
    script = EnrolmentScript()
    # A server of the test's own: its clock is one for all that runs on it.
    async with (
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=str(TEST_SERVER), data_converter=pydantic_data_converter
        ) as env,
        Worker(
            env.client,
            task_queue=temporal.JOURNEYS,
            workflows=[EnrolmentWorkflow],
            activities=script.activities,
        ),
    ):
        yield EnrolmentStage(env, script)


async def test_page_after_page_comes_when_it_is_due(enrolling: EnrolmentStage) -> None:
    script = enrolling.script
    script.rest = 10 * SECOND
    enrolment = await enrolling.start()

    progress = await enrolment.result()

    assert progress == Progress(status="done", said="3 / 3 entered", next_at=None)
    begun = script.entered[0]
    assert [round((at - begun) / SECOND) for at in script.entered] == [0, 10, 20]
    assert script.called_off == 0


async def test_a_database_that_is_away_for_hours_delays_it(enrolling: EnrolmentStage) -> None:
    enrolling.script.failures = 300  # With a minute between attempts, hours.
    enrolment = await enrolling.start()
    assert (await enrolment.result()).status == "done"
    assert enrolling.script.entered[0] - enrolling.script.looked[0] > 4 * HOUR


async def test_a_paused_one_sleeps_until_somebody_says_to_look(enrolling: EnrolmentStage) -> None:
    script = enrolling.script
    script.status = "paused"
    enrolment = await enrolling.start()
    await eventually(lambda: _count(script.looked))
    await enrolling.env.sleep(30 * DAY)
    assert (len(script.looked), script.entered) == (1, [])
    await enrolment.signal("look")  # It is still paused.
    await eventually(lambda: _count(script.looked), lambda looked: looked == 2)
    await enrolling.env.sleep(30 * DAY)
    assert (len(script.looked), script.entered) == (2, [])

    script.status = "running"
    await enrolment.signal("look")

    assert (await enrolment.result()).status == "done"
    assert [after - before >= SECOND for before, after in pairwise(script.entered)] == [True, True]


async def test_a_look_shortens_a_long_rest(enrolling: EnrolmentStage) -> None:
    """It waits for its period, and is cancelled."""
    script = enrolling.script
    script.rest = 30 * DAY
    enrolment = await enrolling.start()
    await eventually(lambda: _count(script.entered))

    script.status = "cancelled"
    await enrolment.signal("look")

    assert (await enrolment.result()).status == "cancelled"
    assert script.looked[1] - script.looked[0] < DAY


async def test_a_look_that_is_asked_for_while_a_page_is_entered_is_not_lost(
    enrolling: EnrolmentStage,
) -> None:
    """The page may have read the row before it was changed."""
    script = enrolling.script
    script.failures = 2
    script.rest = 30 * DAY
    enrolment = await enrolling.start()
    await eventually(lambda: _count(script.looked))

    await enrolment.signal("look")

    await eventually(lambda: _count(script.entered), lambda entered: entered >= 2)
    assert script.entered[1] - script.entered[0] < DAY
    await enrolment.cancel()


@pytest.mark.parametrize("during_an_outage", [False, True])
async def test_an_operators_cancel_is_told_to_the_database(
    enrolling: EnrolmentStage, during_an_outage: bool
) -> None:
    script = enrolling.script
    script.rest = 30 * DAY
    script.failures = 1_000_000 if during_an_outage else 0
    enrolment = await enrolling.start()
    await eventually(lambda: _count(script.looked))

    await enrolment.cancel()

    with pytest.raises(WorkflowFailureError) as failure:
        await enrolment.result()
    assert isinstance(failure.value.cause, CancelledError)
    assert script.called_off == 1
    assert (await enrolment.describe()).status == WorkflowExecutionStatus.CANCELED


async def test_the_history_says_how_far_it_came(enrolling: EnrolmentStage) -> None:
    enrolment = await enrolling.start()
    await enrolment.result()
    said = [
        str(event.user_metadata.summary.data, "utf-8")
        for event in (await enrolment.fetch_history()).events
        if event.user_metadata.summary.data
    ]
    assert said == [
        '"enter a page"',
        '"1 / 3 entered"',
        '"enter a page"',
        '"2 / 3 entered"',
        '"enter a page"',
    ]


async def _count(seen: Sequence[object]) -> int:
    return len(seen)
