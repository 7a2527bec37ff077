"""Reading a scenario file: YAML in, a scenario out, or every problem with its line and its fix.

YAML is read as version 1.2, where `10:00` is a time to be read and not a number in base 60.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.resolver import VersionedResolver

from tobiishi.scenario.messages import MessageProblems
from tobiishi.scenario.model import REENTRY_FORMS, Scenario
from tobiishi.scenario.surprises import Scalar, Surprise, surprises, values_in

#: Characters. A scenario of hundreds of steps is far smaller.
MAX_FILE_CHARS = 300_000
_MAX_DEPTH = 60

#: The right form of a part that has the wrong type.
_EXAMPLES = {
    "age": "{from: 20, to: 29}",
    "exit": "- joins: its-name",
    "messages": "- {type: text, text: ようこそ}",
    "period": '{until: "2030-12-31"}',
    "reentry": "{after_days: 30}",
    "send": "{name: its-name, messages: […]}",
    "start": "{audience: its-name}",
    "tag": "{add: its-name}",
    "up_to": "{days: 2}",
    "wait_for": "{audience: its-name, up_to: {days: 2}, in_time: […], too_late: […]}",
    "wait": '{days: 3, at: "10:00"}',
    "when": "{audience: its-name}",
    "window": '{from: "09:00", to: "21:00"}',
}

#: Whole numbers as YAML has them.
_NUMBER = re.compile(r"[-+]?(0x[0-9A-Fa-f_]+|0[ob]?[0-7_]+|[0-9_]+)")

SourcePath = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One error in a scenario file."""

    #: Both from 1.
    line: int
    column: int
    #: Where in the scenario: `steps[1].wait.at`.
    field: str
    #: What is wrong, and what to do.
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.field or 'the file'}: {self.message}"


