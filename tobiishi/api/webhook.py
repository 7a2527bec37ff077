"""The door that LINE knocks on."""

from __future__ import annotations

from fastapi import APIRouter, Request

from tobiishi.api.context import DEFAULT_CHANNEL, InContext
from tobiishi.api.errors import Answers, Problem, answers

router = APIRouter(tags=["webhook"])

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
    await context.intake.take(
        channel, await request.body(), request.headers.get("x-line-signature", "")
    )
    return {}


@router.post(
    "/webhook",
    summary="Take webhook events of the default LINE channel",
    responses=_ANSWERS,
)
async def take_default(request: Request, context: InContext) -> dict[str, str]:
    """The same for the channel that the environment describes."""
    return await take(DEFAULT_CHANNEL, request, context)
