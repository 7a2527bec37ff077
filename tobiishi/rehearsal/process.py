"""A rehearsal in a process of its own, as the starter has it.

So it takes no turn from webhooks, counts in no figure of the starter, and is gone with it: it ends
when its input does, whatever becomes of us. Requests and answers are JSON, one a line each.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from typing import Any, Self

from tobiishi.errors import Invalid, TobiishiError

#: Bytes of an answer: a long timeline with whole messages.
_MOST_BYTES = 64 * 1024 * 1024
_END_SECONDS = 5.0
#: Seconds without a request after which the process ends.
IDLE_SECONDS = 600.0


class RehearsalGone(TobiishiError):
    """The process has ended, or did not answer in time."""


class RehearsalProcess:
    """The process of one rehearsal. Close it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._alone = asyncio.Lock()

    @classmethod
    async def start(cls) -> Self:
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tobiishi.rehearsal",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_MOST_BYTES,
                # A group of its own, with the server that it starts: a Ctrl-C is for us.
                start_new_session=True,
            )
        )

    async def ask(self, do: str, *, seconds: float, **request: Any) -> Any:
        """The answer. Raises `Invalid`, or `RehearsalGone` after which there are no more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._alone:
            try:
                async with asyncio.timeout(seconds):
                    self._process.stdin.write(json.dumps({"do": do, **request}).encode() + b"\n")
                    await self._process.stdin.drain()
                    line = await self._process.stdout.readline()
            except BaseException as error:
                # Its answer may come yet, and must not be taken for that to the next request.
                await self.close()
                if not isinstance(error, TimeoutError | OSError | ValueError):
                    raise
                raise RehearsalGone(
                    f"the rehearsal has not answered within {seconds:g} s"
                ) from error
            if not line:
                await self.close()
                raise RehearsalGone("the rehearsal has ended early; try again")
        answer = json.loads(line)
        if wrong := answer.get("invalid"):
            raise Invalid(wrong)
        if failed := answer.get("failed"):
            raise RehearsalGone(failed)
        return answer["answer"]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    async def close(self) -> None:
        """Let it end, and have it end where it does not."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()
        if self._process.returncode == 0:
            return
        # It was killed, or has to be: the server that it started goes with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
