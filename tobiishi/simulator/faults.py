"""The ways in which LINE and the network fail, on demand and in a repeatable order."""

from __future__ import annotations

import random
from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tobiishi.simulator.store import Store

Rate = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=3600)]


class Fault(Enum):
    """The fault that one request meets."""

    RATE_429 = "rate_429"
    RATE_QUOTA_429 = "rate_quota_429"
    RATE_500 = "rate_500"
    TIMEOUT_BEFORE_ACCEPTANCE = "timeout_before_acceptance"
    CUT_BEFORE_ACCEPTANCE = "cut_before_acceptance"
    TIMEOUT_AFTER_ACCEPTANCE = "timeout_after_acceptance"
    CUT_AFTER_ACCEPTANCE = "cut_after_acceptance"


class FaultSettings(BaseModel):
    """How often what fails, and how the platform is set up. Rates are of requests, 0 to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    #: 429, too many requests.
    rate_429: Rate = 0
    #: 429 in the words of a spent monthly quota.
    rate_quota_429: Rate = 0
    #: 500, and nothing was done.
    rate_500: Rate = 0
    #: No answer for `timeout_seconds`, then 500; nothing was done.
    timeout_before_acceptance: Rate = 0
    #: The connection is cut without an answer; nothing was done.
    cut_before_acceptance: Rate = 0
    #: Done, but the answer comes after `timeout_seconds`.
    timeout_after_acceptance: Rate = 0
    #: Done, but the connection is cut without an answer.
    cut_after_acceptance: Rate = 0
    #: Which requests the faults above meet: those that send messages, or all of the API.
    applies_to: Literal["sends", "all"] = "sends"
    #: How long an answer is held back by a timeout.
    timeout_seconds: Seconds = 60
    #: How long every answer takes.
    latency_seconds: Seconds = 0
    #: Makes the choice of requests that fail repeatable.
    seed: int | None = None
    #: Pushes that LINE takes in a second; `null` for no limit.
    pushes_per_second: Annotated[int, Field(ge=1)] | None = 2000
    #: Messages of a month, counted by recipients; `null` for no limit.
    quota: Annotated[int, Field(ge=0)] | None = None
    #: Whether a well-formed user id that is not a friend's becomes a friend or is refused.
    unknown_users: Literal["adopt", "refuse"] = "adopt"
    #: Which links in texts LINE's own machine opens to preview them: those to this machine, all,
    #: or none.
    link_preview: Literal["local", "everywhere", "off"] = "local"
    #: How often a webhook that was taken is sent once more.
    webhook_duplicate: Rate = 0
    #: How many times a webhook that was not taken is sent again.
    webhook_redeliveries: Annotated[int, Field(ge=0, le=1000)] = 8
    #: Seconds to the first redelivery; they double each time, to a minute at most.
    webhook_redelivery_seconds: Seconds = 1
    #: How long a new audience is in preparation.
    audience_seconds: Seconds = 0


class Faults:
    """The settings in force, kept in the store, and the dice."""

    def __init__(self, store: Store) -> None:
        self._store = store
        kept = store.one("select value from settings where name = 'faults'")
        self.settings = (
            FaultSettings.model_validate_json(kept["value"]) if kept else FaultSettings()
        )
        self._random = random.Random(self.settings.seed)  # noqa: S311 - dice, not secrets

    def set(self, settings: FaultSettings) -> None:
        """Apply these settings, and seed the dice again."""
        self._store.run(
            "insert or replace into settings values ('faults', ?)", settings.model_dump_json()
        )
        self.settings = settings
        self._random = random.Random(settings.seed)  # noqa: S311

    def draw(self, *, sends: bool) -> Fault | None:
        """Return the fault of the next request, if any."""
        if not (sends or self.settings.applies_to == "all"):
            return None
        # Every die is thrown each time: a changed rate leaves the other faults' sequence.
        hits = [fault for fault in Fault if self._hits(getattr(self.settings, fault.value))]
        return hits[0] if hits else None

    def duplicates_webhook(self) -> bool:
        return self._hits(self.settings.webhook_duplicate)

    def _hits(self, rate: float) -> bool:
        return self._random.random() < rate
