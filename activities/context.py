"""What activities work with, and the clock they go by."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from temporalio import activity

from tobiishi import metrics
from tobiishi.channels.channels import Channel, Channels
from tobiishi.database import Connection, Database
from tobiishi.journeys import journeys, steps
from tobiishi.journeys.deliveries import Delivery
from tobiishi.journeys.steps import StepDone
from tobiishi.line import LineClient
from tobiishi.logs import about
from tobiishi.plan import JourneyRef, Plan, Taken, Turn
from tobiishi.publishing.versions import Versions
from tobiishi.scenario import Scenario, Send, spread_out, uses_profile
from tobiishi.tracking.links import LinkTracker

_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Context:
    """The parts of a running worker."""

    database: Database
    channels: Channels
    #: Leads links through us; None where nobody text under which address we are reached.
    tracker: LinkTracker | None = None
    versions: Versions = field(default_factory=Versions)
    _clients: dict[tuple[str, str], LineClient] = field(default_factory=dict)
    _uses_profile: dict[tuple[str, str, int, str], bool] = field(default_factory=dict)

    async def begin(self, connection: Connection, turn: Turn) -> tuple[Turn, Scenario]:
        """Returns the turn with its journey as the database knows it now, and the scenario.

        Raises `journeys.Unknown`, to be tried again, where the database does not know the journey.
        """
        journey = await journeys.locate(connection, turn.journey)
        return replace(turn, journey=journey), await self.scenario(connection, journey)

    async def scenario(self, connection: Connection, journey: JourneyRef) -> Scenario:
        """The scenario that the journey goes through, in its version."""
        version = await self.versions.get(
            connection, journey.channel, journey.scenario, journey.version
        )
        return version.scenario

    async def uses_profile(self, turn: Turn, step: Send) -> bool:
        """Whether a message of the step names what LINE's profile tells of a friend.

        In a thread the first time, when all templates of the messages are read.
        """
        ref = turn.journey
        key = (ref.channel, ref.scenario, ref.version, turn.plan.step)
        if key not in self._uses_profile:
            self._uses_profile[key] = await asyncio.to_thread(uses_profile, step.messages)
        return self._uses_profile[key]

    def line(self, channel: Channel) -> LineClient:
        """A client that speaks for the channel; a changed token gets a client of its own."""
        key = (channel.api_base_url, channel.access_token)
        if key not in self._clients:
            self._clients[key] = LineClient(
                base_url=channel.api_base_url, access_token=channel.access_token
            )
        return self._clients[key]

    @asynccontextmanager
    async def closing(self) -> AsyncIterator[Context]:
        """Closes the connections to LINE at the end."""
        try:
            yield self
        finally:
            for client in self._clients.values():
                await client.aclose()


async def taken(
    connection: Connection,
    scenario: Scenario,
    turn: Turn,
    text: str,
    *,
    at: datetime,
    plan: Plan,
    done: Sequence[StepDone] = (),
    delivery: Delivery | None = None,
    refused_because: str | None = None,
) -> Taken:
    """Keep what was done and what comes next, and return an activity's answer.

    It says what was done, when by the scenario's clock, and what comes next; or that the journey is
    over by this. The last four are as in `steps.advance`.
    """
    local = at.astimezone(ZoneInfo(scenario.timezone))
    own = spread_out(scenario, replace(plan, past=()), friend=turn.journey.friend, now=at)
    outcome = await steps.advance(
        connection,
        turn.journey,
        own,
        at=at,
        done=[*done, *steps.past_waits(scenario, plan)],
        delivery=delivery,
        refused_because=refused_because,
    )
    return Taken(said=f"{local:%m-%d %H:%M} {text}", plan=own, outcome=outcome)


def count_end(journey: JourneyRef, outcome: str | None) -> None:
    """Log and count that the journey is over; nothing where it goes on. To be called once kept."""
    if outcome is not None:
        metrics.journeys_ended.labels(journey.channel, journey.scenario, outcome).inc()
        _log.info("the journey is over: %s", outcome, extra=about(journey))


def now() -> datetime:
    """The time by the journey's own clock.

    The server's time of this attempt, not this machine's: so a journey's waits are counted by one
    clock, which a rehearsal may move.
    """
    return activity.info().started_time
