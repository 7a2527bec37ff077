"""All of Tobiishi in one loop: LINE (the simulator), the starter, a worker, and a clock to turn."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.context import Context
from tests.eventually import eventually
from tests.ports import free_port
from tests.serving import serving
from tobiishi import temporal
from tobiishi.api import create_app
from tobiishi.channels.channels import Channels
from tobiishi.database import Database
from tobiishi.local.run import EXAMPLE_SHOP
from tobiishi.plan import JourneyResult
from tobiishi.settings import Settings
from tobiishi.simulator import ACCESS_TOKEN, create_simulator
from tobiishi.tracking.links import LinkTracker
from worker import working
from workflows import JourneyWorkflow

API_TOKEN = "api-token"
SECRET = "channel-secret"
EXAMPLES = Path(__file__).parents[2] / "examples"
TEST_SERVER = Path(sys.executable).with_name("temporal-test-server")


@dataclass(frozen=True)
class Line:
    """The simulator, as tests use it."""

    http: httpx.AsyncClient

    async def messages(self, to: str) -> list[dict[str, Any]]:
        answer = await self.http.get("/_simulator/messages", params={"to": to})
        messages: list[dict[str, Any]] = answer.raise_for_status().json()
        return messages

    async def texts(self, to: str) -> list[str]:
        """The first text of each message that arrived, in order."""
        return [message["messages"][0]["text"] for message in await self.messages(to)]

    async def got(self, to: str, *texts: str) -> None:
        """Wait until the friend has got just these, in this order."""
        seen = await eventually(lambda: self.texts(to), lambda seen: len(seen) >= len(texts))
        assert seen == list(texts)

    async def add_friend(self, **friend: Any) -> str:
        answer = await self.http.post("/_simulator/friends", json=friend)
        user_id: str = answer.raise_for_status().json()["userId"]
        return user_id

    async def block(self, friend: str) -> None:
        (await self.http.delete(f"/_simulator/friends/{friend}")).raise_for_status()

    async def faults(self, **faults: Any) -> None:
        (await self.http.put("/_simulator/faults", json=faults)).raise_for_status()


@dataclass(frozen=True)
class Shop:
    """A shop that uses Tobiishi, and the clock that its journeys go by."""

    line: Line
    #: The HTTP API, with its token.
    api: httpx.AsyncClient
    env: WorkflowEnvironment
    #: The shop's own pages, with the tag.
    site: str

    async def publish_example(self, name: str) -> None:
        """Publish one of `examples/`, with this shop in place of the one it speaks of."""
        host = self.site.removeprefix("http://").removesuffix("/shop")
        (await self.api.put(f"/api/sites/{host}")).raise_for_status()
        text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
        await self.publish(text.replace(EXAMPLE_SHOP, self.site))

    async def meet(self, **friend: Any) -> str:
        """A friend who is known, and starts nothing but what friend-adding starts."""
        user_id = await self.line.add_friend(**friend)

        async def look() -> bool:
            return (await self.api.get(f"/api/friends/{user_id}")).is_success

        await eventually(look)
        return user_id

    async def publish(self, scenario: str) -> dict[str, Any]:
        answer = await self.api.post("/api/scenarios", content=scenario.encode())
        assert answer.status_code == 200, answer.text
        published: dict[str, Any] = answer.json()
        return published

    async def join(self, audience: str, *friends: str) -> None:
        await self.api.put(f"/api/audiences/{audience}", json={})
        path = f"/api/audiences/{audience}/members"
        (await self.api.post(path, json={"friends": friends})).raise_for_status()

    async def leave(self, audience: str, friend: str) -> None:
        path = f"/api/audiences/{audience}/members/{friend}"
        (await self.api.delete(path)).raise_for_status()

    async def friend(self, friend: str) -> dict[str, Any]:
        answer = await self.api.get(f"/api/friends/{friend}")
        known: dict[str, Any] = answer.raise_for_status().json()
        return known

    async def outcome(self, friend: str, journey: int = 0) -> str:
        """How the friend's journey ended, as soon as it did."""

        async def look() -> str | None:
            journeys = (await self.friend(friend))["journeys"]
            return journeys[journey]["outcome"] if len(journeys) > journey else None

        outcome = await eventually(look)
        assert outcome is not None
        return outcome

    async def pass_days(self, days: float) -> None:
        await self.env.sleep(timedelta(days=days))

    def journey(self, scenario: str, friend: str) -> WorkflowHandle[JourneyWorkflow, JourneyResult]:
        return self.env.client.get_workflow_handle_for(
            JourneyWorkflow.run, f"journey/default/{scenario}/{friend}"
        )


@pytest.fixture
async def shop(
    dsn: str,
    database: Database,
    channels: Channels,
    secret_key: SecretStr,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Shop]:
    port = free_port()
    simulator = create_simulator(
        webhook_url=f"http://127.0.0.1:{port}/webhook",
        channel_secret=SECRET,
        shop=EXAMPLES / "shop",
    )
    async with (
        serving(simulator) as line_url,
        # A server of the test's own: its clock is one for all that runs on it.
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=str(TEST_SERVER), data_converter=pydantic_data_converter
        ) as env,
    ):
        await env.client.operator_service.add_search_attributes(
            temporal.add_search_attributes_request(env.client.namespace, temporal.SEARCH_ATTRIBUTES)
        )
        monkeypatch.setenv("TEMPORAL_ADDRESS", env.client.service_client.config.target_host)
        settings = Settings(
            port=port,
            public_url=f"http://127.0.0.1:{port}",
            api_token=SecretStr(API_TOKEN),
            secret_key=secret_key,
            database_url=dsn,
            line_channel_secret=SecretStr(SECRET),
            line_channel_access_token=SecretStr(ACCESS_TOKEN),
            line_api_base_url=line_url,
        )
        async with (
            serving(create_app(settings), port) as url,
            Context(
                database=database, channels=channels, tracker=LinkTracker.of(settings)
            ).closing() as context,
            working(env.client, context),
            httpx.AsyncClient(base_url=line_url, timeout=20) as line,
            httpx.AsyncClient(
                base_url=url, headers={"Authorization": f"Bearer {API_TOKEN}"}, timeout=20
            ) as api,
        ):
            yield Shop(line=Line(line), api=api, env=env, site=f"{line_url}/shop")
