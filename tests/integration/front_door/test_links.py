"""Where links in messages lead: who arrives, what is recorded, and who is sent nowhere."""

from __future__ import annotations

import asyncio
import string
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr

from tests.conftest import UNSAFE_BUT_FAST
from tests.defining import define
from tests.eventually import eventually
from tests.integration.front_door.conftest import Open
from tests.integration.front_door.knocking import HANAKO, TARO, Door, count, friend_id
from tobiishi.api.links import MAX_VISITS_PER_MINUTE
from tobiishi.channels.channels import Channels
from tobiishi.database import Database
from tobiishi.local.postgres import EmbeddedPostgres
from tobiishi.people import audiences, events, friends
from tobiishi.people.events import FriendEvent
from tobiishi.settings import Settings
from tobiishi.tokens import Signer
from tobiishi.tracking import links
from tobiishi.tracking.links import LinkTracker, Token
from tobiishi.tracking.messages import Link

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OURS = "https://l.example.com"
SHOP = "https://shop.example/sale?utm_source=line&n=%E7%9F%B3#top"
IMAGE = "https://img.example/1.png"
IPHONE = {
    "User-Agent": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Mobile/15E148 Safari Line/14.9.1"
    ),
    "Accept-Language": "ja-JP,en;q=0.5",
}
PC = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/125.0"}
PREVIEW = {"User-Agent": "facebookexternalhit/1.1;line-poker/1.0"}


@dataclass(frozen=True)
class Street:
    """A starter, and the links that were sent."""

    door: Door
    database: Database
    tracker: LinkTracker

    async def link(
        self, url: str = SHOP, *, friend: str = HANAKO, message: str = "hello", **place: Any
    ) -> str:
        """The path of the friend's own address of a link."""
        kind = place.pop("kind", "link")
        async with self.database.connection() as connection:
            addresses = await self.tracker.addresses(
                connection,
                [Link(kind, url)],
                **{"channel": "default", "scenario": "welcome", **place},
                message=message,
                friend=friend,
            )
        return addresses[Link(kind, url)].removeprefix(OURS)

    async def open(self, path: str, headers: dict[str, str] = IPHONE) -> httpx.Response:
        return await self.door.http.get(path, headers=headers)

    async def events(self, friend: str = HANAKO, channel: str = "default") -> list[FriendEvent]:
        async with self.database.connection() as connection:
            return await events.of_friend(connection, channel, friend)

    async def seen(self, friend: str = HANAKO) -> Any:
        async with self.database.connection() as connection:
            query = "select seen from friends where friend = $1"
            return await connection.fetchval(query, friend)


async def street_of(door: Door, database: Database, secret_key: SecretStr) -> Street:
    async with database.transaction() as connection:
        for friend in (HANAKO, TARO):
            await friends.meet(connection, "default", friend, NOW)
    return Street(door, database, LinkTracker(public_url=OURS, signer=Signer(secret_key)))


@pytest.fixture
async def street(door: Door, database: Database, secret_key: SecretStr) -> Street:
    return await street_of(door, database, secret_key)


