"""The relay: turns what was kept into what follows from it.

Three queues lie in Postgres. Webhook events and audience changes become enrolments and stops, in
the database; the outbox of those becomes starts and signals, in Temporal. Each row is handled in
one transaction with what follows from it, so a relay that dies leaves the row for another, and
two relays never hold the same row. A row that fails is tried again later and later, for ever.
"""

from __future__ import annotations

import asyncio
import logging
from calendar import isleap
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.client import Client
from temporalio.common import Priority
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from tobiishi import webhooks
from tobiishi.channels.channels import Channels
from tobiishi.database import Connection, Database, all_rows, queries
from tobiishi.journeys import journeys
from tobiishi.people import audiences, definitions, friends
from tobiishi.plan import JourneyRef, JourneyState
from tobiishi.publishing import versions
from tobiishi.publishing.versions import Versions
from tobiishi.relay import answers
from tobiishi.relay.enrolments import Enrolments
from tobiishi.relay.forgetting import Forgettings, Housekeeping
from tobiishi.relay.queue import Queue, in_words, is_away, wait_after
from tobiishi.relay.quotas import Quotas
from tobiishi.relay.terminated_workflows import Strays
from tobiishi.routes import routes
from tobiishi.scenario import first_plan, spread_out
from tobiishi.temporal import JOURNEYS, search_attributes_of

_sql = queries("relay")
_log = logging.getLogger(__name__)

#: How long Temporal may take to answer: a hand holds a connection while it waits.
ANSWER_WITHIN = timedelta(seconds=10)
#: How many audience changes are followed in one transaction, and how many of those where a
#: journey may start or a combined audience change.
TOGETHER, FEW = 200, 10


class Events(Queue):
    """Webhook events: a friend was added, blocked, unblocked, acted."""

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        taken = await webhooks.take(connection, now=now, limit=1)
        for event in taken:
            try:
                async with connection.transaction():
                    await follow_event(connection, event)
                    await webhooks.handled(connection, event, now=now)
            except Exception as error:
                if is_away(error):
                    raise
                if not isinstance(error, journeys.StillEnding):
                    _log.exception("webhook event %s", event.webhook_event_id)
                await webhooks.put_off(
                    connection,
                    event,
                    retry_at=now + wait_after(event.attempts),
                    error=in_words(error),
                )
        return bool(taken)


async def follow_event(connection: Connection, kept: webhooks.KeptEvent) -> None:
    """What follows from one webhook event."""
    channel, friend = kept.channel, kept.friend
    if friend is None:
        return  # Nobody to act on: the friend never consented, or the event is about a group.
    match kept.type:
        case "follow":
            await routes.follow_friend_add(connection, channel, friend, kept.occurred_at)
            # One that is late tells no status, but the friend was added all the same: who has
            # blocked the channel since is not enrolled.
            known = await friends.tell_status(
                connection, channel, friend, "following", kept.occurred_at
            ) or await friends.get(connection, channel, friend)
            if kept.is_standby:
                return
            follow = kept.event.follow
            unblocked = follow is not None and follow.is_unblocked
            for version in await versions.started_by_friend_add(connection, channel):
                if version.scenario.starts_on_friend_add(route=known.route, unblocked=unblocked):
                    await journeys.enrol(
                        connection,
                        version,
                        friend,
                        why="unblocked the channel" if unblocked else "was added as a friend",
                        now=kept.received_at,
                    )
        case "unfollow":
            if await friends.tell_status(connection, channel, friend, "blocked", kept.occurred_at):
                await journeys.stop_all_of_friend(
                    connection, channel, friend, "unfollowed", because="blocked the channel"
                )
        case "unsend":
            await webhooks.forget_message(connection, kept)
        case _:
            await friends.meet(connection, channel, friend, kept.occurred_at)
            await answers.follow(connection, kept)


