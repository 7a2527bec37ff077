"""Sending: one message of a journey, to LINE, once."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.context import Context, count_end, now, taken
from activities.heartbeats import let_finish
from tobiishi import metrics
from tobiishi.channels import holds
from tobiishi.channels.holds import Hold
from tobiishi.database import Connection
from tobiishi.journeys import deliveries, journeys
from tobiishi.journeys.deliveries import Delivery
from tobiishi.journeys.steps import StepDone
from tobiishi.line import (
    FriendNotFound,
    LineClient,
    LineError,
    QuotaSpent,
    RateLimited,
    Refused,
    Unauthorised,
    retry_key,
)
from tobiishi.logs import about
from tobiishi.people import friends
from tobiishi.people.friends import Friend
from tobiishi.plan import JourneyRef, Plan, Taken, Turn
from tobiishi.scenario import (
    Scenario,
    Send,
    noting,
    plan_after,
    plan_end,
    render,
    send_at,
    when_to_send,
)
from tobiishi.tracking.messages import postbacks_of, videos_of, with_tracking_ids

_log = logging.getLogger(__name__)

#: A name from LINE's profile is asked for again after so long.
PROFILE_LIFETIME = timedelta(days=7)


@dataclass(frozen=True)
class Sending:
    context: Context

    @activity.defn(name="send_message")
    async def send(self, turn: Turn) -> Taken:
        """Send the message unless something bars it. Returns what comes next.

        Tried again until LINE has answered for good. Every try carries the same retry key, so
        LINE accepts the message once however often it is asked.
        """
        return await let_finish(self._send(turn))

    async def _send(self, turn: Turn) -> Taken:
        plan, at = turn.plan, now()
        async with self.context.database.connection() as connection:
            scenario = await self.context.scenario(connection, turn.journey)
            step = send_at(scenario, plan.step)
            when = when_to_send(scenario, step, plan, at)
            if isinstance(when, Plan):
                turn, scenario = await self.context.begin(connection, turn)
                text = f"{step.name} waits for the delivery window"
                return await taken(connection, scenario, turn, text, at=at, plan=when)
            turn, claimed = await _claim(connection, turn, step, at)
        verdict = deliveries.verdict_on(claimed, now=at, too_late=when == "never")
        with noting() as notes:
            delivery = await self._follow(verdict, turn, step, claimed, at)
        text = _in_words(delivery)
        # What the friend's attributes are is kept in our database, and not in Temporal's.
        kept = "; ".join([text, *notes])
        is_over = delivery.status == "refused" and step.if_refused == "end"
        async with self.context.database.connection() as connection:
            answer = await taken(
                connection,
                scenario,
                turn,
                text,
                at=at,
                plan=_next_plan(scenario, turn, verdict, is_over=is_over, at=at),
                done=[
                    StepDone(
                        step=plan.step,
                        visit=plan.visit,
                        text=kept,
                        detail={"due": plan.due.isoformat()},
                    )
                ],
                delivery=delivery,
                refused_because=text if is_over else None,
            )
        if verdict != "settled":
            _log.info("%s", text, extra=about(turn.journey, delivery=delivery.retry_key))
            _count(turn.journey, delivery, late=at - plan.due)
        count_end(turn.journey, answer.outcome)
        return answer

    async def _follow(
        self,
        verdict: deliveries.Verdict,
        turn: Turn,
        step: Send,
        delivery: Delivery,
        at: datetime,
    ) -> Delivery:
        """Returns the delivery as the verdict, or LINE's answer, settles it."""
        match verdict:
            case "settled":
                return delivery
            case "ask_line":
                return await self._ask_line(turn, step, delivery, at)
            case "skip_late":
                reason = f"it was late: due {turn.plan.until}"
                return replace(delivery, status="skipped", reason=reason)
            case "new_key":
                return replace(delivery, status="skipped", reason="tried again a day later")
            case "unknown":
                reason = "LINE may have accepted it, and forgets its retry key after a day"
                return replace(delivery, status="unknown", reason=reason)

    async def _ask_line(self, turn: Turn, step: Send, delivery: Delivery, at: datetime) -> Delivery:
        """Push the message. Returns the delivery as LINE's answer settles it.

        Raises `ApplicationError`, to be tried again, where the answer settles nothing.
        """
        journey = turn.journey
        async with self.context.database.connection() as connection:
            channel, friend = await deliveries.recipient(connection, self.context.channels, journey)
        line = self.context.line(channel)
        try:
            if await self.context.uses_profile(turn, step):
                friend = await self._with_profile(line, friend, at)
            filled = render(step.messages, friend.variables())
            messages = await self._traceable(journey, step, delivery, filled)
            with metrics.timing_line(journey.channel):
                sent = await line.push(journey.friend, messages, retry_key=delivery.retry_key)
        except Refused as error:
            return replace(delivery, status="refused", reason=str(error))
        except LineError as error:
            raise await self._record_failed_attempt(line, journey, delivery, error, at) from error
        return replace(
            delivery,
            status="sent",
            reason=None,
            request_id=sent.request_id,
            message_ids=list(sent.message_ids),
        )

    async def _traceable(
        self,
        journey: JourneyRef,
        step: Send,
        delivery: Delivery,
        messages: Sequence[Mapping[str, Any]],
    ) -> list[dict[str, Any]]:
        """Returns the messages in a form that shows what the friend does with them.

        Links lead through us. What buttons and videos will answer is kept, before anybody can. The
        database is asked nothing where there is none of it.
        """
        traceable = with_tracking_ids(messages, delivery.retry_key)
        postbacks, videos = postbacks_of(traceable), videos_of(traceable)
        tracker = self.context.tracker
        tracked = tracker and tracker.tracked(links=step.track_links, images=step.track_images)
        links = tracked.links_of(traceable) if tracked else []
        if not (postbacks or videos or links):
            return traceable
        async with self.context.database.connection() as connection:
            if postbacks or videos:
                await deliveries.keep_traces(
                    connection, delivery, postbacks=postbacks, videos=videos
                )
            if tracker and tracked and links:
                addresses = await tracker.addresses(
                    connection,
                    links,
                    channel=journey.channel,
                    scenario=journey.scenario,
                    message=step.name,
                    friend=journey.friend,
                )
                traceable = tracked.rewritten(traceable, addresses.__getitem__)
        return traceable

    async def _with_profile(self, line: LineClient, friend: Friend, at: datetime) -> Friend:
        """Returns the friend with a name from LINE's profile, asked for unless known of late."""
        if friend.profile_at is not None and at - friend.profile_at < PROFILE_LIFETIME:
            return friend
        try:
            profile = await line.profile(friend.friend)
        except FriendNotFound:
            named = replace(friend, display_name=None, language=None, profile_at=at)
        except LineError:
            if friend.profile_at is None:
                raise
            return friend  # An old name is better than a late message.
        else:
            named = replace(
                friend,
                display_name=profile.display_name,
                language=profile.language,
                profile_at=at,
            )
        async with self.context.database.connection() as connection:
            await friends.keep_profile(connection, named)
        return named

    async def _record_failed_attempt(
        self,
        line: LineClient,
        journey: JourneyRef,
        delivery: Delivery,
        error: LineError,
        at: datetime,
    ) -> ApplicationError:
        """Record that the attempt settled nothing. Returns the error to raise for a retry."""
        if isinstance(error, RateLimited | QuotaSpent) and await _quota_is_spent(line):
            error = QuotaSpent.like(error)
        kind = type(error).__name__
        metrics.line_errors.labels(journey.channel, kind).inc()
        _log.warning("%s", error, extra=about(journey, delivery=delivery.retry_key))
        delay = None
        async with self.context.database.transaction() as connection:
            await deliveries.record_failed_attempt(
                connection, delivery, reason=str(error), ambiguous=error.ambiguous, at=at
            )
            if isinstance(error, QuotaSpent | Unauthorised):
                held = await self._hold_channel(connection, journey, error, at)
                delay = held.look_again(at)
        return ApplicationError(str(error), type=kind, next_retry_delay=delay)

    async def _hold_channel(
        self,
        connection: Connection,
        journey: JourneyRef,
        error: QuotaSpent | Unauthorised,
        at: datetime,
    ) -> Hold:
        """Hold the channel, as all its sends would fail, and log it once. Returns the hold."""
        spent = isinstance(error, QuotaSpent)
        held, is_new = await holds.put(
            connection,
            journey.channel,
            kind="quota" if spent else "token",
            reason=str(error),
            until=holds.month_turns(at) if spent else None,
            at=at,
        )
        if is_new:
            what = (
                "the month's messages are used up; sends go on when the month turns, or after "
                "`tobiishi resume` where there are more"
                if spent
                else "LINE does not take its access token; set a new one (tobiishi channel put)"
            )
            _log.error("channel %s: %s: %s", journey.channel, what, error, extra=about(journey))
        return held