async def test_a_click_is_recorded_and_the_visitor_sent_on(street: Street) -> None:
    before = datetime.now(UTC)
    answer = await street.open(await street.link())
    assert (answer.status_code, answer.headers["location"], answer.content) == (302, SHOP, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "referrer-policy" not in answer.headers
    (event,) = await street.events()
    assert before <= event.occurred_at <= datetime.now(UTC)
    assert replace(event, occurred_at=NOW, key=None) == FriendEvent(
        channel="default",
        friend=HANAKO,
        source="message",
        event="click",
        occurred_at=NOW,
        scenario="welcome",
        message="hello",
        url=SHOP,
        detail={"os": "ios", "language": "ja-JP"},
    )
    assert await street.events(TARO) == []
    await street.open(await street.link())
    assert len(await street.events()) == 2


async def test_an_image_is_recorded_as_one(street: Street) -> None:
    path = await street.link(IMAGE, kind="image")
    answer = await street.open(path, {"User-Agent": "okhttp/4.12.0"})
    assert (answer.status_code, answer.headers["location"]) == (302, IMAGE)
    (event,) = await street.events()
    assert (event.event, event.url, event.message) == ("image", IMAGE, "hello")
    await street.open(path, PREVIEW)
    assert len(await street.events()) == 1


async def test_a_click_makes_a_member_and_a_journey_hears_of_it(street: Street) -> None:
    async with street.database.transaction() as connection:
        rule = {"kind": "click", "scenario": "welcome", "message": "hello", "url": SHOP}
        await define(connection, "clicked", rule, at=NOW)
    await street.open(await street.link("https://shop.example/other"))
    await street.open(await street.link(message="other"))
    await street.open(await street.link(friend=TARO), PREVIEW)
    await street.open(await street.link())
    async with street.database.connection() as connection:
        members = await audiences.members_of(connection, "default", "clicked")
    assert [(member.friend, member.reason) for member in members] == [
        (HANAKO, f"clicked {SHOP} in hello (welcome)")
    ]


async def test_what_a_click_tells_of_the_phone_is_kept(street: Street) -> None:
    path = await street.link()
    await street.open(path, PC)
    assert await street.seen() == {}
    await street.open(path)
    assert await street.seen() == {"os": "ios", "language": "ja-JP"}
    await street.open(path, {**PC, "Accept-Language": "en"})
    assert await street.seen() == {"os": "ios", "language": "en"}
    version = "select xmin::text::bigint from friends where friend = $1"
    before = await count(street.database, version, HANAKO)
    await street.open(path, {**IPHONE, "Accept-Language": "en"})
    assert await count(street.database, version, HANAKO) == before  # Nothing new, nothing written.
    assert await street.seen(TARO) == {}
    assert [event.detail for event in await street.events()] == [
        {"os": "ios", "language": "en"},
        {"language": "en"},
        {"os": "ios", "language": "ja-JP"},
        {},
    ]


@pytest.mark.parametrize(
    "headers",
    [
        PREVIEW,
        {"User-Agent": "Mozilla/5.0 (compatible; Linespider/1.1; +https://lin.ee/4dwXkTH)"},
        {**IPHONE, "Sec-Purpose": "prefetch;prerender"},
        {**IPHONE, "Purpose": "prefetch"},
    ],
)
async def test_a_preview_is_sent_on_and_not_counted(
    street: Street, headers: dict[str, str]
) -> None:
    answer = await street.open(await street.link(), headers)
    assert (answer.status_code, answer.headers["location"]) == (302, SHOP)
    assert await street.events() == []
    assert await street.seen() == {}


async def test_head_is_answered_and_not_counted(street: Street) -> None:
    answer = await street.door.http.head(await street.link(), headers=IPHONE)
    assert (answer.status_code, answer.headers["location"]) == (302, SHOP)
    answer = await street.door.http.head("/l/nothing", headers=IPHONE)
    assert (answer.status_code, answer.content) == (404, b"")
    assert await street.events() == []


def is_turned_away(answer: httpx.Response) -> bool:
    return (
        answer.status_code == 404
        and "location" not in answer.headers
        and answer.headers["content-type"] == "text/html; charset=utf-8"
        and answer.headers["referrer-policy"] == "no-referrer"
        and answer.headers["cache-control"] == "no-store"
        and "このリンクは開けません" in answer.text
        and "http" not in answer.text.replace("http-equiv", "")
    )


async def test_no_altered_token_leads_anywhere(street: Street) -> None:
    path = await street.link()
    token = path.removeprefix("/l/")
    letters = string.ascii_letters + string.digits + "-_"
    altered = {token[:at] + new + token[at + 1 :] for at in range(len(token)) for new in letters}
    altered |= {token[:at] for at in range(len(token))}
    altered |= {token[at:] for at in range(1, len(token))}
    altered |= {
        f"{token}{new}" for new in [*letters, "=", "==", "/", "//x", ".", "%", "?", ")", "\0"]
    }
    altered |= {f"{new}{token}" for new in letters}
    altered |= {token.upper(), token.lower(), token * 2, "x" * 5000, f"../l/{token}x", f"を{token}"}
    altered -= {token}
    for word in sorted(altered):
        answer = await street.open(f"/l/{quote(word, safe='')}")
        assert is_turned_away(answer), word
    assert await street.events() == []


async def test_a_token_of_something_else_leads_nowhere(
    street: Street, secret_key: SecretStr
) -> None:
    link, image = await street.link(), await street.link(kind="image")
    link_word, image_word = link.removeprefix("/l/"), image.removeprefix("/i/")
    signer = Signer(secret_key)
    said = signer.read("link", link_word)
    assert said is not None
    other_key = Signer(SecretStr("c29tZWJvZHkgZWxzZSdzIGtleSwgMzIgYnl0ZXMhISE="))
    # The numbers of the link and of the friend, unsigned or signed for or by something else.
    wrong = [
        f"/i/{link_word}",
        f"/l/{image_word}",
        f"/l/{signer.sign('route', said)}",
        f"/l/{signer.sign('', said)}",
        f"/l/{other_key.sign('link', said)}",
        f"/l/{signer.sign('link', said + said)}",
        f"/l/{signer.sign('link', said[:-1])}",
        f"/l/{signer.sign('link', b'')}",
        f"/l/{said.hex()}",
        # Of no link; of an image; to nobody.
        f"/l/{Token(kind='link', link=10**6, friend=1).sign(signer)}",
        f"/l/{Token(kind='link', link=1, friend=10**6).sign(signer)}",
        f"/l/{Token(kind='link', link=2**63 - 1, friend=2**63 - 1).sign(signer)}",
        f"/l/{Token(kind='link', link=0, friend=0).sign(signer)}",
    ]
    async with street.database.connection() as connection:
        image_id = await connection.fetchval("select id from links where kind = 'image'")
        number = await connection.fetchval("select number from friends where friend = $1", HANAKO)
    wrong.append(f"/l/{Token(kind='link', link=image_id, friend=number).sign(signer)}")
    for path in wrong:
        assert is_turned_away(await street.open(path)), path
    assert (await street.open(link)).status_code == 302
    assert (await street.open(image)).status_code == 302


async def test_a_link_is_of_its_channel_and_its_friend(
    street: Street, channels: Channels, settings: Settings
) -> None:
    async with street.database.transaction() as connection:
        shop = await channels.get(connection, "default")
        await channels.put(connection, replace(shop, channel="second"))
        await friends.meet(connection, "second", friend_id(9), NOW)
        number = await connection.fetchval("select number from friends where channel = 'second'")
    path = await street.link()
    token = Token.read(street.tracker.signer, "link", path.removeprefix("/l/"))
    assert token is not None
    # Signed by us, yet never sent: a link of one channel to a friend of another.
    mixed = replace(token, friend=number).sign(street.tracker.signer)
    assert is_turned_away(await street.open(f"/l/{mixed}"))
    theirs = await street.link(channel="second", friend=friend_id(9))
    assert theirs != path
    await street.open(theirs)
    (event,) = await street.events(friend_id(9), "second")
    assert event.channel == "second"
    assert await street.events() == []


@pytest.mark.parametrize(
    "path", ["/l/", "/i/", "/l/%00", "/l/%FF", "/l/a/b", "/l/" + "%E3%82%92" * 999]
)
async def test_whatever_is_asked_is_answered(street: Street, path: str) -> None:
    answer = await street.open(path)
    assert answer.status_code == 404
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert (await street.door.http.request(method, path)).status_code in (404, 405)


async def test_japanese_text_behind_a_link_does_not_break_it(street: Street) -> None:
    """LINE may take it for a part of the address."""
    path = await street.link()
    for behind in ("を見る", "」を", "。", "　次", "🎁"):
        assert (await street.open(path + behind)).headers["location"] == SHOP


@pytest.mark.parametrize(
    ("url", "location"),
    [
        (
            "https://日本語.jp/石?q=飛び石#上",
            "https://xn--wgv71a119e.jp/%E7%9F%B3?q=%E9%A3%9B%E3%81%B3%E7%9F%B3#%E4%B8%8A",
        ),
        (
            "https://a.example/%E7%9F%B3%2F?x=%26&y[]=1;z=(1)'*!$,@:~|",
            "https://a.example/%E7%9F%B3%2F?x=%26&y[]=1;z=(1)'*!$,@:~|",
        ),
        ("https://a.example/?", "https://a.example/?"),
        ("https://a.example/\r\nSet-Cookie: a=b", "https://a.example/%0D%0ASet-Cookie:%20a=b"),
        ('https://a.example/"<>\\^`{}', "https://a.example/%22%3C%3E%5C%5E%60%7B%7D"),
        ("https://user:pass@石.example:8443/", "https://user:pass@xn--y7y.example:8443/"),
        ("https://" + "石" * 70 + ".example/", "https://" + "%E7%9F%B3" * 70 + ".example/"),
        ("http://shop.example", "http://shop.example"),
    ],
)
async def test_the_address_survives_the_header(street: Street, url: str, location: str) -> None:
    answer = await street.open(await street.link(url))
    assert answer.headers["location"] == location
    assert "set-cookie" not in answer.headers
    assert (await street.events())[0].url == url


async def test_what_line_reads_stays_in_the_address(street: Street) -> None:
    path = await street.link("https://a.example/?openExternalBrowser=1")
    assert path.endswith("?openExternalBrowser=1")
    assert (await street.open(path)).headers["location"].endswith("/?openExternalBrowser=1")


async def test_links_are_kept_once_and_their_addresses_are_short(street: Street) -> None:
    wanted = [Link("link", SHOP), Link("image", SHOP), Link("link", IMAGE)]
    place = {"channel": "default", "scenario": "welcome", "message": "hello"}

    async def addresses(friend: str, wanted: list[Link]) -> dict[Link, str]:
        async with street.database.connection() as connection:
            return await street.tracker.addresses(connection, wanted, **place, friend=friend)

    everybody = await asyncio.gather(
        *(addresses(friend, wanted[::step]) for friend in (HANAKO, TARO) for step in (1, -1, 2) * 5)
    )
    assert await count(street.database, "select count(*) from links") == 3
    for told in everybody[:15]:
        assert told.items() <= everybody[0].items()
    for told in everybody[15:]:
        assert told.items() <= everybody[15].items()
    assert not set(everybody[0].values()) & set(everybody[15].values())
    more = await addresses(HANAKO, [Link("link", "https://new.example"), *wanted])
    assert more.items() >= everybody[0].items()
    words = [address.rsplit("/", 1)[1] for address in more.values()]
    assert all(len(word) <= 20 for word in words)
    largest = Token(kind="link", link=2**63 - 1, friend=2**63 - 1)
    word = largest.sign(street.tracker.signer)
    assert len(word) == 40
    assert Token.read(street.tracker.signer, "link", word) == largest


async def test_while_the_database_is_away_visitors_wait_or_arrive(
    opened: Open, settings: Settings, channels: Channels, secret_key: SecretStr, tmp_path: Path
) -> None:
    """Where a link leads is remembered, and the click on it recorded afterwards."""
    postgres = EmbeddedPostgres(tmp_path, settings=UNSAFE_BUT_FAST)
    async with postgres, opened(settings.model_copy(update={"database_url": postgres.dsn})) as door:
        database = await Database.open(postgres.dsn)
        street = await street_of(door, database, secret_key)
        known, theirs = await street.link(), await street.link(friend=TARO)
        new = await street.link("https://a.example/")
        await street.open(known)
        await database.close()
        await postgres.stop()

        began, clicked = time.monotonic(), datetime.now(UTC)
        answer = await street.open(theirs)
        arrived = datetime.now(UTC)
        assert (answer.status_code, answer.headers["location"]) == (302, SHOP)
        answer = await street.open(new)
        assert time.monotonic() - began < 5
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert answer.headers["cache-control"] == "no-store"
        assert '<meta http-equiv="refresh" content="5">' in answer.text
        assert "お待ちください" in answer.text
        assert "location" not in answer.headers
        assert is_turned_away(await street.open(known + "x"))

        await postgres.start()
        assert (await street.open(new)).headers["location"] == "https://a.example/"
        street = replace(street, database=await Database.open(postgres.dsn))
        try:
            (event,) = await eventually(lambda: street.events(TARO))
            # The database's clock tells it, and this machine's may be a little behind.
            assert clicked - SECOND < event.occurred_at < arrived + SECOND
            assert [event.url for event in await street.events()] == ["https://a.example/", SHOP]
        finally:
            await street.database.close()


async def test_while_the_database_hangs_the_visitor_is_asked_to_wait(street: Street) -> None:
    path = await street.link()
    async with street.database.transaction() as connection:
        await connection.execute("lock table links in access exclusive mode")
        began = time.monotonic()
        answers = await asyncio.gather(*(street.open(path) for _ in range(15)))
        assert time.monotonic() - began < 10
        assert {answer.status_code for answer in answers} == {503}
    assert (await street.open(path)).status_code == 302


async def test_a_slow_record_keeps_nobody_waiting_and_is_not_lost(street: Street) -> None:
    path = await street.link()
    async with street.database.transaction() as connection:
        await friends.lock(connection, "default", HANAKO)
        # They arrive while the record still waits for whoever has locked the friend.
        assert (await street.open(path)).headers["location"] == SHOP
        assert await street.events() == []
        # Others are recorded in the meantime.
        await street.open(await street.link(friend=TARO))
        assert len(await street.events(TARO)) == 1
    await eventually(street.events)
    assert len(await street.events()) == 1


async def test_a_starter_that_stops_records_what_it_has_taken(
    opened: Open, settings: Settings, street: Street
) -> None:
    async def lock(seconds: float) -> None:
        async with street.database.transaction() as connection:
            await friends.lock(connection, "default", HANAKO)
            locked.set()
            await asyncio.sleep(seconds)

    locked, path = asyncio.Event(), await street.link()
    async with opened(settings) as door:
        locking = asyncio.create_task(lock(2.5))
        await locked.wait()
        await asyncio.gather(*(door.http.get(path, headers=IPHONE) for _ in range(9)))
        assert await street.events() == []
    assert len(await street.events()) == 9
    await locking


async def test_a_record_that_fails_stops_nobody(street: Street, caplog: Any) -> None:
    """Such as an event that the database refuses: tried again, then told, then let go."""
    path, theirs = await street.link(), await street.link(friend=TARO)
    async with street.database.connection() as connection:
        await connection.execute("alter table events add check (friend <> '" + HANAKO + "')")
    assert (await street.open(path)).headers["location"] == SHOP
    assert (await street.open(theirs)).headers["location"] == SHOP
    assert len(await street.events(TARO)) == 1
    async with street.database.connection() as connection:
        await connection.execute("alter table events drop constraint events_friend_check")
    await eventually(street.events)


async def test_the_same_visit_told_twice_is_one(street: Street) -> None:
    path = await street.link()
    token = Token.read(street.tracker.signer, "link", path.removeprefix("/l/"))
    assert token is not None
    visit = links.LinkVisit(token=token, at=NOW)
    for new in (True, False):
        async with street.database.transaction() as connection:
            assert await links.record(connection, visit) is new
    unknown = replace(visit, token=replace(token, friend=10**9), key="other")
    async with street.database.transaction() as connection:
        assert await links.record(connection, unknown) is False
    assert len(await street.events()) == 1


async def test_many_clicks_at_once_are_all_recorded(street: Street) -> None:
    paths = [await street.link(f"https://shop.example/{number}") for number in range(20)]
    answers = await asyncio.gather(*(street.open(path) for path in paths * 10))
    assert {answer.status_code for answer in answers} == {302}
    query = "select count(*) from events"
    await eventually(lambda: count(street.database, query), lambda seen: seen == 200)


async def test_who_taps_too_often_is_sent_on_and_counted_no_more(street: Street) -> None:
    path, theirs = await street.link(), await street.link(friend=TARO)
    answers = await asyncio.gather(*(street.open(path) for _ in range(MAX_VISITS_PER_MINUTE + 20)))
    assert {answer.headers["location"].split("?")[0] for answer in answers} == {SHOP.split("?")[0]}
    await street.open(theirs)
    query = "select count(*) from events where friend = $1"
    for friend, expected in ((HANAKO, MAX_VISITS_PER_MINUTE), (TARO, 1)):
        look = partial(count, street.database, query, friend)
        await eventually(look, expected.__le__)
        await asyncio.sleep(0.2)
        assert await look() == expected
