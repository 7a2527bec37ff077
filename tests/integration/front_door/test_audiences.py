"""Audiences: who is in them, what others hear of it, and the same over HTTP."""

from __future__ import annotations

import asyncio
import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.defining import define
from tests.eventually import eventually
from tests.integration.front_door.conftest import Publish
from tests.integration.front_door.knocking import (
    HANAKO,
    SECRET,
    TARO,
    TOKEN,
    Door,
    count,
    follow,
    friend_id,
    journeys,
    said,
)
from tests.scenarios import yaml
from tobiishi.database import SQL, Database
from tobiishi.errors import Invalid, NotFound
from tobiishi.people import audiences, friends
from tobiishi.relay.audience_changes import AudienceChanges

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
JIRO = friend_id(3)


async def put(database: Database, name: str, tag: str | None = None) -> audiences.Audience:
    async with database.transaction() as connection:
        definition = {"kind": "tag", "tag": tag} if tag else None
        return await define(connection, name, definition, at=NOW)


async def join(database: Database, name: str, *who: str) -> int:
    async with database.transaction() as connection:
        return await audiences.join(connection, "default", name, who, at=NOW, reason="bought")


async def leave(database: Database, name: str, *who: str) -> int:
    async with database.transaction() as connection:
        return await audiences.leave(connection, "default", name, who, at=NOW, reason="returned")


async def retag(
    database: Database, who: str, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
) -> None:
    async with database.transaction() as connection:
        await friends.retag(connection, "default", who, add=add, remove=remove, at=NOW)


async def met(database: Database, *who: str) -> None:
    """Once the webhooks that tell of them are handled."""
    query = "select count(*) from friends where friend = any($1)"
    await eventually(lambda: count(database, query, who), lambda number: number == len(who))


async def meet(database: Database, *who: str) -> None:
    async with database.transaction() as connection:
        for friend in who:
            await friends.meet(connection, "default", friend, NOW)


async def members(database: Database, name: str) -> list[str]:
    async with database.connection() as connection:
        page = await audiences.members_of(connection, "default", name)
    return [member.friend for member in page]


async def changes(database: Database) -> list[tuple[str, str, str]]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select audience, friend, change from audience_changes order by id"
        )
    return [tuple(row) for row in rows]


# --- memberships and changes


async def test_a_membership_and_its_change_are_written_together(shop: Database) -> None:
    await put(shop, "vip")
    assert await join(shop, "vip", HANAKO, TARO) == 2
    assert await leave(shop, "vip", HANAKO) == 1
    assert await members(shop, "vip") == [TARO]
    assert await changes(shop) == [
        ("vip", HANAKO, "joined"),
        ("vip", TARO, "joined"),
        ("vip", HANAKO, "left"),
    ]


async def test_joining_and_leaving_twice_changes_nothing(shop: Database) -> None:
    await put(shop, "vip")
    assert await join(shop, "vip", HANAKO, HANAKO) == 1
    assert await join(shop, "vip", HANAKO) == 0
    assert await leave(shop, "vip", HANAKO, HANAKO, TARO) == 1
    assert await leave(shop, "vip", HANAKO) == 0
    assert len(await changes(shop)) == 2


async def test_nothing_is_written_where_the_transaction_fails(shop: Database) -> None:
    await put(shop, "vip")

    async def fail() -> None:
        async with shop.transaction() as connection:
            await audiences.join(connection, "default", "vip", [HANAKO], at=NOW, reason="x")
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await members(shop, "vip") == []
    assert await changes(shop) == []


async def test_the_same_upload_at_once_joins_each_once(shop: Database) -> None:
    await put(shop, "vip")
    everybody = [friend_id(number) for number in range(500)]
    joined = await asyncio.gather(
        *(join(shop, "vip", *(everybody if n % 2 else reversed(everybody))) for n in range(6))
    )
    assert sum(joined) == 500
    assert len(await changes(shop)) == 500


