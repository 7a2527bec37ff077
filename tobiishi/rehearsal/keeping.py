"""Rehearsals kept as a file beside their scenario, and compared with what comes out now. Pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tobiishi.errors import Invalid
from tobiishi.languages import Language
from tobiishi.rehearsal.paths import MOST
from tobiishi.rehearsal.timeline import Timeline, Walkthrough, after
from tobiishi.rehearsal.words import WORDS


class Asked(BaseModel):
    """What was rehearsed, as it was asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    friend: str = ""
    audiences: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    at: str
    events: tuple[str, ...] = ()
    all_paths: bool = False
    language: Language = "en"
    most: int = Field(default=MOST, ge=1, le=10_000)


class KeptRehearsal(BaseModel):
    """A rehearsal and what came of it, as lines that a review can read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rehearsed: Asked
    timeline: list[str]

    def as_text(self) -> str:
        return self.model_dump_json(indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, file: Path) -> KeptRehearsal:
        """Raises `Invalid`, naming the file and its fix."""
        try:
            return cls.model_validate_json(file.read_bytes())
        except OSError as error:
            raise Invalid(
                f"{file} can't be read ({error.strerror}); keep a rehearsal first, by --save"
            ) from None
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise Invalid(
                f"{file} is not a kept rehearsal ({where}: {first['msg']}); keep it again by --save"
            ) from None


def file_beside(scenario: Path) -> Path:
    """`welcome.rehearsal.json`, beside `welcome.yaml`."""
    return scenario.with_name(f"{scenario.stem}.rehearsal.json")


def lines_of(came: Timeline | Walkthrough, language: Language) -> list[str]:
    """What came of a rehearsal, whole: each thing, when after the start, and at what local time."""
    if isinstance(came, Timeline):
        return list(_lines(came))
    found, words = [], WORDS[language]
    taken = [walked for walked in came.ways if walked.timeline]
    for number, walked in enumerate(taken, start=1):
        assert walked.timeline is not None
        found.append(words.heading(number, walked.way))
        if walked.instead:
            found.append(f"    {walked.instead}")
        found += [f"    {line}" for line in _lines(walked.timeline)]
    found += [words.nobody(walked.way) for walked in came.ways if walked.timeline is None]
    return [*found, words.walked(len(taken), came.count)]


def _lines(timeline: Timeline) -> Iterator[str]:
    yield timeline.friend
    for entry in timeline.entries:
        at = f"{entry.at:%Y-%m-%d %H:%M %Z}"
        yield f"{after(entry.at - timeline.start)}  {at}  {entry.text}"
        for message in entry.messages:
            yield f"    {json.dumps(message, ensure_ascii=False, sort_keys=True)}"


def differences(kept: list[str], now: list[str]) -> list[str]:
    """How what comes out now differs from what was kept; nothing where it is the same."""
    diff = difflib.unified_diff(kept, now, "kept", "now", lineterm="", n=2)
    return list(diff)
