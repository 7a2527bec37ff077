"""The shop's sites over HTTP: which they are, the tag for their pages, and what the tag tells."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath
from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import answers, documents
from tobiishi.errors import Invalid
from tobiishi.people import audiences, events, friends
from tobiishi.people.events import FriendEvent
from tobiishi.scenario.rules import EventName
from tobiishi.tracking import sites
from tobiishi.tracking.user_agents import language_of, os_of

router = APIRouter(
    prefix="/api/sites",
    tags=["sites"],
    dependencies=[Authorised],
    responses=answers(401, 404, 422, 503),
)
public = APIRouter(tags=["public"])

#: Bytes of what the tag tells at once, and of the details in it.
MAX_BODY_BYTES, MAX_DETAIL_BYTES = 8_000, 2_000
#: Seconds: the tag tells again what was not taken.
TIMEOUT_SECONDS = 5

_TAG = (Path(__file__).parent / "static" / "tag.js").read_bytes()
_TAG_HEADERS = {
    "Cache-Control": "public, max-age=3600",
    "ETag": f'"{hashlib.sha256(_TAG).hexdigest()[:16]}"',
    "X-Content-Type-Options": "nosniff",
}
#: From any page: what is told stands by its token and the page's host, not by whose script it is.
_ANY_PAGE = {"Access-Control-Allow-Origin": "*"}

Host = Annotated[str, InPath(max_length=300)]


class Sites(Described):
    """The hosts of the shop's own pages."""

    channel: str
    """The LINE channel."""
    sites: list[str]
    """The hosts, such as www.shop.example."""


class TagEvent(Described):
    """What the tag tells of a visitor."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    """Made by the page, so that what is told twice counts once."""
    visitor: Annotated[str, StringConstraints(max_length=256)]
    """The visitor's token."""
    event: EventName
    """What they did."""
    url: Annotated[str, StringConstraints(min_length=1, max_length=4000)]
    """The page's address."""
    detail: dict[str, Any] = Field(default={})
    """What else the page tells of it."""


@router.get("", summary="The shop's own sites, where friends are recognised")
async def list_all(context: InContext, channel: InChannel = DEFAULT_CHANNEL) -> Sites:
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
        return Sites(channel=channel, sites=await sites.all_of(connection, channel))


@router.put(
    "/{host}", summary="Add a site: a host such as www.shop.example", responses=answers(400)
)
async def put(host: Host, context: InContext, channel: InChannel = DEFAULT_CHANNEL) -> Sites:
    async with context.database.transaction() as connection:
        await context.channels.get(connection, channel)
        await sites.put(connection, channel, host)
        return Sites(channel=channel, sites=await sites.all_of(connection, channel))


@router.delete(
    "/{host}",
    summary="Remove a site: nothing that its pages tell is taken any more",
    responses=answers(400),
)
async def remove(host: Host, context: InContext, channel: InChannel = DEFAULT_CHANNEL) -> Sites:
    async with context.database.transaction() as connection:
        await sites.remove(connection, channel, host)
        return Sites(channel=channel, sites=await sites.all_of(connection, channel))


@public.get(
    "/tag.js",
    summary="The tag for the shop's pages",
    response_class=Response,
    responses=documents("text/javascript"),
)
async def tag(request: Request) -> Response:
    if request.headers.get("if-none-match") == _TAG_HEADERS["ETag"]:
        return Response(status_code=304, headers=_TAG_HEADERS)
    return Response(_TAG, media_type="text/javascript; charset=utf-8", headers=_TAG_HEADERS)


@public.post(
    "/t",
    summary="What the tag tells of a visitor",
    status_code=204,
    response_class=Response,
    max_body_size=MAX_BODY_BYTES,
    responses=answers(400, 413, 429, 503),
)
async def collect(request: Request, context: InContext) -> Response:
    """204 whether the visitor is known or not: nobody learns here who is a friend.

    400 for what is no event, 413 for too much of it, 429 for too often, 503 while the database is
    away (the tag then tells it again).
    """
    at = context.database.now()
    event = _read(await request.body())
    number = sites.number_of(context.signer, event.visitor, at)
    origin = request.headers.get("origin") or request.headers.get("referer") or ""
    host = sites.host_in(origin)
    if number is None or host is None or host != sites.host_in(event.url):
        return Response(status_code=204, headers=_ANY_PAGE)
    if not context.visits.takes(number):
        return Response(status_code=429, headers=_ANY_PAGE | {"Retry-After": "60"})
    os = os_of(request.headers.get("user-agent", ""))
    language = language_of(request.headers.get("accept-language", ""))
    async with asyncio.timeout(TIMEOUT_SECONDS), context.database.transaction() as connection:
        known = await sites.visitor(connection, number, host)
        if known is None:
            return Response(status_code=204, headers=_ANY_PAGE)
        await events.record(
            connection,
            FriendEvent(
                channel=known.channel,
                friend=known.friend,
                source="site",
                event=event.event,
                occurred_at=at,
                url=sites.page(event.url)[:2000],
                detail=event.detail,
                key=f"site {number} {event.id}",
            ),
        )
        if await friends.see(connection, known.channel, known.friend, os=os, language=language):
            await audiences.reconsider(connection, known.channel, [known.friend], at=at)
    context.relay.changes.ring()
    return Response(status_code=204, headers=_ANY_PAGE)


def _read(body: bytes) -> TagEvent:
    try:
        event = TagEvent.model_validate_json(body)
        event.url.encode()
        detail = json.dumps(event.detail, allow_nan=False)
    except (ValidationError, ValueError, RecursionError) as error:
        raise Invalid(f"this is nothing that the tag tells: {_first_line(error)}") from None
    if len(detail) > MAX_DETAIL_BYTES or "\\u0000" in detail or "\0" in event.url:
        raise Invalid(
            f"detail: at most {MAX_DETAIL_BYTES} bytes as JSON, without the character \\0"
        )
    return event


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    return str(error).partition("\n")[0][:200]
