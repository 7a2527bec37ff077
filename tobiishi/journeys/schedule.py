"""The schedule: what goes out in the next days, from where everybody is.

The database counts the friends at each place; what they come to from there is walked on once for
each of these groups (`tobiishi.scenario.expecting`), and not once for each friend.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone
from itertools import accumulate
from zoneinfo import ZoneInfo

import asyncpg

from tobiishi.channels import holds, quotas
from tobiishi.channels.holds import Hold
from tobiishi.channels.quotas import Quota
from tobiishi.database import Connection, all_rows, queries
from tobiishi.plan import Action
from tobiishi.publishing.versions import Versions
from tobiishi.scenario import Scenario, send_at
from tobiishi.scenario.expecting import Group, Outlook, asks_the_same, walk_on

_sql = queries("schedule")

#: Friends of a scenario whose ways are counted for its shares.
MOST_COUNTED = 2000
#: Friends who are listed as getting several messages within an hour.
MOST_LISTED = 100
#: The entry of those of whom no wait asks for it: the same one, so that they are walked on as one.
_ANY_DAY = datetime(2000, 1, 1, tzinfo=UTC)
#: LINE counts months in Japan.
_JAPAN = timezone(timedelta(hours=9))


@dataclass(frozen=True, kw_only=True)
class Line:
    """How many get one message of one scenario in one hour."""

    #: The beginning of the hour.
    hour: datetime
    scenario: str
    title: str
    message: str
    #: Friends who wait for exactly this message.
    confirmed: int
    #: Friends further up the tree who come to it, by the shares so far.
    expected: int
    #: Those of the confirmed whose send a hold keeps waiting.
    held: int


@dataclass(frozen=True, kw_only=True)
class Split:
    """Where friends part on their way, and by which shares they were counted."""

    scenario: Scenario
    version: int
    step: str
    #: How many took a way there so far; where none, the shares are equal.
    friends: int
    #: By way, as `plan_way` takes it.
    shares: Mapping[int | None, float]


@dataclass(frozen=True, kw_only=True)
class Month:
    """What the schedule takes of one month's messages."""

    #: The first moment of it (LINE's, in Japan).
    begins: datetime
    #: None where there is no limit.
    monthly: int | None
    used: int
    left: int | None
    confirmed: int
    expected: int
    #: The hour in which it has taken all that is left; None where enough is left.
    runs_out: datetime | None


