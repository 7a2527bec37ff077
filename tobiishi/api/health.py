"""Whether the starter lives, whether it can do its work, and what it has done."""

from __future__ import annotations

from fastapi import APIRouter, Response

from tobiishi import metrics, readiness
from tobiishi.api.context import Authorised, InContext
from tobiishi.api.errors import answers, documents

router = APIRouter(tags=["health"])

#: What monitors ask for.
PATHS = ("/healthz", "/readyz", "/metrics")


@router.get("/healthz", summary="Whether the process answers")
async def alive() -> dict[str, str]:
    return {"status": readiness.OK}


@router.get(
    "/readyz",
    summary="Whether webhooks can be kept and journeys started",
    responses={503: {"model": dict[str, str], "description": "A part is not `ok`"}},
)
async def ready(context: InContext, response: Response) -> dict[str, str]:
    """200 with every part `ok`, or 503 naming the part that is not."""
    parts = {"relay": readiness.OK if context.relay.is_running else "stopped"}
    parts |= await readiness.of_both(context.database, context.temporal)
    if set(parts.values()) != {readiness.OK}:
        response.status_code = 503
    return parts


@router.get(
    "/metrics",
    summary="Metrics, for Prometheus",
    dependencies=[Authorised],
    response_class=Response,
    responses=answers(401) | documents("text/plain"),
)
async def show_metrics(context: InContext) -> Response:
    """What this starter counted, and what the database and Temporal know: docs/monitoring.md."""
    body = metrics.counted() + await context.gauges.collect()
    return Response(body, media_type=metrics.CONTENT_TYPE)
