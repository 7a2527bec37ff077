"""Audiences of uploaded user ids, as LINE keeps them: they take ids, and never give them back.

https://developers.line.biz/en/reference/messaging-api/#manage-audience-group
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tobiishi.line import Detail
from tobiishi.simulator.answers import Rejection, invalid_property, json_body, not_found
from tobiishi.simulator.friends import USER_ID
from tobiishi.simulator.platform import Platform, platform_of
from tobiishi.simulator.schema import utf16_length

MAX_GROUPS, MAX_NAME, MAX_IDS, MAX_JOBS, MAX_PAGE = 1000, 120, 10_000, 50, 40
#: From creation to expiry, in seconds: 180 days.
LIFE_SECONDS = 15_552_000
_STATUSES = ("IN_PROGRESS", "READY", "FAILED", "EXPIRED", "INACTIVE", "ACTIVATING")


def _refused(message: str, code: str, name: str = "") -> Rejection:
    return Rejection(400, message, details=[Detail(name, code)])


async def create(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#create-upload-audience-group"""
    platform, body = platform_of(request), await json_body(request)
    description, ids = _name(body), _ids(body)
    if platform.store.number("select count(*) from audience_groups") >= MAX_GROUPS:
        raise _refused("audience group count max over", "AUDIENCE_GROUP_COUNT_MAX_OVER")
    now = platform.clock()
    with platform.store.transaction():
        group = platform.store.run(
            "insert into audience_groups (description, created_at) values (?, ?)", description, now
        )
        _add(platform, group, ids, body.get("uploadDescription") or "")
    return JSONResponse(
        {
            "audienceGroupId": group,
            "createRoute": "MESSAGING_API",
            "type": "UPLOAD",
            "description": description,
            "created": int(now),
            "permission": "READ_WRITE",
            "expireTimestamp": int(now) + LIFE_SECONDS,
            "isIfaAudience": False,
        },
        202,
    )


