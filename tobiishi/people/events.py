"""Events: what a friend was seen to do, in a message of ours or on the shop's site.

An event is kept together with the memberships that follow from it. What follows from those, the
relay sees to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from tobiishi.database import Connection, all_rows, clock, queries
from tobiishi.people import audiences, friends

_sql = queries("events")

EventSource = Literal["message", "site"]


@dataclass(frozen=True, kw_only=True)
class FriendEvent:
    """One thing that a friend did."""

    channel: str
    #: LINE's user id.
    friend: str
    source: EventSource
    #: In a message: `click`, `postback`, `reply`, `video`, `image`. On the site: `page_view`,
    #: `add_to_cart`, `purchase`, or one of the shop's own.
    event: str
    occurred_at: datetime
    #: The message, by its name in its scenario; None on the site.
    scenario: str | None = None
    message: str | None = None
    #: The link clicked, the image fetched, or the page.
    url: str | None = None
    #: What else was told: of a pressed button its data and what was chosen, of a video its tracking
    #: id, of a reply what kind of message it is, and never what somebody wrote.
    detail: Mapping[str, Any] = field(default_factory=dict)
    #: Told again under the same key, it is the same event.
    key: str | None = None
    #: Its number; None before it is stored.
    id: int | None = field(default=None, compare=False)

    @property
    def in_words(self) -> str:
        """`clicked https://… in hello (welcome)`."""
        if self.source == "site":
            return f"{self.event} on {self.url}" if self.url else self.event
        about = {
            "click": f"clicked {self.url} in",
            "postback": "pressed a button of",
            "reply": "wrote in the chat after",
            "video": "watched the video of",
            "image": "fetched an image of",
        }[self.event]
        return f"{about} {self.message} ({self.scenario})"


async def record(
    connection: Connection, event: FriendEvent, *, now: datetime | None = None
) -> bool:
    """Keep the event, and bring the audiences in line that follow from it. False if kept before.

    `now` is by the database's clock where it is not given. To be called in a transaction; the
    friend must be known.
    """
    await friends.lock(connection, event.channel, event.friend)
    await audiences.rely_on_definitions(connection, event.channel)
    kept = await _sql.keep(
        connection,
        channel=event.channel,
        friend=event.friend,
        source=event.source,
        event=event.event,
        occurred_at=event.occurred_at,
        scenario=event.scenario,
        message=event.message,
        url=event.url,
        detail=dict(event.detail),
        key=event.key,
    )
    if kept is None:
        return False
    await audiences.apply_event(
        connection,
        event.channel,
        event.friend,
        kept,
        now=now or await clock(connection),
        reason=event.in_words,
    )
    return True


async def forget_detail(connection: Connection, channel: str, key: str) -> None:
    """Forget what else was told of the event: its friend took it back."""
    await _sql.forget_detail(connection, channel=channel, key=key)


async def of_friend(
    connection: Connection, channel: str, friend: str, *, after: int | None = None, limit: int = 100
) -> list[FriendEvent]:
    """What the friend did, the latest first."""
    rows = await all_rows(
        _sql.of_friend(connection, channel=channel, friend=friend, after=after, limit=limit)
    )
    return [FriendEvent(channel=channel, friend=friend, **row) for row in rows]
