"""Conditions: whether they hold for a friend, and their text for people.

An attribute that isn't known matches nothing: neither a condition nor its `not`. So conditions
are three-valued (Kleene's logic), and a branch takes a case only where the answer is True.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tobiishi.scenario.model import Case
from tobiishi.scenario.parts import Age, Condition
from tobiishi.scenario.regions import region_code

#: Bytes. What is shown of a step, in Temporal's history and UI; the step itself may be longer.
_MAX_WORDS_BYTES = 300


@dataclass(frozen=True, kw_only=True)
class FriendFacts:
    """The facts that a branch may look at. None where one isn't known."""

    #: Those of the audiences asked about that the friend is in.
    audiences: frozenset[str] = frozenset()
    gender: str | None = None
    #: Years.
    age: int | None = None
    region: str | None = None
    os: str | None = None
    #: BCP 47.
    language: str | None = None
    #: The shop's own attributes, by their names.
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Where a friend goes at a branch."""

    #: Index of the case; None where none matched, and the journey goes on after the branch.
    case: int | None
    #: In words, and not many: `in clicked-hello: yes`.
    summary: str
    #: The answer to each condition looked at, in order.
    saw: dict[str, bool | None]
    #: The answer to each part of those that have several.
    parts: dict[str, bool | None] = field(default_factory=dict)


def evaluate(condition: Condition, facts: FriendFacts) -> bool | None:
    """True, False, or None where too little is known."""
    return _all(_parts(condition, facts))


def choose(branch: tuple[Case, ...], facts: FriendFacts) -> Choice:
    """The first case whose condition holds, or `otherwise`."""
    saw: dict[str, bool | None] = {}
    parts: dict[str, bool | None] = {}
    for number, case in enumerate(branch):
        if case.when is None:
            summary = f"{shortened(_seen(saw))} → otherwise"
            return Choice(case=number, summary=summary, saw=saw, parts=parts)
        words = in_words(case.when)
        saw[words] = evaluate(case.when, facts)
        answers = {in_words(part): evaluate(part, facts) for part in leaves(case.when)}
        parts |= {part: answer for part, answer in answers.items() if part != words}
        if saw[words]:
            return Choice(case=number, summary=shortened(_seen(saw)), saw=saw, parts=parts)
    summary = f"{shortened(_seen(saw))} → goes on"
    return Choice(case=None, summary=summary, saw=saw, parts=parts)


def split(condition: Condition) -> tuple[Condition, ...]:
    """The condition as several that must all hold, of one field each."""
    present = {name: value for name, value in condition if value is not None}
    own: dict[str, object] = present.pop("fields", {})
    if len(present) + len(own) == 1:
        return (condition,)
    aliases = {name: field.alias or name for name, field in Condition.model_fields.items()}
    single = [{aliases[name]: value} for name, value in present.items()]
    single += [{"fields": {name: values}} for name, values in own.items()]
    return tuple(Condition.model_validate(each) for each in single)


def leaves(condition: Condition) -> Iterator[Condition]:
    """The conditions of one field each that it is made of, each about one fact."""
    for part in split(condition):
        below = (*(part.all or ()), *(part.any or ()), *([part.not_] if part.not_ else []))
        if not below:
            yield part
        for each in below:
            yield from leaves(each)


def answer_from(condition: Condition, answers: Mapping[str, bool | None]) -> bool | None:
    """As `evaluate`, from the answers to its leaves by their words. Raises `KeyError`."""
    return _all(_answers(condition, answers))


def _answers(condition: Condition, answers: Mapping[str, bool | None]) -> Iterator[bool | None]:
    for part in split(condition):
        if part.all is not None:
            yield _all(answer_from(each, answers) for each in part.all)
        elif part.any is not None:
            yield _any(answer_from(each, answers) for each in part.any)
        elif part.not_ is not None:
            inner = answer_from(part.not_, answers)
            yield None if inner is None else not inner
        else:
            yield answers[in_words(part)]


def audiences_of(branch: tuple[Case, ...]) -> frozenset[str]:
    """The audiences that a branch asks about."""
    return frozenset().union(*(case.when.audiences() for case in branch if case.when))


def question(branch: tuple[Case, ...]) -> str:
    """The question of a branch, for the Temporal UI: `is in clicked-hello?`."""
    conditions = [case.when for case in branch if case.when]
    if len(conditions) == 1:
        words = in_words(conditions[0])
        return f"is {words}?" if words.startswith(("in ", "not in ")) else f"{words}?"
    return f"which of {len(conditions)}: " + ", ".join(in_words(when) for when in conditions) + "?"


def shortened(words: str) -> str:
    """The words, cut to what Temporal takes as a summary together with a date (400 bytes)."""
    data = words.encode()
    if len(data) <= _MAX_WORDS_BYTES:
        return words
    return data[: _MAX_WORDS_BYTES - len("…".encode())].decode(errors="ignore") + "…"


def in_words(condition: Condition) -> str:
    """The condition for people: `in clicked-hello and age 20-29`."""
    words: list[str] = []
    if condition.audience is not None:
        words.append(f"in {condition.audience}")
    for name in ("gender", "os"):
        if (value := getattr(condition, name)) is not None:
            words.append(f"{name} {value}")
    if condition.age is not None:
        words.append(f"age {_ages(condition.age)}")
    if condition.region is not None:
        words.append(f"region {'/'.join(condition.region)}")
    if condition.language is not None:
        words.append(f"language {'/'.join(condition.language)}")
    for name, values in (condition.fields or {}).items():
        words.append(f"{name} {'/'.join(values)}")
    if condition.all is not None:
        words += [in_words(part) for part in condition.all]
    if condition.any is not None:
        words.append("(" + " or ".join(in_words(part) for part in condition.any) + ")")
    if condition.not_ is not None:
        inner = in_words(condition.not_)
        words.append(f"not ({inner})" if " and " in inner or " or " in inner else f"not {inner}")
    return " and ".join(words)


def _parts(condition: Condition, facts: FriendFacts) -> Iterable[bool | None]:
    if condition.audience is not None:
        yield condition.audience in facts.audiences
    if condition.gender is not None:
        yield None if facts.gender is None else facts.gender == condition.gender
    if condition.age is not None:
        yield None if facts.age is None else _in_range(condition.age, facts.age)
    if condition.region is not None:
        yield None if facts.region is None else _in_region(condition.region, facts.region)
    if condition.os is not None:
        yield None if facts.os is None else facts.os == condition.os
    if condition.language is not None:
        yield None if facts.language is None else _speaks(condition.language, facts.language)
    for name, values in (condition.fields or {}).items():
        known = facts.fields.get(name)
        yield None if known is None else known in values
    if condition.all is not None:
        yield _all(evaluate(part, facts) for part in condition.all)
    if condition.any is not None:
        yield _any(evaluate(part, facts) for part in condition.any)
    if condition.not_ is not None:
        answer = evaluate(condition.not_, facts)
        yield None if answer is None else not answer


def _all(answers: Iterable[bool | None]) -> bool | None:
    answers = list(answers)
    if False in answers:
        return False
    return None if None in answers else True


def _any(answers: Iterable[bool | None]) -> bool | None:
    answers = list(answers)
    if True in answers:
        return True
    return None if None in answers else False


def _in_range(age: Age, years: int) -> bool:
    return (age.from_ is None or age.from_ <= years) and (age.to is None or years <= age.to)


def _in_region(regions: tuple[str, ...], region: str) -> bool:
    return region_code(region) in {region_code(one) for one in regions}


def _speaks(languages: tuple[str, ...], language: str) -> bool:
    """Whether it is one of them: `zh` is any Chinese, `zh-Hant` only that."""
    spoken = language.lower()
    return any(spoken == one.lower() or spoken.startswith(f"{one.lower()}-") for one in languages)


def _ages(age: Age) -> str:
    return f"{'' if age.from_ is None else age.from_}-{'' if age.to is None else age.to}"


def _seen(saw: dict[str, bool | None]) -> str:
    answers = {True: "yes", False: "no", None: "not known"}
    return ", ".join(f"{words}: {answers[answer]}" for words, answer in saw.items())
