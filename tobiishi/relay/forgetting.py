"""Forgetting: what is kept of a person, removed from everywhere that we keep it.

In Postgres, and in Temporal, whose histories hold the friend's id. Asked once, it is tried until
it is done; from the asking on nothing more is sent.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from tobiishi.channels import holds
from tobiishi.database import Connection, Database, all_rows, queries
from tobiishi.errors import NotFound
from tobiishi.journeys import journeys
from tobiishi.people import friends
from tobiishi.relay.queue import Queue, attempt
from tobiishi.routes import routes
from tobiishi.temporal import ANSWER_TIMEOUT

_sql = queries("forgetting")
_log = logging.getLogger(__name__)

#: Where a friend's id is, in an order that no foreign key minds. The trail and the outbox go with
#: the journeys.
TABLES = (
    *("deliveries", "journey_interests", "pending_entries", "journeys"),
    *("audience_changes", "audience_members", "past_memberships", "tags"),
    *("events", "webhook_events", "route_visits", "friends", "forgettings"),
)
#: How long a webhook event is kept that was handled, and what was done on the shop's site.
WEBHOOK_EVENTS_KEPT = timedelta(days=30)
SITE_EVENTS_KEPT = timedelta(days=181)


async def ask(connection: Connection, channel: str, friend: str, *, at: datetime) -> None:
    """Have the friend forgotten. Raises `NotFound` where nothing is known of them.

    To be called in a transaction.
    """
    if await friends.lock(connection, channel, friend) is None:
        if await _sql.is_asked(connection, channel=channel, friend=friend):
            return
        raise NotFound(f"{friend!r} is not a friend of channel {channel!r}")
    await _sql.ask(connection, channel=channel, friend=friend, at=at)
    await journeys.stop_all_of_friend(
        connection, channel, friend, "stopped", because="is to be forgotten"
    )


class Forgettings(Queue):
    """Friends who are to be forgotten."""

    hands = 1

    def __init__(self, database: Database, temporal: Client) -> None:
        super().__init__(database)
        self.temporal = temporal

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        taken = await all_rows(_sql.take(connection, now=now, limit=1))
        for row in taken:
            whom = {"channel": row["channel"], "friend": row["friend"]}
            async with (
                attempt(
                    "a friend can't be forgotten yet",
                    attempts=row["attempts"],
                    postpone=partial(_sql.postpone, connection, **whom),
                    now=now,
                ),
                connection.transaction(),
            ):
                await self._forget(connection, **whom)
                _log.info("channel %s: a friend is forgotten", row["channel"])
        return bool(taken)

    async def _forget(self, connection: Connection, channel: str, friend: str) -> None:
        """Delete what is kept of the friend, in Temporal and here.

        The friend stays locked while Temporal answers: a journey that began meanwhile would be left
        in Temporal with nothing here that names it.
        """
        await friends.lock(connection, channel, friend)
        await _sql.orders_off(connection, channel=channel, friend=friend)
        for row in await all_rows(_sql.scenarios_of(connection, channel=channel, friend=friend)):
            await self._delete_workflows(f"journey/{channel}/{row['scenario']}/{friend}")
        await holds.lift(connection, channel, scope="friend", name=friend, kind="paused")
        for table in TABLES:
            # The names are ours: nothing of a request is in them.
            statement = f"delete from {table} where channel = $1 and friend = $2"  # noqa: S608
            await connection.execute(statement, channel, friend)

    async def _delete_workflows(self, workflow_id: str) -> None:
        """Delete all runs under that id, with their histories; one that runs is ended by it."""
        runs = {""}  # Whatever runs now, which the listing may not show yet.
        async for run in self.temporal.list_workflows(
            f"WorkflowId = '{workflow_id}'", rpc_timeout=ANSWER_TIMEOUT
        ):
            runs.add(run.run_id)
        for run_id in sorted(runs):
            try:
                await self.temporal.workflow_service.delete_workflow_execution(
                    DeleteWorkflowExecutionRequest(
                        namespace=self.temporal.namespace,
                        workflow_execution=WorkflowExecution(
                            workflow_id=workflow_id, run_id=run_id
                        ),
                    ),
                    timeout=ANSWER_TIMEOUT,
                )
            except RPCError as error:
                if error.status != RPCStatusCode.NOT_FOUND:
                    raise


class Housekeeping(Queue):
    """What is kept for a time only."""

    hands = 1
    poll_interval = timedelta(minutes=10)
    #: Rows that are removed in one transaction.
    batch = 1000

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        removed = await _sql.prune_webhook_events(
            connection, before=now - WEBHOOK_EVENTS_KEPT, limit=self.batch
        )
        removed += await _sql.prune_site_events(
            connection, before=now - SITE_EVENTS_KEPT, limit=self.batch
        )
        removed += await routes.forget_strangers(
            connection, before=now - routes.STRANGERS_KEPT, limit=self.batch
        )
        return bool(removed)
