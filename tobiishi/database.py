"""The Postgres that holds everything Tobiishi keeps: one pool, named queries, migrations.

Queries live in `tobiishi/sql/<noun>.sql` and are called by name through `aiosql`, each from the
module of the same noun. The schema is the sum of `tobiishi/sql/migrations/`, applied in the order
of their names, once each.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import aiosql
import asyncpg

SQL = Path(__file__).parent / "sql"

#: A connection to pass to a query: one taken from the pool, inside a transaction or not.
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

#: What asyncpg raises when the database can't be reached or has gone away.
Unavailable = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)

# Any fixed number: it only has to be the same in every process that migrates.
_MIGRATION_LOCK = 7_106_117_541


def queries(noun: str) -> Any:
    """The named queries of `sql/<noun>.sql`."""
    return aiosql.from_path(SQL / f"{noun}.sql", "asyncpg", mandatory_parameters=False)


async def all_rows(selected: AsyncIterator[asyncpg.Record]) -> list[asyncpg.Record]:
    """All the rows that a query of many selects."""
    return [row async for row in selected]


class Database:
    """A pool of connections to one Postgres database."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self.pool = pool

    @classmethod
    async def open(cls, dsn: str, *, size: int = 10) -> Database:
        """Connect, and bring the schema up to date. Raises one of `Unavailable`."""
        pool = await asyncpg.create_pool(
            dsn, min_size=1, max_size=size, timeout=5, command_timeout=30, init=_prepare
        )
        database = cls(pool)
        await database.migrate()
        return database

    async def close(self) -> None:
        await self.pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool, where each statement commits by itself."""
        async with self.pool.acquire() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection of the pool, where all statements commit together or not at all."""
        async with self.pool.acquire() as connection, connection.transaction():
            yield connection

    async def migrate(self) -> None:
        """Apply the migrations that this database has not seen, one process at a time."""
        async with self.transaction() as connection:
            await connection.execute("select pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
            await connection.execute(
                "create table if not exists migrations"
                " (name text primary key, applied_at timestamptz not null default now())"
            )
            applied = {row["name"] for row in await connection.fetch("select name from migrations")}
            for file in sorted((SQL / "migrations").glob("*.sql")):
                if file.stem not in applied:
                    await connection.execute(file.read_text(encoding="utf-8"))
                    await connection.execute("insert into migrations (name) values ($1)", file.stem)


async def _prepare(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
        )
