"""All the ways through a scenario, and for each a persona who takes it. Pure.

A way is made of decisions: which case of a branch, and whether a wait for an audience ends in time.
Attributes stay as they are from start to end; memberships may change whenever the journey waits.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tobiishi.people.friends import Attributes
from tobiishi.rehearsal.persona import Persona, parts_of
from tobiishi.scenario import FriendFacts, Scenario, Step, evaluate
from tobiishi.scenario.conditions import in_words
from tobiishi.scenario.parts import Condition
from tobiishi.scenario.rules import CameBy, Clicked, Combined, Definition, Saw, Tagged

#: How many ways are looked at where nothing else is said.
MOST = 64
#: How many friends are tried for one way.
_MOST_TRIED = 20_000
#: Of how many audiences all combinations are tried between two waits.
_MOST_AUDIENCES = 10


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A step on a way, and which of its own ways goes on from it."""

    path: str
    step: Step
    way: int | None = None

    @property
    def decides(self) -> bool:
        return self.step.branch is not None or self.step.wait_for is not None

    def in_words(self) -> str:
        """What the decision is: `in clicked-hello`."""
        if self.step.wait_for:
            return f"{self.step.wait_for.audience} {'too late' if self.way else 'in time'}"
        assert self.step.branch is not None
        if self.way is None:
            return "none of the cases"
        when = self.step.branch[self.way].when
        return in_words(when) if when else "otherwise"


WayThrough = tuple[Passed, ...]


def count_ways(scenario: Scenario) -> int:
    """How many ways there are, also those that nobody can take."""
    return _count(scenario.steps)


def _count(steps: Sequence[Step]) -> int:
    number = 1
    for step in steps:
        if step.branch or step.wait_for:
            number *= sum(_count(below) for _, below in _ways_of(step))
    return number


def ways_through(scenario: Scenario, *, most: int) -> list[WayThrough]:
    """All the ways; where there are more than `most`, each way of each step at least once."""
    if count_ways(scenario) <= most:
        return list(_through(scenario.steps, ""))
    chosen: dict[tuple[tuple[str, int | None], ...], WayThrough] = {}
    each_once = (_forced(scenario.steps, "", forced) for forced in _each_decision(scenario))
    # No more are made than are taken: there may be millions.
    for way in itertools.chain(each_once, _through(scenario.steps, "")):
        if len(chosen) >= most:
            break
        chosen.setdefault(tuple((step.path, step.way) for step in way), way)
    return list(chosen.values())


def _ways_of(step: Step) -> list[tuple[int | None, tuple[Step, ...]]]:
    """The ways on from a step; None where no case of a branch is taken."""
    ways: list[tuple[int | None, tuple[Step, ...]]] = [
        (number, below) for number, (_, below) in enumerate(step.ways)
    ]
    if step.branch and step.branch[-1].when is not None:
        ways.append((None, ()))
    return ways


def _through(steps: tuple[Step, ...], place: str, index: int = 0) -> Iterator[WayThrough]:
    if index == len(steps):
        yield ()
        return
    for here in _past(steps[index], f"{place}{index}"):
        for rest in _through(steps, place, index + 1):
            yield (*here, *rest)


def _past(step: Step, path: str) -> Iterator[WayThrough]:
    if not (step.branch or step.wait_for):
        yield (Passed(path=path, step=step),)
        return
    for way, below in _ways_of(step):
        for inner in _through(below, f"{path}.{way}."):
            yield (Passed(path=path, step=step, way=way), *inner)


def _each_decision(scenario: Scenario) -> Iterator[dict[str, int | None]]:
    """For each way of each step, the decisions that lead there, and it."""

    def below(steps: tuple[Step, ...], place: str, so_far: dict[str, int | None]) -> Any:
        for index, step in enumerate(steps):
            path = f"{place}{index}"
            for way, inner in _ways_of(step) if step.branch or step.wait_for else ():
                decided = {**so_far, path: way}
                yield decided
                yield from below(inner, f"{path}.{way}.", decided)

    yield from below(scenario.steps, "", {})


