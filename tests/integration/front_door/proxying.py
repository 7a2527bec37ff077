"""A way to a server that can be shut, opened, left hanging, or made very slow."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self

from tests.ports import free_port


class Way:
    """A port that leads to the target, `host:port` or a Unix socket's path, while it is open."""

    def __init__(self, target: str) -> None:
        self.port = free_port()
        self.hangs = False
        #: Whether answers come by one byte a second.
        self.is_slow = False
        self._target = target
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def open(self, *, hangs: bool = False) -> None:
        """Let callers through; or, where it `hangs`, take their calls and never answer."""
        await self.shut()
        self.hangs = hangs
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._talks):
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shut()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        there: asyncio.StreamWriter | None = None
        try:
            if self.hangs:
                await asyncio.Event().wait()
            if self._target.startswith("/"):
                back, there = await asyncio.open_unix_connection(self._target)
            else:
                host, port = self._target.rsplit(":", 1)
                back, there = await asyncio.open_connection(host, int(port))
            await asyncio.gather(_pump(reader, there), self._pump_back(back, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._talks.discard(task)
            for end in (writer, there):
                if end is not None:
                    end.transport.abort()

    async def _pump_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                while self.is_slow and data:
                    await asyncio.sleep(1)
                    writer.write(data[:1])
                    data = data[1:]
                writer.write(data)
                await writer.drain()
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()