class Changes(Queue):
    """Audience changes: a friend joined, or left."""

    def __init__(
        self, database: Database, *, timezone: str = "Asia/Tokyo", feeds: Sequence[Queue] = ()
    ) -> None:
        super().__init__(database, feeds=feeds)
        self.timezone = timezone

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        """Take some changes, each of another friend, and follow them."""
        taken = await all_rows(_sql.take_changes(connection, now=now, limit=TOGETHER))
        many = [change for change in taken if not (change["starts"] or change["is_part"])]
        # Friends are held in the order of their ids, as everybody does who holds some: so one kind
        # in one transaction, that of the oldest change. The rest stays for the next hand.
        if many and many[0] is taken[0]:
            # Nothing of theirs can fail by itself, so they are followed all at once.
            await follow_changes(connection, many)
            await _sql.changes_done(connection, ids=[change["id"] for change in many])
            return True
        others = [change for change in taken if change["starts"] or change["is_part"]]
        for change in sorted(others[:FEW], key=lambda each: (each["channel"], each["friend"])):
            try:
                async with connection.transaction():
                    await follow_change(connection, change, timezone=self.timezone, now=now)
                    await _sql.changes_done(connection, ids=[change["id"]])
            except Exception as error:
                if is_away(error):
                    raise
                if not isinstance(error, journeys.StillEnding):
                    _log.exception("audience change %s", dict(change))
                retry_at = now + wait_after(change["attempts"])
                await _sql.put_off_change(connection, id=change["id"], retry_at=retry_at)
        return bool(taken)


async def follow_changes(connection: Connection, changes: Sequence[asyncpg.Record]) -> None:
    """What follows for the journeys that exit on these changes or wait for them."""
    # Before any journey of theirs, as everybody does: else two wait for each other.
    await friends.hold_many(connection, [(each["channel"], each["friend"]) for each in changes])
    told = [(each["channel"], each["audience"], each["friend"], each["change"]) for each in changes]
    await journeys.follow_changes(connection, told)


async def follow_change(
    connection: Connection, change: asyncpg.Record, *, timezone: str, now: datetime
) -> None:
    """What follows from one friend's joining or leaving one audience, be it what it may.

    Or from something new that is known of a friend: `known`, of no audience (`""`).
    """
    channel, audience, friend = change["channel"], change["audience"], change["friend"]
    starting = []
    if change["change"] == "joined":
        starting = await versions.started_by_audience(connection, channel, audience)
    if starting:
        # A shop that lists them knows them, if from before Tobiishi was there.
        await friends.meet(connection, channel, friend, friends.LONG_AGO)
    await follow_changes(connection, [change])
    await definitions.follow_parts(connection, channel, friend, audience, timezone=timezone, at=now)
    for version in starting:
        why = f"joined {audience}: {change['reason']}"
        await journeys.enrol(connection, version, friend, why=why, now=now)


class Expiries(Queue):
    """Memberships that end by themselves."""

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        return await audiences.expire(connection, now=now, limit=100) > 0


class Birthdays(Queue):
    """Friends who are a year older today: combined audiences may ask about ages."""

    hands = 1
    look_every = timedelta(minutes=1)

    def __init__(
        self, database: Database, *, timezone: str = "Asia/Tokyo", feeds: Sequence[Queue] = ()
    ) -> None:
        super().__init__(database, feeds=feeds)
        self.timezone = timezone

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        today = now.astimezone(ZoneInfo(self.timezone)).date()
        last = await _sql.hold_birthdays(connection)
        if last >= today:
            return False
        await _sql.follow_birthdays(connection, days=days_of_birthdays(last, today), now=now)
        await _sql.birthdays_followed(connection, day=today)
        return True


def days_of_birthdays(last: date, today: date) -> list[str]:
    """The birthdays, as `MM-DD`, that came after the day `last`, up to today.

    Who was born on a 29 February has their birthday on 1 March where the year has none.
    """
    count = min((today - last).days, 366)
    days = [today - timedelta(days=number) for number in range(count)]
    found = {f"{day:%m-%d}" for day in days}
    if any(f"{day:%m-%d}" == "03-01" and not isleap(day.year) for day in days):
        found.add("02-29")
    return sorted(found)


