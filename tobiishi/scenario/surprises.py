"""What YAML makes of a text that its author did not mean: comments, numbers, folded lines, nothing.

YAML itself is content with all of these, and the text that is sent is another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ruamel.yaml.events import (
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)

Path: TypeAlias = tuple[str | int, ...]

#: Fields of messages that people read, at any depth.
_READ = frozenset({"text", "altText", "title", "label", "displayText", "fillInText", "address"})
#: Other fields of messages that are texts.
_CODES = frozenset(
    {"data", "uri", "url", "packageId", "stickerId", "productId", "emojiId", "couponId"}
)
#: Line breaks as YAML counts them.
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_COMMENT = re.compile(r"[ \t]+(#.*)")
_HASHTAG_LINE = re.compile(r"([ \t]+)(#[^\s#].*)")

_MEND_HASH = 'put the whole text in "quotes", or the comment in a line of its own'


@dataclass(frozen=True, kw_only=True)
class Surprise:
    """A text that is not what it looks like."""

    #: Both from 0.
    line: int
    column: int
    path: Path
    message: str
    #: Whether the file is refused, because the text would certainly be another one.
    is_certain: bool


@dataclass(frozen=True, kw_only=True)
class Scalar:
    """A value as it is written, and where."""

    event: ScalarEvent
    path: Path
    #: At which column its field begins, from 0.
    indent: int
    #: Line and column, from 0, at which its field's name ends; None in a list.
    name_end: tuple[int, int] | None


@dataclass
class _Open:
    """A list or mapping whose end has not come yet."""

    path: Path
    is_mapping: bool
    count: int = 0
    key: str = ""
    indent: int = 0
    name_end: tuple[int, int] | None = None


def values_in(events: Iterable[Event]) -> Iterator[Scalar]:
    """The scalar values of a file, with their paths; its names are none."""
    open_: list[_Open] = []
    for event in events:
        if isinstance(event, CollectionEndEvent):
            open_.pop()
            continue
        if not isinstance(event, ScalarEvent | CollectionStartEvent):
            continue
        path: Path = ()
        indent = 0
        if open_:
            around = open_[-1]
            around.count += 1
            if around.is_mapping and around.count % 2 == 1:
                around.key = event.value if isinstance(event, ScalarEvent) else ""
                around.indent = event.start_mark.column
                around.name_end = (event.end_mark.line, event.end_mark.column)
                continue
            part = around.key if around.is_mapping else around.count - 1
            path, indent = (*around.path, part), around.indent
        if isinstance(event, ScalarEvent):
            name_end = open_[-1].name_end if open_ and open_[-1].is_mapping else None
            yield Scalar(event=event, path=path, indent=indent, name_end=name_end)
        else:
            is_mapping = isinstance(event, MappingStartEvent)
            open_.append(_Open(path=path, is_mapping=is_mapping, indent=indent))


def surprises(text: str, scalars: Iterable[Scalar], tree: Any) -> Iterator[Surprise]:
    """What the texts of a file became that their author did not mean.

    `tree` is what YAML read, in plain lists and mappings.
    """
    lines = _LINE_BREAK.split(text)
    for scalar in scalars:
        mark = scalar.event.start_mark
        # YAML looks for a value that isn't there down to the next field.
        line, column = (mark.line, mark.column) if scalar.event.value else _end(scalar)
        for message, is_certain in (
            *_on_comments(scalar, lines),
            *_on_lines(scalar, lines),
            *_on_value(scalar, tree),
        ):
            yield Surprise(
                line=line,
                column=column,
                path=scalar.path,
                message=message,
                is_certain=is_certain,
            )


def _on_comments(scalar: Scalar, lines: list[str]) -> Iterator[tuple[str, bool]]:
    event = scalar.event
    end_line, end_column = _end(scalar)
    if not _is_text(scalar.path) or event.style in ("|", ">"):
        return
    rest = lines[end_line][end_column:] if end_line < len(lines) else ""
    if not event.value and event.style is None:
        rest = rest.lstrip().removeprefix(":")
    if found := _COMMENT.match(rest):
        comment = found[1]
        is_hashtag = comment[1:2] not in ("", " ", "\t", "#")
        if event.style is None:
            yield (
                f"YAML takes {comment!r:.60} for a comment, so that it is left out; {_MEND_HASH}",
                is_hashtag,
            )
        elif is_hashtag:
            yield f"{comment!r:.60} is a comment, and is left out; put it inside the quotes", False
        return
    if event.style is not None or rest.strip() or end_line + 1 >= len(lines):
        return
    below = _HASHTAG_LINE.fullmatch(lines[end_line + 1])
    if below and len(below[1]) > scalar.indent:
        yield (
            f"YAML takes {below[2]!r:.60} below it for a comment, so that it is left out; put the "
            "lines of a text below a `|-`",
            True,
        )


def _end(scalar: Scalar) -> tuple[int, int]:
    """Line and column at which the value ends, or its field's name where there is no value."""
    mark = scalar.event.end_mark
    if scalar.event.style is None and not scalar.event.value and scalar.name_end:
        return scalar.name_end
    return mark.line, mark.column


