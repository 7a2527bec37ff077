"""Who came by which route: over real HTTP, with the simulator's LINE Login."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from temporalio.client import Client

from tests.eventually import eventually
from tests.integration.front_door.conftest import Publish
from tests.integration.front_door.knocking import SECRET, TOKEN, body_of, follow, friend_id
from tests.ports import free_port
from tests.scenarios import yaml
from tests.serving import serving
from tobiishi import webhooks
from tobiishi.api import create_app
from tobiishi.database import Database
from tobiishi.line.signature import sign
from tobiishi.people import friends
from tobiishi.relay.relay import Relay
from tobiishi.routes import routes
from tobiishi.routes.routes import RouteVisit
from tobiishi.settings import Settings
from tobiishi.simulator import ACCESS_TOKEN, create_simulator
from tobiishi.simulator.login import LOGIN_CHANNEL_ID, LOGIN_CHANNEL_SECRET

NOW = datetime.now(UTC)
_numbers = itertools.count(1)
#: Greets who came by the poster, and nobody else.
POSTER = "start: {friend_added: {routes: [poster]}}"


@dataclass
class Street:
    """A starter, its LINE, and people who pass by with a phone in their hand."""

    starter: str
    line: httpx.AsyncClient
    api: httpx.AsyncClient
    database: Database

    def phone(self) -> httpx.AsyncClient:
        """Somebody's browser: it keeps cookies, and is told where it is sent."""
        return httpx.AsyncClient(timeout=20)

    async def scan(self, phone: httpx.AsyncClient, route: str = "poster") -> httpx.Response:
        return await phone.get(f"{self.starter}/r/default/{route}")

    async def log_in(self, phone: httpx.AsyncClient, consent: str, **how: str) -> str:
        """Agree on the consent screen; the address that LINE sends one back to."""
        query = "&".join(f"{name}={value}" for name, value in {"auto": "1", **how}.items())
        back = await phone.get(f"{consent}&{query}")
        assert back.status_code == 302, back.text
        return str(back.headers["location"])

    async def come(self, user: str, **how: str) -> httpx.Response:
        """All of the way: scan, log in as that user, come back."""
        async with self.phone() as phone:
            consent = (await self.scan(phone)).headers["location"]
            return await phone.get(await self.log_in(phone, consent, user=user, **how))

    async def follows(self, friend: str) -> None:
        """LINE tells that somebody was added, by the button say."""
        body = body_of(follow(friend))
        headers = {"X-Line-Signature": sign(SECRET, body)}
        (await self.api.post("/webhook", content=body, headers=headers)).raise_for_status()

    async def route_of(self, friend: str) -> str | None:
        async with self.database.connection() as connection:
            query = "select route from friends where friend = $1"
            route: str | None = await connection.fetchval(query, friend)
            return route

    async def journeys(self, friend: str) -> list[str]:
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "select scenario, why from journeys where friend = $1", friend
            )
        return [row["scenario"] for row in rows]

    async def visits(self) -> int:
        async with self.database.connection() as connection:
            return int(await connection.fetchval("select count(*) from route_visits"))


@pytest.fixture
def port() -> int:
    """The starter's."""
    return free_port()


@pytest.fixture
async def line_url(port: int) -> AsyncIterator[str]:
    simulator = create_simulator(
        webhook_url=f"http://127.0.0.1:{port}/webhook", channel_secret=SECRET
    )
    async with serving(simulator) as url:
        yield url


@pytest.fixture
def settings(settings: Settings, port: int, line_url: str) -> Settings:
    """Of a starter whose LINE is the simulator."""
    about = {
        "public_url": f"http://127.0.0.1:{port}",
        "line_channel_access_token": SecretStr(ACCESS_TOKEN),
        "line_api_base_url": line_url,
        "line_login_channel_id": LOGIN_CHANNEL_ID,
        "line_login_channel_secret": SecretStr(LOGIN_CHANNEL_SECRET),
    }
    return settings.model_copy(update=about)


@pytest.fixture
async def street(
    settings: Settings,
    port: int,
    line_url: str,
    database: Database,
    temporal: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Street]:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.service_client.config.target_host)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        serving(create_app(settings), port) as url,
        httpx.AsyncClient(base_url=line_url, timeout=20) as line,
        httpx.AsyncClient(base_url=url, headers=headers, timeout=20) as api,
    ):
        (await api.put("/api/routes/poster", json={"title": "ポスター"})).raise_for_status()
        yield Street(starter=url, line=line, api=api, database=database)


@pytest.fixture
async def poster(street: Street, published: Publish) -> str:
    """A scenario for those who come by the poster, of a name that no other test has."""
    name = f"poster-{next(_numbers)}"
    await published(yaml(name, POSTER))
    return name


# The shop's side.


