"""The real parts that tests run against: one Postgres and one Temporal for the whole run."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

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


#: The address of a server to use in place of an embedded one, as a role that may make databases.
EXTERNAL_POSTGRES = "TOBIISHI_TEST_POSTGRES"


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a real Postgres's database that has our schema, a template for tests."""
    if given := os.environ.get(EXTERNAL_POSTGRES):
        # The server may have others on it: other processes of this run, or what somebody keeps.
        template = f"tobiishi_test_{secrets.token_hex(4)}"
        await _on(given, f"create database {template}")
        try:
            yield await _migrated(_address(given, template))
        finally:
            await _drop_all(given, template)
    else:
        folder: Path = tmp_path_factory.mktemp("postgres")
        async with EmbeddedPostgres(folder, settings=UNSAFE_BUT_FAST) as server:
            yield await _migrated(server.dsn)


@pytest.fixture
async def dsn(postgres: str) -> str:
    """The address of a database of the test's own, empty but for our schema."""
    template = urlsplit(postgres).path.removeprefix("/")
    name = f"{template}_{next(_numbers)}"
    await _on(_address(postgres, "postgres"), f"create database {name} template {template}")
    return _address(postgres, name)


def _address(dsn: str, database: str) -> str:
    """The address of another database of the same server."""
    return urlsplit(dsn)._replace(path=f"/{database}").geturl()


async def _migrated(dsn: str) -> str:
    await (await Database.open(dsn)).close()
    return dsn


async def _on(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _drop_all(dsn: str, template: str) -> None:
    """Drop the template and what was made of it."""
    connection = await asyncpg.connect(dsn)
    try:
        for row in await connection.fetch(
            "select datname from pg_database where starts_with(datname, $1)", template
        ):
            await connection.execute(f"drop database {row['datname']} with (force)")
    finally:
        await connection.close()


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(dsn)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def journeys_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests share a Temporal, and none is to take the others' journeys for lost ones of its own."""
    monkeypatch.setattr(Reconciliation, "initial_delay", timedelta(hours=1))


@pytest.fixture(scope="session")
def secret_key() -> SecretStr:
    return SecretStr(Fernet.generate_key().decode())


@pytest.fixture
def channels(secret_key: SecretStr) -> Channels:
    return Channels(Vault(secret_key))
