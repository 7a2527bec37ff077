"""The Postgres that holds everything Tobiishi keeps: one pool, named queries, migrations.

Queries live in `tobiishi/sql/<noun>.sql` and are called by name through `aiosql`, each from the
module of the same noun. The schema is the sum of `tobiishi/sql/migrations/`, applied in the order
of their names, once each.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

import aiosql
import asyncpg
from aiosql.adapters.asyncpg import AsyncPGAdapter
from asyncpg.transaction import Transaction

from tobiishi.errors import TobiishiError

SQL = Path(__file__).parent / "sql"

#: A connection to pass to a query, inside a transaction or not.
Connection: TypeAlias = (
    "asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]"
)

#: What asyncpg raises when the database can't be reached, has gone away, or can't work just now:
#: whole classes of SQLSTATE, of which none tells of a mistake in a statement of ours (22, 23, 42).
Unavailable = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # Such as a connection cut in the very moment that it is used.
    asyncpg.InternalClientError,
    # 08
    asyncpg.PostgresConnectionError,
    # 57: starting, shutting down, crashed; a statement cancelled by an operator.
    asyncpg.OperatorInterventionError,
    # 53: too many connections, a full disk.
    asyncpg.InsufficientResourcesError,
    # 58: its disk fails, or its files are gone.
    asyncpg.PostgresSystemError,
    # XX: what it has stored is damaged.
    asyncpg.InternalServerError,
    # No primary any more.
    asyncpg.ReadOnlySQLTransactionError,
)

#: How long to wait for a connection of the pool: a database that hangs keeps nobody for good.
_ACQUIRE_TIMEOUT_SECONDS = 10
#: How long to wait for a new connection.
_CONNECT_TIMEOUT_SECONDS = 5
#: How long a connection that is given back, or closed, may take to be clean before it is cut.
_GIVE_BACK_TIMEOUT_SECONDS = 2

#: What ends a use of a connection before its time. Whoever set a limit waits for nothing more.
_CUT_SHORT = (asyncio.CancelledError, TimeoutError)

# Any fixed number: it only has to be the same in every process that migrates.
_MIGRATION_LOCK = 7_106_117_541

#: Seconds that a migration waits for a table that others use. Later users of the table
#: queue behind the migration: it gives up before they would notice.
_LOCK_TIMEOUT_SECONDS = 5.0


class SchemaBusy(TobiishiError):
    """A migration has to wait for others for too long; nothing was changed."""


class _Adapter(AsyncPGAdapter):
    """Takes connections alone: aiosql's own looks through all that one can do for an `acquire`.

    For each statement, that takes as long as a small one does.
    """

    async def select(
        self, conn: Any, query_name: str, sql: str, parameters: Any, record_class: Any = None
    ) -> AsyncIterator[asyncpg.Record]:
        for row in await conn.fetch(sql, *self._ordered(query_name, parameters)):
            yield row

    async def select_one(
        self, conn: Any, query_name: str, sql: str, parameters: Any, record_class: Any = None
    ) -> Any:
        return await conn.fetchrow(sql, *self._ordered(query_name, parameters))

    async def select_value(self, conn: Any, query_name: str, sql: str, parameters: Any) -> Any:
        return await conn.fetchval(sql, *self._ordered(query_name, parameters))

    async def insert_update_delete(
        self, conn: Any, query_name: str, sql: str, parameters: Any
    ) -> Any:
        return await conn.execute(sql, *self._ordered(query_name, parameters))

    def _ordered(self, query_name: str, parameters: Any) -> Any:
        return self.maybe_order_params(query_name, parameters)  # type: ignore[no-untyped-call]


def queries(noun: str) -> Any:
    """The named queries of `sql/<noun>.sql`."""
    return aiosql.from_path(SQL / f"{noun}.sql", cast(Any, _Adapter), mandatory_parameters=False)


async def clock(connection: Connection) -> datetime:
    """The time by the database's clock, which all starters share: a machine's own may be wrong."""
    shown: datetime = await connection.fetchval("select clock_timestamp()")
    return shown


async def all_rows(selected: AsyncIterator[asyncpg.Record]) -> list[asyncpg.Record]:
    """All the rows that a query of many selects."""
    return [row async for row in selected]


# asyncpg's class takes a parameter in the type checker only.
if TYPE_CHECKING:
    _Base = asyncpg.Connection[asyncpg.Record]
else:
    _Base = asyncpg.Connection


class _Connection(_Base):
    """A connection whose transactions keep nobody waiting when they are cut short."""

    #: It is being closed, as its last use was cut short.
    abandoned = False

    def transaction(
        self, *, isolation: Any = None, readonly: bool = False, deferrable: bool = False
    ) -> Transaction:
        self._check_open()  # type: ignore[attr-defined]
        return _Transaction(self, isolation, readonly, deferrable)

    def get_reset_query(self) -> str:
        """Nothing: what we set in a session, we set for a transaction, and asking costs a turn.

        What is left open when the connection is given back is rolled back all the same.
        """
        return ""

    def abandon(self) -> None:
        """Close it in the background, which also undoes what is open: nobody waits for that."""
        if not self.abandoned:
            self.abandoned = True
            task = asyncio.create_task(_close(self))
            _closing.add(task)
            task.add_done_callback(_closing.discard)


class _Transaction(Transaction):
    def __init__(
        self, connection: _Connection, isolation: Any, readonly: bool, deferrable: bool
    ) -> None:
        super().__init__(connection, isolation, readonly, deferrable)
        self._ours = connection

    async def __aexit__(self, extype: object, ex: object, tb: object) -> None:
        if isinstance(ex, _CUT_SHORT):
            # A rollback waits for a database that may hang.
            self._ours.abandon()
        else:
            await super().__aexit__(extype, ex, tb)


_closing: set[asyncio.Task[None]] = set()


async def _close(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    with suppress(*Unavailable):
        await connection.close(timeout=_GIVE_BACK_TIMEOUT_SECONDS)


class Database:
    """A pool of connections to one Postgres database."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], dsn: str) -> None:
        self.pool = pool
        self._dsn = dsn
        #: What the database's clock showed when it was last asked, and our count of seconds then.
        self._clock = datetime.now(UTC), time.monotonic()

    @classmethod
    async def open(cls, dsn: str, *, size: int = 10) -> Self:
        """Connect, and bring the schema up to date. Raises `SchemaBusy` or one of `Unavailable`."""
        database = cls(await _pool(dsn, size), dsn)
        try:
            await database.migrate()
            async with database.connection() as connection:
                await database.clock(connection)
        except BaseException:
            await database.close()
            raise
        return database

    async def beside(self, *, size: int) -> Database:
        """The same database by a pool of its own: neither waits for the other's connections."""
        return Database(await _pool(self._dsn, size), self._dsn)

    async def close(self) -> None:
        with suppress(TimeoutError):  # A connection that hangs is cut then.
            async with asyncio.timeout(_GIVE_BACK_TIMEOUT_SECONDS):
                await self.pool.close()

    async def clock(self, connection: Connection) -> datetime:
        """The time by the database's clock, asked now; `now` goes by it."""
        asked = await clock(connection)
        self._clock = asked, time.monotonic()
        return asked

    def now(self) -> datetime:
        """The time by the database's clock, also where it can't be asked.

        Counted on from when it was last asked, which the relay does twice a second; this machine's
        time of day has no part in it.
        """
        shown, counted = self._clock
        return shown + timedelta(seconds=time.monotonic() - counted)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool, where each statement commits by itself.

        A use that is cut short, such as by `asyncio.timeout`, ends at once, even where the
        database hangs; its statement is cancelled and its connection closed in the background.
        """
        with _connecting():
            connection = await self.pool.acquire(timeout=_ACQUIRE_TIMEOUT_SECONDS)
        # The pool's wrapper forgets it as soon as it is closed.
        used = cast(_Connection, connection._con)  # type: ignore[attr-defined]
        try:
            yield connection
        except _CUT_SHORT:
            used.abandon()
            raise
        finally:
            if not used.abandoned:
                # What was asked is done, whether or not the connection can be used again.
                with suppress(*Unavailable):
                    await self.pool.release(connection, timeout=_GIVE_BACK_TIMEOUT_SECONDS)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection of the pool, where all statements commit together or not at all."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def long_transaction(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """A transaction without a time limit, on a connection of its own: the pool's stay free."""
        with _connecting():
            connection = await asyncpg.connect(
                self._dsn, timeout=_CONNECT_TIMEOUT_SECONDS, connection_class=_Connection
            )
        try:
            await _prepare(connection)
            async with connection.transaction():
                yield connection
        except _CUT_SHORT:
            connection.abandon()
            raise
        finally:
            if not connection.abandoned:
                await _close(connection)

    async def missing_migrations(self) -> list[str]:
        """The names of the migrations that the database has not seen."""
        async with self.connection() as connection:
            rows = await connection.fetch("select name from migrations")
        applied = {row["name"] for row in rows}
        return [file.stem for file in _migrations() if file.stem not in applied]

    async def migrate(self) -> None:
        """Apply the migrations that this database has not seen, one process at a time.

        Atomic. Raises `SchemaBusy` where others keep a table locked: to be tried again
        at the next start.
        """
        # Another process may migrate for long, and so may this one: neither has a time limit.
        async with self.long_transaction() as connection:
            await connection.execute("select pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
            await connection.execute(
                "create table if not exists migrations"
                " (name text primary key, applied_at timestamptz not null default now())"
            )
            applied = {row["name"] for row in await connection.fetch("select name from migrations")}
            await connection.execute(
                "select set_config('lock_timeout', $1, true)",
                f"{round(_LOCK_TIMEOUT_SECONDS * 1000)}ms",
            )
            for file in _migrations():
                if file.stem not in applied:
                    await _apply(connection, file.stem, file.read_text(encoding="utf-8"))


async def _pool(dsn: str, size: int) -> asyncpg.Pool[asyncpg.Record]:
    with _connecting():
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            timeout=_CONNECT_TIMEOUT_SECONDS,
            command_timeout=30,
            init=_prepare,
            connection_class=_Connection,
        )


@contextmanager
def _connecting() -> Iterator[None]:
    """Whatever Postgres says to one who connects, it is away, and no statement of ours is wrong.

    Such as that there is no such database, as its folder is gone, or that it does not let us in.
    """
    try:
        yield
    except Unavailable:
        raise
    except asyncpg.PostgresError as error:
        raise asyncpg.ClientCannotConnectError(str(error)) from error


async def _apply(connection: Connection, migration: str, statements: str) -> None:
    try:
        await connection.execute(statements)
    except asyncpg.LockNotAvailableError as error:
        raise SchemaBusy(
            f"migration {migration} waited {_LOCK_TIMEOUT_SECONDS:g} seconds for a table that"
            " another transaction keeps locked, and nothing was changed; start again, or end that"
            " transaction first (pg_stat_activity tells who)"
        ) from error
    await connection.execute("insert into migrations (name) values ($1)", migration)


def _migrations() -> list[Path]:
    return sorted((SQL / "migrations").glob("*.sql"))


async def _prepare(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_SECONDS):
            for name in ("json", "jsonb"):
                await connection.set_type_codec(
                    name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
                )
    except BaseException:
        # The pool would close it, and wait for that.
        connection.terminate()
        raise