async def test_uploads_and_removals_at_once_do_not_wait_for_each_other_for_ever(
    shop: Database,
) -> None:
    await put(shop, "vip")
    everybody = [friend_id(number) for number in range(300)]
    for _ in range(5):
        await asyncio.gather(
            *(join(shop, "vip", *everybody) for _ in range(2)),
            *(leave(shop, "vip", *reversed(everybody)) for _ in range(2)),
        )
    told = await changes(shop)
    for friend in everybody:
        hers = [change for _, who, change in told if who == friend]
        assert all(one != next_ for one, next_ in itertools.pairwise(hers))


async def test_an_audience_that_does_not_exist_is_named(shop: Database) -> None:
    async with shop.connection() as connection:
        with pytest.raises(NotFound, match="'vip' does not exist; PUT /api/audiences/vip makes it"):
            await audiences.get(connection, "default", "vip")


# --- tags


async def test_a_tag_audience_follows_its_tag(shop: Database) -> None:
    await meet(shop, HANAKO, TARO)
    await retag(shop, HANAKO, add=("vip", "early"))
    made = await put(shop, "vips", tag="vip")
    assert made.members == 1
    await retag(shop, TARO, add=("vip",))
    await retag(shop, HANAKO, remove=("vip",))
    await retag(shop, HANAKO, remove=("vip", "never-carried"))
    assert await members(shop, "vips") == [TARO]
    assert await changes(shop) == [
        ("vips", HANAKO, "joined"),
        ("vips", TARO, "joined"),
        ("vips", HANAKO, "left"),
    ]


async def test_two_audiences_of_one_tag_both_follow_it(shop: Database) -> None:
    await meet(shop, HANAKO)
    await put(shop, "a", tag="vip")
    await put(shop, "b", tag="vip")
    await put(shop, "c", tag="other")
    await retag(shop, HANAKO, add=("vip",))
    assert [name for name, _, _ in await changes(shop)] == ["a", "b"]


async def test_an_audience_with_members_keeps_its_kind(shop: Database) -> None:
    await meet(shop, HANAKO)
    await put(shop, "vip")
    await join(shop, "vip", HANAKO)
    with pytest.raises(Invalid, match="is of kind 'upload' and has members"):
        await put(shop, "vip", tag="vip")
    await leave(shop, "vip", HANAKO)
    assert (await put(shop, "vip", tag="vip")).kind == "tag"
    await retag(shop, HANAKO, add=("vip",))
    await put(shop, "vip", tag="another")
    assert await members(shop, "vip") == []


async def test_a_tag_put_on_while_its_audience_is_made_is_in_it(shop: Database) -> None:
    await meet(shop, HANAKO)
    async with shop.transaction() as connection:
        await friends.retag(connection, "default", HANAKO, add=("vip",), at=NOW)
        making = asyncio.create_task(put(shop, "vips", tag="vip"))
        await asyncio.sleep(0.1)
    await making
    assert await members(shop, "vips") == [HANAKO]


async def test_a_tag_put_on_before_its_audience_is_told_of_is_in_it(shop: Database) -> None:
    await meet(shop, HANAKO)
    async with shop.transaction() as connection:
        await define(connection, "vips", {"kind": "tag", "tag": "vip"}, at=NOW)
        tagging = asyncio.create_task(retag(shop, HANAKO, add=("vip",)))
        await asyncio.sleep(0.1)
    await tagging
    assert await members(shop, "vips") == [HANAKO]


async def test_an_audience_that_becomes_a_tags_while_friends_are_listed_keeps_one_kind(
    shop: Database,
) -> None:
    await put(shop, "vip")
    async with shop.transaction() as connection:
        await audiences.get_listed(connection, "default", "vip")
        changing = asyncio.create_task(put(shop, "vip", tag="vip"))
        await asyncio.sleep(0.1)
        await audiences.join(connection, "default", "vip", [HANAKO], at=NOW, reason="x")
    with pytest.raises(Invalid, match="has members"):
        await changing


