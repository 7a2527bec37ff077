"""What a journey does next: the one value that scenario, activities and workflow hand each other.

It goes into Temporal's history at every step, so it stays small and carries references only:
no message bodies, no friend's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Action(StrEnum):
    """The kinds of thing that a journey does."""

    SEND = "send"
    BRANCH = "branch"
    TAG = "tag"
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
