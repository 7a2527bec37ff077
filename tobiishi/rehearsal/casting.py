"""Casting: for a way through a scenario, a persona who takes it. Pure.

Attributes stay as they are from start to end; memberships may change whenever the journey waits. Of
each decision on the way, what it asks about is chosen so that it goes that way, little being known
and little changing where that will do; where nothing fits, what was chosen before is changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from tobiishi.people.friends import Attributes
from tobiishi.rehearsal.paths import Passed, WayThrough
from tobiishi.rehearsal.persona import Persona, parts_of
from tobiishi.scenario import FriendFacts, Scenario, Step, evaluate
from tobiishi.scenario.parts import Condition
from tobiishi.scenario.rules import CameBy, Clicked, Combined, Definition, Saw, Tagged

#: How many choices are tried for one way, and how many for one decision.
_MOST_TRIED, _MOST_CHOICES = 20_000, 4096
#: With more decisions than this nobody is looked for.
_MOST_DECISIONS = 400


@dataclass(frozen=True, kw_only=True)
class Casting:
    """Who takes a way, and what they are in as they go."""

    persona: Persona
    #: By the path of a wait: which audiences they are to be in, or not, when it is over.
    memberships: Mapping[str, Mapping[str, bool]]


@dataclass(kw_only=True)
class _Part:
    """The steps between two waits: what is known of a friend stays the same here."""

    #: The path of the wait before it; empty at the start.
    wait: str = ""
    steps: list[Passed] = field(default_factory=list)
    #: What must be so by the wait before it.
    fixed: dict[str, bool] = field(default_factory=dict)
    #: The messages that were sent before it.
    sent: frozenset[str] = frozenset()


def cast(
    scenario: Scenario,
    way: WayThrough,
    definitions: Mapping[str, Definition],
    *,
    persona: Persona,
    today: date,
) -> Casting | None:
    """A persona made to take the way, from what is given of them; None where none was found.

    Ages are those of `today`.
    """
    return _Search(scenario, way, definitions, persona, today).find()


@dataclass(frozen=True, kw_only=True)
class _Decision:
    """A decision on the way, or what the wait before it asks for."""

    #: The number of its part, and of its steps up to the decision.
    part: int
    steps: int
    #: The attributes and the audiences that it asks about.
    attributes: tuple[str, ...]
    audiences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Chosen:
    """What is chosen of a friend so far."""

    attributes: Mapping[str, Any]
    #: Memberships from the start to the end.
    inside: Mapping[str, bool]
    #: Memberships of each part.
    wanted: tuple[Mapping[str, bool], ...]


class _Search:
    """The search for one way's persona."""

    def __init__(
        self,
        scenario: Scenario,
        way: WayThrough,
        definitions: Mapping[str, Definition],
        persona: Persona,
        today: date,
    ) -> None:
        self._definitions, self._persona, self._today = definitions, persona, today
        self._parts = _parts(way)
        conditions, names = _asked(way, definitions)
        start = [scenario.start.audience] if scenario.start.audience else []
        self._begins = dict.fromkeys([*persona.audiences, *start], True)
        self._locked = _locked(scenario, names, definitions, persona, self._begins)
        self._of_message = {name for name in names if _needs_message(scenario, definitions[name])}
        self._values = _values(conditions, persona.attributes)
        self._decisions = list(self._decide())
        self._tried = 0

    def find(self) -> Casting | None:
        if len(self._decisions) > _MOST_DECISIONS:
            return None
        nothing = _Chosen(attributes={}, inside={}, wanted=tuple({} for _ in self._parts))
        found = self._choose(0, nothing)
        if found is None:
            return None
        made = _made_up(
            self._persona,
            self._made(found.attributes),
            {**found.inside, **found.wanted[0]},
            self._definitions,
        )
        wanted = {part.wait: each for part, each in zip(self._parts, found.wanted, strict=True)}
        return Casting(persona=made, memberships=wanted)

    def _decide(self) -> Iterator[_Decision]:
        for number, part in enumerate(self._parts):
            if part.fixed:
                yield self._decision(number, 0, [], part.fixed)
            for count, step in enumerate(part.steps, start=1):
                if step.decides:
                    conditions, names = _asked((step,), self._definitions)
                    yield self._decision(number, count, conditions, names)

    def _decision(
        self, part: int, steps: int, conditions: list[Condition], names: Iterable[str]
    ) -> _Decision:
        names = _with_parts(names, self._definitions)
        conditions = [
            *conditions,
            *(each.when for name in names if isinstance(each := self._definitions[name], Combined)),
        ]
        asked: dict[str, list[Any]] = {}
        for condition in conditions:
            _collect(condition, asked)
        return _Decision(
            part=part,
            steps=steps,
            attributes=tuple(name for name in asked if name in self._values),
            audiences=tuple(
                name for name in sorted(names) if not isinstance(self._definitions[name], Combined)
            ),
        )

    def _choose(self, index: int, chosen: _Chosen) -> _Chosen | None:
        """What is chosen in all, from that decision on; None where nothing fits."""
        if index == len(self._decisions):
            return chosen
        decision = self._decisions[index]
        for more in self._choices(decision, chosen):
            self._tried += 1
            if self._tried > _MOST_TRIED:
                return None
            if self._holds(decision, more) and (found := self._choose(index + 1, more)):
                return found
        return None

    def _holds(self, decision: _Decision, chosen: _Chosen) -> bool:
        part = self._parts[decision.part]
        return _leads(
            part,
            part.steps[: decision.steps],
            _facts(self._made(chosen.attributes), self._today),
            {**chosen.inside, **chosen.wanted[decision.part]},
            self._definitions,
        )

    def _choices(self, decision: _Decision, chosen: _Chosen) -> Iterator[_Chosen]:
        """What may be chosen for the decision, the least first, beside what is chosen already."""
        wanted = chosen.wanted[decision.part]
        attributes = [name for name in decision.attributes if name not in chosen.attributes]
        locked = [
            name
            for name in decision.audiences
            if name in self._locked and name not in chosen.inside
        ]
        free = [
            name for name in decision.audiences if name not in self._locked and name not in wanted
        ]
        state = dict(self._begins)
        for earlier in chosen.wanted[: decision.part]:
            state |= earlier
        options = [
            *(self._values[name] for name in attributes),
            *(self._locked[name] for name in locked),
            *(self._may_be_in(name, decision.part) for name in free),
        ]
        usual = [
            *(None for _ in attributes),
            *(state.get(name, False) for name in (*locked, *free)),
        ]
        combinations = itertools.islice(itertools.product(*options), _MOST_CHOICES)
        for values in sorted(
            combinations,
            key=lambda each: sum(a != b for a, b in zip(each, usual, strict=True)),
        ):
            rest = iter(values)
            yield _Chosen(
                attributes={**chosen.attributes, **{name: next(rest) for name in attributes}},
                inside={**chosen.inside, **{name: next(rest) for name in locked}},
                wanted=(
                    *chosen.wanted[: decision.part],
                    {**wanted, **{name: next(rest) for name in free}},
                    *chosen.wanted[decision.part + 1 :],
                ),
            )

    def _may_be_in(self, name: str, number: int) -> tuple[bool, ...]:
        """Whether a friend may be out of the audience in that part, and in it."""
        part, definition = self._parts[number], self._definitions[name]
        if number == 0 and name in self._begins:
            return (True,)
        if name in self._of_message and isinstance(definition, Clicked | Saw):
            return (False, True) if definition.message in part.sent else (False,)
        return (False, True)

    def _made(self, chosen: Mapping[str, Any]) -> Attributes:
        """The attributes given, with those chosen."""
        given = self._persona.attributes
        known = {name: value for name, value in chosen.items() if value is not None}
        fields = {
            name.removeprefix("fields."): known.pop(name)
            for name in list(known)
            if name.startswith("fields.")
        }
        return given.model_copy(update={**known, "fields": {**given.fields, **fields}})


