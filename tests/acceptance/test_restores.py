"""Databases that were restored from backups, each older than the other, and one that is lost.

Whatever was lost, every friend gets each message once, late at most.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from activities.context import Context
from tests.acceptance.conftest import API_TOKEN, SECRET, Line
from tests.eventually import eventually
from tests.ports import free_port, free_ports
from tests.serving import serving
from tobiishi import temporal
from tobiishi.api import create_app
from tobiishi.channels.channels import Channels
from tobiishi.database import Database
from tobiishi.local.temporal_server import EmbeddedTemporal
from tobiishi.relay.reconciliation import Reconciliation
from tobiishi.settings import Settings
from tobiishi.simulator import ACCESS_TOKEN, create_simulator
from worker import working

SCENARIO = """
scenario: stones
title: 飛び石
start: friend_added
steps:
  - send: {name: hello, messages: [{type: text, text: はじめまして}]}
  - wait_for:
      audience: go
      up_to: {days: 30}
      in_time:
        - send: {name: second, messages: [{type: text, text: つぎの石}]}
"""
ENROLLING = """
scenario: members
title: 会員の方へ
start: {audience: members, include_members: true}
period: {from: "2099-01-01 00:00"}
steps: [{send: {name: member, messages: [{type: text, text: 会員の方へ}]}}]
"""
FAR = """
scenario: far
title: 遠くまで
start: {audience: far}
steps:
  - wait_for: {audience: one, up_to: {days: 30}, in_time: [
      {send: {name: one, messages: [{type: text, text: ひとつ}]}}]}
  - wait_for: {audience: two, up_to: {days: 30}, in_time: [
      {send: {name: two, messages: [{type: text, text: ふたつ}]}}]}
"""
TIMED = """
scenario: timed
title: 一分後
start: {audience: timed}
steps:
  - wait: {minutes: 1}
  - send: {name: later, messages: [{type: text, text: 一分後}]}
"""
BOTH = ["はじめまして", "つぎの石"]


@dataclass
class World:
    """A deployment whose two databases can be saved and restored apart."""

    line: Line
    dsn: str
    folder: Path
    ports: tuple[int, int]
    settings: Settings
    channels: Channels

    @property
    def file(self) -> Path:
        return self.folder / "temporal.db"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[httpx.AsyncClient]:
        """All of it at work; the API's client."""
        async with AsyncExitStack() as stack:
            server = EmbeddedTemporal(
                self.file,
                port=self.ports[0],
                ui_port=self.ports[1],
                search_attributes=temporal.SEARCH_ATTRIBUTES,
            )
            await stack.enter_async_context(server)
            database = await Database.open(self.dsn)
            stack.push_async_callback(database.close)
            context = Context(database=database, channels=self.channels)
            await stack.enter_async_context(context.closing())
            url = await stack.enter_async_context(
                serving(create_app(self.settings), self.settings.port)
            )
            await stack.enter_async_context(working(await temporal.connect(), context))
            yield await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=url, headers={"Authorization": f"Bearer {API_TOKEN}"}, timeout=20
                )
            )

    async def add(self, count: int) -> list[str]:
        """New friends, each greeted and waiting."""
        friends = [await self.line.add_friend() for _ in range(count)]
        for friend in friends:
            await self.line.got(friend, "はじめまして")
        return friends

    async def admin(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.dsn.replace(self.name, "postgres"))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    @property
    def name(self) -> str:
        return self.dsn.rpartition("/")[2].partition("?")[0] if "/" in self.dsn else self.dsn

    async def save_postgres(self) -> None:
        await self.admin(f"create database {self.name}_saved template {self.name}")

    async def restore_postgres(self) -> None:
        await self.admin(
            f"drop database {self.name}",
            f"alter database {self.name}_saved rename to {self.name}",
        )

    def save_temporal(self) -> None:
        shutil.copyfile(self.file, self.folder / "saved.db")

    def lose_temporal(self) -> None:
        for file in self.folder.glob("temporal.db*"):
            file.unlink()

    def restore_temporal(self) -> None:
        self.lose_temporal()
        shutil.copyfile(self.folder / "saved.db", self.file)


