"""A hunt for secrets, wherever Tobiishi writes anything down."""

from __future__ import annotations

import logging

import pytest

from tests.acceptance.conftest import API_TOKEN, SECRET, Shop
from tests.acceptance.test_holding import HELLO, MINUTES, tell, waits
from tests.eventually import eventually
from tobiishi.database import Database
from tobiishi.simulator import ACCESS_TOKEN

WRONG_TOKEN, LOGIN_SECRET = "a-token-that-line-does-not-take", "the-secret-of-line-login"
SECRETS = (SECRET, ACCESS_TOKEN, API_TOKEN, WRONG_TOKEN, LOGIN_SECRET)


async def all_rows_of(database: Database) -> str:
    """Everything in the database, as text."""
    said = []
    async with database.connection() as connection:
        for row in await connection.fetch(
            "select table_name from information_schema.tables where table_schema = 'public'"
        ):
            rows = await connection.fetch(f"select t::text from {row['table_name']} as t")
            said += [row["t"] for row in rows]
    return "\n".join(said)


async def all_histories_of(shop: Shop, *friends: str) -> str:
    histories = [await shop.journey("hello", friend).fetch_history() for friend in friends]
    return "\n".join(str(event) for history in histories for event in history.events)


async def test_no_secret_is_in_logs_histories_errors_or_the_database(
    shop: Shop, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await shop.publish(HELLO)
    answers = []

    async def put(path: str, **body: str) -> int:
        answer = await shop.api.put(f"/api/channels/default{path}", json=body)
        answers.append(answer.text)
        return answer.status_code

    line = str(shop.line.http.base_url)
    # One after the other: refused for its form, taken but not LINE's, good.
    bad = {"secret": SECRET, "access_token": WRONG_TOKEN + "\n鍵", "api_base_url": line}
    assert await put("", **bad) in (400, 422)
    login = {"channel_id": "1", "secret": LOGIN_SECRET}
    assert await put("/login", **login) == 200
    assert await put("/login", **login, more="x") == 422
    body = {"secret": SECRET, "access_token": WRONG_TOKEN, "api_base_url": line}
    assert await put("", **body) == 200
    friend = await shop.line.add_friend()
    await eventually(lambda: waits(shop, friend))
    other = await shop.line.add_friend()
    assert await put("", **{**body, "access_token": ACCESS_TOKEN}) == 200
    await tell(shop, "/api/channels/default/pause")
    await tell(shop, "/api/channels/default/resume")
    await shop.pass_days(MINUTES)
    await shop.line.got(friend, "こんにちは")
    await shop.line.got(other, "こんにちは")
    wrong = await shop.api.get("/api/channels", headers={"Authorization": "Bearer wrong"})
    answers += [wrong.text, (await shop.api.get("/api/channels")).text]
    answers.append((await shop.api.get("/api/holds")).text)
    answers.append((await shop.api.get(f"/api/friends/{friend}")).text)

    written = {
        "database": await all_rows_of(database),
        "histories": await all_histories_of(shop, friend, other),
        "logs": caplog.text + "".join(str(record.__dict__) for record in caplog.records),
        "answers": "\n".join(answers),
    }
    assert friend in written["database"]
    assert "send hello" in written["histories"]
    assert "does not take" in written["logs"]
    found = [
        (where, secret)
        for where, said in written.items()
        for secret in SECRETS
        if secret in said or secret.encode().hex() in said
    ]
    assert found == []
