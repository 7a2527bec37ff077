"""Walking all the ways: each way through a scenario rehearsed by a persona made to take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tobiishi.plan import Action, Plan
from tobiishi.rehearsal.casting import Casting, cast
from tobiishi.rehearsal.happenings import Happening
from tobiishi.rehearsal.paths import (
    MOST,
    Passed,
    WayThrough,
    count_ways,
    ways_through,
)
from tobiishi.rehearsal.play import Play
from tobiishi.rehearsal.rehearsal import Rehearsal
from tobiishi.rehearsal.stage import Stage
from tobiishi.rehearsal.timeline import WalkedWay, Walkthrough

#: How long before a wait is over, or after it began, a persona changes what they are in.
_MARGIN = timedelta(hours=1)


async def walk(stage: Stage, play: Play, *, most: int = MOST) -> Walkthrough:
    """Rehearse each way, `most` of them. Raises `Invalid` and `RehearsalFailed`."""
    ways = ways_through(play.scenario, most=most)
    walked = [await _walk(stage, play, way) for way in ways]
    return Walkthrough(ways=walked, count=count_ways(play.scenario))


async def _walk(stage: Stage, play: Play, way: WayThrough) -> WalkedWay:
    words = play.words.way(way)
    today = play.start.astimezone(ZoneInfo(play.scenario.timezone)).date()
    casting = cast(play.scenario, way, play.definitions, persona=play.persona, today=today)
    if casting is None:
        return WalkedWay(way=words, timeline=None)
    actor = _Actor(way, casting)
    play = replace(play, persona=casting.persona, happenings=())
    rehearsal = await Rehearsal.begin(stage, play)
    while not rehearsal.is_over:
        await actor.prepare(rehearsal)
        await rehearsal.next()
    gone = {
        entry.step: entry.way for entry in rehearsal.entries if entry.kind in ("branch", "wait_for")
    }
    meant = {step.path: step.way for step in way if step.decides}
    instead = None
    if gone != meant:
        last = rehearsal.entries[-1]
        instead = play.words.instead(last.text)
    return WalkedWay(way=words, timeline=rehearsal.timeline(), instead=instead)


class _Actor:
    """Has the persona join and leave audiences in time for each decision of the way."""

    def __init__(self, way: WayThrough, casting: Casting) -> None:
        self._steps: Mapping[str, Passed] = {step.path: step for step in way}
        self._memberships = casting.memberships
        self._prepared: str | None = None

    async def prepare(self, rehearsal: Rehearsal) -> None:
        """Plan what is to change during the wait that the journey is in."""
        plan = rehearsal.waiting
        if plan is None or not plan.wait or plan.wait == self._prepared:
            return
        self._prepared = plan.wait
        wanted = self._memberships.get(plan.wait, {})
        inside = await rehearsal.memberships_among(wanted)
        at = self._moment(plan, rehearsal.now)
        # What is left is left before something is joined that may end the wait.
        for name, is_in in sorted(wanted.items(), key=lambda each: each[1]):
            if is_in != (name in inside):
                rehearsal.plan(Happening(act="joins" if is_in else "leaves", name=name), at)

    def _moment(self, plan: Plan, now: datetime) -> datetime:
        margin = min(_MARGIN, (plan.due - now) / 2)
        is_awaited = plan.action is Action.LOOK and self._steps[plan.step].way == 0
        moment = now + margin if is_awaited else plan.due - margin
        return max(now, moment.replace(second=0, microsecond=0))
