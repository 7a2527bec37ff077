"""Because of what a friend went the way they went at a branch, as sentences. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tobiishi.journeys.reasons import Titles, reason_of
from tobiishi.people.audiences import Membership
from tobiishi.scenario.conditions import answer_from, in_words, split
from tobiishi.scenario.model import Case, Step
from tobiishi.scenario.parts import Condition
from tobiishi.words import Sentence

Answers = Mapping[str, bool | None]


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What is remembered of a friend at a moment that is over."""

    at: datetime
    titles: Titles
    #: Every time that they were in an audience, by its name, the first one first.
    memberships: Mapping[str, Sequence[Membership]]
    #: How a moment is told.
    moment: Callable[[datetime], Sentence]

    def membership(self, audience: str) -> Membership | None:
        """That of the moment, as far as it is kept."""
        spans = self.memberships.get(audience, ())
        return next((span for span in reversed(spans) if _covers(span, self.at)), None)


def because(
    branch: Sequence[Case],
    case: int | None,
    answers: Answers,
    memory: Memory,
    *,
    other: int | None = None,
) -> Sentence | None:
    """Why the case was taken (None: none of them), and not `other`, where it is asked about.

    None where it isn't kept what was seen.
    """
    facts = list[Sentence]()
    for number in _asked_about(branch, case, other):
        condition = branch[number].when
        assert condition is not None
        words = in_words(condition)
        if words not in answers and number != case:
            return None
        facts += facts_on(condition, answers.get(words, True), answers, memory)
    if not facts:
        return None
    if len(facts) == 1:
        return Sentence("because.one", {"fact": facts[0]})
    return Sentence("because.many", {"facts": tuple(facts)})


def fits(branch: Sequence[Case], case: int | None, saw: Answers) -> bool:
    """Whether that was seen at this branch, and not at one of another version of the scenario."""
    if case is not None and case >= len(branch):
        return False
    looked_at = branch if case is None else branch[: case + 1]
    asked = {in_words(each.when) for each in looked_at if each.when is not None}
    return not saw or asked == set(saw)


def _asked_about(branch: Sequence[Case], case: int | None, other: int | None) -> list[int]:
    """The cases whose conditions tell why: those that did not hold, then the one that did."""
    is_own = case is not None and branch[case].when is not None
    before = range(len(branch) if case is None else case)
    refused = [number for number in before if number == other]
    if other is None and not is_own:
        refused = [number for number in before if branch[number].when is not None]
    return [*refused, *([case] if is_own and case is not None else [])]


def facts_on(
    condition: Condition, answer: bool | None, answers: Answers, memory: Memory
) -> list[Sentence]:
    """The facts that gave this answer to the condition."""
    children = split(condition)
    if len(children) > 1:
        return _facts_on_several(condition, children, answer, answers, memory, needs_all=True)
    (only,) = children
    if only.all is not None:
        return _facts_on_several(only, only.all, answer, answers, memory, needs_all=True)
    if only.any is not None:
        return _facts_on_several(only, only.any, answer, answers, memory, needs_all=False)
    if only.not_ is not None:
        inner = None if answer is None else not answer
        return facts_on(only.not_, inner, answers, memory)
    return [_fact(only, answer, memory)]


def _facts_on_several(
    whole: Condition,
    children: Sequence[Condition],
    answer: bool | None,
    answers: Answers,
    memory: Memory,
    *,
    needs_all: bool,
) -> list[Sentence]:
    """Those of the children that decided it: one is enough to break an `all`, or to make an `any`.

    Where the answers to the children were not kept, the whole.
    """
    if answer is needs_all:
        return [fact for child in children for fact in facts_on(child, answer, answers, memory)]
    try:
        known = [(child, answer_from(child, answers)) for child in children]
    except KeyError:
        return [_whole(whole, answer, memory.titles)]
    deciding = [child for child, own in known if own is answer]
    facts = [fact for child in deciding for fact in facts_on(child, answer, answers, memory)]
    return facts or [_whole(whole, answer, memory.titles)]


def _whole(condition: Condition, answer: bool | None, titles: Titles) -> Sentence:
    code = {True: "fact.met", False: "fact.not_met", None: "fact.undecided"}[answer]
    return Sentence(code, {"condition": described(condition, titles)})


