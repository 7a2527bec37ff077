"""Why a friend got a message, or did not: from what is kept to sentences. Pure.

Told in the order in which it happened, in the scenario's time zone; the first moment of a paragraph
says which zone that is. What the kept facts do not show is said to be unknown, and never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tobiishi.channels.holds import Hold
from tobiishi.journeys.because import Memory, because, first_message, since, way_of
from tobiishi.journeys.deliveries import Delivery
from tobiishi.journeys.journeys import Journey
from tobiishi.journeys.reasons import Titles, cause_of, reason_of, skip_of, stop_of
from tobiishi.people.audiences import Membership
from tobiishi.people.friends import Friend
from tobiishi.plan import Action
from tobiishi.scenario import AfterDays, Reentry, Scenario
from tobiishi.scenario.model import Period, Start, Step
from tobiishi.words import Sentence

#: A message that went out later than this after it was due is said to be late.
PROMPT = timedelta(minutes=1)
#: A journey that an adding began, began within that time: LINE may bring an event late.
JUST_THEN = timedelta(days=1)
#: Of how many scenarios it is told why a friend is in none of them.
MOST_SCENARIOS = 5


@dataclass(frozen=True, kw_only=True)
class TrailStep:
    """One thing that a journey did, with its try."""

    step: str
    visit: int
    at: datetime
    text: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ComingStep:
    """What comes next of a journey, and when."""

    action: Action
    step: str
    due: datetime


@dataclass(frozen=True, kw_only=True)
class Walked:
    """A journey with all that is kept of it."""

    journey: Journey
    #: In the version that it goes through.
    scenario: Scenario
    trail: Sequence[TrailStep] = ()
    deliveries: Sequence[Delivery] = ()
    #: None where it is over, or not kept yet.
    next_step: ComingStep | None = None

    @property
    def name(self) -> str:
        return self.journey.ref.scenario

    @property
    def is_over(self) -> bool:
        return self.journey.ended_at is not None


@dataclass(frozen=True, kw_only=True)
class StartRule:
    """Who could enter a scenario from a version on, until the next one."""

    version: int
    published_at: datetime
    start: Start
    period: Period | None
    reentry: Reentry
    timezone: str

    def moment(self, local: datetime) -> datetime:
        """A moment of the file, which has no offset."""
        return local.replace(tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)

    def has_begun(self, at: datetime) -> bool:
        begins = self.period.from_ if self.period else None
        return begins is None or at >= self.moment(begins)

    def is_past(self, at: datetime) -> bool:
        ends = self.period.until if self.period else None
        return ends is not None and at >= self.moment(ends) + timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A scenario, and who could enter it when."""

    name: str
    title: str
    #: The first version first; never empty.
    rules: Sequence[StartRule]
    #: The live version; None where it was retired.
    live: int | None
    #: The newest version that has the message asked about; None where none was asked about.
    with_message: int | None = None
    #: The status of its last enrolment; None where it had none.
    enrolment: str | None = None

    @property
    def rule(self) -> StartRule:
        """That of the live version, or of the last one."""
        return next((rule for rule in self.rules if rule.version == self.live), self.rules[-1])

    def rule_at(self, at: datetime) -> StartRule | None:
        """The rule of then, where it was not retired; None before it was published."""
        return next((rule for rule in reversed(self.rules) if rule.published_at <= at), None)


@dataclass(frozen=True, kw_only=True)
class Adding:
    """That a friend was added, or unblocked the channel."""

    at: datetime
    unblocked: bool


