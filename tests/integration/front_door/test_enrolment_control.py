"""Enrolments paused, resumed and cancelled: in the database, in Temporal, over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from tests.eventually import eventually
from tests.integration.front_door.conftest import Open, Publish
from tests.integration.front_door.enrolling import (
    DAY,
    MEMBERS,
    NOW,
    SECOND,
    handle_of,
    last,
    looks,
    many,
    page,
    start_all,
)
from tests.integration.front_door.knocking import Door, count
from tests.integration.front_door.proxying import Way
from tests.scenarios import yaml
from tobiishi.database import Database
from tobiishi.errors import Invalid, NotFound
from tobiishi.publishing import enrolments
from tobiishi.publishing.enrolment_plan import Progress
from tobiishi.relay.relay import Relay
from tobiishi.settings import Settings

# --- pause, resume, cancel


async def test_a_paused_one_enters_nobody_until_it_is_resumed(
    vip: Database, published: Publish
) -> None:
    await many(vip, 398)
    begun = (await published(yaml(rules=MEMBERS))).enrolment
    assert begun is not None
    number = begun.ref.enrolment_id
    await page(vip)
    async with vip.transaction() as connection:
        await enrolments.pause(connection, number)
        await enrolments.pause(connection, number)  # Said twice, it is paused.
    waits = await page(vip, NOW + SECOND)
    assert waits == Progress(status="paused", said="200 / 400 entered, paused", next_at=None)
    assert not waits.is_over
    async with vip.transaction() as connection:
        await enrolments.resume(connection, number)
    await start_all(vip)
    assert (await page(vip, NOW + DAY)).said.startswith("400 / 400 entered")


async def test_a_cancelled_one_enters_nobody_any_more(vip: Database, published: Publish) -> None:
    await many(vip, 398)
    begun = (await published(yaml(rules=MEMBERS))).enrolment
    assert begun is not None
    number = begun.ref.enrolment_id
    await page(vip)
    async with vip.transaction() as connection:
        await enrolments.cancel(connection, number, because="by request", now=NOW)
    over = await page(vip, NOW + SECOND)
    assert over.said == "200 / 400 entered, cancelled, by request"
    assert over.is_over
    assert (await last(vip)).cursor == ""
    for change in (
        enrolments.pause(connection, number),
        enrolments.resume(connection, number),
        enrolments.cancel(connection, number, because="again", now=NOW),
        enrolments.set_pace(connection, number, 5),
    ):
        change.close()
    async with vip.transaction() as connection:
        with pytest.raises(Invalid, match=r"over: it was cancelled \(by request\); publish"):
            await enrolments.resume(connection, number)
        with pytest.raises(NotFound, match="enrolment 77 does not exist"):
            await enrolments.pause(connection, 77)
        with pytest.raises(Invalid, match="per_second is 0; make it 1 to 1000"):
            await enrolments.set_pace(connection, number, 0)
    async with vip.transaction() as connection:
        await enrolments.call_off(connection, number, at=NOW + DAY)
    assert (await last(vip)).finished_at == NOW


# --- Temporal


async def test_the_relay_starts_its_workflow_once_and_tells_it_to_look(
    vip: Database, published: Publish, temporal: Client, name: str
) -> None:
    begun = (await published(yaml(name, rules=MEMBERS))).enrolment
    assert begun is not None
    assert begun.ref.workflow_id == f"enrolment/default/{name}/{begun.ref.enrolment_id}"
    relay = Relay(vip, temporal)
    await relay.drain()
    await relay.drain()
    described = await handle_of(temporal, begun).describe()
    assert described.workflow_type == "enrolment"
    assert described.typed_search_attributes[SearchAttributeKey.for_keyword("Scenario")] == name
    assert await looks(temporal, begun) == 0

    for change in (enrolments.pause, enrolments.resume):
        async with vip.transaction() as connection:
            await change(connection, begun.ref.enrolment_id)
        await relay.drain()
        await relay.drain()
    assert await looks(temporal, begun) == 2


async def test_a_relay_that_dies_before_its_commit_starts_one_workflow(
    vip: Database, published: Publish, temporal: Client, name: str
) -> None:
    begun = (await published(yaml(name, rules=MEMBERS))).enrolment
    assert begun is not None
    relay = Relay(vip, temporal)

    async def die() -> None:
        async with vip.transaction() as connection:
            assert await relay.enrolments.handle_one(connection, NOW)
            raise KeyError

    with pytest.raises(KeyError):
        await die()
    first = await handle_of(temporal, begun).describe()
    await asyncio.gather(relay.drain(), Relay(vip, temporal).drain())
    assert (await handle_of(temporal, begun).describe()).run_id == first.run_id
    assert await count(vip, "select count(*) from enrolments where told") == 1


async def test_what_is_said_while_temporal_is_being_told_is_told_too(
    vip: Database, published: Publish, temporal: Client, name: str
) -> None:
    begun = (await published(yaml(name, rules=MEMBERS))).enrolment
    assert begun is not None
    async with vip.transaction() as connection:
        await enrolments.pause(connection, begun.ref.enrolment_id)
        await enrolments.confirm(connection, begun)  # Temporal knows that it runs.
        assert await enrolments.next_unconfirmed(connection, now=NOW)


async def test_an_enrolment_begins_by_itself_when_temporal_is_back(
    vip: Database, published: Publish, temporal: Client, name: str
) -> None:
    target = temporal.service_client.config.target_host
    async with Way(target) as way:
        client = await Client.connect(
            way.address, data_converter=pydantic_data_converter, lazy=True
        )
        async with Relay(vip, client):
            begun = (await published(yaml(name, rules=MEMBERS))).enrolment
            assert begun is not None
            failed = "select attempts from enrolments"
            await eventually(lambda: count(vip, failed), lambda attempts: attempts > 0)
            await way.open()
            untold = "select count(*) from enrolments where not told"
            await eventually(lambda: count(vip, untold), lambda seen: seen == 0, seconds=8)
    await handle_of(temporal, begun).describe()


async def test_one_whose_workflow_was_terminated_goes_on_when_it_is_resumed(
    vip: Database, published: Publish, temporal: Client, name: str
) -> None:
    begun = (await published(yaml(name, rules=MEMBERS))).enrolment
    assert begun is not None
    relay = Relay(vip, temporal)
    await relay.drain()
    await handle_of(temporal, begun).terminate()
    async with vip.transaction() as connection:
        await enrolments.resume(connection, begun.ref.enrolment_id)
    await relay.drain()
    status = (await handle_of(temporal, begun).describe()).status
    assert status == WorkflowExecutionStatus.RUNNING


async def test_one_that_is_over_before_temporal_knew_it_is_not_started(
    vip: Database, published: Publish, temporal: Client, name: str
) -> None:
    begun = (await published(yaml(name, rules=MEMBERS))).enrolment
    assert begun is not None
    async with vip.transaction() as connection:
        await enrolments.cancel(connection, begun.ref.enrolment_id, because="x", now=NOW)
    await Relay(vip, temporal).drain()
    with pytest.raises(RPCError, match="not found"):
        await handle_of(temporal, begun).describe()
    assert await count(vip, "select count(*) from enrolments where told") == 1


# --- the API


async def test_an_enrolment_is_seen_paused_and_cancelled_over_http(
    vip: Database, published: Publish, door: Door
) -> None:
    await many(vip, 398)
    await published(yaml(rules=MEMBERS))
    await page(vip)
    (row,) = (await door.api("GET", "/enrolments")).json()
    at = f"/enrolments/{row['id']}"
    assert (await door.api("GET", at)).json() == row
    started_at = row.pop("started_at")
    assert started_at
    assert row == {
        "id": row["id"],
        "channel": "default",
        "scenario": "welcome",
        "version": 1,
        "audience": "vip",
        "status": "running",
        "said": "200 / 400 entered, less than a minute left",
        "total": 400,
        "seen": 200,
        "entered": 200,
        "passed_over": {"had_entered": 0, "blocked": 0, "too_late": 0},
        "per_second": 100,
        "finished_at": None,
    }
    assert (await door.api("POST", f"{at}/pause")).json()["status"] == "paused"
    assert (await door.api("POST", f"{at}/resume")).json()["status"] == "running"
    assert (await door.api("PATCH", at, json={"per_second": 7})).json()["per_second"] == 7
    cancelled = (await door.api("POST", f"{at}/cancel")).json()
    assert cancelled["status"] == "cancelled"
    assert cancelled["said"] == "200 / 400 entered, cancelled, by request"
    assert cancelled["finished_at"]
    for change in ("pause", "resume", "cancel"):
        answer = await door.api("POST", f"{at}/{change}")
        assert answer.status_code == 400
        assert "is over: it was cancelled (by request)" in answer.json()["detail"]
    assert (await door.api("PATCH", at, json={"per_second": 7})).status_code == 400


@pytest.mark.parametrize(
    "number", ["1", "0", "-1", "x", "999999999999999999", "9" * 40, "1.5", "٣", "%00"]
)
async def test_an_enrolment_that_does_not_exist_is_not_found(door: Door, number: str) -> None:
    for method, path in (
        ("GET", ""),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/cancel"),
    ):
        answer = await door.api(method, f"/enrolments/{number}{path}")
        assert answer.status_code == 404
        assert "does not exist" in answer.json()["detail"]
    answer = await door.api("PATCH", f"/enrolments/{number}", json={"per_second": 5})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "body", [{"per_second": 0}, {"per_second": 1001}, {"per_second": None}, {}, {"pace": 1}]
)
async def test_a_pace_that_cannot_be_is_refused(
    vip: Database, published: Publish, door: Door, body: dict[str, Any]
) -> None:
    begun = (await published(yaml(rules=MEMBERS))).enrolment
    assert begun is not None
    answer = await door.api("PATCH", f"/enrolments/{begun.ref.enrolment_id}", json=body)
    assert answer.status_code == 422


async def test_enrolments_are_for_those_with_the_token(door: Door) -> None:
    for method, path in (("GET", ""), ("GET", "/1"), ("POST", "/1/pause"), ("PATCH", "/1")):
        answer = await door.http.request(method, f"/api/enrolments{path}")
        assert answer.status_code == 401


async def test_a_pause_does_not_wait_for_a_temporal_that_hangs(
    opened: Open,
    settings: Settings,
    vip: Database,
    published: Publish,
    temporal: Client,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Way(temporal.service_client.config.target_host) as way:
        await way.open(hangs=True)
        monkeypatch.setenv("TEMPORAL_ADDRESS", way.address)
        async with opened(settings) as door:
            begun = (await published(yaml(name, rules=MEMBERS))).enrolment
            assert begun is not None
            await asyncio.sleep(0.7)  # The relay is telling Temporal now.
            async with asyncio.timeout(3):
                at = f"/enrolments/{begun.ref.enrolment_id}"
                assert (await door.api("POST", f"{at}/pause")).json()["status"] == "paused"