async def test_an_upload_under_way_holds_up_no_tagging(shop: Database) -> None:
    await meet(shop, HANAKO)
    await put(shop, "vip")
    await put(shop, "tagged", tag="vip")
    async with shop.transaction() as connection:
        await audiences.get_listed(connection, "default", "vip")
        renaming = asyncio.create_task(put(shop, "vip"))
        await asyncio.sleep(0.1)
        await asyncio.wait_for(retag(shop, HANAKO, add=("vip",)), 1)
        assert not renaming.done()
    await renaming
    assert await members(shop, "tagged") == [HANAKO]


async def test_tagging_one_friend_at_once_ends_in_one_order(shop: Database) -> None:
    await meet(shop, HANAKO)
    await put(shop, "a", tag="a")
    await put(shop, "b", tag="b")
    await asyncio.gather(
        *(
            retag(shop, HANAKO, add=("a", "b") if number % 2 else ("b", "a"))
            if number % 3
            else retag(shop, HANAKO, remove=("b", "a"))
            for number in range(30)
        )
    )
    carried = await count(shop, "select count(*) from tags")
    assert await count(shop, "select count(*) from audience_members") == carried


async def test_a_shop_may_list_friends_from_before_tobiishi(
    shop: Database, published: Publish
) -> None:
    await published(yaml(rules="start: {audience: vip}"))
    await join(shop, "vip", HANAKO)
    await AudienceChanges(shop).drain()
    assert [row["friend"] for row in await journeys(shop)] == [HANAKO]
    async with shop.connection() as connection:
        # Listing them tells nothing of when they followed: any event knows better.
        assert await friends.set_status(
            connection, "default", HANAKO, "blocked", datetime(2020, 1, 1, tzinfo=UTC)
        )


# --- over HTTP


WITHOUT_THE_TOKEN: list[dict[str, Any]] = [
    {},
    {"Authorization": "Bearer wrong"},
    {"Authorization": "Bearer"},
    {"Authorization": f"Basic {TOKEN}"},
    {"Authorization": TOKEN},
    {"Authorization": "Bearer トークン".encode()},
    {"X-Api-Token": TOKEN},
]


async def test_the_api_is_closed_without_the_token(door: Door) -> None:
    for headers in WITHOUT_THE_TOKEN:
        for method, path in [
            ("GET", "/api/audiences"),
            ("GET", "/api/audiences/nobody"),
            ("PUT", "/api/channels/mine"),
            ("GET", f"/api/friends/{HANAKO}"),
            ("POST", "/api/scenarios"),
            ("GET", "/api/scenarios/schema"),
        ]:
            answer = await door.http.request(method, path, headers=headers)
            assert answer.status_code == 401, (path, headers)
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_body_over_1_mb_is_413_with_or_without_the_token(door: Door) -> None:
    large = {"friends": ["U" * 64] * 20_000}
    assert (await door.api("POST", "/audiences/vip/members", json=large)).status_code == 413
    assert (await door.http.post("/api/audiences/vip/members", json=large)).status_code == 413
    answer = await door.api("POST", "/scenarios", content=b"#" * 1_000_001)
    assert answer.status_code == 413


async def test_an_audience_is_made_filled_and_emptied(door: Door) -> None:
    made = await door.api("PUT", "/audiences/vip", json={"title": "お得意さま"})
    assert made.json() == {
        "channel": "default",
        "audience": "vip",
        "title": "お得意さま",
        "kind": "upload",
        "rule": {},
        "members": 0,
    }
    added = await door.api("POST", "/audiences/vip/members", json={"friends": [TARO, HANAKO, TARO]})
    assert added.json() == {"joined": 2, "already_in": 0}
    added = await door.api("POST", "/audiences/vip/members", json={"friends": [TARO, JIRO]})
    assert added.json() == {"joined": 1, "already_in": 1}
    assert (await door.api("GET", "/audiences/vip")).json()["members"] == 3
    assert [audience["members"] for audience in (await door.api("GET", "/audiences")).json()] == [3]
    for left in (1, 0):
        gone = await door.api("DELETE", f"/audiences/vip/members/{TARO}")
        assert (gone.status_code, gone.json()) == (200, {"left": left})
    renamed = await door.api("PUT", "/audiences/vip", json={"title": "VIP"})
    assert (renamed.json()["title"], renamed.json()["members"]) == ("VIP", 2)


