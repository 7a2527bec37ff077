"""Rehearsals through the API: of the shop, nothing is touched."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.eventually import eventually
from tests.integration.front_door.enrolling import NOW
from tests.integration.front_door.knocking import HANAKO, TOKEN, Door
from tobiishi.api.context import Context
from tobiishi.database import Database
from tobiishi.people import friends
from tobiishi.people.friends import Attributes
from tobiishi.rehearsal.own_schema import own_schema

WELCOME = (Path(__file__).parents[3] / "examples" / "welcome.yaml").read_text(encoding="utf-8")
AT = "2026-12-01T09:30"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


async def ask(door: Door, method: str, path: str = "", **body: Any) -> Any:
    answer = await door.http.request(
        method, f"/api/rehearsals{path}", json=body or None, headers=HEADERS, timeout=60
    )
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


async def counts(database: Database) -> dict[str, tuple[int, int]]:
    """Of each table of the shop's, the rows and what was ever written to it."""
    async with database.connection() as connection:
        names = [
            row["name"]
            for row in await connection.fetch(
                "select tablename as name from pg_tables where schemaname = 'public'"
            )
        ]
        return {name: await connection.fetchval(f'select count(*) from "{name}"') for name in names}


async def schemas(database: Database) -> list[str]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select nspname from pg_namespace where starts_with(nspname, 'tobiishi_rehearsal_')"
        )
    return [row["nspname"] for row in rows]


async def test_a_rehearsal_answers_its_timeline_and_touches_nothing(
    door: Door, vip: Database
) -> None:
    before = await counts(vip)

    answer = await ask(
        door, "POST", scenario=WELCOME, at=AT, events=["+2d clicks hello", "+9d blocks"]
    )

    assert (answer["id"], answer["is_over"]) == (None, True)
    sent = [entry["message"] for entry in answer["timeline"]["entries"] if entry["message"]]
    assert sent == ["hello", "coupon"]
    assert answer["timeline"]["entries"][-1]["at"] == "2026-12-10T09:30:00+09:00"
    assert await counts(vip) == before
    assert await schemas(vip) == []
    assert "tobiishi_deliveries_total{" not in (await door.http.get("/metrics")).text


async def test_a_rehearsal_goes_step_by_step(door: Door, vip: Database) -> None:
    begun = await ask(door, "POST", scenario=WELCOME, at=AT, step_by_step=True)
    here = f"/{begun['id']}"
    assert begun["now"] == "2026-12-01T09:30:00+09:00"
    assert not begun["is_over"]
    assert begun["timeline"]["entries"][-1]["until"] == "2026-12-04T10:00:00+09:00"

    joined = await ask(door, "POST", f"{here}/events", event="joins clicked-hello")
    assert joined["timeline"]["entries"][-1]["text"] == "joins clicked-hello"
    on = await ask(door, "POST", f"{here}/next")
    assert [entry["message"] for entry in on["timeline"]["entries"] if entry["message"]] == [
        "hello",
        "coupon",
    ]
    assert await ask(door, "GET", here) == on
    assert (await ask(door, "POST", f"{here}/finish"))["is_over"]
    await ask(door, "DELETE", here)
    assert await schemas(vip) == []
    answer = await door.http.get(f"/api/rehearsals{here}", headers=HEADERS)
    assert answer.status_code == 404


async def test_the_persona_may_be_like_a_friend_of_the_shop(door: Door, vip: Database) -> None:
    async with vip.transaction() as connection:
        await friends.meet(connection, "default", HANAKO, NOW)
        await friends.set_attributes(
            connection, "default", HANAKO, Attributes(gender="female"), at=NOW
        )
    text = (
        "scenario: s\ntitle: s\nstart: friend_added\nsteps:\n"
        "  - branch: [{when: {audience: vip, gender: female}, steps: [{tag: {add: a}}]}]\n"
    )
    answer = await ask(door, "POST", scenario=text, like=HANAKO)
    assert "gender female, in vip" in answer["timeline"]["friend"]
    assert answer["timeline"]["entries"][1]["way"] == 0