async def test_a_route_has_a_link_and_a_code_to_scan(street: Street) -> None:
    said = (await street.api.get("/api/routes/poster")).json()
    assert said["link"] == f"{street.starter}/r/default/poster"
    assert (said["is_known"], said["notes"]) == (True, [])
    svg = await street.api.get("/api/routes/poster/qr.svg")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert b"<svg" in svg.content
    png = await street.api.get("/api/routes/poster/qr.png")
    assert png.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["ポスター", "Poster", "a_b", "-a", "a" * 65, "%00", "a.b"])
async def test_a_name_that_is_none_is_refused(street: Street, name: str) -> None:
    assert (await street.api.put(f"/api/routes/{name}", json={})).status_code == 422


async def test_a_route_in_use_is_not_deleted(
    street: Street, poster: str, published: Publish
) -> None:
    definition = {"kind": "route", "route": "poster"}
    (await street.api.put("/api/audiences/by-poster", json=definition)).raise_for_status()
    refused = await street.api.delete("/api/routes/poster")
    assert refused.status_code == 409
    assert f"scenario {poster}" in refused.text
    assert "audience by-poster" in refused.text
    await published(yaml(poster))
    (await street.api.delete("/api/audiences/by-poster")).raise_for_status()
    assert (await street.api.delete("/api/routes/poster")).status_code == 204
    assert (await street.api.get("/api/routes/poster")).status_code == 404


async def test_without_line_login_people_are_sent_to_the_account_all_the_same(
    street: Street,
) -> None:
    (await street.api.delete("/api/channels/default/login")).raise_for_status()
    said = (await street.api.get("/api/routes/poster")).json()
    assert said["is_known"] is False
    assert "PUT /api/channels/default/login" in said["notes"][0]
    async with street.phone() as phone:
        sent = await street.scan(phone)
        assert "/R/ti/p/" in sent.headers["location"]
        assert (await phone.get(sent.headers["location"])).status_code == 200


# A visitor's way.


async def test_who_is_added_on_the_way_has_come_by_the_route(street: Street, poster: str) -> None:
    friend = friend_id(101)
    definition = {"kind": "route", "route": "poster"}
    (await street.api.put("/api/audiences/by-poster", json=definition)).raise_for_status()
    back = await street.come(friend)
    assert back.status_code == 302
    assert "/R/ti/p/" in back.headers["location"]
    await eventually(lambda: street.journeys(friend), lambda found: found == [poster])
    assert await street.route_of(friend) == "poster"
    known = (await street.api.get(f"/api/friends/{friend}")).json()
    assert [each["audience"] for each in known["audiences"]] == ["by-poster"]
    told = (await street.api.get("/api/routes/poster")).json()
    assert (told["visits"], told["friends"]) == (1, 1)


async def test_who_is_added_by_the_button_after_it_has_come_by_the_route(
    street: Street, poster: str
) -> None:
    friend = friend_id(102)
    await street.come(friend, friend="0")
    await eventually(street.visits, lambda count: count == 1)
    assert await street.journeys(friend) == []
    await street.follows(friend)
    await eventually(lambda: street.journeys(friend), lambda found: found == [poster])
    assert await street.route_of(friend) == "poster"


async def test_the_webhook_may_come_long_before_the_visitor_is_back(
    street: Street, poster: str
) -> None:
    friend = friend_id(103)
    async with street.phone() as phone:
        consent = (await street.scan(phone)).headers["location"]
        back = await street.log_in(phone, consent, user=friend)

        async def is_known() -> bool:
            return (await street.api.get(f"/api/friends/{friend}")).is_success

        await eventually(is_known)
        await asyncio.sleep(0.3)
        assert await street.journeys(friend) == []
        await phone.get(back)
    await eventually(lambda: street.journeys(friend), lambda found: found == [poster])
    assert await street.route_of(friend) == "poster"


async def test_who_comes_otherwise_starts_nothing_of_the_routes(
    street: Street, poster: str
) -> None:
    await street.follows(friend_id(104))
    await asyncio.sleep(0.5)
    assert await street.journeys(friend_id(104)) == []


async def test_a_friend_already_is_no_new_one(street: Street, poster: str) -> None:
    friend = friend_id(105)
    async with street.database.transaction() as connection:
        await friends.meet(connection, "default", friend, NOW - timedelta(days=30))
    (await street.line.post("/_simulator/friends", json={"userId": friend})).raise_for_status()
    await asyncio.sleep(1.1)  # A login is told by the second.
    await street.come(friend)
    await eventually(street.visits, lambda count: count == 1)
    assert (await street.route_of(friend), await street.journeys(friend)) == (None, [])


async def test_who_does_not_agree_is_shown_the_account_all_the_same(street: Street) -> None:
    async with street.phone() as phone:
        consent = (await street.scan(phone)).headers["location"]
        refused = await phone.post(consent, data={"cancel": ""})
        back = await phone.get(refused.headers["location"])
    assert back.status_code == 302
    assert "/R/ti/p/" in back.headers["location"]
    assert await street.visits() == 0


