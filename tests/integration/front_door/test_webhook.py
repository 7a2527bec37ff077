"""The door that LINE knocks on: what is kept, what is turned away, and how soon."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.conftest import UNSAFE_BUT_FAST
from tests.eventually import eventually
from tests.integration.front_door.conftest import Open
from tests.integration.front_door.knocking import (
    HANAKO,
    SECRET,
    TARO,
    TOKEN,
    Door,
    body_of,
    event,
    follow,
    friend_id,
    kept,
    said,
)
from tobiishi.channels.channels import Channel, Channels
from tobiishi.database import Database
from tobiishi.line.signature import sign
from tobiishi.local.postgres import EmbeddedPostgres
from tobiishi.settings import Settings

#: https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
LINES_SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
LINES_BODY = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
LINES_SIGNATURE = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="


async def test_lines_own_example_is_taken_whatever_the_case_of_the_header(
    opened: Open, settings: Settings
) -> None:
    theirs = settings.model_copy(update={"line_channel_secret": SecretStr(LINES_SECRET)})
    async with opened(theirs) as door:
        for name in ("x-line-signature", "X-Line-Signature", "X-LINE-SIGNATURE"):
            headers = {name: LINES_SIGNATURE}
            answer = await door.http.post("/webhook", content=LINES_BODY, headers=headers)
            assert (answer.status_code, answer.json()) == (200, {})


async def test_a_wrong_or_missing_signature_is_401_and_nothing_is_kept(
    door: Door, database: Database
) -> None:
    for signature in (sign("another-secret", body_of(follow())), "署名".encode(), "", None):
        headers: Any = {} if signature is None else {"X-Line-Signature": signature}
        answer = await door.http.post("/webhook", content=body_of(follow()), headers=headers)
        assert answer.status_code == 401
        assert "X-Line-Signature" in answer.json()["detail"]
    assert await kept(database) == []


async def test_the_signature_is_that_of_the_very_bytes(door: Door) -> None:
    body = body_of(follow())
    spaced = json.dumps(json.loads(body), indent=1).encode()
    answer = await door.http.post(
        "/webhook", content=spaced, headers={"X-Line-Signature": sign(SECRET, body)}
    )
    assert answer.status_code == 401


async def test_an_unknown_channel_is_404(door: Door) -> None:
    for name in ("nobody", "SHOP", "a%2Fb", "%E5%BA%97", "a b", "x" * 3000):
        assert (await door.knock(follow(), path=f"/webhook/{name}")).status_code == 404, name
    assert (await door.knock(follow(), path="/webhook/%00")).status_code == 400


async def test_a_body_over_1_mb_is_413_where_its_length_is_announced(door: Door) -> None:
    assert (await door.knock_raw(b"x" * 1_000_001)).status_code == 413


async def test_a_body_over_1_mb_is_413_where_its_length_is_not_announced(door: Door) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100_000

    answer = await door.http.post("/webhook", content=chunks())
    assert answer.status_code == 413


async def test_a_body_of_almost_1_mb_is_taken(door: Door, database: Database) -> None:
    events = [said("あ" * 100, friend_id(number)) for number in range(1000)]
    body = body_of(*events)
    assert 900_000 < len(body) < 1_000_000
    assert (await door.knock_raw(body)).status_code == 200
    assert len(await kept(database)) == 1000


NO_WEBHOOKS = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"events": [{"type": "message", "timestamp": ' + b"1" * 5000 + b"}]}",
    b'{"events": [{"type": "message", "ratio": NaN}]}',
    b'{"events": [{"type": "message", "ratio": -Infinity}]}',
    b"null",
    b"[]",
    b"{}",
    b'{"events": {}}',
    b'{"events": [1]}',
    b'{"events": null}',
]


async def test_a_body_that_is_no_webhook_is_400(door: Door, database: Database) -> None:
    for body in NO_WEBHOOKS:
        answer = await door.knock_raw(body)
        assert answer.status_code == 400, body
        assert answer.json()["detail"].startswith("the body is not")
    assert await kept(database) == []


async def test_a_body_is_not_believed_before_its_signature(door: Door) -> None:
    assert (await door.knock_raw(b"{", secret="another")).status_code == 401


async def test_several_events_of_several_friends_are_all_kept(
    door: Door, database: Database
) -> None:
    events = [follow(), follow(TARO), said("やあ"), event("postback", TARO, postback={"data": "a"})]
    assert (await door.knock(*events)).status_code == 200
    rows = await kept(database)
    assert [row["body"] for row in rows] == events
    assert [row["friend"] for row in rows] == [HANAKO, TARO, HANAKO, TARO]


async def test_no_events_are_answered_200(door: Door, database: Database) -> None:
    assert (await door.knock()).status_code == 200
    assert await kept(database) == []


async def test_a_redelivery_is_kept_once(door: Door, database: Database) -> None:
    first = follow()
    again = {**first, "deliveryContext": {"isRedelivery": True}}
    assert (await door.knock(first)).status_code == 200
    assert (await door.knock(again, said("新しい"))).status_code == 200
    assert (await door.knock(again, again)).status_code == 200
    rows = await kept(database)
    assert [row["type"] for row in rows] == ["follow", "message"]
    assert rows[0]["body"] == first


async def test_the_same_id_in_two_channels_is_two_events(
    door: Door, database: Database, channels: Channels
) -> None:
    second = Channel(
        channel="second", title="二号店", secret="s2", access_token="t", api_base_url="http://line"
    )
    async with database.transaction() as connection:
        await channels.put(connection, second)
    came = follow()
    assert (await door.knock(came)).status_code == 200
    assert (await door.knock(came, path="/webhook/second", secret="s2")).status_code == 200
    assert (await door.knock(came, path="/webhook/second")).status_code == 401
    assert (await door.knock(came, secret="s2")).status_code == 401
    assert (await door.knock(said("a"), path="/webhook/default")).status_code == 200
    assert [row["channel"] for row in await kept(database)] == ["default", "second", "default"]


async def test_a_channel_whose_secret_changes_goes_by_the_new_one_at_once(
    door: Door, database: Database, channels: Channels
) -> None:
    async with database.transaction() as connection:
        shop = await channels.get(connection, "default")
        await channels.put(connection, replace(shop, secret="new"))
    assert (await door.knock(follow())).status_code == 401
    assert (await door.knock(follow(), secret="new")).status_code == 200


async def test_unknown_types_properties_and_values_are_kept(door: Door, database: Database) -> None:
    events = [
        event("hologram", hologram={"depth": 3}),
        event("message", HANAKO, mode="dreaming", message={"type": "smell", "id": "1"}),
        event("follow", HANAKO, follow={"isUnblocked": False, "route": "qr"}, more=[None]),
        event("message", None, source={"type": "community", "communityId": "M1"}),
        event("botSuspended", None),
    ]
    assert (await door.knock(*events)).status_code == 200
    assert [row["body"] for row in await kept(database)] == events


UNREADABLE: list[dict[str, Any]] = [
    {},
    {"type": 7},
    {"type": "follow", "timestamp": "yesterday"},
    {"type": "follow", "timestamp": -1},
    {"type": "follow", "timestamp": 10**18},
    {"type": "follow", "source": "U1"},
    {"type": "follow", "source": {"type": "user", "userId": 1}},
    {"type": "x\0"},
    {"type": "x" * 1000},
    {"type": "follow", "webhookEventId": "\0"},
    {"type": "follow", "webhookEventId": "\ud83d"},
    {"type": "follow", "webhookEventId": "x" * 10_000},
]


async def test_an_event_that_cannot_be_read_does_not_lose_the_others(
    door: Door, database: Database
) -> None:
    for number, odd in enumerate(UNREADABLE):
        assert (await door.knock(odd, follow(friend_id(number)))).status_code == 200, odd
    rows = await kept(database)
    bodies = [row["body"] for row in rows if row["type"] == "unreadable"]
    assert sorted(bodies, key=repr) == sorted(UNREADABLE, key=repr)
    await handled(database, 2 * len(UNREADABLE))
    assert await friends(database) == {
        friend_id(number): "following" for number in range(len(UNREADABLE))
    }


async def test_a_standby_event_tells_the_status_and_starts_nothing(
    door: Door, database: Database
) -> None:
    assert (await door.knock(follow(mode="standby"))).status_code == 200
    await handled(database, 1)
    assert await friends(database) == {HANAKO: "following"}


async def test_events_of_nobody_are_kept_and_come_to_nothing(
    door: Door, database: Database
) -> None:
    events = [
        follow(source={"type": "user"}),
        event("follow", None),
        event("accountLink", None, link={"result": "failed", "nonce": "n"}),
        event("unfollow", None, source=None),
    ]
    assert (await door.knock(*events)).status_code == 200
    await handled(database, 4)
    assert [row["friend"] for row in await kept(database)] == [None] * 4
    assert await friends(database) == {}


async def test_who_speaks_in_a_group_is_no_friend_for_it(door: Door, database: Database) -> None:
    group = {"type": "group", "groupId": "C" + "0" * 32, "userId": HANAKO}
    room = {"type": "room", "roomId": "R" + "0" * 32, "userId": HANAKO}
    assert (await door.knock(said("やあ", source=group), said("やあ", source=room))).is_success
    await handled(database, 2)
    assert await friends(database) == {}


async def test_an_event_without_an_id_or_a_time_is_kept_once(
    door: Door, database: Database
) -> None:
    bare = {"type": "follow", "source": {"type": "user", "userId": HANAKO}}
    again = {**bare, "deliveryContext": {"isRedelivery": True}}
    other = {**bare, "source": {"type": "user", "userId": TARO}}
    before = datetime.now(UTC)
    assert (await door.knock(bare)).status_code == 200
    assert (await door.knock(again, other)).status_code == 200
    rows = await kept(database)
    assert {row["friend"] for row in rows} == {HANAKO, TARO}
    assert all(row["webhook_event_id"].startswith("sha256-") for row in rows)
    assert all(before <= row["occurred_at"] <= datetime.now(UTC) for row in rows)


async def test_the_time_is_the_events_own(door: Door, database: Database) -> None:
    assert (await door.knock(follow(at=1_700_000_000_123))).status_code == 200
    (row,) = await kept(database)
    assert row["occurred_at"] == datetime.fromtimestamp(1_700_000_000.123, UTC)


TEXTS = ["a\0b", "\ud83d", "\udc00\ud800", "飛び石🪨", "'; drop table x"]


async def test_any_text_is_kept_as_it_came(door: Door, database: Database) -> None:
    events = [said(text) for text in TEXTS]
    bare = [{**event, "webhookEventId": None} for event in events]
    assert (await door.knock(*events, *bare)).status_code == 200
    assert [row["body"] for row in await kept(database)][: len(TEXTS)] == events
    assert len(await kept(database)) == 2 * len(TEXTS)
    await handled(database, 2 * len(TEXTS))


ODD_IDS = [
    "shop-0001",
    "C" + "1" * 32,
    "",
    " ",
    "a/b",
    "../x",
    "U\n",
    "花子",
    "\0",
    "\ud83d",
    "U" * 65,
    "'--",
    "%00",
    "U.1",
]


async def test_a_user_id_that_can_be_no_friends_is_passed_over(
    door: Door, database: Database
) -> None:
    assert (await door.knock(*map(follow, ODD_IDS), follow(TARO))).status_code == 200
    await handled(database, len(ODD_IDS) + 1)
    assert await friends(database) == {TARO: "following"}


async def test_deeply_nested_events_are_kept_or_turned_away(door: Door) -> None:
    for depth in (100, 900, 990, 3000):
        nested = b"[" * depth + b"]" * depth
        body = b'{"events": [{"type": "message", "x": ' + nested + b"}]}"
        assert (await door.knock_raw(body)).status_code in (200, 400), depth


async def test_many_at_once_are_all_kept(door: Door, database: Database) -> None:
    async def knock(number: int) -> None:
        answer = await door.knock(follow(friend_id(number)), said("a", friend_id(number)))
        assert answer.status_code == 200, answer.text

    await asyncio.gather(*(knock(number) for number in range(60)))
    assert len(await kept(database)) == 120


async def test_the_same_events_at_once_in_any_order_are_kept_once(
    door: Door, database: Database
) -> None:
    events = [said("a", friend_id(number)) for number in range(300)]
    answers = await asyncio.gather(
        *(door.knock(*(events if number % 2 else reversed(events))) for number in range(12))
    )
    assert [answer.status_code for answer in answers] == [200] * 12
    assert len(await kept(database)) == 300


async def test_a_slow_client_holds_up_nobody(door: Door, database: Database) -> None:
    slow, body = follow(), b""
    body = body_of(slow)

    async def drip() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 50):
            yield body[start : start + 50]
            await asyncio.sleep(0.3)

    async def knock_slowly() -> httpx.Response:
        headers = {"X-Line-Signature": sign(SECRET, body)}
        return await door.http.post("/webhook", content=drip(), headers=headers)

    slowly = [asyncio.create_task(knock_slowly()) for _ in range(20)]
    await asyncio.sleep(0.1)
    assert (await door.knock(follow(TARO))).status_code == 200
    assert not any(task.done() for task in slowly)
    assert {(await task).status_code for task in slowly} == {200}
    assert [row["friend"] for row in await kept(database)] == [HANAKO, TARO]


async def test_a_client_that_hangs_up_is_let_go(
    door: Door, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = door.http.base_url
    # Whatever reads the body: the whole, a model, or a stream.
    upload = f"Authorization: Bearer {TOKEN}\r\nContent-Type: text/csv\r\n"
    heads = [
        "POST /webhook HTTP/1.1\r\n",
        "POST /t HTTP/1.1\r\n",
        f"POST /api/scenarios HTTP/1.1\r\n{upload}",
        f"POST /api/events HTTP/1.1\r\n{upload}",
        f"POST /api/friends/attributes HTTP/1.1\r\n{upload}",
    ]
    for head in heads:
        _, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(f"{head}Host: x\r\nContent-Length: 100\r\n\r\n{{".encode())
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
    assert (await door.knock(follow())).status_code == 200
    loud = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert [record.getMessage() for record in loud if record.exc_info] == []
    gone = [record.getMessage() for record in caplog.records if "went away" in record.message]
    assert "POST '/webhook': the client went away" in gone
    assert len(gone) >= 3


async def test_a_last_slash_is_no_redirect_which_line_would_not_follow(
    door: Door, database: Database
) -> None:
    for path in ("/webhook/", "/webhook/default/"):
        answer = await door.knock(follow(), path=path)
        assert (answer.status_code, answer.json()) == (200, {})
    assert len(await kept(database)) == 2
    # Nor would others.
    assert (await door.http.post("/t/", content=b"{}")).status_code == 400
    assert (await door.http.options("/codec/token/decode/")).status_code == 204
    assert (await door.api("PUT", "/sites/www.shop.example/")).json()["sites"]
    for path in ("/healthz/", "/readyz/", "/metrics/"):
        answer = await door.http.get(path, headers=door.headers)
        assert answer.status_code == (503 if path == "/readyz/" else 200)
    # A page has relative addresses.
    assert (await door.http.get("/docs/")).status_code == 307


async def test_other_methods_are_405(door: Door) -> None:
    assert (await door.http.get("/webhook")).status_code == 405


async def test_a_database_that_goes_away_is_503_in_time_and_its_return_is_noticed(
    opened: Open, settings: Settings, tmp_path: Path
) -> None:
    postgres = EmbeddedPostgres(tmp_path, settings=UNSAFE_BUT_FAST)
    async with postgres, opened(settings.model_copy(update={"database_url": postgres.dsn})) as door:
        assert (await door.knock(follow())).status_code == 200
        await postgres.stop()
        for _ in range(3):
            began = time.monotonic()
            answer = await door.knock(follow(TARO))
            assert time.monotonic() - began < 5
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "5"
        assert (await door.http.get("/healthz")).status_code == 200
        ready = await door.http.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["database"].startswith("away")
        assert ready.json()["relay"] == "ok"

        await postgres.start()
        assert (await door.knock(follow(TARO))).status_code == 200
        back = await Database.open(postgres.dsn)
        try:
            await handled(back, 2)
            assert set(await friends(back)) == {HANAKO, TARO}
        finally:
            await back.close()


def lose_all(data: Path) -> None:
    shutil.rmtree(data)


def lose_the_tables(data: Path) -> None:
    shutil.rmtree(data / "base")


def lose_the_log(data: Path) -> None:
    shutil.rmtree(data / "pg_wal")


def lose_what_the_files_held(data: Path) -> None:
    for file in (data / "base").rglob("*"):
        if file.is_file():
            file.write_bytes(b"\0\0\0")


@pytest.mark.parametrize(
    "lose", [lose_all, lose_the_tables, lose_the_log, lose_what_the_files_held]
)
async def test_a_database_that_lost_its_data_is_503(
    opened: Open, settings: Settings, tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    postgres = EmbeddedPostgres(tmp_path, settings=UNSAFE_BUT_FAST)
    async with postgres, opened(settings.model_copy(update={"database_url": postgres.dsn})) as door:
        assert (await door.knock(follow())).status_code == 200
        (found,) = [folder for folder in data_folders(tmp_path) if folder.exists()]
        lose(found)
        answers = {(await door.knock(follow(TARO))).status_code for _ in range(12)}
        # What Postgres still has open may do for a while; no answer says that we are broken.
        assert answers <= {200, 503}

        async def many_at_once() -> set[int]:
            knocks = (door.knock(follow(friend_id(number))) for number in range(40))
            return {answer.status_code for answer in await asyncio.gather(*knocks)}

        # Those that go by another connection find nothing.
        if lose is not lose_the_log:
            answers = await eventually(many_at_once, lambda seen: 503 in seen)
            assert answers <= {200, 503}
        assert (await door.http.get("/healthz")).status_code == 200


def data_folders(folder: Path) -> list[Path]:
    """Where an embedded Postgres may have its data: as root, another user's may be used."""
    location = folder / "location"
    return [folder / "data", *([Path(location.read_text()) / "data"] if location.exists() else [])]


