"""Whether the starter and a worker can do their work, and what they tell of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from temporalio.client import Client

from tests.eventually import eventually
from tests.integration.front_door.conftest import Open
from tests.integration.front_door.knocking import HANAKO, TARO, Door, follow
from tests.ports import free_port
from tests.scenarios import yaml
from tobiishi import worker_http
from tobiishi.channels import holds
from tobiishi.database import Database
from tobiishi.errors import SettingError
from tobiishi.settings import Settings

NOW = datetime.now(UTC)


@pytest.fixture
async def whole(
    opened: Open, settings: Settings, temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Door]:
    """A starter with all its parts."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.service_client.config.target_host)
    async with opened(settings) as door:
        yield door


async def scraped(door: Door) -> dict[tuple[str, ...], float]:
    """Each sample: its name and its labels' values, and its value."""
    answer = await door.http.get("/metrics", headers=door.headers)
    families = text_string_to_metric_families(answer.raise_for_status().text)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


async def test_a_starter_with_all_its_parts_is_ready(whole: Door) -> None:
    ready = await whole.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"relay": "ok", "database": "ok", "temporal": "ok"},
    )


async def test_a_starter_without_temporal_is_not(door: Door) -> None:
    ready = await door.http.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["database"] == "ok"
    assert ready.json()["temporal"].startswith("away: ")
    assert (await door.http.get("/healthz")).status_code == 200


async def test_a_starter_whose_relay_died_is_not(whole: Door) -> None:
    relay = whole.app.state.context.relay
    relay._task.cancel()
    ready = await whole.http.get("/readyz")
    while ready.json()["relay"] == "ok":
        ready = await whole.http.get("/readyz")
    assert (ready.status_code, ready.json()["relay"]) == (503, "stopped")


async def test_a_database_of_another_version_is_not_ready(whole: Door, database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("delete from migrations where name = '0002_events'")
    ready = await whole.http.get("/readyz")
    assert (ready.status_code, ready.json()["database"]) == (503, "not migrated: 0002_events")


async def test_metrics_tell_what_waits_and_what_holds(whole: Door, database: Database) -> None:
    (await whole.api("POST", "/scenarios", content=yaml("counted").encode())).raise_for_status()
    before = (await scraped(whole)).get(("tobiishi_webhook_events_total", "default"), 0.0)
    assert (await whole.knock(follow(HANAKO), follow(TARO))).status_code == 200
    await whole.app.state.context.relay.drain()
    # The relay that runs beside may have some of it in its hands still.
    await eventually(lambda: _is_empty(database, "outbox"))
    async with database.transaction() as connection:
        await holds.put(connection, "default", kind="token", reason="x", at=NOW)
        await connection.execute(
            "insert into audience_changes (channel, audience, friend, change, changed_at, reason,"
            " retry_at) values ('default', 'x', 'U', 'joined', $1, '', 'infinity')",
            NOW - timedelta(minutes=5),
        )
        await connection.execute(
            "insert into quotas (channel, asked_at, told_at, monthly, used)"
            " values ('default', now(), now(), 500, 120)"
            " on conflict (channel) do update set told_at = now(), monthly = 500, used = 120"
        )
    whole.app.state.context.gauges._until = 0.0
    found = await scraped(whole)
    assert found["tobiishi_webhook_events_total", "default"] == before + 2
    assert found["tobiishi_journeys_under_way", "default", "counted"] == 2
    assert found["tobiishi_holds", "default", "token"] == 1
    assert found["tobiishi_relay_waiting", "audience_changes"] == 1
    assert found["tobiishi_relay_lag_seconds", "audience_changes"] >= 300
    assert found["tobiishi_relay_lag_seconds", "outbox"] == 0
    assert found["tobiishi_quota_left", "default"] == 380
    assert found["tobiishi_workflows_stuck",] == 0
    assert (found["tobiishi_away", "database"], found["tobiishi_away", "temporal"]) == (0, 0)


async def _is_empty(database: Database, table: str) -> bool:
    async with database.connection() as connection:
        return not await connection.fetchval(f"select exists (select from {table})")


async def test_what_is_away_is_left_out_and_named(door: Door) -> None:
    found = await scraped(door)
    assert found["tobiishi_away", "temporal"] == 1
    assert ("tobiishi_workflows_stuck",) not in found
    assert ("tobiishi_relay_waiting", "outbox") in found


async def test_metrics_are_for_those_who_hold_the_token(door: Door) -> None:
    assert (await door.http.get("/metrics")).status_code == 401


async def test_a_worker_tells_the_same_on_a_port_of_its_own(
    settings: Settings, database: Database, temporal: Client
) -> None:
    port = free_port()
    told = settings.model_copy(update={"metrics_port": port})
    async with (
        worker_http.opened(told, database, temporal),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        assert (await http.get("/healthz")).status_code == 200
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"database": "ok", "temporal": "ok"})
        assert "tobiishi_deliveries" in (await http.get("/metrics")).text
        with pytest.raises(SettingError, match="set TOBIISHI_METRICS_PORT to another one"):
            async with worker_http.opened(told, database, temporal):
                pass
        await database.close()
        assert (await http.get("/readyz")).status_code == 503


async def test_a_worker_that_is_not_asked_to_opens_no_port(
    settings: Settings, database: Database, temporal: Client
) -> None:
    async with worker_http.opened(settings, database, temporal):
        pass
