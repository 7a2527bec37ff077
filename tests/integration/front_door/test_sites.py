"""The shop's sites: who is recognised there, and what the tag may tell."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.integration.front_door.knocking import HANAKO, TARO, Door
from tobiishi.database import Database
from tobiishi.errors import Invalid
from tobiishi.people import events, friends
from tobiishi.people.events import FriendEvent
from tobiishi.tokens import Signer
from tobiishi.tracking import sites

NOW = datetime.now(UTC)
SITE = "www.shop.example"
PAGE = f"https://{SITE}/sneakers"


@pytest.fixture
def signer(secret_key: SecretStr) -> Signer:
    return Signer(secret_key)


@pytest.fixture
async def site(door: Door, database: Database) -> Door:
    """A starter whose default channel has a site, and Hanako for a friend."""
    assert (await door.api("PUT", f"/sites/{SITE}")).json()["sites"] == [SITE]
    async with database.transaction() as connection:
        await friends.meet(connection, "default", HANAKO, NOW)
    return door


async def token_of(database: Database, signer: Signer, friend: str, at: datetime = NOW) -> str:
    async with database.connection() as connection:
        marked = await sites.marked(
            connection, signer, channel="default", friend=friend, url=PAGE, at=at
        )
    return marked.rpartition("tbv=")[2]


async def tell(
    door: Door, visitor: str, *, origin: str | None = f"https://{SITE}", **said: Any
) -> httpx.Response:
    body = {
        "id": "0123456789ab",
        "visitor": visitor,
        "event": "add_to_cart",
        "url": PAGE,
        "detail": {"sku": "靴-1"},
    } | said
    headers = {
        "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)",
        "Accept-Language": "ja-JP,ja",
    }
    if origin:
        headers["Origin"] = origin
    return await door.http.post("/t", content=json.dumps(body).encode(), headers=headers)


async def seen(database: Database, friend: str = HANAKO) -> list[FriendEvent]:
    async with database.connection() as connection:
        return await events.of_friend(connection, "default", friend)


async def test_what_a_friend_does_on_a_site_is_kept(
    site: Door, database: Database, signer: Signer
) -> None:
    token = await token_of(database, signer, HANAKO)
    answer = await tell(site, token, url=f"{PAGE}?a=1&tbv={token}&b=2#top")
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
    (event,) = await seen(database)
    assert (event.source, event.event, event.url) == ("site", "add_to_cart", f"{PAGE}?a=1&b=2")
    assert event.detail == {"sku": "靴-1"}


async def test_the_phone_is_learned_from_the_visit(
    site: Door, database: Database, signer: Signer
) -> None:
    await tell(site, await token_of(database, signer, HANAKO))
    async with database.connection() as connection:
        known = await connection.fetchval("select seen from friends where friend = $1", HANAKO)
    assert known["os"] == "ios"
    assert known["language"].startswith("ja")


async def test_what_is_told_twice_counts_once(
    site: Door, database: Database, signer: Signer
) -> None:
    token = await token_of(database, signer, HANAKO)
    answers = await asyncio.gather(*(tell(site, token) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {204}
    assert len(await seen(database)) == 1


async def test_a_token_that_was_altered_anywhere_is_nobodys(
    site: Door, database: Database, signer: Signer
) -> None:
    token = await token_of(database, signer, HANAKO)
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        answer = await tell(site, token[:place] + other + token[place + 1 :])
        assert answer.status_code == 204
    for wrong in (token[:-1], token + "A", "", "x" * 256, signer.sign("link", b"1.1")):
        assert (await tell(site, wrong)).status_code == 204
    assert await seen(database) == []


async def test_a_visitor_is_forgotten_after_half_a_year(
    site: Door, database: Database, signer: Signer
) -> None:
    day = timedelta(days=1)
    old = await token_of(database, signer, HANAKO, NOW - 181 * day)
    await tell(site, old)
    assert await seen(database) == []
    await tell(site, await token_of(database, signer, HANAKO, NOW - 179 * day))
    assert len(await seen(database)) == 1


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        ("https://evil.example", PAGE),
        ("https://evil.example", "https://evil.example/sneakers"),
        (f"https://{SITE}", "https://evil.example/sneakers"),
        (None, PAGE),
        ("null", PAGE),
        (f"https://{SITE}.evil.example", PAGE),
        (f"https://{SITE}@evil.example", PAGE),
        (f"https://{SITE}:8443", f"https://{SITE}:8443/"),
    ],
)
async def test_only_the_shops_own_pages_tell(
    site: Door, database: Database, signer: Signer, origin: str | None, url: str
) -> None:
    token = await token_of(database, signer, HANAKO)
    assert (await tell(site, token, origin=origin, url=url)).status_code == 204
    assert await seen(database) == []


async def test_a_site_that_was_removed_tells_nothing_any_more(
    site: Door, database: Database, signer: Signer
) -> None:
    token = await token_of(database, signer, HANAKO)
    await site.api("DELETE", f"/sites/{SITE}")
    assert (await tell(site, token)).status_code == 204
    assert await seen(database) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b'{"id": "0123456789ab"}',
        b"[" * 5000,
        json.dumps({"id": "x", "visitor": "x", "event": "a", "url": "u"}).encode(),
        json.dumps(
            {"id": "0123456789ab", "visitor": "x", "event": "Add To Cart", "url": "u"}
        ).encode(),
        b'{"id": "0123456789ab", "visitor": "x", "event": "a", "url": "u", "detail": {"a": NaN}}',
        b'{"id": "0123456789ab", "visitor": "x", "event": "a", "url": "u", "detail": [1]}',
        b'{"id": "0123456789ab", "visitor": "x", "event": "a", "url": "u\\u0000"}',
        b'{"id": "0123456789ab", "visitor": "x", "event": "a", "url": "\\ud83d"}',
        b'{"id": "0123456789ab", "visitor": "x", "event": "a", "url": "u", '
        b'"detail": {"a": "\\u0000"}}',
        json.dumps(
            {
                "id": "0123456789ab",
                "visitor": "x",
                "event": "a",
                "url": "u",
                "detail": {"a": "x" * 2000},
            }
        ).encode(),
    ],
)
async def test_what_is_no_event_is_refused(site: Door, body: bytes) -> None:
    answer = await site.http.post("/t", content=body, headers={"Origin": f"https://{SITE}"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"].startswith(("this is nothing that the tag tells", "detail:"))


async def test_too_much_at_once_and_too_often_is_refused(
    site: Door, database: Database, signer: Signer
) -> None:
    assert (await site.http.post("/t", content=b"x" * 8001)).status_code == 413
    token = await token_of(database, signer, HANAKO)
    statuses = [(await tell(site, token, id=f"{number:012}")).status_code for number in range(130)]
    assert statuses.count(204) == 120
    assert statuses.count(429) == 10


async def test_only_the_shops_own_addresses_are_marked(
    site: Door, database: Database, signer: Signer
) -> None:
    async with database.transaction() as connection:
        await sites.put(connection, "default", "127.0.0.1:8300")
        await sites.put(connection, "default", "お店.example")

        async def marked(url: str, friend: str = HANAKO) -> bool:
            said = await sites.marked(
                connection, signer, channel="default", friend=friend, url=url, at=NOW
            )
            assert said == url or "tbv=" in said
            return said != url

        assert await marked(PAGE)
        assert await marked("https://WWW.Shop.Example/")
        assert await marked("http://127.0.0.1:8300/shop/")
        assert await marked("https://お店.example/靴?色=白#上")
        assert not await marked("https://shop.example/")
        assert not await marked(f"https://{SITE}.evil.example/")
        assert not await marked(f"https://{SITE}@evil.example/")
        assert not await marked("http://127.0.0.1:8301/shop/")
        assert not await marked("https://[::1")
        assert not await marked(PAGE, TARO)


async def test_the_mark_leaves_the_address_as_it_is(
    site: Door, database: Database, signer: Signer
) -> None:
    async with database.connection() as connection:
        for before, after in (
            (f"{PAGE}?b=%E9%9D%B4&a=1#top", f"{PAGE}?b=%E9%9D%B4&a=1&tbv=*#top"),
            (f"{PAGE}?tbv=old&a=1", f"{PAGE}?a=1&tbv=*"),
            (f"{PAGE}?", f"{PAGE}?tbv=*"),
        ):
            said = await sites.marked(
                connection, signer, channel="default", friend=HANAKO, url=before, at=NOW
            )
            start, _, end = after.partition("*")
            assert said.startswith(start)
            assert said.endswith(end)


@pytest.mark.parametrize(
    ("said", "host"),
    [
        ("Shop.Example", "shop.example"),
        ("shop.example:443", "shop.example"),
        ("shop.example:8443", "shop.example:8443"),
        ("お店.example", "xn--t8jz70l.example"),
        ("localhost:8080", "localhost:8080"),
    ],
)
def test_a_host_is_kept_as_browsers_say_it(said: str, host: str) -> None:
    assert sites.host_of(said) == host


@pytest.mark.parametrize(
    "said",
    ["", " ", "https://shop.example", "shop.example/a", "a b", "*.shop.example", "-a", "x" * 300],
)
def test_what_is_no_host_is_refused(said: str) -> None:
    with pytest.raises(Invalid, match="is not a host; write it as"):
        sites.host_of(said)


async def test_the_tag_is_served_and_remembered(door: Door) -> None:
    answer = await door.http.get("/tag.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    etag = {"If-None-Match": answer.headers["etag"]}
    assert (await door.http.get("/tag.js", headers=etag)).status_code == 304
    assert len(answer.content) < 4096


async def test_the_shops_systems_tell_events(site: Door, database: Database) -> None:
    told = [
        {"friend": HANAKO, "event": "purchase", "id": "order-1", "detail": {"yen": 9800}},
        {"friend": HANAKO, "event": "purchase", "id": "order-1"},
        {"friend": HANAKO, "event": "purchase", "at": (NOW - timedelta(days=3)).isoformat()},
    ]
    answer = await site.api("POST", "/events", json={"events": told})
    assert answer.json() == {"new": 2, "known": 1}
    assert (await site.api("POST", "/events", json={"events": told[:1]})).json()["new"] == 0
    listed = (await site.api("GET", f"/friends/{HANAKO}/events")).json()
    assert [event["detail"] for event in listed] == [{"yen": 9800}, {}]
    first = await site.api("GET", f"/friends/{HANAKO}/events?limit=1")
    assert first.json() == listed[:1]
    second = await site.http.get(first.links["next"]["url"], headers=site.headers)
    assert second.json() == listed[1:]
    third = await site.http.get(second.links["next"]["url"], headers=site.headers)
    assert third.json() == []
    assert "next" not in third.links


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ({"friend": TARO}, 400, f"events[1].friend: '{TARO}' is not a friend"),
        ({"at": (NOW + timedelta(hours=1)).isoformat()}, 400, "events[1].at"),
        ({"at": (NOW - timedelta(days=181)).isoformat()}, 400, "events[1].at"),
        ({"at": "2026-11-01T10:00:00"}, 422, "at"),
        ({"event": "Purchase"}, 422, "event"),
        ({"id": "\0"}, 422, "id"),
        ({"yen": 1}, 422, "yen"),
    ],
)
async def test_of_events_all_are_kept_or_none(
    site: Door, database: Database, wrong: dict[str, Any], status: int, said: str
) -> None:
    right = {"friend": HANAKO, "event": "purchase"}
    answer = await site.api("POST", "/events", json={"events": [right, right | wrong]})
    assert answer.status_code == status, answer.text
    assert said in answer.text
    assert await seen(database) == []
