"""Deliveries over HTTP: those that somebody may want to look at."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import answers
from tobiishi.journeys import deliveries

router = APIRouter(
    prefix="/api/deliveries",
    tags=["deliveries"],
    dependencies=[Authorised],
    responses=answers(401, 404, 422, 503),
)


class Delivery(Described):
    """One message to one friend."""

    retry_key: UUID
    """The X-Line-Retry-Key that every try of it carries."""
    friend: str
    """The friend's LINE user id."""
    scenario: str
    """The scenario whose journey sends it."""
    entry: int
    """Which of the friend's journeys through the scenario it is, from 1."""
    message: str
    """The message's name in the scenario."""
    status: deliveries.Status
    """What became of it."""
    reason: str | None
    """LINE's words, or ours."""
    claimed_at: datetime
    """When the journey came to send it."""
    attempts: int
    """How often LINE was asked to send it."""


@router.get("", summary="Deliveries that wait for LINE, were refused, or may have been sent")
async def list_some(
    context: InContext,
    status: Literal["claimed", "unknown", "refused"] = "unknown",
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    channel: InChannel = DEFAULT_CHANNEL,
) -> list[Delivery]:
    """The latest first. A next page is `before` the `retry_key` of the last one of this page.

    `unknown`: LINE may or may not have taken it, and nothing is sent blind. `claimed`: it is being
    sent, or waits for LINE.
    """
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
        found = await deliveries.to_look_at(connection, channel, status, before=before, limit=limit)
    return [
        Delivery(
            friend=each.friend,
            scenario=each.scenario,
            entry=each.entry,
            **{
                name: getattr(each.delivery, name)
                for name in ("retry_key", "message", "status", "reason", "claimed_at", "attempts")
            },
        )
        for each in found
    ]