async def test_every_way_is_walked(door: Door, vip: Database) -> None:
    answer = await ask(door, "POST", "/walk", scenario=WELCOME, at=AT)
    assert [way["way"] for way in answer["ways"]] == ["in clicked-hello", "otherwise"]
    assert all(way["timeline"] for way in answer["ways"])


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ({"scenario": "scenario: s"}, 422, "title"),
        ({"scenario": WELCOME, "at": "yesterday"}, 400, "write it as 2026-12-01T09:30"),
        ({"scenario": WELCOME, "events": ["+2d joins x"]}, 400, "there are: clicked-hello"),
        ({"scenario": WELCOME, "friend": {"audiences": ["x"]}}, 400, "there are: clicked-hello"),
        ({"scenario": WELCOME, "like": HANAKO}, 404, "is not a friend"),
    ],
)
async def test_what_is_wrong_is_refused_with_its_fix(
    door: Door, shop: Database, body: dict[str, Any], status: int, problem: str
) -> None:
    answer = await door.http.post("/api/rehearsals", json=body, headers=HEADERS)
    assert answer.status_code == status, answer.text
    assert problem in answer.text


async def test_a_starter_has_a_few_at_once_and_the_others_come_later(
    door: Door, shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tobiishi.rehearsal.held.MOST_AT_ONCE", 1)
    begun = await ask(door, "POST", scenario=WELCOME, at=AT, step_by_step=True)
    body = {"scenario": WELCOME}
    answer = await door.http.post("/api/rehearsals", json=body, headers=HEADERS)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]
    await ask(door, "DELETE", f"/{begun['id']}")
    assert (await ask(door, "POST", **body))["is_over"]


async def test_the_schema_of_a_process_that_was_killed_is_dropped_by_the_next(
    shop: Database, dsn: str
) -> None:
    left = "tobiishi_rehearsal_0123456789abcdef"
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"create schema {left} create table a (b int)")
    await connection.close()

    async with own_schema(dsn), own_schema(dsn):
        # Of those under way, neither drops the other's.
        assert left not in await schemas(shop)
        assert len(await schemas(shop)) == 2
    assert await schemas(shop) == []


async def test_a_rehearsal_ends_with_its_starter(door: Door, shop: Database) -> None:
    await ask(door, "POST", scenario=WELCOME, at=AT, step_by_step=True)
    context: Context = door.app.state.context
    assert len(await schemas(shop)) == 1
    await context.rehearsals.close()
    assert await schemas(shop) == []


#: Begins a rehearsal as a starter does, and does nothing more.
BEGINS = """
import asyncio, json, sys
from tobiishi.rehearsal.process import RehearsalProcess

async def main() -> None:
    process = await RehearsalProcess.start()
    await process.ask("begin", seconds=60, **json.loads(sys.argv[1]))
    print("begun", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_nothing_is_left_of_a_rehearsal_whose_starter_was_killed(
    shop: Database, dsn: str
) -> None:
    request = {
        "dsn": dsn,
        "timezone": "Asia/Tokyo",
        "language": "en",
        "source": WELCOME,
        "friend": {},
        "start": "2026-12-01T00:30:00+00:00",
        "of_shop": {},
        "events": [],
        "finish": False,
    }
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", BEGINS, json.dumps(request)), stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout is not None
    assert await starter.stdout.readline() == b"begun\n"
    assert len(await schemas(shop)) == 1

    starter.kill()
    await starter.wait()

    await eventually(lambda: schemas(shop), lambda left: left == [])


async def test_a_rehearsal_whose_process_was_killed_is_not_under_way(
    door: Door, shop: Database
) -> None:
    begun = await ask(door, "POST", scenario=WELCOME, at=AT, step_by_step=True)
    context: Context = door.app.state.context
    process = context.rehearsals.get(begun["id"])
    os.kill(process.pid, signal.SIGKILL)

    answer = await door.http.post(f"/api/rehearsals/{begun['id']}/next", headers=HEADERS)
    # Unless its end was noticed before it was asked.
    assert answer.status_code in (404, 503)
    answer = await door.http.get(f"/api/rehearsals/{begun['id']}", headers=HEADERS)
    assert answer.status_code == 404
    # The next one drops what it left.
    assert (await ask(door, "POST", scenario=WELCOME))["is_over"]
    assert await schemas(shop) == []
