"""Webhooks: how many are accepted in a second, and how long LINE waits for an answer."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from benchmarks.figures import Figure, percentile
from benchmarks.stage import Broken, Stage, friends
from tobiishi.line import sign
from tobiishi.local.run import SIMULATOR_SECRET
from tobiishi.simulator import BOT_USER_ID

BARE = """\
An ASGI app without a framework, on the same HTTP server, that inserts the body into a table: no
signature, no JSON, no channel. Our CPU has in it what follows from each event, too."""

#: Connections at once, each with one webhook after the other.
CONNECTIONS = 16
#: Webhooks of one connection, of which none waits for another.
ALONE = 200


async def measure(stage: Stage) -> list[Figure]:
    bodies = [_body(friend) for friend in friends(stage.sizes.webhooks)]
    requests = [_request(body) for body in bodies]
    async with stage.ours() as ours:
        our_times, our_seconds = await _knock(stage.run.starter, requests)
        # What follows from a webhook is part of what it costs.
        await stage.until(lambda: _handled(stage), 1)
    async with stage.bare("starter", "postgres") as bare:
        times, seconds = await _knock(str(stage.bare_api.base_url), requests)
    count = len(requests)
    rate = Figure(
        name=f"{CONNECTIONS} connections",
        unit="webhooks/s",
        ours=count / our_seconds,
        bare=count / seconds,
        more_is_better=True,
        our_cpu=ours.spent.each(count),
        bare_cpu=bare.spent.each(count),
    )
    alone = [_request(_body(friend)) for friend in friends(ALONE)]
    our_alone, _ = await _knock(stage.run.starter, alone, connections=1)
    their_alone, _ = await _knock(str(stage.bare_api.base_url), alone, connections=1)
    return [
        rate,
        *_latencies(f"{CONNECTIONS} connections", our_times, times),
        *_latencies("one connection", our_alone, their_alone),
    ]


def _latencies(who: str, ours: Sequence[float], bare: Sequence[float]) -> Iterator[Figure]:
    for percent in (50, 99):
        our, their = (1000 * percentile(times, percent) for times in (ours, bare))
        yield Figure(name=f"{who}, p{percent}", unit="ms", ours=our, bare=their)


async def _handled(stage: Stage) -> bool:
    waiting = "select exists (select from webhook_events where handled_at is null)"
    return not await stage.database.fetchval(waiting)


def _body(friend: str) -> bytes:
    event = {
        "type": "message",
        "mode": "active",
        "timestamp": int(time.time() * 1000),
        "webhookEventId": secrets.token_hex(13),
        "deliveryContext": {"isRedelivery": False},
        "source": {"type": "user", "userId": friend},
        "replyToken": secrets.token_hex(16),
        "message": {"type": "text", "id": "1", "quoteToken": "q", "text": "こんにちは"},
    }
    return json.dumps({"destination": BOT_USER_ID, "events": [event]}).encode()


def _request(body: bytes) -> bytes:
    head = (
        "POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nX-Line-Signature: {sign(SIMULATOR_SECRET, body)}\r\n\r\n"
    )
    return head.encode() + body


async def _knock(
    url: str, requests: Sequence[bytes], *, connections: int = CONNECTIONS
) -> tuple[list[float], float]:
    """Send all; returns how long each answer took, and all together, in seconds.

    By hand: an HTTP client takes more CPU for a request than the server does.
    """
    times: list[float] = []
    waiting = iter(requests)

    async def bring() -> None:
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        for request in waiting:
            sent = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length(head))
            times.append(time.perf_counter() - sent)
            if not head.startswith(b"HTTP/1.1 200"):
                raise Broken(head.decode(errors="replace"))
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(bring() for _ in range(connections)))
    return times, time.perf_counter() - begun


def _length(head: bytes) -> int:
    (length,) = (
        int(line.split(b":")[1])
        for line in head.splitlines()
        if line.lower().startswith(b"content-length:")
    )
    return length
