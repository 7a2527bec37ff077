"""Audiences: named sets of friends that scenarios start, branch and exit on.

LINE lets nobody read who is in its audiences
(https://developers.line.biz/en/docs/messaging-api/using-audience/), so Tobiishi keeps its own.
A membership and the change that others must hear of are written in one statement; the relay
turns each change into what follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import Invalid, NotFound
from tobiishi.scenario.rules import AudienceKind

_sql = queries("audiences")


@dataclass(frozen=True, kw_only=True)
class Audience:
    """A named set of friends of one channel."""

    channel: str
    audience: str
    #: What marketers call it.
    title: str
    #: What makes a friend a member, with the `rule` that goes with it: see
    #: `tobiishi.scenario.rules`.
    kind: AudienceKind
    rule: dict[str, Any]
    #: How many friends are in it now.
    members: int

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> Audience:
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True)
class Member:
    """One friend's membership."""

    friend: str
    joined_at: datetime
    #: What made them join, in words.
    reason: str


async def report_changes_of(connection: Connection, channel: str, names: Sequence[str]) -> None:
    """Record each change by uploads into these audiences too, from the next upload on.

    Waits for an upload that is under way, which may not record its own.
    """
    await _sql.report_changes_of(connection, channel=channel, names=names)


async def get(connection: Connection, channel: str, audience: str) -> Audience:
    """Raises `NotFound`."""
    row = await _sql.get(connection, channel=channel, audience=audience)
    if row is None:
        raise NotFound(
            f"audience {audience!r} does not exist; PUT /api/audiences/{audience} makes it"
        )
    return Audience.from_row(row)


async def get_listed(connection: Connection, channel: str, audience: str) -> Audience:
    """The audience, where its members are listed by hand. Raises `NotFound`, `Invalid`.

    It stays so until the transaction ends.
    """
    await _sql.rely_on(connection, channel=channel, audience=audience)
    found = await get(connection, channel, audience)
    if found.kind != "upload" and "upload" not in found.rule.get("evidence", ()):
        raise Invalid(
            f"audience {audience!r} is of kind {found.kind!r}: its members come and go with "
            f"{found.rule}, and can't be listed by hand"
        )
    return found


async def all_of(connection: Connection, channel: str) -> list[Audience]:
    return [Audience.from_row(row) for row in await all_rows(_sql.all(connection, channel=channel))]


async def join(
    connection: Connection,
    channel: str,
    audience: str,
    friends: Sequence[str],
    *,
    at: datetime,
    reason: str,
    expires: Sequence[datetime | None] | None = None,
) -> int:
    """Add friends; those already in stay as they are. Returns how many joined.

    `expires` is when each membership ends by itself; the later of two counts.
    """
    count: int = await _sql.join(
        connection,
        channel=channel,
        audience=audience,
        friends=list(friends),
        expires=list(expires) if expires else [None] * len(friends),
        at=at,
        reason=reason,
    )
    return count


async def leave(
    connection: Connection,
    channel: str,
    audience: str,
    friends: Sequence[str],
    *,
    at: datetime,
    reason: str,
) -> int:
    """Remove friends. Returns how many left."""
    count: int = await _sql.leave(
        connection, channel=channel, audience=audience, friends=list(friends), at=at, reason=reason
    )
    return count


async def rely_on_definitions(connection: Connection, channel: str) -> None:
    """Keep definitions as they are until the transaction ends (a shared lock)."""
    await _sql.rely_on_definitions(connection, channel=channel)


async def apply_tag(
    connection: Connection, channel: str, friend: str, tag: str, *, carried: bool, at: datetime
) -> None:
    """Bring the audiences of this tag in line with whether the friend carries it."""
    await rely_on_definitions(connection, channel)
    change = join if carried else leave
    for row in await all_rows(_sql.of_tag(connection, channel=channel, tag=tag)):
        await change(connection, channel, row["audience"], [friend], at=at, reason=f"tag {tag}")


