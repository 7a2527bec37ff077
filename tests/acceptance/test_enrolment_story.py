"""A scenario is started for those who are in its audience already: all of them, and each once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from typer.testing import CliRunner

from tests.acceptance.conftest import API_TOKEN, Shop
from tests.eventually import eventually
from tobiishi.cli import app as cli
from tobiishi.database import Connection, Database
from tobiishi.publishing.enrolment_plan import Progress
from workflows import EnrolmentWorkflow

SLEEPS = """
scenario: season
title: 季節のお知らせ
start: {audience: vip, include_members: true}
description: first
steps:
  - wait: {days: 30}
  - send: {name: hello, messages: [{type: text, text: こんにちは}]}
"""
SENDS = """
scenario: thanks
title: お礼
start: {audience: vip, include_members: true}
reentry: REENTRY
steps:
  - send: {name: hello, any_time: true, messages: [{type: text, text: いつもありがとう}]}
"""


class Unlucky(Database):
    """A database from which the worker is cut, while there are `deaths`, at a page's worst moments.

    Either before the commit, or after it and before the worker could tell anybody.
    """

    def __init__(self, *opened: Any) -> None:
        super().__init__(*opened)
        self.deaths: list[str] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        death = self.deaths.pop() if self.deaths else ""
        async with super().transaction() as connection:
            yield connection
            if death == "before its commit":
                raise ConnectionResetError(f"died {death}")
        if death == "after its commit":
            raise ConnectionResetError(f"died {death}")


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Unlucky]:
    opened = await Unlucky.open(dsn)
    assert isinstance(opened, Unlucky)
    yield opened
    await opened.close()


def ids(count: int) -> list[str]:
    """LINE user ids, in no order."""
    chance = random.Random(count)
    return [f"U{chance.getrandbits(128):032x}" for _ in range(count)]


async def upload(shop: Shop, people: list[str]) -> None:
    await shop.api.put("/api/audiences/vip", json={})
    answer = await shop.api.post("/api/audiences/vip/upload", content="\n".join(people).encode())
    assert answer.json()["joined"] == len(people)


async def change(
    shop: Shop, enrolment: dict[str, Any], method: str, what: str = "", **body: Any
) -> Any:
    path = f"/api/enrolments/{enrolment['id']}{what}"
    answer = await shop.api.request(method, path, json=body or None)
    return answer.raise_for_status().json()


async def over(shop: Shop, enrolment: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
    """The enrolment, as soon as it is over."""

    async def look() -> dict[str, Any]:
        seen: dict[str, Any] = await change(shop, enrolment, "GET")
        return seen

    return await eventually(look, lambda seen: seen["finished_at"], seconds=seconds)


def workflow(shop: Shop, enrolment: dict[str, Any]) -> WorkflowHandle[EnrolmentWorkflow, Progress]:
    name = f"enrolment/default/{enrolment['scenario']}/{enrolment['id']}"
    return shop.env.client.get_workflow_handle_for(EnrolmentWorkflow.run, name)


async def journeys(database: Database) -> list[dict[str, Any]]:
    async with database.connection() as connection:
        rows = await connection.fetch("select * from journeys order by friend, entry")
    return [dict(row) for row in rows]


async def all_started(database: Database) -> None:
    async def look() -> int:
        async with database.connection() as connection:
            return int(await connection.fetchval("select count(*) from outbox"))

    await eventually(look, lambda waiting: waiting == 0, seconds=60)


async def test_a_thousand_members_enter_once_whatever_dies(shop: Shop, database: Unlucky) -> None:
    people = ids(1000)
    await upload(shop, people)
    blocker = sorted(people)[-1]
    await shop.meet(userId=blocker)
    database.deaths = ["before its commit", "after its commit"] * 2

    enrolment = (await shop.publish(SLEEPS))["enrolment"]
    assert (enrolment["total"], enrolment["said"]) == (
        1000,
        "0 / 1,000 entered, less than a minute left",
    )
    await change(shop, enrolment, "PATCH", per_second=300)
    await shop.line.block(blocker)  # Meanwhile one blocks the channel,
    newcomer = await shop.meet()
    await shop.join("vip", newcomer)  # and another joins.
    done = await over(shop, enrolment)

    assert database.deaths == []
    assert done["status"] == "done"
    assert done["entered"] == 999
    assert done["passed_over"]["blocked"] == 1
    rows = await journeys(database)
    assert {(row["friend"], row["entry"], row["why"]) for row in rows} == {
        *((friend, 1, "is in vip: enrolled") for friend in people if friend != blocker),
        (newcomer, 1, "joined vip: added through the API"),
    }
    assert len(rows) == 1000
    await all_started(database)
    for row in rows:
        described = await shop.journey("season", row["friend"]).describe()
        assert described.status == WorkflowExecutionStatus.RUNNING
    assert (await workflow(shop, enrolment).result()).said.startswith("999 / 1,0")


async def test_an_enrolment_is_paused_resumed_and_cancelled(shop: Shop, database: Unlucky) -> None:
    people = sorted(ids(600))
    await upload(shop, people)
    enrolment = (await shop.publish(SLEEPS))["enrolment"]
    await eventually(lambda: journeys(database))

    paused = await change(shop, enrolment, "POST", "/pause")
    assert paused["status"] == "paused"
    assert 0 < paused["entered"] < 600
    await asyncio.sleep(3)  # Two pages would have come.
    assert (await change(shop, enrolment, "GET"))["entered"] == paused["entered"]
    assert len(await journeys(database)) == paused["entered"]

    await change(shop, enrolment, "POST", "/resume")

    async def entered() -> int:
        return len(await journeys(database))

    await eventually(entered, lambda count: count > paused["entered"])
    cancelled = await change(shop, enrolment, "POST", "/cancel")
    assert cancelled["status"] == "cancelled"
    assert cancelled["entered"] < 600
    result = await workflow(shop, enrolment).result()
    assert (result.status, result.said) == ("cancelled", cancelled["said"])
    assert await entered() == cancelled["entered"]
    assert [row["friend"] for row in await journeys(database)] == people[: cancelled["entered"]]


async def test_an_operators_cancel_in_temporal_cancels_it_here(
    shop: Shop, database: Unlucky
) -> None:
    await upload(shop, ids(600))
    enrolment = (await shop.publish(SLEEPS))["enrolment"]
    await eventually(lambda: journeys(database))
    await workflow(shop, enrolment).cancel()
    cancelled = await over(shop, enrolment)
    assert cancelled["status"] == "cancelled"
    assert cancelled["said"].endswith("cancelled, in Temporal")


@pytest.mark.parametrize("reentry", ["never", "after_finishing"])
async def test_each_gets_the_message_once_however_often_it_is_published(
    shop: Shop, database: Unlucky, reentry: str
) -> None:
    people = [await shop.meet() for _ in range(5)]
    await shop.join("vip", *people)
    text = SENDS.replace("REENTRY", reentry)
    database.deaths = ["after its commit"]

    first = (await shop.publish(text))["enrolment"]
    await over(shop, first)
    for friend in people:
        assert await shop.outcome(friend) == "completed"
    assert (await shop.publish(text))["enrolment"] is None
    second = (await shop.publish(text + "description: newer\n"))["enrolment"]
    done = await over(shop, second)

    assert (done["entered"], done["passed_over"]["had_entered"]) == (0, 5)
    for friend in people:
        await shop.line.got(friend, "いつもありがとう")
        (journey,) = (await shop.friend(friend))["journeys"]
        assert (journey["version"], journey["why"]) == (1, "is in vip: enrolled")


async def test_a_newer_version_takes_over_where_the_older_was(
    shop: Shop, database: Unlucky
) -> None:
    people = ids(400)
    await upload(shop, people)
    older = (await shop.publish(SLEEPS))["enrolment"]
    await change(shop, older, "POST", "/pause")

    newer = (await shop.publish(SLEEPS.replace("first", "second")))["enrolment"]

    assert newer["version"] == 2
    result = await workflow(shop, older).result()  # It is told, though it slept.
    assert result.said.endswith("cancelled, superseded by version 2")
    assert (await over(shop, newer))["status"] == "done"
    rows = await journeys(database)
    assert sorted(row["friend"] for row in rows) == sorted(people)


async def test_it_waits_for_a_period_that_opens_later(shop: Shop, database: Unlucky) -> None:
    await upload(shop, ids(3))
    opening = await shop.env.get_current_time() + timedelta(days=20)
    period = f'period: {{from: "{opening:%Y-%m-%d}"}}'
    enrolment = (await shop.publish(SLEEPS + period))["enrolment"]

    async def said() -> str:
        return str((await change(shop, enrolment, "GET"))["said"])

    await eventually(said, lambda seen: "waits for its period" in seen)
    assert await journeys(database) == []
    await shop.pass_days(21)
    assert (await over(shop, enrolment))["entered"] == 3


async def test_it_is_watched_and_slowed_down_from_the_command_line(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("TOBIISHI_URL", str(shop.api.base_url))
    monkeypatch.setenv("TOBIISHI_API_TOKEN", API_TOKEN)
    monkeypatch.setenv("COLUMNS", "200")

    async def run(*arguments: str) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, cli, arguments)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.output

    file = tmp_path / "season.yaml"
    file.write_text(SLEEPS, encoding="utf-8")
    await upload(shop, ids(500))
    said = await run("scenario", "publish", str(file))
    assert "season is live as version 1" in said
    assert "enrolment 1 begins: 500 friends are in vip" in said
    assert "tobiishi enrolment show 1 --follow" in said
    assert "up to 5 a second" in await run("enrolment", "pace", "1", "5")
    assert "vip into season version 1: paused" in await run("enrolment", "pause", "1")
    assert "season v1" in await run("enrolment", "list")
    await run("enrolment", "resume", "1")
    await run("enrolment", "pace", "1", "1000")
    said = await run("enrolment", "show", "1", "--follow")
    assert "enrolment 1, vip into season version 1: done" in said
    assert "500 / 500 entered, done" in said
    with pytest.raises(Exception, match="enrolment 1 is over: it was done;"):
        await run("enrolment", "cancel", "1")
    with pytest.raises(Exception, match="enrolment 7 does not exist"):
        await run("enrolment", "show", "7")