class Orders(Queue):
    """The outbox: what Temporal must be told."""

    hands = 12

    def __init__(self, database: Database, temporal: Client) -> None:
        super().__init__(database)
        self.temporal = temporal
        self.versions = Versions()

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        taken = await all_rows(_sql.take_orders(connection, now=now, limit=1))
        for order in taken:
            journey = journeys.Journey.from_row(order)
            try:
                if order["kind"] == "start":
                    await self.start(connection, journey)
                else:
                    await self.signal(order["kind"], connection, journey, now)
                await _sql.order_done(connection, id=order["order_id"])
            except Exception as error:
                if is_away(error):
                    raise
                _log.warning("%s %s: %s", order["kind"], journey.ref.workflow_id, error)
                await _sql.put_off_order(
                    connection,
                    id=order["order_id"],
                    retry_at=now + wait_after(order["attempts"]),
                    error=in_words(error),
                )
        return bool(taken)

    async def start(self, connection: Connection, journey: journeys.Journey) -> None:
        """Start the journey's workflow, once however often it is said."""
        ref = journey.ref
        if journey.ended_at is not None:
            return
        version = await self.versions.get(connection, ref.channel, ref.scenario, ref.version)
        first = first_plan(version.scenario, ref.started_at)
        plan = spread_out(version.scenario, first, friend=ref.friend, now=ref.started_at)
        try:
            await self.temporal.start_workflow(
                "journey",
                JourneyState(journey=ref, plan=plan),
                id=ref.workflow_id,
                task_queue=JOURNEYS,
                memo={"entry": ref.entry},
                search_attributes=search_attributes_of(ref),
                static_summary=f"{version.scenario.title} v{ref.version}: {ref.friend}",
                static_details=(
                    f"channel {ref.channel}, scenario {ref.scenario} version {ref.version}, "
                    f"entry {ref.entry}: {journey.why}. "
                    f"Times are those of {version.scenario.timezone}."
                ),
                priority=Priority(fairness_key=ref.channel),
                rpc_timeout=ANSWER_WITHIN,
            )
        except WorkflowAlreadyStartedError:
            handle = self.temporal.get_workflow_handle(ref.workflow_id)
            running = await handle.describe(rpc_timeout=ANSWER_WITHIN)
            if await running.memo_value("entry") != ref.entry:
                raise  # The friend's former journey is about to close: try again soon.

    async def signal(
        self, signal: str, connection: Connection, journey: journeys.Journey, now: datetime
    ) -> None:
        """Signal the journey's workflow to stop, or to look at what it waits for."""
        ref: JourneyRef = journey.ref
        if journey.ended_at is not None:
            return
        try:
            handle = self.temporal.get_workflow_handle(ref.workflow_id)
            await handle.signal(signal, ref.entry, rpc_timeout=ANSWER_WITHIN)
        except RPCError as error:
            details = error.grpc_status.details
            namespace_is_gone = any(it.Is(NamespaceNotFoundFailure.DESCRIPTOR) for it in details)
            if error.status != RPCStatusCode.NOT_FOUND or namespace_is_gone:
                raise
            # Somebody terminated the workflow: what it can't say itself is said for it.
            await journeys.end(connection, ref.journey_id, "stopped", at=now)


class Relay:
    """All queues, each waking the one that it feeds."""

    def __init__(
        self,
        database: Database,
        temporal: Client,
        *,
        timezone: str = "Asia/Tokyo",
        channels: Channels | None = None,
    ) -> None:
        """With `channels`, LINE is asked about their quotas, too."""
        self.orders = Orders(database, temporal)
        self.changes = Changes(database, timezone=timezone, feeds=[self.orders])
        self.expiries = Expiries(database, feeds=[self.changes])
        self.birthdays = Birthdays(database, timezone=timezone, feeds=[self.changes])
        self.events = Events(database, feeds=[self.changes, self.orders])
        self.enrolments = Enrolments(database, temporal)
        self.forgettings = Forgettings(database, temporal)
        self.strays = Strays(database, temporal)
        self.housekeeping = Housekeeping(database)
        #: In the order in which what is due now is handled.
        self.queues: tuple[Queue, ...] = (
            self.events,
            self.expiries,
            self.birthdays,
            self.changes,
            self.orders,
            self.enrolments,
            self.forgettings,
            self.strays,
            self.housekeeping,
            *((Quotas(database, channels),) if channels else ()),
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def __aenter__(self) -> Relay:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as running:
            for queue in self.queues:
                running.create_task(queue.run())

    async def drain(self) -> None:
        """Handle all that is due now, and all that follows from it."""
        for queue in self.queues:
            await queue.drain()
