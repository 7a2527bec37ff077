"""Personas: a friend as if other things were known of them, to try what such a friend would get."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from tobiishi.errors import Invalid
from tobiishi.people.attribute_columns import columns_of, value_of
from tobiishi.people.friends import ONE_LINE, Attributes, Friend, Seen

#: What LINE's profile tells, and no column of a file does.
_NAME = "display_name"
_ONE_LINE = re.compile(ONE_LINE)


def persona(friend: Friend, words: Sequence[str], *, today: date) -> Friend:
    """The friend as one of whom this is known and nothing else: `gender=female,rank=gold`.

    Names and values are those of an attribute file (docs/friends.md), and `display_name`. Raises
    `Invalid`.
    """
    known: dict[str, Any] = {}
    for assignment in (each for text in words for each in text.split(",") if each.strip()):
        name, separator, value = (part.strip() for part in assignment.partition("="))
        try:
            if not separator or not name:
                raise ValueError("write it as name=value, with commas between several")
            _learn(known, name, value, today)
        except (Invalid, ValueError) as error:
            raise Invalid(f"{assignment.strip()!r:.80}: {error}") from error
    display_name = known.pop(_NAME, None)
    return replace(
        friend,
        attributes=Attributes.model_validate(known),
        seen=Seen(),
        display_name=display_name,
        language=None,
    )


def _learn(known: dict[str, Any], name: str, value: str, today: date) -> None:
    if name == _NAME:
        if not _ONE_LINE.match(value):
            raise ValueError("holds a control character; take it out")
        known[_NAME] = value or None
        return
    _, column = columns_of(["friend", name])
    if column.name == "tags":
        raise ValueError("no message names a friend's tags; take it out")
    attributes = known.setdefault("fields", {}) if column.is_own else known
    attributes[column.name] = value_of(column.name, value, today)
