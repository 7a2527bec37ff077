"""The virtual friends, and LINE's API on them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tobiishi.simulator import BOT_USER_ID
from tobiishi.simulator.answers import Rejection, not_found, query_number
from tobiishi.simulator.phones import Device
from tobiishi.simulator.platform import Platform, iso, platform_of

#: https://developers.line.biz/en/docs/messaging-api/getting-user-ids/
USER_ID = re.compile(r"U[0-9a-f]{32}")

_SURNAMES = ("佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤")
_NAMES = ("花子", "太郎", "陽菜", "蓮", "さくら", "湊", "結衣", "大和", "葵", "悠真", "美咲")


@dataclass(frozen=True)
class Friend:
    """A virtual user who has added the account, and perhaps blocked it since."""

    user_id: str
    display_name: str
    #: BCP 47 language tag; `None` without consent.
    language: str | None
    blocked: bool
    #: Seconds since the epoch.
    added_at: float
    device: Device

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Friend:
        return cls(
            row["user_id"],
            row["display_name"],
            row["language"],
            bool(row["blocked"]),
            row["added_at"],
            row["device"] or made_up_device(row["user_id"]),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "userId": self.user_id,
            "displayName": self.display_name,
            "language": self.language,
            "status": "blocked" if self.blocked else "friend",
            "addedAt": iso(self.added_at),
            "device": self.device,
        }


def find(platform: Platform, user_id: str) -> Friend | None:
    row = platform.store.one("select * from friends where user_id = ?", user_id)
    return Friend.from_row(row) if row else None


def known(platform: Platform, user_id: str) -> Friend:
    """The friend. Raises `Rejection` where there is no such friend."""
    friend = find(platform, user_id)
    if friend is None:
        raise Rejection(
            404, f"{user_id} is not a friend; GET /_simulator/friends lists those there are"
        )
    return friend


def find_or_adopt(platform: Platform, user_id: str) -> Friend | None:
    """The friend; a made-up one for an unknown id, if the settings allow it."""
    friend = find(platform, user_id)
    if friend is None and platform.faults.settings.unknown_users == "adopt":
        return keep(platform, user_id)
    return friend


def keep(
    platform: Platform,
    user_id: str,
    *,
    display_name: str | None = None,
    language: str | None = None,
    device: Device | None = None,
    blocked: bool = False,
) -> Friend:
    """Make a friend, or change what is given of one."""
    platform.store.run(
        """
        insert into friends (user_id, display_name, language, blocked, added_at, device, changed)
        values (?1, coalesce(?2, ?3), coalesce(?4, 'ja'), ?5, ?6, ?7, ?8)
        on conflict (user_id) do update set
            display_name = coalesce(?2, display_name),
            language = coalesce(?4, language),
            blocked = ?5,
            device = coalesce(?7, device),
            changed = ?8
        """,
        user_id,
        display_name,
        made_up_name(user_id),
        language,
        blocked,
        platform.clock(),
        device,
        revision(platform) + 1,
    )
    friend = find(platform, user_id)
    assert friend is not None
    return friend


def revision(platform: Platform) -> int:
    """Return the number of changes to friends and their chats."""
    return platform.store.number("select max(changed) from friends")


def touch(platform: Platform, user_ids: Sequence[str]) -> int:
    """Count a change to these friends or their chats; returns the new revision."""
    changed = revision(platform) + 1
    platform.store.run_many(
        "update friends set changed = ? where user_id = ?",
        [(changed, user_id) for user_id in user_ids],
    )
    return changed


def made_up_device(user_id: str) -> Device:
    return "ios" if hashlib.sha256(user_id.encode()).digest()[2] % 2 else "android"


def made_up_name(user_id: str) -> str:
    """A deterministic Japanese name for the id."""
    digest = hashlib.sha256(user_id.encode()).digest()
    return f"{_SURNAMES[digest[0] % len(_SURNAMES)]} {_NAMES[digest[1] % len(_NAMES)]}"


async def profile(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#get-profile"""
    user_id = request.path_params["user_id"]
    if not USER_ID.fullmatch(user_id):
        raise Rejection(400, "The value for the 'userId' parameter is invalid")
    friend = find_or_adopt(platform_of(request), user_id)
    if friend is None or friend.blocked:
        raise not_found()
    known = {
        "userId": friend.user_id,
        "displayName": friend.display_name,
        "language": friend.language,
    }
    return JSONResponse({name: value for name, value in known.items() if value is not None})


async def followers(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#get-follower-ids"""
    limit = query_number(request, "limit", default=300, least=1, most=1000)
    rows = platform_of(request).store.all(
        "select rowid, user_id from friends where not blocked and rowid > ? order by rowid limit ?",
        _read_token(request.query_params.get("start")),
        limit + 1,
    )
    page: dict[str, Any] = {"userIds": [row["user_id"] for row in rows[:limit]]}
    if len(rows) > limit:
        page["next"] = _token(rows[limit - 1]["rowid"])
    return JSONResponse(page)


async def bot_info(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#get-bot-info"""
    return JSONResponse(
        {
            "userId": BOT_USER_ID,
            "basicId": "@tobiishi",
            "displayName": "飛び石シミュレーター",
            "chatMode": "bot",
            "markAsReadMode": "auto",
        }
    )


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(f"after {position}".encode()).decode()


def _read_token(token: str | None) -> int:
    if token is None:
        return 0
    try:
        position = int(base64.urlsafe_b64decode(token).decode().removeprefix("after "))
    except (ValueError, binascii.Error):
        position = -1
    if not 0 <= position < 2**63:
        raise Rejection(400, "Invalid start param")
    return position


routes = [
    Route("/v2/bot/profile/{user_id}", profile),
    Route("/v2/bot/followers/ids", followers),
    Route("/v2/bot/info", bot_info),
]