@pytest.fixture
async def world(
    dsn: str,
    channels: Channels,
    secret_key: SecretStr,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[World]:
    port, ports = free_port(), free_ports(2)
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{ports[0]}")
    monkeypatch.setattr(Reconciliation, "initial_delay", timedelta(seconds=1))
    monkeypatch.setattr(Reconciliation, "poll_interval", timedelta(seconds=1))
    monkeypatch.setattr("tobiishi.relay.reconciliation.LISTING_DELAY", timedelta(seconds=1))
    simulator = create_simulator(
        webhook_url=f"http://127.0.0.1:{port}/webhook", channel_secret=SECRET
    )
    async with (
        serving(simulator) as line_url,
        httpx.AsyncClient(base_url=line_url, timeout=20) as line,
    ):
        settings = Settings(
            port=port,
            api_token=SecretStr(API_TOKEN),
            secret_key=secret_key,
            database_url=dsn,
            line_channel_secret=SecretStr(SECRET),
            line_channel_access_token=SecretStr(ACCESS_TOKEN),
            line_api_base_url=line_url,
        )
        yield World(
            line=Line(line),
            dsn=dsn,
            folder=tmp_path,
            ports=(ports[0], ports[1]),
            settings=settings,
            channels=channels,
        )


async def publish(api: httpx.AsyncClient, scenario: str = SCENARIO) -> None:
    answer = await api.post("/api/scenarios", content=scenario.encode())
    assert answer.status_code == 200, answer.text


async def join(api: httpx.AsyncClient, *friends: str, audience: str = "go") -> None:
    answer = await api.post(f"/api/audiences/{audience}/members", json={"friends": friends})
    assert answer.status_code == 200, answer.text


async def outcomes(api: httpx.AsyncClient, friend: str) -> list[str | None]:
    answer = await api.get(f"/api/friends/{friend}")
    if answer.status_code == 404:
        return []
    known: dict[str, Any] = answer.raise_for_status().json()
    return [journey["outcome"] for journey in known["journeys"]]


async def all_go_on(world: World, api: httpx.AsyncClient, friends: list[str]) -> None:
    """Each of them is told to go on, gets the second message, and has been through once."""
    await join(api, *friends)
    for friend in friends:
        # Temporal may offer a task to a worker that is gone first, for ten seconds.
        texts = await eventually(
            partial(world.line.texts, friend), lambda seen: len(seen) > 1, seconds=60
        )
        assert texts == BOTH
        await eventually(partial(outcomes, api, friend), lambda seen: seen != [None])
        assert await outcomes(api, friend) == ["completed"]


@pytest.mark.timeout(300)
async def told_why(api: httpx.AsyncClient, friend: str) -> str:
    answer = await api.get(f"/api/friends/{friend}/why?message=second&lang=ja")
    return str(answer.raise_for_status().json()["text"])


async def test_why_is_told_when_all_histories_are_lost(world: World) -> None:
    async with world.running() as api:
        await publish(api)
        (friend,) = await world.add(1)
        await join(api, friend)
        await world.line.got(friend, *BOTH)
        await eventually(partial(outcomes, api, friend), lambda found: found == ["completed"])
        before = await told_why(api, friend)
    world.lose_temporal()
    async with world.running() as api:
        client = await temporal.connect()
        with pytest.raises(RPCError) as error:
            await client.get_workflow_handle(f"journey/default/stones/{friend}").describe()
        assert error.value.status is RPCStatusCode.NOT_FOUND
        assert await told_why(api, friend) == before
    assert "待っていたオーディエンス「go」に入っていたため" in before
    assert "メッセージ「second」を送信しました（LINE リクエスト ID " in before


async def test_a_postgres_older_than_temporal_loses_no_journey(world: World) -> None:
    async with world.running() as api:
        await publish(api)
        await publish(api, FAR)
        before = await world.add(4)
        ahead = before.pop()
        await join(api, ahead, audience="far")
        await eventually(partial(outcomes, api, ahead), lambda seen: seen == [None, None])
    await world.save_postgres()
    async with world.running() as api:
        between = await world.add(3)
        await join(api, ahead, audience="one")
        await world.line.got(ahead, "はじめまして", "ひとつ")
        through = before.pop()
        await all_go_on(world, api, [through])
    await world.restore_postgres()
    async with world.running() as api:
        # They get the numbers that journeys had which the database knows no more.
        after = await world.add(3)
        for friend in between:
            await eventually(partial(outcomes, api, friend))
        await eventually(lambda: outcomes(api, through), lambda seen: seen == ["completed"])
        await all_go_on(world, api, [*before, *between, *after])
        # Temporal has them wait for something else than the restored database knows.
        await join(api, ahead, audience="two")
        texts = await eventually(
            partial(world.line.texts, ahead), lambda seen: len(seen) > 2, seconds=60
        )
        assert texts == ["はじめまして", "ひとつ", "ふたつ"]
        await join(api, through)
        await asyncio.sleep(1)
        assert await world.line.texts(through) == BOTH


@pytest.mark.timeout(300)
async def test_a_temporal_older_than_postgres_loses_no_journey(world: World) -> None:
    async with world.running() as api:
        await publish(api)
        before = await world.add(3)
    world.save_temporal()
    async with world.running() as api:
        between = await world.add(3)
        through = before.pop()
        await all_go_on(world, api, [through])
    world.restore_temporal()
    async with world.running() as api:
        after = await world.add(2)
        await all_go_on(world, api, [*before, *between, *after])
        client = await temporal.connect()

        async def running() -> int:
            return (await client.count_workflows("ExecutionStatus = 'Running'")).count

        # Nor does a journey run on that was over.
        await eventually(running, lambda count: count == 0)
        assert await world.line.texts(through) == BOTH


@pytest.mark.timeout(300)
async def test_journeys_go_on_when_all_of_temporal_is_lost(world: World) -> None:
    async with world.running() as api:
        await publish(api)
        await publish(api, TIMED)
        before = await world.add(3)
        timed = before.pop()
        await join(api, timed, audience="timed")
        await eventually(partial(outcomes, api, timed), lambda seen: seen == [None, None])
        client = await temporal.connect()
        handle = client.get_workflow_handle(f"journey/default/timed/{timed}")
        await eventually(partial(began, handle))
        await publish(api, ENROLLING)
        (enrolment,) = (await api.get("/api/enrolments")).json()
        enrolling = f"enrolment/default/members/{enrolment['id']}"
        await eventually(partial(began, client.get_workflow_handle(enrolling)))
    world.lose_temporal()
    async with world.running() as api:
        after = await world.add(2)
        await all_go_on(world, api, [*before, *after])
        texts = await eventually(
            partial(world.line.texts, timed), lambda seen: len(seen) > 1, seconds=70
        )
        assert texts == ["はじめまして", "一分後"]
        handle = (await temporal.connect()).get_workflow_handle(enrolling)
        await eventually(partial(began, handle))


async def began(handle: WorkflowHandle[Any, Any]) -> bool:
    try:
        await handle.describe()
    except RPCError:
        return False
    return True
