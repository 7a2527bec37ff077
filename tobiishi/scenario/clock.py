"""Due times by local calendars and clocks, as pure functions.

All moments given and returned are aware and absolute; `timezone` is an IANA name. A local time
that a clock change skips moves forward by the gap; one that comes twice means the first, as long
as that is ahead. A window is open whenever the local clock shows a time in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tobiishi.scenario.model import Wait, Window

#: The least that tells two moments apart.
_INSTANT = timedelta.resolution
#: In that time every window opens and closes: an island that crosses the date line skips a day,
#: and the clock change of another may skip the window.
_LOOK_AHEAD = timedelta(days=4)


def at_local(day: date, clock: time, timezone: str) -> datetime:
    """The moment (UTC) at which a local clock shows that time on that day."""
    return datetime.combine(day, clock, ZoneInfo(timezone)).astimezone(UTC)


def due_after(wait: Wait, *, now: datetime, started_at: datetime, timezone: str) -> datetime:
    """When a wait that begins now is over; never before now.

    Days are calendar days, at the same local time of day; hours and minutes are absolute.
    """
    zone = ZoneInfo(timezone)
    now = now.astimezone(UTC)  # What is added to a local datetime moves its clock, not the time.
    if wait.until is not None or wait.days_after_start is not None:
        due = _fixed_end(wait, started_at, timezone)
    elif wait.at is not None:
        today = now.astimezone(zone).date()
        due = at_local(today + timedelta(days=wait.days or 0), wait.at, timezone)
        if due < now:  # `days: 0` and that time of today is over.
            day = today + timedelta(days=wait.days or 1)
            due = at_local(day, wait.at, timezone)
            if due < now:  # A clock change at midnight: that day has begun once, and was set back.
                due = at_local(day, wait.at.replace(fold=1), timezone)
    else:
        local = now.astimezone(zone)
        day = local.date() + timedelta(days=wait.days or 0)
        due = now if not wait.days else at_local(day, local.time(), timezone)
        due += timedelta(hours=wait.hours or 0, minutes=wait.minutes or 0)
    return max(due.astimezone(UTC), now)


def is_past(wait: Wait, *, now: datetime, started_at: datetime, timezone: str) -> bool:
    """Whether the moment that a wait ends at was over when it began.

    A wait for a length of time, or for the next time of day, never is.
    """
    if wait.until is None and wait.days_after_start is None:
        return False
    return _fixed_end(wait, started_at, timezone) < now


def _fixed_end(wait: Wait, started_at: datetime, timezone: str) -> datetime:
    """The moment at which an `until` or `days_after_start` is over, whenever it begins."""
    zone = ZoneInfo(timezone)
    if wait.until is not None:
        return wait.until.replace(tzinfo=zone).astimezone(UTC)
    assert wait.days_after_start is not None
    assert wait.at is not None
    first = started_at.astimezone(zone).date()
    return at_local(first + timedelta(days=wait.days_after_start), wait.at, timezone)


def is_within(window: Window | None, now: datetime, timezone: str) -> bool:
    """Whether messages may be sent now. The opening minute is in the window, the closing is not."""
    if window is None:
        return True
    clock = now.astimezone(ZoneInfo(timezone)).time()
    if window.from_ < window.to:
        return window.from_ <= clock < window.to
    return clock >= window.from_ or clock < window.to


def opening_after(window: Window, now: datetime, timezone: str) -> datetime:
    """The next time that the window opens, be it open now or not.

    Where the local clock is set back or forward, that may open the window, and a window may open
    twice on that day, or not at all.
    """
    return _turn_after(window, now, timezone, opens=True)


def closing_after(window: Window, now: datetime, timezone: str) -> datetime:
    """The next time that the window closes; a change of the local clock may close it, too."""
    return _turn_after(window, now, timezone, opens=False)


def _turn_after(window: Window, now: datetime, timezone: str, *, opens: bool) -> datetime:
    zone = ZoneInfo(timezone)
    now = now.astimezone(UTC)
    today = now.astimezone(zone).date()
    shown = window.from_ if opens else window.to
    turns = {
        at_local(today + timedelta(days=days), shown.replace(fold=fold), timezone)
        for days in range(-1, _LOOK_AHEAD.days + 1)
        for fold in (0, 1)
    }
    turns.update(_clock_changes(now - _INSTANT, now + _LOOK_AHEAD, zone))
    return next(
        turn
        for turn in sorted(turns)
        if turn > now
        and is_within(window, turn, timezone) == opens
        and is_within(window, turn - _INSTANT, timezone) != opens
    )


def _clock_changes(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The moments in that time from which on the zone's clocks differ more, or less, from UTC."""
    while start < end:
        before, after = start, min(start + timedelta(days=1), end)
        start = after
        if before.astimezone(zone).utcoffset() == after.astimezone(zone).utcoffset():
            continue
        offset = before.astimezone(zone).utcoffset()
        while after - before > _INSTANT:
            between = before + (after - before) // 2
            if between.astimezone(zone).utcoffset() == offset:
                before = between
            else:
                after = between
        yield after


def next_opening(window: Window | None, now: datetime, timezone: str) -> datetime:
    """The first moment from now on at which messages may be sent."""
    if window is None or is_within(window, now, timezone):
        return now
    return opening_after(window, now, timezone)
