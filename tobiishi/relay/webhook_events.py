"""Webhook events: a friend was added, blocked, unblocked or acted, and what follows from it."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from tobiishi import webhooks
from tobiishi.database import Connection
from tobiishi.journeys import journeys
from tobiishi.people import friends
from tobiishi.relay import answers
from tobiishi.relay.queue import Queue, attempt
from tobiishi.routes import routes


class WebhookEvents(Queue):
    """Webhook events that were stored and not handled yet."""

    async def handle_one(self, connection: Connection, now: datetime) -> bool:
        taken = await webhooks.take(connection, now=now, limit=1)
        for event in taken:
            async with (
                attempt(
                    f"webhook event {event.webhook_event_id}",
                    attempts=event.attempts,
                    postpone=partial(webhooks.postpone, connection, event),
                    now=now,
                ),
                connection.transaction(),
            ):
                await apply_event(connection, event)
                await webhooks.handled(connection, event, now=now)
        return bool(taken)


async def apply_event(connection: Connection, kept: webhooks.KeptEvent) -> None:
    """Apply the consequences of one webhook event."""
    channel, friend = kept.channel, kept.friend
    if friend is None:
        return  # Nobody to act on: the friend never consented, or the event is about a group.
    match kept.type:
        case "follow":
            await routes.match_friend_add(connection, channel, friend, kept.occurred_at)
            # One that is late tells no status, but the friend was added all the same: who has
            # blocked the channel since is not enrolled.
            known = await friends.set_status(
                connection, channel, friend, "following", kept.occurred_at
            ) or await friends.get(connection, channel, friend)
            if kept.is_standby:
                return
            await routes.start_on_friend_add(
                connection, kept, friend, route=known.route, now=kept.received_at
            )
        case "unfollow":
            if await friends.set_status(connection, channel, friend, "blocked", kept.occurred_at):
                await journeys.stop_all_of_friend(
                    connection, channel, friend, "unfollowed", because="blocked the channel"
                )
        case "unsend":
            await webhooks.forget_message(connection, kept)
        case _:
            await friends.meet(connection, channel, friend, kept.occurred_at)
            await answers.follow(connection, kept)
