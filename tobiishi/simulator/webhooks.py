"""Webhooks: signed, sent, and redelivered until accepted.

A webhook is kept before it is first sent, so that it survives a restart. LINE waits 2 seconds for
a 2xx; how often and when it redelivers is undocumented, so a setting here.

https://developers.line.biz/en/docs/messaging-api/receiving-messages/
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from tobiishi.line import sign
from tobiishi.simulator import BOT_USER_ID
from tobiishi.simulator.faults import Faults
from tobiishi.simulator.store import Store

_log = logging.getLogger(__name__)

#: Seconds that LINE waits for an answer.
TIMEOUT_SECONDS = 2.0
#: Seconds to a redelivery, at most.
MAX_INTERVAL_SECONDS = 60.0
#: A reply token is good for a minute from each delivery, and 20 minutes from the event at most.
REPLY_SECONDS, REPLY_SECONDS_IN_ALL = 60.0, 1200.0
_MAX_CONCURRENT = 50


class Courier:
    """Delivers webhooks to the webhook URL. `run` does the work; `post` queues."""

    def __init__(
        self,
        store: Store,
        faults: Faults,
        *,
        url: str | None,
        channel_secret: str,
        clock: Callable[[], float],
    ) -> None:
        self.channel_secret = channel_secret
        self._store = store
        self._faults = faults
        #: Where webhooks go.
        self.url = url
        self._clock = clock
        self._rung = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}

    def post(self, events: Sequence[dict[str, Any]]) -> None:
        """Keep a webhook request with these events, to be sent right away."""
        now = self._clock()
        self._store.run(
            "insert into webhooks (events, status, attempts, due_at, created_at)"
            " values (?, ?, '[]', ?, ?)",
            json.dumps(events),
            "pending" if self.url else "no webhook URL",
            now,
            now,
        )
        self._rung.set()

    async def run(self) -> None:
        """Send what is due, for ever."""
        # No proxy of the environment stands between LINE and a webhook on this machine.
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as http:
            try:
                while True:
                    self._rung.clear()
                    wait = self._send_due(http)
                    try:
                        async with asyncio.timeout(wait):
                            await self._rung.wait()
                    except TimeoutError:
                        continue
            finally:
                for task in self._under_way.values():
                    task.cancel()
                await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _send_due(self, http: httpx.AsyncClient) -> float | None:
        """Begin to send what is due. Returns seconds until the next, `None` where none waits."""
        rows = self._store.all(
            "select id, due_at from webhooks where status = 'pending' order by due_at, id limit ?",
            2 * _MAX_CONCURRENT,
        )
        now = self._clock()
        for row in rows:
            if row["id"] in self._under_way:
                continue
            if row["due_at"] > now:
                return float(row["due_at"] - now)
            if len(self._under_way) >= _MAX_CONCURRENT:
                return None  # Each task that ends sets the event.
            self._under_way[row["id"]] = asyncio.create_task(self._deliver(http, row["id"]))
        return None

    async def _deliver(self, http: httpx.AsyncClient, webhook: int) -> None:
        try:
            if await self._attempt(http, webhook) and self._faults.duplicates_webhook():
                await self._attempt(http, webhook, again=True)
        except Exception:
            # One that can't even be tried must not stand in the way of the others.
            _log.exception("webhook %d can't be sent", webhook)
            self._store.run("update webhooks set status = 'failed' where id = ?", webhook)
        finally:
            del self._under_way[webhook]
            self._rung.set()

    async def _attempt(self, http: httpx.AsyncClient, webhook: int, *, again: bool = False) -> bool:
        """Send it once and store the outcome; return whether it was accepted."""
        row = self._store.one("select * from webhooks where id = ?", webhook)
        if row is None:
            return False
        attempts, events = json.loads(row["attempts"]), json.loads(row["events"])
        redelivery = bool(attempts) and not again
        started = self._clock()
        for event in events:
            if redelivery and isinstance(event.get("deliveryContext"), dict):
                event["deliveryContext"]["isRedelivery"] = True
            self._refresh(event.get("replyToken"), started)
        status, error = await self._send(http, events)
        taken = status is not None and 200 <= status < 300
        attempts.append(
            {"at": started, "status": status, "error": error, "isRedelivery": redelivery}
        )
        if again:
            outcome, due = row["status"], row["due_at"]
        else:
            outcome, due = self._next(taken, len(attempts))
        self._store.run(
            "update webhooks set attempts = ?, status = ?, due_at = ? where id = ?",
            json.dumps(attempts),
            outcome,
            due,
            webhook,
        )
        return taken

    def _next(self, taken: bool, tries: int) -> tuple[str, float]:
        """The status after so many tries, and the time of the next one."""
        settings, now = self._faults.settings, self._clock()
        if taken:
            return "delivered", now
        if tries > settings.webhook_redeliveries:
            return "failed", now
        interval = settings.webhook_redelivery_seconds * 2 ** min(tries - 1, 30)
        return "pending", now + min(interval, MAX_INTERVAL_SECONDS)

    async def _send(
        self, http: httpx.AsyncClient, events: list[dict[str, Any]]
    ) -> tuple[int | None, str | None]:
        """The status of the answer, or what went wrong."""
        assert self.url is not None
        body = _encoded({"destination": BOT_USER_ID, "events": events})
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "LineBotWebhook/2.0",
            "x-line-signature": sign(self.channel_secret, body),
        }
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answer = await http.post(self.url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            text = f"{type(error).__name__}: {error}".removesuffix(": ")
            _log.info("webhook not taken: %s", text)
            return None, text
        return answer.status_code, None

    def _refresh(self, token: Any, now: float) -> None:
        if isinstance(token, str) and token.isascii():
            self._store.run(
                "update reply_tokens set valid_until = min(?, occurred_at + ?) where token = ?",
                now + REPLY_SECONDS,
                REPLY_SECONDS_IN_ALL,
                token,
            )


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # Half an emoji, which only an escape can carry.
        return json.dumps(body).encode()
