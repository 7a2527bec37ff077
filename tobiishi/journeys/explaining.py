"""Why a friend got a message, or did not: from what is kept to sentences. Pure.

What the kept facts do not show is said to be unknown, and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tobiishi.journeys.deliveries import Delivery
from tobiishi.journeys.kept import Adding, KeptFacts, Offered, Walked
from tobiishi.journeys.stories import (
    Story,
    Times,
    friend_of,
    is_at,
    left_out,
    numbers_of,
    path_to,
    ways_to,
)
from tobiishi.scenario import AfterDays
from tobiishi.words import Sentence

#: Of how many scenarios it is told why a friend is in none of them.
MOST_SCENARIOS = 5


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


def explain(kept: KeptFacts, question: Question) -> list[Paragraph]:
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
    kept: KeptFacts, walked: Sequence[Walked], message: str, *, every: bool
) -> list[Paragraph]:
    got = _got(walked, message)
    if got and every:
        return [_on_delivery(kept, *each) for each in got]
    if got:
        return [_on_delivery(kept, *got[0], others=[delivery for _, delivery in got[1:]])]
    been_in = {each.name for each in walked}
    if theirs := [offered for offered in kept.offered if offered.name in been_in]:
        return [_why_not(kept, walked, offered, message) for offered in theirs]
    return _of_some(kept, message)


def _on_scenario(kept: KeptFacts, walked: Sequence[Walked], scenario: str) -> Paragraph:
    (offered,) = (each for each in kept.offered if each.name == scenario)
    if not walked:
        return _why_never_in(kept, offered)
    last = walked[-1]
    paragraph = _on_journey(kept, last)
    if not last.is_over and last.journey.stopping is None:
        return paragraph
    times = Times(offered.rule.timezone, last=kept.now)
    again = _on_entering_again(kept, offered, last, times)
    return replace(paragraph, sentences=(*paragraph.sentences, *again))


def _on_nothing(kept: KeptFacts) -> list[Paragraph]:
    opening = Sentence("never_in_any", {"friend": friend_of(kept.friend)})
    if not kept.offered:
        return [Paragraph(sentences=(opening, Sentence("no_scenarios")))]
    return [Paragraph(sentences=(opening,)), *_of_some(kept)]


def _of_some(kept: KeptFacts, message: str | None = None) -> list[Paragraph]:
    """Why they never entered the scenarios asked about, those first that somebody may enter."""
    live_first = sorted(kept.offered, key=lambda offered: offered.live is None)
    shown = live_first[:MOST_SCENARIOS]
    paragraphs = [_why_never_in(kept, offered, message) for offered in shown]
    if more := len(kept.offered) - len(shown):
        paragraphs.append(Paragraph(sentences=(Sentence("too_many_scenarios", {"count": more}),)))
    return paragraphs


def _on_delivery(
    kept: KeptFacts, walked: Walked, delivery: Delivery, others: Sequence[Delivery] = ()
) -> Paragraph:
    """How it came that this message was sent."""
    times = Times(walked.scenario.timezone)
    story = Story(kept, walked, times)
    sentences = [story.entered()]
    if is_at(walked.scenario, delivery.step, delivery.message):
        above = [story.decided(step) for step, _ in ways_to(delivery.step)]
        sentences += [story.taken(entry) for entry in above if entry]
    sentences += story.delivered(delivery)
    if others:
        moments = tuple(times.on(each.settled_at or each.claimed_at) for each in others)
        sentences.append(Sentence("also_sent", {"count": len(others), "times": moments}))
    return Paragraph(
        sentences=tuple(sentences), scenario=walked.name, walked=walked, delivery=delivery
    )


def _on_journey(kept: KeptFacts, walked: Walked) -> Paragraph:
    """Everything that a journey did, and how it ended or where it is."""
    story = Story(kept, walked, Times(walked.scenario.timezone))
    sentences = [story.entered(), *story.steps(), *story.position()]
    return Paragraph(sentences=tuple(sentences), scenario=walked.name, walked=walked)


# --- why not


def _why_not(
    kept: KeptFacts, walked: Sequence[Walked], offered: Offered, message: str
) -> Paragraph:
    """Why they did not get a message of that scenario."""
    last = [each for each in walked if each.name == offered.name][-1]
    story = Story(kept, last, Times(last.scenario.timezone))
    sentences = [_not_sent(kept, offered, message), story.entered(briefly=True)]
    sentences += _why_not_in_journey(story, message)
    return Paragraph(sentences=tuple(sentences), scenario=offered.name, walked=last)


def _not_sent(kept: KeptFacts, offered: Offered, message: str) -> Sentence:
    return Sentence(
        "not_sent",
        {"friend": friend_of(kept.friend), "scenario": offered.title, "message": message},
    )


def _why_not_in_journey(story: Story, message: str) -> list[Sentence]:
    walked, named = story.walked, {"message": message}
    path = path_to(walked.scenario, message)
    if path is None:
        version = {"version": walked.journey.ref.version}
        return [Sentence("not_in_version", {**version, **named}), *story.position()]
    if tried := [each for each in walked.deliveries if each.message == message]:
        is_open = tried[-1].status == "claimed" and not walked.is_over
        return [*story.delivered(tried[-1]), *(story.held() if is_open else story.position())]
    return _why_not_reached(story, path, message)


def _why_not_reached(story: Story, path: str, message: str) -> list[Sentence]:
    """Why the journey has not come to the step of the message, at `path`."""
    walked, named = story.walked, {"message": message}
    sentences = list[Sentence]()
    for step, way in ways_to(path):
        entry = story.decided(step)
        if entry is None:
            break
        if entry.detail.get("case", entry.detail.get("way")) != way:
            code = "on_other_way" if "case" in entry.detail else "on_other_way_of_wait"
            return [*sentences, story.taken(entry, other=way), Sentence(code, named)]
        sentences.append(story.taken(entry))
    for entry in walked.trail:
        skipped = left_out(walked.scenario, entry.step) if entry.detail.get("past") else []
        if any(f"{path}.".startswith(f"{step}.") for step, _ in skipped):
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
    is_ahead = bool(next_step.step) and numbers_of(next_step.step) < numbers_of(path)
    return [Sentence("not_yet", named) if is_ahead else Sentence("not_known")]


def _why_never_in(kept: KeptFacts, offered: Offered, message: str | None = None) -> Paragraph:
    """Why they never entered a scenario, as far as what is kept shows it."""
    times = Times(offered.rule.timezone)
    params = {"friend": friend_of(kept.friend), "scenario": offered.title}
    opening = Sentence("not_in_scenario", params)
    if message:
        opening = _not_sent(kept, offered, message)
    causes = [*_status(kept, times), *_closed(kept, offered, times)]
    if message and offered.live is not None and offered.with_message != offered.live:
        causes.append(Sentence("not_in_live_version", {"version": offered.with_message}))
    causes += _start_not_met(kept, offered, times)
    sentences = (opening, *(causes or [Sentence("not_known")]))
    return Paragraph(sentences=sentences, scenario=offered.name)


def _status(kept: KeptFacts, times: Times) -> Iterator[Sentence]:
    if kept.friend.status != "blocked":
        return
    if kept.status_since is None:
        yield Sentence("blocked")
    else:
        yield Sentence("blocked_since", {"since": times.on(kept.status_since)})


def _closed(kept: KeptFacts, offered: Offered, times: Times) -> Iterator[Sentence]:
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


def _start_not_met(kept: KeptFacts, offered: Offered, times: Times) -> Iterator[Sentence]:
    if offered.rule.start.audience is not None:
        yield from _joining_not_met(kept, offered, offered.rule.start.audience, times)
    else:
        yield from _adding_not_met(kept, offered, times)


def _joining_not_met(
    kept: KeptFacts, offered: Offered, audience: str, times: Times
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
    yield from _not_open_then(offered, joined, times)


_ENROLMENTS = ("running", "paused", "cancelled")


def _not_open_then(offered: Offered, at: datetime, times: Times) -> Iterator[Sentence]:
    """Why they did not enter at the moment at which they met what is the start condition now."""
    rule = offered.rule_at(at)
    if rule and rule.start != offered.rule.start:
        params = {"when": times.on(at), "version": rule.version}
        yield Sentence("started_otherwise", params)
    elif rule and (rule.is_past(at) or not rule.has_begun(at)):
        yield Sentence("outside_period", {"when": times.on(at)})
    else:
        yield Sentence("not_known")


def _adding_not_met(kept: KeptFacts, offered: Offered, times: Times) -> Iterator[Sentence]:
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
        yield from _not_open_then(offered, added.at, times)


def _on_entering_again(
    kept: KeptFacts, offered: Offered, last: Walked, times: Times
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
    if audience and audience in kept.joinings:
        yield from _joining_not_met(kept, offered, audience, times)
        return
    if audience and later:
        params = {"audience": kept.titles.audience(audience)}
        yield Sentence("rejoined", {**params, "joined": times.on(later[0].joined_at)})
    start, added = rule.start.friend_added, kept.added
    is_again = start and added and (start.unblocked or not added.unblocked)
    if is_again and added and ended and added.at > ended:
        yield Sentence("added_again", {"when": times.on(added.at)})
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
