"""Defining audiences: what makes a friend a member, and who is one from the beginning.

A new audience is filled with all who meet its rule by what is known already. A combined one is
brought in line by the relay with each change of its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import Invalid
from tobiishi.people import audiences, friends
from tobiishi.people.audiences import Audience
from tobiishi.scenario import FriendFacts, evaluate
from tobiishi.scenario.parts import Condition
from tobiishi.scenario.rules import (
    CameBy,
    Clicked,
    Combined,
    Definition,
    DidOnSite,
    Saw,
    Tagged,
    Uploaded,
)

_sql = queries("audiences")

#: How many people of a combined audience are looked at together.
_PAGE_SIZE = 2000


async def put(
    connection: Connection,
    channel: str,
    audience: str,
    definition: Definition,
    *,
    timezone: str,
    at: datetime,
) -> Audience:
    """Make the audience, or change it; who meets its rule is a member at once.

    `timezone` is that of its ages. Raises `Invalid` where it asks about an audience that does not
    exist or about itself, and where members were listed by hand who would be lost. To be called
    in a transaction.
    """
    try:
        rule = definition.rule
    except ValueError as error:
        raise Invalid(str(error)) from None
    parts = parts_of(definition)
    await _sql.lock_defining(connection, channel=channel)
    await audiences.report_changes_of(connection, channel, sorted(parts))
    # Its uploads under way are waited for first: all other audiences go on meanwhile.
    await _sql.lock(connection, channel=channel, audience=audience)
    await _sql.lock_definitions(connection, channel=channel)
    await _refuse_unknown(connection, channel, audience, parts)
    await _refuse_circles(connection, channel, audience, parts)
    row = await _sql.get(connection, channel=channel, audience=audience)
    former = Audience.from_row(row) if row else None
    unchanged = former is not None and (former.kind, former.rule) == (definition.kind, rule)
    if former and former.members and not unchanged and _is_listed(former):
        raise Invalid(
            f"audience {audience!r} is of kind {former.kind!r} and has members; "
            "empty it first, or make one of another name"
        )
    await _sql.put(
        connection,
        channel=channel,
        audience=audience,
        title=definition.title or audience,
        kind=definition.kind,
        rule=rule,
        parts=sorted(parts),
        asks_of_friend=isinstance(definition, Combined) and definition.when.asks_of_friend(),
    )
    if not unchanged:
        await _fill(connection, channel, audience, definition, timezone=timezone, at=at)
    return await audiences.get(connection, channel, audience)


def parts_of(definition: Definition) -> frozenset[str]:
    """The audiences that it asks about."""
    return definition.when.audiences() if isinstance(definition, Combined) else frozenset()


async def add_missing(
    connection: Connection,
    channel: str,
    names: Iterable[str],
    definitions: Mapping[str, Definition],
    *,
    reported: Iterable[str],
    timezone: str,
    at: datetime,
) -> list[str]:
    """Make the named audiences that don't exist yet, and tell which of them nobody defined.

    An audience that exists stays as it is: raises `Invalid` where it is defined otherwise. The
    changes of those in `reported` are recorded from now on.
    """
    await _sql.lock_defining(connection, channel=channel)
    named, made, locked = sorted(names), set[str](), 0
    while locked < len(named):  # One that was being deleted is gone now: it is made anew.
        rows = await all_rows(_sql.add_missing(connection, channel=channel, names=named))
        made.update(row["audience"] for row in rows)
        # From here on none is deleted until the scenario that names them is there.
        locked = len(await all_rows(_sql.rely_on_all(connection, channel=channel, names=named)))
    asked_about = frozenset[str]().union(*map(parts_of, definitions.values()))
    await audiences.report_changes_of(connection, channel, sorted(asked_about.union(reported)))
    for name, definition in definitions.items():
        if name in made:
            await put(connection, channel, name, definition, timezone=timezone, at=at)
            continue
        known = await audiences.get(connection, channel, name)
        if (known.kind, known.rule) != (definition.kind, definition.rule):
            raise Invalid(
                f"audiences.{name}: an audience of this name exists and is another one "
                f"({known.kind} {known.rule}); give this one another name, or leave it out here "
                f"and change that one by PUT /api/audiences/{name}"
            )
    return sorted(made.difference(definitions))


async def update_combined(
    connection: Connection,
    channel: str,
    friend: str,
    audience: str,
    *,
    timezone: str,
    at: datetime,
) -> None:
    """Bring the combined audiences in line that ask about this one; with `""`, all of them."""
    await audiences.rely_on_definitions(connection, channel)
    for row in await all_rows(_sql.combined_of(connection, channel=channel, audience=audience)):
        condition = Combined.model_validate({"kind": "combined", **row["rule"]}).when
        people = await _who_meet(connection, channel, condition, [friend], timezone=timezone, at=at)
        change, reason = audiences.leave, "does not meet its condition any more"
        if people:
            change, reason = audiences.join, "meets its condition"
        if audience:
            reason += f", by {audience}"
        await change(connection, channel, row["audience"], [friend], at=at, reason=reason)


async def _fill(
    connection: Connection,
    channel: str,
    audience: str,
    definition: Definition,
    *,
    timezone: str,
    at: datetime,
) -> None:
    """Have those in, and no others, who meet the rule by what is known already."""
    reason, found = "met its rule when it was made", dict[str, datetime | None]()
    match definition:
        case Tagged(tag=tag):
            reason = f"tag {tag}"
            rows = await all_rows(_sql.carriers_of_tag(connection, channel=channel, tag=tag))
            found = dict.fromkeys(row["friend"] for row in rows)
        case CameBy(route=route):
            reason = f"added by route {route}"
            rows = await all_rows(_sql.added_by_route(connection, channel=channel, route=route))
            found = dict.fromkeys(row["friend"] for row in rows)
        case Clicked() | Saw() | DidOnSite():
            rows = await all_rows(
                _sql.seen_in_events(
                    connection, channel=channel, kind=definition.kind, rule=definition.rule
                )
            )
            found = {
                row["friend"]: row["expires_at"]
                for row in rows
                if row["expires_at"] is None or row["expires_at"] > at
            }
        case Combined(when=condition):
            after = ""
            while page := await _people(connection, channel, condition, after):
                after = page[-1]
                met = await _who_meet(
                    connection, channel, condition, page, timezone=timezone, at=at
                )
                found |= dict.fromkeys(met)
        case Uploaded():
            pass
    out = [
        row["friend"]
        async for row in _sql.others(
            connection, channel=channel, audience=audience, friends=list(found)
        )
    ]
    await audiences.leave(
        connection, channel, audience, out, at=at, reason="does not meet its new rule"
    )
    await audiences.join(
        connection,
        channel,
        audience,
        list(found),
        at=at,
        reason=reason,
        expires=list(found.values()),
    )


async def _people(
    connection: Connection, channel: str, condition: Condition, after: str
) -> list[str]:
    rows = await all_rows(
        _sql.who_may_be_in(
            connection,
            channel=channel,
            parts=sorted(condition.audiences()),
            after=after,
            limit=_PAGE_SIZE,
        )
    )
    return [row["friend"] for row in rows]


async def _who_meet(
    connection: Connection,
    channel: str,
    condition: Condition,
    people: list[str],
    *,
    timezone: str,
    at: datetime,
) -> list[str]:
    """Those of the people who meet the condition. Of strangers, only those in one of its parts."""
    today = at.astimezone(ZoneInfo(timezone)).date()
    known = await friends.get_many(connection, channel, people)
    memberships = await audiences.memberships_of_many(
        connection, channel, people, condition.audiences(), at=at
    )
    return [
        friend
        for friend in people
        if (friend in known or friend in memberships)
        and evaluate(condition, _facts(known.get(friend), memberships.get(friend), today))
    ]


def _facts(
    friend: friends.Friend | None, memberships: frozenset[str] | None, today: date
) -> FriendFacts:
    among = memberships or frozenset()
    return friend.facts(among, today) if friend else FriendFacts(audiences=among)


async def _refuse_unknown(
    connection: Connection, channel: str, audience: str, parts: frozenset[str]
) -> None:
    rows = await all_rows(_sql.existing(connection, channel=channel, names=sorted(parts)))
    if missing := parts.difference({audience}, (row["audience"] for row in rows)):
        raise Invalid(
            f"when: there is no audience {', '.join(sorted(missing))}; make it first "
            "(PUT /api/audiences/…), or correct the name"
        )


async def _refuse_circles(
    connection: Connection, channel: str, audience: str, parts: frozenset[str]
) -> None:
    rows = await all_rows(_sql.combined(connection, channel=channel))
    asks = {row["audience"]: frozenset(row["parts"]) for row in rows} | {audience: parts}
    reached, ahead = set[str](), list(parts)
    while ahead:
        name = ahead.pop()
        if name == audience:
            raise Invalid(f"when: audience {audience!r} would ask about itself; take it out")
        if name not in reached:
            reached.add(name)
            ahead += asks.get(name, ())


def _is_listed(audience: Audience) -> bool:
    """Whether its members, or some, were listed by hand."""
    return audience.kind == "upload" or "upload" in audience.rule.get("evidence", ())
