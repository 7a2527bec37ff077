"""Workflows of enrolments: started where there is none, signalled when one is paused and so on."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from temporalio.client import Client
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from tobiishi.database import Connection, Database
from tobiishi.publishing import enrolments
from tobiishi.publishing.enrolments import Enrolment
from tobiishi.relay.queue import Queue, attempt
from tobiishi.temporal import (
    ANSWER_TIMEOUT,
    CHANNEL,
    JOURNEYS,
    SCENARIO,
    SCENARIO_VERSION,
    is_workflow_gone,
)
from tobiishi.text import as_markdown


class Enrolments(Queue):
    """Enrolments of which Temporal does not know yet what it must.

    The row is not locked meanwhile: two relays may signal the same, which does no harm, and
    whoever pauses an enrolment need not wait for a Temporal that hangs.
    """

    hands = 1

    def __init__(self, database: Database, temporal: Client) -> None:
        super().__init__(database)
        self.temporal = temporal

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        unconfirmed = await enrolments.next_unconfirmed(connection, now=now)
        if unconfirmed is None:
            return False
        enrolment, attempts = unconfirmed
        async with attempt(
            enrolment.ref.workflow_id,
            attempts=attempts,
            postpone=partial(enrolments.postpone, connection, enrolment),
            now=now,
        ):
            await self.sync(enrolment)
            await enrolments.confirm(connection, enrolment)
        return True

    async def sync(self, enrolment: Enrolment) -> None:
        """Have a workflow that knows the enrolment's status, if it is not over; twice, one."""
        ref = enrolment.ref
        try:
            if enrolment.finished_at is None:
                await self.temporal.start_workflow(
                    "enrolment",
                    ref,
                    id=ref.workflow_id,
                    task_queue=JOURNEYS,
                    search_attributes=TypedSearchAttributes(
                        [
                            SearchAttributePair(CHANNEL, ref.channel),
                            SearchAttributePair(SCENARIO, ref.scenario),
                            SearchAttributePair(SCENARIO_VERSION, str(ref.version)),
                        ]
                    ),
                    static_summary=(
                        f"{enrolment.audience} into {ref.scenario} v{ref.version}: "
                        f"{enrolment.total:,} friends"
                    ),
                    static_details=(
                        f"All who are in {enrolment.audience} enter {ref.scenario} version "
                        f"{ref.version}, channel {as_markdown(ref.channel)}. To pause, resume or "
                        f"cancel it: `tobiishi enrolment pause {ref.enrolment_id}` and so on."
                    ),
                    priority=Priority(fairness_key=ref.channel),
                    rpc_timeout=ANSWER_TIMEOUT,
                )
                return
        except WorkflowAlreadyStartedError:
            pass
        try:
            handle = self.temporal.get_workflow_handle(ref.workflow_id)
            await handle.signal("look", rpc_timeout=ANSWER_TIMEOUT)
        except RPCError as error:
            if not (is_workflow_gone(error) and enrolment.finished_at):
                raise
