"""Those who come by a route: who they are, learned from LINE Login in the background.

A visitor is sent on at once, whatever LINE and the database do meanwhile.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import asyncpg

from tobiishi.channels.channels import Channel, Channels
from tobiishi.database import Database, Unavailable
from tobiishi.errors import NotFound, SettingError
from tobiishi.limits import Limit
from tobiishi.line import LineClient, LineError, RateLimited, Unreachable
from tobiishi.line.login import LoginChannel, LoginClient, friend_add_link
from tobiishi.relay.queue import is_away, wait_after
from tobiishi.relay.relay import Relay
from tobiishi.routes import routes
from tobiishi.routes.logins import LOGIN_LIFETIME, Login
from tobiishi.routes.routes import RouteVisit

T = TypeVar("T")

_log = logging.getLogger(__name__)

#: Seconds that the database may take to tell what is behind a link.
LOOKUP_TIMEOUT_SECONDS = 3
#: Seconds that LINE may take to tell the account's `@…`, while a visitor waits.
LINE_TIMEOUT_SECONDS = 3
#: Seconds that a starter which stops waits for the visits that it is about to keep.
FINISH_TIMEOUT_SECONDS = 3
#: Visitors whom LINE is asked about at once; who the others are is not learned.
MAX_CONCURRENT_VISITS = 500
#: Visitors of a channel whom LINE is asked about in a minute, by two or three requests each.
MAX_VISITS_PER_MINUTE = 1200
#: How often LINE is asked before it is given up (a code is good for 10 minutes), and how often a
#: visit is tried that can't be kept while the database is there.
MAX_ATTEMPTS = 5

#: The name of a channel or a route.
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Returned:
    """Somebody whom LINE Login sent back."""

    channel: Channel
    login: Login
    #: The secret of their browser.
    browser: str
    code: str
    redirect_uri: str
    friendship_changed: bool | None
    at: datetime


class Reception:
    """Learns who the visitors are, and keeps that, in the background: they are sent on at once.

    It remembers the channels, for when the database is away.
    """

    def __init__(self, database: Database, channels: Channels, relay: Relay) -> None:
        self._database = database
        self._channels = channels
        self._relay = relay
        self._remembered: dict[str, Channel] = {}
        self._clients: dict[tuple[str, LoginChannel], LoginClient] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: dict[str, asyncio.Task[str | None]] = {}
        self._once = Limit(times=1, seconds=LOGIN_LIFETIME.total_seconds())
        self._a_minute = Limit(times=MAX_VISITS_PER_MINUTE, seconds=60)

    async def __aenter__(self) -> Reception:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FINISH_TIMEOUT_SECONDS)
        unfinished = [*self._tasks, *self._asking.values()]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()

    async def find(self, channel: str, route: str) -> tuple[Channel, bool] | None:
        """The channel, and whether it has the route; None where there is no such channel.

        Raises one of `Unavailable` where the database is away and nothing is remembered.
        """
        if not SLUG.fullmatch(channel):
            return None
        try:
            async with (
                asyncio.timeout(LOOKUP_TIMEOUT_SECONDS),
                self._database.connection() as connection,
            ):
                found = await self._channels.get(connection, channel)
                is_route = SLUG.fullmatch(route) is not None and await routes.exists(
                    connection, channel, route
                )
        except NotFound:
            self._remembered.pop(channel, None)
            return None
        except (*Unavailable, asyncpg.PostgresError, SettingError) as error:
            remembered = self._remembered.get(channel)
            _log.warning("a route is opened, and the database tells nothing: %r", error)
            if remembered is None:
                raise TimeoutError from error
            # Whether there is such a route turns out when the visit is kept.
            return remembered, SLUG.fullmatch(route) is not None
        self._remembered[channel] = found
        return found, is_route

    async def way_in(self, channel: Channel) -> str | None:
        """Where a visitor adds the account; None where LINE does not tell which it is."""
        basic_id = channel.basic_id
        if basic_id is None:
            asking = self._asking.get(channel.channel)
            if asking is None:
                asking = asyncio.create_task(self._learn(channel))
                self._asking[channel.channel] = asking
                asking.add_done_callback(lambda _: self._asking.pop(channel.channel, None))
            with suppress(TimeoutError):
                async with asyncio.timeout(LINE_TIMEOUT_SECONDS):
                    basic_id = await asyncio.shield(asking)
        return basic_id and friend_add_link(basic_id, api_base_url=channel.api_base_url)

    async def _learn(self, channel: Channel) -> str | None:
        """Have LINE tell the account's `@…`, and keep it."""
        name, token = channel.channel, channel.access_token
        try:
            async with LineClient(base_url=channel.api_base_url, access_token=token) as line:
                basic_id = (await line.bot_info()).basic_id
        except (LineError, ValueError) as error:
            _log.warning("channel %s: LINE does not tell which account it is: %s", name, error)
            return None
        self._remembered[name] = replace(channel, basic_id=basic_id)
        try:
            async with self._database.transaction() as connection:
                if (await self._channels.get(connection, name)).access_token == token:
                    await self._channels.keep_basic_id(connection, name, basic_id)
        except (*Unavailable, asyncpg.PostgresError, NotFound, SettingError) as error:
            _log.warning("channel %s: its basic id is not kept: %r", name, error)
        return basic_id

    def see_through(self, returned: Returned) -> None:
        """Have LINE tell who came back, and keep the visit: once for each login."""
        name, login = returned.channel.channel, returned.login
        if not self._once.takes(login.number):
            return
        if len(self._tasks) >= MAX_CONCURRENT_VISITS or not self._a_minute.takes(name):
            _log.error("channel %s: too many visitors; nobody knows who came by a route", name)
            return
        task = asyncio.create_task(self._see_through(returned))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _see_through(self, returned: Returned) -> None:
        login = returned.login
        try:
            visit = await self._visit(returned)
            await self._keep(visit)
        except LineError as error:
            _log.warning("route %s: LINE Login does not tell who came: %s", login.route, error)
        except asyncio.CancelledError:
            _log.error("route %s: a visit is lost, as the starter stops", login.route)
            raise
        except Exception:
            _log.exception("route %s: a visit is lost", login.route)

    async def _visit(self, returned: Returned) -> RouteVisit:
        """Who it was, as LINE tells. Raises `LineError`."""
        client, login, browser = self._client(returned.channel), returned.login, returned.browser
        tokens = await _with_retries(
            lambda: client.exchange(
                returned.code,
                redirect_uri=returned.redirect_uri,
                code_verifier=login.code_verifier(browser),
            )
        )
        friend = await _with_retries(
            lambda: client.user_of(tokens.id_token, nonce=login.nonce(browser))
        )
        was_friend: bool | None = False
        if not returned.friendship_changed:
            try:
                was_friend = await client.is_friend(tokens.access_token)
            except LineError as error:
                _log.warning("route %s: LINE does not tell who is a friend: %s", login.route, error)
                was_friend = None
        return RouteVisit(
            channel=login.channel,
            route=login.route,
            login=login.number,
            friend=friend,
            opened_at=login.opened_at,
            returned_at=returned.at,
            friendship_changed=returned.friendship_changed,
            was_friend=was_friend,
        )

    async def _keep(self, visit: RouteVisit) -> None:
        for tries in itertools.count(1):
            try:
                async with self._database.transaction() as connection:
                    kept = await routes.record(connection, visit)
            except Exception as error:
                if not is_away(error) and tries == MAX_ATTEMPTS:
                    raise
                _log.warning("route %s: a visit is not kept yet: %s", visit.route, error)
            else:
                if kept:
                    self._relay.changes.ring()
                    self._relay.outbox.ring()
                return
            await asyncio.sleep(wait_after(tries - 1).total_seconds())

    def _client(self, channel: Channel) -> LoginClient:
        """A client of the channel's LINE Login channel; one that changed gets a client anew."""
        assert channel.login is not None
        key = (channel.api_base_url, channel.login)
        if key not in self._clients:
            self._clients[key] = LoginClient(channel.login, api_base_url=channel.api_base_url)
        return self._clients[key]


async def _with_retries(ask: Callable[[], Awaitable[T]]) -> T:
    """LINE's answer, asked for again while there is none. Raises `LineError`."""
    for tries in itertools.count(1):
        try:
            return await ask()
        except (RateLimited, Unreachable) as error:
            if tries == MAX_ATTEMPTS:
                raise
            _log.warning("LINE Login is asked again: %s", error)
        await asyncio.sleep(wait_after(tries - 1).total_seconds())
    raise AssertionError