@dataclass(frozen=True, kw_only=True)
class CloseSend:
    """One of the messages that a friend gets within an hour."""

    at: datetime
    scenario: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Crowded:
    """A friend who gets several messages within an hour."""

    friend: str
    display_name: str | None
    sends: list[CloseSend]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What goes out from now until then."""

    since: datetime
    until: datetime
    lines: list[Line]
    splits: list[Split]
    #: What holds sends of the channel or of a scenario back; what holds single friends is left out.
    holds: list[Hold]
    #: Journeys whose next step is not known yet; what they send is not in it.
    not_known: int
    #: LINE's months, from this one on; none where LINE has not told the quota yet.
    months: list[Month]
    #: How many friends get several messages within an hour, and the first of them.
    crowded_count: int
    crowded: list[Crowded]


@dataclass(frozen=True, kw_only=True)
class _Walked:
    """The outlook of those under way in one version."""

    scenario: Scenario
    version: int
    outlook: Outlook
    #: By step, how many took each of its ways.
    taken: Mapping[str, Mapping[int | None, int]]
    #: Whether a hold keeps all sends of the scenario waiting.
    is_held: bool


async def schedule(
    connection: Connection,
    versions: Versions,
    channel: str,
    *,
    now: datetime,
    days: int,
    zone: ZoneInfo,
    only: str | None = None,
) -> Schedule:
    """The schedule of the channel for so many days, in hours of that zone's clock.

    `only` is the one scenario that is asked for, where one is.
    """
    until = now + timedelta(days=days)
    held = await holds.all_of(connection, channel, at=now)
    walked, not_known = await _walk_all(
        connection, versions, channel, held, now=now, until=until, zone=zone, only=only
    )
    lines = lines_of(walked)
    quota = await quotas.get(connection, channel, at=now)
    count, crowded = await _crowded(connection, versions, channel, now=now, until=until, only=only)
    return Schedule(
        since=now,
        until=until,
        lines=lines,
        splits=[split for each in walked for split in _splits_of(each)],
        holds=[
            hold
            for hold in held
            if hold.scope == "channel" or (hold.scope == "scenario" and only in (None, hold.name))
        ],
        not_known=not_known,
        months=months_of(lines, quota, now=now, until=until) if quota else [],
        crowded_count=count,
        crowded=crowded,
    )


async def _walk_all(
    connection: Connection,
    versions: Versions,
    channel: str,
    held: Sequence[Hold],
    *,
    now: datetime,
    until: datetime,
    zone: ZoneInfo,
    only: str | None,
) -> tuple[list[_Walked], int]:
    """The outlook of each version under way, and of how many the next step is not known."""
    found = await all_rows(_sql.versions_under_way(connection, channel=channel, scenario=only))
    scenarios = {
        (row["scenario"], row["version"]): (
            await versions.get(connection, channel, row["scenario"], row["version"])
        ).scenario
        for row in found
    }
    groups = await _groups(connection, channel, scenarios, held, until=until, zone=zone, only=only)
    taken = await _ways_taken(connection, versions, channel, scenarios)

    def walk(name: str, version: int) -> _Walked:
        scenario = scenarios[name, version]
        by = [hold for hold in held if (hold.scope, hold.name) in _holding(name)]
        outlook = walk_on(
            scenario,
            groups.get((name, version), []),
            taken[name, version],
            now=now,
            until=until,
            zone=zone,
            held_until=_end_of(by),
        )
        return _Walked(
            scenario=scenario,
            version=version,
            outlook=outlook,
            taken=taken[name, version],
            is_held=bool(by),
        )

    # In a thread: for many it takes a second, in which the starter must answer others.
    walked = [await asyncio.to_thread(walk, *key) for key in scenarios]
    return walked, sum(row["not_known"] for row in found)


def _holding(scenario: str) -> tuple[tuple[str, str], ...]:
    """The scopes and names of the holds that keep all sends of the scenario waiting."""
    return ("channel", ""), ("scenario", scenario)


def _end_of(by: Sequence[Hold]) -> datetime | None:
    """When all of these holds are over; None where somebody has to end one, or there is none."""
    ends = [hold.until for hold in by if hold.until is not None]
    return max(ends) if ends and len(ends) == len(by) else None


async def _groups(
    connection: Connection,
    channel: str,
    scenarios: Mapping[tuple[str, int], Scenario],
    held: Sequence[Hold],
    *,
    until: datetime,
    zone: ZoneInfo,
    only: str | None,
) -> dict[tuple[str, int], list[Group]]:
    """The friends under way, by scenario and version and in groups of those at the same place."""
    counted = {key: each for key, each in scenarios.items() if _counts_days(each)}
    rows = _sql.groups(
        connection,
        channel=channel,
        scenario=only,
        until=until,
        timezone=zone.key,
        held_friends=[hold.name for hold in held if hold.scope == "friend"],
        scenarios=[name for name, _ in counted],
        versions=[version for _, version in counted],
        timezones=[each.timezone for each in counted.values()],
    )
    groups = defaultdict(list)
    for row in await all_rows(rows):
        key = row["scenario"], row["version"]
        groups[key].append(_group(row, scenarios[key]))
    return groups


def _counts_days(scenario: Scenario) -> bool:
    """Whether one of its waits counts days from the entry."""
    waits = (
        step.wait or (step.wait_for.up_to if step.wait_for else None) for _, step in scenario.walk()
    )
    return any(wait is not None and wait.days_after_start is not None for wait in waits)


def _group(row: asyncpg.Record, scenario: Scenario) -> Group:
    started_at = _ANY_DAY
    if row["entered_on"] is not None:
        noon = datetime.combine(row["entered_on"], time(12), ZoneInfo(scenario.timezone))
        started_at = noon.astimezone(UTC)
    return Group(
        action=Action(row["next_action"]),
        step=row["next_step"],
        due=row["due"],
        friends=row["friends"],
        started_at=started_at,
        held=row["held"],
    )


async def _ways_taken(
    connection: Connection,
    versions: Versions,
    channel: str,
    scenarios: Mapping[tuple[str, int], Scenario],
) -> dict[tuple[str, int], dict[str, dict[int | None, int]]]:
    """How many took each way, by version and step; of all versions that ask the same there."""
    names = sorted({name for (name, _), scenario in scenarios.items() if _parts(scenario)})
    rows = await all_rows(
        _sql.ways_taken(connection, channel=channel, scenarios=names, most=MOST_COUNTED)
    )
    taken: dict[tuple[str, int], dict[str, dict[int | None, int]]] = {key: {} for key in scenarios}
    for row in rows:
        name, step = row["scenario"], row["step"]
        way = None if row["way"] is None else int(row["way"])
        source = await versions.get(connection, channel, name, row["version"])
        for key, scenario in scenarios.items():
            if key[0] == name and asks_the_same(scenario, source.scenario, step):
                ways = taken[key].setdefault(step, {})
                ways[way] = ways.get(way, 0) + row["friends"]
    return taken


def _parts(scenario: Scenario) -> bool:
    """Whether friends part anywhere in it."""
    return any(step.branch or step.wait_for for _, step in scenario.walk())


def _splits_of(walked: _Walked) -> list[Split]:
    return [
        Split(
            scenario=walked.scenario,
            version=walked.version,
            step=step,
            friends=sum(walked.taken.get(step, {}).get(way, 0) for way in shares),
            shares=shares,
        )
        for step, shares in sorted(walked.outlook.splits.items())
    ]


def lines_of(walked: Iterable[_Walked]) -> list[Line]:
    """The lines of all versions together, in order; what is expected is in whole numbers.

    They add up: all of it to the whole that is nearest, and each message's to its part of that.
    """
    titles: dict[str, str] = {}
    confirmed: defaultdict[tuple[datetime, str, str], int] = defaultdict(int)
    held: defaultdict[tuple[datetime, str, str], int] = defaultdict(int)
    expected: defaultdict[tuple[str, str], dict[datetime, float]] = defaultdict(dict)
    for each in walked:
        name = each.scenario.scenario
        titles[name] = each.scenario.title  # The newest version's: it comes last.
        for foreseen, friends in each.outlook.sends.items():
            if foreseen.confirmed:
                key = foreseen.hour, name, foreseen.message
                confirmed[key] += round(friends)
                held[key] += round(friends) if each.is_held or foreseen.held else 0
            else:
                hours = expected[name, foreseen.message]
                hours[foreseen.hour] = hours.get(foreseen.hour, 0) + friends
    whole = _whole(expected)
    return [
        Line(
            hour=hour,
            scenario=name,
            title=titles[name],
            message=message,
            confirmed=confirmed.get((hour, name, message), 0),
            expected=whole.get((hour, name, message), 0),
            held=held.get((hour, name, message), 0),
        )
        for hour, name, message in sorted({*confirmed, *whole})
    ]


def _whole(
    expected: Mapping[tuple[str, str], Mapping[datetime, float]],
) -> dict[tuple[datetime, str, str], int]:
    """The expected sends in whole numbers, without those hours that come to none."""
    totals = rounded([sum(hours.values()) for hours in expected.values()])
    whole: dict[tuple[datetime, str, str], int] = {}
    for ((name, message), hours), total in zip(expected.items(), totals, strict=True):
        ordered = sorted(hours)
        shares = rounded_in_turn([hours[hour] for hour in ordered], total)
        whole |= {
            (hour, name, message): friends
            for hour, friends in zip(ordered, shares, strict=True)
            if friends
        }
    return whole


def rounded(amounts: Sequence[float]) -> list[int]:
    """The amounts in whole numbers that add up to the nearest whole of their sum.

    Of those that are cut, the ones that lose the most get what is left.
    """
    whole = [int(amount) for amount in amounts]
    left = round(sum(amounts)) - sum(whole)
    losses = sorted(range(len(amounts)), key=lambda each: whole[each] - amounts[each])
    for index in losses[:left]:
        whole[index] += 1
    return whole


def rounded_in_turn(amounts: Sequence[float], total: int) -> list[int]:
    """The amounts in whole numbers that add up to `total`, and to nearly as much at any moment."""
    everything = sum(amounts)
    sums = [round(so_far / everything * total) for so_far in accumulate(amounts)]
    return [so_far - before for before, so_far in zip([0, *sums], sums, strict=False)]


def months_of(
    lines: Sequence[Line], quota: Quota, *, now: datetime, until: datetime
) -> list[Month]:
    """What the lines take of each of LINE's months; a month to come has all of its messages."""
    months = []
    begins = _month_of(now)
    while begins < until:
        ends = holds.month_turns(max(begins, now))
        is_this = begins <= now
        left = quota.left if is_this else quota.monthly
        within = [line for line in lines if (is_this or begins <= line.hour) and line.hour < ends]
        months.append(
            Month(
                begins=begins,
                monthly=quota.monthly,
                used=quota.used if is_this else 0,
                left=left,
                confirmed=sum(line.confirmed for line in within),
                expected=sum(line.expected for line in within),
                runs_out=None if left is None else _runs_out(within, left),
            )
        )
        begins = ends
    return months


