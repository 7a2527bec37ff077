"""The bare starter: `python -m benchmarks.bare.starter PORT`, with TEMPORAL_ADDRESS, DATABASE_URL.

An ASGI app without a framework, on the HTTP server of our own starter. It does at once, and
without keeping anything, what our starter does after writing down that it must.

    POST /start      workflows of one type        {"workflow", "argument", "ids"}
    POST /signal     a `wake` to each workflow    {"ids"}
    POST /webhook    the body is inserted into a table
    POST /copy       a file goes into a table     {"file"}
    GET  /friend/ID  the friend's row
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import uvicorn
from temporalio.client import Client

from benchmarks.bare.workflows import QUEUE
from tobiishi import http_server, temporal
from tobiishi.relay.outbox import Outbox
from tobiishi.settings import Settings

#: Requests to Temporal at once: as many as our own outbox makes.
AT_ONCE = Outbox.hands * Outbox.rows_at_once
#: Connections to Postgres: as many as our own starter's pool has.
CONNECTIONS = 20

_TABLES = """
create table if not exists bare_webhooks (
    id bigint generated always as identity primary key,
    body json not null
);
create table if not exists bare_members (
    channel text not null default 'default',
    audience text not null default 'list',
    friend text not null,
    primary key (channel, audience, friend)
);
"""


@dataclass
class Starter:
    """The app."""

    client: Client
    pool: asyncpg.Pool[asyncpg.Record]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = await _body(receive)
        what, _, name = scope["path"].strip("/").partition("/")
        status, answer = 200, b"{}"
        match what:
            case "webhook":
                async with self.pool.acquire() as connection:
                    await connection.execute(
                        "insert into bare_webhooks (body) values ($1)", body.decode()
                    )
            case "friend":
                answer = await self.friend(name)
            case "start":
                await self.start(**json.loads(body))
            case "signal":
                await self.signal(**json.loads(body))
            case "copy":
                await self.copy(**json.loads(body))
            case "ready":
                pass
            case _:
                status = 404
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def start(self, workflow: str, argument: Any, ids: list[str]) -> None:
        arguments = [] if argument is None else [argument]

        async def begin(id: str) -> None:
            await self.client.start_workflow(workflow, args=arguments, id=id, task_queue=QUEUE)

        await _at_once(begin, ids)

    async def signal(self, ids: list[str]) -> None:
        async def wake(id: str) -> None:
            await self.client.get_workflow_handle(id).signal("wake")

        await _at_once(wake, ids)

    async def friend(self, name: str) -> bytes:
        async with self.pool.acquire() as connection:
            row = await connection.fetchrow(
                "select * from friends where channel = 'default' and friend = $1", name
            )
        return json.dumps(dict(row or {}), default=str).encode()

    async def copy(self, file: str) -> None:
        async with self.pool.acquire() as connection:
            await connection.copy_to_table(
                "bare_members", source=Path(file), columns=["friend"], format="text"
            )


async def _body(receive: Any) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _at_once(each: Callable[[str], Awaitable[object]], ids: Iterable[str]) -> None:
    waiting = iter(ids)

    async def task() -> None:
        for id in waiting:
            await each(id)

    await asyncio.gather(*(task() for _ in range(AT_ONCE)))


async def main(port: int) -> None:
    pool = await asyncpg.create_pool(Settings.load().database_url, max_size=CONNECTIONS)
    await pool.execute(_TABLES)
    app = Starter(await temporal.connect(), pool)
    server = uvicorn.Server(http_server.config(app, lifespan="off", log_level="warning"))
    await server.serve(sockets=http_server.doors("127.0.0.1", port))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
