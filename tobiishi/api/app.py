"""The starter's ASGI app: its routes, and what its errors answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from tobiishi.api import audiences, channels, friends, health, scenarios, webhook
from tobiishi.api.context import Context
from tobiishi.database import Unavailable
from tobiishi.errors import Invalid, NotFound
from tobiishi.scenario import ScenarioError
from tobiishi.settings import Settings


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
        version="0.1.0",
        lifespan=lifespan,
    )
    for noun in (webhook, scenarios, audiences, friends, channels, health):
        app.include_router(noun.router)
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(Invalid, _invalid)
    app.add_exception_handler(ScenarioError, _wrong_scenario)
    for away in Unavailable:
        app.add_exception_handler(away, _unavailable)
    return app


async def _not_found(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 404)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 400)


async def _wrong_scenario(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ScenarioError)
    return JSONResponse({"detail": str(error), "problems": error.as_dicts()}, 422)


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse(
        {"detail": f"the database can't be reached ({type(error).__name__}); try again"},
        503,
        headers={"Retry-After": "5"},
    )