async def _claim(
    connection: Connection, turn: Turn, step: Send, at: datetime
) -> tuple[Turn, Delivery]:
    """Returns the turn with its journey as the database knows it now, and the claimed delivery.

    Raises, to be tried again: `journeys.Unknown` where the database does not know the journey,
    `ApplicationError` where something holds the send back.
    """
    ref, plan = turn.journey, turn.plan
    claim = await deliveries.claim(
        connection,
        ref,
        retry_key=retry_key(ref.workflow_id, ref.entry, plan.step, plan.visit),
        step=plan.step,
        visit=plan.visit,
        message=step.name,
        at=at,
    )
    if claim is None:
        raise journeys.Unknown.of(ref)
    if claim.delivery is None:
        assert claim.hold is not None
        raise ApplicationError(
            f"held back: {claim.hold.reason}",
            type="Held",
            next_retry_delay=claim.hold.look_again(at),
            category=ApplicationErrorCategory.BENIGN,
        )
    return replace(turn, journey=replace(ref, journey_id=claim.journey_id)), claim.delivery


def _next_plan(
    scenario: Scenario, turn: Turn, verdict: deliveries.Verdict, *, is_over: bool, at: datetime
) -> Plan:
    plan = turn.plan
    if verdict == "new_key":  # A new visit has a retry key of its own.
        return replace(plan, visit=plan.visit + 1, due=at)
    if is_over:
        return plan_end(scenario, now=at)
    return plan_after(scenario, plan.step, started_at=turn.journey.started_at, now=at)


async def _quota_is_spent(line: LineClient) -> bool:
    """Returns whether the month's messages are used up: the text of a 429 is subject to change."""
    try:
        quota = await line.quota()
        return quota.limit is not None and await line.quota_consumption() >= quota.limit
    except LineError:
        return False


def _count(journey: JourneyRef, delivery: Delivery, *, late: timedelta) -> None:
    metrics.deliveries.labels(journey.channel, delivery.status).inc()
    if delivery.status == "sent":
        metrics.lateness.labels(journey.channel).observe(max(0.0, late.total_seconds()))


def _in_words(delivery: Delivery) -> str:
    if delivery.status == "sent":
        return f"sent {delivery.message}"
    if delivery.status == "unknown":
        return f"perhaps sent {delivery.message}: {delivery.reason}"
    return f"did not send {delivery.message}: {delivery.reason}"
