"""Reading a scenario file: YAML in, a scenario out, or every problem with its line and its fix.

YAML is read as version 1.2, where `10:00` is a time to be read and not a number in base 60.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
)

from tobiishi.scenario import model
from tobiishi.scenario.messages import MessageProblems
from tobiishi.scenario.model import Scenario

#: Bytes. A scenario of hundreds of steps is far smaller.
LARGEST = 1_000_000
_DEEPEST = 60

Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with a scenario file."""

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

    def problem(self, path: Path, message: str) -> Problem:
        """A problem with the part at `path`, or the nearest around it that the file has."""
        here, node, line, column = 0, self._tree, 0, 0
        for part in path:
            if isinstance(node, CommentedMap) and part in node:
                line, column = node.lc.key(part)
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                line, column = node.lc.item(part)
            else:
                break
            here, node = here + 1, node[part]
        named = path if _all_named(path[here:]) else path[:here]
        return Problem(line=line + 1, column=column + 1, field=in_words(named), message=message)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A scenario, and where its parts stand in its file."""

    scenario: Scenario
    text: str
    map: SourceMap


def read(data: str | bytes, *, timezone: str = "Asia/Tokyo") -> Source:
    """The scenario of a file. Raises `ScenarioError` with all that is wrong.

    `timezone` is that of a scenario that names none.
    """
    text = _text(data)
    tree = _tree(text)
    where = SourceMap(tree)
    plain = _plain(tree)
    if isinstance(plain, dict):
        plain.setdefault("timezone", timezone)
    try:
        scenario = Scenario.model_validate(plain)
    except ValidationError as error:
        raise ScenarioError(list(_problems(error, where))) from None
    if problems := [where.problem(path, said) for path, said in _doubled_names(scenario)]:
        raise ScenarioError(problems)
    return Source(scenario=scenario, text=text, map=where)


def read_scenario(data: str | bytes, *, timezone: str = "Asia/Tokyo") -> Scenario:
    """The scenario of a file, where nobody asks for lines."""
    return read(data, timezone=timezone).scenario


def in_words(path: Path) -> str:
    """A path as people write it: `steps[1].wait.at`."""
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return words.removeprefix(".")


def _text(data: str | bytes) -> str:
    if len(data) > LARGEST:
        raise _refused(0, 0, f"the file is over {LARGEST:,} bytes; split the scenario")
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n")
        raise _refused(line, 0, "the file is not UTF-8; save it as UTF-8") from None


def _tree(text: str) -> Any:
    yaml = YAML(typ="rt", pure=True)
    try:
        for event in _events(yaml, text):
            if isinstance(event, AliasEvent):
                raise _refused_at(event, "anchors and aliases are not taken; write the part out")
        tree = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(filter(None, [error.problem, error.context])).strip()
        raise _refused(
            mark.line if mark else 0,
            mark.column if mark else 0,
            f"this is not YAML: {said}; check quotes, colons and indentation here",
        ) from None
    except (YAMLError, ValueError) as error:
        raise _refused(0, 0, f"this is not YAML: {error}") from None
    if not isinstance(tree, CommentedMap):
        raise _refused(0, 0, "a scenario is a mapping; begin with `scenario: its-name`")
    return tree


def _events(yaml: YAML, text: str) -> Iterator[Event]:
    depth = documents = 0
    for event in yaml.parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        documents += isinstance(event, DocumentStartEvent)
        if depth > _DEEPEST:
            raise _refused_at(event, f"nested over {_DEEPEST} levels deep; make it flatter")
        if documents > 1:
            raise _refused_at(
                event, "one file holds one scenario; put the second in a file of its own"
            )
        yield event


def _plain(node: Any) -> Any:
    """The tree without ruamel's own types."""
    if isinstance(node, CommentedMap):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _problems(error: ValidationError, where: SourceMap) -> Iterator[Problem]:
    for details in error.errors(include_url=False):
        if _only_follows(details):
            continue
        path = tuple(part for part in details["loc"] if not str(part).startswith("_"))
        cause = details.get("ctx", {}).get("error")
        if isinstance(cause, MessageProblems):
            for below, said in cause.problems:
                yield where.problem((*path, *below), said)
        else:
            yield where.problem(path, _said(details))


def _only_follows(details: ErrorDetails) -> bool:
    """Whether a list counts as too short only because its items were wrong, which is said."""
    if details["type"] != "too_short" or not isinstance(details["input"], Sequence):
        return False
    return len(details["input"]) >= int(details["ctx"]["min_length"])


def _said(details: ErrorDetails) -> str:
    name, value, limits = (
        details["loc"][-1] if details["loc"] else "",
        details["input"],
        details.get("ctx", {}),
    )
    match details["type"]:
        case "missing":
            return f"{name} is missing; add it"
        case "extra_forbidden":
            return f"{name!r} is not known here; {_nearest(str(name))}"
        case "string_pattern_mismatch":
            return (
                f"{value!r} can't be a name; use lower-case letters, digits and hyphens, "
                "such as summer-sale"
            )
        case "string_type":
            return f'{value!r} is not text; put it in "quotes"'
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
            return f"{value!r} is not a mapping; write it as `name: value`"
        case "tuple_type":
            return f"{value!r} is not a list; begin each item with `- `"
        case _:
            return f"{details['msg'][0].lower()}{details['msg'][1:]}; it is {value!r}"


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, _known_names(), n=1)
    return f"did you mean {near[0]!r}?" if near else "leave it out"


def _known_names() -> list[str]:
    parts = (part for part in vars(model).values() if isinstance(part, type))
    models = (part for part in parts if issubclass(part, BaseModel))
    return sorted(
        {field.alias or name for part in models for name, field in part.model_fields.items()}
    )


def _doubled_names(scenario: Scenario) -> Iterator[tuple[Path, str]]:
    seen: set[str] = set()
    for path, step in scenario.walk():
        if step.send and step.send.name in seen:
            yield (
                (*path, "send", "name"),
                f"another message is called {step.send.name!r} too; give each its own name",
            )
        if step.send:
            seen.add(step.send.name)


def _all_named(parts: Path) -> bool:
    return all(isinstance(part, str) for part in parts) and len(parts) <= 1


def _refused_at(event: Event, message: str) -> ScenarioError:
    return _refused(event.start_mark.line, event.start_mark.column, message)


def _refused(line: int, column: int, message: str) -> ScenarioError:
    return ScenarioError([Problem(line=line + 1, column=column + 1, field="", message=message)])
