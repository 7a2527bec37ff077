"""Planning the next step of a journey: pure functions from a place in the scenario to a plan.

A step's path is its index in the steps, and on the ways of a branch those of way and step, joined
by dots: `2` is the third step, `2.0.1` the second step of its first case. Waits are not steps of
their own here: they add up to the time at which the next step is due.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from tobiishi.plan import Action, Plan
from tobiishi.scenario.clock import (
    closing_after,
    due_after,
    is_past,
    is_within,
    next_opening,
    opening_after,
)
from tobiishi.scenario.conditions import question, shortened
from tobiishi.scenario.model import Case, Scenario, Send, Step, TagStep, Wait, WaitFor

T = TypeVar("T")

StepPath: TypeAlias = tuple[int, ...]


def first_plan(scenario: Scenario, started_at: datetime) -> Plan:
    """The first plan of a journey that starts then."""
    return _plan(scenario, (0,), started_at=started_at, now=started_at)


def plan_after(scenario: Scenario, step: str, *, started_at: datetime, now: datetime) -> Plan:
    """The plan after a step that was taken now."""
    return _plan(scenario, _after(_path(step)), started_at=started_at, now=now)


def plan_end(scenario: Scenario, *, now: datetime) -> Plan:
    """The end, now."""
    return _plan(scenario, (), started_at=now, now=now)


def plan_way(
    scenario: Scenario, step: str, way: int | None, *, started_at: datetime, now: datetime
) -> Plan:
    """The plan after the step took that of its ways: a branch's case, or none of them (None)."""
    path = _path(step)
    next_ = _after(path) if way is None else (*path, way, 0)
    return _plan(scenario, next_, started_at=started_at, now=now)


def spread_out(scenario: Scenario, plan: Plan, *, friend: str, now: datetime) -> Plan:
    """The plan at the friend's own moment, where many would be due in the same one.

    Friends who wait for a time of day, a full minute, are due together. Each has a moment of their
    own within the scenario's spread, always the same one, and none after the window has closed.
    """
    room = room_to_spread(scenario, plan, now=now)
    if not room:
        return plan
    return _moved(scenario, plan, plan.due + room * _share(scenario.scenario, friend), now)


def room_to_spread(scenario: Scenario, plan: Plan, *, now: datetime) -> timedelta:
    """How long after the plan's moment the last of those who share it goes on; zero: at once."""
    is_shared = plan.due > now and plan.due.second == plan.due.microsecond == 0
    if scenario.spread is None or not is_shared or plan.action is Action.END:
        return timedelta(0)
    room = scenario.spread.length
    if scenario.window and is_within(scenario.window, plan.due, scenario.timezone):
        closing = closing_after(scenario.window, plan.due, scenario.timezone)
        room = min(room, closing - plan.due)
    return room


def _share(scenario: str, friend: str) -> float:
    """A number from 0 to below 1 that is the friend's own in this scenario."""
    digest = hashlib.sha256(f"{scenario} {friend}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def when_to_send(
    scenario: Scenario, send: Send, plan: Plan, now: datetime
) -> Literal["now", "never"] | Plan:
    """Whether the message that is due goes now, not at all, or by another plan.

    Neither an outage nor a backlog makes us send at three in the morning: outside the window it
    waits for the next opening, where it is late or not by the time it would go then.
    """
    opens = now if is_open_for(scenario, send, now) else _opening(scenario, now)
    late = opens - plan.due > scenario.if_late.after.length
    if late and scenario.if_late.do == "skip":
        return "never"
    if opens > now:
        return _moved(scenario, plan, opens, now)
    if late and scenario.if_late.do == "next_window" and scenario.window and not send.any_time:
        return _moved(scenario, plan, opening_after(scenario.window, now, scenario.timezone), now)
    return "now"


def is_open_for(scenario: Scenario, send: Send, now: datetime) -> bool:
    """Whether the message may be sent now."""
    return send.any_time or is_within(scenario.window, now, scenario.timezone)


def _opening(scenario: Scenario, now: datetime) -> datetime:
    return next_opening(scenario.window, now, scenario.timezone)


def _moved(scenario: Scenario, plan: Plan, due: datetime, now: datetime) -> Plan:
    """The same plan, for another time."""
    return replace(plan, due=due, until=_in_words(due, scenario.timezone, now))


def send_at(scenario: Scenario, step: str) -> Send:
    """The message at that step. Raises `LookupError` where there is none."""
    return _found(_step_at(scenario, _path(step)).send, step)


def branch_at(scenario: Scenario, step: str) -> tuple[Case, ...]:
    """The branch at that step. Raises `LookupError` where there is none."""
    return _found(_step_at(scenario, _path(step)).branch, step)


def plan_to_wait(scenario: Scenario, step: str, *, started_at: datetime, now: datetime) -> Plan:
    """The plan to wait for an audience from now on: due when it is too late."""
    waits = wait_for_at(scenario, step)
    due = due_after(waits.up_to, now=now, started_at=started_at, timezone=scenario.timezone)
    return Plan(
        action=Action.LOOK,
        step=step,
        due=due,
        until=_in_words(due, scenario.timezone, now),
        label=shortened(f"or in {waits.audience}"),
        wait=step,
    )


def wait_for_at(scenario: Scenario, step: str) -> WaitFor:
    """The wait for an audience at that step. Raises `LookupError` where there is none."""
    return _found(_step_at(scenario, _path(step)).wait_for, step)


def ways_at(scenario: Scenario, step: str) -> tuple[int | None, ...]:
    """The ways on from the step, as `plan_way` takes them; None goes past all cases of a branch.

    None at all where it is neither a branch nor a wait for an audience.
    """
    found = _step_at(scenario, _path(step))
    ways = tuple(range(len(found.ways)))
    if found.branch and found.branch[-1].when is not None:
        return (*ways, None)
    return ways


