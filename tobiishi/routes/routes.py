"""Routes (追加経路): the ways by which people come to add the channel, each with a link of its own.

LINE tells nobody how a friend came. So a route's link leads through LINE Login, which tells who the
visitor is, and the visit and the adding of the same person are matched, in whichever order they are
heard of: both happen in a transaction that locks that person first, and the second sees the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import asyncpg

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import InUse, NotFound
from tobiishi.journeys import journeys
from tobiishi.people import audiences, friends
from tobiishi.publishing import versions
from tobiishi.publishing.versions import Version
from tobiishi.webhooks import KeptEvent

_sql = queries("routes")

#: How long after a visit somebody may add the channel by the button, and have come by its route.
ADDS_WITHIN = timedelta(hours=24)
#: How recent an adding may be that LINE Login said nothing of: they come again, as the first time
#: they did not get back to us.
ADDED_JUST_NOW = timedelta(minutes=10)
#: How long it is known who came by a route and was not added by it.
STRANGERS_KEPT = timedelta(days=2)
#: After so long without a follow webhook, one that LINE Login spoke of is missed.
MISSED_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Route:
    """A way by which people come to add the channel."""

    channel: str
    route: str
    #: What marketers call it.
    title: str
    #: Visits of people whom LINE Login named.
    visits: int
    #: Friends who were added by it.
    friends: int
    #: Visits in which LINE Login said that somebody was added, and no webhook named them.
    unmatched: int


@dataclass(frozen=True, kw_only=True)
class RouteVisit:
    """Somebody came by a route's link, and LINE Login told who."""

    channel: str
    route: str
    #: The number of the login: told again, it is the same visit.
    login: str
    #: LINE's user id. They need not be a friend.
    friend: str
    #: When they opened the link, and when LINE Login sent them back to us.
    opened_at: datetime
    returned_at: datetime
    #: Whether they were added, or unblocked the channel, on the way; None where LINE did not say.
    friendship_changed: bool | None
    #: Whether they were a friend already when they came; None where LINE did not say.
    was_friend: bool | None

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> RouteVisit:
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


def counts(visit: RouteVisit, followed_at: datetime) -> bool:
    """Whether somebody who was added at that time was added by this visit of theirs."""
    if followed_at > visit.returned_at:
        # By the button that they were shown then. Who was a friend has blocked the channel since.
        return not visit.was_friend and followed_at - visit.returned_at <= ADDS_WITHIN
    if followed_at >= visit.opened_at:
        return True
    # They were added before they opened the link. Where LINE says that this login changed nothing
    # they had come otherwise.
    just_now = visit.opened_at - followed_at <= ADDED_JUST_NOW
    return just_now and visit.friendship_changed is not False


async def put(connection: Connection, channel: str, route: str, *, title: str) -> None:
    """Make the route, or change it."""
    await _sql.put(connection, channel=channel, route=route, title=title)


async def get(connection: Connection, channel: str, route: str, *, now: datetime) -> Route:
    """Raises `NotFound`."""
    for found in await _look_up(connection, channel, route, now):
        return found
    raise NotFound(
        f"route {route!r} does not exist in channel {channel!r}; PUT /api/routes/{route} makes it"
    )


async def all_of(connection: Connection, channel: str, *, now: datetime) -> list[Route]:
    return await _look_up(connection, channel, None, now)


async def exists(connection: Connection, channel: str, route: str) -> bool:
    return bool(await _sql.exists(connection, channel=channel, route=route))


async def delete(connection: Connection, channel: str, route: str, *, now: datetime) -> None:
    """Delete the route with its visits. Friends keep it. Raises `NotFound`, `InUse`."""
    await get(connection, channel, route, now=now)
    users = [
        f"scenario {version.scenario.scenario}"
        for version in await versions.started_by_friend_add(connection, channel)
        if route in _routes_of(version)
    ]
    named = _sql.audiences_of(connection, channel=channel, route=route)
    users += [f"audience {row['audience']}" for row in await all_rows(named)]
    if users:
        raise InUse(
            f"route {route!r} is used by {', '.join(users)}; "
            "publish or define them without it first"
        )
    await _sql.delete(connection, channel=channel, route=route)


