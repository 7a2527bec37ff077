"""Routes over HTTP: the shop's routes, and the door that those who come by them go through.

Anybody may come here. Whatever goes wrong, a visitor ends where they can add the account; what is
lost then is by which route they came.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Depends, FastAPI, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ConfigDict, Field

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, Context, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import answers, documents
from tobiishi.api.pages import page, try_again
from tobiishi.channels.channels import Channel
from tobiishi.database import Unavailable
from tobiishi.errors import Invalid
from tobiishi.line.login import authorize_url
from tobiishi.relay.reception import Reception, Returned
from tobiishi.routes import routes
from tobiishi.routes.logins import LOGIN_LIFETIME, Login
from tobiishi.routes.qr import drawn
from tobiishi.routes.routes import Route

_log = logging.getLogger(__name__)

#: Characters that LINE's code has at most.
MAX_CODE_CHARS = 2000

_BROWSER = re.compile(r"[A-Za-z0-9_-]{22}")


@asynccontextmanager
async def _receiving(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    reception = Reception(context.database, context.channels, context.relay)
    async with reception as app.state.reception:
        yield


router = APIRouter(
    prefix="/api/routes",
    tags=["routes"],
    dependencies=[Authorised],
    responses=answers(401, 404, 422, 503),
)
public = APIRouter(tags=["public"], lifespan=_receiving)


def _reception(request: Request) -> Reception:
    return cast(Reception, request.app.state.reception)


InReception = Annotated[Reception, Depends(_reception)]


# What the public comes to.


@public.api_route("/r/callback", methods=["GET", "HEAD"], include_in_schema=False)
async def come_back(request: Request, context: InContext, reception: InReception) -> Response:
    """LINE Login sends people back here, who logged in or would not."""
    at, query = context.database.now(), request.query_params
    login = Login.read(context.signer, query.get("state", ""))
    # Where LINE's automatic login fails, the state is none of ours: the address still tells where
    # they wanted to go.
    name = login.channel if login else query.get("channel", DEFAULT_CHANNEL)
    try:
        found = await reception.find(name, login.route if login else "")
    except Unavailable:
        return try_again()
    if found is None:
        return page(404, NOT_FOUND)
    channel, _is_route = found
    code, browser = query.get("code", ""), _browser(request, context)
    if "error" in query:
        _log.info("channel %s: LINE Login did not let in: %.60r", name, query["error"])
    elif login is None or browser is None or not login.is_of(browser, at):
        _log.info("channel %s: somebody comes back from a login that they did not begin", name)
    elif code and len(code) <= MAX_CODE_CHARS and channel.login and request.method == "GET":
        returned = Returned(
            channel=channel,
            login=login,
            browser=browser,
            code=code,
            redirect_uri=_callback(context, name),
            friendship_changed={"true": True, "false": False}.get(
                query.get("friendship_status_changed", "")
            ),
            at=at,
        )
        reception.see_through(returned)
    way_in = await reception.way_in(channel)
    return _sent_to(way_in) if way_in else try_again()


@public.api_route("/r/{channel}/{route}", methods=["GET", "HEAD"], include_in_schema=False)
async def enter(
    channel: str, route: str, request: Request, context: InContext, reception: InReception
) -> Response:
    """The link of a route, which its QR code holds."""
    try:
        found = await reception.find(channel, route)
    except Unavailable:
        return try_again()
    if found is None:
        return page(404, NOT_FOUND)
    known, is_route = found
    if not is_route or known.login is None or context.settings.public_url is None:
        way_in = await reception.way_in(known)
        return _sent_to(way_in) if way_in else try_again()
    browser = _browser(request, context) or secrets.token_urlsafe(16)
    login = Login.begin(channel, route, browser, at=context.database.now())
    answer = _sent_to(
        authorize_url(
            known.login,
            api_base_url=known.api_base_url,
            redirect_uri=_callback(context, channel),
            state=login.state(context.signer),
            nonce=login.nonce(browser),
            code_challenge=login.code_challenge(browser),
        )
    )
    answer.set_cookie(
        _cookie(context),
        browser,
        max_age=int(LOGIN_LIFETIME.total_seconds()),
        secure=_is_secure(context),
        httponly=True,
        samesite="lax",
    )
    return answer


def _callback(context: Context, channel: str) -> str:
    """Where LINE Login sends people back to. LINE takes its callback URL with any query.

    https://developers.line.biz/en/docs/line-login/integrate-line-login/#making-an-authorization-request
    """
    return f"{context.settings.public_url}/r/callback?channel={channel}"


def _is_secure(context: Context) -> bool:
    return (context.settings.public_url or "").startswith("https:")


def _cookie(context: Context) -> str:
    # Nobody but this very host can set a cookie of that prefix.
    return "__Host-tobiishi-route" if _is_secure(context) else "tobiishi-route"


def _browser(request: Request, context: Context) -> str | None:
    """The secret of the visitor's browser."""
    secret = request.cookies.get(_cookie(context), "")
    return secret if _BROWSER.fullmatch(secret) else None