async def apply_route(
    connection: Connection, channel: str, friend: str, route: str, *, at: datetime
) -> None:
    """Bring the audiences of routes in line with the one that the friend was added by last."""
    await rely_on_definitions(connection, channel)
    for row in await all_rows(_sql.of_route(connection, channel=channel)):
        change = join if row["route"] == route else leave
        reason = f"added by route {route}"
        await change(connection, channel, row["audience"], [friend], at=at, reason=reason)


async def apply_event(
    connection: Connection, channel: str, friend: str, event_id: int, *, now: datetime, reason: str
) -> None:
    """Add the friend to the audiences that the event matches.

    What was done too long ago to count any more makes nobody a member.
    """
    await rely_on_definitions(connection, channel)
    for row in await all_rows(_sql.of_event(connection, event_id=event_id)):
        if row["expires_at"] is None or row["expires_at"] > now:
            await join(
                connection,
                channel,
                row["audience"],
                [friend],
                at=row["occurred_at"],
                reason=reason,
                expires=[row["expires_at"]],
            )


async def expire(connection: Connection, *, now: datetime, limit: int) -> int:
    """End memberships whose time is over. Returns how many there were."""
    over = await all_rows(_sql.take_expired(connection, now=now, limit=limit))
    for row in over:
        reason = "the look-back is over"
        await leave(
            connection, row["channel"], row["audience"], [row["friend"]], at=now, reason=reason
        )
    return len(over)


async def reconsider(
    connection: Connection, channel: str, friends: Sequence[str], *, at: datetime
) -> None:
    """Record that something new is known of these friends: combined audiences are updated.

    Costs next to nothing in a channel that has none.
    """
    await rely_on_definitions(connection, channel)
    await _sql.reconsider(connection, channel=channel, friends=list(friends), at=at)


async def members_of(
    connection: Connection, channel: str, audience: str, *, after: str = "", limit: int = 1000
) -> list[Member]:
    """A page of members, in the order of their ids, those after `after`."""
    rows = await all_rows(
        _sql.members_of(connection, channel=channel, audience=audience, after=after, limit=limit)
    )
    return [Member(**row) for row in rows]


@dataclass(frozen=True, kw_only=True)
class Membership:
    """One time that a friend was a member, or is."""

    joined_at: datetime
    #: What made them join, in words.
    reason: str
    #: None where they are in it now.
    left_at: datetime | None
    left_reason: str | None


async def history_of(
    connection: Connection, channel: str, audience: str, friend: str
) -> list[Membership]:
    """Every time that the friend was in the audience, the first one first."""
    rows = _sql.history_of(connection, channel=channel, audience=audience, friend=friend)
    return [Membership(**row) for row in await all_rows(rows)]


async def memberships_among(
    connection: Connection, channel: str, friend: str, names: frozenset[str], *, at: datetime
) -> frozenset[str]:
    """Those of the named audiences that the friend is in at that time."""
    rows = await all_rows(
        _sql.memberships_among(
            connection, channel=channel, friend=friend, audiences=sorted(names), at=at
        )
    )
    return frozenset(row["audience"] for row in rows)


async def memberships_of_many(
    connection: Connection,
    channel: str,
    friends: Sequence[str],
    names: frozenset[str],
    *,
    at: datetime,
) -> dict[str, frozenset[str]]:
    """Of the friends who are in some of the named audiences at that time, which these are."""
    rows = await all_rows(
        _sql.memberships_of_many(
            connection, channel=channel, friends=list(friends), audiences=sorted(names), at=at
        )
    )
    return {row["friend"]: frozenset(row["audiences"]) for row in rows}


async def memberships_of(connection: Connection, channel: str, friend: str) -> dict[str, Member]:
    """All the audiences that the friend is in now."""
    rows = await all_rows(_sql.memberships_of(connection, channel=channel, friend=friend))
    return {
        row["audience"]: Member(friend=friend, joined_at=row["joined_at"], reason=row["reason"])
        for row in rows
    }
