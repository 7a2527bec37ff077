"""Names in a scenario that lead nowhere: of routes, audiences, scenarios and messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tobiishi.database import Connection, all_rows, queries
from tobiishi.people import audiences
from tobiishi.publishing import versions
from tobiishi.scenario import Scenario
from tobiishi.scenario.model import Place
from tobiishi.scenario.parts import Condition
from tobiishi.scenario.rules import CameBy, Clicked, Combined, Saw

_sql = queries("publishing")


@dataclass(frozen=True, kw_only=True)
class Known:
    """The names that a channel has."""

    audiences: frozenset[str] = frozenset()
    routes: frozenset[str] = frozenset()
    #: The messages of each scenario that was published.
    messages: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LostName:
    """A name that leads nowhere."""

    path: Place
    message: str
    #: Whether the scenario is refused: an exit on it would never end a journey.
    is_refused: bool = False


async def known_to(connection: Connection, channel: str) -> Known:
    """The names that the channel has now."""
    published = [
        *await versions.live(connection, channel),
        *await versions.retired(connection, channel),
    ]
    return Known(
        audiences=frozenset(each.audience for each in await audiences.all_of(connection, channel)),
        routes=frozenset(
            row["route"] for row in await all_rows(_sql.routes_of(connection, channel=channel))
        ),
        messages={version.scenario.scenario: _sent(version.scenario) for version in published},
    )


def lost_names(scenario: Scenario, known: Known) -> Iterator[LostName]:
    """The names in a scenario that lead nowhere, as far as its file and the channel know."""
    yield from _lost_audiences(scenario, known)
    added = scenario.start.friend_added
    for route in (added.routes or ()) if added else ():
        if route not in known.routes:
            path = ("start", "friend_added", "routes")
            yield LostName(path=path, message=_no_route(route, known.routes))
    for name, definition in scenario.audience_definitions.items():
        place = ("audiences", name)
        if isinstance(definition, CameBy) and definition.route not in known.routes:
            message = _no_route(definition.route, known.routes)
            yield LostName(path=(*place, "route"), message=message)
        if isinstance(definition, Clicked | Saw):
            yield from _lost_message(scenario, definition, place, known)


def _lost_audiences(scenario: Scenario, known: Known) -> Iterator[LostName]:
    there = known.audiences.union(scenario.audience_definitions)
    named = list(_named_audiences(scenario))
    # A typing error is not made twice.
    elsewhere = {audience for path, audience in named if path[0] != "exit"}
    for path, audience in named:
        if audience in there:
            continue
        near = _nearest(audience, there)
        if path[0] == "exit" and audience not in elsewhere:
            yield LostName(
                path=path,
                message=f"there is no audience {audience!r}, so that this would never end a "
                f"journey; {near}define it below `audiences:`, or make it first "
                f"(tobiishi audience put {audience})",
                is_refused=True,
            )
        else:
            yield LostName(
                path=path,
                message=f"audience {audience!r} does not exist, and is made empty; {near}define it "
                "below `audiences:`, or fill it",
            )


def _named_audiences(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Each audience that the scenario names, where it does."""
    if scenario.start.audience:
        yield ("start", "audience"), scenario.start.audience
    for number, exit_ in enumerate(scenario.exit):
        yield ("exit", number, "joins" if exit_.joins else "leaves"), exit_.audience
    for path, step in scenario.walk():
        if step.wait_for:
            yield (*path, "wait_for", "audience"), step.wait_for.audience
        for number, case in enumerate(step.branch or ()):
            yield from _asked(case.when, (*path, "branch", number, "when"))
    for name, definition in scenario.audience_definitions.items():
        if isinstance(definition, Combined):
            yield from _asked(definition.when, ("audiences", name, "when"))


def _asked(condition: Condition | None, path: Place) -> Iterator[tuple[Place, str]]:
    for audience in sorted(condition.audiences()) if condition else ():
        yield path, audience


def _lost_message(
    scenario: Scenario, definition: Clicked | Saw, place: Place, known: Known
) -> Iterator[LostName]:
    name = definition.scenario or scenario.scenario
    if name == scenario.scenario:
        return  # The reader has looked at these.
    if name not in known.messages:
        near = _nearest(name, [*known.messages, scenario.scenario])
        message = f"no scenario {name!r} was published; {near}publish it, or correct the name"
        yield LostName(path=(*place, "scenario"), message=message)
    elif definition.message not in known.messages[name]:
        near = _nearest(definition.message, known.messages[name])
        yield LostName(
            path=(*place, "message"),
            message=f"scenario {name!r} sends no message {definition.message!r}; {near}"
            "correct the name",
        )


def _no_route(route: str, routes: Iterable[str]) -> str:
    return (
        f"there is no route {route!r}: nobody comes by it; {_nearest(route, routes)}"
        f"make it (tobiishi route put {route})"
    )


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(names), n=1)
    return f"did you mean {near[0]!r}? Else " if near else ""


def _sent(scenario: Scenario) -> frozenset[str]:
    return frozenset(step.send.name for _, step in scenario.walk() if step.send)