def _sent_to(url: str) -> Response:
    headers = {
        "Cache-Control": "no-store",
        # The address that they come from may hold LINE's code.
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }
    return RedirectResponse(url, 302, headers)


NOT_FOUND = """
<title>ページを開けません</title>
<p>このページは開けません。もう一度QRコードを読み取るか、リンクを開き直してください。</p>
"""


# What the shop says of its routes.

RouteName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class RouteBody(Described):
    """What a route is called."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(default=None, max_length=120, pattern=r"^[^\x00]*$")
    """What people call it; its name, where left out."""


class RouteSummary(Described):
    """A route, its link, and what came of it."""

    channel: str
    """The LINE channel whose account is added."""
    route: str
    """Its name, in addresses."""
    title: str
    """What people call it."""
    link: str | None
    """What its QR code holds; null where nobody said under which address we are reached."""
    is_known: bool
    """Whether LINE Login tells who comes by it. Else people are sent on, and nobody knows."""
    visits: int
    """Visits of people whom LINE Login named."""
    friends: int
    """Friends who were added by those visits."""
    notes: list[str]
    """What keeps it from working, in words."""


@router.get("", summary="All routes by which friends come, with their links")
async def list_all(context: InContext, channel: InChannel = DEFAULT_CHANNEL) -> list[RouteSummary]:
    async with context.database.connection() as connection:
        known = await context.channels.get(connection, channel)
        found = await routes.all_of(connection, channel, now=context.database.now())
    return [_summary(context, known, route) for route in found]


@router.get("/{route}", summary="One route")
async def get(
    route: RouteName, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> RouteSummary:
    async with context.database.connection() as connection:
        known = await context.channels.get(connection, channel)
        found = await routes.get(connection, channel, route, now=context.database.now())
    return _summary(context, known, found)


@router.put(
    "/{route}", summary="Make a route, or change what it is called", responses=answers(400, 413)
)
async def put(
    route: RouteName,
    body: RouteBody,
    context: InContext,
    reception: InReception,
    channel: InChannel = DEFAULT_CHANNEL,
) -> RouteSummary:
    async with context.database.transaction() as connection:
        known = await context.channels.get(connection, channel)
        await routes.put(connection, channel, route, title=body.title or route)
        found = await routes.get(connection, channel, route, now=context.database.now())
    # So that it is known before anybody comes.
    await reception.way_in(known)
    return _summary(context, known, found)


@router.delete(
    "/{route}", summary="Delete a route that nothing uses", status_code=204, responses=answers(409)
)
async def remove(
    route: RouteName, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> None:
    """409 where a live scenario starts on it, or an audience is of those who came by it."""
    async with context.database.transaction() as connection:
        await context.channels.get(connection, channel)
        await routes.delete(connection, channel, route, now=context.database.now())


@router.get(
    "/{route}/qr.svg",
    summary="The QR code of a route",
    response_class=Response,
    responses=answers(400) | documents("image/svg+xml"),
)
async def qr_svg(
    route: RouteName, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> Response:
    return Response(await _qr(context, channel, route, "svg"), media_type="image/svg+xml")


@router.get(
    "/{route}/qr.png",
    summary="The QR code of a route",
    response_class=Response,
    responses=answers(400) | documents("image/png", is_text=False),
)
async def qr_png(
    route: RouteName, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> Response:
    return Response(await _qr(context, channel, route, "png"), media_type="image/png")


async def _qr(context: Context, channel: str, route: str, kind: Literal["svg", "png"]) -> bytes:
    found = await get(route, context, channel)
    if found.link is None:
        raise Invalid(f"the route has no link yet: {found.notes[0]}")
    return drawn(found.link, kind)


def _summary(context: Context, channel: Channel, route: Route) -> RouteSummary:
    public_url = context.settings.public_url
    notes = []
    if public_url is None:
        notes.append(
            "TOBIISHI_PUBLIC_URL is not set, so the route has no link; set it to the address under "
            "which the public reaches the starter"
        )
    if channel.login is None:
        notes.append(
            f"channel {channel.channel!r} has no LINE Login channel, so it can't be known who "
            "comes by the route: they are sent to add the account all the same; PUT "
            f"/api/channels/{channel.channel}/login sets one (docs/routes.md)"
        )
    if route.unmatched and not route.friends:
        notes.append(
            "LINE Login said that people were added, and no follow webhook named any of them: the "
            "LINE Login channel must belong to the same provider as the channel, and webhooks "
            "must reach us"
        )
    return RouteSummary(
        channel=route.channel,
        route=route.route,
        title=route.title,
        link=public_url and f"{public_url}/r/{route.channel}/{route.route}",
        is_known=public_url is not None and channel.login is not None,
        visits=route.visits,
        friends=route.friends,
        notes=notes,
    )
