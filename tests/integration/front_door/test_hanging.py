"""Every limit in time that is promised holds while the database hangs, is slow, or is cut off."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from temporalio.client import Client

from tests.conftest import UNSAFE_BUT_FAST
from tests.eventually import eventually
from tests.integration.front_door.conftest import Open
from tests.integration.front_door.knocking import HANAKO, Door, follow
from tests.integration.front_door.proxying import Way
from tests.ports import free_port
from tobiishi import readiness, temporal, worker_http
from tobiishi.api import intake, links, sites
from tobiishi.cli.server import Failed, call
from tobiishi.database import Database
from tobiishi.local.postgres import EmbeddedPostgres
from tobiishi.metrics import ANSWER_TIMEOUT
from tobiishi.people import friends
from tobiishi.relay import reception
from tobiishi.settings import Settings
from tobiishi.tokens import Signer
from tobiishi.tracking.links import LinkTracker
from tobiishi.tracking.messages import Link
from tobiishi.tracking.sites import visitor_token

#: What a busy machine may add to a limit; asyncpg's waiting for a hung connection added ten.
LEEWAY = 1.0
#: Statements that the server is still at.
AT_WORK = """
    select count(*) from pg_stat_activity
    where query like '%pg_sleep%' and pid <> pg_backend_pid() and state = 'active'
"""
OURS = "https://l.example.com"
SHOP = "https://shop.example/"


@dataclass(kw_only=True)
class Server:
    """A Postgres of the test's own, and the way to it."""

    postgres: EmbeddedPostgres
    way: Way
    dsn: str


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with EmbeddedPostgres(tmp_path / "postgres", settings=UNSAFE_BUT_FAST) as postgres:
        parts = urlsplit(postgres.dsn)
        (folder,) = parse_qs(parts.query)["host"]
        user = parts.netloc.removesuffix("@")
        async with Way(f"{folder}/.s.PGSQL.5432") as way:
            await way.open()
            yield Server(
                postgres=postgres, way=way, dsn=f"postgresql://{user}@{way.address}{parts.path}"
            )


def family(pid: int) -> list[int]:
    """The process and all that came of it: Postgres's children have process groups of their own."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


@contextmanager
def stopped(postgres: EmbeddedPostgres) -> Iterator[None]:
    """All of Postgres's processes hang."""
    assert postgres.pid is not None
    processes = family(postgres.pid)
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            with suppress(ProcessLookupError):  # It was at its end when it was stopped.
                os.kill(pid, signal.SIGCONT)


async def link_of(server: Server, secret_key: SecretStr) -> str:
    database = await Database.open(server.dsn)
    try:
        async with database.transaction() as connection:
            await friends.meet(connection, "default", HANAKO, datetime.now(UTC))
            tracker = LinkTracker(public_url=OURS, signer=Signer(secret_key))
            link = Link("link", SHOP)
            addresses = await tracker.addresses(
                connection,
                [link],
                channel="default",
                scenario="welcome",
                message="hello",
                friend=HANAKO,
            )
    finally:
        await database.close()
    return addresses[link].removeprefix(OURS)


async def timed(asking: Awaitable[httpx.Response]) -> tuple[int, float]:
    began = time.monotonic()
    answer = await asking
    return answer.status_code, time.monotonic() - began


@pytest.mark.parametrize("how", ["stopped", "slow", "cut off"])
async def test_every_limit_holds_while_the_database_hangs(
    opened: Open, settings: Settings, server: Server, secret_key: SecretStr, how: str
) -> None:
    settings = settings.model_copy(update={"database_url": server.dsn})
    async with AsyncExitStack() as stack:
        door = await stack.enter_async_context(opened(settings))
        known = await link_of(server, secret_key)
        assert (await door.knock(follow())).status_code == 200
        assert (await door.http.get(known)).status_code == 302
        assert (await tell(door)).status_code == 204
        if how == "stopped":
            with stopped(server.postgres):
                await hold_all_limits(door, known)
                closing = time.monotonic()
                await stack.aclose()
                # What waits for a starter's end gives it 10 seconds, such as Docker.
                assert time.monotonic() - closing < 9
        else:
            if how == "slow":
                server.way.is_slow = True
            else:
                await server.way.open(hangs=True)
            await hold_all_limits(door, known)
            server.way.is_slow = False
            await server.way.open()
            # And what was waited for in vain is in nobody's way.
            assert (await door.knock(follow())).status_code == 200


async def tell(door: Door) -> httpx.Response:
    """As the tag on the shop's site does."""
    visitor = visitor_token(door.app.state.context.signer, 1, datetime.now(UTC))
    body = {
        "visitor": visitor,
        "id": "abcd1234",
        "event": "view",
        "url": "https://www.shop.example/",
    }
    return await door.http.post(
        "/t", content=json.dumps(body).encode(), headers={"Origin": "https://www.shop.example"}
    )


