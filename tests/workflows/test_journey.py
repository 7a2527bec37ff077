"""What a journey does, as stories."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import CancelledError

from tests.eventually import eventually
from tests.workflows.conftest import Script, Stage, plan
from tobiishi import temporal
from tobiishi.plan import Action

DAY = timedelta(days=1)


async def test_a_friend_gets_each_message_when_it_is_due(stage: Stage, script: Script) -> None:
    script.next = {
        "0": (Action.BRANCH, "1", 3 * DAY),
        "1": (Action.SEND, "1.0.0", timedelta(0)),
        "1.0.0": (Action.TAG, "2", 30 * DAY),
    }
    journey = await stage.start()

    result = await journey.result()

    assert result.outcome == "completed"
    assert script.ended == ["completed"]
    assert script.steps == ["0", "1", "1.0.0", "2"]
    begun = script.taken[0][1]
    days = [round((at - begun) / DAY, 3) for _, at in script.taken]
    assert days == [0, 3, 3, 33]


async def test_a_stop_wakes_a_friend_from_a_long_sleep(stage: Stage, script: Script) -> None:
    script.next = {"0": (Action.SEND, "1", 30 * DAY)}
    journey = await stage.start()
    await stage.env.sleep(2 * DAY)

    await journey.signal("stop")
    result = await journey.result()

    assert result.outcome == "completed"  # The database would know better; the script does not.
    assert script.steps == ["0"]
    described = await journey.describe()
    assert described.close_time is not None
    assert described.close_time - described.start_time < 3 * DAY


async def test_a_friend_who_joins_wakes_the_journey_that_waits_for_it(
    stage: Stage, script: Script
) -> None:
    script.next = {
        "0": (Action.WATCH, "1", timedelta(0)),
        "1": (Action.LOOK, "look", 30 * DAY),
        "look": (Action.SEND, "1.0.0", timedelta(0)),
    }
    journey = await stage.start()
    await eventually(lambda: _attempts(script), lambda attempts: attempts == 2)

    await journey.signal("wake", 1)

    await journey.result()
    assert script.steps == ["0", "1", "look", "1.0.0"]
    assert script.taken[-1][1] - script.taken[0][1] < DAY


async def test_a_wake_of_a_former_entry_wakes_nobody(stage: Stage, script: Script) -> None:
    script.next = {"0": (Action.LOOK, "look", DAY)}
    journey = await stage.start()

    await journey.signal("wake", 0)

    await journey.result()
    assert script.taken[1][1] - script.taken[0][1] >= DAY


async def test_a_wake_that_comes_while_the_journey_begins_to_wait_is_not_lost(
    stage: Stage, script: Script
) -> None:
    """The wake overtakes the answer of the activity that began the waiting."""
    script.failures = {"1": 2}
    script.next = {"0": (Action.WATCH, "1", timedelta(0)), "1": (Action.LOOK, "look", 30 * DAY)}
    journey = await stage.start()
    await eventually(lambda: _attempts(script), lambda attempts: attempts >= 2)

    await journey.signal("wake", 1)

    await journey.result()
    assert script.taken[-1][0] == "look"
    assert script.taken[-1][1] - script.taken[0][1] < DAY


async def test_a_wake_in_an_ordinary_wait_shortens_nothing(stage: Stage, script: Script) -> None:
    script.next = {"0": (Action.SEND, "1", DAY)}
    journey = await stage.start()
    await eventually(lambda: _attempts(script))

    await journey.signal("wake", 1)

    await journey.result()
    assert script.taken[1][1] - script.taken[0][1] >= DAY


async def test_a_stop_that_means_a_former_entry_stops_nothing(stage: Stage, script: Script) -> None:
    script.next = {"0": (Action.SEND, "1", DAY)}
    journey = await stage.start()

    await journey.signal("stop", 0)

    await journey.result()
    assert script.steps == ["0", "1"]


async def test_a_stop_ends_the_waiting_for_a_line_that_is_away(
    stage: Stage, script: Script
) -> None:
    script.failures = {"0": 1_000_000}
    journey = await stage.start()
    await eventually(lambda: _attempts(script), lambda attempts: attempts >= 2)

    await journey.signal("stop")

    await journey.result()
    assert script.steps == []
    assert script.ended == ["completed"]


async def test_an_outage_of_days_delays_a_message_and_drops_nobody(
    stage: Stage, script: Script
) -> None:
    script.failures = {"0": 3000}  # With a minute between attempts, more than two days.
    script.next = {"0": (Action.SEND, "1", DAY)}
    journey = await stage.start()

    result = await journey.result()

    assert result.outcome == "completed"
    assert script.steps == ["0", "1"]
    described = await journey.describe()
    assert described.close_time is not None
    assert described.close_time - described.start_time > 3 * DAY


async def test_an_operators_cancel_is_told_to_the_database(stage: Stage, script: Script) -> None:
    script.next = {"0": (Action.SEND, "1", 30 * DAY)}
    journey = await stage.start()
    await eventually(lambda: _attempts(script))

    await journey.cancel()

    with pytest.raises(WorkflowFailureError) as failure:
        await journey.result()
    assert isinstance(failure.value.cause, CancelledError)
    assert script.ended == ["stopped"]
    assert (await journey.describe()).status == WorkflowExecutionStatus.CANCELED


async def test_a_journey_is_found_by_its_state(stage: Stage, script: Script) -> None:
    script.next = {"0": (Action.SEND, "1", DAY)}
    journey = await stage.start()
    await eventually(lambda: _attempts(script))
    assert (await journey.describe()).typed_search_attributes[temporal.JOURNEY_STATE] == "active"

    await journey.result()

    attributes = (await journey.describe()).typed_search_attributes
    assert attributes[temporal.JOURNEY_STATE] == "completed"


async def test_a_wait_and_a_send_cost_eleven_events_and_a_branch_six_more(
    stage: Stage, script: Script
) -> None:
    """More would be paid for by every journey, for as long as its history is kept."""
    script.next = {
        "0": (Action.SEND, "1", DAY),
        "1": (Action.BRANCH, "2", DAY),
        "2": (Action.SEND, "3", timedelta(0)),
    }
    journey = await stage.start()
    await journey.result()

    scheduled = [
        event.event_id
        for event in (await journey.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]
    assert [after - before for before, after in pairwise(scheduled)] == [
        11,  # A wait and a send.
        11,  # A wait and a branch.
        6,  # The send that the branch chose, without a wait.
        6,  # The end.
    ]


async def test_a_last_step_that_ends_the_journey_costs_one_event_more_than_the_bare_step(
    stage: Stage, script: Script
) -> None:
    script.outcome = "exited"
    journey = await stage.start()

    result = await journey.result()

    assert result.outcome == "exited"
    assert script.ended == []
    assert [event.event_type for event in (await journey.fetch_history()).events[-4:]] == [
        EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    ]


async def test_the_history_says_what_each_timer_and_activity_is_for(
    stage: Stage, script: Script
) -> None:
    now = await stage.env.get_current_time()
    journey = await stage.start(plan(Action.SEND, "0", now + DAY, "send coupon"))
    await journey.result()

    summaries = {
        EventType.Name(event.event_type).removeprefix("EVENT_TYPE_"): str(
            event.user_metadata.summary.data, "utf-8"
        )
        for event in (await journey.fetch_history()).events
        if event.user_metadata.summary.data
    }
    assert summaries["TIMER_STARTED"] == f'"until {now + DAY:%m-%d %H:%M}: send coupon"'
    assert summaries["ACTIVITY_TASK_SCHEDULED"] == '"end"'


async def _attempts(script: Script) -> int:
    return script.attempts
