"""Deliveries over HTTP: those that somebody may want to look at."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response

from tobiishi.api import paging
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
    status: deliveries.DeliveryStatus
    """What became of it."""
    reason: str | None
    """LINE's words, or ours."""
    claimed_at: datetime
    """When the journey came to send it."""
    attempts: int
    """How often LINE was asked to send it."""


@router.get("", summary="Deliveries that wait for LINE, were refused, or may have been sent")
async def list_some(
    request: Request,
    response: Response,
    context: InContext,
    status: Literal["claimed", "unknown", "refused"] = "unknown",
    after: Annotated[UUID | None, paging.after("`retry_key`")] = None,
    limit: paging.Limit = 100,
    channel: InChannel = DEFAULT_CHANNEL,
) -> list[Delivery]:
    """The latest first.

    `unknown`: LINE may or may not have taken it, and nothing is sent blind. `claimed`: it is being
    sent, or waits for LINE.
    """
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
        found = await deliveries.to_look_at(connection, channel, status, after=after, limit=limit)
    if found:
        paging.name_next(request, response, found, limit, found[-1].delivery.retry_key)
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
