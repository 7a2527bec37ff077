"""Stuck rows over HTTP: what the relay can't apply, to be tried again or dropped."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict

from tobiishi.api import paging
from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import answers
from tobiishi.relay import stuck
from tobiishi.relay.stuck import QueueName

router = APIRouter(
    prefix="/api/stuck",
    tags=["stuck"],
    dependencies=[Authorised],
    responses=answers(401, 404, 422, 503),
)

RowId = Annotated[str, Path(description="The row's `id`.", max_length=128)]


class StuckRow(Described):
    """Something that follows from an event or a change, and failed again and again."""

    model_config = ConfigDict(from_attributes=True)

    key: str
    """Its queue and its id."""
    channel: str
    """The LINE channel."""
    queue: QueueName
    """The queue that it waits in."""
    id: str
    """Its id there."""
    friend: str | None
    """The friend's LINE user id, where it is about one friend."""
    what: str
    """What happened, or is to be done."""
    attempts: int
    """How often it failed."""
    since: datetime
    """Since when it waits."""
    retry_at: datetime | None
    """When it is tried next; null: at once."""
    error: str | None
    """Why it failed last."""


@router.get("", summary="What failed again and again, and waits for somebody")
async def list_all(
    request: Request,
    response: Response,
    context: InContext,
    after: Annotated[str, paging.after("`key`")] = "",
    limit: paging.Limit = 100,
    channel: InChannel = DEFAULT_CHANNEL,
) -> list[StuckRow]:
    """In the order of their keys. Each is tried again every 30 seconds all the same."""
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
        found = await stuck.page(connection, channel, after=after, limit=limit)
    if found:
        paging.name_next(request, response, found, limit, found[-1].key)
    return [StuckRow.model_validate(each) for each in found]


@router.post("/{queue}/{id}/retry", summary="Try at once")
async def retry(
    queue: QueueName, id: RowId, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> StuckRow:
    async with context.database.transaction() as connection:
        found = await stuck.retry(connection, channel, queue, id)
    for each in context.relay.loops:
        each.ring()
    return StuckRow.model_validate(found)


@router.post("/{queue}/{id}/drop", summary="Let it go: it is never done", responses=answers(400))
async def drop(
    queue: QueueName, id: RowId, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> StuckRow:
    """A journey that can't be started or stopped is over by that; an enrolment is cancelled.

    400 for somebody who is to be forgotten: that is tried until it is done.
    """
    async with context.database.transaction() as connection:
        found = await stuck.drop(connection, channel, queue, id, now=context.database.now())
    return StuckRow.model_validate(found)
