"""Enrolments: a scenario is started for those who are in its audience already, page by page.

The row is the source of truth: progress, status and pace. A page of friends and
the row's new cursor are written in one transaction, so after any crash, the next page begins where
the last committed one ended.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import Invalid, NotFound
from tobiishi.metrics import STUCK_AFTER
from tobiishi.people import friends
from tobiishi.publishing.enrolment_plan import (
    MAX_PER_SECOND,
    MEMBERS_PER_PAGE,
    EnrolmentRef,
    EnrolmentStatus,
    Progress,
    in_words,
    opens_at,
    page_size,
    recent_rate,
    rest,
)
from tobiishi.scenario import Scenario

_sql = queries("enrolments")


@dataclass(frozen=True, kw_only=True)
class PassedOver:
    """How many were looked at and did not enter, by reason."""

    #: They had entered before, or enter by themselves because they have just joined.
    had_entered: int
    #: They block the channel.
    blocked: int
    #: The scenario's period was over.
    too_late: int


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """One enrolment, as the database has it."""

    ref: EnrolmentRef
    #: Whose members enter.
    audience: str
    status: EnrolmentStatus
    #: Why it was cancelled, or what ended it early.
    because: str | None
    #: The reason that it waits, for people; empty where it doesn't.
    note: str
    #: The last friend that was looked at.
    cursor: str
    entered: int
    passed_over: PassedOver
    #: Members when it began.
    total: int
    #: How many may enter in a second, at most.
    per_second: int
    #: How many a second were looked at recently, where known.
    rate: float | None
    #: When the last page was entered, if one was since it began or went on.
    page_at: datetime | None
    started_at: datetime
    finished_at: datetime | None

    @property
    def seen(self) -> int:
        """How many were looked at."""
        passed = self.passed_over
        return self.entered + passed.had_entered + passed.blocked + passed.too_late

    def since_last(self, now: datetime) -> timedelta | None:
        """How long ago the last page was entered."""
        return None if self.page_at is None else now - self.page_at

    @property
    def summary(self) -> str:
        """How far it has come, for people."""
        return in_words(
            entered=self.entered,
            seen=self.seen,
            total=self.total,
            rate=self.rate if self.rate is not None else self.per_second,
            status=self.status,
            note=self.because or self.note,
        )

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> Enrolment:
        return cls(
            ref=EnrolmentRef(
                enrolment_id=row["id"],
                channel=row["channel"],
                scenario=row["scenario"],
                version=row["version"],
            ),
            passed_over=PassedOver(**{name: row[name] for name in PassedOver.__dataclass_fields__}),
            **{
                name: row[name]
                for name in cls.__dataclass_fields__
                if name not in ("ref", "passed_over")
            },
        )


async def get(connection: Connection, enrolment_id: int) -> Enrolment:
    """Return the enrolment. Raises `NotFound`."""
    row = await _sql.get(connection, id=enrolment_id)
    return Enrolment.from_row(_found(row, enrolment_id))


async def all_of(connection: Connection, channel: str, *, limit: int = 100) -> list[Enrolment]:
    """The last enrolments of the channel, the newest first."""
    rows = await all_rows(_sql.of_channel(connection, channel=channel, limit=limit))
    return [Enrolment.from_row(row) for row in rows]


async def lock_all_of(connection: Connection, channel: str, scenario: str) -> None:
    """Lock the scenario's enrolments that are not over until the transaction ends.

    Publishing must do it before it locks anything that a page needs, or the two would deadlock.
    """
    await _sql.lock_of_scenario(connection, channel=channel, scenario=scenario)


async def cancel_all_of(
    connection: Connection, channel: str, scenario: str, *, because: str, now: datetime
) -> None:
    """Cancel the scenario's enrolments for good."""
    await _sql.cancel_all_of(
        connection, channel=channel, scenario=scenario, because=because, now=now
    )


async def supersede(
    connection: Connection,
    channel: str,
    scenario: Scenario,
    version: int,
    *,
    now: datetime,
) -> Enrolment | None:
    """A new version is live: end the enrolment of the former, and begin one if the new says so."""
    where: dict[str, Any] = {"channel": channel, "scenario": scenario.scenario, "version": version}
    because = f"superseded by version {version}"
    await cancel_all_of(connection, channel, scenario.scenario, because=because, now=now)
    if not scenario.start.include_members:
        return None
    row = await _sql.begin(connection, **where, audience=scenario.start.audience, now=now)
    return Enrolment.from_row(row)


