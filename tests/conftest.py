"""The real parts that tests run against: one Postgres and one Temporal for the whole run."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from tobiishi.channels.channels import Channels
from tobiishi.channels.vault import Vault
from tobiishi.database import Database
from tobiishi.local.postgres import EmbeddedPostgres
from tobiishi.relay.reconciliation import Reconciliation

_numbers = itertools.count()

#: A crash of the test machine may lose a test's data; a test need not wait for the disk.
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedPostgres]:
    """A real Postgres, whose database `tobiishi` has our schema and is a template for tests."""
    folder: Path = tmp_path_factory.mktemp("postgres")
    async with EmbeddedPostgres(folder, settings=UNSAFE_BUT_FAST) as server:
        migrated = await Database.open(server.dsn)
        await migrated.close()
        yield server


@pytest.fixture
async def dsn(postgres: EmbeddedPostgres) -> str:
    """The address of a database of the test's own, empty but for our schema."""
    name = f"test_{next(_numbers)}"
    connection = await asyncpg.connect(postgres.dsn.replace("/tobiishi?", "/postgres?"))
    try:
        await connection.execute(f"create database {name} template tobiishi")
    finally:
        await connection.close()
    return postgres.dsn.replace("/tobiishi?", f"/{name}?")


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(dsn)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def journeys_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests share a Temporal, and none is to take the others' journeys for lost ones of its own."""
    monkeypatch.setattr(Reconciliation, "first_after", timedelta(hours=1))


@pytest.fixture(scope="session")
def secret_key() -> SecretStr:
    return SecretStr(Fernet.generate_key().decode())


@pytest.fixture
def channels(secret_key: SecretStr) -> Channels:
    return Channels(Vault(secret_key))
