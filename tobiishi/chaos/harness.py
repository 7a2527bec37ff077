"""The run that is killed, and the virtual friends who walk through it meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from tobiishi.chaos.fates import BOUGHT, LEFT, LIKES, Fate, Finding, Way, compare, compare_ledger
from tobiishi.chaos.kills import PARTS, Kill
from tobiishi.line import sign
from tobiishi.local.keys import kept_keys
from tobiishi.local.run import SIMULATOR_SECRET
from tobiishi.simulator import BOT_USER_ID

#: How LINE fails meanwhile: shares of the requests that send messages.
FAULTS: dict[str, Any] = {
    "rate_500": 0.08,
    "rate_429": 0.08,
    "cut_before_acceptance": 0.05,
    "cut_after_acceptance": 0.1,
    "timeout_after_acceptance": 0.01,
    "timeout_seconds": 22,
    "latency_seconds": 0.05,
    "webhook_duplicate": 0.3,
    "webhook_redeliveries": 100,
    "webhook_redelivery_seconds": 0.5,
}
#: Seconds that an answer of the run is waited for, again and again, before the harness gives up.
_TIMEOUT_SECONDS = 120.0
#: Seconds until the ledger has what a killed worker could not report.
_WORKER_LOSS_SECONDS = 45
#: Seconds that a message may take: the waits before it, and all outages on the way.
_MESSAGE_TIMEOUT_SECONDS = 300.0


class Broken(Exception):
    """The run could not be started, or never came back."""


@dataclass
class Run:
    """One `tobiishi run` in a folder of its own."""

    home: Path
    ports: dict[str, int]
    #: The worker's program, where it is another one than ours.
    worker: Path | None = None
    _process: subprocess.Popen[bytes] | None = None

    @property
    def line(self) -> str:
        return f"http://127.0.0.1:{self.ports['TOBIISHI_SIMULATOR_PORT']}"

    @property
    def starter(self) -> str:
        return f"http://127.0.0.1:{self.ports['TOBIISHI_PORT']}"

    async def start(self) -> None:
        """Start it, and wait until it is ready. Raises `Broken`."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TOBIISHI_", "TEMPORAL_", "LINE_", "DATABASE_URL"))
        }
        environment |= {name: str(port) for name, port in self.ports.items()}
        self.home.mkdir(parents=True, exist_ok=True)
        log = self.home / "run.log"
        with log.open("wb") as out:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - our own program
                (sys.executable, "-m", "tobiishi.chaos.run", *filter(None, [self.worker])),
                env=environment | {"TOBIISHI_HOME": str(self.home / "data")},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while b"\nready\n" not in log.read_bytes():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Broken(f"the run is not ready; see {log}")
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, 15)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self, part: str) -> bool:
        """SIGKILL; False where the part is just being started again."""
        assert self._process is not None
        for child in psutil.Process(self._process.pid).children():
            with suppress(psutil.NoSuchProcess):
                if PARTS[part] in " ".join(child.cmdline()):
                    child.kill()
                    return True
        return False

    def api_token(self) -> str:
        return kept_keys(self.home / "data")["TOBIISHI_API_TOKEN"]


