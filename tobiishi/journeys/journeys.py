"""Journeys: who walks through which scenario, since when, and how it ended.

The database decides who enters and who must leave; what Temporal must be told of it is written to
the outbox in the same transaction, and the relay tells it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import TobiishiError
from tobiishi.people import friends
from tobiishi.plan import JourneyRef
from tobiishi.publishing.versions import Version
from tobiishi.scenario import AfterDays, Reentry

_sql = queries("journeys")

#: Why a journey ends before its scenario does.
Stopping = Literal["exited", "unfollowed", "stopped", "refused"]


@dataclass(frozen=True, kw_only=True)
class Journey:
    """One friend's way through one scenario, as the database has it."""

    ref: JourneyRef
    #: What started it, in words.
    why: str
    #: Set when it must end early.
    stopping: Stopping | None
    stopping_because: str | None
    ended_at: datetime | None
    #: `completed`, `exited`, `unfollowed`, `stopped`, `refused`; None while it goes on.
    outcome: str | None

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> Journey:
        return cls(
            ref=JourneyRef(
                journey_id=row["id"],
                channel=row["channel"],
                scenario=row["scenario"],
                version=row["version"],
                friend=row["friend"],
                entry=row["entry"],
                started_at=row["started_at"],
            ),
            why=row["why"],
            stopping=row["stopping"],
            stopping_because=row["stopping_because"],
            ended_at=row["ended_at"],
            outcome=row["outcome"],
        )


@dataclass(frozen=True, kw_only=True)
class LastEntry:
    """A friend's last journey through a scenario."""

    entry: int
    started_at: datetime
    #: None while it goes on.
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class TrailEntry:
    """One thing that a journey did, and what it rests on."""

    at: datetime
    step: str
    said: str
    detail: dict[str, Any]


class StillEnding(TobiishiError):
    """The friend's former journey is being stopped, and has not said yet that it ended."""


def may_enter(reentry: Reentry, last: LastEntry | None, now: datetime) -> bool:
    """Whether a friend with that last entry may enter again: one journey at a time, ever."""
    if last is None:
        return True
    if last.ended_at is None:
        return False
    match reentry:
        case "never":
            return False
        case "after_finishing":
            return True
        case AfterDays(after_days=days):
            return now >= last.started_at + timedelta(days=days)


async def enter(
    connection: Connection, version: Version, friend: str, *, why: str, now: datetime
) -> int | None:
    """Enter a friend into a scenario and have their journey started; None where they may not be.

    Returns the new journey's id. The friend is locked until the transaction ends, so that of two
    who enter at once the second sees the first. Raises `StillEnding` where they may enter in a
    moment: try again then.
    """
    scenario = version.scenario
    known = await friends.lock(connection, version.channel, friend)
    if known is None or known.status != "following" or not scenario.is_open(now):
        return None
    row = await _sql.last_entry(
        connection, channel=version.channel, scenario=scenario.scenario, friend=friend
    )
    is_ending = row is not None and row["ended_at"] is None and row["stopping"] is not None
    last = row and LastEntry(
        entry=row["entry"],
        started_at=row["started_at"],
        ended_at=now if is_ending else row["ended_at"],
    )
    if not may_enter(scenario.reentry, last, now):
        return None
    if is_ending:
        raise StillEnding(f"journey {row['id']} is being stopped")
    journey_id: int | None = await _sql.begin(
        connection,
        channel=version.channel,
        scenario=scenario.scenario,
        version=version.version,
        friend=friend,
        entry=last.entry + 1 if last else 1,
        why=why,
        started_at=now,
    )
    if journey_id is None:
        return None
    await _sql.subscribe(
        connection,
        [
            {
                "channel": version.channel,
                "audience": exit_.audience,
                "friend": friend,
                "journey_id": journey_id,
                "change": exit_.on,
                "leads_to": "exit",
                "step": "",
            }
            for exit_ in scenario.exit
        ],
    )
    await _sql.order(connection, journey_id=journey_id, kind="start")
    return journey_id


async def stop_all_of_friend(
    connection: Connection, channel: str, friend: str, stopping: Stopping, *, because: str
) -> list[int]:
    """Stop all journeys of the friend. Returns which."""
    rows = await all_rows(
        _sql.stop_all_of_friend(
            connection, channel=channel, friend=friend, stopping=stopping, because=because
        )
    )
    stopped = [row["id"] for row in rows]
    for journey_id in stopped:
        await _sql.order(connection, journey_id=journey_id, kind="stop")
    return stopped