async def test_a_database_that_hangs_is_503_in_time(
    door: Door, database: Database, dsn: str
) -> None:
    async with database.transaction() as connection:
        await connection.execute("lock table webhook_events in exclusive mode")
        began = time.monotonic()
        answers = await asyncio.gather(*(door.knock(follow()) for _ in range(15)))
        assert time.monotonic() - began < 5
        assert {answer.status_code for answer in answers} == {503}
    assert (await door.knock(follow())).status_code == 200


async def test_a_database_whose_connections_are_all_cut_is_reached_again(
    door: Door, database: Database
) -> None:
    for _ in range(3):
        async with database.connection() as connection:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        answers = [(await door.knock(follow())).status_code for _ in range(3)]
        assert set(answers) <= {200, 503}
        assert answers[-1] == 200


async def handled(database: Database, number: int) -> None:
    """Wait until so many events have been handled."""

    async def look() -> int:
        async with database.connection() as connection:
            return int(
                await connection.fetchval(
                    "select count(*) from webhook_events where handled_at is not null"
                )
            )

    await eventually(look, lambda seen: seen == number, seconds=5)


async def friends(database: Database) -> dict[str, str]:
    async with database.connection() as connection:
        rows = await connection.fetch("select friend, status from friends")
    return {row["friend"]: row["status"] for row in rows}
