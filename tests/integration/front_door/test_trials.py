"""Test sends: to a named tester, marked, and counted in LINE's quota alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from tests.integration.front_door.conftest import Run
from tests.integration.front_door.knocking import HANAKO, SECRET, TARO, Door, count
from tests.scenarios import yaml
from tests.serving import serving
from tobiishi.channels import holds
from tobiishi.database import Database
from tobiishi.people import friends
from tobiishi.people.friends import Attributes
from tobiishi.settings import Settings
from tobiishi.simulator import ACCESS_TOKEN, create_simulator

STEPS = """
steps:
  - send:
      name: hello
      messages:
        - {type: text, text: "{{ friend.display_name }}さん、{{ friend.fields.rank }} https://a.example/"}
  - wait: {days: 30}
  - branch:
      - when: {gender: female}
        steps:
          - send:
              name: women
              messages: [{type: text, text: "{{ friend.gender | default: '不明' }}"}]
  - send: {name: last, messages: [{type: text, text: またね}]}
"""
FILE = yaml("welcome", "start: {audience: vip}", STEPS).encode()
MARK = "【テスト配信】シナリオ「welcome」のメッセージ「{}」です"
#: What a journey would leave behind.
LEFT_BEHIND = ("journeys", "deliveries", "events", "links", "outbox", "scenario_versions")


@pytest.fixture
async def line() -> AsyncIterator[httpx.AsyncClient]:
    simulator = create_simulator(webhook_url="http://127.0.0.1:1/", channel_secret=SECRET)
    async with serving(simulator) as url, httpx.AsyncClient(base_url=url) as line:
        friend = {"userId": HANAKO, "displayName": "花子"}
        (await line.post("/_simulator/friends", json=friend)).raise_for_status()
        yield line


@pytest.fixture
def settings(settings: Settings, line: httpx.AsyncClient) -> Settings:
    """Of a starter whose LINE is the simulator."""
    token = SecretStr(ACCESS_TOKEN)
    about = {"line_channel_access_token": token, "line_api_base_url": str(line.base_url)}
    return settings.model_copy(update=about)


@pytest.fixture
async def hanako(shop: Database) -> str:
    now = datetime.now(UTC)
    async with shop.transaction() as connection:
        await friends.meet(connection, "default", HANAKO, now)
        known = Attributes(fields={"rank": "ゴールド"})
        await friends.set_attributes(connection, "default", HANAKO, known, at=now)
    return HANAKO


async def faults(line: httpx.AsyncClient, **faults: Any) -> None:
    (await line.put("/_simulator/faults", json=faults)).raise_for_status()


async def received(line: httpx.AsyncClient) -> list[list[str]]:
    """The texts of each push to Hanako."""
    answer = await line.get("/_simulator/messages", params={"to": HANAKO})
    return [[each.get("text") for each in push["messages"]] for push in answer.json()]


async def ask(door: Door, file: bytes = FILE, **params: Any) -> httpx.Response:
    return await door.api("POST", "/scenarios/test", content=file, params={"to": HANAKO, **params})


async def sent(door: Door, **params: Any) -> Any:
    answer = await ask(door, key=params.pop("key", str(uuid4())), **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def statuses(done: Any) -> list[str]:
    return [push["status"] for push in done["pushes"]]


async def test_what_it_takes_is_told_and_nothing_is_sent(
    door: Door, line: httpx.AsyncClient, hanako: str
) -> None:
    await faults(line, quota=200)
    planned = (await ask(door)).raise_for_status().json()
    assert (planned["uses"], planned["left"], planned["monthly"]) == (3, 200, 200)
    assert statuses(planned) == ["planned"] * 3
    assert planned["pushes"][0]["messages"][0]["text"] == MARK.format("hello")
    assert await received(line) == []

    await faults(line)
    planned = (await ask(door)).json()
    assert (planned["is_quota_known"], planned["left"]) == (True, None)
    await faults(line, rate_500=1, applies_to="all")
    planned = (await ask(door)).json()
    assert (planned["is_quota_known"], planned["left"]) == (False, None)


async def test_all_messages_come_at_once_and_marked(
    door: Door, line: httpx.AsyncClient, shop: Database, hanako: str
) -> None:
    done = await sent(door)
    assert statuses(done) == ["sent"] * 3
    assert all(push["request_id"] for push in done["pushes"])
    # Filled in with what is known of the tester, and links as they are written.
    assert await received(line) == [
        [MARK.format("hello"), "花子さん、ゴールド https://a.example/"],
        [MARK.format("women"), "不明"],
        [MARK.format("last"), "またね"],
    ]
    for table in LEFT_BEHIND:
        asked = {table: await count(shop, f"select count(*) from {table}")}
        assert asked == {table: 0}


async def test_asked_twice_under_one_key_they_come_once(
    door: Door, line: httpx.AsyncClient, hanako: str
) -> None:
    key = str(uuid4())
    for _ in range(2):
        assert statuses(await sent(door, key=key)) == ["sent"] * 3
    assert len(await received(line)) == 3
    # Another test is another one, and so is what was changed in between.
    await sent(door)
    await sent(door, key=key, file=FILE.replace("またね".encode(), "では".encode()))
    assert [texts[1] for texts in await received(line)].count("またね") == 2
    assert len(await received(line)) == 7


async def test_where_an_answer_is_lost_the_rest_waits_for_another_try(
    door: Door, line: httpx.AsyncClient, hanako: str
) -> None:
    key = str(uuid4())
    await faults(line, cut_after_acceptance=1)
    broken = await sent(door, key=key)
    assert statuses(broken) == ["unknown", "not_tried", "not_tried"]
    await faults(line)
    assert statuses(await sent(door, key=key)) == ["sent"] * 3
    assert len(await received(line)) == 3


async def test_only_some_messages_for_another_friend(
    door: Door, line: httpx.AsyncClient, hanako: str
) -> None:
    await sent(
        door, message=["hello", "women"], friend=["gender=female,rank=銀", "display_name=和子"]
    )
    assert [texts[1] for texts in await received(line)] == [
        "和子さん、銀 https://a.example/",
        "female",
    ]


async def test_what_line_refuses_is_named_with_its_words(
    door: Door, line: httpx.AsyncClient, hanako: str
) -> None:
    file = FILE.replace(
        "[{type: text, text: またね}]".encode(),
        b"[{type: image, originalContentUrl: 'http://a.example/', previewImageUrl: 'http://a/'}]",
    )
    done = await sent(door, file=file)
    assert statuses(done) == ["sent", "sent", "refused"]
    refused = done["pushes"][2]
    assert (refused["message"], "LINE answered 400" in refused["reason"]) == ("last", True)

    await faults(line, quota=2)
    spent = await sent(door)
    assert statuses(spent) == ["failed", "not_tried", "not_tried"]
    assert "monthly limit" in spent["pushes"][0]["reason"]


async def test_the_tester_is_a_friend_who_follows(
    door: Door, line: httpx.AsyncClient, shop: Database, hanako: str
) -> None:
    async def refused(status: int, words: str, **params: Any) -> None:
        answer = await ask(door, key=str(uuid4()), **params)
        assert (answer.status_code, words in str(answer.json())) == (status, True), answer.text

    await refused(404, "is not a friend of channel", to=TARO)
    await refused(422, "is not a LINE user id", to="C" + "1" * 32)
    await refused(400, "sends no message 'other'", message="other")
    await refused(400, "name=value", friend="female")
    await refused(422, "steps", file=b"scenario: a\ntitle: a\nstart: friend_added\n")
    async with shop.transaction() as connection:
        await holds.put(connection, "default", kind="paused", reason="休止中", at=datetime.now(UTC))
    await refused(400, "held back (休止中); resume them first")
    async with shop.transaction() as connection:
        await holds.resume(connection, "default")
        await friends.set_status(connection, "default", HANAKO, "blocked", datetime.now(UTC))
    await refused(400, "has blocked the channel")
    assert await received(line) == []


async def test_at_the_terminal(
    run: Run, line: httpx.AsyncClient, hanako: str, tmp_path: Path
) -> None:
    file = tmp_path / "welcome.yaml"
    file.write_bytes(FILE)
    await faults(line, quota=5)
    asked = await run("scenario", "test", str(file), "--to", hanako, says="n\n")
    assert asked.startswith(f"welcome to {hanako}: hello, women, last\n")
    assert "3 pushes = 3 messages of 5 left this month\n" in asked
    assert await received(line) == []

    done = await run("scenario", "test", str(file), "--to", hanako, "--yes")
    assert done.endswith("hello: sent\nwomen: sent\nlast: sent\n")
    assert len(await received(line)) == 3
    with pytest.raises(Exception, match="more than is left"):
        await run("scenario", "test", str(file), "--to", hanako, "--yes")
    done = await run(
        *("scenario", "test", str(file), "--to", hanako, "--message", "last", "--yes"),
        *("--friend", "gender=female", "--lang", "en"),
    )
    assert "1 push = 1 message of 2 left this month\n" in done
    assert (await received(line))[3][0] == "[Test] message “last” of the scenario “welcome”"

    # One that is cut is tried once more, and comes once.
    await faults(line, cut_after_acceptance=1)
    cut = await run("scenario", "test", str(file), "--to", hanako, "--message", "last", "--yes")
    assert cut.endswith("last: sent\n")
    assert len(await received(line)) == 5