class ScenarioError(Exception):
    """A scenario file that can't be published. Its text has a line for each problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def as_dicts(self) -> list[dict[str, Any]]:
        """The problems as JSON has them."""
        return [asdict(problem) for problem in self.problems]


class SourceMap:
    """Where in the file each part of a scenario stands."""

    def __init__(self, tree: Any) -> None:
        self._tree = tree

    def problem(
        self, path: SourcePath, message: str, *, named: SourcePath | None = None
    ) -> Problem:
        """A problem with the part at `path`, or the nearest around it that the file has.

        `named` is what to call it, where that is something else.
        """
        here, node, line, column = 0, self._tree, 0, 0
        for part in path:
            if isinstance(node, CommentedMap) and part in node:
                line, column = node.lc.key(part)
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                line, column = node.lc.item(part)
            else:
                break
            here, node = here + 1, node[part]
        if named is None:
            named = path if _all_named(path[here:]) else path[:here]
        return Problem(line=line + 1, column=column + 1, field=in_words(named), message=message)


@dataclass(frozen=True, kw_only=True)
class ScenarioSource:
    """A scenario, and where its parts stand in its file."""

    scenario: Scenario
    text: str
    map: SourceMap
    #: What YAML made of texts that was perhaps not meant.
    warnings: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Tree:
    """What YAML made of a file."""

    #: Plain lists and mappings.
    plain: Any
    map: SourceMap
    problems: list[Problem]
    warnings: list[Problem]


def read(data: str | bytes, *, timezone: str = "Asia/Tokyo") -> ScenarioSource:
    """The scenario of a file. Raises `ScenarioError` with all that is wrong.

    `timezone` is that of a scenario that names none.
    """
    text = _text(data)
    tree = _read_tree(text)
    where, plain, problems = tree.map, tree.plain, tree.problems
    problems += [where.problem(path, message) for path, message in _doubled_names(plain)]
    problems += [where.problem(path, message) for path, message in _unknown_messages(plain)]
    plain.setdefault("timezone", timezone)
    try:
        scenario = Scenario.model_validate(plain)
    except ValidationError as error:
        raise ScenarioError([*problems, *_problems(error, where)]) from None
    if problems:
        raise ScenarioError(problems)
    return ScenarioSource(scenario=scenario, text=text, map=where, warnings=tree.warnings)


def read_mapping(data: str | bytes) -> tuple[dict[str, Any], list[Problem]]:
    """The mapping of any YAML file, and warnings. Raises `ScenarioError` as a scenario does."""
    tree = _read_tree(_text(data))
    if tree.problems:
        raise ScenarioError(tree.problems)
    return tree.plain, tree.warnings


def _read_tree(text: str) -> _Tree:
    read_by_yaml, scalars = _tree(text)
    where = SourceMap(read_by_yaml)
    problems: list[Problem] = []
    plain = _plain(read_by_yaml, where, problems)
    found = list(surprises(text, scalars, plain))
    problems += [_problem_of(surprise) for surprise in found if surprise.is_certain]
    warnings = [_problem_of(surprise) for surprise in found if not surprise.is_certain]
    return _Tree(plain=plain, map=where, problems=problems, warnings=warnings)


def _problem_of(surprise: Surprise) -> Problem:
    return Problem(
        line=surprise.line + 1,
        column=surprise.column + 1,
        field=in_words(surprise.path),
        message=surprise.message,
    )


def read_scenario(data: str | bytes, *, timezone: str = "Asia/Tokyo") -> Scenario:
    """The scenario of a file, without line numbers."""
    return read(data, timezone=timezone).scenario


def in_words(path: SourcePath) -> str:
    """A path as people write it: `steps[1].wait.at`."""
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return words.removeprefix(".")


def _text(data: str | bytes) -> str:
    if len(data) > 4 * MAX_FILE_CHARS:  # Not even worth decoding.
        raise _too_large()
    if isinstance(data, str):
        text = data
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n")
            raise _refused(line, 0, "the file is not UTF-8; save it as UTF-8") from None
    if len(text) > MAX_FILE_CHARS:
        raise _too_large()
    return text.removeprefix("\ufeff")


def _too_large() -> ScenarioError:
    return _refused(0, 0, f"the file is over {MAX_FILE_CHARS:,} characters; split the scenario")


class _Resolver(VersionedResolver):
    """Leaves dates as they are written: the model parses them."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        tag = super().resolve(kind, value, implicit)
        return self.DEFAULT_SCALAR_TAG if str(tag) == "tag:yaml.org,2002:timestamp" else tag


def _tree(text: str) -> tuple[Any, list[Scalar]]:
    yaml = YAML(typ="rt", pure=True)
    yaml.Resolver = _Resolver
    try:
        scalars = list(values_in(_usual(_events(yaml, text))))
        tree = yaml.load(text)
    except DuplicateKeyError as error:
        mark = error.problem_mark
        raise _refused(mark.line, mark.column, f"{_doubled_key(error)}; keep one") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else 0
        message = " ".join(filter(None, [error.problem, error.context])).strip()
        raise _refused(
            line,
            mark.column if mark else 0,
            f"this is not YAML: {message}; {_likely_fix(text, line)}",
        ) from None
    except ReaderError as error:
        line = text[: error.position].count("\n")
        raise _refused(
            line, 0, f"the character {_character(error)!r} can't be in YAML; take it out"
        ) from None
    except (YAMLError, ValueError) as error:
        raise _refused(0, 0, f"this is not YAML: {error}") from None
    if not isinstance(tree, CommentedMap):
        raise _refused(0, 0, "a scenario is a mapping; begin with `scenario: its-name`")
    return tree, scalars


def _usual(events: Iterator[Event]) -> Iterator[Event]:
    for event in events:
        _refuse_unusual(event)
        yield event


