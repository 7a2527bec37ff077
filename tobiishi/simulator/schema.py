"""Checks that report errors as LINE does: a few words, and where.

A `Check` takes a value and its place, and adds to a list of details. A value of the wrong type, or
a property that LINE does not know, ends the whole check at once with a `Rejection`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from tobiishi.line import Detail
from tobiishi.simulator.answers import invalid_property

Details = list[Detail]
Check = Callable[[Any, str, Details], None]

#: How deep objects may lie in each other; flex boxes are the only ones that go deep.
_MAX_DEPTH = 20


def check(value: Any, shape: Check) -> Details:
    """Check a request body. Raises `Rejection`."""
    details: Details = []
    shape(value, "", details)
    return details


def utf16_length(value: str) -> int:
    """The length as LINE counts it.

    https://developers.line.biz/en/docs/messaging-api/text-character-count/
    """
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def text(most: int, *, pattern: str | None = None) -> Check:
    """A text that is not empty, of so many UTF-16 units at most."""
    compiled = re.compile(pattern) if pattern else None

    def run(value: Any, at: str, details: Details) -> None:
        if not isinstance(value, str):
            raise invalid_property(at)
        if not value:
            details.append(Detail(at, "May not be empty"))
        elif utf16_length(value) > most:
            details.append(Detail(at, f"Length must be between 0 and {most}"))
        elif compiled and not compiled.fullmatch(value):
            details.append(Detail(at, "Invalid value"))

    return run


def url(most: int = 2000, *, schemes: tuple[str, ...] = ("https",)) -> Check:
    """An address of one of these schemes."""

    def run(value: Any, at: str, details: Details) -> None:
        before = len(details)
        text(most)(value, at, details)
        if len(details) > before:
            return
        try:
            parts = urlsplit(value)
            good = parts.scheme in schemes and (
                bool(parts.hostname)
                or (parts.scheme not in ("http", "https") and bool(parts.netloc or parts.path))
            )
        except ValueError:
            good = False
        if not good or any(character.isspace() for character in value):
            details.append(Detail(at, f"Must be a valid URL ({', '.join(schemes)})"))

    return run


def number(least: float, most: float, *, whole: bool = True) -> Check:
    def run(value: Any, at: str, details: Details) -> None:
        kinds = int if whole else (int, float)
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise invalid_property(at)
        if not least <= value <= most:
            details.append(Detail(at, f"Must be between {least} and {most}"))

    return run


def boolean(value: Any, at: str, details: Details) -> None:
    if not isinstance(value, bool):
        raise invalid_property(at)


def anything(value: Any, at: str, details: Details) -> None:
    """Left to LINE."""


def one_of(*values: str) -> Check:
    def run(value: Any, at: str, details: Details) -> None:
        if value not in values:
            raise invalid_property(at)

    return run


def array(item: Check, least: int, most: int) -> Check:
    def run(value: Any, at: str, details: Details) -> None:
        if not isinstance(value, list):
            raise invalid_property(at)
        if not least <= len(value) <= most:
            details.append(Detail(at, f"Size must be between {least} and {most}"))
            return
        for index, each in enumerate(value):
            item(each, f"{at}[{index}]", details)

    return run


def obj(
    required: Mapping[str, Check],
    optional: Mapping[str, Check] | None = None,
    *,
    others: bool = False,
) -> Check:
    """An object with these properties; `others` lets it have any besides."""
    known = {**required, **(optional or {})}

    def run(value: Any, at: str, details: Details) -> None:
        if not isinstance(value, dict) or at.count(".") > 2 * _MAX_DEPTH:
            raise invalid_property(at)
        for name in value:
            if name not in known and not others:
                raise invalid_property(_join(at, name))
        for name, shape in known.items():
            given = value.get(name)
            if given is not None:
                shape(given, _join(at, name), details)
            elif name in required:
                details.append(Detail(_join(at, name), "May not be empty"))

    return run


def by_type(variants: Mapping[str, Check]) -> Check:
    """An object whose `type` determines its other properties."""

    def run(value: Any, at: str, details: Details) -> None:
        if not isinstance(value, dict):
            raise invalid_property(at)
        kind = value.get("type")
        if kind is None:
            details.append(Detail(_join(at, "type"), "May not be empty"))
        elif not isinstance(kind, str) or kind not in variants:
            raise invalid_property(_join(at, "type"))
        else:
            variants[kind](value, at, details)

    return run


def both(first: Check, second: Check) -> Check:
    """The second check where the first finds nothing."""

    def run(value: Any, at: str, details: Details) -> None:
        before = len(details)
        first(value, at, details)
        if len(details) == before:
            second(value, at, details)

    return run


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name