async def add(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#update-upload-audience-group"""
    platform, body = platform_of(request), await json_body(request)
    group = body.get("audienceGroupId")
    if not isinstance(group, int) or isinstance(group, bool):
        raise invalid_property("audienceGroupId")
    row, ids = _group(platform, group), _ids(body)
    if _status(platform, row) == "EXPIRED":
        raise _refused(
            "audience group can not upload status expired",
            "AUDIENCE_GROUP_CAN_NOT_UPLOAD_STATUS_EXPIRED",
        )
    with platform.store.transaction():
        _add(platform, group, ids, body.get("uploadDescription") or "")
    return JSONResponse({}, 202)


async def get(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#get-audience-group"""
    platform = platform_of(request)
    row = _group(platform, _id(request))
    jobs = platform.store.all(
        "select * from audience_jobs where group_id = ? order by id desc limit ?",
        row["id"],
        MAX_JOBS,
    )
    done = _status(platform, row) != "IN_PROGRESS"
    return JSONResponse(
        {
            "audienceGroup": _as_json(platform, row),
            "jobs": [
                {
                    "audienceGroupJobId": job["id"],
                    "audienceGroupId": row["id"],
                    "description": job["description"],
                    "type": "DIFF_ADD",
                    "jobStatus": "FINISHED" if done else "WORKING",
                    "audienceCount": job["audience_count"],
                    "created": int(job["created_at"]),
                }
                for job in jobs
            ],
        }
    )


async def list_all(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#get-audience-groups"""
    platform, query = platform_of(request), request.query_params
    page = _number(query.get("page", ""), "page")
    size = _number(query.get("size", "20"), "size")
    if size > MAX_PAGE:
        raise _refused(f"size: must be less than or equal to {MAX_PAGE}", "TOO_HIGH")
    if query.get("status", "READY") not in _STATUSES:
        raise _refused("status: invalid", "INVALID")
    found = [
        row
        for row in platform.store.all("select * from audience_groups order by id desc")
        if query.get("description", "").lower() in row["description"].lower()
        and query.get("status") in (None, _status(platform, row))
    ]
    shown = found[(page - 1) * size : page * size]
    return JSONResponse(
        {
            "audienceGroups": [_as_json(platform, row) for row in shown],
            "hasNextPage": len(found) > page * size,
            "totalCount": len(found),
            "readWriteAudienceGroupTotalCount": len(found),
            "page": page,
            "size": size,
        }
    )


async def delete(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#delete-audience-group"""
    platform = platform_of(request)
    row = _group(platform, _id(request))
    platform.store.run("delete from audience_groups where id = ?", row["id"])
    return JSONResponse({}, 202)


async def rename(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/messaging-api/#set-description-audience-group"""
    platform, body = platform_of(request), await json_body(request)
    row = _group(platform, _id(request))
    platform.store.run(
        "update audience_groups set description = ? where id = ?", _name(body), row["id"]
    )
    return JSONResponse({})


def _name(body: dict[str, Any]) -> str:
    name = body.get("description")
    if not isinstance(name, str) or not name.strip():
        raise _refused("audienceGroupName may not be empty", "AUDIENCE_GROUP_NAME_WRONG")
    if utf16_length(name) > MAX_NAME:
        raise _refused("size over audienceGroupName", "AUDIENCE_GROUP_NAME_SIZE_OVER")
    return name.encode(errors="replace").decode()


def _ids(body: dict[str, Any]) -> list[str]:
    """Return the user ids; a malformed one invalidates them all."""
    audiences = body.get("audiences") or []
    if not isinstance(audiences, list):
        raise invalid_property("audiences")
    if len(audiences) > MAX_IDS:
        raise _refused("audiences: size over", "TOO_MANY", "audiences")
    ids = [each.get("id") if isinstance(each, dict) else None for each in audiences]
    if not all(isinstance(each, str) and USER_ID.fullmatch(each) for each in ids):
        raise _refused(
            "Invalid audience id format",
            "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT",
            "audiences",
        )
    return [str(each) for each in ids]


def _id(request: Request) -> int:
    text = request.path_params["group"]
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise not_found()
    return int(text)


def _number(text: str, name: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise _refused(f"{name}: must be greater than or equal to 1", "TOO_LOW")
    return int(text)


def _group(platform: Platform, group: int) -> sqlite3.Row:
    row = None
    if group < 2**63:
        row = platform.store.one("select * from audience_groups where id = ?", group)
    if row is None:
        raise _refused("audience group not found", "AUDIENCE_GROUP_NOT_FOUND")
    return row


def _add(platform: Platform, group: int, ids: list[str], description: str) -> None:
    platform.store.run_many(
        "insert or ignore into audience_members values (?, ?)", [(group, each) for each in ids]
    )
    platform.store.run(
        "insert into audience_jobs (group_id, description, audience_count, created_at)"
        " values (?, ?, ?, ?)",
        group,
        str(description).encode(errors="replace").decode(),
        len(ids),
        platform.clock(),
    )


def _status(platform: Platform, row: sqlite3.Row) -> str:
    age = platform.clock() - row["created_at"]
    if age > LIFE_SECONDS:
        return "EXPIRED"
    return "READY" if age >= platform.faults.settings.audience_seconds else "IN_PROGRESS"


def _as_json(platform: Platform, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "audienceGroupId": row["id"],
        "createRoute": "MESSAGING_API",
        "type": "UPLOAD",
        "description": row["description"],
        "status": _status(platform, row),
        "audienceCount": platform.store.number(
            "select count(*) from audience_members where group_id = ?", row["id"]
        ),
        "created": int(row["created_at"]),
        "permission": "READ_WRITE",
        "isIfaAudience": False,
        "expireTimestamp": int(row["created_at"]) + LIFE_SECONDS,
    }


_PATH = "/v2/bot/audienceGroup"
routes = [
    Route(f"{_PATH}/upload", create, methods=["POST"]),
    Route(f"{_PATH}/upload", add, methods=["PUT"]),
    Route(f"{_PATH}/list", list_all),
    Route(f"{_PATH}/{{group}}", get),
    Route(f"{_PATH}/{{group}}", delete, methods=["DELETE"]),
    Route(f"{_PATH}/{{group}}/updateDescription", rename, methods=["PUT"]),
]
