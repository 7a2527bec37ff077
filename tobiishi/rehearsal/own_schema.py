"""A rehearsal's own schema in a shop's database: nothing of the shop's is in it, nor touched.

It is gone with the rehearsal. One whose process was killed is dropped by the next rehearsal, which
knows it by its lock: the database releases that with the connection.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg

from tobiishi.errors import Invalid

_PREFIX = "tobiishi_rehearsal_"
#: Any fixed number: it tells these locks from others.
_LOCKS = 710_611


@asynccontextmanager
async def own_schema(dsn: str) -> AsyncIterator[str]:
    """The address of an empty schema that is there until the block ends.

    Raises `Invalid` where the database does not let us make one.
    """
    name = f"{_PREFIX}{secrets.token_hex(8)}"
    keeper = await asyncpg.connect(dsn, timeout=10)
    try:
        await keeper.execute("select pg_advisory_lock($1, hashtext($2))", _LOCKS, name)
        await _sweep(keeper)
        try:
            await keeper.execute(f"create schema {name}")
        except asyncpg.InsufficientPrivilegeError:
            raise Invalid(
                "rehearsals make a schema of their own in the database, and its role may not; "
                "let it: grant create on database … to …"
            ) from None
        try:
            yield _address(dsn, name)
        finally:
            await keeper.execute(f"drop schema {name} cascade")
    finally:
        await keeper.close()


async def _sweep(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Drop the schemas whose processes are gone."""
    for row in await connection.fetch(
        "select nspname as name from pg_namespace where starts_with(nspname, $1)", _PREFIX
    ):
        name = row["name"]
        lock = "select pg_try_advisory_lock($1, hashtext($2))"
        if await connection.fetchval(lock, _LOCKS, name):
            await connection.execute(f"drop schema if exists {name} cascade")
            await connection.execute("select pg_advisory_unlock($1, hashtext($2))", _LOCKS, name)


def _address(dsn: str, schema: str) -> str:
    """The same database, where all names are looked for in that schema."""
    parts = urlsplit(dsn)
    query = dict(parse_qsl(parts.query)) | {"search_path": schema}
    return parts._replace(query=urlencode(query)).geturl()