def _on_lines(scalar: Scalar, lines: list[str]) -> Iterator[tuple[str, bool]]:
    event = scalar.event
    if not _is_in_message(scalar.path) or scalar.path[-1] not in _READ:
        return
    start, end = event.start_mark.line, event.end_mark.line
    is_folded = event.style in (None, "'", '"') and start != end
    # A \ at the end of a line is how one wants that.
    if is_folded and not any(line.endswith("\\") for line in lines[start:end]):
        yield "the line breaks in it become blanks; put the lines below a `|-` to keep them", False
    if event.style != '"' and "\\n" in event.value:
        yield (
            r"\n is sent as it is written; put the lines below a `|-`, or all in double quotes",
            False,
        )


def _on_value(scalar: Scalar, tree: Any) -> Iterator[tuple[str, bool]]:
    """On what is no text, though one may have been meant. The reader knows more on its own."""
    event, path = scalar.event, scalar.path
    if event.style is not None:
        return
    value, written = _at(tree, path), event.value
    # What a message itself must have is checked with the message.
    is_deep = _is_in_message(path) and len(path) - path.index("messages") > 3
    if value is None and _is_in_message(path) and (is_deep or path[-1] not in _READ | _CODES):
        yield (
            f"{path[-1]!r:.60} has nothing behind it; where it belongs to the text before it, put "
            'that text in "quotes"'
            if not written
            else f'{written} is nothing to YAML; put it in "quotes", or leave {path[-1]!r:.60} out',
            True,
        )
    elif isinstance(value, bool | int | float) and is_deep and path[-1] in _READ | _CODES:
        yield f'{written:.60} is not text to YAML; put it in "quotes"', True
    elif (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and str(value) != written
        and not _is_in_message(path)
    ):
        yield f"{written:.60} is the number {value} to YAML; write {value}", False


def _at(tree: Any, path: Path) -> Any:
    for part in path:
        if isinstance(tree, Mapping):
            tree = tree.get(part, "")
        elif isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            return ""
    return tree


def _is_in_message(path: Path) -> bool:
    return (
        "send" in path and "messages" in path and path.index("send") + 1 == path.index("messages")
    )


def _is_text(path: Path) -> bool:
    """Whether people write a text there, and not a name, a number or one of a few words."""
    if _is_in_message(path):
        return path[-1] in _READ | _CODES
    if path in (("title",), ("description",)):
        return True
    names = [part for part in path if isinstance(part, str)]
    last = names[-1] if names else ""
    return (
        (path[:1] == ("audiences",) and last in ("title", "tag", "url", "equals", "contains"))
        or (last in ("add", "remove") and "tag" in names)
        or names[-2:-1] == ["fields"]
        or last in ("region", "starts_with")
    )
