"""Webhook requests on their way into the database: those that wait at the same time go together.

Each is answered when its events are committed. One statement and one commit for all that came while
the last were under way cost hardly more than for one, and the more there are, the more go together.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType

from fastapi import HTTPException

from tobiishi import metrics, webhooks
from tobiishi.channels.channels import Channels, unknown
from tobiishi.database import Connection, Database
from tobiishi.errors import Invalid, NotFound
from tobiishi.line import is_signed_by
from tobiishi.relay.queue import is_away
from tobiishi.webhooks import KeptEvent

_log = logging.getLogger(__name__)

#: LINE gives up after 2 s; a database slower than this is as good as away, and LINE redelivers.
TIMEOUT_SECONDS = 1.5
#: A longer body is read in a thread, and goes alone.
LONG_BODY_BYTES = 20_000
#: Requests that go together: reading them is one stretch in which nobody else is served.
MOST_AT_ONCE = 32
#: So many of those at the same time.
HANDS = 4
#: Connections for them: one that is cut takes a while to close.
CONNECTIONS = 2 * HANDS


@dataclass(eq=False, kw_only=True)
class _Request:
    channel: str
    body: bytes
    signature: str
    #: Done when the events are committed.
    kept: asyncio.Future[None] = field(repr=False)

    @property
    def is_long(self) -> bool:
        return len(self.body) > LONG_BODY_BYTES

    def done(self, error: BaseException | None = None) -> None:
        if self.kept.done():
            return  # Its time was over.
        if error is None:
            self.kept.set_result(None)
        else:
            self.kept.set_exception(error)


class Intake:
    """Takes webhook requests, in `async with`. `ring` is called after new events were kept."""

    def __init__(
        self, database: Database, channels: Channels, *, ring: Callable[[], object]
    ) -> None:
        self._database = database
        self._channels = channels
        self._ring = ring
        self._waiting: deque[_Request] = deque()
        self._hands: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Intake:
        return self

    async def __aexit__(
        self, extype: type[BaseException] | None, ex: BaseException | None, tb: TracebackType | None
    ) -> None:
        for hand in self._hands:
            hand.cancel()
        await asyncio.gather(*self._hands, return_exceptions=True)

    async def take(self, channel: str, body: bytes, signature: str) -> None:
        """Return once the events are kept, or raise what the request is refused for.

        `NotFound` for an unknown channel, 401 for a wrong signature, `Invalid` for a body that is
        not a webhook, one of `Unavailable` where the database does not answer in time.
        """
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append(_Request(channel=channel, body=body, signature=signature, kept=kept))
        if len(self._hands) < HANDS:
            hand = asyncio.create_task(self._hand())
            self._hands.add(hand)
            hand.add_done_callback(self._hands.discard)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await kept

    async def _hand(self) -> None:
        while together := self._next():
            await self._keep(together)

    def _next(self) -> list[_Request]:
        """Those that go together next; none where none waits."""
        together: list[_Request] = []
        while self._waiting and len(together) < MOST_AT_ONCE:
            if together and (self._waiting[0].is_long or together[0].is_long):
                break
            request = self._waiting.popleft()
            if not request.kept.done():
                together.append(request)
        return together

    async def _keep(self, together: Sequence[_Request]) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), self._database.connection() as connection:
                await self._keep_with(connection, together)
        except Exception as error:
            if len(together) == 1 or is_away(error):
                for request in together:
                    request.done(error)
            else:
                # What one of them holds must not lose the others.
                for request in together:
                    await self._keep([request])

    async def _keep_with(self, connection: Connection, together: Sequence[_Request]) -> None:
        """Raises what the database says. What a request is refused for is that request's."""
        names = {request.channel for request in together}
        secrets, now = await self._channels.secrets(connection, names)
        events: list[KeptEvent] = []
        believed: list[_Request] = []
        for request in together:
            try:
                events += await _read(request, secrets.get(request.channel), now)
            except (NotFound, HTTPException, Invalid) as error:
                request.done(error)
            else:
                believed.append(request)
        if events:
            new = await webhooks.keep(connection, events)
            for channel, count in new.items():
                metrics.webhook_events.labels(channel).inc(count)
                _log.info("channel %s: %d new webhook events", channel, count)
            self._ring()
        for request in believed:
            request.done()


async def _read(request: _Request, secret: str | None, now: datetime) -> list[KeptEvent]:
    if secret is None:
        raise unknown(request.channel)
    # Before anything else of the body is believed:
    # https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
    if not is_signed_by(secret, request.body, request.signature):
        raise HTTPException(
            401, f"X-Line-Signature does not match the secret of channel {request.channel!r}"
        )
    if request.is_long:
        # A thousand events take a while to read, in which other webhooks must not wait.
        return await asyncio.to_thread(
            webhooks.read, request.channel, request.body, received_at=now
        )
    return webhooks.read(request.channel, request.body, received_at=now)
