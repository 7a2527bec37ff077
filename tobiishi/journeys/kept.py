"""What the database keeps about a friend, as far as it tells why they got a message. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tobiishi.channels.holds import Hold
from tobiishi.journeys.deliveries import Delivery
from tobiishi.journeys.journeys import Journey
from tobiishi.journeys.reasons import Titles
from tobiishi.people.audiences import Membership
from tobiishi.people.friends import Friend
from tobiishi.plan import Action
from tobiishi.scenario import Reentry, Scenario
from tobiishi.scenario.model import Period, Start

#: A journey that an adding began, began within that time: LINE may bring an event late.
JUST_THEN = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class TrailStep:
    """One thing that a journey did, with its try."""

    step: str
    visit: int
    at: datetime
    text: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ComingStep:
    """What comes next of a journey, and when."""

    action: Action
    step: str
    due: datetime


@dataclass(frozen=True, kw_only=True)
class Walked:
    """A journey with all that is kept of it."""

    journey: Journey
    #: In the version that it goes through.
    scenario: Scenario
    trail: Sequence[TrailStep] = ()
    deliveries: Sequence[Delivery] = ()
    #: None where it is over, or not kept yet.
    next_step: ComingStep | None = None

    @property
    def name(self) -> str:
        return self.journey.ref.scenario

    @property
    def is_over(self) -> bool:
        return self.journey.ended_at is not None


@dataclass(frozen=True, kw_only=True)
class StartRule:
    """Who could enter a scenario from a version on, until the next one."""

    version: int
    published_at: datetime
    start: Start
    period: Period | None
    reentry: Reentry
    timezone: str

    def moment(self, local: datetime) -> datetime:
        """A moment of the file, which has no offset."""
        return local.replace(tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)

    def has_begun(self, at: datetime) -> bool:
        begins = self.period.from_ if self.period else None
        return begins is None or at >= self.moment(begins)

    def is_past(self, at: datetime) -> bool:
        ends = self.period.until if self.period else None
        return ends is not None and at >= self.moment(ends) + timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A scenario, and who could enter it when."""

    name: str
    title: str
    #: The first version first; never empty.
    rules: Sequence[StartRule]
    #: The live version; None where it was retired.
    live: int | None
    #: The newest version that has the message asked about; None where none was asked about.
    with_message: int | None = None
    #: The status of its last enrolment; None where it had none.
    enrolment: str | None = None

    @property
    def rule(self) -> StartRule:
        """That of the live version, or of the last one."""
        return next((rule for rule in self.rules if rule.version == self.live), self.rules[-1])

    def rule_at(self, at: datetime) -> StartRule | None:
        """The rule of then, where it was not retired; None before it was published."""
        return next((rule for rule in reversed(self.rules) if rule.published_at <= at), None)


@dataclass(frozen=True, kw_only=True)
class Adding:
    """That a friend was added, or unblocked the channel."""

    at: datetime
    unblocked: bool


@dataclass(frozen=True, kw_only=True)
class KeptFacts:
    """All that the database keeps about a friend, as far as it tells why."""

    friend: Friend
    #: Since when they have the status that they have; None where that is not known.
    status_since: datetime | None
    now: datetime
    titles: Titles = field(default_factory=Titles)
    #: In the order in which they began.
    walked: Sequence[Walked] = ()
    #: Those asked about.
    offered: Sequence[Offered] = ()
    memberships: Mapping[str, Sequence[Membership]] = field(default_factory=dict)
    #: By which routes they were added, the first one first.
    routes: Sequence[tuple[datetime, str]] = ()
    #: The last time that is still kept.
    added: Adding | None = None
    holds: Sequence[Hold] = ()
    #: Since when they are to enter again, by scenario.
    pending: Mapping[str, datetime] = field(default_factory=dict)
    #: Joinings of audiences that were not handled yet, each with why it failed, if it did.
    joinings: Mapping[str, str | None] = field(default_factory=dict)

    def route_at(self, at: datetime) -> str | None:
        """The route by which they were added just then; None where they were not, or by none."""
        return next(
            (route for added, route in reversed(self.routes) if added <= at <= added + JUST_THEN),
            None,
        )