@dataclass
class Walk:
    """All virtual friends, walking."""

    run: Run
    #: Kept so that a failure can be reproduced.
    seed: int
    line: httpx.AsyncClient
    api: httpx.AsyncClient
    #: Seconds from each kill to the greeting of a friend who came after it.
    recoveries: list[tuple[str, float]] = field(default_factory=list)

    async def prepare(self, scenario: str, fates: Sequence[Fate]) -> None:
        """Publish the scenario, fill its audiences, and turn on LINE's faults."""
        await self.send("POST", "/api/scenarios", content=scenario.encode())
        for audience, friends in {
            LIKES: [fate.friend for fate in fates if fate.likes],
            BOUGHT: [fate.friend for fate in fates if fate.way == Way.HAS_BOUGHT],
            LEFT: [],
        }.items():
            await self.send("PUT", f"/api/audiences/{audience}", json={})
            if friends:
                await self.join(audience, *friends)
        faults = FAULTS | {"seed": self.seed}
        (await self.line.put("/_simulator/faults", json=faults)).raise_for_status()

    async def live(self, fate: Fate) -> None:
        """One friend's life, from the adding on."""
        await asyncio.sleep(fate.adds_at)
        await self.add(fate.friend)
        if fate.old_news:
            await self.report_old_blocking(fate.friend)
        match fate.way:
            case Way.LEAVES:
                await self.until_received(fate.friend, 1)
                await self.join(LEFT, fate.friend)
            case Way.BLOCKS:
                await self.until_received(fate.friend, 1)
                await self.line.delete(f"/_simulator/friends/{fate.friend}")
            case Way.BUYS:
                await self.until_received(fate.friend, 2)
                # At about the moment that the journey begins to wait, before it and after.
                await asyncio.sleep(random.Random(fate.friend).uniform(0, 2))  # noqa: S311
                await self.join(BOUGHT, fate.friend)
            case Way.LEAVES_LATE:
                await self.until_received(fate.friend, 2)
                await self.join(LEFT, fate.friend)
            case Way.HAS_BOUGHT | Way.HESITATES:
                pass
        await self.until_received(fate.friend, len(fate.expected))

    async def report_old_blocking(self, friend: str) -> None:
        """An unfollow event from before the adding, which LINE delivers late."""
        event = {
            "type": "unfollow",
            "mode": "active",
            "timestamp": int((time.time() - 3600) * 1000),
            "webhookEventId": f"old-{friend}",
            "deliveryContext": {"isRedelivery": True},
            "source": {"type": "user", "userId": friend},
        }
        body = json.dumps({"destination": BOT_USER_ID, "events": [event]}).encode()
        headers = {"x-line-signature": sign(SIMULATOR_SECRET, body)}
        await self.send("POST", "/webhook", content=body, headers=headers)

    async def kill(self, kill: Kill) -> None:
        """Kill a part, and see how long it takes until a new friend is greeted."""
        await asyncio.sleep(kill.at)
        await self.poll(lambda: asyncio.to_thread(self.run.kill, kill.part), bool)
        begun = time.monotonic()
        friend = f"U{random.Random(f'{self.seed} {kill}').getrandbits(128):032x}"  # noqa: S311
        await self.add(friend)
        await self.until_received(friend, 1)
        self.recoveries.append((kill.part, time.monotonic() - begun))

    async def findings(self, fates: Sequence[Fate]) -> list[Finding]:
        """Return all errors in the received messages and in the ledger."""
        found = await asyncio.gather(*(self.findings_of(fate) for fate in fates))
        return [finding for each in found for finding in each]

    async def findings_of(self, fate: Fate) -> list[Finding]:
        if wrong := compare(fate, await self.received(fate.friend)):
            return wrong
        found = compare_ledger(fate, *await self.ledgers(fate))
        # A worker killed after LINE's answer is noticed after half a minute.
        for _ in range(_WORKER_LOSS_SECONDS):
            if not found:
                break
            await asyncio.sleep(1)
            found = compare_ledger(fate, *await self.ledgers(fate))
        return found

    async def ledgers(self, fate: Fate) -> tuple[list[str], dict[str, str]]:
        """The retry keys of what LINE accepted, and each one's status in our ledger."""
        sent = await self.line.get("/_simulator/messages", params={"to": fate.friend})
        known = await self.api.get(f"/api/friends/{fate.friend}")
        accepted = [each["retryKey"] for each in sent.raise_for_status().json()]
        ledger = {
            each["retry_key"]: each["status"]
            for journey in known.raise_for_status().json()["journeys"]
            for each in journey["deliveries"]
        }
        return accepted, ledger

    async def add(self, friend: str) -> None:
        body = {"userId": friend}
        (await self.line.post("/_simulator/friends", json=body)).raise_for_status()

    async def join(self, audience: str, *friends: str) -> None:
        path = f"/api/audiences/{audience}/members"
        await self.send("POST", path, json={"friends": friends})

    async def send(self, method: str, path: str, **request: Any) -> None:
        """Call the starter, with retries, as it may be dead just now."""

        async def ask() -> bool:
            try:
                answer = await self.api.request(method, path, **request)
            except httpx.TransportError:
                return False
            if 400 <= answer.status_code < 500:
                raise Broken(f"{method} {path}: {answer.text}")
            return answer.is_success

        await self.poll(ask, bool)

    async def received(self, friend: str) -> list[str]:
        answer = await self.line.get("/_simulator/messages", params={"to": friend})
        return [
            text
            for sent in answer.raise_for_status().json()
            for text in (message["text"] for message in sent["messages"])
        ]

    async def until_received(self, friend: str, count: int) -> None:
        """Wait for so many messages. Missing ones are reported at the end."""
        with suppress(TimeoutError):
            await self.poll(
                lambda: self.received(friend),
                lambda received: len(received) >= count,
                every=0.5,
                seconds=_MESSAGE_TIMEOUT_SECONDS,
            )

    async def poll(
        self,
        ask: Callable[[], Awaitable[Any]],
        enough: Callable[[Any], bool],
        *,
        every: float = 0.25,
        seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        """Poll until it is enough. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while not enough(await ask()):  # noqa: ASYNC110 - other processes can't set an event
                await asyncio.sleep(every)