def _forced(steps: tuple[Step, ...], place: str, forced: Mapping[str, int | None]) -> WayThrough:
    """The way with those decisions, and the first of all others."""
    found: list[Passed] = []
    for index, step in enumerate(steps):
        path = f"{place}{index}"
        if not (step.branch or step.wait_for):
            found.append(Passed(path=path, step=step))
            continue
        ways = dict(_ways_of(step))
        way = forced[path] if path in forced else next(iter(ways))
        found.append(Passed(path=path, step=step, way=way))
        found += _forced(ways[way], f"{path}.{way}.", forced)
    return tuple(found)


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
    scenario: Scenario, way: WayThrough, definitions: Mapping[str, Definition], *, persona: Persona
) -> Casting | None:
    """A persona made to take the way, from what is given of them; None where none was found."""
    parts, conditions, names = _parts(way), *_asked(way, definitions)
    begins = {*persona.audiences, *([scenario.start.audience] if scenario.start.audience else [])}
    state = dict.fromkeys(sorted(begins), True)
    locked = _locked(scenario, names, definitions, persona, state)
    free = {
        name: _needs_message(scenario, definitions[name])
        for name in names - locked.keys()
        if not isinstance(definitions[name], Combined)
    }
    friends = (
        (attributes, inside)
        for attributes in _attributes(conditions, persona.attributes)
        for inside in _subsets(locked, near=state)
    )
    for attributes, inside in itertools.islice(friends, _MOST_TRIED):
        facts = _facts(attributes)
        found = _fit(parts, facts, inside, free, definitions, state)
        if found is not None:
            made = _made_up(persona, attributes, {**inside, **found[0]}, definitions)
            wanted = {part.wait: each for part, each in zip(parts, found, strict=True)}
            return Casting(persona=made, memberships=wanted)
    return None


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
        if isinstance(definitions[name], CameBy):
            found[name] = (False, True) if persona.route is None else (
                definitions[name].route == persona.route,  # type: ignore[union-attr]
            )  # fmt: skip
        elif name in exits and not isinstance(definitions[name], Combined):
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


def _subsets(
    choices: Mapping[str, tuple[bool, ...]], near: Mapping[str, bool]
) -> Iterator[dict[str, bool]]:
    """All combinations, those first that differ least from what the friend is in already."""
    found = [dict(zip(choices, each, strict=True)) for each in itertools.product(*choices.values())]
    yield from sorted(
        found,
        key=lambda each: sum(is_in != near.get(name, False) for name, is_in in each.items()),
    )


def _fit(
    parts: Sequence[_Part],
    facts: FriendFacts,
    inside: Mapping[str, bool],
    free: Mapping[str, bool],
    definitions: Mapping[str, Definition],
    begins: Mapping[str, bool],
) -> list[dict[str, bool]] | None:
    """The memberships of each part that lead that way; None where there are none.

    `free` are the audiences that may be joined and left, each with whether it takes its message;
    the friend begins in those of `begins`.
    """
    found, state = [], dict(begins)
    for part in parts:
        names = sorted(_asked_in(part, definitions) & free.keys())[:_MOST_AUDIENCES]
        choices: dict[str, tuple[bool, ...]] = {}
        for name in names:
            definition = definitions[name]
            unsent = isinstance(definition, Clicked | Saw) and definition.message not in part.sent
            choices[name] = (False,) if free[name] and unsent else (False, True)
            if not part.wait and name in begins:
                choices[name] = (True,)
        fitting = (
            wanted
            for wanted in _subsets(choices, near=state)
            if _leads(part, facts, {**inside, **wanted}, definitions)
        )
        if (wanted := next(fitting, None)) is None:
            return None
        found.append(wanted)
        state |= wanted
    return found


def _asked_in(part: _Part, definitions: Mapping[str, Definition]) -> frozenset[str]:
    """The audiences that the part's decisions ask about."""
    _, names = _asked(tuple(part.steps), definitions)
    return names | _with_parts(part.fixed, definitions)


def _leads(
    part: _Part,
    facts: FriendFacts,
    memberships: Mapping[str, bool],
    definitions: Mapping[str, Definition],
) -> bool:
    """Whether a friend with those memberships takes the ways of the part."""
    members = dict(memberships)

    def is_in(name: str) -> bool:
        return name in _audiences(facts, members, definitions)

    if any(is_in(name) != wanted for name, wanted in part.fixed.items()):
        return False
    for step in part.steps:
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


def _facts(attributes: Attributes) -> FriendFacts:
    return FriendFacts(
        gender=attributes.gender,
        age=attributes.age,
        region=attributes.region,
        os=attributes.os,
        language=attributes.language,
        fields={name: value for name, value in attributes.fields.items() if value},
    )


def _attributes(conditions: Sequence[Condition], given: Attributes) -> Iterator[Attributes]:
    """Friends who differ in what the conditions ask for, those of whom little is known first."""
    asked: dict[str, list[Any]] = {}
    for condition in conditions:
        _collect(condition, asked)
    known = given.model_dump(exclude_none=True, exclude={"fields"})
    own = {name: value for name, value in given.fields.items() if value}
    values = {
        name: [None, *dict.fromkeys(found)]
        for name, found in asked.items()
        if name not in known
        and name not in {f"fields.{field}" for field in own}
        and not (name == "age" and given.birthday)
    }
    combinations = itertools.islice(itertools.product(*values.values()), _MOST_TRIED)
    for chosen in sorted(combinations, key=lambda each: sum(one is not None for one in each)):
        made = {
            name: value for name, value in zip(values, chosen, strict=True) if value is not None
        }
        fields = own | {
            name.removeprefix("fields."): made.pop(name)
            for name in list(made)
            if name.startswith("fields.")
        }
        yield Attributes(**known, **made, fields=fields)


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
