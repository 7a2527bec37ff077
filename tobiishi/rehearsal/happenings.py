"""Happenings: what a rehearsal has happen to its persona, and when.

`+2d joins bought` is one: when, counted from the start, and what. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from tobiishi.errors import Invalid
from tobiishi.rehearsal.persona import unknown
from tobiishi.scenario import Scenario
from tobiishi.scenario.clock import at_local
from tobiishi.scenario.parts import read_tag
from tobiishi.scenario.rules import Combined, Definition, DidOnSite, EventName, Uploaded

Act = Literal[
    "joins", "leaves", "tags", "untags", "blocks", "unblocks", "clicks", "presses", "does"
]

#: How each is written, for errors and the help.
FORMS: Mapping[Act, str] = {
    "joins": "joins AUDIENCE",
    "leaves": "leaves AUDIENCE",
    "tags": "tags TAG",
    "untags": "untags TAG",
    "blocks": "blocks",
    "unblocks": "unblocks",
    "clicks": "clicks MESSAGE [URL]",
    "presses": "presses MESSAGE DATA",
    "does": "does EVENT [URL]",
}

#: `+2d`, `+2d3h30m`, `+2d 10:00`.
_WHEN = re.compile(
    r"\+(?=\d)(?:(?P<days>\d{1,5})d)?(?:(?P<hours>\d{1,6})h)?(?:(?P<minutes>\d{1,8})m)?"
    r"(?:\s+(?P<at>\d{1,2}:\d{2}))?\Z"
)
_SPLIT = re.compile(r"\s*(\+\S+(?:\s+\d{1,2}:\d{2})?)\s+(\S.*?)\s*\Z", re.DOTALL)
_FORM_OF_WHEN = "write it as +2d, +3h, +90m, +1d12h or, at a local time, +2d 10:00"
_event_name: TypeAdapter[str] = TypeAdapter(EventName)


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One thing that happens to the persona."""

    act: Act
    #: The audience, the tag, the message or the site's event; empty where there is none.
    name: str = ""
    #: The link, the page or the button's data; empty where none was given.
    more: str = ""
    #: When, after the start: calendar days, then hours and minutes.
    days: int = 0
    length: timedelta = timedelta(0)
    #: At this local time of that day.
    at: time | None = None

    def moment(self, start: datetime, timezone: str) -> datetime:
        """When it happens, in a rehearsal that starts then."""
        local = start.astimezone(ZoneInfo(timezone))
        day = local.date() + timedelta(days=self.days)
        if self.at is not None:
            return max(at_local(day, self.at, timezone), start)
        due = at_local(day, local.time(), timezone) if self.days else start.astimezone(UTC)
        return due + self.length

    def in_words(self) -> str:
        """`joins bought`."""
        return " ".join(filter(None, (self.act, self.name, self.more)))


def read_happening(
    text: str, scenario: Scenario, definitions: Mapping[str, Definition]
) -> Happening:
    """What `+2d joins bought` says. Raises `Invalid`, naming what is wrong and the right form."""
    split = _SPLIT.match(text)
    when = split and _WHEN.match(split[1])
    if not split or not when:
        raise Invalid(
            f"event {text!r} does not begin with when it happens; {_FORM_OF_WHEN}, and then what, "
            "such as `+2d joins bought`"
        )
    try:
        at = time.fromisoformat(when["at"].zfill(5)) if when["at"] else None
    except ValueError:
        raise Invalid(
            f"event {text!r}: {when['at']} is not a time of day; write 00:00 to 23:59"
        ) from None
    if at and (when["hours"] or when["minutes"]):
        raise Invalid(f"event {text!r}: a time of day goes with days alone; {_FORM_OF_WHEN}")
    days = int(when["days"] or 0)
    length = timedelta(hours=int(when["hours"] or 0), minutes=int(when["minutes"] or 0))
    if days > 36_500 or length > timedelta(days=36_500):
        raise Invalid(f"event {text!r} is over a hundred years away; shorten it")
    act, name, more = read_act(split[2], scenario, definitions)
    return Happening(act=act, name=name, more=more, days=days, length=length, at=at)


def read_act(
    text: str, scenario: Scenario, definitions: Mapping[str, Definition]
) -> tuple[Act, str, str]:
    """What `joins bought` says: the act, of what, and what more. Raises `Invalid`."""
    word, _, rest = text.partition(" ")
    found = next((act for act in FORMS if act == word), None)
    if found is None:
        raise Invalid(
            f"event {text!r}: {unknown(word, FORMS, 'something that happens in a rehearsal')}; "
            f"write one of: {', '.join(FORMS.values())}"
        )
    act, rest = found, rest.strip()
    form = f"write it as `{FORMS[act]}`"
    if bool(rest) != (act not in ("blocks", "unblocks")):
        raise Invalid(f"event {text!r} {'says too much' if rest else 'says too little'}; {form}")
    if act in ("tags", "untags"):
        try:
            return act, read_tag(rest), ""
        except ValueError as error:
            raise Invalid(f"event {text!r}: the tag {error}") from None
    name, _, more = rest.partition(" ")
    more = more.strip()
    try:
        match act:
            case "joins" | "leaves":
                _check_audience(name, more, definitions)
            case "clicks" | "presses":
                _check_message(name, scenario)
                if act == "presses" and not more:
                    raise Invalid("the button's data is missing")
            case "does":
                _check_event(name, definitions)
            case _:
                pass
    except Invalid as error:
        raise Invalid(f"event {text!r}: {error}; {form}") from None
    return act, name, more


def _check_audience(name: str, more: str, definitions: Mapping[str, Definition]) -> None:
    if name not in definitions:
        raise Invalid(unknown(name, definitions, "an audience of this scenario"))
    if more:
        raise Invalid(f"{more!r} is too much")
    definition = definitions[name]
    if isinstance(definition, Combined):
        parts = ", ".join(sorted(definition.when.audiences()))
        raise Invalid(
            f"{name!r} is combined, and is joined and left with what it asks about "
            f"({parts or 'attributes alone'}); name one of those"
        )


def _check_message(name: str, scenario: Scenario) -> None:
    sent = [step.send.name for _, step in scenario.walk() if step.send]
    if name not in sent:
        raise Invalid(unknown(name, sent, "a message of this scenario"))


def _check_event(name: str, definitions: Mapping[str, Definition]) -> None:
    try:
        _event_name.validate_python(name)
    except ValidationError:
        raise Invalid(f"{name!r} is not an event of a site; write one such as purchase") from None
    asked = [each.event for each in definitions.values() if isinstance(each, DidOnSite)]
    if name not in asked and None not in asked:
        there = [event for event in asked if event]
        raise Invalid(unknown(name, there, "an event that an audience of this scenario is of"))


def definitions_of(
    scenario: Scenario, of_shop: Mapping[str, Definition] | None = None
) -> dict[str, Definition]:
    """What each audience that the scenario names is: by its file, else by the shop, else a list."""
    known = {**(of_shop or {}), **scenario.definitions()}
    found, ahead = dict[str, Definition](), list(scenario.audiences())
    while ahead:
        name = ahead.pop()
        if name not in found:
            found[name] = definition = known.get(name, Uploaded())
            ahead += definition.when.audiences() if isinstance(definition, Combined) else ()
    return dict(sorted(found.items()))