async def test_a_callback_that_is_opened_again_is_the_same_visit(
    street: Street, poster: str
) -> None:
    friend = friend_id(106)
    async with street.phone() as phone:
        consent = (await street.scan(phone)).headers["location"]
        back = await street.log_in(phone, consent, user=friend)
        for _ in range(5):
            assert (await phone.get(back)).status_code == 302
    await eventually(lambda: street.journeys(friend), lambda found: found == [poster])
    assert await street.visits() == 1


async def test_nobody_is_counted_by_somebody_elses_login(street: Street) -> None:
    """Sent to another browser, or altered, an address of the callback tells us nothing."""
    async with street.phone() as phone, street.phone() as other:
        consent = (await street.scan(phone)).headers["location"]
        back = await street.log_in(phone, consent, user=friend_id(107))
        state = parse_qs(urlsplit(back).query)["state"][0]
        await street.scan(other)
        for forged in (back, back.replace(state, state[:-2] + "AA"), back.replace(state, "x")):
            sent = await other.get(forged)
            assert sent.status_code == 302
            assert "/R/ti/p/" in sent.headers["location"]
    await asyncio.sleep(0.3)
    assert await street.visits() == 0


async def test_a_line_login_that_is_away_keeps_nobody_waiting(street: Street, poster: str) -> None:
    friend = friend_id(108)
    async with street.phone() as phone:
        consent = (await street.scan(phone)).headers["location"]
        back = await street.log_in(phone, consent, user=friend)
        faults = {"rate_500": 1, "applies_to": "all"}
        (await street.line.put("/_simulator/faults", json=faults)).raise_for_status()
        begun = asyncio.get_running_loop().time()
        assert (await phone.get(back)).status_code == 302
        assert asyncio.get_running_loop().time() - begun < 5
        (await street.line.put("/_simulator/faults", json={})).raise_for_status()
    await eventually(lambda: street.journeys(friend), lambda found: found == [poster])


@pytest.mark.parametrize(
    "path",
    [
        "/r/default/nothing",
        "/r/nobody/poster",
        "/r/default/%00",
        "/r/default/..%2f..",
        "/r/default/poster?redirect=https://evil.example",
        "/r/callback",
        "/r/callback?channel=%00",
        "/r/callback?state=%F0%9F%98%80&code=" + "x" * 5000,
        "/r/callback?channel=default&error=%0d%0aSet-Cookie:%20a=b",
        "/r/callback?redirect_uri=https://evil.example&state=x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
async def test_whatever_is_asked_leads_nowhere_else(street: Street, method: str, path: str) -> None:
    answer = await street.api.request(method, path)
    assert answer.status_code in (302, 404, 405), answer.text
    assert "evil" not in answer.headers.get("location", "")
    assert "a=b" not in answer.headers.get("set-cookie", "")
    if answer.status_code == 302:
        host = urlsplit(answer.headers["location"]).netloc
        assert host == urlsplit(str(street.line.base_url)).netloc


# Both at once.


async def test_a_visit_and_an_adding_at_the_same_time_start_one_journey(
    shop: Database, published: Publish, temporal: Client
) -> None:
    """Forty people, each told of twice at the same moment: by LINE Login and by the webhook."""
    name = f"at-once-{next(_numbers)}"
    await published(yaml(name, POSTER))
    async with shop.transaction() as connection:
        await routes.put(connection, "default", "poster", title="ポスター")
    people = [friend_id(1000 + number) for number in range(40)]
    relays = [Relay(shop, temporal), Relay(shop, temporal)]

    async def visited(friend: str) -> None:
        visit = RouteVisit(
            channel="default",
            route="poster",
            login=friend,
            friend=friend,
            opened_at=NOW - timedelta(seconds=30),
            returned_at=datetime.now(UTC) + timedelta(minutes=1),
            friendship_changed=True,
            was_friend=False,
        )
        async with shop.transaction() as connection:
            await routes.record(connection, visit)

    async def added(friend: str) -> None:
        read = webhooks.read("default", body_of(follow(friend)), received_at=datetime.now(UTC))
        async with shop.transaction() as connection:
            await webhooks.keep(connection, read)
        await asyncio.gather(*(relay.events.drain() for relay in relays))

    both: list[Any] = [do(friend) for friend in people for do in (visited, added)]
    await asyncio.gather(*both)
    for relay in relays:
        await relay.events.drain()

    async with shop.connection() as connection:
        rows = await connection.fetch("select friend, count(*) from journeys group by friend")
        by_poster = await connection.fetchval("select count(*) from friends where route = 'poster'")
    assert {row["friend"]: row["count"] for row in rows} == dict.fromkeys(people, 1)
    assert by_poster == len(people)
