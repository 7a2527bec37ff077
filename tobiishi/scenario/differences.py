"""What differs between two scenarios, as a marketer would tell it: pure, and in no language.

Messages are the same where their name is, or where a new name has nearly the old one's words. The
steps around them are laid side by side so that as many as can be are the same; what is left over is
added, removed, or has moved. `tobiishi.scenario.difference_words` has the words.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias, TypeVar

from tobiishi.scenario.model import Case, Scenario, Send, Step, WaitFor
from tobiishi.scenario.parts import Condition

T = TypeVar("T")
_Path: TypeAlias = tuple[str | int, ...]

#: How much of two messages must be the same for one to be the other by a new name, from 0 to 1.
_RENAMED = 0.6
#: Pairs of messages that are compared for that at most; above, only those that are quite the same.
_MOST_COMPARED = 400
#: Pairs of steps in two rows that are weighed at most.
_MOST_LAID_OUT = 250_000
#: Fields of one message object that are told one by one.
_MOST_FIELDS = 8

#: What of a send is beside its messages, and of a scenario beside its steps and audiences.
_OPTIONS = ("any_time", "if_refused", "track_links", "track_images")
_SETTINGS = (
    *("title", "description", "start", "period", "reentry", "timezone", "window", "if_late"),
    "spread",
)
#: The fields of a message that people read.
_TEXTS = frozenset({"text", "altText", "label", "title", "displayText"})


class Word(str):
    """A word of the scenario language, or of LINE's: not what somebody wrote."""


@dataclass(frozen=True, kw_only=True)
class WayOn:
    """One of the ways on from a branch, or from a wait for an audience."""

    #: A branch's condition; None for `otherwise` and for a wait.
    when: Condition | None = None
    #: The audience that a wait is for, and whether this is the way of those who come in time.
    audience: str | None = None
    in_time: bool = False


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Where something stands among the steps, as people find it: by the messages beside it."""

    #: The next message, or where none follows, the one before; None where there is neither.
    before: str | None = None
    after: str | None = None
    #: The way that it stands on; None outside any.
    way: WayOn | None = None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that differs: what happened to the first scenario to make it the second."""

    #: What kind of difference, such as `wait_changed`: one of `difference_words.TEMPLATES`.
    code: str
    #: What it is about: names, parts of the scenarios, `Spot`s.
    params: Mapping[str, Any]


def differences(old: Scenario, new: Scenario) -> list[Difference]:
    """All that differs: settings first, then the steps in the order of the new scenario."""
    renamed = _renamed(old, new)
    compared = _Comparison(old, new, renamed)
    for was, is_ in renamed.items():
        if was != is_:
            compared.add("message_renamed", from_=was, to=is_)
    compared.rows(_Row(steps=old.steps), _Row(steps=new.steps))
    return [*_settings(old, new), *compared.found]


def _settings(old: Scenario, new: Scenario) -> Iterator[Difference]:
    for name in _SETTINGS:
        was, is_ = getattr(old, name), getattr(new, name)
        if was != is_:
            params = {"from": _as_word(was), "to": _as_word(is_)}
            if name in ("title", "description"):
                params = {"from": was, "to": is_}
            yield Difference(code=f"{name}_changed", params=params)
    for code, some, others in (
        ("exit_removed", old.exit, new.exit),
        ("exit_added", new.exit, old.exit),
    ):
        for exit_ in some:
            if exit_ not in others:
                yield Difference(code=code, params={"exit": exit_})
    was, is_ = old.audience_definitions, new.audience_definitions
    for name in sorted(was.keys() | is_.keys()):
        params = {"audience": name, "from": was.get(name), "to": is_.get(name)}
        if name not in is_:
            yield Difference(code="audience_removed", params=params)
        elif name not in was:
            yield Difference(code="audience_added", params=params)
        elif was[name] != is_[name]:
            yield Difference(code="audience_changed", params=params)


def _as_word(value: Any) -> Any:
    return Word(value) if isinstance(value, str) else value


def _sends(scenario: Scenario) -> dict[str, Send]:
    return {step.send.name: step.send for _, step in scenario.walk() if step.send}


def _renamed(old: Scenario, new: Scenario) -> dict[str, str]:
    """The name that each message of the old scenario has in the new one, where it is there."""
    was, is_ = _sends(old), _sends(new)
    gone = [name for name in was if name not in is_]
    came = [name for name in is_ if name not in was]
    if len(gone) * len(came) > _MOST_COMPARED:
        same = {_key(is_[b]): b for b in came}
        pairs = [(1.0, a, same[_key(was[a])]) for a in gone if _key(was[a]) in same]
    else:
        pairs = [(_likeness(was[a], is_[b]), a, b) for a in gone for b in came]
    names = {name: name for name in was if name in is_}
    for likeness, a, b in sorted(pairs, key=lambda pair: -pair[0]):
        if likeness >= _RENAMED and a not in names and b not in names.values():
            names[a] = b
    return names


