"""Due times by local calendars and clocks, as pure functions.

All moments given and returned are aware and absolute; `timezone` is an IANA name. A local time
that a clock change skips moves forward by the gap; one that comes twice means the first.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tobiishi.scenario.model import Wait, Window


def at_local(day: date, clock: time, timezone: str) -> datetime:
    """The moment (UTC) at which a local clock shows that time on that day."""
    return datetime.combine(day, clock, ZoneInfo(timezone)).astimezone(UTC)


def due_after(wait: Wait, *, now: datetime, started_at: datetime, timezone: str) -> datetime:
    """When a wait that begins now is over; never before now.

    Days are calendar days, at the same local time of day; hours and minutes are absolute.
    """
    zone = ZoneInfo(timezone)
    now = now.astimezone(UTC)  # What is added to a local datetime moves its clock, not the time.
    if wait.until is not None:
        due = wait.until.replace(tzinfo=zone)
    elif wait.days_after_start is not None and wait.at is not None:
        first = started_at.astimezone(zone).date()
        due = at_local(first + timedelta(days=wait.days_after_start), wait.at, timezone)
    elif wait.at is not None:
        today = now.astimezone(zone).date()
        due = at_local(today + timedelta(days=wait.days or 0), wait.at, timezone)
        if due < now:  # `days: 0` and that time of today is over.
            due = at_local(today + timedelta(days=1), wait.at, timezone)
    else:
        local = now.astimezone(zone)
        day = local.date() + timedelta(days=wait.days or 0)
        due = now if not wait.days else at_local(day, local.time(), timezone)
        due += timedelta(hours=wait.hours or 0, minutes=wait.minutes or 0)
    return max(due.astimezone(UTC), now)


def is_within(window: Window | None, now: datetime, timezone: str) -> bool:
    """Whether messages may be sent now. The opening minute is in the window, the closing is not."""
    if window is None:
        return True
    clock = now.astimezone(ZoneInfo(timezone)).time()
    if window.from_ < window.to:
        return window.from_ <= clock < window.to
    return clock >= window.from_ or clock < window.to


def opening_after(window: Window, now: datetime, timezone: str) -> datetime:
    """The next time that the window opens, be it open now or not."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    openings = (at_local(today + timedelta(days=days), window.from_, timezone) for days in (0, 1))
    return next(opening for opening in openings if opening > now)


def closing_after(window: Window, now: datetime, timezone: str) -> datetime:
    """The next time that the window closes."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    closings = (at_local(today + timedelta(days=days), window.to, timezone) for days in (0, 1))
    return next(closing for closing in closings if closing > now)


def next_opening(window: Window | None, now: datetime, timezone: str) -> datetime:
    """The first moment from now on at which messages may be sent."""
    if window is None or is_within(window, now, timezone):
        return now
    return opening_after(window, now, timezone)