def _events(yaml: YAML, text: str) -> Iterator[Event]:
    documents = 0
    # Of each open mapping how many keys and values it has so far; None of a list.
    open_: list[int | None] = []
    for event in yaml.parse(text):
        documents += isinstance(event, DocumentStartEvent)
        if documents > 1:
            raise _refused_at(
                event, "one file holds one scenario; put the second in a file of its own"
            )
        if isinstance(event, NodeEvent) and open_ and (parts := open_[-1]) is not None:
            if parts % 2 == 0 and isinstance(event, CollectionStartEvent):
                # Mostly an unquoted {{ … }}, which is to YAML a mapping in a mapping.
                raise _refused_at(event, f"a list or mapping can't be a name; {_QUOTE}")
            open_[-1] = parts + 1
        if isinstance(event, CollectionStartEvent):
            open_.append(0 if isinstance(event, MappingStartEvent) else None)
        elif isinstance(event, CollectionEndEvent):
            open_.pop()
        if len(open_) > _MAX_DEPTH:
            raise _refused_at(event, f"nested over {_MAX_DEPTH} levels deep; make it flatter")
        yield event


def _refuse_unusual(event: Event) -> None:
    """Refuse YAML features that make a file mean something other than it shows."""
    if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
        raise _refused_at(event, "anchors and aliases are not taken; write the part out")
    if isinstance(event, DocumentStartEvent) and (event.version or event.tags):
        raise _refused_at(event, "YAML directives are not taken; leave the line with % out")
    if getattr(event, "tag", None):
        raise _refused_at(event, "YAML tags are not taken; leave the word with ! out")
    if isinstance(event, ScalarEvent) and event.style is None:
        if event.value == "<<":
            raise _refused_at(event, "merge keys are not taken; write the part out")
        # Of thousands of digits, Python shows no number, so it could not even be complained of.
        if len(event.value) > 40 and _NUMBER.fullmatch(event.value):
            raise _refused_at(event, 'the number is too long; put it in "quotes"')


_QUOTE = 'put a text that has {{ or {% in "quotes", or below a `|-`'


def _likely_fix(text: str, line: int) -> str:
    # A scanner may notice an error only on the next line.
    near = text.splitlines()[max(line - 1, 0) : line + 1]
    if any(re.search(r"[:\-,\[{]\s*(\{\{|\{%)", part) for part in near):
        return _QUOTE
    if any(re.search(r"\s#[^\s#]", part) for part in near):
        return 'a # behind a blank begins a comment: put the text that has it in "quotes"'
    return "check quotes, colons and indentation here"


def _character(error: ReaderError) -> str:
    return chr(error.character) if isinstance(error.character, int) else str(error.character)


def _doubled_key(error: DuplicateKeyError) -> str:
    key = re.search(r'key "(.*?)" with value', str(error.problem), re.S)
    return f"{key[1]!r:.60} is here twice" if key else "a name is here twice"


def _plain(node: Any, where: SourceMap, problems: list[Problem], path: SourcePath = ()) -> Any:
    """The tree without ruamel's own types. Adds what no scenario can hold to the problems."""
    if isinstance(node, CommentedMap):
        plain = {}
        for key, value in node.items():
            if isinstance(key, str):
                plain[_text_of(key, where, problems, path)] = _plain(
                    value, where, problems, (*path, str(key))
                )
            else:
                message = f'{key!r:.60} is not a name; put it in "quotes"'
                problems.append(where.problem((*path, key), message, named=path))
        return plain
    if isinstance(node, CommentedSeq):
        return [
            _plain(value, where, problems, (*path, number)) for number, value in enumerate(node)
        ]
    if isinstance(node, str):
        return _text_of(node, where, problems, path)
    for kind in (bool, int, float):
        if isinstance(node, kind):
            return kind(node)
    return node


def _text_of(node: str, where: SourceMap, problems: list[Problem], path: SourcePath) -> str:
    """A text that can be stored and sent. JSON's `\\ud83d\\ude00` is one character here too."""
    try:
        text = node.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        problems.append(where.problem(path, "half of a character is missing here; write it whole"))
        return ""
    if "\0" in text:
        problems.append(where.problem(path, "a text can't hold the character \\0; take it out"))
    return text