async def match_friend_add(
    connection: Connection, channel: str, friend: str, followed_at: datetime
) -> str | None:
    """Know by which route somebody was added, where a visit tells it. Returns that route.

    To be called in the transaction that follows up their adding, before anything else of it.
    """
    await _sql.lock(connection, channel=channel, friend=friend)
    for row in await all_rows(_sql.undecided(connection, channel=channel, friend=friend)):
        visit = RouteVisit.from_row(row)
        if counts(visit, followed_at):
            await friends.meet(connection, channel, friend, followed_at)
            await _decide(connection, row["id"], visit, followed_at)
            return visit.route
    return None


async def record(connection: Connection, visit: RouteVisit) -> bool:
    """Keep the visit, and all that follows where they were added before we heard of it.

    False where it was kept before, or there is no such route any more. To be called in a
    transaction.
    """
    await _sql.lock(connection, channel=visit.channel, friend=visit.friend)
    former = await friends.lock(connection, visit.channel, visit.friend)
    if visit.was_friend is None:
        is_known = former is not None and former.status == "following"
        visit = replace(visit, was_friend=is_known)
    kept = await _sql.keep(
        connection,
        channel=visit.channel,
        route=visit.route,
        login=visit.login,
        friend=visit.friend,
        opened_at=visit.opened_at,
        returned_at=visit.returned_at,
        friendship_changed=visit.friendship_changed,
        was_friend=visit.was_friend,
    )
    if kept is None:
        return False
    row = await _sql.last_follow(connection, channel=visit.channel, friend=visit.friend)
    follow = KeptEvent.from_row(row) if row else None
    if former is None or follow is None or not counts(visit, follow.occurred_at):
        return True
    await _decide(connection, kept, visit, follow.occurred_at)
    if not follow.is_standby:
        # By the route that was known at the adding, some may have started then.
        await start_on_friend_add(
            connection,
            follow,
            visit.friend,
            route=visit.route,
            started=(former.route,),
            now=visit.returned_at,
        )
    return True


async def start_on_friend_add(
    connection: Connection,
    follow: KeptEvent,
    friend: str,
    *,
    route: str | None,
    started: tuple[str | None, ...] = (),
    now: datetime,
) -> None:
    """Enter the friend into what starts when somebody is added, or unblocks, by this route.

    What one of the routes `started` starts has started before, and does not again.
    """
    added = follow.event.follow
    unblocked = added is not None and added.is_unblocked
    why = "unblocked the channel" if unblocked else "was added as a friend"
    if started:
        why += f", by route {route}"
    for version in await versions.started_by_friend_add(connection, follow.channel):
        starts = partial(version.scenario.starts_on_friend_add, unblocked=unblocked)
        if starts(route=route) and not any(starts(route=former) for former in started):
            await journeys.enter(connection, version, friend, why=why, now=now)


async def forget_strangers(connection: Connection, *, before: datetime, limit: int) -> int:
    """Forget who came before that time and was not added by it. Returns how many."""
    forgotten: int = await _sql.forget_undecided(connection, before=before, limit=limit)
    return forgotten


async def _look_up(
    connection: Connection, channel: str, route: str | None, now: datetime
) -> list[Route]:
    rows = _sql.look_up(connection, channel=channel, route=route, before=now - MISSED_AFTER)
    return [Route(**row) for row in await all_rows(rows)]


async def _decide(
    connection: Connection, visit_id: int, visit: RouteVisit, followed_at: datetime
) -> None:
    """This visit is the one by which they were added; those before it will be for nothing."""
    channel, friend, route = visit.channel, visit.friend, visit.route
    await _sql.count_for(connection, id=visit_id, followed_at=followed_at)
    await _sql.decide_others(connection, channel=channel, friend=friend)
    await _sql.set_route(connection, channel=channel, friend=friend, route=route)
    await audiences.apply_route(
        connection, channel, friend, route, at=max(visit.returned_at, followed_at)
    )


def _routes_of(version: Version) -> tuple[str, ...]:
    added = version.scenario.start.friend_added
    return tuple(added.routes or ()) if added else ()