async def hold_all_limits(door: Door, known: str) -> None:
    asked: dict[str, tuple[Callable[[], Awaitable[httpx.Response]], float, int]] = {
        "webhook": (lambda: door.knock(follow()), intake.TIMEOUT_SECONDS, 503),
        "link": (lambda: door.http.get(known), links.LOOKUP_TIMEOUT_SECONDS, 302),
        "route": (
            lambda: door.http.get("/r/shop/none"),
            reception.LOOKUP_TIMEOUT_SECONDS,
            503,
        ),
        "tag": (lambda: tell(door), sites.TIMEOUT_SECONDS, 503),
        "readyz": (lambda: door.http.get("/readyz"), readiness.TIMEOUT_SECONDS, 503),
        "metrics": (
            lambda: door.http.get("/metrics", headers=door.headers),
            ANSWER_TIMEOUT.total_seconds(),
            200,
        ),
    }
    # The second time, the connections are new ones, which are never made.
    for _ in range(2):
        found = await asyncio.gather(
            *(timed(ask()) for ask, *_ in asked.values() for _ in range(5))
        )
        for number, (name, (_, limit, code)) in enumerate(asked.items()):
            for status, seconds in found[number * 5 : number * 5 + 5]:
                assert (name, status) == (name, code)
                assert seconds < limit + LEEWAY, name


@pytest.fixture
def client(temporal: Client) -> Client:
    """By another name than our module's."""
    return temporal


async def test_a_worker_tells_in_time_that_the_database_hangs(
    settings: Settings, server: Server, client: Client
) -> None:
    port = free_port()
    settings = settings.model_copy(update={"metrics_port": port})
    database = await Database.open(server.dsn)
    async with (
        worker_http.opened(settings, database, client),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http,
    ):
        assert (await http.get("/readyz")).status_code == 200
        with stopped(server.postgres):
            for _ in range(2):
                status, seconds = await timed(http.get("/readyz"))
                assert status == 503
                assert seconds < readiness.TIMEOUT_SECONDS + LEEWAY
            began = time.monotonic()
            await database.close()
            assert time.monotonic() - began < 2 + LEEWAY


@pytest.mark.parametrize("kind", ["connection", "transaction", "savepoint", "long_transaction"])
async def test_a_use_that_is_cut_short_ends_at_once_and_leaves_nothing(
    server: Server, kind: str
) -> None:
    database = await Database.open(server.dsn, size=1)
    try:
        async with database.connection() as connection:
            await connection.execute("create table noted (what text)")

        async def use() -> None:
            if kind == "savepoint":
                async with database.transaction() as connection, connection.transaction():
                    await connection.execute("insert into noted values ('x')")
                    await connection.execute("select pg_sleep(60)")
            opened = getattr(database, kind)
            async with opened() as connection:
                if kind != "connection":
                    await connection.execute("insert into noted values ('x')")
                await connection.execute("select pg_sleep(60)")

        for hangs in (False, True):
            using = asyncio.create_task(use())
            await asyncio.sleep(0.5)
            using.cancel()
            if hangs:
                with stopped(server.postgres):
                    await asyncio.wait([using], timeout=LEEWAY)
                    assert using.cancelled()
            else:
                await asyncio.wait([using], timeout=LEEWAY)
                assert using.cancelled()
            async with database.connection() as connection:
                assert await connection.fetchval("select count(*) from noted") == 0
                # The server was asked to stop what it did, too.
                at_work = partial(connection.fetchval, AT_WORK)
                await eventually(at_work, lambda number: number == 0)
    finally:
        await database.close()


async def test_a_database_that_hangs_at_the_start_is_told_in_time(server: Server) -> None:
    for how in ("stopped", "slow"):
        server.way.is_slow = how == "slow"
        began = time.monotonic()
        if how == "stopped":
            with stopped(server.postgres), pytest.raises(TimeoutError):
                await Database.open(server.dsn)
        else:
            with pytest.raises(TimeoutError):
                await Database.open(server.dsn)
        assert time.monotonic() - began < 5 + LEEWAY


async def test_limits_hold_while_temporal_hangs(
    opened: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporal, "ANSWER_TIMEOUT", timedelta(seconds=1))
    async with Way("127.0.0.1:1") as way:
        await way.open(hangs=True)
        monkeypatch.setenv("TEMPORAL_ADDRESS", way.address)
        async with AsyncExitStack() as stack:
            door = await stack.enter_async_context(opened(settings))
            assert (await door.knock(follow())).status_code == 200
            for path, limit, code in (
                ("/readyz", readiness.TIMEOUT_SECONDS, 503),
                ("/metrics", ANSWER_TIMEOUT.total_seconds(), 200),
                ("/api/pace", 1, 503),
            ):
                status, seconds = await timed(door.http.get(path, headers=door.headers))
                assert (path, status) == (path, code)
                assert seconds < limit + LEEWAY
            began = time.monotonic()
            await stack.aclose()
            assert time.monotonic() - began < 9


async def test_a_command_waits_for_the_whole_answer_as_long_as_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}":
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.5)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as slow:
        port = slow.sockets[0].getsockname()[1]
        monkeypatch.setenv("TOBIISHI_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("TOBIISHI_API_TOKEN", "x")
        began = time.monotonic()
        with pytest.raises(Failed, match=r"has not answered within 1\.5 s"):
            await asyncio.to_thread(call, "GET", "/api/channels", timeout=1.5)
        assert time.monotonic() - began < 1.5 + LEEWAY
