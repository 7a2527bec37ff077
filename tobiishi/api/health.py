"""Whether the starter lives, and whether it can do its work."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response

from tobiishi.api.context import InContext
from tobiishi.database import Unavailable

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process answers")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz", summary="Whether webhooks can be kept and journeys started")
async def readyz(context: InContext, response: Response) -> dict[str, str]:
    """200 with every part `ok`, or 503 naming the part that is not."""
    parts = {"relay": "ok" if context.relay.is_running else "stopped"}
    try:
        async with asyncio.timeout(2), context.database.connection() as connection:
            await connection.execute("select 1")
        parts["database"] = "ok"
    except Unavailable as error:
        parts["database"] = f"away: {type(error).__name__}"
    try:
        async with asyncio.timeout(2):
            await context.temporal.service_client.check_health()
        parts["temporal"] = "ok"
    except Exception as error:  # The SDK raises RuntimeError, RPCError or a time-out.
        parts["temporal"] = f"away: {type(error).__name__}"
    if set(parts.values()) != {"ok"}:
        response.status_code = 503
    return parts