def _problems(error: ValidationError, where: SourceMap) -> Iterator[Problem]:
    for details in error.errors(include_url=False):
        if _only_follows(details):
            continue
        path = details["loc"]
        if path[:1] == ("reentry",) and path[1:2] and path[1] in REENTRY_FORMS:
            path = (path[0], *path[2:])
        if path[:1] == ("audiences",):  # Behind the name comes the kind, which is not a place.
            path = (*path[:2], *path[3:])
        cause = details.get("ctx", {}).get("error")
        if isinstance(cause, MessageProblems):
            for below, message in cause.problems:
                yield where.problem((*path, *below), message)
        else:
            yield where.problem(path, _message(details))


def _only_follows(details: ErrorDetails) -> bool:
    """Whether a list counts as too short only because its items were wrong, as reported."""
    if details["type"] != "too_short" or not isinstance(details["input"], Sequence):
        return False
    return len(details["input"]) >= int(details["ctx"]["min_length"])


def _message(details: ErrorDetails) -> str:
    name, value, limits = (
        details["loc"][-1] if details["loc"] else "",
        details["input"],
        details.get("ctx", {}),
    )
    shown = "nothing" if value is None else f"{value!r:.60}"
    match details["type"]:
        case "missing":
            return f"{name} is missing; add it"
        case "extra_forbidden":
            return f"{name!r:.60} is not known here; {_instead(str(name), details['loc'][:-1])}"
        case "string_pattern_mismatch":
            return (
                f"{shown} can't be a name; use lower-case letters, digits and hyphens, "
                "such as summer-sale"
            )
        case "string_type":
            return f'{shown} is not text; put it in "quotes"'
        case "string_too_short":
            return "the text is empty; write something"
        case "string_too_long":
            return (
                f"the text has {len(value)} characters; "
                f"at most {limits.get('max_length')} are taken"
            )
        case "int_type":
            return f"{shown} is not a whole number; write it as `{name}: 3`"
        case "greater_than_equal":
            return f"{shown} is too small; at least {limits.get('ge')} is needed"
        case "less_than_equal":
            return f"{shown} is too large; at most {limits.get('le')} is taken"
        case "bool_type" | "bool_parsing":
            return f"{shown} is neither true nor false; write one of them"
        case "literal_error":
            return f"{shown} is not known here; use {limits.get('expected')}"
        case "none_required":
            return f"{name} stands alone; put its steps below, in `steps:` beside it"
        case "too_short":
            return f"at least {limits.get('min_length')} is needed"
        case "too_long":
            return (
                f"there are {limits.get('actual_length')}; "
                f"at most {limits.get('max_length')} are taken"
            )
        case "value_error":
            return str(limits.get("error"))
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{shown} is not a mapping; write it as `{_example(details, 'name: value')}`"
        case "tuple_type":
            return f"{shown} is not a list; write it as `{_example(details, '- …')}`"
        case _:
            return f"{details['msg'][0].lower()}{details['msg'][1:]}; it is {shown}"


def _example(details: ErrorDetails, otherwise: str) -> str:
    names = [part for part in details["loc"] if isinstance(part, str) and part in _EXAMPLES]
    last = names[-1] if names else ""
    # An item of a list is called by the list.
    if last in details["loc"][-2:]:
        example = _EXAMPLES[last]
        in_list = isinstance(details["loc"][-1], int)
        return example.removeprefix("- ") if in_list else example
    return otherwise


def _instead(name: str, at: SourcePath) -> str:
    """What to write for a name that is not known at a place: only what is known just there."""
    names = _names_known_at(at)
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.7)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"no such thing exists; what does here: {', '.join(names)}"


