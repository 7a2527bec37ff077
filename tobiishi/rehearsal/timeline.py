"""The timeline of a rehearsal: what happened when, for programs and for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tobiishi.languages import Language
from tobiishi.rehearsal.words import WORDS

Kind = Literal["start", "event", "message", "branch", "tag", "wait", "wait_for", "left_out", "end"]

#: Characters of a message that a line for people shows.
_SHOWN_CHARS = 60


class TimelineEntry(BaseModel):
    """One thing that happened in a rehearsal."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    at: datetime
    """When, by the clocks of the scenario's time zone."""
    kind: Kind
    """What: the journey's `start` and `end`, an `event`, or what a step did."""
    step: str = ""
    """The step's path in the scenario, such as `2.0.1`; empty where it is of no step."""
    text: str
    """The same for people."""
    message: str | None = None
    """The message's name, of a message."""
    status: Literal["sent", "refused", "skipped", "unknown"] | None = None
    """What became of the message."""
    messages: list[dict[str, Any]] = []
    """The message as it would be sent, filled in."""
    way: int | None = None
    """Which of a step's ways was taken, from 0; null where none was."""
    saw: dict[str, bool | None] = {}
    """Of a branch, the answer to each condition that was looked at; null: not known."""
    until: datetime | None = None
    """Of a wait, when it is over."""
    awaits: str | None = None
    """Of a wait, the audience that ends it early."""
    outcome: str | None = None
    """How the journey ended."""
    because: str | None = None
    """Why it ended early."""


class Timeline(BaseModel):
    """What a rehearsal came to."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    scenario: str
    """The scenario's name."""
    title: str
    """What people call it."""
    timezone: str
    """The time zone of all times here."""
    language: Language
    """The language of the texts."""
    friend: str
    """Who went through it, in words."""
    entries: list[TimelineEntry]
    """What happened, in order."""

    @property
    def start(self) -> datetime:
        return self.entries[0].at

    def lines(self) -> Iterator[str]:
        """The timeline for people, a line for each entry and each text of a message."""
        yield f"{self.scenario} ({self.title}): {self.friend}"
        zone = self.start.tzname() or self.timezone
        offsets = {entry.at.utcoffset() for entry in self.entries}
        shown = self.timezone if len(offsets) > 1 or zone[0] in "+-" else f"{zone}, {self.timezone}"
        yield WORDS[self.language].times(shown)
        for entry in self.entries:
            offset = f" {entry.at:%Z}" if len(offsets) > 1 else ""
            yield f"{entry.at:%Y-%m-%d %H:%M}{offset}  {_MARKS.get(entry.kind, ' ')} {entry.text}"
            for message in entry.messages:
                yield f"{'':18}{'':{len(offset)}}  {shortened(message)}"


class WalkedWay(BaseModel):
    """One way through a scenario."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    way: str
    """What decides it, in words: `in clicked-hello → bought in time`."""
    timeline: Timeline | None
    """What a friend gets on it; null where nobody was found who takes it."""
    instead: str | None = None
    """Where the friend went, where that is another way."""


class Walkthrough(BaseModel):
    """All the ways through a scenario."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    ways: list[WalkedWay]
    """The ways that were looked at."""
    count: int
    """How many ways there are; more than were looked at where a bound was met."""


#: What tells kinds apart at a glance.
_MARKS: dict[Kind, str] = {
    "start": "▶",
    "event": "!",
    "message": "✉",
    "branch": "?",
    "wait": "…",
    "wait_for": "…",
    "tag": "#",
    "left_out": "-",
    "end": "■",
}


def shortened(message: dict[str, Any]) -> str:
    """What a message says, in a line."""
    text = message.get("text") or message.get("altText") or ""
    text = " ".join(str(text).split()) or f"({message.get('type')})"
    return text if len(text) <= _SHOWN_CHARS else f"{text[: _SHOWN_CHARS - 1]}…"


def after(length: timedelta) -> str:
    """`+3d 00:30`."""
    minutes = round(length.total_seconds()) // 60
    return f"+{minutes // 1440}d {minutes // 60 % 24:02}:{minutes % 60:02}"


def used_in_words(timeline: Timeline) -> str:
    """How many messages LINE would count."""
    sent = sum(entry.status == "sent" for entry in timeline.entries)
    return WORDS[timeline.language].used(sent)
