"""LINE (the simulator), Temporal, the starter and the worker, each on a port of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.serving import serving
from tobiishi.settings import Settings
from tobiishi.simulator import ACCESS_TOKEN, create_simulator

API_TOKEN = "api-token"
SECRET = "channel-secret"


@dataclass(frozen=True)
class Line:
    """The simulator, as tests use it."""

    http: httpx.AsyncClient

    @property
    def url(self) -> str:
        return str(self.http.base_url).rstrip("/")

    async def messages(self, to: str | None = None) -> list[dict[str, Any]]:
        answer = await self.http.get("/_simulator/messages", params={"to": to} if to else {})
        messages: list[dict[str, Any]] = answer.raise_for_status().json()
        return messages

    async def texts(self, to: str | None = None) -> list[str]:
        """The first text of each message that arrived, in order."""
        return [message["messages"][0]["text"] for message in await self.messages(to)]

    async def add_friend(self, **friend: Any) -> str:
        answer = await self.http.post("/_simulator/friends", json=friend)
        user_id: str = answer.raise_for_status().json()["userId"]
        return user_id

    async def block(self, friend: str) -> None:
        (await self.http.delete(f"/_simulator/friends/{friend}")).raise_for_status()

    async def faults(self, **faults: Any) -> None:
        (await self.http.put("/_simulator/faults", json=faults)).raise_for_status()


@pytest.fixture
async def line(starter_port: int) -> AsyncIterator[Line]:
    """A LINE platform whose webhooks go to the starter."""
    app = create_simulator(
        webhook_url=f"http://127.0.0.1:{starter_port}/webhook", channel_secret=SECRET
    )
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as http:
        yield Line(http)


@pytest.fixture
def settings(dsn: str, line: Line, starter_port: int, secret_key: SecretStr) -> Settings:
    return Settings(
        port=starter_port,
        api_token=SecretStr(API_TOKEN),
        secret_key=secret_key,
        database_url=dsn,
        line_channel_secret=SecretStr(SECRET),
        line_channel_access_token=SecretStr(ACCESS_TOKEN),
        line_api_base_url=line.url,
    )
