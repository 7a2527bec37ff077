"""The door that LINE knocks on."""

from __future__ import annotations

import asyncio
import logging

from fastapi import APIRouter, HTTPException, Request

from tobiishi import metrics, webhooks
from tobiishi.api.context import DEFAULT_CHANNEL, InContext
from tobiishi.api.errors import Answers, Problem, answers
from tobiishi.database import clock
from tobiishi.line import is_signed_by

router = APIRouter(tags=["webhook"])
_log = logging.getLogger(__name__)

#: LINE gives up after 2 s; a database slower than this is as good as away, and LINE redelivers.
TIMEOUT_SECONDS = 1.5
#: What is longer is read in a thread.
LONG_BODY_BYTES = 20_000

_ANSWERS: Answers = answers(400, 404, 413, 422, 503) | {
    401: {"model": Problem, "description": "The signature is not of the channel's secret"}
}


@router.post(
    "/webhook/{channel}",
    summary="Take webhook events of a LINE channel",
    responses=_ANSWERS,
)
async def take(channel: str, request: Request, context: InContext) -> dict[str, str]:
    """Keep every event, then answer; what follows from them follows after.

    401 for a wrong signature, 404 for an unknown channel, 413 over 1 MB, 400 for a body that is
    no webhook, 503 while the database is away (LINE then redelivers, where that is switched on).
    """
    body = await request.body()
    async with asyncio.timeout(TIMEOUT_SECONDS):
        async with context.database.connection() as connection:
            known = await context.channels.get(connection, channel)
            received_at = await clock(connection)
        # Before anything else of the body is believed:
        # https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
        if not is_signed_by(known.secret, body, request.headers.get("x-line-signature", "")):
            raise HTTPException(
                401, f"X-Line-Signature does not match the secret of channel {channel!r}"
            )
        if len(body) > LONG_BODY_BYTES:
            # A thousand events take a while to read, in which other webhooks must not wait.
            events = await asyncio.to_thread(webhooks.read, channel, body, received_at=received_at)
        else:
            events = webhooks.read(channel, body, received_at=received_at)
        if events:
            async with context.database.connection() as connection:
                new = await webhooks.keep(connection, channel, events)
            metrics.webhook_events.labels(channel).inc(new)
            _log.info("channel %s: %d webhook events, %d new", channel, len(events), new)
            context.relay.events.ring()
    return {}


@router.post(
    "/webhook",
    summary="Take webhook events of the default LINE channel",
    responses=_ANSWERS,
)
async def take_default(request: Request, context: InContext) -> dict[str, str]:
    """The same for the channel that the environment describes."""
    return await take(DEFAULT_CHANNEL, request, context)
