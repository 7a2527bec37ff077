"""LINE's previews of links: its own machine opens each address in a text that arrives.

Click counts must leave it out, as no friend did it. Nothing waits for it, and where there is too
much to preview, the rest is dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from tobiishi.simulator import parts, phones
from tobiishi.simulator.faults import Faults

_log = logging.getLogger(__name__)

_MAX_CONCURRENT = 2
_MAX_WAITING = 50


class Previews:
    """Fetches the links that `see` queues. `run` does the work."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._waiting: asyncio.Queue[str] = asyncio.Queue(_MAX_WAITING)

    def see(self, messages: Sequence[dict[str, Any]]) -> None:
        """Queue the links in these messages for preview, where the settings want it."""
        if self._faults.settings.link_preview == "off":
            return
        urls = dict.fromkeys(
            part["url"]
            for message in messages
            if message["type"] in ("text", "textV2")
            for part in parts.text_parts(message)
            if "url" in part
        )
        for url in urls:
            if self._may(url) and not self._waiting.full():
                self._waiting.put_nowait(url)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as workers:
            for _ in range(_MAX_CONCURRENT):
                workers.create_task(self._work())

    async def _work(self) -> None:
        while True:
            url = await self._waiting.get()
            hops = await phones.fetch(url, {"User-Agent": phones.PREVIEW_USER_AGENT}, self._may)
            _log.info("preview: %s", hops)

    def _may(self, url: str) -> bool:
        everywhere = self._faults.settings.link_preview == "everywhere"
        return phones.is_web(url) and (everywhere or phones.is_local(url))
