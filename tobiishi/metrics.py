"""Metrics of Tobiishi, in Prometheus's text format.

Each process counts what it does itself; what the database knows is looked up by the starter when it
is asked. Labels name channels, scenarios and kinds of things, never friends.
https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from temporalio.client import Client
from temporalio.service import RPCError

from tobiishi.channels import holds
from tobiishi.database import Database, Unavailable, all_rows, queries

_sql = queries("metrics")
_log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Seconds that looked-up values are cached: several may ask.
CACHE_SECONDS = 10.0
#: How long the database and Temporal may take for their answers.
ANSWER_TIMEOUT = timedelta(seconds=3)
#: Failed attempts after which a row of the relay's queues is stuck: somebody must be told.
STUCK_AFTER = 5
#: Journeys that Temporal can't take any further.
STUCK_WORKFLOWS = "TemporalReportedProblems IS NOT NULL"

# Prometheus sees by itself when a counter began.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()

webhook_events = Counter(
    "tobiishi_webhook_events",
    "Webhook events of LINE's that were kept, and not known before.",
    ["channel"],
    registry=REGISTRY,
)
deliveries = Counter(
    "tobiishi_deliveries",
    "Messages that are settled: sent (accepted by LINE), refused, skipped, unknown.",
    ["channel", "status"],
    registry=REGISTRY,
)
lateness = Histogram(
    "tobiishi_lateness_seconds",
    "From when a message was due until LINE accepted it.",
    ["channel"],
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 6 * 3600, 24 * 3600),
    registry=REGISTRY,
)
line_seconds = Histogram(
    "tobiishi_line_seconds",
    "How long LINE took for an answer to a push.",
    ["channel"],
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20),
    registry=REGISTRY,
)
line_errors = Counter(
    "tobiishi_line_errors",
    "Pushes that settled nothing, and are tried again: by what was wrong.",
    ["channel", "error"],
    registry=REGISTRY,
)
journeys_reconciled = Counter(
    "tobiishi_journeys_reconciled",
    "Journeys that the database or Temporal had lost: adopted (by the database), brought_back (to"
    " Temporal), ended (as they are over in Temporal).",
    ["channel", "what"],
    registry=REGISTRY,
)
journeys_ended = Counter(
    "tobiishi_journeys_ended",
    "Journeys that are over, by how they ended.",
    ["channel", "scenario", "outcome"],
    registry=REGISTRY,
)


@contextmanager
def timing_line(channel: str) -> Iterator[None]:
    """Count how long LINE takes, whatever it answers."""
    with line_seconds.labels(channel).time():
        yield


def counted() -> bytes:
    """The metrics that this process has counted."""
    return generate_latest(REGISTRY)


class Gauges:
    """Collects what is looked up in the database and asked of Temporal."""

    def __init__(self, database: Database, temporal: Client) -> None:
        self.database = database
        self.temporal = temporal
        self._seen = b""
        self._until = 0.0

    async def collect(self) -> bytes:
        """Collect the values now. A part that is away is left out, and reported as away."""
        if time.monotonic() >= self._until:
            found = _Found()
            away = GaugeMetricFamily(
                "tobiishi_away", "1 where a part can't be asked.", labels=["part"]
            )
            found.metrics.append(away)
            parts = {"database": self._in_database, "temporal": self._in_temporal}
            looks = (_look(look, found, part) for part, look in parts.items())
            for part, is_there in zip(parts, await asyncio.gather(*looks), strict=True):
                away.add_metric([part], 0 if is_there else 1)
            self._seen = generate_latest(found)
            self._until = time.monotonic() + CACHE_SECONDS
        return self._seen

    async def _in_database(self, found: _Found) -> None:
        async with self.database.connection() as connection:
            at = await self.database.clock(connection)
            for row in await all_rows(_sql.queues(connection, stuck_after=STUCK_AFTER)):
                lag = (at - row["since"]).total_seconds() if row["since"] else 0.0
                found.gauge("relay_waiting", row["waiting"], queue=row["queue"])
                found.gauge("relay_lag_seconds", max(0.0, lag), queue=row["queue"])
            for row in await all_rows(_sql.stuck(connection, stuck_after=STUCK_AFTER)):
                found.gauge("relay_stuck", row["count"], queue=row["queue"])
            for row in await all_rows(_sql.journeys(connection)):
                labels = {"channel": row["channel"], "scenario": row["scenario"]}
                found.gauge("journeys_under_way", row["count"], **labels)
            for row in await all_rows(_sql.deliveries(connection)):
                name = "deliveries_waiting" if row["status"] == "claimed" else "deliveries_unknown"
                found.gauge(name, row["count"], channel=row["channel"])
            for row in await all_rows(_sql.holds(connection, at=at)):
                found.gauge("holds", row["count"], channel=row["channel"], kind=row["kind"])
            for row in await all_rows(_sql.quotas(connection)):
                if holds.month_turns(row["told_at"]) > at:
                    found.gauge("quota", row["monthly"], channel=row["channel"])
                    left = max(0, row["monthly"] - row["used"])
                    found.gauge("quota_left", left, channel=row["channel"])

    async def _in_temporal(self, found: _Found) -> None:
        stuck = await self.temporal.count_workflows(STUCK_WORKFLOWS, rpc_timeout=ANSWER_TIMEOUT)
        found.gauge("workflows_stuck", stuck.count)


#: The gauges and their help texts.
GAUGES = {
    "relay_waiting": "Rows that wait to be handled.",
    "relay_lag_seconds": "Since when the oldest of them does that is not stuck.",
    "relay_stuck": "Rows that failed again and again; `tobiishi stuck list` names them.",
    "journeys_under_way": "Friends who walk through a scenario now.",
    "deliveries_waiting": "Messages that LINE has been asked to take, and has not taken yet.",
    "deliveries_unknown": "Messages that LINE may or may not have taken; nobody will ever know.",
    "holds": "What holds sends back: paused, token (LINE does not take it), quota (used up).",
    "quota": "Messages that LINE's plan allows this month, where it has a limit.",
    "quota_left": "How many of them are left, as LINE told last.",
    "workflows_stuck": "Workflows that Temporal can't take any further.",
}


class _Found:
    """Metrics in the form that the client library collects."""

    def __init__(self) -> None:
        self.metrics: list[GaugeMetricFamily] = []
        self._gauges: dict[str, GaugeMetricFamily] = {}

    def gauge(self, name: str, value: float, **labels: str) -> None:
        if name not in self._gauges:
            about = GaugeMetricFamily(f"tobiishi_{name}", GAUGES[name], labels=list(labels))
            self._gauges[name] = about
            self.metrics.append(about)
        self._gauges[name].add_metric(list(labels.values()), value)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self.metrics


async def _look(look: Callable[[_Found], Awaitable[None]], found: _Found, part: str) -> bool:
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
            await look(found)
    except (*Unavailable, RPCError, RuntimeError) as error:
        _log.warning("metrics: %s can't be asked: %r", part, error)
        return False
    return True