async def test_a_tag_is_one_however_it_is_written(door: Door, database: Database) -> None:
    await door.knock(follow(HANAKO), follow(TARO))
    await met(database, HANAKO, TARO)
    await door.api("PUT", "/audiences/vip", json={"kind": "tag", "tag": "VIP "})
    assert (await door.api("GET", "/audiences/vip")).json()["rule"] == {"tag": "VIP"}
    path = f"/friends/{HANAKO}/tags"
    tagged = await door.api("POST", path, json={"add": ["\uff36\uff29\uff30", " VIP"]})
    assert tagged.json()["tags"] == ["VIP"]
    csv = f"friend,tags\n{TARO},VIP\u3000;\n".encode()
    assert (await door.api("POST", "/friends/attributes", content=csv)).status_code == 200
    assert (await door.api("GET", "/audiences/vip")).json()["members"] == 2
    for written in ("VIP", "VIP ", "\uff36\uff29\uff30"):
        listed = await door.api("GET", "/friends", params={"tag": written})
        assert [each["friend"] for each in listed.json()] == [HANAKO, TARO]
    untagged = await door.api("POST", path, json={"remove": ["\uff36\uff29\uff30"]})
    assert untagged.json()["tags"] == []
    assert (await door.api("GET", "/audiences/vip")).json()["members"] == 1


async def test_tags_that_a_former_release_kept_as_they_were_written_are_the_same(
    door: Door, database: Database
) -> None:
    await door.knock(follow())
    await met(database, HANAKO)
    await door.api("PUT", "/audiences/vip", json={"kind": "tag", "tag": "VIP"})
    migration = (SQL / "migrations" / "0015_tags.sql").read_text(encoding="utf-8")
    old = ["VIP ", "\uff36\uff29\uff30", "VIP", "plain"]
    insert = "insert into tags (channel, friend, tag, tagged_at) values ('default', $1, $2, $3)"
    async with database.transaction() as connection:
        await connection.execute('update audiences set rule = \'{"tag": "VIP\\u3000"}\'')
        await connection.executemany(insert, [(HANAKO, tag, NOW) for tag in old])
        await connection.execute(migration)
        await connection.execute(migration)  # As if it were applied again: nothing is lost.
    assert (await door.api("GET", "/audiences/vip")).json()["rule"] == {"tag": "VIP"}
    assert (await door.api("GET", f"/friends/{HANAKO}")).json()["tags"] == ["VIP", "plain"]
    async with database.transaction() as connection:  # By a release that runs beside this one.
        await connection.execute(insert, HANAKO, "VIP ", NOW)
    tags = await door.api("POST", f"/friends/{HANAKO}/tags", json={"remove": ["VIP"]})
    assert tags.json()["tags"] == ["plain"]


#: An id of the shop's own, a phone number, an address, a group, a room, and what is nearly one.
NO_FRIENDS = [
    "shop-0001",
    "+819012345678",
    "hanako@shop.example",
    "C" + "1" * 32,
    "R" + "1" * 32,
    "U" + "1" * 31,
    "U" + "A" * 32,
    "u" + "1" * 32,
]


