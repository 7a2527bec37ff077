"""The servers and processes that are measured, and what a part needs of them.

Ours are those of `tobiishi run`; the bare worker and the bare starter stand beside them, on the
same Temporal server and the same Postgres. What this process itself needs is counted nowhere.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.figures import Spent
from tobiishi.chaos.harness import Run
from tobiishi.local.children import Child, Command

#: The words in the command lines of `tobiishi run`'s children that tell which is which.
_OURS = {
    "temporal": "temporal server",
    "worker": "worker.py",
    "postgres": "/postgres",
    "starter": "starter.py",
    "simulator": "tobiishi.simulator",
}
_ROOT = Path(__file__).parents[1]
#: How often a part looks whether all is done.
_LOOK_SECONDS = 0.1
#: The longest that anything here may take without coming any further.
_TIMEOUT_SECONDS = 120.0
#: Ids in one request to our API.
_MAX_IDS = 10_000


class Broken(Exception):
    """Something did not come true in time."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is measured."""

    #: Friends of a round.
    friends: int = 200
    #: Rounds of ours and bare in turn, where a part takes seconds.
    rounds: int = 2
    #: Friends who are due at the same second.
    herds: tuple[int, ...] = (10, 100, 1_000)
    webhooks: int = 3_000
    #: User ids of an upload.
    ids: int = 1_000_000
    #: Journeys asleep while the rest is measured again.
    asleep: tuple[int, ...] = (1_000,)

    @property
    def some(self) -> int:
        """Friends of a part that is measured in small."""
        return min(self.friends, 50)


@dataclass
class Measuring:
    """One measuring; `spent` is there once it is over."""

    spent: Spent = field(default_factory=Spent)


@dataclass
class Stage:
    """Everything that runs, and how to reach it."""

    sizes: Sizes
    home: Path
    run: Run
    api: httpx.AsyncClient
    line: httpx.AsyncClient
    bare_api: httpx.AsyncClient
    client: Client
    database: asyncpg.Pool[asyncpg.Record]
    #: By name; `worker` and `starter` differ between the two.
    our_processes: Mapping[str, psutil.Process]
    bare_processes: Mapping[str, psutil.Process]
    _numbers: Iterable[int] = field(default_factory=itertools.count)

    @classmethod
    @asynccontextmanager
    async def open(cls, home: Path, sizes: Sizes) -> AsyncIterator[Stage]:
        """Start all of it in a folder; stopped when the block ends."""
        names = ("PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT", "SIMULATOR_PORT", "BARE")
        ports = dict(
            zip((f"TOBIISHI_{name}" for name in names), _free_ports(len(names)), strict=True)
        )
        bare_port = ports.pop("TOBIISHI_BARE")
        run = Run(home, ports)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(run.stop)
            await run.start()
            ours = _our_processes()
            environment = ours["worker"].environ()
            bare = dict(ours)
            for name, arguments in {"worker": (), "starter": (str(bare_port),)}.items():
                program = (sys.executable, "-m", f"benchmarks.bare.{name}", *arguments)
                log = home / f"bare-{name}.log"
                child = await Child.start(Command(program, log, environment, cwd=_ROOT))
                stack.push_async_callback(child.stop, 2)
                bare[name] = psutil.Process(child.pid)
            del bare["simulator"]

            async def http(url: str, **more: Any) -> httpx.AsyncClient:
                return await stack.enter_async_context(
                    httpx.AsyncClient(
                        base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False, **more
                    )
                )

            database = await asyncpg.create_pool(
                environment["DATABASE_URL"], min_size=1, max_size=2
            )
            stack.push_async_callback(database.close)
            stage = cls(
                sizes=sizes,
                home=home,
                run=run,
                api=await http(run.starter, headers={"Authorization": f"Bearer {run.api_token()}"}),
                line=await http(run.line),
                bare_api=await http(f"http://127.0.0.1:{bare_port}"),
                client=await Client.connect(
                    environment["TEMPORAL_ADDRESS"], data_converter=pydantic_data_converter
                ),
                database=database,
                our_processes=ours,
                bare_processes=bare,
            )
            await stage._until_bare_is_ready()
            yield stage

    # --- What is measured

    @asynccontextmanager
    async def ours(self) -> AsyncIterator[Measuring]:
        """What the block takes our processes."""
        async with _measuring(self.our_processes) as measuring:
            yield measuring

    @asynccontextmanager
    async def bare(self, *names: str) -> AsyncIterator[Measuring]:
        """What the block takes the bare ones, and the servers that they use."""
        names = names or ("temporal", "worker", "starter")
        used = {name: self.bare_processes[name] for name in names}
        async with _measuring(used) as measuring:
            yield measuring

    # --- Ours

    def name(self, part: str) -> str:
        """A name that was not used before, for a scenario, an audience, workflows."""
        return f"{part}-{next(iter(self._numbers))}"

    async def scenario(self, name: str, *steps: Any, **more: Any) -> dict[str, Any]:
        """Publish a scenario that starts on joining the audience of its own name."""
        await self.audience(name)
        start = {"audience": name, **more.pop("start", {})}
        file = {"scenario": name, "title": name, "timezone": "UTC", "start": start, **more}
        answer = await self.api.post(
            "/api/scenarios", content=json.dumps({**file, "steps": steps}).encode()
        )
        published: dict[str, Any] = _json(answer)
        return published

    async def audience(self, name: str) -> None:
        _json(await self.api.put(f"/api/audiences/{name}", json={}))

    async def join(self, audience: str, ids: Sequence[str]) -> None:
        for first in range(0, len(ids), _MAX_IDS):
            friends = ids[first : first + _MAX_IDS]
            path = f"/api/audiences/{audience}/members"
            _json(await self.api.post(path, json={"friends": friends}))

    async def until_asleep(self, scenario: str, count: int) -> None:
        """Until so many journeys of the scenario wait for what comes next."""
        await self.until(
            lambda: self.database.fetchval(
                "select count(*) from journeys where channel = 'default' and scenario = $1"
                " and ended_at is null and next_due > now()",
                scenario,
            ),
            count,
        )

    # --- The bare ones

    async def start_bare(
        self, workflow: str, name: str, count: int, argument: Any = None
    ) -> list[str]:
        """Start so many bare workflows. Returns their ids."""
        ids = [f"{name}/{number}" for number in range(count)]
        body = {"workflow": f"bare-{workflow}", "argument": argument, "ids": ids}
        _json(await self.bare_api.post("/start", json=body))
        return ids

    # --- Both

    async def until_completed(self, prefix: str, count: int) -> None:
        """Until so many workflows whose ids begin so have completed, as Temporal lists them."""
        # What begins with "prefix/" is below "prefix0": a range costs a look into the index, while
        # STARTS_WITH reads all that have completed.
        ids = f"WorkflowId BETWEEN '{prefix}/' AND '{prefix}0'"
        query = f"ExecutionStatus = 'Completed' AND {ids}"

        async def completed() -> int:
            return (await self.client.count_workflows(query)).count

        await self.until(completed, count)

    async def until(self, look: Callable[[], Awaitable[int]], wanted: int) -> None:
        """Until it is as many. Raises `Broken` where it does not become more for long."""
        most, since = -1, time.monotonic()
        while (seen := await look()) < wanted:
            if seen > most:
                most, since = seen, time.monotonic()
            elif time.monotonic() - since > _TIMEOUT_SECONDS:
                raise Broken(f"{seen} of {wanted} after {_TIMEOUT_SECONDS:.0f} s without another")
            await asyncio.sleep(_LOOK_SECONDS)

    async def versions(self) -> dict[str, str]:
        """The servers' own."""
        system = await self.client.workflow_service.get_system_info(GetSystemInfoRequest())
        return {
            "temporal_server": system.server_version,
            "postgres": await self.database.fetchval("show server_version"),
        }

    async def _until_bare_is_ready(self) -> None:
        async def ready() -> int:
            with suppress(httpx.TransportError):
                answer = await self.bare_api.get("/ready")
                return answer.is_success and "ready" in (self.home / "bare-worker.log").read_text()
            return 0

        await self.until(ready, 1)


