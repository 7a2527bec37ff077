"""The lifecycle of a server that is a child of ours: `async with EmbeddedPostgres(folder): …`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from tobiishi.local.children import Child

_STOP_SECONDS = 5.0


class EmbeddedServer(ABC):
    """Started once, stopped once; a start that fails leaves nothing running."""

    #: As messages call it.
    name: str

    def __init__(self) -> None:
        self._child: Child | None = None

    @abstractmethod
    async def _start(self) -> None:
        """Start the server as `_child`, and wait until it serves. Raises `LocalError`."""

    def _release(self) -> None:  # noqa: B027 - a server may need nothing
        """Give back what the server needed, once it has ended."""

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._child.pid if self._child and self._child.returncode is None else None

    async def start(self) -> None:
        """Start the server, and wait until it serves. Raises `LocalError`."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self, grace: float = _STOP_SECONDS) -> None:
        """Stop the server gracefully, or by force after `grace` seconds."""
        if self._child is not None:
            await self._child.stop(grace)
            self._child = None
        self._release()

    async def wait(self) -> int:
        """The server's exit code, once it has ended."""
        if self._child is None:
            raise RuntimeError(f"{self.name} is not started")
        return await self._child.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
