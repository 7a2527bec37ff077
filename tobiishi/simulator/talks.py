"""The chats: what arrived and what friends said, in order."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request
from starlette.routing import Route

from tobiishi.simulator import friends, parts
from tobiishi.simulator.answers import Json, Rejection, query_number
from tobiishi.simulator.platform import Platform, iso, platform_of

#: Types of a friend's messages that can be quoted
#: (https://developers.line.biz/en/docs/messaging-api/get-quote-tokens/).
QUOTABLE = ("text", "sticker", "image", "video")
#: Requests and sayings, not message objects: how far back in a chat a tap looks.
_MAX_ITEMS = 1000

_ROWS = """
select 'account' as sender, id, place, accepted_at as at, messages as content, sent,
    notification_disabled as silent, answered
from messages where user_id = ?1
union all
select 'friend', id, place, said_at, message, message_id, 0, 0 from said where user_id = ?1
order by place desc, id desc limit ?2
"""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One message of a chat."""

    #: None of what is shown in the chat only, and of what is older than ids are kept.
    id: str | None
    sender: Literal["account", "friend"]
    #: Seconds since the epoch.
    at: float
    #: As it was sent; None once it is unsent.
    message: dict[str, Any] | None
    #: Whether others can quote it.
    quotable: bool
    #: Whether the phone stayed quiet.
    silent: bool
    #: Whether it is the last of what it was sent with.
    last: bool
    #: Whether one of its quick replies was tapped.
    answered: bool
    #: The row in `messages` or `said`.
    row: int
    #: Place among what it was sent with, from 0.
    number: int = 0

    def as_json(self, *, quick_replies: bool, quoted: str | None) -> dict[str, Any]:
        shown = self.message
        if shown and self.sender == "account":
            shown = parts.numbered(shown)
        elif shown and isinstance(shown.get("text"), str):
            words = {"type": "text", "text": shown["text"]}
            shown = {**shown, "parts": parts.text_parts(words)}
        return {
            "key": f"{self.sender} {self.row} {self.number}",
            "id": self.id,
            "sender": self.sender,
            "at": iso(self.at),
            "message": shown,
            "quotable": self.quotable,
            "silent": self.silent,
            "quickReplies": parts.quick_replies(self.message or {}) if quick_replies else [],
            "quoted": quoted,
        }


def of(platform: Platform, user_id: str, limit: int = _MAX_ITEMS) -> list[Item]:
    """The friend's chat, oldest first; of the last so many requests and sayings."""
    rows = platform.store.all(_ROWS, user_id, limit)
    return [item for row in reversed(rows) for item in _items(row)]


def find(items: Sequence[Item], message_id: str) -> Item:
    """Find the message. Raises `Rejection` where the chat lacks it."""
    for item in items:
        if item.id == message_id:
            return item
    raise Rejection(
        404, f"the chat has no message {message_id}; GET …/talk lists the last messages with ids"
    )


def quick_replies(items: Sequence[Item]) -> list[dict[str, Any]]:
    """The quick replies below the last message, until one is tapped or another message comes.

    https://developers.line.biz/en/docs/messaging-api/using-quick-reply/
    """
    if not items or not items[-1].last or items[-1].answered:
        return []
    return parts.quick_replies(items[-1].message or {})


def add(
    platform: Platform, user_id: str, message: Mapping[str, Any], message_id: str | None
) -> None:
    """Store what the friend said in the chat. To be called in a transaction."""
    platform.store.run(
        "insert into said (user_id, message_id, message, said_at, place) values (?, ?, ?, ?, ?)",
        user_id,
        message_id,
        json.dumps(message),
        platform.clock(),
        friends.touch(platform, [user_id]),
    )


def unsend(platform: Platform, user_id: str, message_id: str) -> None:
    """Forget only what the friend said. To be called in a transaction."""
    platform.store.run(
        "update said set message = null where user_id = ? and message_id = ?", user_id, message_id
    )
    friends.touch(platform, [user_id])


