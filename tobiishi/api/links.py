"""Where the links in messages lead: the click is seen, and the visitor sent on.

Anybody may come here. A visitor who holds a link of ours arrives, whatever becomes of the record
of it; one who doesn't is sent nowhere.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Annotated, cast

import asyncpg
from fastapi import APIRouter, Depends, FastAPI, Request, Response

from tobiishi.api.context import Context, InContext
from tobiishi.api.pages import page, try_again
from tobiishi.database import Unavailable
from tobiishi.limits import Limit
from tobiishi.relay.queue import is_away, wait_after
from tobiishi.tracking import links, sites
from tobiishi.tracking.links import LinkVisit, Token, location
from tobiishi.tracking.messages import LinkKind
from tobiishi.tracking.user_agents import is_for_somebody, language_of, os_of

_log = logging.getLogger(__name__)

#: Seconds that the database may take to tell where a link leads.
LOOKUP_TIMEOUT_SECONDS = 3
#: Seconds that a visitor waits for the record of their visit, which goes on after that.
RECORD_TIMEOUT_SECONDS = 1.0
#: Seconds that a starter which stops waits for the records of visits.
FINISH_TIMEOUT_SECONDS = 3
#: Visits that wait to be recorded; more than that are lost.
MAX_WAITING_VISITS = 10_000
#: Visits of one friend to one link that are recorded in a minute.
MAX_VISITS_PER_MINUTE = 30
#: How often a visit is tried that fails while the database is there.
MAX_ATTEMPTS = 5
#: Links whose way is remembered for when the database is away.
MAX_CACHED_URLS = 5_000


class Recorder:
    """Records visits in the background, and remembers where links led.

    A visit is tried until the database has kept it, or the process ends.
    """

    def __init__(self, context: Context, hands: int = 4) -> None:
        self._context = context
        self._hands = hands
        self._waiting: asyncio.Queue[tuple[LinkVisit, asyncio.Event]] = asyncio.Queue(
            MAX_WAITING_VISITS
        )
        self._often = Limit(times=MAX_VISITS_PER_MINUTE, seconds=60)
        self._working: Sequence[asyncio.Task[None]] = ()
        self._urls: dict[tuple[LinkKind, int], str] = {}

    async def __aenter__(self) -> Recorder:
        self._working = [asyncio.create_task(self._work()) for _ in range(self._hands)]
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_TIMEOUT_SECONDS):
                await self._waiting.join()
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        while not self._waiting.empty():
            _log.error("a visit is lost, as the starter stops: %s", self._waiting.get_nowait()[0])

    def record(self, visit: LinkVisit) -> asyncio.Event:
        """Have the visit recorded; tells when that is done."""
        done = asyncio.Event()
        if not self._often.takes(visit.token):
            done.set()  # Nobody taps that often; they are sent on, and that is all.
            return done
        try:
            self._waiting.put_nowait((visit, done))
        except asyncio.QueueFull:
            _log.error(
                "%d visits wait to be recorded; this one is lost: %s", MAX_WAITING_VISITS, visit
            )
            done.set()
        return done

    async def _work(self) -> None:
        while True:
            visit, done = await self._waiting.get()
            try:
                await self._keep(visit)
            except asyncio.CancelledError:
                _log.error("a visit is lost, as the starter stops: %s", visit)
                raise
            finally:
                done.set()
                self._waiting.task_done()

    async def _keep(self, visit: LinkVisit) -> None:
        for tries in itertools.count(1):
            try:
                async with self._context.database.transaction() as connection:
                    new = await links.record(connection, visit)
            except Exception as error:
                if not is_away(error) and tries == MAX_ATTEMPTS:
                    _log.exception("a visit is lost: %s", visit)
                    return
                _log.warning("a visit is not recorded yet: %s", error)
            else:
                if new:
                    self._context.relay.changes.ring()
                return
            await asyncio.sleep(wait_after(tries - 1).total_seconds())

    def remember(self, link: links.SentLink) -> None:
        key = (link.token.kind, link.token.link)
        if key not in self._urls and len(self._urls) >= MAX_CACHED_URLS:
            del self._urls[next(iter(self._urls))]
        self._urls[key] = link.url

    def url_of(self, token: Token) -> str | None:
        return self._urls.get((token.kind, token.link))


@asynccontextmanager
async def _recording(app: FastAPI) -> AsyncIterator[None]:
    async with Recorder(app.state.context) as app.state.recorder:
        yield


router = APIRouter(tags=["links"], lifespan=_recording)


def _recorder(request: Request) -> Recorder:
    return cast(Recorder, request.app.state.recorder)


InRecorder = Annotated[Recorder, Depends(_recorder)]


@router.api_route("/l/{token:path}", methods=["GET", "HEAD"], include_in_schema=False)
async def follow(
    token: str, request: Request, context: InContext, recorder: InRecorder
) -> Response:
    """Send the visitor on to where the link leads, and record the click."""
    return await _answer("link", token, request, context, recorder)


@router.api_route("/i/{token:path}", methods=["GET", "HEAD"], include_in_schema=False)
async def show(token: str, request: Request, context: InContext, recorder: InRecorder) -> Response:
    """Send the fetcher of an image on to where it is, and record that it was fetched."""
    return await _answer("image", token, request, context, recorder)


async def _answer(
    kind: LinkKind, text: str, request: Request, context: Context, recorder: Recorder
) -> Response:
    # LINE may take Japanese text right behind an address for a part of it.
    token = Token.read(context.signer, kind, re.split(r"[^\0-\x7f]", text, maxsplit=1)[0])
    if token is None:
        return page(404, NOT_FOUND)
    at, agent = context.database.now(), request.headers.get("user-agent", "")
    counted = is_for_somebody(request.method, request.headers)
    patience = RECORD_TIMEOUT_SECONDS
    try:
        async with (
            asyncio.timeout(LOOKUP_TIMEOUT_SECONDS),
            context.database.connection() as connection,
        ):
            link = await links.sent(connection, token)
            if link is None:
                return page(404, NOT_FOUND)
            recorder.remember(link)
            url = link.url
            if kind == "link" and counted:
                url = await sites.marked(
                    connection,
                    context.signer,
                    channel=link.channel,
                    friend=link.friend,
                    url=url,
                    at=at,
                )
    except (*Unavailable, asyncpg.PostgresError) as error:
        remembered = recorder.url_of(token)
        _log.warning("a link is opened, and the database tells nothing: %r", error)
        if remembered is None:
            return try_again()
        url, patience = remembered, 0.0
    if counted:
        language = language_of(request.headers.get("accept-language", ""))
        done = recorder.record(LinkVisit(token=token, at=at, os=os_of(agent), language=language))
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await done.wait()
    # No Referrer-Policy: a redirect passes on where the visitor came from, which is not us, and the
    # shop's own statistics may have it.
    headers = {"Location": location(url), "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
    return Response(status_code=302, headers=headers)


NOT_FOUND = """
<title>リンクを開けません</title>
<p>このリンクは開けません。アドレスが途中で切れているか、まちがっているようです。</p>
"""
