"""The parts of a running simulator, as its endpoints work with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from starlette.requests import Request

from tobiishi.simulator.faults import Faults
from tobiishi.simulator.previews import Previews
from tobiishi.simulator.store import Store
from tobiishi.simulator.webhooks import Courier

#: LINE counts days and months in Japan.
JAPAN = timezone(timedelta(hours=9))


@dataclass(kw_only=True)
class Platform:
    """LINE, as far as it is simulated: one channel and its friends."""

    store: Store
    faults: Faults
    courier: Courier
    previews: Previews
    #: The long-lived access token of the channel.
    access_token: str
    #: Seconds since the epoch.
    clock: Callable[[], float]
    #: Folder of the demo shop's pages.
    shop: Path | None = None
    #: Where the shop's pages find the tag: an origin such as `http://127.0.0.1:8000`.
    starter_url: str = ""
    #: The last API requests, oldest first.
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=1000))

    def day(self) -> str:
        """Today in Japan, as LINE writes it: yyyyMMdd."""
        return datetime.fromtimestamp(self.clock(), JAPAN).strftime("%Y%m%d")

    def used_quota(self) -> int:
        """Recipients of this month's messages; replies are free."""
        return self.store.number(
            "select sum(recipients) from sent where day like ? and endpoint <> 'reply'",
            self.day()[:6] + "%",
        )


def platform_of(request: Request) -> Platform:
    platform: Platform = request.app.state.platform
    return platform


def iso(seconds: float) -> str:
    """A time in ISO 8601, UTC, to the millisecond."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