def friends(count: int) -> list[str]:
    """So many new friends' ids."""
    return [f"U{secrets.token_hex(16)}" for _ in range(count)]


def send(name: str) -> dict[str, Any]:
    """A step that sends a text."""
    return {"send": {"name": name, "messages": [{"type": "text", "text": "こんにちは"}]}}


def journeys(scenario: str) -> str:
    """How the workflow ids of its journeys begin."""
    return f"journey/default/{scenario}"


def descendants(process: psutil.Process) -> list[psutil.Process]:
    """The process and all below it: a Postgres has one for each connection."""
    return [process, *process.children(recursive=True)]


@asynccontextmanager
async def _measuring(processes: Mapping[str, psutil.Process]) -> AsyncIterator[Measuring]:
    measuring = Measuring()
    before = {name: _cpu_seconds(process) for name, process in processes.items()}
    begun = time.perf_counter()
    yield measuring
    seconds = time.perf_counter() - begun
    cpu = {name: _cpu_seconds(process) - before[name] for name, process in processes.items()}
    measuring.spent = Spent(seconds, cpu)


def _cpu_seconds(process: psutil.Process) -> float:
    """With the children's that have ended, and with those that run."""
    seconds = 0.0
    for each in descendants(process):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(each.cpu_times()[:4])  # Of user and system, its own and its children's.
    return seconds


def _our_processes() -> dict[str, psutil.Process]:
    (run,) = (
        child for child in psutil.Process().children() if "tobiishi.chaos.run" in child.cmdline()
    )
    commands = {child: " ".join(child.cmdline()) for child in run.children()}
    return {
        name: next(child for child, command in commands.items() if words in command)
        for name, words in _OURS.items()
    }


def _json(answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise Broken(f"{answer.request.method} {answer.request.url}: {answer.text}")
    return answer.json()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
