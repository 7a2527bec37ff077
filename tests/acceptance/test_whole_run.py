"""`make run`, as its users run it: all processes real, and some of them killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.eventually import eventually
from tests.ports import free_ports
from tobiishi.local.keys import kept_keys

ROOT = Path(__file__).parents[2]


class Run:
    """One `tobiishi run`, and what it is reached by."""

    def __init__(self, process: asyncio.subprocess.Process, home: Path, ports: dict[str, int]):
        self.process = process
        self.home = home
        self.lines: list[str] = []
        self.line = f"http://127.0.0.1:{ports['TOBIISHI_SIMULATOR_PORT']}"
        self.starter = f"http://127.0.0.1:{ports['TOBIISHI_PORT']}"

    async def ready(self) -> None:
        assert self.process.stdout is not None
        while line := (await self.process.stdout.readline()).decode().rstrip():
            self.lines.append(line)
            if line == "ready":
                return
        pytest.fail("it did not become ready:\n" + "\n".join(self.lines))

    async def interrupt(self) -> float:
        """Ctrl-C. Tells how many seconds it took to end."""
        begun = time.monotonic()
        os.killpg(self.process.pid, signal.SIGINT)
        assert await self.process.wait() == 0
        return time.monotonic() - begun

    def kill(self, words: str) -> None:
        """`kill -9` of the part with these words in its command line."""
        (part,) = (
            child
            for child in psutil.Process(self.process.pid).children()
            if words in " ".join(child.cmdline())
        )
        part.kill()

    async def faults(self, **faults: Any) -> None:
        async with httpx.AsyncClient(base_url=self.line) as http:
            (await http.put("/_simulator/faults", json=faults)).raise_for_status()

    async def block(self, friend: str) -> None:
        async with httpx.AsyncClient(base_url=self.line) as http:
            (await http.delete(f"/_simulator/friends/{friend}")).raise_for_status()

    async def add_friend(self, **friend: Any) -> str:
        async with httpx.AsyncClient(base_url=self.line) as http:
            answer = await http.post("/_simulator/friends", json=friend)
            user_id: str = answer.raise_for_status().json()["userId"]
            return user_id

    async def texts(self, friend: str) -> list[str]:
        async with httpx.AsyncClient(base_url=self.line) as http:
            answer = await http.get("/_simulator/messages", params={"to": friend})
            return [message["messages"][0]["text"] for message in answer.json()]

    async def journeys(self, friend: str) -> list[dict[str, Any]]:
        token = kept_keys(self.home)["TOBIISHI_API_TOKEN"]
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=self.starter, headers=headers) as http:
            answer = await http.get(f"/api/friends/{friend}")
            return answer.json()["journeys"] if answer.is_success else []

    async def outcomes(self, friend: str) -> list[str | None]:
        return [journey["outcome"] for journey in await self.journeys(friend)]

    async def attempts(self, friend: str) -> int:
        """How often LINE was asked to take a message to the friend."""
        return sum(
            delivery["attempts"]
            for journey in await self.journeys(friend)
            for delivery in journey["deliveries"]
        )


@pytest.fixture
def ports() -> dict[str, int]:
    names = ("PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT", "SIMULATOR_PORT")
    ports = free_ports(len(names))
    return {f"TOBIISHI_{name}": port for name, port in zip(names, ports, strict=True)}


@asynccontextmanager
async def running(home: Path, ports: dict[str, int]) -> AsyncIterator[Run]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TOBIISHI_", "TEMPORAL_", "LINE_", "DATABASE_URL"))
    }
    environment |= {name: str(port) for name, port in ports.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tobiishi", "run"),
        cwd=ROOT,
        env=environment | {"TOBIISHI_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    run = Run(process, home, ports)
    try:
        await run.ready()
        yield run
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_journeys_survive_kills_and_nights(tmp_path: Path, ports: dict[str, int]) -> None:
    home = tmp_path / "home"
    async with running(home, ports) as run:
        hanako = await run.add_friend(displayName="花子")
        (hello,) = await eventually(lambda: run.texts(hanako))
        assert hello.startswith("花子さん")

        for part in ("worker.py", "starter.py", "temporal server", "/postgres"):
            run.kill(part)
            friend = await run.add_friend()
            # A webhook that found no starter is redelivered by LINE.
            texts = await eventually(partial(run.texts, friend), seconds=60, every=0.2)
            assert len(texts) == 1, part

        await run.faults(latency_seconds=3)
        jiro = await run.add_friend()
        await eventually(lambda: run.attempts(jiro))
        run.kill("worker.py")  # LINE takes the message, and nobody hears of it.
        await run.faults()
        # Noticed by the silence, and not by the end of the attempt.
        await eventually(lambda: run.attempts(jiro), lambda seen: seen == 2, seconds=20, every=0.2)
        # The second request is counted before it is answered.
        assert len(await eventually(lambda: run.texts(jiro))) == 1

        await run.faults(rate_500=1.0)
        taro = await run.add_friend(displayName="太郎")
        await eventually(lambda: run.attempts(taro))
        assert await run.interrupt() < 10

    async with running(home, ports) as run:
        await run.faults()
        (hello,) = await eventually(lambda: run.texts(taro), seconds=60, every=0.2)
        assert hello.startswith("太郎さん")

        assert await run.outcomes(hanako) == [None]
        await run.block(hanako)
        await eventually(lambda: run.outcomes(hanako), lambda seen: seen == ["unfollowed"])
        assert len(await run.texts(hanako)) == 1
        await run.interrupt()
