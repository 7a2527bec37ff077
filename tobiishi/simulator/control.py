"""The control API: what virtual friends do, what arrived, and what fails.

It is the simulator's own and not LINE's. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tobiishi.simulator import events, friends, talks
from tobiishi.simulator.answers import Json
from tobiishi.simulator.bodies import Body, read, read_json, validated
from tobiishi.simulator.faults import FaultSettings
from tobiishi.simulator.phones import Device
from tobiishi.simulator.platform import Platform, iso, platform_of


class NewFriend(Body):
    """A user who adds the account; one who is a friend already follows again."""

    #: Made up where it is not given.
    user_id: Annotated[str, StringConstraints(pattern=r"^U[0-9a-f]{32}$")] | None = None
    #: Made up where it is not given.
    display_name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    #: BCP 47 language tag.
    language: Annotated[str, StringConstraints(min_length=1, max_length=35)] | None = None
    #: The phone; made up where it is not given.
    device: Device | None = None
    #: What the webhook says; where not given, whether the friend had blocked the account.
    is_unblocked: bool | None = None


class Event(BaseModel):
    """A webhook event, or as much of one as is not to be made up."""

    model_config = ConfigDict(extra="allow", strict=True)

    type: Annotated[str, StringConstraints(min_length=1)]
    mode: str = "active"
    message: dict[str, Any] | None = None


class Events(Body):
    """Several events in one webhook request; none, as LINE's Verify button sends it."""

    events: Annotated[list[Event], Field(max_length=1000)]


async def add_friend(request: Request) -> Json:
    """Make a friend, or bring a blocked one back, and send the follow webhook."""
    platform, given = platform_of(request), await read(request, NewFriend)
    user_id = given.user_id or "U" + secrets.token_hex(16)
    follow: dict[str, Any] = {"type": "follow", "userId": user_id}
    if given.is_unblocked is not None:
        follow["follow"] = {"isUnblocked": given.is_unblocked}
    with platform.store.transaction():
        platform.courier.post([events.complete(platform, follow)])
        friend = friends.keep(
            platform,
            user_id,
            display_name=given.display_name,
            language=given.language,
            device=given.device,
        )
    return Json(friend.as_json())


async def list_friends(request: Request) -> Json:
    rows = platform_of(request).store.all("select * from friends order by rowid")
    return Json([friends.Friend.from_row(row).as_json() for row in rows])


async def block(request: Request) -> Json:
    """Block the account as a friend, and send the unfollow webhook, once."""
    platform, user_id = platform_of(request), request.path_params["user_id"]
    friend = friends.known(platform, user_id)
    if not friend.blocked:
        with platform.store.transaction():
            event = events.complete(platform, {"type": "unfollow", "userId": user_id})
            platform.courier.post([event])
            friend = friends.keep(platform, user_id, blocked=True)
    return Json(friend.as_json())


async def send_events(request: Request) -> Json:
    """Send a webhook with one event, or with several; the answer is the events as sent."""
    platform, given = platform_of(request), await read_json(request)
    if isinstance(given, dict) and "events" in given:
        checked = validated(Events, given).events
    else:
        checked = [validated(Event, given)]
    with platform.store.transaction():
        complete = [
            # Only what was given, so that a `null` can leave out what would be made up.
            events.complete(platform, event.model_dump(exclude_unset=True))
            for event in checked
        ]
        platform.courier.post(complete)
    return Json({"events": complete})


async def list_messages(request: Request) -> Json:
    """The messages that arrived, in the order in which they were accepted."""
    to = request.query_params.get("to")
    rows = platform_of(request).store.all(
        "select * from messages where ?1 is null or user_id = ?1 order by id", to
    )
    return Json(
        [
            {
                "to": row["user_id"],
                "messages": json.loads(row["messages"]),
                "sentMessages": json.loads(row["sent"]),
                "retryKey": row["retry_key"],
                "acceptedAt": iso(row["accepted_at"]),
                "requestId": row["request_id"],
                "endpoint": row["endpoint"],
                "notificationDisabled": bool(row["notification_disabled"]),
                "customAggregationUnit": row["unit"],
            }
            for row in rows
        ]
    )


async def clear_messages(request: Request) -> Response:
    """Forget what arrived, and what friends said to it. Retry keys and counts stay."""
    talks.forget(platform_of(request))
    return Response(status_code=204)


async def list_requests(request: Request) -> Json:
    """The last 1,000 API requests, oldest first."""
    return Json(list(platform_of(request).requests))


async def list_webhooks(request: Request) -> Json:
    """The last 1,000 webhooks, oldest first, with every attempt to send them."""
    rows = platform_of(request).store.all(
        "select * from (select * from webhooks order by id desc limit 1000) order by id"
    )
    return Json(
        [
            {
                "id": row["id"],
                "status": row["status"],
                "createdAt": iso(row["created_at"]),
                "events": json.loads(row["events"]),
                "attempts": [
                    {**attempt, "at": iso(attempt["at"])} for attempt in json.loads(row["attempts"])
                ],
                "nextAttemptAt": iso(row["due_at"]) if row["status"] == "pending" else None,
            }
            for row in rows
        ]
    )


async def get_faults(request: Request) -> Json:
    return _faults(platform_of(request))


async def put_faults(request: Request) -> Json:
    """Apply settings; those not given return to their defaults."""
    platform = platform_of(request)
    platform.faults.set(await read(request, FaultSettings))
    return _faults(platform)


def _faults(platform: Platform) -> Json:
    return Json(platform.faults.settings.model_dump())


routes = [
    Route("/_simulator/friends", add_friend, methods=["POST"]),
    Route("/_simulator/friends", list_friends),
    Route("/_simulator/friends/{user_id}", block, methods=["DELETE"]),
    Route("/_simulator/events", send_events, methods=["POST"]),
    Route("/_simulator/messages", list_messages),
    Route("/_simulator/messages", clear_messages, methods=["DELETE"]),
    Route("/_simulator/requests", list_requests),
    Route("/_simulator/webhooks", list_webhooks),
    Route("/_simulator/faults", get_faults),
    Route("/_simulator/faults", put_faults, methods=["PUT"]),
]