def step_at(scenario: Scenario, step: str) -> Step:
    """The step there. Raises `LookupError` where there is none."""
    return _step_at(scenario, _path(step))


def way_to(scenario: Scenario, step: str) -> list[tuple[Step, int]]:
    """The steps on whose ways the step is, each with that way, the outermost first."""
    path = _path(step)
    return [
        (_step_at(scenario, path[: depth + 1]), path[depth + 1])
        for depth in range(0, len(path) - 1, 2)
    ]


def wait_at(scenario: Scenario, step: str) -> Wait:
    """The wait at that step. Raises `LookupError` where there is none."""
    return _found(_step_at(scenario, _path(step)).wait, step)


def tag_at(scenario: Scenario, step: str) -> TagStep:
    """The tags of that step. Raises `LookupError` where there are none."""
    return _found(_step_at(scenario, _path(step)).tag, step)


def _plan(scenario: Scenario, path: StepPath, *, started_at: datetime, now: datetime) -> Plan:
    """The plan for the first step to act, at `path` or after it; waits on the way move it off."""
    due, wait, past = now.astimezone(UTC), "", list[str]()
    while path:
        steps = _steps_around(scenario, path)
        if path[-1] >= len(steps):
            path = _after(path[:-2])  # These steps are through: on after the branch they are in.
            continue
        step = steps[path[-1]]
        if step.wait is None:
            break
        if step.wait.if_past == "skip" and is_past(
            step.wait, now=due, started_at=started_at, timezone=scenario.timezone
        ):
            past.append(_joined(path))
            path = (*path[:-1], _next_wait(steps, path[-1] + 1))
            continue
        due = due_after(step.wait, now=due, started_at=started_at, timezone=scenario.timezone)
        wait = _joined(path)
        path = _after(path)
    action, label = Action.END, "end"
    if path:
        action, label = _act(step)
    if path and step.send and not step.send.any_time:
        due = next_opening(scenario.window, due, scenario.timezone)
    return Plan(
        action=action,
        step=_joined(path),
        due=due,
        until=_in_words(due, scenario.timezone, now),
        label=shortened(label),
        wait=wait if due > now else "",
        past=tuple(past),
    )


def _next_wait(steps: tuple[Step, ...], index: int) -> int:
    """The index of the first wait from there on among the steps, or of their end."""
    while index < len(steps) and steps[index].wait is None:
        index += 1
    return index


def past_in_words(scenario: Scenario, wait: str) -> str:
    """What is left out because the wait at that step was past, for the trail."""
    path = _path(wait)
    steps = _steps_around(scenario, path)
    skipped = steps[path[-1] + 1 : _next_wait(steps, path[-1] + 1)]
    what = ", ".join(
        "a branch" if step.branch else f"wait for {step.wait_for.audience}" if step.wait_for
        else _act(step)[1]
        for step in skipped
    )  # fmt: skip
    how = steps[path[-1]].wait
    assert how is not None
    until = (
        f"{how.until:%Y-%m-%d %H:%M}"
        if how.until
        else f"day {how.days_after_start} after the start at {how.at:%H:%M}"
    )
    return shortened(f"left out {what or 'nothing'}: {until} was past")


def plan_again(
    scenario: Scenario, action: Action, step: str, *, due: datetime, visit: int, wait: str
) -> Plan:
    """The plan that was made before, from what the database keeps of it.

    Raises `LookupError` where the scenario has no such step.
    """
    label = "end"
    if action is Action.LOOK:
        label = f"or in {wait_for_at(scenario, step).audience}"
    elif action is not Action.END:
        _, label = _act(_step_at(scenario, _path(step)))
    return Plan(
        action=action,
        step=step,
        due=due,
        until=_in_words(due, scenario.timezone, due),
        label=shortened(label),
        visit=visit,
        wait=wait,
    )


def _act(step: Step) -> tuple[Action, str]:
    if step.send:
        return Action.SEND, f"send {step.send.name}"
    if step.branch:
        return Action.BRANCH, question(step.branch)
    if step.wait_for:
        return Action.WATCH, f"is in {step.wait_for.audience}?"
    assert step.tag is not None
    tags = [*(f"+{tag}" for tag in step.tag.add), *(f"-{tag}" for tag in step.tag.remove)]
    return Action.TAG, f"tag {' '.join(tags)}"


def _after(path: StepPath) -> StepPath:
    """The place after `path` among its siblings; nowhere after nowhere."""
    return (*path[:-1], path[-1] + 1) if path else ()


def _steps_around(scenario: Scenario, path: StepPath) -> tuple[Step, ...]:
    """The steps that the last index of `path` counts among."""
    steps = scenario.steps
    for step, way in zip(path[0:-1:2], path[1::2], strict=True):
        _, steps = steps[step].ways[way]
    return steps


def _step_at(scenario: Scenario, path: StepPath) -> Step:
    if not path:
        raise LookupError("the end of the scenario is not a step")
    return _steps_around(scenario, path)[path[-1]]


def _joined(path: StepPath) -> str:
    return ".".join(str(index) for index in path)


def _path(step: str) -> StepPath:
    return tuple(int(index) for index in step.split(".")) if step else ()


def _found(value: T | None, step: str) -> T:
    if value is None:
        raise LookupError(f"the scenario has no such step at {step}")
    return value


def _in_words(due: datetime, timezone: str, now: datetime) -> str:
    local = due.astimezone(ZoneInfo(timezone))
    same_year = local.year == now.astimezone(ZoneInfo(timezone)).year
    return f"{local:%m-%d %H:%M}" if same_year else f"{local:%Y-%m-%d %H:%M}"
