"""Journeys: who walks through which scenario, since when, and how it ended.

The database decides who enters and who must leave; what Temporal must be told of it is written to
the outbox in the same transaction, and the relay tells it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import asyncpg

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import TobiishiError
from tobiishi.people import friends
from tobiishi.plan import JourneyRef
from tobiishi.publishing.versions import Version
from tobiishi.scenario import (
    AfterDays,
    Reentry,
    Scenario,
)

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


class Unknown(TobiishiError):
    """Temporal carries a journey that the database does not know: an older one was restored."""

    @classmethod
    def of(cls, ref: JourneyRef) -> Unknown:
        return cls(
            f"the database does not know {ref.workflow_id}, entry {ref.entry}; was it restored "
            "from a backup? The starter brings the journey back"
        )


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
    connection: Connection,
    version: Version,
    friend: str,
    *,
    why: str,
    now: datetime,
    by_hand: bool = False,
) -> int | None:
    """Enter a friend into a scenario and have their journey started; None where they may not be.

    Returns the new journey's id. The friend is locked until the transaction ends, so that of two
    who enter at once the second sees the first. Where their former journey is being stopped, they
    enter when it has ended (`tobiishi.relay.pending_entries`), and this is None. `by_hand`:
    somebody has decided that they enter, so that `reentry` is not asked.
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
    if not may_enter("after_finishing" if by_hand else scenario.reentry, last, now):
        return None
    if is_ending:
        await _sql.enter_later(
            connection,
            channel=version.channel,
            scenario=scenario.scenario,
            version=version.version,
            friend=friend,
            why=why,
            since=now,
            exits=[f"{exit_.on} {exit_.audience}" for exit_ in scenario.exit],
            by_hand=by_hand,
        )
        return None
    entry = last.entry + 1 if last else 1
    journey_id: int | None = await _sql.begin(
        connection,
        channel=version.channel,
        scenario=scenario.scenario,
        version=version.version,
        friend=friend,
        entry=entry,
        why=why,
        started_at=now,
    )
    if journey_id is None:
        return None
    ref = JourneyRef(
        journey_id=journey_id,
        channel=version.channel,
        scenario=scenario.scenario,
        version=version.version,
        friend=friend,
        entry=entry,
        started_at=now,
    )
    await watch_exits(connection, ref, scenario)
    await _sql.order(connection, journey_id=journey_id, kind="start")
    return journey_id


async def watch_exits(connection: Connection, ref: JourneyRef, scenario: Scenario) -> None:
    await _sql.subscribe(
        connection,
        [
            {
                "channel": ref.channel,
                "audience": exit_.audience,
                "friend": ref.friend,
                "journey_id": ref.journey_id,
                "change": exit_.on,
                "leads_to": "exit",
                "step": "",
            }
            for exit_ in scenario.exit
        ],
    )


async def stop_all_of_friend(
    connection: Connection, channel: str, friend: str, stopping: Stopping, *, because: str
) -> list[int]:
    """Stop all journeys of the friend, and let none follow that is due. Returns which."""
    await _sql.drop_pending_of(connection, channel=channel, friend=friend)
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


async def stop_one(
    connection: Connection, channel: str, scenario: str, friend: str, *, because: str
) -> bool:
    """Stop the journey that is under way; whether one was. The friend is to be locked."""
    where = {"channel": channel, "scenario": scenario}
    return bool(await _sql.stop_in(connection, **where, friends=[friend], because=because))


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


async def locate(connection: Connection, ref: JourneyRef) -> JourneyRef:
    """Returns the reference with the number that the journey's row has now.

    Raises `Unknown` where it has none: the relay brings the row back, try again then.
    """
    row_id = await _sql.locate(
        connection,
        channel=ref.channel,
        scenario=ref.scenario,
        friend=ref.friend,
        entry=ref.entry,
        started_at=ref.started_at,
    )
    if row_id is None:
        raise Unknown.of(ref)
    return replace(ref, journey_id=row_id)


async def wake(connection: Connection, journey: JourneyRef) -> None:
    """Have the journey look at what it waits for."""
    await _sql.order(connection, journey_id=journey.journey_id, kind="wake")


async def get(connection: Connection, journey_id: int) -> Journey:
    return Journey.from_row(await _sql.get(connection, journey_id=journey_id))


async def of_friend(connection: Connection, channel: str, friend: str) -> list[Journey]:
    rows = await all_rows(_sql.of_friend(connection, channel=channel, friend=friend))
    return [Journey.from_row(row) for row in rows]


async def enter_many(
    connection: Connection, version: Version, why: Mapping[str, str], *, now: datetime
) -> None:
    """Enter friends into a scenario, each as `enter` does; `why` by friend.

    To be called in a transaction that has locked them all, in the order in which everybody does.
    """
    scenario = version.scenario
    if not scenario.is_open(now):
        return
    rows = _sql.enter_first(
        connection,
        channel=version.channel,
        scenario=scenario.scenario,
        version=version.version,
        friends=list(why),
        why=list(why.values()),
        exit_audiences=[exit_.audience for exit_ in scenario.exit],
        exit_changes=[exit_.on for exit_ in scenario.exit],
        now=now,
    )
    for row in await all_rows(rows):
        await enter(connection, version, row["friend"], why=why[row["friend"]], now=now)
