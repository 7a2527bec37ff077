"""Knocking at the front door as LINE does."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tobiishi.database import Database
from tobiishi.line.signature import sign

SECRET = "channel-secret"
TOKEN = "api-token"

_numbers = itertools.count(1)


def friend_id(number: int) -> str:
    return f"U{number:032x}"


HANAKO = friend_id(1)
TARO = friend_id(2)


def event(
    type: str, friend: str | None = HANAKO, *, at: int | None = None, **more: Any
) -> dict[str, Any]:
    """An event as LINE sends it; `at` in milliseconds since the epoch."""
    made: dict[str, Any] = {
        "type": type,
        "mode": "active",
        "timestamp": at if at is not None else time.time_ns() // 1_000_000,
        "webhookEventId": f"01H{next(_numbers):023d}",
        "deliveryContext": {"isRedelivery": False},
    }
    if friend is not None:
        made["source"] = {"type": "user", "userId": friend}
    return {**made, **more}


def follow(
    friend: str = HANAKO, *, at: int | None = None, unblocked: bool = False, **more: Any
) -> dict[str, Any]:
    added = {"isUnblocked": unblocked}
    return event("follow", friend, at=at, replyToken="reply", follow=added, **more)


def unfollow(friend: str = HANAKO, *, at: int | None = None, **more: Any) -> dict[str, Any]:
    return event("unfollow", friend, at=at, **more)


def said(text: str, friend: str = HANAKO, *, at: int | None = None, **more: Any) -> dict[str, Any]:
    message = {"id": "1", "type": "text", "text": text, "quoteToken": "q"}
    return event("message", friend, at=at, message=message, **more)


def body_of(*events: Any) -> bytes:
    return json.dumps({"destination": friend_id(0), "events": events}).encode()


@dataclass(kw_only=True)
class Door:
    """A starter that is being served."""

    http: httpx.AsyncClient
    app: Any
    headers: dict[str, str] = field(
        default_factory=lambda: {"Authorization": f"Bearer {TOKEN}"}, repr=False
    )

    async def knock(
        self, *events: Any, path: str = "/webhook", secret: str = SECRET
    ) -> httpx.Response:
        return await self.knock_raw(body_of(*events), path=path, secret=secret)

    async def knock_raw(
        self, body: bytes, *, path: str = "/webhook", secret: str = SECRET
    ) -> httpx.Response:
        signature = sign(secret, body)
        return await self.http.post(path, content=body, headers={"X-Line-Signature": signature})

    async def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.http.request(method, f"/api{path}", headers=self.headers, **more)


async def kept(database: Database) -> list[dict[str, Any]]:
    """The webhook events in the database, in the order of their ids."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select * from webhook_events order by webhook_event_id, channel"
        )
    return [dict(row) for row in rows]


async def journeys(database: Database) -> list[dict[str, Any]]:
    async with database.connection() as connection:
        rows = await connection.fetch("select * from journeys order by friend, scenario, entry")
    return [dict(row) for row in rows]


async def count(database: Database, query: str, *arguments: Any) -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval(query, *arguments))
