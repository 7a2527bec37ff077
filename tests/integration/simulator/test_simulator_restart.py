"""The simulator as a process of its own, stopped and killed."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.eventually import eventually
from tests.integration.simulator.conftest import FRIEND, Receiver
from tests.ports import free_port
from tobiishi.line import is_signed_by
from tobiishi.simulator import ACCESS_TOKEN

KEY = "123e4567-e89b-12d3-a456-426614174000"
BODY = {"to": FRIEND, "messages": [{"type": "text", "text": "a"}]}

Running = tuple[asyncio.subprocess.Process, httpx.AsyncClient]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setenv("LINE_CHANNEL_SECRET", "own-secret")

    @asynccontextmanager
    async def running(webhook_url: str) -> AsyncIterator[Running]:
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tobiishi.simulator",
            f"--port={port}",
            f"--webhook-url={webhook_url}",
            f"--database={tmp_path / 'data' / 'simulator.db'}",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
        url = f"http://127.0.0.1:{port}"
        try:
            async with httpx.AsyncClient(base_url=url, headers=headers) as http:

                async def answers() -> bool:
                    try:
                        return (await http.get("/")).is_success
                    except httpx.TransportError:
                        return False

                await eventually(answers)
                yield process, http
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    return running


async def push(http: httpx.AsyncClient) -> httpx.Response:
    return await http.post("/v2/bot/message/push", json=BODY, headers={"X-Line-Retry-Key": KEY})


async def test_what_was_answered_survives_a_kill(
    start: Callable[..., Any], receiver: Receiver
) -> None:
    async with start(receiver.url) as (process, http):
        await http.post("/_simulator/friends", json={"userId": FRIEND, "displayName": "花子"})
        await http.put("/_simulator/faults", json={"quota": 5})
        first = await push(http)
        assert first.status_code == 200
        process.kill()
        await process.wait()
    async with start(receiver.url) as (_, http):
        again = await push(http)
        assert again.status_code == 409
        assert again.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
        assert again.json()["sentMessages"] == first.json()["sentMessages"]
        assert (await http.get("/_simulator/friends")).json()[0]["displayName"] == "花子"
        assert len((await http.get("/_simulator/messages")).json()) == 1
        assert (await http.get("/v2/bot/message/quota")).json()["value"] == 5
        assert (await http.get("/v2/bot/message/quota/consumption")).json() == {"totalUsage": 1}


async def test_webhook_is_brought_after_a_restart(
    start: Callable[..., Any], receiver: Receiver
) -> None:
    receiver.statuses = [503]
    async with start(receiver.url) as (process, http):
        await http.put("/_simulator/faults", json={"webhook_redelivery_seconds": 1})
        await http.post("/_simulator/friends", json={"userId": FRIEND})

        async def tried() -> int:
            return len((await http.get("/_simulator/webhooks")).json()[0]["attempts"])

        await eventually(tried)
        process.kill()
        await process.wait()

    async def events() -> list[dict[str, Any]]:
        return receiver.events

    async with start(receiver.url):
        first, again = await eventually(events, lambda events: len(events) == 2)
    assert again == {**first, "deliveryContext": {"isRedelivery": True}}
    assert all(is_signed_by("own-secret", b.encode(), signature) for b, signature in receiver.taken)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_clean_end(start: Callable[..., Any], number: int) -> None:
    """Also while an answer is held back, and while nobody takes webhooks."""
    async with start(f"http://127.0.0.1:{free_port()}") as (process, http):
        await http.post("/_simulator/friends")
        await http.put("/_simulator/faults", json={"latency_seconds": 0.5})
        waiting = asyncio.create_task(push(http))
        await asyncio.sleep(0.2)
        process.send_signal(number)
        assert (await waiting).status_code == 200
        async with asyncio.timeout(5):
            output = await process.stdout.read()
            assert await process.wait() == 0
        assert output == b""