def _asked(
    way: WayThrough, definitions: Mapping[str, Definition]
) -> tuple[list[Condition], frozenset[str]]:
    """The conditions and the audiences that the way's decisions ask about."""
    conditions = [each for step in way for each in _conditions(step.step)]
    named = {step.step.wait_for.audience for step in way if step.step.wait_for}
    names = _with_parts(named.union(*(each.audiences() for each in conditions)), definitions)
    conditions += [each.when for name in names if isinstance(each := definitions[name], Combined)]
    return conditions, names


def _made_up(
    persona: Persona,
    attributes: Attributes,
    memberships: Mapping[str, bool],
    definitions: Mapping[str, Definition],
) -> Persona:
    """The persona with those attributes, who begins in those audiences."""
    first = [name for name, is_in in memberships.items() if is_in]
    routes = [each.route for name in first if isinstance(each := definitions[name], CameBy)]
    inside = [name for name in first if not isinstance(definitions[name], CameBy)]
    return persona.model_copy(
        update={
            "attributes": attributes,
            "audiences": tuple(sorted({*persona.audiences, *inside})),
            "route": next(iter(routes), persona.route),
        }
    )


def _parts(way: WayThrough) -> list[_Part]:
    parts, sent = [_Part()], set[str]()
    for step in way:
        if step.step.wait:
            parts.append(_Part(wait=step.path, sent=frozenset(sent)))
            continue
        parts[-1].steps.append(step)
        if step.step.send:
            sent.add(step.step.send.name)
        if awaited := step.step.wait_for:
            fixed = {awaited.audience: step.way == 0}
            parts.append(_Part(wait=step.path, fixed=fixed, sent=frozenset(sent)))
    return parts


def _conditions(step: Step) -> Iterator[Condition]:
    yield from (case.when for case in step.branch or () if case.when)


def _with_parts(names: Iterable[str], definitions: Mapping[str, Definition]) -> frozenset[str]:
    found, ahead = set[str](), list(names)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            definition = definitions[name]
            ahead += definition.when.audiences() if isinstance(definition, Combined) else ()
    return frozenset(found)


