"""How fast messages are sent, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from pydantic import ConfigDict, Field
from temporalio.service import RPCError

from tobiishi.api.context import Authorised, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import answers
from tobiishi.channels import pacing

router = APIRouter(
    prefix="/api/pace", tags=["pace"], dependencies=[Authorised], responses=answers(401, 503)
)


class PaceBody(Described):
    """What to set, as messages a second."""

    model_config = ConfigDict(extra="forbid")

    per_channel: float | None = Field(default=None, ge=1, le=pacing.MAX_PER_SECOND)
    """To the friends of each channel; null: as many as LINE allows, 2,000."""
    together: float | None = Field(default=None, ge=1, le=1_000_000)
    """Of all channels together; null: no limit."""


class Pace(Described):
    """Messages a second, at most, by all workers together."""

    model_config = ConfigDict(from_attributes=True)

    per_channel: float | None
    """To the friends of each channel; null: as many as LINE allows, 2,000."""
    together: float | None
    """Of all channels together; null: no limit."""


@router.get("", summary="How fast messages are sent, at most")
async def show(context: InContext) -> Pace:
    """503 while Temporal, which keeps it, is away."""
    try:
        return Pace.model_validate(await pacing.current(context.temporal))
    except (RPCError, RuntimeError) as error:
        raise _away(error) from error


@router.put(
    "",
    summary="Have messages sent faster or slower, within seconds",
    responses=answers(400, 413, 422),
)
async def put(body: PaceBody, context: InContext) -> Pace:
    """Nothing restarts. 503 while Temporal is away."""
    pace = pacing.Pace(
        per_channel=body.per_channel or pacing.MAX_PER_SECOND, together=body.together
    )
    try:
        await pacing.change(context.temporal, pace, reason="set through the API")
        return Pace.model_validate(await pacing.current(context.temporal))
    except (RPCError, RuntimeError) as error:
        raise _away(error) from error


def _away(error: Exception) -> HTTPException:
    return HTTPException(503, f"Temporal can't be asked ({error}); try again")