@dataclass(frozen=True, kw_only=True)
class Kept:
    """All that the database keeps about a friend, as far as it tells why."""

    friend: Friend
    #: Since when they have the status that they have; None where that is not known.
    status_since: datetime | None
    now: datetime
    titles: Titles = field(default_factory=Titles)
    #: In the order in which they began.
    walked: Sequence[Walked] = ()
    #: Those asked about.
    offered: Sequence[Offered] = ()
    memberships: Mapping[str, Sequence[Membership]] = field(default_factory=dict)
    #: By which routes they were added, the first one first.
    routes: Sequence[tuple[datetime, str]] = ()
    #: The last time that is still kept.
    added: Adding | None = None
    holds: Sequence[Hold] = ()
    #: Since when they are to enter again, by scenario.
    pending: Mapping[str, datetime] = field(default_factory=dict)
    #: Joinings of audiences that were not handled yet, each with why it failed, if it did.
    joinings: Mapping[str, str | None] = field(default_factory=dict)

    def route_at(self, at: datetime) -> str | None:
        """The route by which they were added just then; None where they were not, or by none."""
        return next(
            (route for added, route in reversed(self.routes) if added <= at <= added + JUST_THEN),
            None,
        )


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked about a friend: a message, a scenario, both or neither."""

    message: str | None = None
    scenario: str | None = None
    #: Every journey, or every time that the message was sent, and not the last one alone.
    every: bool = False


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """An answer, or a part of one, that stands for itself."""

    sentences: tuple[Sentence, ...]
    #: What it is about.
    scenario: str | None = None
    walked: Walked | None = None
    delivery: Delivery | None = None


def explain(kept: Kept, question: Question) -> list[Paragraph]:
    """Answer the question from what is kept. Returns a paragraph at least."""
    walked = [each for each in kept.walked if question.scenario in (None, each.name)]
    if question.message:
        return _on_message(kept, walked, question.message, every=question.every)
    if question.every and walked:
        return [_on_journey(kept, each) for each in walked]
    if question.scenario:
        return [_on_scenario(kept, walked, question.scenario)]
    if got := _got(walked):
        return [_on_delivery(kept, *got[0])]
    if walked:
        return [_on_journey(kept, walked[-1])]
    return _on_nothing(kept)


def _got(walked: Sequence[Walked], message: str | None = None) -> list[tuple[Walked, Delivery]]:
    """What they got, or perhaps got, the latest first."""
    found = [
        (each, delivery)
        for each in walked
        for delivery in each.deliveries
        if delivery.status in ("sent", "unknown") and message in (None, delivery.message)
    ]
    return sorted(found, key=lambda pair: pair[1].claimed_at, reverse=True)


def _on_message(
    kept: Kept, walked: Sequence[Walked], message: str, *, every: bool
) -> list[Paragraph]:
    got = _got(walked, message)
    if got and every:
        return [_on_delivery(kept, *each) for each in got]
    if got:
        return [_on_delivery(kept, *got[0], others=[delivery for _, delivery in got[1:]])]
    return [_why_not(kept, walked, offered, message) for offered in kept.offered]


def _on_scenario(kept: Kept, walked: Sequence[Walked], scenario: str) -> Paragraph:
    (offered,) = (each for each in kept.offered if each.name == scenario)
    if not walked:
        return _why_never_in(kept, offered)
    last = walked[-1]
    paragraph = _on_journey(kept, last)
    if not last.is_over and last.journey.stopping is None:
        return paragraph
    times = _Times(offered.rule.timezone, last=kept.now)
    again = _on_entering_again(kept, offered, last, times)
    return replace(paragraph, sentences=(*paragraph.sentences, *again))


def _on_nothing(kept: Kept) -> list[Paragraph]:
    opening = Sentence("never_in_any", {"friend": _friend(kept.friend)})
    if not kept.offered:
        return [Paragraph(sentences=(opening, Sentence("no_scenarios")))]
    shown = kept.offered[:MOST_SCENARIOS]
    paragraphs = [Paragraph(sentences=(opening,))]
    paragraphs += [_why_never_in(kept, offered) for offered in shown]
    if more := len(kept.offered) - len(shown):
        paragraphs.append(Paragraph(sentences=(Sentence("too_many_scenarios", {"count": more}),)))
    return paragraphs


# --- moments


class _Times:
    """Moments of one paragraph, in its time zone: each is told by the one before it."""

    def __init__(self, timezone: str, *, last: datetime | None = None) -> None:
        self._zone = ZoneInfo(timezone)
        self._last = last and last.astimezone(self._zone)
        self._named = last is not None

    def then(self, moment: datetime, *, seconds: bool = False) -> Sentence:
        """A moment of the story: so many days after what was told before."""
        local, last = moment.astimezone(self._zone), self._last
        alone = self.on(moment, seconds=seconds)
        self._last = local
        if last is None or alone.code != "when.day" or local < last:
            return alone
        days = (local.date() - last.date()).days
        code = {0: "when.same_day", 1: "when.next_day"}.get(days, "when.later")
        return Sentence(code, {**alone.params, "days": days})

    def on(self, moment: datetime, *, seconds: bool = False) -> Sentence:
        """A moment by itself."""
        local = moment.astimezone(self._zone)
        params: dict[str, Any] = {
            "at": local,
            "clock": f"{local.hour}:{local:%M:%S}" if seconds else f"{local.hour}:{local:%M}",
        }
        if not self._named:
            self._named, self._last = True, local
            return Sentence("when.first", {**params, "zone": _zone(self._zone.key)})
        is_far = self._last is not None and self._last.year != local.year
        return Sentence("when.full" if is_far else "when.day", params)


def _zone(name: str) -> Sentence:
    if name == "Asia/Tokyo":
        return Sentence("zone.japan")
    return Sentence("zone.named", {"name": name})


def _friend(friend: Friend) -> Sentence:
    if friend.display_name:
        return Sentence("friend.named", {"name": friend.display_name, "id": friend.friend})
    return Sentence("friend.unnamed", {"id": friend.friend})


# --- what happened


def _on_delivery(
    kept: Kept, walked: Walked, delivery: Delivery, others: Sequence[Delivery] = ()
) -> Paragraph:
    """How it came that this message was sent."""
    times = _Times(walked.scenario.timezone)
    story = _Story(kept, walked, times)
    sentences = [story.entered()]
    if _is_at(walked.scenario, delivery.step, delivery.message):
        above = [story.decided(step) for step, _ in _ways_to(delivery.step)]
        sentences += [story.taken(entry) for entry in above if entry]
    sentences += story.delivered(delivery)
    if others:
        moments = tuple(times.on(each.settled_at or each.claimed_at) for each in others)
        sentences.append(Sentence("also_sent", {"count": len(others), "times": moments}))
    return Paragraph(
        sentences=tuple(sentences), scenario=walked.name, walked=walked, delivery=delivery
    )


def _on_journey(kept: Kept, walked: Walked) -> Paragraph:
    """Everything that a journey did, and how it ended or where it is."""
    story = _Story(kept, walked, _Times(walked.scenario.timezone))
    sentences = [story.entered(), *story.steps(), *story.position()]
    return Paragraph(sentences=tuple(sentences), scenario=walked.name, walked=walked)


@dataclass(frozen=True)
class _Story:
    """A journey as it is told."""

    kept: Kept
    walked: Walked
    times: _Times

    def entered(self, *, briefly: bool = False) -> Sentence:
        journey, scenario = self.walked.journey, self.walked.scenario
        route = self.kept.route_at(journey.ref.started_at)
        params = {
            "when": self.times.then(journey.ref.started_at),
            "cause": cause_of(journey.why, self.kept.titles, route=route),
            "scenario": scenario.title,
            "version": journey.ref.version,
            "entry": journey.ref.entry,
        }
        if briefly:
            return Sentence("entered_briefly", params)
        return Sentence("entered", {"friend": _friend(self.kept.friend), **params})

    def steps(self) -> Iterator[Sentence]:
        """What was done, step by step."""
        by_step = defaultdict[str, list[Delivery]](list)
        for delivery in self.walked.deliveries:
            by_step[delivery.step].append(delivery)
        for entry in self.walked.trail:
            if tries := by_step[entry.step]:
                yield from self.delivered(tries.pop(0))
            else:
                yield self.taken(entry)
        # Those that the trail does not have: they are under way, or their journey ended meanwhile.
        for tries in by_step.values():
            for delivery in tries:
                yield from self.delivered(delivery)

    def decided(self, step: str) -> TrailStep | None:
        """What the trail has of the way they went at that step; None where it has nothing."""
        for entry in self.walked.trail:
            if entry.step == step and ("case" in entry.detail or "way" in entry.detail):
                return entry
        return None

    def taken(self, entry: TrailStep, *, other: int | None = None) -> Sentence:
        """What was done at a step, and why; why not the way `other`, where that is asked about."""
        step, detail = _step_at(self.walked.scenario, entry.step), entry.detail
        if step and step.branch and "case" in detail:
            return self._branched(step, entry, other=other)
        if step and step.wait_for and "way" in detail:
            return self._awaited(step, entry)
        when = self.times.then(entry.at)
        if step and step.wait and detail.get("past"):
            names = tuple(
                Sentence("quoted", {"message": name})
                for name in self._left_out_messages(entry.step)
            )
            if not names:
                return Sentence("left_out_steps", {"when": when})
            return Sentence("left_out", {"when": when, "messages": names})
        if step and step.tag:
            tags = [*(f"+{tag}" for tag in step.tag.add), *(f"-{tag}" for tag in step.tag.remove)]
            return Sentence("tagged", {"when": when, "tags": " ".join(tags)})
        return Sentence("recorded", {"when": when, "words": entry.text})

    def _memory(self, at: datetime) -> Memory:
        return Memory(
            at=at,
            titles=self.kept.titles,
            memberships=self.kept.memberships,
            moment=self.times.on,
        )

    def _branched(self, step: Step, entry: TrailStep, *, other: int | None) -> Sentence:
        assert step.branch is not None
        case: int | None = entry.detail["case"]
        if case is not None and case >= len(step.branch):
            return Sentence("recorded", {"when": self.times.then(entry.at), "words": entry.text})
        when = self.times.then(entry.at)
        answers = {**entry.detail.get("parts", {}), **entry.detail.get("saw", {})}
        reason = because(step.branch, case, answers, self._memory(entry.at), other=other)
        if case is None:
            if reason is None:
                return Sentence("recorded", {"when": when, "words": entry.text})
            return Sentence("went_past", {"when": when, "because": reason})
        way = way_of(step.branch, case)
        if reason is None:
            return Sentence("went_unknown", {"when": when, "way": way})
        return Sentence("went", {"when": when, "because": reason, "way": way})

    def _awaited(self, step: Step, entry: TrailStep) -> Sentence:
        assert step.wait_for is not None
        audience = step.wait_for.audience
        params: dict[str, Any] = {
            "when": self.times.then(entry.at),
            "audience": self.kept.titles.audience(audience),
        }
        if entry.detail["way"] != 0:
            return Sentence("came_too_late", params)
        memory = self._memory(entry.at)
        span = memory.membership(audience)
        if span is None:
            return Sentence("came_in_time", params)
        return Sentence("came_in_time_since", {**params, **since(span, memory)})

    def _left_out_messages(self, wait: str) -> list[str]:
        steps = _left_out(self.walked.scenario, wait)
        return [name for _, step in steps if (name := first_message((step,)))]

    def delivered(self, delivery: Delivery) -> list[Sentence]:
        """What became of a message that they came to."""
        times, message = self.times, {"message": delivery.message}
        at = delivery.settled_at or delivery.claimed_at
        words = delivery.reason or ""
        match delivery.status:
            case "sent":
                return self._sent(delivery)
            case "unknown":
                return [Sentence("perhaps_sent", {**message, "when": times.then(at)})]
            case "refused":
                return [Sentence("refused", {**message, "when": times.then(at), "words": words})]
            case "skipped":
                when, due = times.then(at), self._due(delivery)
                reason = skip_of(words, due=times.on(due) if due else None)
                return [Sentence("skipped", {**message, "when": when, "reason": reason})]
            case "claimed":
                params: dict[str, Any] = {
                    **message,
                    "when": times.then(delivery.claimed_at),
                    "attempts": delivery.attempts,
                }
                if words:
                    return [Sentence("being_sent_after", {**params, "words": words})]
                return [Sentence("being_sent", params)]

    def _sent(self, delivery: Delivery) -> list[Sentence]:
        at = delivery.settled_at or delivery.claimed_at
        params: dict[str, Any] = {
            "message": delivery.message,
            "when": self.times.then(at, seconds=True),
        }
        if delivery.request_id:
            sentences = [Sentence("sent", {**params, "request_id": delivery.request_id})]
        else:
            sentences = [Sentence("sent_without_id", params)]
        due = self._due(delivery)
        if due and at - due > PROMPT:
            sentences.append(Sentence("sent_late", {"due": self.times.on(due)}))
        if delivery.attempts > 1:
            first = self.times.on(delivery.claimed_at, seconds=True)
            params = {"attempts": delivery.attempts, "when": first}
            sentences.append(Sentence("sent_after_tries", params))
        return sentences

    def _due(self, delivery: Delivery) -> datetime | None:
        """When it was due, where that is kept."""
        for entry in reversed(self.walked.trail):
            if entry.step == delivery.step and "due" in entry.detail:
                return datetime.fromisoformat(entry.detail["due"])
        return None

    def position(self) -> list[Sentence]:
        """How the journey ended, or where it is and what holds it up."""
        journey = self.walked.journey
        if journey.ended_at is not None:
            when = self.times.then(journey.ended_at)
            if journey.outcome == "completed":
                return [Sentence("completed", {"when": when})]
            how = self._how(journey.outcome, journey.ended_at)
            return [Sentence("left", {"when": when, "how": how})]
        if journey.stopping is not None:
            how = self._how(journey.stopping, self.kept.now)
            return [Sentence("is_leaving", {"how": how})]
        return [self._coming(), *self.held()]

    def _how(self, outcome: str | None, at: datetime) -> Sentence:
        """How they left the scenario before its end."""
        words = self.walked.journey.stopping_because or ""
        change, _, audience = words.partition(" ")
        match outcome:
            case "exited" if change in ("joined", "left"):
                return self._exit(change, audience, at)
            case "unfollowed":
                return Sentence("how.blocked")
            case "refused":
                return Sentence("how.refused")
        if not words:
            return Sentence("how.stopped_somehow")
        return Sentence("how.stopped", {"because": stop_of(words)})

    def _exit(self, change: str, audience: str, at: datetime) -> Sentence:
        """The exit by which they left, and what brought them into that audience, or out of it."""
        named = {"audience": self.kept.titles.audience(audience)}
        spans = self.kept.memberships.get(audience, ())
        reasons = [
            span.reason if change == "joined" else span.left_reason or ""
            for span in spans
            if (span.joined_at if change == "joined" else span.left_at or at) <= at
        ]
        if not reasons:
            return Sentence(f"how.{change}", named)
        reason = reason_of(reasons[-1], self.kept.titles)
        return Sentence(f"how.{change}_by", {**named, "reason": reason})

    def _coming(self) -> Sentence:
        next_step = self.walked.next_step
        if next_step is None:
            return Sentence("next_unknown")
        step = _step_at(self.walked.scenario, next_step.step)
        if next_step.action is Action.LOOK and step and step.wait_for:
            audience = self.kept.titles.audience(step.wait_for.audience)
            until = self.times.then(next_step.due)
            return Sentence("waits_for", {"audience": audience, "until": until})
        what = self._what(next_step.action, step)
        return Sentence("next", {"when": self.times.then(next_step.due), "what": what})

    def _what(self, action: Action, step: Step | None) -> Sentence:
        if action is Action.SEND and step and step.send:
            return Sentence("do.send", {"message": step.send.name})
        if action is Action.WATCH and step and step.wait_for:
            audience = self.kept.titles.audience(step.wait_for.audience)
            return Sentence("do.watch", {"audience": audience})
        others = {Action.BRANCH: "do.branch", Action.TAG: "do.tag"}
        return Sentence(others.get(action, "do.end"))

    def held(self) -> list[Sentence]:
        """What holds its sends up."""
        names = {"channel": "", "scenario": self.walked.name, "friend": self.kept.friend.friend}
        for hold in self.kept.holds:
            if names[hold.scope] == hold.name:
                code = hold.scope if hold.kind == "paused" else hold.kind
                params = {
                    "what": Sentence(f"hold.{code}"),
                    "since": self.times.on(hold.since),
                    "reason": hold.reason,
                }
                return [Sentence("held", params)]
        return []


# --- why not


def _why_not(kept: Kept, walked: Sequence[Walked], offered: Offered, message: str) -> Paragraph:
    """Why they did not get a message of that scenario."""
    theirs = [each for each in walked if each.name == offered.name]
    if not theirs:
        return _why_never_in(kept, offered, message)
    last = theirs[-1]
    story = _Story(kept, last, _Times(last.scenario.timezone))
    sentences = [_not_sent(kept, offered, message), story.entered(briefly=True)]
    sentences += _why_not_in_journey(story, message)
    return Paragraph(sentences=tuple(sentences), scenario=offered.name, walked=last)


def _not_sent(kept: Kept, offered: Offered, message: str) -> Sentence:
    return Sentence(
        "not_sent",
        {"friend": _friend(kept.friend), "scenario": offered.title, "message": message},
    )


def _why_not_in_journey(story: _Story, message: str) -> list[Sentence]:
    walked, named = story.walked, {"message": message}
    path = _path_to(walked.scenario, message)
    if path is None:
        version = {"version": walked.journey.ref.version}
        return [Sentence("not_in_version", {**version, **named}), *story.position()]
    if tried := [each for each in walked.deliveries if each.message == message]:
        is_open = tried[-1].status == "claimed" and not walked.is_over
        return [*story.delivered(tried[-1]), *(story.held() if is_open else story.position())]
    sentences = list[Sentence]()
    for step, way in _ways_to(path):
        entry = story.decided(step)
        if entry is None:
            break
        if entry.detail.get("case", entry.detail.get("way")) != way:
            code = "on_other_way" if "case" in entry.detail else "on_other_way_of_wait"
            return [*sentences, story.taken(entry, other=way), Sentence(code, named)]
        sentences.append(story.taken(entry))
    for entry in walked.trail:
        left_out = _left_out(walked.scenario, entry.step) if entry.detail.get("past") else []
        if any(f"{path}.".startswith(f"{step}.") for step, _ in left_out):
            return [*sentences, story.taken(entry)]
    return [*sentences, *story.position(), *_after_position(walked, path, message)]


def _after_position(walked: Walked, path: str, message: str) -> list[Sentence]:
    """Where the message is, as seen from where the journey is or ended."""
    named, next_step = {"message": message}, walked.next_step
    if walked.is_over:
        is_known = walked.journey.outcome != "completed"
        return [Sentence("ended_before", named) if is_known else Sentence("not_known")]
    if next_step is None or walked.journey.stopping is not None or next_step.step == path:
        return []
    is_ahead = bool(next_step.step) and _numbers(next_step.step) < _numbers(path)
    return [Sentence("not_yet", named) if is_ahead else Sentence("not_known")]


def _why_never_in(kept: Kept, offered: Offered, message: str | None = None) -> Paragraph:
    """Why they never entered a scenario, as far as what is kept shows it."""
    times = _Times(offered.rule.timezone)
    params = {"friend": _friend(kept.friend), "scenario": offered.title}
    opening = Sentence("not_in_scenario", params)
    if message:
        opening = _not_sent(kept, offered, message)
    causes = [*_status(kept, times), *_closed(kept, offered, times)]
    if message and offered.live is not None and offered.with_message != offered.live:
        causes.append(Sentence("not_in_live_version", {"version": offered.with_message}))
    causes += _start_not_met(kept, offered, times)
    sentences = (opening, *(causes or [Sentence("not_known")]))
    return Paragraph(sentences=sentences, scenario=offered.name)


def _status(kept: Kept, times: _Times) -> Iterator[Sentence]:
    if kept.friend.status != "blocked":
        return
    if kept.status_since is None:
        yield Sentence("blocked")
    else:
        yield Sentence("blocked_since", {"since": times.on(kept.status_since)})


def _closed(kept: Kept, offered: Offered, times: _Times) -> Iterator[Sentence]:
    """Why nobody enters the scenario now."""
    rule = offered.rule
    if offered.live is None:
        yield Sentence("retired")
    elif rule.period and rule.is_past(kept.now):
        assert rule.period.until is not None
        yield Sentence("period_over", {"until": times.on(rule.moment(rule.period.until))})
    elif rule.period and not rule.has_begun(kept.now):
        assert rule.period.from_ is not None
        yield Sentence("period_to_come", {"begins": times.on(rule.moment(rule.period.from_))})


def _start_not_met(kept: Kept, offered: Offered, times: _Times) -> Iterator[Sentence]:
    if offered.rule.start.audience is not None:
        yield from _joining_not_met(kept, offered, offered.rule.start.audience, times)
    else:
        yield from _adding_not_met(kept, offered, times)


def _joining_not_met(
    kept: Kept, offered: Offered, audience: str, times: _Times
) -> Iterator[Sentence]:
    named = {"audience": kept.titles.audience(audience)}
    if audience in kept.joinings:
        error = kept.joinings[audience]
        words = {"words": error} if error else {}
        yield Sentence("joining_stuck" if error else "joining_in_queue", {**named, **words})
        return
    spans = kept.memberships.get(audience, ())
    if not spans:
        yield Sentence("never_joined", named)
        return
    if offered.rule.start.include_members and offered.enrolment in _ENROLMENTS:
        yield Sentence(f"enrolment_{offered.enrolment}", named)
        return
    joined, first = spans[-1].joined_at, offered.rules[0].published_at
    if joined < first and not offered.rule.start.include_members:
        params = {"joined": times.on(joined), "published": times.on(first)}
        yield Sentence("joined_before", {**named, **params})
        return
    yield from _outside_period(offered, joined, times)


_ENROLMENTS = ("running", "paused", "cancelled")


def _outside_period(offered: Offered, at: datetime, times: _Times) -> Iterator[Sentence]:
    rule = offered.rule_at(at)
    if rule and (rule.is_past(at) or not rule.has_begun(at)):
        yield Sentence("outside_period", {"when": times.on(at)})
    else:
        yield Sentence("not_known")


def _adding_not_met(kept: Kept, offered: Offered, times: _Times) -> Iterator[Sentence]:
    start, first = offered.rule.start.friend_added, offered.rules[0].published_at
    assert start is not None
    added = kept.added
    if added is None and kept.routes:
        added = Adding(at=kept.routes[-1][0], unblocked=False)
    # A friend by then, whenever they were added.
    known = added.at if added else kept.status_since
    if known is not None and known < first:
        yield Sentence("added_before", {"published": times.on(first)})
        return
    if start.routes and kept.friend.route not in start.routes:
        quoted = tuple(
            Sentence("quoted", {"message": kept.titles.route(route)}) for route in start.routes
        )
        if kept.friend.route is None:
            yield Sentence("no_route", {"routes": quoted})
        else:
            came = kept.titles.route(kept.friend.route)
            yield Sentence("other_route", {"routes": quoted, "came": came})
        return
    if added is None:
        yield Sentence("added_unseen")
    elif added.unblocked and not start.unblocked:
        yield Sentence("unblocked_only", {"when": times.on(added.at)})
    else:
        yield from _outside_period(offered, added.at, times)


def _on_entering_again(
    kept: Kept, offered: Offered, last: Walked, times: _Times
) -> Iterator[Sentence]:
    """Whether and when they may enter a scenario again that they have been through."""
    if pending := kept.pending.get(offered.name):
        yield Sentence("will_enter", {"since": times.on(pending)})
        return
    rule, audience = offered.rule, offered.rule.start.audience
    ended = last.journey.ended_at
    later = [
        span
        for span in kept.memberships.get(audience or "", ())
        if ended is not None and span.joined_at > ended
    ]
    if audience and later:
        params = {"audience": kept.titles.audience(audience)}
        yield Sentence("rejoined", {**params, "joined": times.on(later[0].joined_at)})
    closed = [*_status(kept, times), *_closed(kept, offered, times)]
    yield from closed
    if rule.reentry == "never":
        yield Sentence("no_reentry")
        return
    if isinstance(rule.reentry, AfterDays):
        days = rule.reentry.after_days
        after = last.journey.ref.started_at + timedelta(days=days)
        if after > kept.now:
            yield Sentence("reentry_after", {"days": days, "after": times.on(after)})
            return
    if not closed:
        yield Sentence("not_known" if later else "reentry_open")


# --- places in a scenario


def _ways_to(path: str) -> list[tuple[str, int]]:
    """The branches and waits above a step, each with its way to the step."""
    numbers = path.split(".")
    return [(".".join(numbers[:end]), int(numbers[end])) for end in range(1, len(numbers) - 1, 2)]


def _numbers(path: str) -> tuple[int, ...]:
    return tuple(int(number) for number in path.split("."))


def _paths(steps: Sequence[Step], above: str = "") -> Iterator[tuple[str, Step]]:
    """Every step, by its path."""
    for number, step in enumerate(steps):
        path = f"{above}{number}"
        yield path, step
        for way, (_, below) in enumerate(step.ways):
            yield from _paths(below, f"{path}.{way}.")


def _path_to(scenario: Scenario, message: str) -> str | None:
    for path, step in _paths(scenario.steps):
        if step.send and step.send.name == message:
            return path
    return None


def _step_at(scenario: Scenario, path: str) -> Step | None:
    return next((step for each, step in _paths(scenario.steps) if each == path), None)


def _is_at(scenario: Scenario, path: str, message: str) -> bool:
    step = _step_at(scenario, path)
    return step is not None and step.send is not None and step.send.name == message


def _left_out(scenario: Scenario, wait: str) -> list[tuple[str, Step]]:
    """The steps beside a wait that is past, up to the next wait."""
    above, _, number = wait.rpartition(".")
    siblings = [
        (path, step)
        for path, step in _paths(scenario.steps)
        if path.rpartition(".")[0] == above and int(path.rpartition(".")[2]) > int(number)
    ]
    found = list[tuple[str, Step]]()
    for path, step in siblings:
        if step.wait is not None:
            break
        found.append((path, step))
    return found
