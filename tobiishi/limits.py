"""How often somebody of the public may come."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable


class Limit:
    """So many times in so many seconds, for each visitor, in this process."""

    #: Visitors that are counted at once; more than that are let in uncounted.
    MAX_VISITORS = 100_000

    def __init__(
        self, times: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.times = times
        self.seconds = seconds
        self._clock = clock
        self._since = clock()
        self._came: dict[Hashable, int] = {}

    def takes(self, visitor: Hashable) -> bool:
        """Count a coming; False where it is one too many."""
        now = self._clock()
        if now - self._since >= self.seconds:
            self._since, self._came = now, {}
        count = self._came.get(visitor, 0) + 1
        if count == 1 and len(self._came) >= self.MAX_VISITORS:
            return True
        self._came[visitor] = count
        return count <= self.times
