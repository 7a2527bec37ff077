"""Small parts that scenario files are written with: names, times, and conditions on a friend."""

from __future__ import annotations

import re
import string
import unicodedata
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    Strict,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import core_schema

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
#: Letters. No tag is longer.
MAX_TAG_CHARS = 64
#: Control characters, among them line breaks.
_NO_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: Nobody sees them, and str.strip leaves them.
_ZERO_WIDTH = "\u200b\u2060\ufeff"


def plain_tag(text: str) -> str:
    """A tag in the one form that it is kept and compared in, however it was written.

    Full-width letters and digits become plain ones (NFKC), and nothing blank is around it.
    """
    return unicodedata.normalize("NFKC", text).strip(f"{string.whitespace}\u3000\xa0{_ZERO_WIDTH}")


def read_tag(text: str) -> str:
    """A tag, from how somebody wrote it. Raises `ValueError` with the problem and its fix."""
    tag = plain_tag(text)
    if not tag:
        raise ValueError("is empty; write a word, or leave it out")
    if len(tag) > MAX_TAG_CHARS:
        raise ValueError(f"has {len(tag)} characters; shorten it to {MAX_TAG_CHARS}")
    if _NO_LINE.search(tag):
        raise ValueError("has a line break or another control character; write it in one line")
    return tag


#: A tag: a word that a friend carries.
Tag = Annotated[
    str,
    AfterValidator(read_tag),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_TAG_CHARS}),
]
#: The name of an attribute of the shop's own.
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]

T = TypeVar("T")

#: A number, written as one: neither "3" nor true.
Whole = Annotated[int, Strict()]

_TIME_OF_DAY = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]")
_MOMENT = re.compile(rf"(2[0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}})(?:[ T]({_TIME_OF_DAY.pattern}))?")


def _read_time(value: Any) -> Any:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not _TIME_OF_DAY.fullmatch(value):
        raise ValueError(f'{value!r} is not a time of day; write it as "HH:MM", such as "10:00"')
    hours, minutes = value.split(":")
    return time(int(hours), int(minutes))


def _read_moment(value: Any) -> Any:
    if not isinstance(value, str) or not (parts := _MOMENT.fullmatch(value)):
        raise ValueError(
            f'{value!r} is not a date and time; write it as "YYYY-MM-DD HH:MM", local to the '
            "scenario's time zone, without seconds or an offset"
        )
    try:
        day = date.fromisoformat(parts[1])
    except ValueError:
        raise ValueError(f"{parts[1]} is not in the calendar; correct the day") from None
    return datetime.combine(day, _read_time(parts[2] or "00:00"))


def read_last_moment(value: Any) -> Any:
    """A last day alone means all of it."""
    if isinstance(value, str) and _MOMENT.fullmatch(value) and len(value) == len("YYYY-MM-DD"):
        return f"{value} 23:59"
    return value


#: A time of day, as `HH:MM`.
TimeOfDay = Annotated[
    time,
    BeforeValidator(_read_time),
    PlainSerializer(lambda value: f"{value:%H:%M}"),
    WithJsonSchema({"type": "string", "pattern": rf"^({_TIME_OF_DAY.pattern})$"}),
]
#: A date and time without an offset: local to the scenario's time zone.
Moment = Annotated[
    datetime,
    BeforeValidator(_read_moment),
    PlainSerializer(lambda value: f"{value:%Y-%m-%d %H:%M}"),
    WithJsonSchema({"type": "string", "pattern": rf"^{_MOMENT.pattern}$"}),
]


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str | int | float) else value


class _OneOrMany:
    """Accepts one where a list is meant, in the JSON Schema too."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(_one_or_many, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


#: One, or a list.
OneOrMany: TypeAlias = Annotated[tuple[T, ...], _OneOrMany()]


class ScenarioPart(BaseModel):
    """The text under a field is its description, in the JSON Schema and the API's reference."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Age(ScenarioPart):
    """A range of ages in years, both ends in it."""

    from_: Whole | None = Field(default=None, alias="from", ge=0, le=150)
    """The youngest."""
    to: Whole | None = Field(default=None, ge=0, le=150)
    """The oldest."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is None and self.to is None:
            raise ValueError("an age has a from, a to, or both")
        if self.from_ is not None and self.to is not None and self.from_ > self.to:
            raise ValueError("from is above to; swap them")
        return self


class Condition(ScenarioPart):
    """What must hold of a friend. Several fields in one condition must all hold."""

    audience: Slug | None = Field(default=None, description="The friend is in this audience.")
    gender: Literal["male", "female", "other"] | None = None
    """As the shop told."""
    age: Age | None = None
    """Their age is in this range."""
    region: OneOrMany[str] | None = Field(
        default=None, min_length=1, description="Prefectures, such as 東京都; one of them."
    )
    os: Literal["ios", "android", "other"] | None = None
    """The system of their phone."""
    language: OneOrMany[str] | None = Field(
        default=None, min_length=1, description="BCP 47, such as ja; `zh` takes zh-Hant too."
    )
    fields: dict[FieldName, OneOrMany[str]] | None = Field(
        default=None, min_length=1, description="The shop's own attributes, such as {rank: gold}."
    )
    all: tuple[Condition, ...] | None = Field(default=None, min_length=1)
    """Each of these holds."""
    any: tuple[Condition, ...] | None = Field(default=None, min_length=1)
    """One of these holds, or more."""
    not_: Condition | None = Field(default=None, alias="not")
    """This does not hold; what isn't known counts neither way."""

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if all(value is None for _, value in self):
            raise ValueError(
                "a condition is empty; say one of audience, gender, age, region, os, language, "
                "fields, all, any, not"
            )
        return self

    def audiences(self) -> frozenset[str]:
        """The audiences that it asks about."""
        parts = [*(self.all or ()), *(self.any or ()), *([self.not_] if self.not_ else [])]
        own = {self.audience} if self.audience else set()
        return frozenset(own.union(*(part.audiences() for part in parts)))

    def asks_of_friend(self) -> bool:
        """Whether it asks for more than audiences: then it may change without one changing."""
        own = (self.gender, self.age, self.region, self.os, self.language, self.fields)
        parts = [*(self.all or ()), *(self.any or ()), *([self.not_] if self.not_ else [])]
        return any(value is not None for value in own) or any(
            part.asks_of_friend() for part in parts
        )
