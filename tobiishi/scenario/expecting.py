"""Expecting: which messages those who are under way come to, and in which hours; pure functions.

Friends at the same place are walked on together, as a number that may be a fraction: at a branch,
and at a wait for an audience, they part by the shares in which friends took its ways so far. Those
who come to the same step in the same hour are walked on as one from there, so that the work grows
with the steps and the hours, and not with the friends.

Friends who enter from now on are not in it, and nobody is expected to leave early.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

from tobiishi.plan import Action, Plan
from tobiishi.scenario.model import Scenario
from tobiishi.scenario.planning import (
    plan_after,
    plan_to_wait,
    plan_way,
    room_to_spread,
    send_at,
    step_at,
    ways_at,
    when_to_send,
)

#: A step is taken a moment after it is due: at 10:00:01, and `at: "10:00"` is tomorrow from there.
_MOMENT = timedelta(seconds=1)

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)

#: What is left of a sum of fractions that should be none.
_NOBODY = 1e-9

#: The stages of a wait for an audience: the latter are its ways, each one more.
_BEGINS, _IN_TIME, _TOO_LATE = 0, 1, 2

#: How many friends took each way at a step.
WaysTaken: TypeAlias = Mapping[int | None, int]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Friends under way in one version of a scenario whose next step is the same, and due then."""

    #: As in their plans.
    action: Action
    step: str
    due: datetime
    friends: float
    #: A moment of the day on which they entered; only a wait for `days_after_start` asks for it.
    started_at: datetime
    #: Whether a hold of their own keeps their sends waiting.
    held: bool = False


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """Sends of a message in an hour."""

    #: The beginning of the hour.
    hour: datetime
    #: The message's name.
    message: str
    #: Whether friends wait for exactly this message; others are further up, and may yet get it.
    confirmed: bool
    #: Whether a hold of these friends' own keeps it waiting.
    held: bool = False


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What friends under way in one version of a scenario come to."""

    #: How many friends get it.
    sends: dict[Foreseen, float]
    #: The steps at which they part, and the share of each way.
    splits: dict[str, dict[int | None, float]]


def hour_of(moment: datetime, zone: ZoneInfo) -> datetime:
    """The beginning (UTC) of the hour in which it is by the zone's clock."""
    local = moment.astimezone(zone)
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return moment.astimezone(UTC) - into


def shares_of(ways: Iterable[int | None], taken: WaysTaken) -> dict[int | None, float]:
    """The share of each way, by how many took it; equal ones where nobody came by yet."""
    ways = tuple(ways)
    everybody = sum(taken.get(way, 0) for way in ways)
    if not everybody:
        return {way: 1 / len(ways) for way in ways}
    return {way: taken.get(way, 0) / everybody for way in ways}


def asks_the_same(one: Scenario, other: Scenario, step: str) -> bool:
    """Whether friends part there by the same question in both, so that the shares are of both."""
    try:
        here, there = step_at(one, step), step_at(other, step)
    except LookupError:
        return False
    if here.wait_for and there.wait_for:
        return here.wait_for.audience == there.wait_for.audience
    conditions = [[case.when for case in each.branch or ()] for each in (here, there)]
    return conditions[0] == conditions[1] != []


def walk_on(
    scenario: Scenario,
    groups: Iterable[Group],
    taken: Mapping[str, WaysTaken],
    *,
    now: datetime,
    until: datetime,
    zone: ZoneInfo,
    held_until: datetime | None = None,
) -> Outlook:
    """What the groups get from now until then, in hours of the zone's clock.

    `taken` has, by step, how many took each of its ways. Until `held_until` all sends wait.
    """
    walk = _Walk(scenario, taken, now=now, until=until, zone=zone, held_until=held_until)
    for group in groups:
        walk.begin(group)
    walk.to_the_end()
    return Outlook(sends=dict(walk.sends), splits=walk.splits)


@dataclass(frozen=True, order=True)
class _Place:
    """Where friends are together: ordered as they come by, each before all that follow from it."""

    hour: datetime
    path: tuple[int, ...]
    #: Of a wait for an audience: it begins, or it is over, in time or too late.
    stage: int
    #: Of those who are due in one and the same minute; -1: they are somewhere in the hour.
    minute: int
    started_at: datetime
    action: Action = field(compare=False)
    step: str = field(compare=False)


