"""Warnings on what a scenario may say but probably doesn't mean."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tobiishi.scenario.messages import (
    NAME_TEMPLATE,
    comparisons_with_text,
    foreign_placeholders,
    texts_of,
)
from tobiishi.scenario.model import Scenario, Step, Window
from tobiishi.scenario.parts import Condition
from tobiishi.scenario.regions import is_known_region
from tobiishi.scenario.rules import Clicked
from tobiishi.scenario.source import SourcePath


def advice_on(scenario: Scenario, now: datetime) -> list[tuple[SourcePath, str]]:
    """Each doubt, with the path of the part it is about."""
    return [
        *_on_period(scenario, now),
        *_on_window(scenario.window),
        *_on_waits(scenario, now),
        *_on_order(scenario.steps, ("steps",)),
        *_on_regions(scenario),
        *_on_placeholders(scenario),
        *_on_comparisons(scenario),
        *_on_clicks(scenario),
    ]


def _on_period(scenario: Scenario, now: datetime) -> Iterator[tuple[SourcePath, str]]:
    until = scenario.period.until if scenario.period else None
    local = now.astimezone(ZoneInfo(scenario.timezone)).replace(tzinfo=None)
    if until and until + timedelta(minutes=1) <= local:
        yield ("period", "until"), "the period is over: nobody will enter"


def _on_window(window: Window | None) -> Iterator[tuple[SourcePath, str]]:
    if window is None:
        return
    opening = timedelta(hours=window.from_.hour, minutes=window.from_.minute)
    closing = timedelta(hours=window.to.hour, minutes=window.to.minute)
    if (closing - opening) % timedelta(days=1) < timedelta(hours=1):
        yield ("window",), "the window is open for less than an hour a day"


def _on_waits(scenario: Scenario, now: datetime) -> Iterator[tuple[SourcePath, str]]:
    local = now.astimezone(ZoneInfo(scenario.timezone)).replace(tzinfo=None)
    last_start = scenario.period.until if scenario.period else None
    for path, step in scenario.walk():
        if step.wait is None or step.wait.until is None:
            continue
        if step.wait.until < local and step.wait.if_past == "skip":
            yield (*path, "wait", "until"), "this is over: nobody will get what follows it"
        elif step.wait.until < local:
            yield (
                (*path, "wait", "until"),
                "this is over: nobody will wait here, and what follows is sent at once; "
                "`if_past: skip` leaves it out",
            )
        elif step.wait.if_past is None and (last_start is None or last_start > step.wait.until):
            yield (
                (*path, "wait", "until"),
                "who starts after this is sent at once what follows; `if_past: skip` leaves it "
                "out, `if_past: send` is as it is now, and a `period` that ends before lets nobody "
                "start so late",
            )


def _on_clicks(scenario: Scenario) -> Iterator[tuple[SourcePath, str]]:
    """On audiences that stay empty because their message has nothing to click on."""
    sends = {step.send.name: step.send for _, step in scenario.walk() if step.send}
    for name, definition in scenario.audience_definitions.items():
        if not isinstance(definition, Clicked) or definition.scenario not in (
            None,
            scenario.scenario,
        ):
            continue
        if (send := sends.get(definition.message)) is None:
            continue
        place = ("audiences", name, "message")
        if not send.track_links:
            yield place, f"{send.name!r} has track_links: false: nobody is seen to click"
        elif not any("http" in text for text in texts_of(send.messages)):
            yield place, f"{send.name!r} has no link: nobody can click"


def _on_comparisons(scenario: Scenario) -> Iterator[tuple[SourcePath, str]]:
    for path, step in scenario.walk():
        for below, warning in comparisons_with_text(step.send.messages) if step.send else ():
            yield (*path, "send", "messages", *below), warning


def _on_regions(scenario: Scenario) -> Iterator[tuple[SourcePath, str]]:
    for path, step in scenario.walk():
        for number, case in enumerate(step.branch or ()):
            for region in _regions(case.when) if case.when else ():
                if not is_known_region(region):
                    yield (
                        (*path, "branch", number, "when"),
                        f"{region!r} is not a prefecture; only friends whose region is written "
                        "just so will match",
                    )


def _on_placeholders(scenario: Scenario) -> Iterator[tuple[SourcePath, str]]:
    for path, step in scenario.walk():
        for number, message in enumerate(step.send.messages if step.send else ()):
            for below, found, is_name in dict.fromkeys(foreign_placeholders(message)):
                write = f"for the friend's name write {NAME_TEMPLATE}"
                if not is_name:
                    write += ", for the shop's own attribute rank {{ friend.fields.rank }}"
                yield (
                    (*path, "send", "messages", number, *below),
                    f"{found} is sent just so: it is another tool's placeholder; {write}",
                )


def _regions(condition: Condition) -> Iterator[str]:
    yield from condition.region or ()
    for part in (*(condition.all or ()), *(condition.any or ()), condition.not_):
        if part is not None:
            yield from _regions(part)


def _on_order(steps: tuple[Step, ...], path: SourcePath) -> Iterator[tuple[SourcePath, str]]:
    for number, step in enumerate(steps):
        here = (*path, number)
        before = steps[number - 1] if number else None
        if step.send and before and before.send:
            yield (
                (*here, "send"),
                "sent right after another message; LINE keeps the order only within one request: "
                "put both into one send, or a wait between",
            )
        seen = []
        for case_number, case in enumerate(step.branch or ()):
            if case.when in seen:
                yield (
                    (*here, "branch", case_number, "when"),
                    "an earlier case has the same condition: nobody will come here",
                )
            seen.append(case.when)
        for below, way in step.ways:
            yield from _on_order(way, (*here, *below))
    if path == ("steps",) and steps[-1].wait:
        yield (*path, len(steps) - 1, "wait"), "nothing follows this wait"
