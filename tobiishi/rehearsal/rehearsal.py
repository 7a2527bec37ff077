"""One rehearsal: a persona goes through a scenario, step by step or to the end."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tobiishi.database import Connection
from tobiishi.errors import Invalid
from tobiishi.journeys import journeys, steps
from tobiishi.journeys.journeys import Journey
from tobiishi.journeys.steps import TrailEntry
from tobiishi.line import retry_key
from tobiishi.people import audiences, definitions, events, friends
from tobiishi.people.events import FriendEvent
from tobiishi.plan import Action, Plan
from tobiishi.publishing import versions
from tobiishi.rehearsal.clock import RehearsalFailed
from tobiishi.rehearsal.happenings import Happening
from tobiishi.rehearsal.persona import FRIEND, check_persona
from tobiishi.rehearsal.play import Play
from tobiishi.rehearsal.stage import Stage
from tobiishi.rehearsal.timeline import Timeline, TimelineEntry
from tobiishi.relay.webhook_events import apply_event
from tobiishi.scenario import Scenario, send_at
from tobiishi.scenario.clock import at_local, is_within
from tobiishi.scenario.model import Step
from tobiishi.scenario.rules import Combined, DidOnSite, Tagged
from tobiishi.tracking.messages import Tracked
from tobiishi.webhooks import KeptEvent

#: Entries after which a rehearsal is given up: it would go round for ever.
_MOST_ENTRIES = 5000


class Rehearsal:
    """A persona's way through a scenario, as far as it has come."""

    def __init__(self, stage: Stage, play: Play, *, channel: str) -> None:
        self.play = play
        self.entries: list[TimelineEntry] = []
        self._stage = stage
        self._channel = channel
        self._zone = ZoneInfo(play.scenario.timezone)
        self._definitions = play.definitions
        self._words = play.words
        #: What will happen, the soonest first; the number keeps the order of those at once.
        self._ahead: list[tuple[datetime, int, Happening]] = []
        self._count = 0
        #: The last row of the trail that is in the timeline, and what was waited for.
        self._seen = 0
        self._waits: tuple[int, Action, str, datetime] | None = None
        self._known: dict[int, Journey] = {}
        self._journey: Journey | None = None
        #: What the journey waits to do; None where it waits for nothing.
        self.waiting: Plan | None = None

    @classmethod
    async def begin(cls, stage: Stage, play: Play) -> Rehearsal:
        """Have the persona start, and come to their first rest.

        Raises `Invalid` where they can't start, and `RehearsalFailed`.
        """
        check_persona(play.persona, play.scenario, play.definitions)
        rehearsal = cls(stage, play, channel=await stage.new_channel())
        for happening in play.happenings:
            rehearsal.plan(happening, happening.moment(play.start, play.scenario.timezone))
        await rehearsal._start()
        return rehearsal

    @property
    def now(self) -> datetime:
        return self._stage.clock.now

    @property
    def local_now(self) -> datetime:
        """The time by its clock, as the scenario's zone shows it."""
        return self.now.astimezone(self._zone)

    @property
    def journey(self) -> Journey | None:
        """The journey under way; None where there is none."""
        return self._journey

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self._journey is None and not self._ahead

    def timeline(self) -> Timeline:
        scenario = self.play.scenario
        return Timeline(
            scenario=scenario.scenario,
            title=scenario.title,
            timezone=scenario.timezone,
            language=self.play.language,
            friend=self._words.persona(self.play.persona),
            entries=self.entries,
        )

    async def memberships_among(self, names: Iterable[str]) -> frozenset[str]:
        """Those of the audiences that the persona is in now."""
        async with self._stage.database.connection() as connection:
            return await audiences.memberships_among(
                connection, self._channel, FRIEND, frozenset(names), at=self.now
            )

    def plan(self, happening: Happening, at: datetime) -> None:
        """Have that happen then."""
        heapq.heappush(self._ahead, (at, self._count, happening))
        self._count += 1

    async def next(self) -> None:
        """Go on to the next thing that happens, and all that follows from it at once."""
        clock = self._stage.clock
        timer = clock.next_timer.due if clock.next_timer else None
        birthday = self._next_birthday()
        ahead = self._ahead[0][0] if self._ahead else None
        expiry = await self._next_expiry()
        soonest = min(moment for moment in (ahead, timer, birthday, expiry) if moment is not None)
        # What happens at the moment at which a wait is over comes before what follows the wait.
        if soonest == ahead:
            clock.now = max(clock.now, soonest)
            await self.happen(heapq.heappop(self._ahead)[-1])
            return
        if soonest in (birthday, expiry):
            clock.now = max(clock.now, soonest)
        else:
            await self._stage.skip()
        await self._settle()

    async def finish(self) -> None:
        """Go on until nothing more happens."""
        while not self.is_over:
            await self.next()
            if len(self.entries) > _MOST_ENTRIES:
                raise RehearsalFailed(f"it has not ended after {_MOST_ENTRIES:,} entries")

    async def happen(self, happening: Happening) -> None:
        """Have that happen now, and all that follows from it."""
        async with self._stage.database.transaction() as connection:
            await self._do(connection, happening)
        self._add("event", self._words.happening(happening))
        await self._settle()

    async def _start(self) -> None:
        scenario, start = self.play.scenario, self.play.start
        self._stage.clock.now = start
        async with self._stage.database.transaction() as connection:
            today = start.astimezone(self._zone).date()
            await connection.execute("update birthdays set day = $1", today)
            await self._publish(connection)
            await self._make_up(connection)
        await self._settle()
        if self._journey is None:
            async with self._stage.database.transaction() as connection:
                if scenario.start.friend_added:
                    await apply_event(connection, self._webhook("follow"))
                elif scenario.start.audience:
                    await self._join(connection, scenario.start.audience, "in the rehearsal")
            await self._settle()
        if not self.entries:
            raise Invalid(self._why_not())

    async def _publish(self, connection: Connection) -> None:
        """The scenario is live, and so are the audiences that it names, as the shop has them."""
        scenario, made = self.play.scenario, self._definitions
        await definitions.add_missing(
            connection,
            self._channel,
            made,
            made,
            reported=scenario.audiences_acted_on(),
            timezone=scenario.timezone,
            at=self.now,
        )
        await versions.publish(
            connection, self._channel, scenario, self.play.source.text, now=self.now
        )

    async def _make_up(self, connection: Connection) -> None:
        """The persona is known, with all that is said of them."""
        persona, channel = self.play.persona, self._channel
        self._stage.line.name = persona.name
        self._stage.line.language = persona.attributes.language
        await friends.meet(connection, channel, FRIEND, friends.LONG_AGO)
        await friends.set_attributes(connection, channel, FRIEND, persona.attributes, at=self.now)
        await friends.retag(connection, channel, FRIEND, add=persona.tags, at=self.now)
        if persona.route:
            await connection.execute("update friends set route = $1", persona.route)
            await audiences.apply_route(connection, channel, FRIEND, persona.route, at=self.now)
        for audience in persona.audiences:
            if audience != self.play.scenario.start.audience:
                await self._join(connection, audience, "before the rehearsal")

    def _why_not(self) -> str:
        """Why nobody like the persona starts."""
        scenario = self.play.scenario
        if not scenario.is_open(self.now):
            local = self.now.astimezone(self._zone)
            return f"nobody starts at {local:%Y-%m-%d %H:%M}: it is outside of the period"
        if scenario.start.friend_added:
            routes = ", ".join(scenario.start.friend_added.routes or ())
            return f"the friend does not start: they come by none of the routes {routes}"
        return (
            f"the friend does not start: they don't get into {scenario.start.audience}; say what "
            "makes them one of it (attributes, tags, audiences)"
        )

    async def _settle(self) -> None:
        """All that follows is done, and told in the timeline."""
        await self._stage.settle(timezone=self.play.scenario.timezone)
        async with self._stage.database.connection() as connection:
            for journey in await journeys.of_friend(connection, self._channel, FRIEND):
                await self._report(connection, journey)

    async def _report(self, connection: Connection, journey: Journey) -> None:
        """What the journey did since, and what it waits for now."""
        number = journey.ref.journey_id
        former = self._known.get(number)
        if former is not None and former.ended_at is not None:
            return
        if former is None:
            self._add("start", self._words.starts(journey.why), at=journey.ref.started_at)
        self._known[number] = journey
        rows = await connection.fetch(
            "select id, at, step, said, detail, visit from trail"
            " where journey_id = $1 and id > $2 order by id",
            number,
            self._seen,
        )
        for row in rows:
            self._seen = max(self._seen, row["id"])
            done = TrailEntry(
                at=row["at"], step=row["step"], said=row["said"], detail=row["detail"]
            )
            await self._report_step(connection, journey, done, row["visit"])
        if journey.ended_at is not None:
            self._journey = self.waiting = None
            because = journey.stopping_because
            self._add(
                "end",
                self._words.ends(str(journey.outcome), because),
                at=journey.ended_at,
                outcome=journey.outcome,
                because=because,
            )
            return
        self._journey = journey
        await self._report_wait(connection, journey)

    async def _report_step(
        self, connection: Connection, journey: Journey, done: TrailEntry, visit: int
    ) -> None:
        step = step_at(self.play.scenario, done.step)
        text, words = done.said, self._words
        if done.detail.get("past"):
            self._add("left_out", words.left_out(text), at=done.at, step=done.step)
        elif step.send:
            key = retry_key(journey.ref.workflow_id, journey.ref.entry, done.step, visit)
            delivery = await connection.fetchrow(
                "select status, reason from deliveries where retry_key = $1", key
            )
            status, reason = delivery or (None, None)
            line = self._stage.line
            self._add(
                "message",
                words.message(step.send.name, status, reason, text),
                at=done.at,
                step=done.step,
                message=step.send.name,
                status=status,
                messages=line.sent.get(key) or line.refused.get(key) or [],
            )
        elif step.branch:
            case = done.detail.get("case")
            saw = done.detail.get("saw", {})
            text = words.branch(step, case, saw, text)
            self._add("branch", text, at=done.at, step=done.step, way=case, saw=saw)
        elif step.wait_for:
            way = done.detail.get("way")
            self._add(
                "wait_for",
                words.awaited(step.wait_for.audience, way, text),
                at=done.at,
                step=done.step,
                way=way,
                awaits=step.wait_for.audience,
            )
        else:
            self._add("tag", words.tag(step, text), at=done.at, step=done.step)

    async def _report_wait(self, connection: Connection, journey: Journey) -> None:
        plan = await steps.next_plan(connection, journey.ref, self.play.scenario)
        self.waiting = plan
        waits = (journey.ref.journey_id, plan.action, plan.step, plan.due)
        if waits == self._waits or plan.due <= self.now:
            return
        self._waits = waits
        until = plan.due.astimezone(self._zone)
        awaits = self._awaited(plan)
        self._add(
            "wait",
            self._words.waits(
                f"{until:%Y-%m-%d %H:%M}", awaits, self._why_until(plan), self._then(plan)
            ),
            step=plan.wait,
            until=until,
            awaits=awaits,
        )

    def _awaited(self, plan: Plan) -> str | None:
        if plan.action is not Action.LOOK:
            return None
        awaited = step_at(self.play.scenario, plan.step).wait_for
        return awaited.audience if awaited else None

    def _then(self, plan: Plan) -> str | None:
        """What follows the wait; None where what is awaited does."""
        if plan.action is Action.LOOK:
            return None
        step = step_at(self.play.scenario, plan.step) if plan.step else None
        return self._words.then(plan.action, step, plan.label)

    def _why_until(self, plan: Plan) -> list[str]:
        """What makes the wait as long as it is."""
        scenario, words, reasons = self.play.scenario, self._words, []
        step = step_at(scenario, plan.wait) if plan.wait else None
        wait = step.wait if step else None
        if step and step.wait_for:
            reasons.append(words.at_most(step.wait_for.up_to))
        elif wait and wait.until is None:
            reasons.append(words.length(wait))
        if scenario.spread and (plan.due.second or plan.due.microsecond):
            reasons.append(words.spread())
        if plan.action is Action.SEND and not send_at(scenario, plan.step).any_time:
            window, just_before = scenario.window, plan.due - timedelta.resolution
            at = wait and (wait.until.time() if wait.until else wait.at)
            if (
                window
                and window.from_ != at
                and is_within(window, plan.due, scenario.timezone)
                and not is_within(window, just_before, scenario.timezone)
            ):
                reasons.append(words.window_opens(f"{window.from_:%H:%M}"))
        return reasons

    async def _do(self, connection: Connection, happening: Happening) -> None:
        """What happens to a friend in life, done to the persona."""
        name, channel, at = happening.name, self._channel, self.now
        match happening.act:
            case "joins":
                await self._join(connection, name, "in the rehearsal")
            case "leaves":
                await self._leave(connection, name)
            case "tags":
                await friends.retag(connection, channel, FRIEND, add=(name,), at=at)
            case "untags":
                await friends.retag(connection, channel, FRIEND, remove=(name,), at=at)
            case "blocks":
                await apply_event(connection, self._webhook("unfollow"))
            case "unblocks":
                unblocked = {"follow": {"isUnblocked": True}}
                await apply_event(connection, self._webhook("follow", **unblocked))
            case "clicks":
                url = happening.more or self._first_link(name)
                await self._record(connection, "message", "click", message=name, url=url)
            case "presses":
                data = {"data": happening.more}
                await self._record(connection, "message", "postback", message=name, detail=data)
            case "does":
                await self._record(connection, "site", name, url=happening.more or None)

    async def _join(self, connection: Connection, audience: str, reason: str) -> None:
        """Become a member, by what makes one where that is a tag."""
        match self._definitions[audience]:
            case Tagged(tag=tag):
                await friends.retag(connection, self._channel, FRIEND, add=(tag,), at=self.now)
            case Combined():
                pass  # They are a member by what it asks about, or not at all.
            case definition:
                ends = None
                if isinstance(definition, DidOnSite):
                    ends = self.now + timedelta(days=definition.days)
                await audiences.join(
                    connection,
                    self._channel,
                    audience,
                    [FRIEND],
                    at=self.now,
                    reason=reason,
                    expires=[ends],
                )

    async def _leave(self, connection: Connection, audience: str) -> None:
        definition = self._definitions[audience]
        if isinstance(definition, Tagged):
            tags = (definition.tag,)
            await friends.retag(connection, self._channel, FRIEND, remove=tags, at=self.now)
        else:
            await audiences.leave(
                connection, self._channel, audience, [FRIEND], at=self.now, reason="left"
            )

    async def _record(self, connection: Connection, source: Any, event: str, **more: Any) -> None:
        scenario = self.play.scenario.scenario if source == "message" else None
        did = FriendEvent(
            channel=self._channel,
            friend=FRIEND,
            source=source,
            event=event,
            occurred_at=self.now,
            scenario=scenario,
            **more,
        )
        await events.record(connection, did, now=self.now)

    def _first_link(self, message: str) -> str | None:
        """The first link of a message, as it is written."""
        for _, step in self.play.scenario.walk():
            if step.send and step.send.name == message:
                links = Tracked(public_url=_NOWHERE).links_of(step.send.messages)
                return links[0].url if links else None
        return None

    def _webhook(self, type: str, **body: Any) -> KeptEvent:
        return KeptEvent(
            channel=self._channel,
            webhook_event_id=f"{type} {self._count}",
            type=type,
            friend=FRIEND,
            occurred_at=self.now,
            received_at=self.now,
            body={"type": type, **body},
            attempts=0,
        )

    def _next_birthday(self) -> datetime | None:
        """When the persona is a year older, where an audience asks how old they are."""
        birthday = self.play.persona.attributes.birthday
        asked = any(
            isinstance(each, Combined) and each.when.asks_of_friend()
            for each in self._definitions.values()
        )
        if birthday is None or not asked:
            return None
        today = self.now.astimezone(self._zone).date()
        age = self.play.persona.attributes.age_on(today) or 0
        day = date(birthday.year + age + 1, birthday.month, 1) + timedelta(days=birthday.day - 1)
        return at_local(day, time(), self.play.scenario.timezone)

    async def _next_expiry(self) -> datetime | None:
        """When the next membership ends by itself."""
        if not any(isinstance(each, DidOnSite) for each in self._definitions.values()):
            return None
        async with self._stage.database.connection() as connection:
            ends: datetime | None = await connection.fetchval(
                "select min(expires_at) from audience_members where channel = $1", self._channel
            )
        return ends

    def _add(self, kind: Any, text: str, *, at: datetime | None = None, **more: Any) -> None:
        local = (at or self.now).astimezone(self._zone)
        self.entries.append(TimelineEntry(at=local, kind=kind, text=text, **more))


_NOWHERE = "https://tobiishi.invalid"


def step_at(scenario: Scenario, path: str) -> Step:
    """The step at that path, a wait too."""
    steps, step = scenario.steps, None
    for depth, index in enumerate(map(int, path.split("."))):
        if depth % 2:
            assert step is not None
            steps = step.ways[index][1]
        else:
            step = steps[index]
    assert step is not None
    return step
