"""The schema as it is told to people is the one that the migrations make."""

from __future__ import annotations

import pytest

from tests import write_schema
from tobiishi.database import Database


async def test_the_schema_is_what_the_migrations_make(dsn: str, database: Database) -> None:
    async with database.connection() as connection:
        major = connection.get_server_version().major
    if major != write_schema.MAJOR:
        # The same migrations: an 18 names the constraints that an older one has no names for.
        pytest.skip(f"told as Postgres {write_schema.MAJOR} tells it, and this is a {major}")
    told = write_schema.FILE.read_text(encoding="utf-8")
    assert told == await write_schema.schema(dsn), "run `make schema`, and commit what it writes"
