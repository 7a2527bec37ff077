"""Times for people at a terminal: as the clocks of the deployment's own time zone show them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from tobiishi.settings import Settings


def zone() -> str:
    """The time zone of all times that commands print: `TOBIISHI_TIMEZONE`."""
    return Settings.load().timezone


def local(moment: str, *, seconds: bool = False, timezone: str | None = None) -> str:
    """A moment of the API as that zone's clocks show it: `2030-01-01 10:00`, JST behind it.

    The zone is the deployment's where no other is named.
    """
    shown = datetime.fromisoformat(moment).astimezone(ZoneInfo(timezone or zone()))
    return f"{shown:%Y-%m-%d %H:%M:%S}" if seconds else f"{shown:%Y-%m-%d %H:%M %Z}"