@pytest.mark.parametrize("wrong", NO_FRIENDS)
async def test_one_rule_says_what_a_friends_id_is_wherever_one_comes_in(
    door: Door, database: Database, wrong: str
) -> None:
    await door.api("PUT", "/audiences/vip", json={})
    await door.knock(follow())
    event = {"friend": wrong, "event": "purchase"}
    requests: list[tuple[str, str, Any, list[Any]]] = [
        ("POST", "/audiences/vip/members", {"friends": [HANAKO, wrong]}, ["body", "friends", 1]),
        ("DELETE", f"/audiences/vip/members/{wrong}", None, ["path", "friend"]),
        ("GET", f"/audiences/vip/members/{wrong}", None, ["path", "friend"]),
        ("GET", f"/friends/{wrong}", None, ["path", "friend"]),
        ("GET", f"/friends/{wrong}/events", None, ["path", "friend"]),
        ("POST", f"/friends/{wrong}/tags", {"add": ["vip"]}, ["path", "friend"]),
        ("PATCH", f"/friends/{wrong}/attributes", {"age": 30}, ["path", "friend"]),
        ("POST", f"/friends/{wrong}/pause", None, ["path", "friend"]),
        ("POST", "/events", {"events": [event]}, ["body", "events", 0, "friend"]),
    ]
    for method, path, body, field in requests:
        answer = await door.api(method, path, json=body)
        assert answer.status_code == 422, path
        (problem,) = answer.json()["detail"]
        assert problem["loc"] == field
        assert problem["msg"] == f"{wrong!r} is not a LINE user id; write U and 32 of 0-9, a-f"
    assert (await door.api("GET", "/audiences/vip/members")).json() == []
    # What LINE tells of a group or a room, or under such an id, makes nobody a friend.
    group = {"type": "group", "groupId": wrong, "userId": TARO}
    room = {"type": "room", "roomId": wrong, "userId": TARO}
    await door.knock(follow(wrong), said("a", source=group), said("b", source=room), follow(JIRO))
    handled = "select count(*) from webhook_events where handled_at is not null"
    await eventually(lambda: count(database, handled), lambda number: number == 5)
    assert await count(database, "select count(*) from friends") == 2
    # A former release may have kept it: it can be forgotten.
    if wrong.isalnum() or wrong == "shop-0001":
        assert (await door.api("DELETE", f"/friends/{wrong}")).status_code == 404


async def test_ten_thousand_friends_fit_in_one_request(door: Door, database: Database) -> None:
    await door.api("PUT", "/audiences/all", json={})
    everybody = {"friends": [friend_id(number) for number in range(10_000)]}
    added = await door.api("POST", "/audiences/all/members", json=everybody)
    assert added.json() == {"joined": 10_000, "already_in": 0}


async def test_members_come_page_by_page(door: Door) -> None:
    await door.api("PUT", "/audiences/vip", json={})
    everybody = [friend_id(number) for number in range(25)]
    await door.api("POST", "/audiences/vip/members", json={"friends": everybody})
    seen: list[str] = []
    pages: list[list[str]] = []
    while not pages or pages[-1]:
        page = await door.api(
            "GET",
            "/audiences/vip/members",
            params={"limit": 10, "after": seen[-1] if seen else ""},
        )
        pages.append([member["friend"] for member in page.json()])
        seen += pages[-1]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert seen == everybody


