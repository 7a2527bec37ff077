"""Numbers in the shop's own attributes: stored as texts, compared as numbers.

Liquid refuses to compare a text with a number, and compares "20" and "100" character by character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import Any

from liquid.builtin.expressions import logical
from liquid.builtin.tags import case_tag

#: Characters. What is longer is not a number that anybody compares.
_MAX_NUMBER_CHARS = 40
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?")

_notes: ContextVar[list[str] | None] = ContextVar("notes", default=None)


class OwnText(str):
    """The value of one of the shop's own attributes, with the attribute's name."""

    __slots__ = ("name",)

    name: str

    def __new__(cls, value: str, name: str) -> OwnText:
        text = super().__new__(cls, value)
        text.name = name
        return text


def number_in(value: object) -> Decimal | None:
    """The number that a value is, or is written in it; None where it is none.

    Full-width digits count, and commas between thousands.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        return Decimal(str(value))
    if not isinstance(value, str) or len(value) > _MAX_NUMBER_CHARS:
        return None
    plain = unicodedata.normalize("NFKC", value).strip().replace("\N{MINUS SIGN}", "-")
    return Decimal(plain.replace(",", "")) if _NUMBER.fullmatch(plain) else None


@contextmanager
def noting() -> Iterator[list[str]]:
    """Collects why comparisons did not hold: `rank is 'gold', not a number`."""
    notes: list[str] = []
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def _note(text: OwnText) -> None:
    notes = _notes.get()
    note = f"{text.name} is {str(text)!r:.60}, not a number"
    if notes is not None and note not in notes:
        notes.append(note)


def _ordered(compare: Callable[[Any, Any], bool], left: object, right: object) -> bool | None:
    """Whether the two are in order; None where neither is an own attribute, or both are texts."""
    own = [value for value in (left, right) if isinstance(value, OwnText)]
    if not own or left is None or right is None:
        return None
    numbers = number_in(left), number_in(right)
    if None not in numbers:
        return compare(*numbers)
    others = [value for value in (left, right) if not isinstance(value, OwnText)]
    if numbers == (None, None) and all(isinstance(value, str) for value in others):
        return None  # Two texts, such as dates: in the order of their characters.
    for text in own:
        if number_in(text) is None:
            _note(text)
    return False


_lt, _le, _eq = logical._lt, logical._le, logical._eq


def _less(token: Any, left: object, right: object) -> bool:
    answer = _ordered(lambda one, other: one < other, left, right)
    return _lt(token, left, right) if answer is None else answer


def _at_most(left: object, right: object) -> bool:
    answer = _ordered(lambda one, other: one <= other, left, right)
    return _le(left, right) if answer is None else answer


def _equal(left: object, right: object) -> bool:
    """As Liquid has it; a number that stands without quotes is compared as one."""
    for text, other in ((left, right), (right, left)):
        is_number = isinstance(other, int | float | Decimal) and not isinstance(other, bool)
        if isinstance(text, OwnText) and is_number:
            return number_in(text) == number_in(other)
    return _eq(left, right)


# Liquid has no other place for it: its expressions call these by their names.
logical._lt, logical._le, logical._eq = _less, _at_most, _equal
case_tag._eq = _equal  # type: ignore[attr-defined]
