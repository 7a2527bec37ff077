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
from typing import Any, Literal

import asyncpg

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import Invalid, NotFound

_sql = queries("audiences")

Kind = Literal["upload", "tag"]


@dataclass(frozen=True, kw_only=True)
class Audience:
    """A named set of friends of one channel."""

    channel: str
    audience: str
    #: What marketers call it.
    title: str
    #: What makes a friend a member: `upload` (listed), `tag` (carries the tag in `rule`).
    kind: Kind
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


async def put(
    connection: Connection,
    channel: str,
    audience: str,
    *,
    title: str,
    kind: Kind,
    rule: dict[str, Any],
    at: datetime,
) -> Audience:
    """Make the audience, or change it. Those who carry its tag already are members at once.

    Raises `Invalid` where members of another kind are in it. To be called in a transaction.
    """
    if kind == "tag":
        await _sql.lock_tag(connection, channel=channel, tag=rule["tag"])
    await _sql.hold(connection, channel=channel, audience=audience)
    row = await _sql.get(connection, channel=channel, audience=audience)
    if row is not None and row["members"] and (row["kind"], row["rule"]) != (kind, rule):
        raise Invalid(
            f"audience {audience!r} is of kind {row['kind']!r} and has members; "
            "empty it first, or make one of another name"
        )
    await _sql.put(
        connection, channel=channel, audience=audience, title=title, kind=kind, rule=rule
    )
    if kind == "tag":
        carriers = await all_rows(
            _sql.carriers_of_tag(connection, channel=channel, tag=rule["tag"])
        )
        friends = [row["friend"] for row in carriers]
        await join(connection, channel, audience, friends, at=at, reason=f"tag {rule['tag']}")
    return await get(connection, channel, audience)


async def add_missing(connection: Connection, channel: str, names: Sequence[str]) -> list[str]:
    """Make the named audiences that don't exist yet, empty, and tell which they were."""
    rows = await all_rows(_sql.add_missing(connection, channel=channel, names=sorted(names)))
    return sorted(row["audience"] for row in rows)


async def watch(connection: Connection, channel: str, names: Sequence[str]) -> None:
    """Have uploads into these audiences tell each change too, from the next one on.

    Waits for an upload that is under way, which may not tell.
    """
    await _sql.watch(connection, channel=channel, names=names)


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
    if found.kind != "upload":
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
) -> int:
    """Add friends; those already in stay as they are. Tells how many joined."""
    count: int = await _sql.join(
        connection, channel=channel, audience=audience, friends=list(friends), at=at, reason=reason
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
    """Remove friends. Tells how many left."""
    count: int = await _sql.leave(
        connection, channel=channel, audience=audience, friends=list(friends), at=at, reason=reason
    )
    return count


async def follow_tag(
    connection: Connection, channel: str, friend: str, tag: str, *, carried: bool, at: datetime
) -> None:
    """Bring the audiences of this tag in line with whether the friend carries it."""
    await _sql.rely_on_tag(connection, channel=channel, tag=tag)
    change = join if carried else leave
    for row in await all_rows(_sql.of_tag(connection, channel=channel, tag=tag)):
        await change(connection, channel, row["audience"], [friend], at=at, reason=f"tag {tag}")


async def members_of(
    connection: Connection, channel: str, audience: str, *, after: str = "", limit: int = 1000
) -> list[Member]:
    """A page of members, in the order of their ids, those after `after`."""
    rows = await all_rows(
        _sql.members_of(connection, channel=channel, audience=audience, after=after, limit=limit)
    )
    return [Member(**row) for row in rows]


async def memberships_among(
    connection: Connection, channel: str, friend: str, names: frozenset[str]
) -> frozenset[str]:
    """Those of the named audiences that the friend is in now."""
    rows = await all_rows(
        _sql.memberships_among(connection, channel=channel, friend=friend, audiences=sorted(names))
    )
    return frozenset(row["audience"] for row in rows)


async def memberships_of(connection: Connection, channel: str, friend: str) -> dict[str, Member]:
    """All the audiences that the friend is in now."""
    rows = await all_rows(_sql.memberships_of(connection, channel=channel, friend=friend))
    return {
        row["audience"]: Member(friend=friend, joined_at=row["joined_at"], reason=row["reason"])
        for row in rows
    }
