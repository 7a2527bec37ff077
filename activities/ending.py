"""Ending: the database hears that a journey is over."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from temporalio import activity

from activities.context import Context, now
from tobiishi import metrics
from tobiishi.journeys import journeys
from tobiishi.logs import about
from tobiishi.plan import End

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ending:
    context: Context

    @activity.defn(name="end_journey")
    async def end(self, end: End) -> str:
        """Keep that the journey is over, and tell with what outcome.

        A friend who blocks at the last moment makes it `unfollowed`, whatever the workflow knew.
        """
        async with self.context.database.transaction() as connection:
            journey = await journeys.locate(connection, end.journey)
            outcome = await journeys.end(connection, journey.journey_id, end.outcome, at=now())
        metrics.journeys_ended.labels(journey.channel, journey.scenario, outcome).inc()
        _log.info("the journey is over: %s", outcome, extra=about(journey))
        return outcome
