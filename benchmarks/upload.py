"""Uploading a million user ids, beside a bare COPY of the same file into a table of the same key.

.venv/bin/python -m benchmarks.upload [IDS]
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from tobiishi.database import Connection, Database
from tobiishi.local.postgres import EmbeddedPostgres
from tobiishi.people.member_lists import upload

ROUNDS = 3
PIECE = 1 << 16

BARE = """
create table bare (
    channel text not null default 'default',
    audience text not null default 'list',
    friend text not null,
    primary key (channel, audience, friend)
)
"""


async def pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as source:
        while piece := source.read(PIECE):
            yield piece


async def bare_copy(connection: Connection, file: Path) -> float:
    await connection.execute("drop table if exists bare")
    await connection.execute(BARE)
    begun = time.perf_counter()
    await connection.copy_to_table("bare", source=file, columns=["friend"], format="text")
    return time.perf_counter() - begun


async def our_upload(connection: Connection, file: Path) -> float:
    await connection.execute("truncate audience_members")
    begun = time.perf_counter()
    async with connection.transaction():
        done = await upload(
            connection,
            "default",
            "list",
            pieces(file),
            on_wrong="keep_nothing",
            at=datetime.now(UTC),
            reason="benchmark",
        )
    assert done.joined == done.ids
    return time.perf_counter() - begun


async def main(ids: int) -> None:
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ids.txt"
        file.write_text("".join(f"U{chance.getrandbits(128):032x}\n" for _ in range(ids)))
        async with EmbeddedPostgres(Path(folder) / "postgres") as server:
            database = await Database.open(server.dsn)
            async with database.connection() as connection:
                print(f"{ids:,} ids: bare COPY, our upload, ratio of speed")
                for _ in range(ROUNDS):
                    bare = await bare_copy(connection, file)
                    ours = await our_upload(connection, file)
                    print(f"{bare:6.2f} s  {ours:6.2f} s  {bare / ours:.2f}")
            await database.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
