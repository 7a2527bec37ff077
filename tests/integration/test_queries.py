"""Every named query is one that Postgres understands, and one that somebody asks."""

from __future__ import annotations

import re
from pathlib import Path

import asyncpg

from tobiishi.database import SQL, Database, queries

ROOT = Path(__file__).parents[2]

#: Those that make the temporary tables which other queries read.
ROOMS = [("attributes", "make_room"), ("uploads", "make_room")]

#: Scripts of several statements: Postgres prepares one statement at a time.
NOT_PREPARED = {("attributes", "make_room"), ("attributes", "split_tags")}


def named() -> dict[tuple[str, str], str]:
    """The queries, as they are sent to Postgres, by noun and name."""
    found = {}
    for file in sorted(SQL.glob("*.sql")):
        if "-- name: " not in file.read_text(encoding="utf-8"):
            continue
        asked = queries(file.stem)
        for name in asked.available_queries:
            if hasattr(asked, name) and not name.endswith("_cursor"):
                found[file.stem, name] = getattr(asked, name).sql
    return found


async def test_postgres_understands_every_query(database: Database) -> None:
    refused = {}
    async with database.transaction() as connection:
        for noun, name in ROOMS:
            await getattr(queries(noun), name)(connection)
        for query, sql in named().items():
            try:
                async with connection.transaction():
                    await connection.prepare(sql)
            except asyncpg.PostgresError as error:
                refused[query] = str(error)
    several = "cannot insert multiple commands into a prepared statement"
    assert refused == dict.fromkeys(NOT_PREPARED, several)


def test_every_query_is_asked_somewhere() -> None:
    asked = set()
    for file in (ROOT / "tobiishi").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        nouns = re.findall(r'^_sql = queries\("(\w+)"\)', text, re.MULTILINE)
        asked |= {(noun, name) for noun in nouns for name in re.findall(r"\b_sql\.(\w+)", text)}
    there = set(named())
    assert len(there) > 100
    assert there - asked == set(), "nobody asks these"
    assert asked - there == set(), "these are not there"
