"""Child processes that end when this one does, whatever ends it.

A child gets a session of its own, so that Ctrl-C reaches this process only, which then decides
the order of stopping. It also asks the kernel for a signal at our death, so that not even
`kill -9` leaves one behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_MAX_LOG_BYTES = 10 * 2**20


@dataclass(frozen=True)
class Command:
    """A program to run, and how to stop it."""

    #: Program and arguments. No secrets: every user of the machine can read them.
    argv: tuple[str, ...]
    #: File that stdout and stderr are appended to.
    log: Path
    #: The whole environment of the child; that of this process where None.
    env: Mapping[str, str] | None = field(default=None, repr=False)
    #: Working folder; ours where None.
    cwd: Path | None = None
    #: User and group (ids) to run as; those of this process where None. Only root can set them.
    user: int | None = None
    group: int | None = None
    #: Asks the child to shut down gracefully.
    stop_signal: signal.Signals = signal.SIGTERM
    #: The signal that the kernel sends the child when this process dies.
    death_signal: signal.Signals = signal.SIGKILL


class Child:
    """A running command."""

    def __init__(self, process: asyncio.subprocess.Process, command: Command) -> None:
        self._process = process
        self._command = command

    @classmethod
    async def start(cls, command: Command) -> Child:
        """Start the command. Raises `OSError` where there is no such program."""
        command.log.parent.mkdir(parents=True, exist_ok=True)
        rotate(command.log)
        # Opened here, so the child needs no right to the folder of the logs.
        with command.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=command.env,
                cwd=command.cwd,
                start_new_session=True,
                preexec_fn=_bound_to_this_process(command.death_signal),
                user=command.user,
                group=command.group,
                extra_groups=None if command.user is None else [],
            )
        return cls(process, command)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    async def wait(self) -> int:
        """The exit code, once there is one (a signal's number, negative, where killed)."""
        return await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def stop(self, grace: float) -> int:
        """Ask to stop, wait `grace` seconds, then kill. Returns the exit code."""
        self.signal(self._command.stop_signal)
        try:
            async with asyncio.timeout(grace):
                await self._process.wait()
        except TimeoutError:
            # The child leads its own group: what it started goes with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        return await self._process.wait()


def rotate(log: Path) -> None:
    """Rotate a log at the limit, keeping one older file. Its writer may go on writing."""
    if log.exists() and log.stat().st_size > _MAX_LOG_BYTES:
        shutil.copyfile(log, log.with_name(log.name + ".1"))
        os.truncate(log, 0)


def last_lines(log: Path, count: int = 10) -> list[str]:
    """The end of a log that is not blank."""
    try:
        text = log.read_bytes()[-16_384:].decode(errors="replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]


def _bound_to_this_process(death_signal: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def bind() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # the parent died before `prctl` took effect
            os._exit(1)

    return bind
