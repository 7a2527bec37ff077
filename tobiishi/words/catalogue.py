"""The catalogue: for each code a template in each language, and how templates are filled."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from tobiishi.languages import Language
from tobiishi.words.template import Template
from tobiishi.words.why import WHY

#: Every template by its code.
TEMPLATES: Mapping[str, Template] = {**WHY}


@dataclass(frozen=True)
class Sentence:
    """Something to tell, before it is told in a language: a sentence, or a part of one.

    A parameter is a text, a number, a moment, another sentence, or several sentences or texts. A
    moment is shown as it is: give it in the time zone of whoever reads it.
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it; sentences in it are objects of the same form."""
        return {"code": self.code, "params": {k: _plain(v) for k, v in self.params.items()}}


def in_words(sentence: Sentence, language: Language) -> str:
    """The sentence in that language. Raises `KeyError` where the code or a parameter is unknown."""
    return _WRITERS[language].write(sentence)


class _Writer(string.Formatter):
    """Fills templates of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def write(self, sentence: Sentence) -> str:
        template: str = getattr(TEMPLATES[sentence.code], self.language)
        return self.vformat(template, (), sentence.params)

    def format_field(self, value: Any, format_spec: str) -> str:
        """What is behind a field's colon: between which words several stand, or how a day does."""
        match value:
            case Sentence():
                return self.write(value)
            case str():
                return value
            case date():
                return self._day(value, with_year=format_spec != "day")
            case Sequence():
                return format_spec.join(self.format_field(each, "") for each in value)
            case int() if format_spec == "nth":
                return _ordinal(value)
        return str(value)

    def _day(self, day: date, *, with_year: bool) -> str:
        if self.language == "ja":
            year = f"{day.year}年" if with_year else ""
            return f"{year}{day.month}月{day.day}日"
        # Not by `%B`: that is in the language of the machine.
        words = f"{day.day} {_MONTHS[day.month - 1]}"
        return f"{words} {day.year}" if with_year else words


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_WRITERS: dict[Language, _Writer] = {"ja": _Writer("ja"), "en": _Writer("en")}


def _ordinal(number: int) -> str:
    """`1st`, `2nd`, `11th`, `23rd`."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def _plain(value: Any) -> Any:
    match value:
        case Sentence():
            return value.as_dict()
        case datetime() | date():
            return value.isoformat()
        case str():
            return value
        case Sequence():
            return [_plain(each) for each in value]
    return value
