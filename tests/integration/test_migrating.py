"""A migration that has to wait for others gives up in time, and leaves nothing half done."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

import starter
from tobiishi.database import Database, SchemaBusy
from tobiishi.settings import Settings

MODULE = sys.modules[Database.__module__]


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A release with two more migrations, whose patience is short; their names."""
    folder = tmp_path / "migrations"
    shutil.copytree(MODULE.SQL / "migrations", folder)
    (folder / "9001_more.sql").write_text("create table more (id int)")
    (folder / "9002_wider.sql").write_text("alter table tags add column wider text")
    monkeypatch.setattr(MODULE, "SQL", tmp_path)
    monkeypatch.setattr(MODULE, "_LOCK_TIMEOUT_SECONDS", 0.2)
    return ["9001_more", "9002_wider"]


async def test_a_locked_table_stops_a_migration_with_a_clear_word(
    database: Database, dsn: str, release: list[str]
) -> None:
    async with database.transaction() as other:
        await other.execute("select from tags")  # Reads, and stays.
        with pytest.raises(SchemaBusy, match=r"9002_wider waited 0\.2 seconds .* nothing was chan"):
            await Database.open(dsn)
        # The first of the two did not have to wait, and is undone with the second.
        assert await database.missing_migrations() == release
        assert await other.fetchval("select to_regclass('more')") is None
    await database.migrate()
    assert await database.missing_migrations() == []
    async with database.connection() as connection:
        assert await connection.fetchval("select count(wider) from tags") == 0
        # Queries wait for each other as long as ever.
        assert await connection.fetchval("show lock_timeout") == "0"


async def test_a_starter_that_can_not_migrate_says_so_in_a_line(
    database: Database,
    dsn: str,
    secret_key: SecretStr,
    release: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings(api_token=SecretStr("t"), secret_key=secret_key, database_url=dsn)
    monkeypatch.setattr(Settings, "load", lambda: settings)
    monkeypatch.setattr("tobiishi.logs.start", lambda _: None)
    async with database.transaction() as other:
        await other.execute("select from tags")
        with pytest.raises(SystemExit, match=r"^starter: migration 9002_wider waited [^\n]*$"):
            await asyncio.to_thread(starter.main)


async def test_another_process_that_migrates_is_waited_for(
    database: Database, dsn: str, release: list[str]
) -> None:
    hurried = Database(await asyncpg.create_pool(dsn, min_size=1, command_timeout=0.2), dsn)
    first = await asyncpg.connect(dsn)
    async with first.transaction():
        await first.execute("select pg_advisory_xact_lock($1)", MODULE._MIGRATION_LOCK)
        second = asyncio.create_task(hurried.migrate())
        # Longer than a migration waits for a table, and a statement of the pool at all.
        await asyncio.sleep(0.5)
        assert not second.done()
    await second
    await first.close()
    await hurried.close()
    assert await database.missing_migrations() == []