def answer(platform: Platform, user_id: str, item: Item) -> None:
    """Remove the quick replies of a message after a tap. To be called in a transaction."""
    platform.store.run("update messages set answered = 1 where id = ?", item.row)
    friends.touch(platform, [user_id])


def forget(platform: Platform) -> None:
    with platform.store.transaction():
        platform.store.run("delete from messages")
        platform.store.run("delete from said")
        platform.store.run("update friends set changed = ?", friends.revision(platform) + 1)


async def list_talks(request: Request) -> Json:
    """Friends who, or whose chats, changed since a revision; latest first."""
    platform = platform_of(request)
    since = query_number(request, "since", default=0, least=0, most=10**9)
    limit = query_number(request, "limit", default=200, least=1, most=1000)
    search = f"%{request.query_params.get('search', '')[:200]}%"
    rows = platform.store.all(
        "select * from friends where changed > ?1 and (display_name like ?2 or user_id like ?2)"
        " order by changed desc limit ?3",
        since,
        search,
        limit,
    )
    found = [friends.Friend.from_row(row) for row in rows]
    return Json(
        {
            "revision": friends.revision(platform),
            "total": platform.store.number("select count(*) from friends"),
            "talks": [
                {**friend.as_json(), "changed": row["changed"], **_last(platform, friend)}
                for row, friend in zip(rows, found, strict=True)
            ],
        }
    )


async def get_talk(request: Request) -> Json:
    """A friend's chat, oldest first, with what can be tapped in it by number."""
    platform, user_id = platform_of(request), request.path_params["user_id"]
    friends.known(platform, user_id)
    limit = query_number(request, "limit", default=100, least=1, most=1000)
    items = of(platform, user_id, limit)
    offered = bool(quick_replies(items))
    items_by_id = {item.id: item for item in items if item.id}
    return Json(
        [
            item.as_json(
                quick_replies=offered and item is items[-1],
                quoted=_quoted(item, items_by_id),
            )
            for item in items
        ]
    )


def _quoted(item: Item, items_by_id: Mapping[str, Item]) -> str | None:
    """The text of the message that this one quotes."""
    quoted = (item.message or {}).get("quotedMessageId")
    if item.sender != "friend" or not isinstance(quoted, str):
        return None
    message = items_by_id[quoted].message if quoted in items_by_id else None
    return parts.summary(message) if message else "…"


def _last(platform: Platform, friend: friends.Friend) -> dict[str, Any]:
    items = of(platform, friend.user_id, 1)
    if not items:
        return {"last": None, "lastAt": None}
    message = items[-1].message
    words = parts.summary(message)[:100] if message else "送信を取り消しました"
    return {"last": words, "lastAt": iso(items[-1].at)}


def _items(row: sqlite3.Row) -> list[Item]:
    if row["sender"] == "friend":
        message = json.loads(row["content"]) if row["content"] else None
        quotable = bool(row["sent"] and message and message.get("type") in QUOTABLE)
        return [
            Item(
                id=row["sent"],
                sender="friend",
                at=row["at"],
                message=message,
                quotable=quotable,
                silent=False,
                last=True,
                answered=False,
                row=row["id"],
            )
        ]
    messages, sent = json.loads(row["content"]), json.loads(row["sent"])
    ids = sent + [{}] * (len(messages) - len(sent))
    return [
        Item(
            id=sent.get("id"),
            sender="account",
            at=row["at"],
            message=message,
            quotable="quoteToken" in sent,
            silent=bool(row["silent"]),
            last=number == len(messages) - 1,
            answered=bool(row["answered"]),
            row=row["id"],
            number=number,
        )
        for number, (message, sent) in enumerate(zip(messages, ids, strict=True))
    ]


routes = [
    Route("/_simulator/talks", list_talks),
    Route("/_simulator/friends/{user_id}/talk", get_talk),
]