async def pause(connection: Connection, enrolment_id: int) -> Enrolment:
    """Enter nobody more until it goes on. Raises `NotFound`, `Invalid`."""
    return await _set_status(connection, enrolment_id, "paused")


async def resume(connection: Connection, enrolment_id: int) -> Enrolment:
    """Resume. If it runs already, its workflow is started again should it be gone.

    Raises `NotFound`, `Invalid`.
    """
    return await _set_status(connection, enrolment_id, "running")


async def cancel(
    connection: Connection, enrolment_id: int, *, because: str, now: datetime
) -> Enrolment:
    """Enter nobody more, for good; journeys under way go on. Raises `NotFound`, `Invalid`."""
    return await _set_status(
        connection, enrolment_id, "cancelled", because=because, finished_at=now
    )


async def call_off(connection: Connection, enrolment_id: int, *, at: datetime) -> None:
    """Record that it was cancelled in Temporal; no effect where it is over already."""
    with suppress(Invalid):
        await cancel(connection, enrolment_id, because="in Temporal", now=at)


async def next_unconfirmed(
    connection: Connection, *, now: datetime
) -> tuple[Enrolment, int] | None:
    """An enrolment whose workflow does not know its status yet, and how often that has failed."""
    row = await _sql.next_unconfirmed(connection, now=now)
    return row and (Enrolment.from_row(row), row["attempts"])


async def confirm(connection: Connection, enrolment: Enrolment) -> None:
    """Record that Temporal knows it, with the status that it had then."""
    await _sql.confirm(connection, id=enrolment.ref.enrolment_id, status=enrolment.status)


async def confirmed_unfinished(connection: Connection) -> list[Enrolment]:
    """Enrolments that are not over, and that Temporal knew."""
    return [
        Enrolment.from_row(row) for row in await all_rows(_sql.confirmed_unfinished(connection))
    ]


async def unconfirm(connection: Connection, enrolment: Enrolment) -> None:
    """Keep that Temporal does not know the enrolment any more; the relay starts it again."""
    await _sql.unconfirm(connection, id=enrolment.ref.enrolment_id)


async def postpone(
    connection: Connection, enrolment: Enrolment, *, attempts: int, retry_at: datetime, error: str
) -> None:
    """Try again at `retry_at`: telling Temporal failed with `error`, so many times by now."""
    await _sql.postpone(
        connection,
        id=enrolment.ref.enrolment_id,
        attempts=attempts,
        retry_at=retry_at,
        error=error,
    )


async def set_pace(connection: Connection, enrolment_id: int, per_second: int) -> Enrolment:
    """Set how many may enter in a second from the next page on. Raises `NotFound`, `Invalid`."""
    if not 1 <= per_second <= MAX_PER_SECOND:
        raise Invalid(f"per_second is {per_second}; make it 1 to {MAX_PER_SECOND}")
    await _lock_unfinished(connection, enrolment_id)
    return Enrolment.from_row(
        await _sql.set_pace(connection, id=enrolment_id, per_second=per_second)
    )


async def enter_page(
    connection: Connection, enrolment_id: int, scenario: Scenario, *, now: datetime
) -> Progress:
    """Enter the next members who never were in the scenario; return when to come again.

    To be called in a transaction. Pages that are entered at once wait for each other.
    """
    enrolment = Enrolment.from_row(
        _found(await _sql.lock(connection, id=enrolment_id), enrolment_id)
    )
    if enrolment.status != "running":
        return _progress(enrolment, next_at=None)
    opening = opens_at(scenario, now)
    if opening is None:
        left: int = await _sql.count_left(connection, **_members_of(enrolment, now))
        enrolment = await _keep(
            connection,
            enrolment,
            too_late=left,
            status="done",
            because="its period is over",
            finished_at=now,
        )
        return _progress(enrolment, next_at=None)
    if opening > now:
        local = opening.astimezone(ZoneInfo(scenario.timezone))
        note = f"waits for its period, which begins {local:%Y-%m-%d %H:%M}"
        enrolment = await _keep(connection, enrolment, note=note)
        return _progress(enrolment, next_at=opening)
    waiting: int = await _sql.waiting_starts(
        connection, most=MEMBERS_PER_PAGE, stuck_after=STUCK_AFTER
    )
    since_last = enrolment.since_last(now)
    size = page_size(enrolment.per_second, since_last=since_last, waiting=waiting)
    if size == 0:
        note = f"waits until Temporal has started {waiting:,} others"
        enrolment = await _keep(connection, enrolment, note=note)
    else:
        enrolment = await _enter(connection, enrolment, scenario, size=size, now=now)
    if enrolment.status == "done":
        return _progress(enrolment, next_at=None)
    return _progress(enrolment, next_at=now + rest(enrolment.per_second))


