"""Warnings on what a scenario may say but probably doesn't mean."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tobiishi.scenario.messages import NAME_TEMPLATE, foreign_placeholders
from tobiishi.scenario.model import Scenario, Step, Window
from tobiishi.scenario.parts import Condition
from tobiishi.scenario.regions import is_known_region
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
    for path, step in scenario.walk():
        if step.wait and step.wait.until and step.wait.until < local:
            yield (*path, "wait", "until"), "this is over: nobody will wait here"


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
