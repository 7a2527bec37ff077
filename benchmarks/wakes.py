"""Friends who join while their journeys wait for it, beside bare signals to bare workflows.

.venv/bin/python -m benchmarks.wakes [FRIENDS]

Prints how long it takes until everybody's journey has gone on, and how many wake-ups each got.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import SecretStr
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.context import Context
from tobiishi.channels.channels import Channel, Channels
from tobiishi.channels.vault import Vault
from tobiishi.database import Database
from tobiishi.local.postgres import EmbeddedPostgres
from tobiishi.local.temporal_server import EmbeddedTemporal
from tobiishi.people import audiences, friends
from tobiishi.publishing import versions
from tobiishi.relay.relay import Relay
from tobiishi.scenario import read_scenario
from tobiishi.temporal import SEARCH_ATTRIBUTES
from worker import working

SCENARIO = """
scenario: waiting
title: 待つ人
start: {audience: cart}
steps:
  - wait_for:
      audience: bought
      up_to: {days: 30}
      in_time: [{tag: {add: thanked}}]
"""
AT_ONCE = 20


@workflow.defn(name="bare")
class Bare:
    """Waits for a signal, and nothing else."""

    @workflow.init
    def __init__(self) -> None:
        self.woken = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.woken)

    @workflow.signal
    def wake(self) -> None:
        self.woken = True


async def all_at_once(each: Callable[[str], Awaitable[object]], ids: Sequence[str]) -> None:
    """For each id, so many at a time."""
    waiting = iter(ids)

    async def hand() -> None:
        for friend in waiting:
            await each(friend)

    await asyncio.gather(*(hand() for _ in range(AT_ONCE)))


async def until(count: Callable[[], Awaitable[int]], wanted: int) -> None:
    while True:
        if await count() >= wanted:
            return
        await asyncio.sleep(0.1)


async def bare_signals(client: Client, ids: Sequence[str]) -> float:
    """Seconds until all have ended."""
    worker = Worker(
        client, task_queue="bare", workflows=[Bare], workflow_runner=UnsandboxedWorkflowRunner()
    )
    async with worker:
        handles = {}

        async def start(friend: str) -> None:
            handles[friend] = await client.start_workflow(
                Bare.run, id=f"bare/{friend}", task_queue="bare"
            )

        await all_at_once(start, ids)
        begun = time.perf_counter()
        await all_at_once(lambda friend: handles[friend].signal(Bare.wake), ids)
        await all_at_once(lambda friend: handles[friend].result(), ids)
        return time.perf_counter() - begun


async def our_joins(client: Client, database: Database, ids: Sequence[str]) -> float:
    """Seconds until all journeys have ended, and a line about their wake-ups."""

    async def scalar(query: str) -> int:
        async with database.connection() as connection:
            return int(await connection.fetchval(query))

    async with database.transaction() as connection:
        await versions.publish(
            connection, "default", read_scenario(SCENARIO), SCENARIO, now=datetime.now(UTC)
        )
        for friend in ids:
            await friends.meet(connection, "default", friend, datetime.now(UTC))

    async def join(audience: str, friend: str) -> None:
        async with database.transaction() as connection:
            at = datetime.now(UTC)
            await audiences.join(connection, "default", audience, [friend], at=at, reason="x")

    async with Relay(database, client):
        await all_at_once(lambda friend: join("cart", friend), ids)
        waiting = "select count(*) from journey_interests where leads_to = 'wake'"
        await until(lambda: scalar(waiting), len(ids))
        begun = time.perf_counter()
        await all_at_once(lambda friend: join("bought", friend), ids)
        joined = time.perf_counter() - begun
        ended = "select count(*) from journeys where outcome = 'completed'"
        await until(lambda: scalar(ended), len(ids))
        took = time.perf_counter() - begun

    wakes: Counter[int] = Counter()

    async def count(friend: str) -> None:
        handle = client.get_workflow_handle(f"journey/default/waiting/{friend}")
        history = await handle.fetch_history()
        signals = [
            e for e in history.events if e.HasField("workflow_execution_signaled_event_attributes")
        ]
        wakes[len(signals)] += 1

    await all_at_once(count, ids)
    print(f"joined within {joined:.1f} s; journeys by the wake-ups they got: {dict(wakes)}")
    return took


async def main(count: int) -> None:
    logging.disable(logging.WARNING)
    ids = [f"U{number:032x}" for number in range(count)]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))
        temporal = EmbeddedTemporal(
            folder / "temporal.db", port=17233, ui_port=18233, search_attributes=SEARCH_ATTRIBUTES
        )
        await stack.enter_async_context(temporal)
        client = await Client.connect(temporal.address, data_converter=pydantic_data_converter)
        database = await Database.open(postgres.dsn, size=40)
        stack.push_async_callback(database.close)
        channels = Channels(Vault(SecretStr(Fernet.generate_key().decode())))
        async with database.transaction() as connection:
            channel = Channel(
                channel="default",
                title="x",
                secret="s",
                access_token="t",
                api_base_url="http://x",
            )
            await channels.put(connection, channel)
        context = Context(database=database, channels=channels)
        await stack.enter_async_context(working(client, context))
        print(f"{count:,} friends: bare signals, our joins, ratio of speed")
        bare = await bare_signals(client, ids)
        ours = await our_joins(client, database, ids)
        print(f"{bare:6.1f} s  {ours:6.1f} s  {bare / ours:.2f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
