"""LINE's counts: quota, deliveries, and sums by aggregation unit.

Nobody opens or taps anything here, so a message counts as seen by all whom it reached, and as
clicked by nobody.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tobiishi.simulator.answers import Rejection, not_found, query_number
from tobiishi.simulator.platform import JAPAN, platform_of

#: Counts below this are not reported, for friends' privacy.
MIN_VISIBLE_USERS = 20
#: LINE's first day of counting.
_FIRST_DAY = "20180331"
_MEDIA = ("mediaPlayed", *(f"mediaPlayed{percent}Percent" for percent in (25, 50, 75, 100)))


async def quota(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#get-quota"""
    limit = platform_of(request).faults.settings.quota
    return JSONResponse({"type": "none"} if limit is None else {"type": "limited", "value": limit})


async def consumption(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#get-consumption"""
    return JSONResponse({"totalUsage": platform_of(request).used_quota()})


async def delivery(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#get-number-of-push-messages"""
    if request.path_params["endpoint"] not in ("push", "multicast", "reply", "broadcast"):
        raise not_found()
    platform, day = platform_of(request), _day(request, "date")
    if day < _FIRST_DAY:
        return JSONResponse({"status": "out_of_service"})
    if day >= platform.day():  # Counted by the next day.
        return JSONResponse({"status": "unready"})
    count = platform.store.number(
        "select recipients from sent where day = ? and endpoint = ?",
        day,
        request.path_params["endpoint"],
    )
    return JSONResponse({"status": "ready", "success": count})


async def units_info(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#get-the-number-of-unit-name-types-assigned-during-this-month"""
    platform = platform_of(request)
    count = platform.store.number("select count(*) from units where month = ?", platform.day()[:6])
    return JSONResponse({"numOfCustomAggregationUnits": count})


async def units(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#get-a-list-of-unit-names-assigned-during-this-month"""
    platform = platform_of(request)
    limit = query_number(request, "limit", default=100, least=1, most=100)
    try:
        after = base64.urlsafe_b64decode(request.query_params.get("start", "")).decode()
    except (ValueError, binascii.Error):
        raise Rejection(400, "Invalid start param") from None
    rows = platform.store.all(
        "select name from units where month = ? and name > ? order by name limit ?",
        platform.day()[:6],
        after,
        limit + 1,
    )
    names = [row["name"] for row in rows[:limit]]
    page: dict[str, Any] = {"customAggregationUnits": names}
    if len(rows) > limit:
        page["next"] = base64.urlsafe_b64encode(names[-1].encode()).decode()
    return JSONResponse(page)


async def unit(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#get-statistics-per-unit"""
    name = request.query_params.get("customAggregationUnit")
    try:
        first, last = _day(request, "from"), _day(request, "to")
        span = _start(last) - _start(first)
    except Rejection:
        name, span = None, timedelta()
    if not name or not timedelta() <= span <= timedelta(days=30):
        empty = {"message": None, "key": None, "stacktrace": None, "code": None}
        return JSONResponse(empty, 400)
    rows = platform_of(request).store.all(
        "select user_id, messages from messages"
        " where unit = ? and accepted_at >= ? and accepted_at < ?",
        name,
        _start(first).timestamp(),
        (_start(last) + timedelta(days=1)).timestamp(),
    )
    seen: dict[int, list[str]] = {}
    for row in rows:
        for seq in range(1, len(json.loads(row["messages"])) + 1):
            seen.setdefault(seq, []).append(row["user_id"])
    everyone = {row["user_id"] for row in rows}
    return JSONResponse(
        {
            "overview": {
                "uniqueImpression": _masked(everyone),
                "uniqueClick": None,
                "uniqueMediaPlayed": None,
                "uniqueMediaPlayed100Percent": None,
            },
            "messages": [
                {
                    "seq": seq,
                    "impression": len(users) if _masked(set(users)) else None,
                    "uniqueImpression": _masked(set(users)),
                    **dict.fromkeys(_MEDIA),
                    **dict.fromkeys("unique" + name[0].upper() + name[1:] for name in _MEDIA),
                }
                for seq, users in sorted(seen.items())
            ],
            "clicks": [],
        }
    )


def _masked(users: set[str]) -> int | None:
    return len(users) if len(users) >= MIN_VISIBLE_USERS else None


def _day(request: Request, name: str) -> str:
    """A day of the query, yyyyMMdd. Raises `Rejection`."""
    text = request.query_params.get(name, "")
    try:
        if len(text) == 8 and text.isascii() and text.isdigit():
            _start(text)
            return text
    except ValueError:
        pass
    raise Rejection(400, f"The value for the '{name}' parameter is invalid")


def _start(day: str) -> datetime:
    return datetime.strptime(day, "%Y%m%d").replace(tzinfo=JAPAN)


routes = [
    Route("/v2/bot/message/quota", quota),
    Route("/v2/bot/message/quota/consumption", consumption),
    Route("/v2/bot/message/delivery/{endpoint}", delivery),
    Route("/v2/bot/message/aggregation/info", units_info),
    Route("/v2/bot/message/aggregation/list", units),
    Route("/v2/bot/insight/message/event/aggregation", unit),
]
