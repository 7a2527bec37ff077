"""Starts parts in order, restarts one that ends by itself, stops them in reverse."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import httpx

from tobiishi.local import LocalError
from tobiishi.local.children import Child, Command, last_lines, rotate

_START_SECONDS = 60.0
_STOP_SECONDS = 9.0
#: Seconds of those that each part has at least to stop in.
_STOP_SHARE_SECONDS = 1.5
_MIN_PAUSE_SECONDS = 0.5
_MAX_PAUSE_SECONDS = 30.0
#: A part that ran this long is not failing again and again.
_SETTLED_SECONDS = 60.0
_LOG_LOOK_SECONDS = 60.0


class Part(Protocol):
    """A part to supervise: a server of ours, or a `Program`."""

    @property
    def name(self) -> str: ...

    @property
    def log(self) -> Path: ...

    async def start(self) -> None:
        """Returns when the part serves; raises `LocalError`, with nothing left running."""

    async def wait(self) -> int:
        """The exit code, once it has ended."""

    async def stop(self, grace: float) -> None:
        """Stop gracefully, or by force after `grace` seconds."""


class Program:
    """A program of ours that is ready when `ready` returns true."""

    def __init__(
        self, name: str, command: Command, ready: Callable[[Program], Awaitable[bool]]
    ) -> None:
        self.name = name
        self.log = command.log
        self._command = command
        self._ready = ready
        self._child: Child | None = None
        self._log_start = 0

    @property
    def output(self) -> str:
        """The program's output since its start."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    async def start(self) -> None:
        rotate(self.log)
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        try:
            self._child = await Child.start(self._command)
            await self._until_ready(self._child)
        except OSError as error:
            raise LocalError(f"the {self.name} cannot be started: {error}") from error
        except BaseException:
            await self.stop(2)
            raise

    async def wait(self) -> int:
        if self._child is None:
            raise RuntimeError(f"the {self.name} is not started")
        return await self._child.wait()

    async def stop(self, grace: float) -> None:
        if self._child is not None:
            await self._child.stop(grace)
            self._child = None

    async def _until_ready(self, child: Child) -> None:
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while not await self._ready(self):
            if child.returncode is not None:
                raise LocalError(
                    f"the {self.name} ended before it was ready ({_ending(child.returncode)}); "
                    f"see {self.log}",
                    log_lines=last_lines(self.log),
                )
            if asyncio.get_running_loop().time() > deadline:
                raise LocalError(
                    f"the {self.name} is not ready after {_START_SECONDS:.0f} s; see {self.log}",
                    log_lines=last_lines(self.log),
                )
            await asyncio.sleep(0.05)


def has_written(text: str) -> Callable[[Program], Awaitable[bool]]:
    """Ready when it has written this."""

    async def ready(program: Program) -> bool:
        return text in program.output

    return ready


def answers(url: str) -> Callable[[Program], Awaitable[bool]]:
    """Ready when it answers a GET of this with 200."""

    async def ready(program: Program) -> bool:
        try:
            # No proxy of the environment: this is our own machine.
            async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
                return (await http.get(url)).status_code == 200
        except httpx.TransportError:
            return False

    return ready


def listens(port: int) -> Callable[[Program], Awaitable[bool]]:
    """Ready when its port is open."""

    async def ready(program: Program) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    return ready


class Supervisor:
    """Keeps parts running until it is stopped."""

    def __init__(self, report: Callable[[str], None]) -> None:
        """`say` gets one line on each change of a part."""
        self._report = report
        self._parts: list[Part] = []

    async def start(self, part: Part) -> None:
        """Start a part, which may need those started before. Raises `LocalError`."""
        await part.start()
        self._parts.append(part)

    async def keep_running(self) -> None:
        """Restart parts that end by themselves, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for part in self._parts:
                group.create_task(self._keep(part))
            group.create_task(self._keep_logs_short())

    async def stop(self) -> None:
        """Stop all parts, the last one first, in 10 seconds."""
        deadline = asyncio.get_running_loop().time() + _STOP_SECONDS
        while self._parts:
            part = self._parts.pop()
            left = deadline - asyncio.get_running_loop().time()
            await part.stop(max(left - _STOP_SHARE_SECONDS * len(self._parts), 0.1))

    async def _keep(self, part: Part) -> None:
        pause = _MIN_PAUSE_SECONDS
        while True:
            started = asyncio.get_running_loop().time()
            code = await part.wait()
            if asyncio.get_running_loop().time() - started > _SETTLED_SECONDS:
                pause = _MIN_PAUSE_SECONDS
            self._report(f"the {part.name} ended ({_ending(code)}); starting it again")
            while True:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _MAX_PAUSE_SECONDS)
                try:
                    await part.start()
                except LocalError as error:
                    self._report(f"{error}; trying again in {pause:.0f} s")
                else:
                    break
            self._report(f"the {part.name} runs again")

    async def _keep_logs_short(self) -> None:
        while True:
            await asyncio.sleep(_LOG_LOOK_SECONDS)
            for part in self._parts:
                rotate(part.log)


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
