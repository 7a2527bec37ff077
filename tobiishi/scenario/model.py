"""What a scenario file may say: the models behind the YAML.

A scenario is a tree of steps with no jumps. Every model is frozen and takes no unknown field, so
that a typing error is an error, and not a step that silently does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic import Tag as PydanticTag

from tobiishi.scenario.messages import check_messages
from tobiishi.scenario.parts import (
    Condition,
    Moment,
    OneOrMany,
    ScenarioPart,
    Slug,
    Tag,
    TimeOfDay,
    Whole,
    read_last_moment,
)
from tobiishi.scenario.rules import Clicked, Combined, Definition, Saw

#: Context of a scenario that was published: LINE took its messages then, and a check that is
#: stricter now must not stop a journey that is on its way.
STORED = "stored"

#: How long all waits of a scenario may be together; what is longer is a mistake.
MAX_DURATION = timedelta(days=36_500)


class FriendAdded(ScenarioPart):
    """A journey starts when somebody adds the channel as a friend."""

    routes: OneOrMany[Slug] | None = Field(
        default=None, min_length=1, description="Only friends added by one of these routes."
    )
    unblocked: bool = Field(
        default=False, description="Whether a friend who unblocks the channel counts as added."
    )


class Start(ScenarioPart):
    """What starts a journey: adding the friend, or joining an audience."""

    friend_added: FriendAdded | None = Field(
        default=None, description="Somebody adds the channel as a friend."
    )
    audience: Slug | None = Field(default=None, description="A friend joins this audience.")
    include_members: bool = Field(
        default=False, description="Whether those start too who are in the audience already."
    )

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
        if self.include_members and self.audience is None:
            raise ValueError("include_members goes with audience; leave it out")
        return self


class Period(ScenarioPart):
    """When journeys may start; those under way go on after it."""

    from_: Moment | None = Field(default=None, alias="from", description="First moment, local.")
    until: Annotated[Moment, BeforeValidator(read_last_moment)] | None = Field(
        default=None, description="Last minute, local; of a day alone, the end of that day."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is None and self.until is None:
            raise ValueError("a period has a from, an until, or both")
        if self.from_ and self.until and self.from_ >= self.until:
            raise ValueError("until must come after from")
        return self


class AfterDays(ScenarioPart):
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


class Window(ScenarioPart):
    """The hours in which messages may be sent; it may cross midnight."""

    from_: TimeOfDay = Field(alias="from", description="Sending opens, local time.")
    to: TimeOfDay = Field(description="Sending closes, local time.")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.from_ == self.to:
            raise ValueError("from and to are the same; leave window out to send at any time")
        return self


class Length(ScenarioPart):
    """A length of time."""

    minutes: Whole | None = Field(default=None, ge=1, le=5_256_000)
    hours: Whole | None = Field(default=None, ge=1, le=87_600)
    days: Whole | None = Field(default=None, ge=1, le=3650)

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.minutes is self.hours is self.days is None:
            raise ValueError("say one of minutes, hours, days")
        return self

    @property
    def length(self) -> timedelta:
        return timedelta(days=self.days or 0, hours=self.hours or 0, minutes=self.minutes or 0)


class IfLate(ScenarioPart):
    """What becomes of a message that is late: after an outage, a pause, a spent quota."""

    after: Length = Field(
        default=Length(hours=1), description="How late it has to be; an hour where left out."
    )
    do: Literal["send", "next_window", "skip"] = Field(
        description="Send it all the same, at the window's next opening, or not at all."
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"do": value} if isinstance(value, str) else value


class Exit(ScenarioPart):
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


def _checked(messages: tuple[dict[str, Any], ...], info: ValidationInfo) -> Any:
    if info.context != STORED:
        check_messages(messages)
    return messages


class Send(ScenarioPart):
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
    if_refused: Literal["go_on", "end"] = Field(
        default="go_on", description="What the journey does when LINE refuses the message."
    )
    track_links: bool = Field(
        default=True, description="Whether its links lead through Tobiishi, which sees who clicks."
    )
    track_images: bool = Field(
        default=False,
        description="Whether its images are fetched through Tobiishi; unproven on the real LINE.",
    )


class Wait(ScenarioPart):
    """Wait for a while, or until a time."""

    minutes: Whole | None = Field(default=None, ge=1, le=5_256_000)
    hours: Whole | None = Field(default=None, ge=1, le=87_600)
    days: Whole | None = Field(default=None, ge=0, le=3650)
    days_after_start: Whole | None = Field(default=None, ge=0, le=3650)
    at: TimeOfDay | None = Field(default=None, description="At this local time of that day.")
    until: Moment | None = Field(default=None, description="Until this local date and time.")
    if_past: Literal["send", "skip"] | None = Field(
        default=None,
        description="Where that is past already: go on at once, as where nothing is written, or "
        "leave out what stands between this wait and the next one.",
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        fields = {name for name, value in self if value is not None} - {"if_past"}
        if self.if_past and self.until is None and self.days_after_start is None:
            raise ValueError("if_past goes with until or days_after_start; leave it out")
        forms: tuple[set[str], ...] = ({"days", "at"}, {"days_after_start", "at"}, {"until"})
        if fields in forms or (
            fields and fields <= {"minutes", "hours", "days"} and self.days != 0
        ):
            return self
        raise ValueError(
            "a wait is one of {minutes, hours, days}, {days, at}, {days_after_start, at} or "
            f"{{until}}; this one says {', '.join(sorted(fields)) or 'nothing'}"
        )

    @property
    def length(self) -> timedelta:
        """How long it lasts at most, where it is for so long; nothing where it is until a date."""
        days = (self.days or 0) + (self.days_after_start or 0) + (1 if self.at else 0)
        return timedelta(days=days, hours=self.hours or 0, minutes=self.minutes or 0)


class TagStep(ScenarioPart):
    """Add tags to the friend, and remove some."""

    add: OneOrMany[Tag] = Field(default=(), description="One tag, or a list.")
    remove: OneOrMany[Tag] = Field(default=(), description="One tag, or a list.")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.add and not self.remove:
            raise ValueError("a tag step adds or removes at least one tag")
        if both := set(self.add) & set(self.remove):
            raise ValueError(f"{', '.join(sorted(both))} is both added and removed; keep one")
        return self


class Case(ScenarioPart):
    """One way on from a branch: for those who meet the condition, or for all the others."""

    when: Condition | None = Field(default=None, description="Who takes this way.")
    otherwise: None = Field(default=None, description="All the others take this way.")
    steps: tuple[Step, ...] = Field(description="What they get; may be empty.")

    @model_validator(mode="after")
    def _when_or_otherwise(self) -> Self:
        if (self.when is None) != ("otherwise" in self.model_fields_set):
            raise ValueError("a case has a when, or otherwise; name one")
        return self


def _without_if_past(wait: Wait) -> Wait:
    if wait.if_past:
        raise ValueError("if_past goes with a wait of its own; put what is for them in too_late")
    return wait


class WaitFor(ScenarioPart):
    """Wait until the friend is in an audience, but not for ever."""

    audience: Slug = Field(description="Until the friend is in this audience.")
    up_to: Annotated[Wait, AfterValidator(_without_if_past)] = Field(
        description="How long at most, as any wait says it."
    )
    in_time: tuple[Step, ...] = Field(default=(), description="What those who join get, at once.")
    too_late: tuple[Step, ...] = Field(default=(), description="What the others get, after it.")


#: Where a part stands in a file: `("steps", 2, "branch", 0, "steps", 1)`.
Place: TypeAlias = tuple[str | int, ...]


class Step(ScenarioPart):
    """One thing that happens."""

    send: Send | None = None
    wait: Wait | None = None
    wait_for: WaitFor | None = None
    branch: tuple[Case, ...] | None = Field(default=None, min_length=1)
    tag: TagStep | None = None

    @property
    def ways(self) -> tuple[tuple[Place, tuple[Step, ...]], ...]:
        """The ways on from here that come back together after it, each with its place below."""
        if self.wait_for:
            return (
                (("wait_for", "in_time"), self.wait_for.in_time),
                (("wait_for", "too_late"), self.wait_for.too_late),
            )
        return tuple(
            (("branch", number, "steps"), case.steps)
            for number, case in enumerate(self.branch or ())
        )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        kinds = [name for name, value in self if value is not None]
        if len(kinds) != 1:
            raise ValueError(
                "a step is one of send, wait, wait_for, branch or tag; this one is "
                + (" and ".join(kinds) or "none of them")
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


def _within_a_day(spread: Length) -> Length:
    if spread.length > timedelta(days=1):
        raise ValueError("a spread is a day at most; shorten it")
    return spread


class Scenario(ScenarioPart):
    """A scenario: who starts it, what happens, and when it ends early."""

    scenario: Slug = Field(description="Its name, in addresses and in the Temporal UI.")
    title: str = Field(min_length=1, max_length=120, description="What marketers call it.")
    description: str | None = Field(default=None, max_length=2000)
    start: Start
    audience_definitions: dict[Slug, Definition] = Field(
        default={}, alias="audiences", description="Audiences that are made where nobody has yet."
    )
    period: Period | None = Field(default=None, description="When journeys may start.")
    reentry: Reentry = Field(default="never", description="Whether a friend may enter again.")
    timezone: Annotated[str, AfterValidator(_known_timezone)] = Field(
        default="Asia/Tokyo", description="IANA name; all its times are local to it."
    )
    window: Window | None = Field(default=None, description="The hours messages may be sent in.")
    if_late: IfLate = Field(
        default=IfLate(do="send"), description="What becomes of a message that is late."
    )
    spread: Annotated[Length, AfterValidator(_within_a_day)] | None = Field(
        default=None,
        description="Over how long those are spread who would go on at the same time of day.",
    )
    exit: tuple[Exit, ...] = Field(default=(), description="What ends a journey at any moment.")
    steps: tuple[Step, ...] = Field(min_length=1, description="What happens, in order.")

    @model_validator(mode="after")
    def _ends_some_day(self) -> Self:
        steps = [step for _, step in self.walk()]
        waits = [step.wait for step in steps if step.wait]
        waits += [step.wait_for.up_to for step in steps if step.wait_for]
        if sum((wait.length for wait in waits), timedelta()) > MAX_DURATION:
            raise ValueError(
                f"its waits add up to over {MAX_DURATION.days // 365} years; shorten them"
            )
        return self

    @classmethod
    def from_stored(cls, definition: Any) -> Self:
        """A published scenario, from what `as_stored` made of it."""
        return cls.model_validate(definition, context=STORED)

    def as_stored(self) -> dict[str, Any]:
        """The scenario as JSON has it, with just the fields that were written."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def walk(self) -> Iterator[tuple[Place, Step]]:
        """Every step, with its place in the file."""
        yield from _walk(self.steps, ("steps",))

    def audiences_acted_on(self) -> frozenset[str]:
        """Those audiences whose changes start, wake or end a journey."""
        named = {exit_.audience for exit_ in self.exit}
        named |= {step.wait_for.audience for _, step in self.walk() if step.wait_for}
        if self.start.audience:
            named.add(self.start.audience)
        return frozenset(named)

    def audiences(self) -> frozenset[str]:
        """All audiences that it names."""
        named = set(self.audiences_acted_on())
        for _, step in self.walk():
            for case in step.branch or ():
                named |= case.when.audiences() if case.when else set()
        for definition in self.audience_definitions.values():
            named |= definition.when.audiences() if isinstance(definition, Combined) else set()
        return frozenset(named.union(self.audience_definitions))

    def definitions(self) -> dict[str, Definition]:
        """The audiences that it defines; a message without a scenario is one of its own."""
        return {
            name: definition.model_copy(update={"scenario": self.scenario})
            if isinstance(definition, Clicked | Saw) and definition.scenario is None
            else definition
            for name, definition in self.audience_definitions.items()
        }

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


def _walk(steps: tuple[Step, ...], place: Place) -> Iterator[tuple[Place, Step]]:
    for number, step in enumerate(steps):
        here = (*place, number)
        yield here, step
        for below, way in step.ways:
            yield from _walk(way, (*here, *below))


def json_schema() -> dict[str, Any]:
    """What editors complete and check; the reader knows more, such as which fields go together."""
    schema = Scenario.model_json_schema(by_alias=True)
    start = schema["$defs"]["Start"]
    schema["$defs"]["Start"] = {
        "anyOf": [{"const": "friend_added"}, start],
        "description": start.pop("description"),
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