#: Method, path, body, and the status it is answered with.
DOUBTFUL: list[tuple[str, str, Any, int]] = [
    ("GET", "/audiences/nobody", None, 404),
    ("GET", "/audiences/nobody/members", None, 404),
    ("POST", "/audiences/nobody/members", {"friends": [HANAKO]}, 404),
    ("DELETE", f"/audiences/nobody/members/{HANAKO}", None, 404),
    ("GET", "/audiences?channel=nobody", None, 404),
    ("PUT", "/audiences/vip?channel=nobody", {}, 404),
    ("GET", "/audiences?channel=NO", None, 422),
    ("GET", "/audiences?channel=a%00", None, 422),
    ("GET", "/audiences?channel=a%0A", None, 422),
    ("PUT", "/audiences/VIP", {}, 422),
    ("PUT", "/audiences/vip%0A", {}, 422),
    ("PUT", "/audiences/vip%00", {}, 422),
    ("PUT", "/audiences/" + "a" * 65, {}, 422),
    ("PUT", "/audiences/vip", {"kind": "smart"}, 422),
    ("PUT", "/audiences/vip", {"kind": "tag"}, 422),
    ("PUT", "/audiences/vip", {"tag": "vip"}, 422),
    ("PUT", "/audiences/vip", {"kind": "tag", "tag": ""}, 422),
    ("PUT", "/audiences/vip", {"titel": "VIP"}, 422),
    ("PUT", "/audiences/vip", {"title": "x" * 121}, 422),
    ("PUT", "/audiences/vip", {"title": "\0"}, 400),
    ("PUT", "/audiences/vip", {"title": "\ud83d"}, 422),
    ("PUT", "/audiences/vip", {"\ud83d": 1}, 422),
    ("PUT", "/audiences/vip", {"title": float("nan")}, 422),
    ("PUT", "/audiences/vip", {"kind": "tag", "tag": "\0"}, 422),
    ("PUT", "/audiences/vip", [], 422),
    ("POST", "/audiences/here/members", {"friends": []}, 422),
    ("POST", "/audiences/here/members", {"friends": ["花子"]}, 422),
    ("POST", "/audiences/here/members", {"friends": [HANAKO, "a/b"]}, 422),
    ("POST", "/audiences/here/members", {"friends": [HANAKO + "\n"]}, 422),
    ("POST", "/audiences/here/members", {"friends": [None]}, 422),
    ("POST", "/audiences/here/members", {"friends": ["U"] * 10_001}, 422),
    ("DELETE", "/audiences/here/members/a.b", None, 422),
    ("GET", "/audiences/here/members?limit=0", None, 422),
    ("GET", "/audiences/here/members?limit=1001", None, 422),
    ("GET", "/audiences/here/members?limit=99999999999999999999", None, 422),
    ("GET", "/audiences/here/members?after=%00", None, 400),
    ("GET", "/audiences/here/members?after=%F0%9F", None, 200),
    ("POST", "/audiences/tagged/members", {"friends": [HANAKO]}, 400),
    ("DELETE", f"/audiences/tagged/members/{HANAKO}", None, 400),
    ("PUT", "/audiences/tagged", {"kind": "upload"}, 200),
    ("PUT", "/audiences/full", {"kind": "tag", "tag": "vip"}, 400),
    ("GET", f"/friends/{friend_id(99)}", None, 404),
    ("GET", "/friends/a.b", None, 422),
    ("GET", "/friends/%00", None, 422),
    ("GET", f"/friends/{HANAKO}?channel=nobody", None, 404),
    ("PATCH", f"/friends/{friend_id(99)}/attributes", {}, 404),
    ("POST", f"/friends/{friend_id(99)}/tags", {"add": ["vip"]}, 404),
    ("PATCH", f"/friends/{HANAKO}/attributes", {"age": -1}, 422),
    ("PATCH", f"/friends/{HANAKO}/attributes", {"age": 151}, 422),
    ("PATCH", f"/friends/{HANAKO}/attributes", {"birthday": "1990-13-01"}, 422),
    ("PATCH", f"/friends/{HANAKO}/attributes", {"gender": "unknown"}, 422),
    ("PATCH", f"/friends/{HANAKO}/attributes", {"fields": {"rank": "go\nld"}}, 422),
    ("PATCH", f"/friends/{HANAKO}/attributes", {"region": "東京\t都"}, 422),
    ("PATCH", f"/friends/{HANAKO}/attributes", {"shoe": 23}, 422),
    ("PATCH", f"/friends/{HANAKO}/attributes", {"region": "\0"}, 422),
    ("PATCH", f"/friends/{HANAKO}/attributes", {"region": "\ud83d"}, 422),
    ("POST", f"/friends/{HANAKO}/tags", {"add": [""]}, 422),
    ("POST", f"/friends/{HANAKO}/tags", {"add": ["\0"]}, 422),
    ("POST", f"/friends/{HANAKO}/tags", {"add": ["x" * 65]}, 422),
    ("POST", f"/friends/{HANAKO}/tags", {"add": ["x"] * 101}, 422),
    ("POST", f"/friends/{HANAKO}/tags", {"add": "vip"}, 422),
    ("GET", "/scenarios/nobody", None, 404),
    ("GET", "/scenarios/%00", None, 400),
    ("GET", "/scenarios?channel=nobody", None, 404),
    ("PUT", "/channels/Shop", {"secret": "s", "access_token": "t"}, 422),
    ("PUT", "/channels/shop", {"secret": "s"}, 422),
    ("PUT", "/channels/shop", {"secret": "", "access_token": "t"}, 422),
    ("PUT", "/channels/shop", {"secret": "s", "access_token": "t", "title": "\0"}, 400),
    ("PUT", "/channels/shop", {"secret": "\ud83d", "access_token": "t"}, 422),
    ("PUT", "/channels/shop", {"secret": "s", "access_token": "トークン"}, 422),
    ("PUT", "/channels/shop", {"secret": "s", "access_token": "t\n"}, 422),
    ("PUT", "/channels/shop", {"secret": "s", "access_token": "t", "api_base_url": "x"}, 422),
]