def _key(send: Send) -> str:
    return json.dumps(send.messages, sort_keys=True)


def _likeness(a: Send, b: Send) -> float:
    """The share of pairs of characters that both have, of their texts: Dice's coefficient."""
    if a.messages == b.messages:
        return 1.0
    one, other = _pairs_of_characters(a), _pairs_of_characters(b)
    return 2 * (one & other).total() / max(1, one.total() + other.total())


def _pairs_of_characters(send: Send) -> Counter[str]:
    texts = (
        str(value)
        for message in send.messages
        for path, value in _leaves(message)
        if path[-1] in _TEXTS
    )
    return Counter(a + b for text in texts for a, b in pairwise(text))


@dataclass(frozen=True, kw_only=True)
class _Row:
    """Steps in a row, and what people find a place in it by."""

    steps: tuple[Step, ...] = ()
    way: WayOn | None = None
    #: The message that follows the row, and the one before it.
    next: str | None = None
    last: str | None = None

    def spot(self, index: int) -> Spot:
        """Where the step of that index stands."""
        before, after = self._before[index], self._after[index]
        return Spot(before=before, after=None if before else after, way=self.way)

    def below(self, index: int) -> list[_Row]:
        """The ways on from the step of that index."""
        return [
            _Row(steps=steps, way=way, next=self._before[index], last=self._after[index])
            for way, steps in _ways(self.steps[index])
        ]

    @cached_property
    def _before(self) -> list[str | None]:
        """The message that follows each step."""
        found, following = [], self.next
        for step in reversed(self.steps):
            found.append(following)
            following = next(iter(_names([step])), following)
        return found[::-1]

    @cached_property
    def _after(self) -> list[str | None]:
        """The message that comes before each step."""
        found, former = [], self.last
        for step in self.steps:
            found.append(former)
            former = next(reversed(_names([step])), former)
        return found


def _ways(step: Step) -> Iterator[tuple[WayOn, tuple[Step, ...]]]:
    if step.wait_for:
        audience = step.wait_for.audience
        yield WayOn(audience=audience, in_time=True), step.wait_for.in_time
        yield WayOn(audience=audience), step.wait_for.too_late
    for case in step.branch or ():
        yield WayOn(when=case.when), case.steps


def _names(steps: Iterable[Step]) -> list[str]:
    """The messages of the steps and of all their ways, in order."""
    found: list[str] = []
    for step in steps:
        if step.send:
            found.append(step.send.name)
        for _, way in step.ways:
            found += _names(way)
    return found


