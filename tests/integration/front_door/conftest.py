"""A starter on a real socket, with a Postgres and a Temporal server behind it."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import httpx
import pytest
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from typer.testing import CliRunner

from tests.defining import define
from tests.integration.front_door.enrolling import NOW, forget_changes, join
from tests.integration.front_door.knocking import HANAKO, SECRET, TARO, TOKEN, Door
from tests.ports import free_port
from tests.scenarios import publish
from tests.serving import serving
from tobiishi.api import create_app
from tobiishi.channels.channels import Channels
from tobiishi.cli import app
from tobiishi.database import Database
from tobiishi.publishing.versions import Published
from tobiishi.settings import Settings
from tobiishi.temporal import SEARCH_ATTRIBUTES

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[Client]:
    """A client of a real Temporal server, which no worker polls."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sys.executable).with_name("temporal")),
        search_attributes=SEARCH_ATTRIBUTES,
        data_converter=pydantic_data_converter,
        dev_server_log_level="error",
    ) as server:
        yield server.client


@pytest.fixture
def settings(dsn: str, secret_key: SecretStr) -> Settings:
    return Settings(
        api_token=SecretStr(TOKEN),
        secret_key=secret_key,
        database_url=dsn,
        line_channel_secret=SecretStr(SECRET),
        line_channel_access_token=SecretStr("access-token"),
    )


class Open(Protocol):
    """Serves a starter of those settings."""

    def __call__(self, settings: Settings) -> AbstractAsyncContextManager[Door]: ...


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Serves a starter whose Temporal is away, unless the test says where it is."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")

    @asynccontextmanager
    async def serve(settings: Settings) -> AsyncIterator[Door]:
        app = create_app(settings)
        limits = httpx.Limits(max_connections=None)
        async with (
            serving(app) as url,
            httpx.AsyncClient(base_url=url, timeout=20, limits=limits) as http,
        ):
            yield Door(http=http, app=app)

    return serve


@pytest.fixture
async def door(opened: Open, settings: Settings) -> AsyncIterator[Door]:
    """A starter whose Temporal is away: what it keeps, it keeps."""
    async with opened(settings) as door:
        yield door


@pytest.fixture
async def shop(database: Database, channels: Channels, settings: Settings) -> Database:
    """The database, with the default channel in it."""
    async with database.transaction() as connection:
        await channels.put_default(connection, settings)
    return database


class Run(Protocol):
    """Runs a command against the starter, and answers what it printed."""

    async def __call__(self, *words: str, says: str | None = None) -> str: ...


@pytest.fixture
def run(door: Door, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TOBIISHI_URL", str(door.http.base_url))
    monkeypatch.setenv("TOBIISHI_API_TOKEN", TOKEN)
    monkeypatch.setenv("COLUMNS", "200")

    async def command(*words: str, says: str | None = None) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, app, words, input=says)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.output

    return command


class Publish(Protocol):
    """Publishes a scenario file in the default channel."""

    async def __call__(self, text: str) -> Published: ...


@pytest.fixture
def published(shop: Database) -> Publish:
    async def put(text: str) -> Published:
        async with shop.transaction() as connection:
            return await publish(connection, text, now=datetime.now(UTC))

    return put


@pytest.fixture
def name() -> str:
    """A scenario that no other test starts: they share one Temporal."""
    return f"scenario-{next(_numbers)}"


@pytest.fixture
async def vip(shop: Database) -> Database:
    """The database, with Hanako and Taro in an audience, and all that followed from it done."""
    async with shop.transaction() as connection:
        await define(connection, "vip", at=NOW)
    await join(shop, HANAKO, TARO)
    await forget_changes(shop)
    return shop