@dataclass
class _Crowd:
    """How many friends are at a place, and how far into the hour on the average."""

    friends: float = 0
    #: Summed over the friends.
    into: timedelta = timedelta(0)


class _Walk:
    def __init__(
        self,
        scenario: Scenario,
        taken: Mapping[str, WaysTaken],
        *,
        now: datetime,
        until: datetime,
        zone: ZoneInfo,
        held_until: datetime | None,
    ) -> None:
        self.scenario = scenario
        self.taken = taken
        self.now = now
        self.until = until
        self.zone = zone
        #: What the hours of the walk are counted from: they are all of the same length, while a
        #: clock that is set back by half an hour has one that is not.
        self.first_hour = hour_of(now, zone)
        self.held_until = held_until
        self.sends: defaultdict[Foreseen, float] = defaultdict(float)
        self.splits: dict[str, dict[int | None, float]] = {}
        self._crowds: dict[_Place, _Crowd] = {}
        self._places: list[_Place] = []
        #: Of each wait for an audience, how many friends an hour join, in the hour that was walked
        #: through last, and by how many more or fewer from a later hour on.
        self._joining: defaultdict[tuple[str, datetime], float] = defaultdict(float)
        self._changes: defaultdict[tuple[str, datetime], list[tuple[datetime, float]]]
        self._changes = defaultdict(list)

    def begin(self, group: Group) -> None:
        """Begin with friends who are there now."""
        due = max(group.due, self.now)
        if group.action is Action.LOOK:
            self._wait(group.step, self.now, due, group.started_at, group.friends)
        elif group.action is not Action.SEND:
            self._come(group.action, group.step, due, group.started_at, group.friends)
        elif due < self.until:
            self._send(group.step, group.due, group.started_at, group.friends, group=group)

    def to_the_end(self) -> None:
        """Walk on until nobody is left before the end of the time that is looked at."""
        while self._places:
            place = heapq.heappop(self._places)
            crowd = self._crowds.pop(place)
            if place.stage == _IN_TIME:
                self._join(place, crowd)
            if crowd.friends:
                into = timedelta(minutes=place.minute)
                if place.minute < 0:
                    into = crowd.into / crowd.friends
                self._pass(place, place.hour + into, crowd.friends)

    def _pass(self, place: _Place, at: datetime, friends: float) -> None:
        """Take the step of those who are at the place then."""
        step, started_at, then = place.step, place.started_at, at + _MOMENT
        match place.action:
            case Action.SEND:
                self._send(step, at, started_at, friends)
            case Action.TAG:
                plan = plan_after(self.scenario, step, started_at=started_at, now=then)
                self._go_on(plan, then, started_at, friends)
            case Action.BRANCH:
                for way, share in self._shares(step).items():
                    self._take(step, way, then, started_at, friends * share)
            case Action.WATCH:
                later = plan_to_wait(self.scenario, step, started_at=started_at, now=then)
                self._wait(step, then, later.due, started_at, friends)
            case Action.LOOK:
                self._take(step, place.stage - _IN_TIME, then, started_at, friends)

    def _send(
        self,
        step: str,
        due: datetime,
        started_at: datetime,
        friends: float,
        *,
        group: Group | None = None,
    ) -> None:
        """Send the message that is due then to them; to a group that waits for just this."""
        send = send_at(self.scenario, step)
        at = max(due, self.now, self.held_until or self.now)
        plan = Plan(action=Action.SEND, step=step, due=due, until="", label="")
        when = when_to_send(self.scenario, send, plan, at)
        if isinstance(when, Plan):
            at = when.due
        if when != "never" and at < self.until:
            foreseen = Foreseen(
                hour=hour_of(at, self.zone),
                message=send.name,
                confirmed=group is not None,
                held=group is not None and group.held,
            )
            self.sends[foreseen] += friends
        then = at + _MOMENT
        plan = plan_after(self.scenario, step, started_at=started_at, now=then)
        self._go_on(plan, then, started_at, friends)

    def _take(
        self, step: str, way: int | None, at: datetime, started_at: datetime, friends: float
    ) -> None:
        if friends:
            plan = plan_way(self.scenario, step, way, started_at=started_at, now=at)
            self._go_on(plan, at, started_at, friends)

    def _wait(
        self, step: str, since: datetime, due: datetime, started_at: datetime, friends: float
    ) -> None:
        """Wait for an audience: those who join in time do so at any moment of it.

        Thousands may wait for weeks, and so the whole hours of it are kept as a rate.
        """
        in_time, too_late = (friends * share for share in self._shares(step).values())
        self._come(Action.LOOK, step, due, started_at, too_late, stage=_TOO_LATE)
        first, last = self._hour(since) + _HOUR, self._hour(due)
        if since >= due or last < first:
            self._come(
                Action.LOOK, step, since + (due - since) / 2, started_at, in_time, stage=_IN_TIME
            )
            return
        an_hour = in_time * (_HOUR / (due - since))
        for start, end in ((since, first), (last, due)):
            joining = an_hour * ((end - start) / _HOUR)
            middle = start + (end - start) / 2
            self._come(Action.LOOK, step, middle, started_at, joining, stage=_IN_TIME)
        if first < min(last, self.until) and an_hour:
            changes = self._changes[step, started_at]
            heapq.heappush(changes, (first, an_hour))
            heapq.heappush(changes, (last, -an_hour))
            self._crowd(Action.LOOK, step, first, started_at, stage=_IN_TIME)

    def _join(self, place: _Place, crowd: _Crowd) -> None:
        """Add those who join what they wait for in this hour, and go on waiting in the next."""
        key = place.step, place.started_at
        changes, rate = self._changes[key], self._joining[key]
        while changes and changes[0][0] <= place.hour:
            rate += heapq.heappop(changes)[1]
        self._joining[key] = rate = rate if rate > _NOBODY else 0
        crowd.friends += rate
        crowd.into += _HOUR / 2 * rate
        next_hour = place.hour + _HOUR
        if rate and next_hour < self.until:
            self._crowd(Action.LOOK, place.step, next_hour, place.started_at, stage=_IN_TIME)

    def _go_on(self, plan: Plan, now: datetime, started_at: datetime, friends: float) -> None:
        """Come to what the plan has next, spread out where the scenario wants that."""
        last = plan.due + room_to_spread(self.scenario, plan, now=now)
        for moment, share in self._evenly(plan.due, last):
            self._come(plan.action, plan.step, moment, started_at, friends * share)

    def _come(
        self,
        action: Action,
        step: str,
        at: datetime,
        started_at: datetime,
        friends: float,
        *,
        stage: int = _BEGINS,
    ) -> None:
        if action is Action.END or at >= self.until or not friends:
            return
        hour = self._hour(at)
        # Friends join an audience at any moment, be it a full minute or not.
        is_shared = stage != _IN_TIME and not (at.second or at.microsecond)
        minute = (at - hour) // _MINUTE if is_shared else -1
        crowd = self._crowd(action, step, hour, started_at, stage=stage, minute=minute)
        crowd.friends += friends
        crowd.into += (at - hour) * friends

    def _crowd(
        self,
        action: Action,
        step: str,
        hour: datetime,
        started_at: datetime,
        *,
        stage: int,
        minute: int = -1,
    ) -> _Crowd:
        """Those who are at the place then, who may be nobody yet."""
        place = _Place(
            hour=hour,
            path=_path(step),
            stage=stage,
            minute=minute,
            started_at=started_at,
            action=action,
            step=step,
        )
        if place not in self._crowds:
            self._crowds[place] = _Crowd()
            heapq.heappush(self._places, place)
        return self._crowds[place]

    def _evenly(self, first: datetime, last: datetime) -> Iterator[tuple[datetime, float]]:
        """Moments of those who come at any time from the first to the last, while it is looked at.

        One for each hour, the middle of what of it is in that time, each with its share of them.
        """
        if first >= last:
            yield first, 1.0
            return
        start = first
        while start < min(last, self.until):
            end = min(self._hour(start) + _HOUR, last)
            yield start + (end - start) / 2, (end - start) / (last - first)
            start = end

    def _hour(self, moment: datetime) -> datetime:
        return self.first_hour + (moment - self.first_hour) // _HOUR * _HOUR

    def _shares(self, step: str) -> dict[int | None, float]:
        if step not in self.splits:
            self.splits[step] = shares_of(ways_at(self.scenario, step), self.taken.get(step, {}))
        return self.splits[step]


@lru_cache(maxsize=10_000)
def _path(step: str) -> tuple[int, ...]:
    return tuple(int(index) for index in step.split("."))