def _names_known_at(at: SourcePath) -> list[str]:
    """The names that a mapping at that path of a scenario may have."""
    here: list[Any] = [Scenario]
    for part in at:
        # Some parts of the path tell the forms of a value apart, and name no place.
        here = [below for each in here for below in _below(each, part)] or here
    return sorted({name for each in here for model_ in _models(each) for name in _fields(model_)})


def _below(annotation: Any, part: str | int) -> Iterator[Any]:
    """What stands at that name, or number, of a value of this type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        found = _fields(annotation).get(str(part))
        yield from [] if found is None else [found]
    elif get_origin(annotation) is dict:
        yield get_args(annotation)[1]
    elif get_origin(annotation) in (tuple, list):
        yield from [get_args(annotation)[0]] if isinstance(part, int) else []
    else:
        for each in get_args(annotation):
            if tagged := [model_ for model_ in _models(each) if _kind_of(model_) == part]:
                yield from tagged
            else:
                yield from _below(each, part)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The kinds of mapping that a value of this type may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) not in (dict, tuple, list):
        for each in get_args(annotation):
            yield from _models(each)


def _kind_of(model_: type[BaseModel]) -> str | None:
    values = get_args(_fields(model_).get("kind"))
    return values[0] if values else None


@cache
def _fields(model_: type[BaseModel]) -> dict[str, Any]:
    """The types of a mapping's values, by the names that a file has for them."""
    types = get_type_hints(model_, include_extras=True)
    return {each.alias or name: types[name] for name, each in model_.model_fields.items()}


def _doubled_names(plain: Any) -> Iterator[tuple[SourcePath, str]]:
    """Messages that share a name; reported beside a scenario's other problems."""
    seen: set[str] = set()
    for path, name in _names(plain, ()):
        if name in seen:
            yield path, f"another message is called {name!r:.60} too; give each its own name"
        seen.add(name)


def _unknown_messages(plain: Any) -> Iterator[tuple[SourcePath, str]]:
    """Audiences of a message that this scenario does not send: nobody would ever be in them."""
    audiences = plain.get("audiences")
    sent = [name for _, name in _names(plain, ())]
    for name, definition in audiences.items() if isinstance(audiences, dict) else ():
        if not isinstance(definition, dict) or definition.get("kind") not in (
            "click",
            "impression",
        ):
            continue
        message = definition.get("message")
        is_own = definition.get("scenario", plain.get("scenario")) == plain.get("scenario")
        if is_own and isinstance(message, str) and message not in sent:
            near = difflib.get_close_matches(message, sent, n=1) or sent[:1]
            fix = f"did you mean {near[0]!r}?" if near else "name one that it sends"
            yield (
                ("audiences", name, "message"),
                f"no message of this scenario is called {message!r:.60}; {fix}",
            )


def _names(node: Any, path: SourcePath) -> Iterator[tuple[SourcePath, str]]:
    """The names of all messages below, as they are found in steps and on their ways."""
    for way in ("steps", "in_time", "too_late"):
        steps = node.get(way) if isinstance(node, dict) else None
        for number, step in enumerate(steps if isinstance(steps, list) else ()):
            here = (*path, way, number)
            if not isinstance(step, dict):
                continue
            send, branch = step.get("send"), step.get("branch")
            if isinstance(send, dict) and isinstance(send.get("name"), str):
                yield (*here, "send", "name"), send["name"]
            for case_number, case in enumerate(branch if isinstance(branch, list) else ()):
                yield from _names(case, (*here, "branch", case_number))
            yield from _names(step.get("wait_for"), (*here, "wait_for"))


def _all_named(parts: SourcePath) -> bool:
    return all(isinstance(part, str) for part in parts) and len(parts) <= 1


def _refused_at(event: Event, message: str) -> ScenarioError:
    return _refused(event.start_mark.line, event.start_mark.column, message)


def _refused(line: int, column: int, message: str) -> ScenarioError:
    return ScenarioError([Problem(line=line + 1, column=column + 1, field="", message=message)])
