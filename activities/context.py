"""What activities work with, and the clock they go by."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from temporalio import activity

from tobiishi.channels.channels import Channel, Channels
from tobiishi.database import Connection, Database
from tobiishi.journeys import journeys
from tobiishi.line import LineClient
from tobiishi.plan import Plan, Taken, Turn
from tobiishi.publishing.versions import Versions
from tobiishi.scenario import Scenario, spread_out
from tobiishi.tracking.links import LinkTracker


@dataclass(kw_only=True)
class Context:
    """The parts of a running worker."""

    database: Database
    channels: Channels
    #: Leads links through us; None where nobody text under which address we are reached.
    tracker: LinkTracker | None = None
    versions: Versions = field(default_factory=Versions)
    _clients: dict[tuple[str, str], LineClient] = field(default_factory=dict)

    async def begin(self, connection: Connection, turn: Turn) -> tuple[Turn, Scenario]:
        """Returns the turn with its journey as the database knows it now, and the scenario.

        Raises `journeys.Unknown`, to be tried again, where the database does not know the journey.
        """
        journey = await journeys.locate(connection, turn.journey)
        version = await self.versions.get(
            connection, journey.channel, journey.scenario, journey.version
        )
        return replace(turn, journey=journey), version.scenario

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
    connection: Connection, scenario: Scenario, turn: Turn, text: str, *, at: datetime, plan: Plan
) -> Taken:
    """Keep what comes next, and return an activity's answer.

    It says what was done, when by the scenario's clock, and what comes next. To be called in the
    transaction that takes the step.
    """
    local = at.astimezone(ZoneInfo(scenario.timezone))
    await journeys.record_past_waits(connection, turn.journey, scenario, plan, at=at)
    own = spread_out(scenario, replace(plan, past=()), friend=turn.journey.friend, now=at)
    await journeys.set_next(connection, turn.journey, own)
    return Taken(said=f"{local:%m-%d %H:%M} {text}", plan=own)


def now() -> datetime:
    """The time by the journey's own clock.

    The server's time of this attempt, not this machine's: so a journey's waits are counted by one
    clock, which a rehearsal may move.
    """
    return activity.info().started_time