def _fact(leaf: Condition, answer: bool | None, memory: Memory) -> Sentence:
    if leaf.audience is not None:
        return _membership_fact(leaf.audience, answer is True, memory)
    attribute, value = _attribute(leaf)
    code = {True: "fact.is", False: "fact.is_not", None: "fact.not_known"}[answer]
    return Sentence(code, {"attribute": attribute, "value": value})


def _membership_fact(audience: str, was_in: bool, memory: Memory) -> Sentence:
    named = {"audience": memory.titles.audience(audience)}
    spans = memory.memberships.get(audience, ())
    if was_in:
        span = memory.membership(audience)
        if span is None:
            return Sentence("fact.in", named)
        return Sentence("fact.in_since", {**named, **since(span, memory)})
    if former := [span for span in spans if span.left_at is not None and span.left_at <= memory.at]:
        left = max(former, key=lambda span: span.left_at or memory.at)
        assert left.left_at is not None
        reason = reason_of(left.left_reason or "", memory.titles)
        left_at = memory.moment(left.left_at)
        return Sentence("fact.not_in_any_more", {**named, "left": left_at, "reason": reason})
    if later := [span for span in spans if span.joined_at > memory.at]:
        reason = reason_of(later[0].reason, memory.titles)
        joined = memory.moment(later[0].joined_at)
        return Sentence("fact.not_in_yet", {**named, "joined": joined, "reason": reason})
    return Sentence("fact.not_in", named)


def since(span: Membership, memory: Memory) -> dict[str, Sentence]:
    """Since when the friend was in an audience, and why: `since` and `reason`."""
    return {
        "since": memory.moment(span.joined_at),
        "reason": reason_of(span.reason, memory.titles),
    }


def _covers(span: Membership, at: datetime) -> bool:
    return span.joined_at <= at and (span.left_at is None or span.left_at > at)


def described(condition: Condition, titles: Titles) -> Sentence:
    """The condition itself, as a sentence."""
    parts = tuple(_described(part, titles) for part in split(condition))
    return parts[0] if len(parts) == 1 else Sentence("condition.all", {"parts": parts})


def _described(part: Condition, titles: Titles) -> Sentence:
    if part.audience is not None:
        return Sentence("condition.in", {"audience": titles.audience(part.audience)})
    if part.all is not None:
        parts = tuple(described(each, titles) for each in part.all)
        return Sentence("condition.all", {"parts": parts})
    if part.any is not None:
        parts = tuple(described(each, titles) for each in part.any)
        return Sentence("condition.any", {"parts": parts})
    if part.not_ is not None:
        return Sentence("condition.not", {"part": described(part.not_, titles)})
    attribute, value = _attribute(part)
    return Sentence("condition.is", {"attribute": attribute, "value": value})


def _attribute(leaf: Condition) -> tuple[Sentence, Sentence]:
    """Which attribute a condition of one field asks about, and for which value."""
    if leaf.gender is not None:
        return Sentence("attribute.gender"), Sentence(f"value.{leaf.gender}")
    if leaf.os is not None:
        return Sentence("attribute.os"), Sentence(f"value.{leaf.os}")
    if leaf.age is not None:
        ages = {"from": leaf.age.from_, "to": leaf.age.to}
        known = {end: age for end, age in ages.items() if age is not None}
        code = "value.ages" if len(known) == 2 else f"value.age_{next(iter(known))}"
        return Sentence("attribute.age"), Sentence(code, known)
    if leaf.region is not None:
        return Sentence("attribute.region"), _one_of(leaf.region)
    if leaf.language is not None:
        return Sentence("attribute.language"), _one_of(leaf.language)
    ((name, values),) = (leaf.fields or {}).items()
    return Sentence("attribute.own", {"name": name}), _one_of(values)


def _one_of(values: Sequence[str]) -> Sentence:
    return Sentence("value.one_of", {"values": tuple(values)})


def way_of(branch: Sequence[Case], case: int) -> Sentence:
    """Which way that is, by the first message on it."""
    message = first_message(branch[case].steps)
    if branch[case].when is None:
        code = "way.others_send" if message else "way.others"
        return Sentence(code, {"message": message} if message else {})
    if message:
        return Sentence("way.sends", {"message": message})
    return Sentence("way.number", {"number": case + 1})


def first_message(steps: Sequence[Step]) -> str | None:
    """The first message of these steps, by its name."""
    for step in steps:
        if step.send:
            return step.send.name
        for _, way in step.ways:
            if found := first_message(way):
                return found
    return None
