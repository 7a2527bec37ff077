"""The starter's ASGI app: its routes, and what its errors answer."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from tobiishi.api import (
    attributes,
    audiences,
    by_hand,
    channels,
    codec,
    deliveries,
    differences,
    enrolments,
    events,
    friends,
    health,
    holds,
    home,
    links,
    pace,
    reference,
    rehearsals,
    routes,
    scenarios,
    schedule,
    sites,
    stuck,
    trials,
    uploads,
    webhook,
    why,
)
from tobiishi.api.context import Context
from tobiishi.database import Unavailable
from tobiishi.errors import InUse, Invalid, NotFound
from tobiishi.journeys.by_hand import Barred
from tobiishi.scenario import ScenarioError
from tobiishi.settings import Settings
from tobiishi.tracking.links import PATHS

_log = logging.getLogger(__name__)

#: Bytes of a request's body: LINE's webhooks, scenario files and 10,000 ids are smaller.
MAX_BODY_BYTES = 1_000_000


def create_app(settings: Settings) -> FastAPI:
    """The app; its parts open when it starts and close when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Context.open(settings) as context:
            app.state.context = context
            yield

    app = FastAPI(
        title="Tobiishi",
        summary="Step messages for LINE Official Accounts",
        version=version("tobiishi"),
        lifespan=lifespan,
        # FastAPI's own load their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        # Bodies are read before the token is looked at: nobody's may fill the memory.
        max_body_size=MAX_BODY_BYTES,
        generate_unique_id_function=_operation_id,
    )
    for noun in (
        webhook,
        scenarios,
        by_hand,
        differences,
        trials,
        rehearsals,
        enrolments,
        audiences,
        uploads,
        attributes,
        friends,
        why,
        events,
        channels,
        codec,
        deliveries,
        schedule,
        holds,
        stuck,
        pace,
        sites,
        links,
        routes,
        health,
    ):
        app.include_router(noun.router)
    app.include_router(sites.public)
    app.include_router(codec.public)
    app.include_router(routes.public)
    app.include_router(home.router)
    reference.add_to(app)
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(Invalid, _invalid)
    app.add_exception_handler(InUse, _in_use)
    app.add_exception_handler(Barred, _barred)
    app.add_exception_handler(ScenarioError, _wrong_scenario)
    app.add_exception_handler(RequestValidationError, _wrong_request)
    app.add_exception_handler(asyncpg.DataError, _unkeepable)
    app.add_exception_handler(ClientDisconnect, _gone)
    for away in Unavailable:
        app.add_exception_handler(away, _unavailable)
    app.add_middleware(_WithoutLastSlash)
    return app


class _WithoutLastSlash:
    """Answers `/webhook/` as `/webhook`, where a redirect would lose the request.

    Neither LINE nor most clients that bring a body follow one, nor do load balancers that look
    after our health. Browsers that open a page do, and its relative addresses need it.
    """

    #: Those whose name is with the slash: a redirect would bring it back.
    _WITH_IT = frozenset(f"/{each}/" for each in PATHS.values())

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and (
            (scope["method"] not in {"GET", "HEAD"} and path not in self._WITH_IT)
            or path in {f"{each}/" for each in health.PATHS}
        ):
            scope = {**scope, "path": path.removesuffix("/") or "/"}
        await self._app(scope, receive, send)


def _operation_id(route: APIRoute) -> str:
    """What clients that are made from the reference call the operation: `friends_retag`."""
    return f"{route.tags[0]}_{route.name}"


class _Problem(JSONResponse):
    """JSON in ASCII: what is quoted of a request may hold what UTF-8 can't."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content).encode()


async def _not_found(_: Request, error: Exception) -> JSONResponse:
    return _Problem({"detail": str(error)}, 404)


async def _in_use(_: Request, error: Exception) -> JSONResponse:
    return _Problem({"detail": str(error)}, 409)


async def _barred(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Barred)
    return _Problem({"detail": str(error), "code": error.code}, 409)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    return _Problem({"detail": str(error)}, 400)


async def _wrong_scenario(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ScenarioError)
    return _Problem({"detail": str(error), "problems": error.as_dicts()}, 422)


async def _wrong_request(_: Request, error: Exception) -> JSONResponse:
    """As FastAPI's own, without the input: that may be a secret, or no JSON at all (NaN)."""
    assert isinstance(error, RequestValidationError)
    names = ("type", "loc", "msg")
    problems = [{name: problem[name] for name in names} for problem in error.errors()]
    return _Problem({"detail": problems}, 422)


async def _unkeepable(_: Request, error: Exception) -> JSONResponse:
    return _Problem({"detail": f"the request holds what Postgres can't keep: {error}"}, 400)


async def _gone(request: Request, _: Exception) -> Response:
    """Anybody may hang up in the middle of a body: that is no fault of ours, and no traceback."""
    _log.debug("%s %r: the client went away", request.method, request.url.path)
    return Response(status_code=400)  # Nobody reads it.


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    return _Problem(
        {"detail": f"the database can't be reached ({type(error).__name__}); try again"},
        503,
        headers={"Retry-After": "5"},
    )
