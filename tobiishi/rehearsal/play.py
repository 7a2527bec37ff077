"""What is rehearsed. Pure, but for the time where none is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tobiishi.errors import Invalid
from tobiishi.languages import Language
from tobiishi.rehearsal.happenings import Happening, definitions_of
from tobiishi.rehearsal.persona import Persona
from tobiishi.rehearsal.words import WORDS, Words
from tobiishi.scenario import Scenario, ScenarioSource
from tobiishi.scenario.rules import Definition


@dataclass(frozen=True, kw_only=True)
class Play:
    """What is rehearsed: a scenario, who goes through it, since when, and what happens."""

    source: ScenarioSource
    persona: Persona
    #: When the persona starts.
    start: datetime
    happenings: Sequence[Happening] = ()
    #: The audiences of the shop, where the scenario's file does not say what they are.
    of_shop: Mapping[str, Definition] | None = None
    #: In which the timeline is written.
    language: Language = "en"

    def __post_init__(self) -> None:
        """Who is said to come by no route comes by one that starts the scenario."""
        added = self.scenario.start.friend_added
        if added and added.routes and self.persona.route is None:
            by_route = self.persona.model_copy(update={"route": added.routes[0]})
            object.__setattr__(self, "persona", by_route)

    @property
    def scenario(self) -> Scenario:
        return self.source.scenario

    @property
    def words(self) -> Words:
        return WORDS[self.language]

    @property
    def definitions(self) -> dict[str, Definition]:
        """What each audience is that the scenario names."""
        return definitions_of(self.scenario, self.of_shop)


def start_of(text: str | None, timezone: str) -> datetime:
    """The moment of `2026-12-01T09:30`, local to that zone; now, to the minute, where None.

    Raises `Invalid`.
    """
    zone = ZoneInfo(timezone)
    if text is None:
        return datetime.now(UTC).replace(second=0, microsecond=0)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(
            f"at: {text!r} is not a date and time; write it as 2026-12-01T09:30, local to "
            f"{timezone}"
        ) from None
    if not 2000 <= moment.year < 2200:
        raise Invalid(f"at: {text!r} is not in this century or the next; correct the year")
    local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return local.astimezone(UTC).replace(second=0, microsecond=0)


def start_in_words(start: datetime, timezone: str) -> str:
    """As `start_of` reads it: with its offset where the local time comes twice."""
    local = start.astimezone(ZoneInfo(timezone))
    return local.isoformat(timespec="minutes") if local.fold else f"{local:%Y-%m-%dT%H:%M}"
