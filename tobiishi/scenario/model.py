"""What a scenario file may say: the models behind the YAML.

A scenario is a tree of steps with no jumps. Every model is frozen and takes no unknown field, so
that a typing error is an error, and not a step that silently does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    Strict,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic import Tag as PydanticTag
from pydantic_core import core_schema

from tobiishi.scenario.messages import check_messages

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]

#: Context of a scenario that was published: LINE took its messages then, and a check that is
#: stricter now must not stop a journey that is on its way.
STORED = "stored"

#: How long all waits of a scenario may be together; what is longer is a mistake.
LONGEST = timedelta(days=36_500)

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
    if not isinstance(value, str) or not (said := _MOMENT.fullmatch(value)):
        raise ValueError(
            f'{value!r} is not a date and time; write it as "YYYY-MM-DD HH:MM", local to the '
            "scenario's time zone, without seconds or an offset"
        )
    try:
        day = date.fromisoformat(said[1])
    except ValueError:
        raise ValueError(f"{said[1]} is not in the calendar; correct the day") from None
    return datetime.combine(day, _read_time(said[2] or "00:00"))


def _read_last_moment(value: Any) -> Any:
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
    """Takes one where a list is meant, and tells editors so."""

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


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FriendAdded(_Part):
    """A journey starts when somebody adds the channel as a friend."""

    routes: OneOrMany[Slug] | None = Field(
        default=None, min_length=1, description="Only friends added by one of these routes."
    )
    unblocked: bool = Field(
        default=False, description="Whether a friend who unblocks the channel counts as added."
    )


class Start(_Part):
    """What starts a journey: adding the friend, or joining an audience."""

    friend_added: FriendAdded | None = Field(
        default=None, description="Somebody adds the channel as a friend."
    )
    audience: Slug | None = Field(default=None, description="A friend joins this audience.")

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if value == "friend_added":
            return {"friend_added": {}}
        if isinstance(value, str):
            raise ValueError(
                f"{value!r} is not a start; write friend_added, or `audience: {value}`"
            )
        if isinstance(value, Mapping) and value.get("friend_added", ...) is None:
            return {**value, "friend_added": {}}  # `friend_added:` with nothing behind it.
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.friend_added is None) == (self.audience is None):
            raise ValueError("a scenario starts on one of friend_added or audience; name one")
        return self


class Period(_Part):
    """When journeys may start; those under way go on after it."""

    from_: Moment | None = Field(default=None, alias="from", description="First moment, local.")
    until: Annotated[Moment, BeforeValidator(_read_last_moment)] | None = Field(
        default=None, description="Last minute, local; of a day alone, the end of that day."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is None and self.until is None:
            raise ValueError("a period has a from, an until, or both")
        if self.from_ and self.until and self.from_ >= self.until:
            raise ValueError("until must come after from")
        return self


class AfterDays(_Part):
    """A friend may enter again so many days after their last journey began, once it ended."""

    after_days: Whole = Field(ge=1, le=3650, description="Days since the last journey began.")


#: What pydantic puts into an error's path to tell the forms of `reentry` apart.
REENTRY_FORMS = ("_word", "_days")

#: `never`; `after_finishing`: once the last journey ended; or after days.
Reentry: TypeAlias = Annotated[
    Annotated[Literal["never", "after_finishing"], PydanticTag("_word")]
    | Annotated[AfterDays, PydanticTag("_days")],
    Discriminator(lambda value: "_word" if isinstance(value, str) else "_days"),
]


class Window(_Part):
    """The hours in which messages may be sent; it may cross midnight."""

    from_: TimeOfDay = Field(alias="from", description="Sending opens, local time.")
    to: TimeOfDay = Field(description="Sending closes, local time.")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.from_ == self.to:
            raise ValueError("from and to are the same; leave window out to send at any time")
        return self


class Exit(_Part):
    """A change that ends the journey, at any moment of it."""

    joins: Slug | None = Field(default=None, description="The friend joins this audience.")
    leaves: Slug | None = Field(default=None, description="The friend leaves this audience.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.joins is None) == (self.leaves is None):
            raise ValueError("an exit is one of joins or leaves; name one audience")
        return self

    @property
    def audience(self) -> str:
        return self.joins or self.leaves or ""

    @property
    def on(self) -> Literal["joined", "left"]:
        return "joined" if self.joins else "left"


class Age(_Part):
    """A range of ages in years, both ends in it."""

    from_: Whole | None = Field(default=None, alias="from", ge=0, le=150)
    to: Whole | None = Field(default=None, ge=0, le=150)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is None and self.to is None:
            raise ValueError("an age has a from, a to, or both")
        if self.from_ is not None and self.to is not None and self.from_ > self.to:
            raise ValueError("from is above to; swap them")
        return self


class Condition(_Part):
    """What must hold of a friend. Several fields in one condition must all hold."""

    audience: Slug | None = Field(default=None, description="The friend is in this audience.")
    gender: Literal["male", "female", "other"] | None = None
    age: Age | None = None
    region: OneOrMany[str] | None = Field(
        default=None, min_length=1, description="Prefectures, such as 東京都; one of them."
    )
    os: Literal["ios", "android", "other"] | None = None
    all: tuple[Condition, ...] | None = Field(default=None, min_length=1)
    any: tuple[Condition, ...] | None = Field(default=None, min_length=1)
    not_: Condition | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(value is None for _, value in self):
            raise ValueError(
                "a condition is empty; say one of audience, gender, age, region, os, all, any, not"
            )
        return self

    def audiences(self) -> frozenset[str]:
        """The audiences that it asks about."""
        parts = [*(self.all or ()), *(self.any or ()), *([self.not_] if self.not_ else [])]
        own = {self.audience} if self.audience else set()
        return frozenset(own.union(*(part.audiences() for part in parts)))


def _checked(messages: tuple[dict[str, Any], ...], info: ValidationInfo) -> Any:
    if info.context != STORED:
        check_messages(messages)
    return messages


class Send(_Part):
    """One to five LINE messages, sent together.

    https://developers.line.biz/en/reference/messaging-api/#message-objects
    """

    name: Slug = Field(description="What audiences and reports call it; once in a scenario.")
    messages: Annotated[tuple[dict[str, Any], ...], AfterValidator(_checked)] = Field(
        min_length=1, max_length=5, description="LINE message objects, as LINE documents them."
    )
    any_time: bool = Field(
        default=False, description="Sent outside the window too: an answer to the friend's own act."
    )


class Wait(_Part):
    """Wait for a while, or until a time."""

    minutes: Whole | None = Field(default=None, ge=1, le=5_256_000)
    hours: Whole | None = Field(default=None, ge=1, le=87_600)
    days: Whole | None = Field(default=None, ge=0, le=3650)
    days_after_start: Whole | None = Field(default=None, ge=0, le=3650)
    at: TimeOfDay | None = Field(default=None, description="At this local time of that day.")
    until: Moment | None = Field(default=None, description="Until this local date and time.")

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        said = {name for name, value in self if value is not None}
        forms: tuple[set[str], ...] = ({"days", "at"}, {"days_after_start", "at"}, {"until"})
        if said in forms or (said and said <= {"minutes", "hours", "days"} and self.days != 0):
            return self
        raise ValueError(
            "a wait is one of {minutes, hours, days}, {days, at}, {days_after_start, at} or "
            f"{{until}}; this one says {', '.join(sorted(said)) or 'nothing'}"
        )

    @property
    def length(self) -> timedelta:
        """How long it lasts at most, where it is for so long; nothing where it is until a date."""
        days = (self.days or 0) + (self.days_after_start or 0) + (1 if self.at else 0)
        return timedelta(days=days, hours=self.hours or 0, minutes=self.minutes or 0)


class TagStep(_Part):
    """Add tags to the friend, and remove some."""

    add: OneOrMany[Tag] = Field(default=(), description="One tag, or a list.")
    remove: OneOrMany[Tag] = Field(default=(), description="One tag, or a list.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.add and not self.remove:
            raise ValueError("a tag step adds or removes at least one tag")
        if both := set(self.add) & set(self.remove):
            raise ValueError(f"{', '.join(sorted(both))} is both added and removed; keep one")
        return self


class Case(_Part):
    """One way on from a branch: for those who meet the condition, or for all the others."""

    when: Condition | None = Field(default=None, description="Who takes this way.")
    otherwise: None = Field(default=None, description="All the others take this way.")
    steps: tuple[Step, ...] = Field(description="What they get; may be empty.")

    @model_validator(mode="after")
    def _when_or_otherwise(self) -> Self:
        if (self.when is None) != ("otherwise" in self.model_fields_set):
            raise ValueError("a case has a when, or otherwise; name one")
        return self


class Step(_Part):
    """One thing that happens."""

    send: Send | None = None
    wait: Wait | None = None
    branch: tuple[Case, ...] | None = Field(default=None, min_length=1)
    tag: TagStep | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        said = [name for name, value in self if value is not None]
        if len(said) != 1:
            raise ValueError(
                "a step is one of send, wait, branch or tag; this one is "
                + (" and ".join(said) or "none of them")
            )
        for number, case in enumerate(self.branch or ()):
            if case.when is None and (number == 0 or number != len(self.branch or ()) - 1):
                raise ValueError("otherwise comes once, last, after at least one when")
        return self


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"{name!r:.60} is not a time zone; use an IANA name such as Asia/Tokyo"
        ) from error
    return name


class Scenario(_Part):
    """A scenario: who starts it, what happens, and when it ends early."""

    scenario: Slug = Field(description="Its name, in addresses and in the Temporal UI.")
    title: str = Field(min_length=1, max_length=120, description="What marketers call it.")
    description: str | None = Field(default=None, max_length=2000)
    start: Start
    period: Period | None = Field(default=None, description="When journeys may start.")
    reentry: Reentry = Field(default="never", description="Whether a friend may enter again.")
    timezone: Annotated[str, AfterValidator(_known_timezone)] = Field(
        default="Asia/Tokyo", description="IANA name; all its times are local to it."
    )
    window: Window | None = Field(default=None, description="The hours messages may be sent in.")
    exit: tuple[Exit, ...] = Field(default=(), description="What ends a journey at any moment.")
    steps: tuple[Step, ...] = Field(min_length=1, description="What happens, in order.")

    @model_validator(mode="after")
    def _ends_some_day(self) -> Self:
        waits = [step.wait for _, step in self.walk() if step.wait]
        if sum((wait.length for wait in waits), timedelta()) > LONGEST:
            raise ValueError(f"its waits add up to over {LONGEST.days // 365} years; shorten them")
        return self

    @classmethod
    def from_stored(cls, definition: Any) -> Self:
        """A published scenario, from what `as_stored` made of it."""
        return cls.model_validate(definition, context=STORED)

    def as_stored(self) -> dict[str, Any]:
        """The scenario as JSON has it, with just the fields that were written."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def walk(self) -> Iterator[tuple[tuple[str | int, ...], Step]]:
        """Every step with its path in the file, such as `("steps", 2, "branch", 0, "steps", 1)`."""
        yield from _walk(self.steps, ("steps",))

    def watched_audiences(self) -> frozenset[str]:
        """Those audiences whose changes start or end a journey."""
        named = {exit_.audience for exit_ in self.exit}
        if self.start.audience:
            named.add(self.start.audience)
        return frozenset(named)

    def audiences(self) -> frozenset[str]:
        """All audiences that it names."""
        named = set(self.watched_audiences())
        for _, step in self.walk():
            for case in step.branch or ():
                named |= case.when.audiences() if case.when else set()
        return frozenset(named)

    def starts_on_friend_add(self, *, route: str | None, unblocked: bool) -> bool:
        """Whether adding (or unblocking) by this route starts a journey."""
        added = self.start.friend_added
        if added is None or (unblocked and not added.unblocked):
            return False
        return added.routes is None or route in added.routes

    def is_open(self, now: datetime) -> bool:
        """Whether journeys may start now."""
        if self.period is None:
            return True
        local = now.astimezone(ZoneInfo(self.timezone)).replace(
            tzinfo=None, second=0, microsecond=0
        )
        return not (
            (self.period.from_ and local < self.period.from_)
            or (self.period.until and local > self.period.until)
        )


def _walk(
    steps: tuple[Step, ...], path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Step]]:
    for number, step in enumerate(steps):
        here = (*path, number)
        yield here, step
        for case_number, case in enumerate(step.branch or ()):
            yield from _walk(case.steps, (*here, "branch", case_number, "steps"))


def json_schema() -> dict[str, Any]:
    """What editors complete and check; the reader knows more, such as which fields go together."""
    schema = Scenario.model_json_schema(by_alias=True)
    start = schema["$defs"]["Start"]
    schema["$defs"]["Start"] = {
        "anyOf": [{"const": "friend_added"}, start],
        "description": start.pop("description"),
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