async def _enter(
    connection: Connection,
    enrolment: Enrolment,
    scenario: Scenario,
    *,
    size: int,
    now: datetime,
) -> Enrolment:
    ref = enrolment.ref
    page = await all_rows(
        _sql.next_page(
            connection,
            **_members_of(enrolment, now),
            scenario=ref.scenario,
            look=MEMBERS_PER_PAGE,
            size=size,
        )
    )
    people = [row["friend"] for row in page if not row["had_entered"]]
    await friends.meet_many(connection, ref.channel, people, now=now)
    # A statement of its own: it sees what others did to these friends before they were locked.
    came = await _sql.enter(
        connection,
        channel=ref.channel,
        audience=enrolment.audience,
        scenario=ref.scenario,
        version=ref.version,
        friends=people,
        why=f"is in {enrolment.audience}: enrolled",
        exit_audiences=[exit_.audience for exit_ in scenario.exit],
        exit_changes=[exit_.on for exit_ in scenario.exit],
        now=now,
    )
    was_last = len(people) < size and len(page) < MEMBERS_PER_PAGE
    since_last = enrolment.since_last(now)
    return await _keep(
        connection,
        enrolment,
        status="done" if was_last else "running",
        finished_at=now if was_last else None,
        cursor=page[-1]["friend"] if page else enrolment.cursor,
        entered=came["entered"],
        had_entered=len(page) - len(people) + came["following"] - came["entered"],
        blocked=came["blocked"],
        rate=recent_rate(enrolment.rate, len(page), since_last),
        page_at=now,
    )


async def _keep(connection: Connection, enrolment: Enrolment, **came: Any) -> Enrolment:
    """Write a page's result; what is not given stays."""
    defaults = {
        "status": enrolment.status,
        "because": None,
        "note": "",
        "cursor": enrolment.cursor,
        "entered": 0,
        "had_entered": 0,
        "blocked": 0,
        "too_late": 0,
        "rate": enrolment.rate,
        "page_at": enrolment.page_at,
        "finished_at": None,
    }
    row = await _sql.keep(connection, id=enrolment.ref.enrolment_id, **{**defaults, **came})
    return Enrolment.from_row(row)


async def _set_status(
    connection: Connection,
    enrolment_id: int,
    status: EnrolmentStatus,
    *,
    because: str | None = None,
    finished_at: datetime | None = None,
) -> Enrolment:
    await _lock_unfinished(connection, enrolment_id)
    row = await _sql.set_status(
        connection, id=enrolment_id, status=status, because=because, finished_at=finished_at
    )
    return Enrolment.from_row(row)


async def _lock_unfinished(connection: Connection, enrolment_id: int) -> None:
    row = _found(await _sql.lock(connection, id=enrolment_id), enrolment_id)
    if row["finished_at"] is not None:
        why = f" ({row['because']})" if row["because"] else ""
        raise Invalid(
            f"enrolment {enrolment_id} is over: it was {row['status']}{why}; "
            "publish a changed version of the scenario to begin another"
        )


def _found(row: asyncpg.Record | None, enrolment_id: int) -> asyncpg.Record:
    if row is None:
        raise NotFound(f"enrolment {enrolment_id} does not exist; GET /api/enrolments lists them")
    return row


def _members_of(enrolment: Enrolment, now: datetime) -> dict[str, Any]:
    """The members who were not looked at yet, as queries take it."""
    return {
        "channel": enrolment.ref.channel,
        "audience": enrolment.audience,
        "cursor": enrolment.cursor,
        "now": now,
    }


def _progress(enrolment: Enrolment, *, next_at: datetime | None) -> Progress:
    return Progress(status=enrolment.status, said=enrolment.summary, next_at=next_at)
