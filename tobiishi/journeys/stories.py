"""What happened to a friend on a journey, as sentences. Pure.

Told in the order in which it happened, in the scenario's time zone; the first moment of a paragraph
says which zone that is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tobiishi.journeys.because import Memory, because, first_message, fits, since, way_of
from tobiishi.journeys.deliveries import Delivery
from tobiishi.journeys.kept import KeptFacts, TrailStep, Walked
from tobiishi.journeys.reasons import cause_of, held_by, reason_of, skip_of, stop_of
from tobiishi.people.friends import Friend
from tobiishi.plan import Action
from tobiishi.scenario import Scenario
from tobiishi.scenario.model import Step
from tobiishi.words import Sentence

#: A message that went out later than this after it was due is said to be late.
PROMPT = timedelta(minutes=1)


class Times:
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


def friend_of(friend: Friend) -> Sentence:
    if friend.display_name:
        return Sentence("friend.named", {"name": friend.display_name, "id": friend.friend})
    return Sentence("friend.unnamed", {"id": friend.friend})


@dataclass(frozen=True)
class Story:
    """A journey as it is told."""

    kept: KeptFacts
    walked: Walked
    times: Times

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
        return Sentence("entered", {"friend": friend_of(self.kept.friend), **params})

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
        at = step_at(self.walked.scenario, step)
        for entry in self.walked.trail:
            if at and entry.step == step and (_is_choice(at, entry) or _is_end_of_wait(at, entry)):
                return entry
        return None

    def taken(self, entry: TrailStep, *, other: int | None = None) -> Sentence:
        """What was done at a step, and why; why not the way `other`, where that is asked about."""
        step, detail = step_at(self.walked.scenario, entry.step), entry.detail
        if step and _is_choice(step, entry):
            return self._branched(step, entry, other=other)
        if step and _is_end_of_wait(step, entry):
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
            if entry.text in ("", f"tag {' '.join(tags)}"):
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
        steps = left_out(self.walked.scenario, wait)
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
        step = step_at(self.walked.scenario, next_step.step)
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
                    "reason": held_by(hold.reason),
                }
                return [Sentence("held", params)]
        return []


def _is_choice(step: Step, entry: TrailStep) -> bool:
    """Whether that was done at this branch: a journey may have been moved from another version."""
    if not step.branch or "case" not in entry.detail:
        return False
    return fits(step.branch, entry.detail["case"], entry.detail.get("saw", {}))


def _is_end_of_wait(step: Step, entry: TrailStep) -> bool:
    """Whether that was done at this wait for an audience."""
    if not step.wait_for or "way" not in entry.detail:
        return False
    return not entry.text or step.wait_for.audience in re.split("[ :]", entry.text)


# --- places in a scenario


def ways_to(path: str) -> list[tuple[str, int]]:
    """The branches and waits above a step, each with its way to the step."""
    numbers = path.split(".")
    return [(".".join(numbers[:end]), int(numbers[end])) for end in range(1, len(numbers) - 1, 2)]


def numbers_of(path: str) -> tuple[int, ...]:
    return tuple(int(number) for number in path.split("."))


def _paths(steps: Sequence[Step], above: str = "") -> Iterator[tuple[str, Step]]:
    """Every step, by its path."""
    for number, step in enumerate(steps):
        path = f"{above}{number}"
        yield path, step
        for way, (_, below) in enumerate(step.ways):
            yield from _paths(below, f"{path}.{way}.")


def path_to(scenario: Scenario, message: str) -> str | None:
    for path, step in _paths(scenario.steps):
        if step.send and step.send.name == message:
            return path
    return None


def step_at(scenario: Scenario, path: str) -> Step | None:
    return next((step for each, step in _paths(scenario.steps) if each == path), None)


def is_at(scenario: Scenario, path: str, message: str) -> bool:
    step = step_at(scenario, path)
    return step is not None and step.send is not None and step.send.name == message


def left_out(scenario: Scenario, wait: str) -> list[tuple[str, Step]]:
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
