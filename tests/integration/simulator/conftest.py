"""The simulator on a real socket, LINE's own SDK to talk to it, and somebody who takes webhooks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from linebot.v3 import messaging
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.serving import serving
from tobiishi.simulator import ACCESS_TOKEN, create_simulator

FRIEND = "U" + "a" * 32


@dataclass
class Clock:
    """A clock that tests move ahead."""

    ahead: float = 0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Receiver:
    """Takes webhooks, and answers with the next of `statuses`, then with 200."""

    statuses: list[int] = field(default_factory=list)
    #: Seconds that each answer takes.
    delay: float = 0
    #: Body and signature of each request.
    taken: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    async def take(self, request: Request) -> Response:
        self.taken.append(((await request.body()).decode(), request.headers["x-line-signature"]))
        await asyncio.sleep(self.delay)
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for body, _ in self.taken for event in json.loads(body)["events"]]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = Starlette(routes=[Route("/webhook", receiver.take, methods=["POST"])])
    async with serving(app) as url:
        receiver.url = f"{url}/webhook"
        yield receiver


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def simulator(receiver: Receiver, clock: Clock) -> AsyncIterator[str]:
    """The simulator's URL."""
    async with serving(create_simulator(webhook_url=receiver.url, clock=clock)) as url:
        yield url


@pytest.fixture
async def http(simulator: str) -> AsyncIterator[httpx.AsyncClient]:
    """Plain HTTP to the simulator, with its access token."""
    headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
    async with httpx.AsyncClient(base_url=simulator, headers=headers) as client:
        yield client


@pytest.fixture(scope="session")
async def shared() -> AsyncIterator[httpx.AsyncClient]:
    """A simulator for tests that leave nothing behind."""
    headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
    async with (
        serving(create_simulator()) as url,
        httpx.AsyncClient(base_url=url, headers=headers) as client,
    ):
        yield client


@pytest.fixture
async def line(simulator: str) -> AsyncIterator[messaging.AsyncMessagingApi]:
    """LINE's own client."""
    configuration = messaging.Configuration(host=simulator, access_token=ACCESS_TOKEN)
    async with messaging.AsyncApiClient(configuration) as client:
        yield messaging.AsyncMessagingApi(client)
