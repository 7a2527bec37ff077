"""Forecasts: a scenario's use of the month's messages, and how long a moment lasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tobiishi.channels import quotas
from tobiishi.database import Connection, all_rows, queries
from tobiishi.publishing import versions
from tobiishi.publishing.enrolment_plan import DEFAULT_PER_SECOND, time_in_words
from tobiishi.scenario import Scenario, Step

_sql = queries("forecast")


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The expected load of a scenario once published, as far as known."""

    #: Friends who may be due in the same moment: those in its audience, or all of the channel's.
    friends: int
    #: Whether each enters at a moment of their own: by adding the channel.
    one_by_one: bool = False
    #: How many of them enter at once: those who are in its audience already, where it wants them.
    entering: int
    #: Messages to those, at most: as if all went the longest way through it.
    coming: int
    #: Messages to those who are under way in the channel's scenarios, at most.
    under_way: int
    #: Messages that LINE's plan leaves this month; None where there is no limit, or it isn't known.
    left: int | None
    #: Messages a second, at most.
    per_second: float
    #: From a moment that all of these friends wait for until the last of them is sent to.
    moment: timedelta

    def in_words(self) -> str:
        """Such as `12,300 friends who wait for the same moment are sent to within …`."""
        if self.one_by_one:
            return (
                "each friend enters at the moment they add the channel; "
                f"up to {self.per_second:,.0f} are sent to in a second"
            )
        if not self.friends:
            return "no friend is there yet who may enter"
        text = (
            f"{self.friends:,} friends who wait for the same moment are sent to within "
            f"{_in_words(self.moment)} (up to {self.per_second:,.0f} a second)"
        )
        if self.entering:
            enters = timedelta(seconds=self.entering / DEFAULT_PER_SECOND)
            text = f"{self.entering:,} friends enter within {_in_words(enters)}; {text}"
        return text

    def warning(self) -> str | None:
        """The warning to show before it goes live, if any."""
        if self.left is None:
            return None
        if self.left == 0:
            return (
                "this month's messages are used up: what it sends waits until the month turns, or "
                "until the plan allows more"
            )
        if self.coming + self.under_way > self.left:
            return (
                f"{self.left:,} of this month's messages are left, and it may take up to "
                f"{self.coming:,} at once, beside up to {self.under_way:,} of those under way: "
                "what is too much waits until the month turns, or until the plan allows more"
            )
        return None


def most_messages(steps: Sequence[Step]) -> int:
    """How many sends there are on the longest way through the steps."""
    return sum(_most_of(step) for step in steps)


def _most_of(step: Step) -> int:
    if step.send:
        return 1
    if step.branch:
        return max(most_messages(case.steps) for case in step.branch)
    if step.wait_for:
        return max(most_messages(step.wait_for.in_time), most_messages(step.wait_for.too_late))
    return 0


def moment_of(friends: int, per_second: float, spread: timedelta) -> timedelta:
    """The time to send to all of so many friends who wait for one moment."""
    return max(spread, timedelta(seconds=friends / per_second))


async def forecast(
    connection: Connection, channel: str, scenario: Scenario, *, per_second: float, at: datetime
) -> Forecast:
    """The forecast of the scenario, were it published now."""
    start = scenario.start
    friends: int = await _sql.friends(connection, channel=channel, audience=start.audience)
    entering = friends if start.include_members else 0
    under_way = 0
    for row in await all_rows(_sql.under_way(connection, channel=channel)):
        version = await versions.get(connection, channel, row["scenario"], row["version"])
        under_way += row["journeys"] * most_messages(version.scenario.steps)
    quota = await quotas.get(connection, channel, at=at)
    spread = scenario.spread.length if scenario.spread else timedelta(0)
    return Forecast(
        friends=friends,
        one_by_one=start.friend_added is not None,
        entering=entering,
        coming=entering * most_messages(scenario.steps),
        under_way=under_way,
        left=quota.left if quota else None,
        per_second=per_second,
        moment=moment_of(friends, per_second, spread),
    )


def _in_words(length: timedelta) -> str:
    if length < timedelta(seconds=1):
        return "a second"
    return time_in_words(length.total_seconds()).replace("less than a minute", "a minute")
