"""The schema as it is told to people is the one that the migrations make."""

from __future__ import annotations

from tests import write_schema


async def test_the_schema_is_what_the_migrations_make(dsn: str) -> None:
    told = write_schema.FILE.read_text(encoding="utf-8")
    assert told == await write_schema.schema(dsn), "run `make schema`, and commit what it writes"
