"""Stateless channel access tokens: good for 15 minutes, made as often as one likes.

https://developers.line.biz/en/reference/messaging-api/#issue-stateless-channel-access-token
"""

from __future__ import annotations

import secrets
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tobiishi.simulator.platform import platform_of

LIFE_SECONDS = 900
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


async def issue(request: Request) -> JSONResponse:
    """By channel id and secret, or by a JWT assertion, whose signature is not checked here."""
    platform = platform_of(request)
    form = {
        name: values[-1]
        for name, values in parse_qs((await request.body()).decode(errors="replace")).items()
    }
    by_secret = form.get("client_secret") == platform.courier.channel_secret and "client_id" in form
    by_assertion = (
        form.get("client_assertion_type") == _ASSERTION_TYPE and "client_assertion" in form
    )
    if form.get("grant_type") != "client_credentials" or not (by_secret or by_assertion):
        return JSONResponse(
            {"error": "invalid_request", "error_description": "Invalid 'client_credentials'."}, 400
        )
    token, now = secrets.token_urlsafe(48), platform.clock()
    platform.store.run("delete from access_tokens where expires_at < ?", now)
    platform.store.run("insert into access_tokens values (?, ?)", token, now + LIFE_SECONDS)
    return JSONResponse({"token_type": "Bearer", "access_token": token, "expires_in": LIFE_SECONDS})


routes = [Route("/oauth2/v3/token", issue, methods=["POST"])]