def _locked(
    scenario: Scenario,
    names: Iterable[str],
    definitions: Mapping[str, Definition],
    persona: Persona,
    begins: Mapping[str, bool],
) -> dict[str, tuple[bool, ...]]:
    """The audiences that a friend is in from start to end, or never: which of both may be so.

    Those that end the journey, as who joins or leaves one has no way to go on; and those of routes.
    """
    exits = {exit_.audience for exit_ in scenario.exit}
    found: dict[str, tuple[bool, ...]] = {}
    for name in sorted(names):
        definition = definitions[name]
        if isinstance(definition, CameBy):
            by_it = definition.route == persona.route
            found[name] = (False, True) if persona.route is None else (by_it,)
        elif name in exits and not isinstance(definition, Combined):
            is_in = name in begins
            is_out = _needs_message(scenario, definitions[name])
            found[name] = (True,) if is_in else (False,) if is_out else (False, True)
    return found


def _needs_message(scenario: Scenario, definition: Definition) -> bool:
    """Whether nobody is in it before a message of this scenario was sent."""
    own = {step.send.name for _, step in scenario.walk() if step.send}
    return (
        isinstance(definition, Clicked | Saw)
        and definition.scenario in (None, scenario.scenario)
        and definition.message in own
    )


def _leads(
    part: _Part,
    steps: Sequence[Passed],
    facts: FriendFacts,
    memberships: Mapping[str, bool],
    definitions: Mapping[str, Definition],
) -> bool:
    """Whether a friend with those memberships takes the ways of those first steps of the part."""
    members = dict(memberships)

    def is_in(name: str) -> bool:
        return name in _audiences(facts, members, definitions)

    if any(is_in(name) != wanted for name, wanted in part.fixed.items()):
        return False
    for step in steps:
        if tag := step.step.tag:
            for name, definition in definitions.items():
                if isinstance(definition, Tagged) and definition.tag in (*tag.add, *tag.remove):
                    members[name] = definition.tag in tag.add
        if step.step.wait_for and is_in(step.step.wait_for.audience):
            # Who is in it already does not wait; nobody can be too late then.
            return step.way == 0
        if step.step.branch:
            seen = replace(facts, audiences=_audiences(facts, members, definitions))
            if _taken(step.step, seen) != step.way:
                return False
    return True


def _taken(step: Step, facts: FriendFacts) -> int | None:
    for number, case in enumerate(step.branch or ()):
        if case.when is None or evaluate(case.when, facts):
            return number
    return None


def _audiences(
    facts: FriendFacts, members: Mapping[str, bool], definitions: Mapping[str, Definition]
) -> frozenset[str]:
    """All that the friend is in, with the combined ones that follow."""
    plain = found = frozenset(name for name, is_in in members.items() if is_in)
    combined = {name: each.when for name, each in definitions.items() if isinstance(each, Combined)}
    for _ in combined:  # One may ask about another.
        seen = replace(facts, audiences=found)
        found = plain.union(name for name, when in combined.items() if evaluate(when, seen))
    return found


def _facts(attributes: Attributes, today: date) -> FriendFacts:
    return FriendFacts(
        gender=attributes.gender,
        age=attributes.age_on(today),
        region=attributes.region,
        os=attributes.os,
        language=attributes.language,
        fields={name: value for name, value in attributes.fields.items() if value},
    )


def _values(conditions: Sequence[Condition], given: Attributes) -> dict[str, tuple[Any, ...]]:
    """Of each attribute that is asked about and not given, the values that make a difference."""
    asked: dict[str, list[Any]] = {}
    for condition in conditions:
        _collect(condition, asked)
    known = set(given.model_dump(exclude_none=True, exclude={"fields"}))
    known |= {f"fields.{name}" for name, value in given.fields.items() if value}
    known |= {"age"} if given.birthday else set()
    return {
        name: (None, *dict.fromkeys(found)) for name, found in asked.items() if name not in known
    }


def _collect(condition: Condition, asked: dict[str, list[Any]]) -> None:
    """What the condition asks for, and for each a value that is something else."""
    if condition.gender:
        asked.setdefault("gender", []).extend([condition.gender, "other", "female"])
    if condition.os:
        asked.setdefault("os", []).extend([condition.os, "other", "ios"])
    if age := condition.age:
        edges = [edge for edge in (age.from_, age.to) if edge is not None]
        around = [age.from_ and age.from_ - 1, age.to is not None and age.to < 150 and age.to + 1]
        asked.setdefault("age", []).extend(
            [*edges, *(each for each in around if each is not False and each is not None)]
        )
    if condition.region:
        asked.setdefault("region", []).extend([condition.region[0], "海外"])
    if condition.language:
        asked.setdefault("language", []).extend([condition.language[0], "fi", "ja"])
    for name, values in (condition.fields or {}).items():
        asked.setdefault(f"fields.{name}", []).extend([*values, "something else"])
    for part in parts_of(condition):
        _collect(part, asked)