def _month_of(moment: datetime) -> datetime:
    local = moment.astimezone(_JAPAN)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _runs_out(lines: Sequence[Line], left: int) -> datetime | None:
    """The hour in which the lines have taken more than is left."""
    taken = accumulate(line.confirmed + line.expected for line in lines)
    return next((line.hour for line, sum_ in zip(lines, taken, strict=True) if sum_ > left), None)


async def _crowded(
    connection: Connection,
    versions: Versions,
    channel: str,
    *,
    now: datetime,
    until: datetime,
    only: str | None,
) -> tuple[int, list[Crowded]]:
    """How many friends get several messages within an hour for certain, and the first of them."""
    rows = await all_rows(
        _sql.close_together(
            connection, channel=channel, now=now, until=until, scenario=only, most=MOST_LISTED
        )
    )
    crowded = []
    for row in rows:
        sends = []
        for at, name, number, step in zip(
            row["dues"], row["scenarios"], row["versions"], row["steps"], strict=True
        ):
            version = await versions.get(connection, channel, name, number)
            message = send_at(version.scenario, step).name
            sends.append(CloseSend(at=at, scenario=name, message=message))
        crowded.append(Crowded(friend=row["friend"], display_name=row["display_name"], sends=sends))
    return rows[0]["friends"] if rows else 0, crowded
