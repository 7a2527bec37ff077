"""A journey and its next plan: the values that scenario, activities and workflow exchange.

They go into Temporal's history at every step, so they stay small and carry references only: no
message bodies, no friend's name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Action(StrEnum):
    """The kinds of thing that a journey does."""

    SEND = "send"
    BRANCH = "branch"
    TAG = "tag"
    #: Begin to wait for an audience.
    WATCH = "watch"
    #: Check whether the friend has joined it, when signalled or when it is too late.
    LOOK = "look"
    END = "end"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The next thing a journey does, and when."""

    #: What is done.
    action: Action
    #: Path of the step in the scenario's tree, such as `2` or `2.0.1`; empty at the end.
    step: str
    #: When it is done (UTC). A time already past means at once.
    due: datetime
    #: `due` for people, in the scenario's time zone: `11-26 10:00`.
    until: str
    #: What it is, for people: `send coupon`, `is in clicked-hello?`.
    label: str
    #: How many times this step has been tried under a retry key of its own, from 1.
    visit: int = 1
    #: Path of the wait that the journey is in until then; empty where in none.
    wait: str = ""
    #: Paths of the waits that were past, so that what follows them is left out. The trail has them
    #: before Temporal gets the plan.
    past: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class JourneyRef:
    """Which journey it is: enough to find everything else about it.

    Its identity is the friend, the scenario, the entry and the moment it began. A row's number is
    not: a database that was restored from a backup gives the same numbers out again.
    """

    #: Its number in the `journeys` table when it began.
    journey_id: int
    channel: str
    scenario: str
    #: The version it started with, and keeps.
    version: int
    #: LINE's user id.
    friend: str
    #: How many times this friend has entered this scenario, from 1.
    entry: int
    #: When it began (UTC).
    started_at: datetime

    @property
    def workflow_id(self) -> str:
        return f"journey/{self.channel}/{self.scenario}/{self.friend}"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One step to take, as an activity gets it."""

    journey: JourneyRef
    plan: Plan


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A step taken, as an activity answers it."""

    #: What was done and when, for people: `11-26 10:00 sent coupon`.
    said: str
    #: What comes next.
    plan: Plan
    #: How the journey ended, where this was its last step; None where it goes on.
    outcome: str | None = None


@dataclass(kw_only=True)
class JourneyState:
    """All that a journey carries: its input, and what it passes to a next run (continue-as-new)."""

    journey: JourneyRef
    #: What comes next.
    plan: Plan
    #: The last things done, for people.
    trail: list[str] = field(default_factory=list)
    #: When the first plan was made by the database's clock; None after the first look at it.
    planned_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """A journey that begins, as an activity gets it."""

    journey: JourneyRef
    #: When it began, by Temporal's clock.
    began: datetime


@dataclass(frozen=True, kw_only=True)
class End:
    """A journey that is over, as an activity gets it."""

    journey: JourneyRef
    #: How it ended as far as the workflow knows; the database may know better.
    outcome: str


@dataclass(frozen=True, kw_only=True)
class JourneyResult:
    """How a journey ended."""

    #: `completed`, `exited`, `unfollowed`, `stopped`, `refused`.
    outcome: str
