"""Queues: rows that wait in Postgres to be handled, each by one process at a time.

Each row is handled in one transaction with what follows from it, so a process that dies leaves
the row for another, and two never have the same row locked. A row that fails is tried again
later and later, for ever. After some tries it is stuck (`tobiishi.relay.stuck`): an operator is
told, and it holds up nothing that does not depend on it.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Protocol

from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from tobiishi import temporal
from tobiishi.database import Connection, Database, Unavailable
from tobiishi.metrics import STUCK_AFTER

_log = logging.getLogger(__name__)

#: How often a queue is looked at where nobody rings: what other processes wrote is seen by then.
POLL_INTERVAL = timedelta(milliseconds=500)
#: The longest that a row which keeps failing waits for its next try.
MAX_BACKOFF = timedelta(seconds=30)
#: Characters of an error that are kept.
MAX_ERROR_CHARS = 2000


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts, the first being 0."""
    return min(timedelta(seconds=2 ** min(attempts, 16)), MAX_BACKOFF)


def is_away(error: BaseException) -> bool:
    """Whether the database can't be reached: then all rows wait, and none is put off for it."""
    # asyncpg's error for a value that no column takes is an InterfaceError too, and a ValueError.
    return isinstance(error, Unavailable) and not isinstance(error, ValueError)


def in_words(error: Exception) -> str:
    """The error as text that Postgres can hold, whatever it quotes."""
    text = f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARS]
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode(errors="replace").decode()


def failed_attempts(before: int, error: Exception) -> int:
    """How often a row has failed that had failed so often before.

    Temporal's being away is no row's failure: a row is not stuck for it alone.
    """
    if temporal.is_away(error):
        return max(before, min(before + 1, STUCK_AFTER - 1))
    return before + 1


class Postpone(Protocol):
    """Has a row handled again at `retry_at`, and keeps how often and why it failed."""

    async def __call__(self, *, attempts: int, retry_at: datetime, error: str) -> object: ...


@asynccontextmanager
async def attempt(
    what: str, *, attempts: int, postpone: Postpone, now: datetime
) -> AsyncIterator[None]:
    """One attempt to handle a row: one that fails is logged, and postponed with backoff.

    `attempts` is how often it failed before. A database that is away is no row's failure, and is
    raised. Where the attempt writes, open a savepoint inside of it, so that postponing finds a
    transaction that still works.
    """
    try:
        yield
    except Exception as error:
        if is_away(error):
            raise
        failed = failed_attempts(attempts, error)
        if attempts < STUCK_AFTER <= failed:
            _log.error(
                "%s: failed %d times, and is stuck; see `tobiishi stuck list`: %s",
                what,
                failed,
                " ".join(in_words(error).split()),
            )
        # Temporal's errors say all in one line; any other may be a bug of ours.
        elif failed > STUCK_AFTER or isinstance(error, RPCError | WorkflowAlreadyStartedError):
            _log.warning("%s: %s", what, " ".join(in_words(error).split()))
        else:
            _log.exception("%s", what)
        await postpone(attempts=failed, retry_at=now + wait_after(attempts), error=in_words(error))


class Loop(ABC):
    """Something of the relay's that is done whenever it is rung, and now and then besides."""

    #: How often it is done where nobody rings.
    poll_interval = POLL_INTERVAL
    #: How long after the relay's start it is done first.
    initial_delay = timedelta(0)

    def __init__(self, database: Database, *, feeds: Sequence[Loop] = ()) -> None:
        self.database = database
        #: Those that find something to do in what this one has done.
        self.feeds = feeds
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """Something was put in: look now."""
        self._bell.set()

    async def run(self) -> None:
        """Do what there is to do, until cancelled. Waits out a database that is away."""
        await asyncio.sleep(self.initial_delay.total_seconds())
        while True:
            self._bell.clear()
            try:
                if await self.drain():
                    for fed in self.feeds:
                        fed.ring()
                pause = self.poll_interval
            except Unavailable as error:
                _log.warning("%s: the database is away: %s", type(self).__name__, error)
                pause = timedelta(seconds=1)
            except Exception:  # One row's, or the database's refusal: it must not end the relay.
                _log.exception("%s: failed, and tries again", type(self).__name__)
                pause = timedelta(seconds=1)
            # Not `wait_for`: in Python 3.11 a bell in the moment of a cancelling drowns it.
            with suppress(TimeoutError):
                async with asyncio.timeout(pause.total_seconds()):
                    await self._bell.wait()

    @abstractmethod
    async def drain(self) -> int:
        """Do all that is to be done now. Returns how many times there was something."""


class Survey(Loop):
    """Compares what the database keeps with what Temporal or LINE knows.

    No transaction stays open while they answer.
    """

    async def drain(self) -> int:
        async with self.database.connection() as connection:
            now = await self.database.clock(connection)
        await self.survey(now)
        return 0

    @abstractmethod
    async def survey(self, now: datetime) -> None:
        """Compare, and mend what does not agree."""


class Queue(Loop):
    """Rows that wait in Postgres, taken by as many hands as there is work for."""

    hands = 4
    #: How many rows a hand takes at once, where there are so many.
    rows_at_once = 1
    #: Whether each statement is planned for the rows that are there now. Postgres keeps the plan of
    #: one that it is asked often, and one of when the queue was empty compares each of its rows
    #: with each other: seconds for thousands, until Postgres happens to analyse the table.
    is_planned_each_time = False

    async def drain(self) -> int:
        """Handle all that is due. Tells how many times there was something."""
        taken = await self._handle_one()
        if not taken:
            return 0
        handled = 1
        # All workers come back before one's failure is raised: none is left at work unseen.
        hands = (self._hand() for _ in range(self.hands if taken >= self.rows_at_once else 1))
        for came in await asyncio.gather(*hands, return_exceptions=True):
            if isinstance(came, BaseException):
                raise came
            handled += came
        return handled

    async def _hand(self) -> int:
        """Handle one after the other, until there is none."""
        handled = 0
        while await self._handle_one():
            handled += 1
        return handled

    async def _handle_one(self) -> int:
        async with self.database.transaction() as connection:
            if self.is_planned_each_time:
                await connection.execute("set local plan_cache_mode = force_custom_plan")
            return await self.handle_one(connection, await self.database.clock(connection))

    @abstractmethod
    async def handle_one(self, connection: Connection, now: datetime) -> int:
        """Take a row, or some at once, and handle them. 0 (or False) where there was none."""