async def stop_some_of_scenario(
    connection: Connection, channel: str, scenario: str, *, because: str, limit: int = 500
) -> int | None:
    """Stop journeys through the scenario, at most so many. Returns how many; None: no more.

    To be called in a transaction.
    """
    where = {"channel": channel, "scenario": scenario}
    rows = await all_rows(_sql.under_way_in(connection, **where, limit=limit))
    if not rows:
        return None
    people = [row["friend"] for row in rows]
    # Lock order: friends before journeys, against deadlocks.
    await friends.lock_many(connection, [(channel, friend) for friend in people])
    stopped: int = await _sql.stop_in(connection, **where, friends=people, because=because)
    return stopped


async def stop_refused(connection: Connection, journey: JourneyRef, *, because: str) -> None:
    """Mark the journey to end as refused; it knows by itself that it is over."""
    await _sql.stop_refused(connection, journey_id=journey.journey_id, because=because)


async def apply_changes(
    connection: Connection,
    changes: Sequence[tuple[str, str, str, str]],
) -> None:
    """Stop the journeys that exit on these changes; wake those that wait for them.

    A change is a channel, an audience, a friend, and `joined` or `left`; one for each friend.
    """
    channels, audiences, friends, kinds = zip(*changes, strict=True)
    await _sql.apply_changes(
        connection, channels=channels, audiences=audiences, friends=friends, changes=kinds
    )


async def wait_for(
    connection: Connection, journey: JourneyRef, audience: str, *, step: str
) -> None:
    """Wake the journey when its friend joins the audience, from the commit of this on."""
    await _sql.subscribe(
        connection,
        [
            {
                "channel": journey.channel,
                "audience": audience,
                "friend": journey.friend,
                "journey_id": journey.journey_id,
                "change": "joined",
                "leads_to": "wake",
                "step": step,
            }
        ],
    )


async def has_come(connection: Connection, journey: JourneyRef, *, step: str) -> bool:
    """Whether the friend joined what the journey waits for there, since it began to wait."""
    return bool(await _sql.has_come(connection, journey_id=journey.journey_id, step=step))


async def stop_waiting(connection: Connection, journey: JourneyRef, *, step: str) -> None:
    """End the subscription to what the journey waited for there."""
    await _sql.stop_waiting(connection, journey_id=journey.journey_id, step=step)


async def under_way(connection: Connection, workflow_id: str) -> Journey | None:
    """The journey that goes on under that id, where one does."""
    _, channel, scenario, friend = workflow_id.split("/")
    row = await _sql.under_way(connection, channel=channel, scenario=scenario, friend=friend)
    return Journey.from_row(row) if row else None


async def end(connection: Connection, journey_id: int, outcome: str, *, at: datetime) -> str:
    """Store that the journey is over. Returns `outcome`, or another where it was being stopped."""
    row = await _sql.end(connection, journey_id=journey_id, outcome=outcome, at=at)
    return str(row["outcome"])


async def get(connection: Connection, journey_id: int) -> Journey:
    return Journey.from_row(await _sql.get(connection, journey_id=journey_id))


async def of_friend(connection: Connection, channel: str, friend: str) -> list[Journey]:
    rows = await all_rows(_sql.of_friend(connection, channel=channel, friend=friend))
    return [Journey.from_row(row) for row in rows]


async def add_to_trail(
    connection: Connection,
    journey: JourneyRef,
    *,
    step: str,
    visit: int = 1,
    at: datetime,
    text: str,
    detail: dict[str, Any] | None = None,
) -> TrailEntry:
    """Store what the journey did at a step. Idempotent: at a retry the first entry stands.

    Returns what is stored now.
    """
    row = await _sql.add_to_trail(
        connection,
        journey_id=journey.journey_id,
        step=step,
        visit=visit,
        at=at,
        said=text,
        detail=detail or {},
    )
    return TrailEntry(**row)


async def trail_of(connection: Connection, journey_id: int) -> list[TrailEntry]:
    """What the journey did so far, in order."""
    return [
        TrailEntry(**row)
        for row in await all_rows(_sql.trail_of(connection, journey_id=journey_id))
    ]
