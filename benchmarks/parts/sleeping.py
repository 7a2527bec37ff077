"""What a journey that sleeps takes of both databases, in bytes."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import asyncpg

from benchmarks.figures import Figure
from benchmarks.stage import Broken, Stage, friends, send

BARE = """\
A workflow that sleeps as long, with one number for its argument and nothing in Postgres: nobody
could list who sleeps, say what comes next, or bring back a journey that Temporal lost."""

DAYS = 30
#: Pages are only so fine a measure.
LEAST = 200

#: Tables of Temporal's that hold what is just being done, and are emptied a minute later.
_PASSING = ("tasks", "tasks_v2", "transfer_tasks", "visibility_tasks")


async def measure(stage: Stage) -> list[Figure]:
    count = max(stage.sizes.friends, LEAST)
    before = await _bytes(stage)
    await put_to_sleep(stage, count)
    between = await _bytes(stage)
    name = stage.name("bare-asleep")
    until = await stage.database.fetchval(
        "select extract(epoch from now() + make_interval(days => $1))::float", DAYS
    )
    await stage.start_bare("sleep", name, count, until)
    after = await _bytes(stage)
    return [
        Figure(name="asleep, in Postgres", unit="bytes", ours=(between[0] - before[0]) / count),
        Figure(
            name="asleep, in Temporal's SQLite",
            unit="bytes",
            ours=(between[1] - before[1]) / count,
            bare=(after[1] - between[1]) / count,
        ),
        Figure(
            name="asleep, in both",
            unit="bytes",
            ours=(sum(between) - sum(before)) / count,
            bare=(after[1] - between[1]) / count,
        ),
    ]


async def put_to_sleep(stage: Stage, count: int) -> list[str]:
    """Returns the friends whose journeys sleep for a month."""
    name = stage.name("asleep")
    await stage.scenario(name, {"wait": {"days": DAYS}}, send("later"))
    ids = friends(count)
    await stage.join(name, ids)
    await stage.until_asleep(name, count)
    return ids


async def _bytes(stage: Stage) -> tuple[int, int]:
    """Of Postgres's tables, and of Temporal's, with their indexes; without what is on its way."""
    return await _in_postgres(stage.database), await asyncio.to_thread(
        _in_temporal, stage.home / "data" / "temporal.db"
    )


async def _in_postgres(database: asyncpg.Pool[asyncpg.Record]) -> int:
    for table in await database.fetch(
        "select tablename from pg_tables where schemaname = 'public'"
    ):
        # What was there before leaves room in which the next would sleep for nothing.
        await database.execute(f"vacuum full {table['tablename']}")
    size: int = await database.fetchval(
        "select sum(pg_total_relation_size(oid))::bigint from pg_class"
        " where relkind = 'r' and relnamespace = 'public'::regnamespace"
    )
    return size


def _in_temporal(file: Path) -> int:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        passing = connection.execute(
            "select name from sqlite_master where tbl_name in (?, ?, ?, ?)", _PASSING
        )
        names = {name for (name,) in passing}
        sizes = connection.execute("select name, sum(pgsize) from dbstat group by name")
        return sum(size for name, size in sizes if name not in names)
    except sqlite3.OperationalError as error:
        raise Broken(f"this Python's SQLite can't tell the size of tables: {error}") from error
    finally:
        connection.close()
