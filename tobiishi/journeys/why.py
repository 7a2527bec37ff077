"""Why a friend got a message, or did not: from the database alone, whatever Temporal forgot."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
from pydantic import TypeAdapter

from tobiishi.channels import holds
from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import NotFound
from tobiishi.journeys.deliveries import Delivery
from tobiishi.journeys.explaining import Paragraph, Question, explain
from tobiishi.journeys.journeys import Journey
from tobiishi.journeys.kept import (
    Adding,
    ComingStep,
    KeptFacts,
    Offered,
    StartRule,
    TrailStep,
    Walked,
)
from tobiishi.journeys.reasons import Titles
from tobiishi.people import friends
from tobiishi.people.audiences import Membership
from tobiishi.people.friends import LONG_AGO, Friend
from tobiishi.plan import Action
from tobiishi.publishing import versions
from tobiishi.publishing.versions import Versions
from tobiishi.scenario import Reentry
from tobiishi.scenario.model import Period, Start

_sql = queries("why")
_reentry: TypeAdapter[Reentry] = TypeAdapter(Reentry)


async def why(
    connection: Connection,
    channel: str,
    friend: str,
    question: Question,
    *,
    known: Versions,
    now: datetime,
) -> tuple[Friend, list[Paragraph]]:
    """Answer the question about a friend, who is returned with it.

    Raises `NotFound` where the friend, the scenario or the message named does not exist.
    """
    person = await friends.get(connection, channel, friend)
    kept = await gather(connection, person, question, known=known, now=now)
    return person, explain(kept, question)


async def gather(
    connection: Connection, person: Friend, question: Question, *, known: Versions, now: datetime
) -> KeptFacts:
    """All that the database keeps for an answer. Raises as `why`."""
    channel, whom = person.channel, {"channel": person.channel, "friend": person.friend}
    walked = await _walked(connection, whom, known)
    last_add = await _sql.last_add(connection, **whom)
    since = await _sql.status_since(connection, **whom)
    audiences = await all_rows(_sql.audience_titles(connection, channel=channel))
    routes = await all_rows(_sql.route_titles(connection, channel=channel))
    adds = await all_rows(_sql.route_adds(connection, **whom))
    pending = await all_rows(_sql.pending_of(connection, **whom))
    joinings = await all_rows(_sql.joinings_in_queue(connection, **whom))
    return KeptFacts(
        friend=person,
        status_since=None if since == LONG_AGO else since,
        now=now,
        titles=Titles(
            audiences={row["audience"]: row["title"] for row in audiences},
            routes={row["route"]: row["title"] for row in routes},
        ),
        walked=walked,
        offered=await _offered(connection, channel, question, walked),
        memberships=await _memberships(connection, whom),
        routes=[(row["followed_at"], row["route"]) for row in adds],
        added=Adding(at=last_add["occurred_at"], unblocked=last_add["unblocked"])
        if last_add
        else None,
        holds=await holds.all_of(connection, channel, at=now),
        pending={row["scenario"]: row["since"] for row in pending},
        joinings={row["audience"]: row["error"] for row in joinings},
    )


async def _walked(connection: Connection, whom: Mapping[str, str], known: Versions) -> list[Walked]:
    rows = await all_rows(_sql.journeys_of(connection, **whom))
    ids = [row["id"] for row in rows]
    trail, deliveries = (
        defaultdict[int, list[TrailStep]](list),
        defaultdict[int, list[Delivery]](list),
    )
    for row in await all_rows(_sql.trail_of(connection, journeys=ids)):
        trail[row["journey_id"]].append(
            TrailStep(
                step=row["step"],
                visit=row["visit"],
                at=row["at"],
                text=row["said"],
                detail=row["detail"],
            )
        )
    for row in await all_rows(_sql.deliveries_of(connection, journeys=ids)):
        deliveries[row["journey_id"]].append(Delivery.from_row(row))
    walked = []
    for row in rows:
        version = await known.get(connection, whom["channel"], row["scenario"], row["version"])
        walked.append(
            Walked(
                journey=Journey.from_row(row),
                scenario=version.scenario,
                trail=trail[row["id"]],
                deliveries=deliveries[row["id"]],
                next_step=_next_step(row),
            )
        )
    return walked


def _next_step(row: asyncpg.Record) -> ComingStep | None:
    if row["ended_at"] is not None or row["next_action"] is None:
        return None
    return ComingStep(action=Action(row["next_action"]), step=row["next_step"], due=row["next_due"])


async def _memberships(
    connection: Connection, whom: Mapping[str, str]
) -> dict[str, list[Membership]]:
    found = defaultdict[str, list[Membership]](list)
    for row in await all_rows(_sql.memberships_of(connection, **whom)):
        times = {name: row[name] for name in Membership.__dataclass_fields__}
        found[row["audience"]].append(Membership(**times))
    return dict(found)


async def _offered(
    connection: Connection, channel: str, question: Question, walked: Sequence[Walked]
) -> list[Offered]:
    """The scenarios that the answer may be about."""
    live = {
        row["scenario"]: row["version"]
        for row in await all_rows(_sql.live_scenarios(connection, channel=channel))
    }
    with_message = dict[str, int]()
    if question.message:
        with_message = await _with_message(connection, channel, question)
        names = list(with_message)
    elif question.scenario:
        await versions.versions_of(connection, channel, question.scenario)
        names = [question.scenario]
    else:
        names = [] if walked else list(live)
    enrolments = {
        row["scenario"]: row["status"]
        for row in await all_rows(_sql.last_enrolments(connection, channel=channel))
    }
    offered = []
    for name in names:
        rows = await all_rows(_sql.start_rules(connection, channel=channel, scenario=name))
        offered.append(
            Offered(
                name=name,
                title=rows[-1]["title"],
                rules=[_rule(row) for row in rows],
                live=live.get(name),
                with_message=with_message.get(name),
                enrolment=enrolments.get(name),
            )
        )
    return offered


async def _with_message(connection: Connection, channel: str, question: Question) -> dict[str, int]:
    """The newest version of each scenario that has the message. Raises `NotFound`."""
    where: dict[str, Any] = {"channel": channel, "scenario": question.scenario}
    if question.scenario:
        await versions.versions_of(connection, channel, question.scenario)
    rows = await all_rows(_sql.with_message(connection, **where, message=question.message))
    if rows:
        return {row["scenario"]: row["version"] for row in rows}
    names = [row["message"] for row in await all_rows(_sql.messages_of(connection, **where))]
    similar = difflib.get_close_matches(question.message or "", names)
    meant = f"; did you mean {' or '.join(similar)}?" if similar else ""
    who = f"no scenario of channel {channel!r} has a"
    if question.scenario:
        who = f"scenario {question.scenario!r} has no"
    raise NotFound(f"{who} message {question.message!r}{meant}")


def _rule(row: asyncpg.Record) -> StartRule:
    return StartRule(
        version=row["version"],
        published_at=row["published_at"],
        start=Start.model_validate(row["start"]),
        period=None if row["period"] is None else Period.model_validate(row["period"]),
        reentry="never" if row["reentry"] is None else _reentry.validate_python(row["reentry"]),
        timezone=row["timezone"],
    )