async def test_what_cannot_be_is_turned_away(busy_door: Door) -> None:
    headers = {**busy_door.headers, "Content-Type": "application/json"}
    otherwise = []
    for method, path, body, status in DOUBTFUL:
        content = None if body is None else json.dumps(body).encode()
        answer = await busy_door.http.request(
            method, f"/api{path}", content=content, headers=headers
        )
        if answer.status_code != status or (status >= 400 and not answer.json()["detail"]):
            otherwise.append((method, path, body, answer.status_code, answer.text))
    assert otherwise == []


@pytest.fixture
async def busy_door(door: Door, database: Database) -> Door:
    """A starter that knows a friend, and audiences of every kind."""
    await meet(database, HANAKO)
    await put(database, "here")
    await put(database, "tagged", tag="vip")
    await put(database, "full")
    await join(database, "full", HANAKO)
    return door


async def test_what_is_not_json_is_422_and_a_secret_is_not_said_back(door: Door) -> None:
    for content in (b"{", b"\xff", b"[" * 20_000, b'{"a": ' + b"1" * 5000 + b"}"):
        headers = {**door.headers, "Content-Type": "application/json"}
        answer = await door.http.put("/api/audiences/vip", content=content, headers=headers)
        assert answer.status_code in (400, 422), answer.text
    answer = await door.api("PUT", "/channels/shop", json={"secret": SECRET, "token": "t"})
    assert answer.status_code == 422
    assert SECRET not in answer.text
    assert [problem["loc"] for problem in answer.json()["detail"]] == [
        ["body", "access_token"],
        ["body", "token"],
    ]


async def test_friends_tags_and_attributes_are_told_and_forgotten(
    door: Door, database: Database
) -> None:
    await meet(database, HANAKO)
    await door.api("PUT", "/audiences/vips", json={"kind": "tag", "tag": "VIP 会員/🪨"})
    told = await door.api(
        "PATCH", f"/friends/{HANAKO}/attributes", json={"gender": "female", "region": "東京都"}
    )
    assert told.status_code == 200
    await door.api("PATCH", f"/friends/{HANAKO}/attributes", json={"region": None, "age": 30})
    tagged = await door.api(
        "POST", f"/friends/{HANAKO}/tags", json={"add": ["VIP 会員/🪨", "b"], "remove": ["c"]}
    )
    assert tagged.json()["audiences"][0]["audience"] == "vips"
    shown = (await door.api("GET", f"/friends/{HANAKO}")).json()
    assert shown["attributes"]["gender"] == "female"
    assert shown["attributes"]["region"] is None
    assert shown["attributes"]["age"] == 30
    assert shown["tags"] == ["VIP 会員/🪨", "b"]
    assert shown["status"] == "following"


async def test_a_friend_added_to_an_audience_over_http_enters_and_is_shown_why(
    door: Door, database: Database, published: Publish
) -> None:
    await published(yaml(rules="start: {audience: vip}\nexit: [{leaves: vip}]"))
    await door.knock(follow())
    await eventually(lambda: count(database, "select count(*) from friends"), seconds=5)
    await door.api("POST", "/audiences/vip/members", json={"friends": [HANAKO]})
    (row,) = await eventually(lambda: journeys(database), seconds=5)
    assert row["why"] == "joined vip: added through the API"
    await door.api("DELETE", f"/audiences/vip/members/{HANAKO}")
    await eventually(
        lambda: journeys(database), lambda seen: seen[0]["stopping"] == "exited", seconds=5
    )
    (shown,) = (await door.api("GET", f"/friends/{HANAKO}")).json()["journeys"]
    assert shown["because"] == "left vip"
    assert shown["workflow_id"] == f"journey/default/welcome/{HANAKO}"