class _Comparison:
    """Lays the steps of two scenarios side by side, and collects what differs."""

    def __init__(self, old: Scenario, new: Scenario, renamed: Mapping[str, str]) -> None:
        self.old, self.new, self.renamed = _sends(old), _sends(new), renamed
        self.former = {b: a for a, b in renamed.items()}
        # Messages are there once, and so are the steps that have some on their ways.
        self.old_steps = [step for _, step in old.walk() if step.ways and _names([step])]
        self.new_steps = [step for _, step in new.walk() if step.ways and _names([step])]
        self.found: list[Difference] = []

    def add(self, code: str, **params: Any) -> None:
        # `from` is a word of Python's own.
        self.found.append(
            Difference(code=code, params={name.rstrip("_"): each for name, each in params.items()})
        )

    def rows(self, old: _Row, new: _Row) -> None:
        for a, b in _pairs(old.steps, new.steps, self._alike):
            if a is None and b is not None:
                self.added(new, b)
            elif b is None and a is not None:
                self.removed(old, a)
            elif a is not None and b is not None:
                self.changed(old, a, new, b)

    def changed(self, old: _Row, a: int, new: _Row, b: int) -> None:
        """The same step on both sides."""
        one, other, place = old.steps[a], new.steps[b], new.spot(b)
        if one == other:
            return
        if one.send and other.send:
            self.sends(one.send, other.send)
        elif one.wait:
            self.add("wait_changed", from_=one.wait, to=other.wait, place=place)
        elif one.tag:
            self.add("tag_changed", from_=one.tag, to=other.tag, place=place)
        elif one.wait_for and other.wait_for:
            self._wait_for(one.wait_for, other.wait_for, place)
            for way, counterpart in zip(old.below(a), new.below(b), strict=True):
                self.rows(way, counterpart)
        else:
            self._cases(one.branch or (), other.branch or (), old.below(a), new.below(b), place)

    def _wait_for(self, one: WaitFor, other: WaitFor, place: Spot) -> None:
        if one.audience != other.audience:
            self.add("wait_for_changed", from_=one.audience, to=other.audience, place=place)
        if one.up_to != other.up_to:
            self.add(
                "limit_changed",
                audience=other.audience,
                from_=one.up_to,
                to=other.up_to,
                place=place,
            )

    def _cases(
        self,
        one: Sequence[Case],
        other: Sequence[Case],
        ways: Sequence[_Row],
        counterparts: Sequence[_Row],
        place: Spot,
    ) -> None:
        asked = [case.when for case in (*one, *other)]

        def alike(a: Case, b: Case) -> int:
            score = self._alike_cases(a, b)
            # A condition that is asked on both sides is not the other's by another name.
            return 0 if score == 1 and max(map(asked.count, (a.when, b.when))) > 1 else score

        pairs = list(_pairs(one, other, alike))
        for a, b in self._crossed(one, other, pairs):
            if b is None and a is not None:
                self.add("case_removed", when=WayOn(when=one[a].when), place=place)
                self._all(ways[a], self.removed)
            elif a is None and b is not None:
                self.add("case_added", when=WayOn(when=other[b].when), place=place)
                self._all(counterparts[b], self.added)
            elif a is not None and b is not None:
                was, is_ = WayOn(when=one[a].when), WayOn(when=other[b].when)
                if was != is_:
                    self.add("condition_changed", from_=was, to=is_, place=place)
                if (a, b) not in pairs:
                    self.add("case_moved", when=is_, place=place)
                self.rows(ways[a], counterparts[b])

    def _crossed(
        self, one: Sequence[Case], other: Sequence[Case], pairs: Sequence[_Pair]
    ) -> list[_Pair]:
        """The pairs, and those cases together that are the same at another place."""
        found = list(pairs)
        for came in [b for a, b in pairs if a is None]:
            for gone in [a for a, b in found if b is None]:
                case, counterpart = one[gone or 0], other[came or 0]
                if self._alike_cases(case, counterpart) > 1:
                    found[found.index((None, came))] = (gone, came)
                    found.remove((gone, None))
                    break
        return found

    def added(self, row: _Row, index: int, *, whole: bool = True) -> None:
        """A step that has no counterpart there; not `whole`: one on a way of such a step."""
        step, place = row.steps[index], row.spot(index)
        if step.send and step.send.name in self.former:
            self.add("message_moved", message=step.send.name, place=place)
            self.sends(self.old[self.former[step.send.name]], step.send)
        elif step in self.old_steps:
            self.add("step_moved", step=step, place=place)
        elif step.send or step.ways or whole:
            self.add(f"{_kind(step)}_added", **_about(step), place=place)
            for way in row.below(index):
                self._all(way, self.added)

    def removed(self, row: _Row, index: int, *, whole: bool = True) -> None:
        """A step that has no counterpart there."""
        step, place = row.steps[index], row.spot(index)
        is_elsewhere = step in self.new_steps or (step.send and step.send.name in self.renamed)
        if is_elsewhere or not (step.send or step.ways or whole):
            return
        self.add(f"{_kind(step)}_removed", **_about(step), place=place)
        for way in row.below(index):
            self._all(way, self.removed)

    def _all(self, row: _Row, visit: Callable[..., None]) -> None:
        for index in range(len(row.steps)):
            visit(row, index, whole=False)

    def sends(self, one: Send, other: Send) -> None:
        """One message, as it was and as it is."""
        for name in _OPTIONS:
            was, is_ = getattr(one, name), getattr(other, name)
            if was != is_:
                self.add(
                    "option_changed",
                    message=other.name,
                    option=Word(name),
                    from_=_as_word(was),
                    to=_as_word(is_),
                )
        for a, b in _pairs(one.messages, other.messages, _alike_objects):
            if a is None and b is not None:
                self.add("object_added", message=other.name, object=other.messages[b])
            elif b is None and a is not None:
                self.add("object_removed", message=other.name, object=one.messages[a])
            elif a is not None and b is not None:
                self._fields(other.name, one.messages[a], other.messages[b])

    def _fields(self, message: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
        was, is_ = dict(_leaves(one)), dict(_leaves(other))
        changed = [path for path in {**was, **is_} if was.get(path, ...) != is_.get(path, ...)]
        for path in changed[:_MOST_FIELDS]:
            self.add(
                "text_changed" if path[-1] in _TEXTS else "field_changed",
                message=message,
                field=Word(".".join(map(str, path))),
                from_=was.get(path),
                to=is_.get(path),
            )
        if more := len(changed[_MOST_FIELDS:]):
            self.add("more_changed", message=message, count=more)

    def _alike(self, a: Step, b: Step) -> int:
        """How much speaks for two steps being the same one; 0: nothing."""
        if a.send and b.send:
            return 10 if self.renamed.get(a.send.name) == b.send.name else 0
        if _kind(a) != _kind(b):
            return 0
        if a == b:
            return 4 + 4 * len(_names([a]))
        same = (a.wait_for and a.wait_for.audience) == (b.wait_for and b.wait_for.audience)
        return 1 + bool(a.wait) + (2 if a.wait_for and same else 0) + 4 * self._shared([a], [b])

    def _alike_cases(self, a: Case, b: Case) -> int:
        if (a.when is None) != (b.when is None):
            return 0
        return 1 + (10 if a.when == b.when else 0) + 4 * self._shared(a.steps, b.steps)

    def _shared(self, a: Iterable[Step], b: Iterable[Step]) -> int:
        """How many messages are in both."""
        return len({self.renamed.get(name) for name in _names(a)} & set(_names(b)))


def _kind(step: Step) -> str:
    return next(
        name
        for name in ("message", "wait", "wait_for", "branch", "tag")
        if getattr(step, "send" if name == "message" else name) is not None
    )


def _about(step: Step) -> dict[str, Any]:
    """What a difference says of a step that is added or removed."""
    if step.send:
        return {"message": step.send.name}
    if step.wait_for:
        return {"audience": step.wait_for.audience, "limit": step.wait_for.up_to}
    if step.branch:
        return {"conditions": tuple(WayOn(when=case.when) for case in step.branch if case.when)}
    return {"wait": step.wait} if step.wait else {"tags": step.tag}


def _alike_objects(a: Mapping[str, Any], b: Mapping[str, Any]) -> int:
    return 10 if a == b else 2 if a.get("type") == b.get("type") else 0


def _leaves(value: Any, path: _Path = ()) -> Iterator[tuple[_Path, Any]]:
    """Each value that is neither a list nor a mapping with something in it, and the way to it."""
    if value in ({}, []):
        yield path, Word(value)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _leaves(each, (*path, str(name)))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, each in enumerate(value):
            yield from _leaves(each, (*path, number))
    else:
        yield path, value


_Pair: TypeAlias = tuple[int | None, int | None]


def _pairs(a: Sequence[T], b: Sequence[T], alike: Callable[[T, T], int]) -> Iterator[_Pair]:
    """The indices of both sides, in order; together where that makes the most likeness in all.

    What is the same at the beginning and at the end is together in any case. Between them it is a
    longest common subsequence with weights; where that would take too long, those are together
    that are alike at the same place.
    """
    start, end = 0, 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    middle, other = a[start : len(a) - end], b[start : len(b) - end]
    long = len(middle) * len(other) > _MOST_LAID_OUT
    between = _at_the_same_place if long else _laid_out
    yield from ((each, each) for each in range(start))
    for i, j in between(middle, other, alike):
        yield None if i is None else start + i, None if j is None else start + j
    yield from ((len(a) - left, len(b) - left) for left in range(end, 0, -1))


def _at_the_same_place(
    a: Sequence[T], b: Sequence[T], alike: Callable[[T, T], int]
) -> Iterator[_Pair]:
    for each in range(max(len(a), len(b))):
        i, j = each if each < len(a) else None, each if each < len(b) else None
        if i is None or j is None or alike(a[i], b[j]):
            yield i, j
        else:
            yield i, None
            yield None, j


def _laid_out(a: Sequence[T], b: Sequence[T], alike: Callable[[T, T], int]) -> Iterator[_Pair]:
    score = [[alike(one, other) for other in b] for one in a]
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in reversed(range(len(a))):
        for j in reversed(range(len(b))):
            together = score[i][j] + best[i + 1][j + 1] if score[i][j] else 0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], together)
    i = j = 0
    while i < len(a) and j < len(b):
        if score[i][j] and best[i][j] == score[i][j] + best[i + 1][j + 1]:
            yield i, j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            yield i, None
            i += 1
        else:
            yield None, j
            j += 1
    yield from ((left, None) for left in range(i, len(a)))
    yield from ((None, left) for left in range(j, len(b)))
