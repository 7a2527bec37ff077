"""LINE Login: people log in, and are offered to add the account.

The pages stand for those of `access.line.me` and `line.me`, the rest for LINE Login's API.

https://developers.line.biz/en/docs/line-login/integrate-line-login/
https://developers.line.biz/en/reference/line-login/
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tobiishi.simulator import events, friends
from tobiishi.simulator.answers import Rejection
from tobiishi.simulator.platform import Platform, platform_of

#: The LINE Login channel that the account is linked with. It opens nothing else, so no secret.
LOGIN_CHANNEL_ID = "2000000001"
LOGIN_CHANNEL_SECRET = "simulator-login-secret"  # noqa: S105

ISSUER = "https://access.line.me"
CODE_SECONDS = 600
ID_TOKEN_SECONDS = 3600
ACCESS_TOKEN_SECONDS = 30 * 24 * 3600

#: People whom a page lets one choose from.
_MAX_PEOPLE = 100


async def authorize(request: Request) -> Response:
    """The consent screen; with `auto=1` in the query, what follows when it is agreed to.

    `user` names the person, a new one where not given; with `friend=0` they don't add
    the account.
    """
    platform, asked = platform_of(request), dict(request.query_params)
    if asked.get("client_id") != LOGIN_CHANNEL_ID:
        return _refused("Invalid client_id value.")
    if not re.match(r"https?://[^/]", asked.get("redirect_uri", "")):
        return _refused(
            "Invalid redirect_uri value. Check if it is registered in a LINE developers site."
        )
    error = _wrong(asked)
    if error is not None:
        return _back(asked, error=error[0], error_description=error[1])
    if request.method == "POST":
        form = await _form(request)
        if "cancel" in form:
            return _back(
                asked,
                error="ACCESS_DENIED",
                error_description="The resource owner denied the request.",
            )
        return _agreed(platform, asked, form.get("user", ""), adds="friend" in form)
    if asked.get("auto") == "1":
        return _agreed(platform, asked, asked.get("user", ""), adds=asked.get("friend") != "0")
    return _page(
        "LINEログイン（シミュレーター）",
        f"""
        <p>ログインする人を選んでください。</p>
        {_people(platform, strangers_only=False)}
        <label class="add"><input type="checkbox" name="friend" checked> 友だち追加
          <small>すでに友だちの人には、何も変わりません。</small></label>
        <button>許可する</button> <button name="cancel" class="quiet">キャンセル</button>
        """,
    )


def _wrong(asked: Mapping[str, str]) -> tuple[str, str] | None:
    """The error of an authorization request that LINE sends to the callback URL."""
    if asked.get("response_type") != "code":
        return "UNSUPPORTED_RESPONSE_TYPE", "'response_type' is not 'code'."
    if not asked.get("state"):
        return "INVALID_REQUEST", "'state' is not specified."
    if not {"openid", "profile"} & set(asked.get("scope", "").split()):
        return "INVALID_SCOPE", "'scope' has neither 'openid' nor 'profile'."
    if "code_challenge" in asked and asked.get("code_challenge_method") != "S256":
        return "INVALID_REQUEST", "'code_challenge_method' is not 'S256'."
    return None


def _agreed(platform: Platform, asked: Mapping[str, str], user: str, *, adds: bool) -> Response:
    """Log in, and perhaps add the account on the way: LINE's webhook goes out first."""
    if user and not friends.USER_ID.fullmatch(user):
        return _refused(f"{user!r} is not a LINE user id.")
    user = user or "U" + secrets.token_hex(16)
    known = friends.find(platform, user)
    is_friend = known is not None and not known.blocked
    has_agreed = platform.store.number("select count(*) from logins where user_id = ?", user) > 0
    # Those who agreed before see no consent screen again, and friends nothing to add.
    is_offered = "bot_prompt" in asked and not (is_friend and has_agreed)
    added = is_offered and adds and not is_friend
    code = secrets.token_urlsafe(15)
    with platform.store.transaction():
        if added:
            _add(platform, user)
        platform.store.run(
            "insert into logins (code, user_id, request, issued_at) values (?, ?, ?, ?)",
            code,
            user,
            json.dumps(asked),
            platform.clock(),
        )
    changed = {"friendship_status_changed": json.dumps(added)} if is_offered else {}
    return _back(asked, code=code, **changed)


def _add(platform: Platform, user: str) -> None:
    platform.courier.post([events.complete(platform, {"type": "follow", "userId": user})])


def _back(asked: Mapping[str, str], **parameters: str) -> Response:
    """Redirect to the callback URL, whose own query stays."""
    callback = asked["redirect_uri"]
    query = urlencode({**parameters, **({"state": asked["state"]} if asked.get("state") else {})})
    return RedirectResponse(f"{callback}{'&' if '?' in callback else '?'}{query}", 302)


async def token(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/line-login/#issue-access-token"""
    platform, form = platform_of(request), await _form(request)
    if form.get("grant_type") != "authorization_code":
        return _error("unsupported_grant_type", "unsupported grant_type")
    secret = form.get("client_secret", "")
    if form.get("client_id") != LOGIN_CHANNEL_ID or secret != LOGIN_CHANNEL_SECRET:
        return _error("invalid_client", "invalid client_id or client_secret")
    now = platform.clock()
    row = platform.store.one(
        "select * from logins where code = ? and access_token is null and issued_at > ?",
        form.get("code", ""),
        now - CODE_SECONDS,
    )
    if row is None:
        return _error("invalid_grant", "invalid authorization code")
    asked = json.loads(row["request"])
    if form.get("redirect_uri") != asked["redirect_uri"]:
        return _error("invalid_grant", "redirect_uri does not match")
    challenge = asked.get("code_challenge")
    verifier = form.get("code_verifier", "").encode()
    if challenge is not None and _base64(hashlib.sha256(verifier).digest()) != challenge:
        return _error("invalid_grant", "invalid code_verifier")
    access_token = secrets.token_urlsafe(48)
    platform.store.run(
        "update logins set access_token = ? where code = ?", access_token, row["code"]
    )
    scope = asked["scope"].split()
    answer = {
        "access_token": access_token,
        "expires_in": ACCESS_TOKEN_SECONDS,
        "refresh_token": secrets.token_urlsafe(15),
        "scope": " ".join(scope),
        "token_type": "Bearer",
    }
    if "openid" in scope:
        payload = {
            "iss": ISSUER,
            "sub": row["user_id"],
            "aud": LOGIN_CHANNEL_ID,
            "exp": int(now) + ID_TOKEN_SECONDS,
            "iat": int(now),
            "amr": ["lineautologin"],
        }
        if "nonce" in asked:
            payload["nonce"] = asked["nonce"]
        if "profile" in scope:
            known = friends.find(platform, row["user_id"])
            name = known.display_name if known else friends.made_up_name(row["user_id"])
            payload["name"] = name
        answer["id_token"] = id_token(payload)
    return JSONResponse(answer)


async def verify(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/line-login/#verify-id-token"""
    form = await _form(request)
    payload = _read_id_token(form.get("id_token", ""))
    if payload is None:
        return _error("invalid_request", "Invalid IdToken.")
    if payload.get("iss") != ISSUER:
        return _error("invalid_request", "Invalid IdToken Issuer.")
    if payload.get("exp", 0) <= platform_of(request).clock():
        return _error("invalid_request", "IdToken expired.")
    if payload.get("aud") != form.get("client_id"):
        return _error("invalid_request", "Invalid IdToken Audience.")
    if "nonce" in form and payload.get("nonce") != form["nonce"]:
        return _error("invalid_request", "Invalid IdToken Nonce.")
    if "user_id" in form and payload.get("sub") != form["user_id"]:
        return _error("invalid_request", "Invalid IdToken Subject Identifier.")
    return JSONResponse(payload)


async def friendship(request: Request) -> JSONResponse:
    """https://developers.line.biz/en/reference/line-login/#get-friendship-status"""
    platform = platform_of(request)
    scheme, _, access_token = request.headers.get("authorization", "").partition(" ")
    row = platform.store.one(
        "select * from logins where access_token = ? and issued_at > ?",
        access_token,
        platform.clock() - ACCESS_TOKEN_SECONDS,
    )
    if scheme != "Bearer" or row is None:
        raise Rejection(401, "invalid token")
    if "profile" not in json.loads(row["request"])["scope"].split():
        raise Rejection(403, "insufficient scope")
    known = friends.find(platform, row["user_id"])
    return JSONResponse({"friendFlag": known is not None and not known.blocked})


async def account(request: Request) -> Response:
    """The account's profile page, as `https://line.me/R/ti/p/@…` shows it: the add button."""
    platform = platform_of(request)
    if request.method == "POST":
        user = (await _form(request)).get("user", "") or "U" + secrets.token_hex(16)
        if not friends.USER_ID.fullmatch(user):
            return _refused(f"{user!r} is not a LINE user id.")
        known = friends.find(platform, user)
        if known is None or known.blocked:
            with platform.store.transaction():
                _add(platform, user)
        return RedirectResponse("/", 303)
    return _page(
        "飛び石シミュレーター",
        f"""
        <p>このアカウントを友だちに追加する人を選んでください。すでに友だちの人は、
          <a href="/">トーク</a>を開きます。</p>
        {_people(platform, strangers_only=True)}
        <button>友だち追加</button>
        """,
    )


def id_token(payload: Mapping[str, Any], secret: str = LOGIN_CHANNEL_SECRET) -> str:
    """A JWT as LINE's web login has it, signed with the channel secret (HS256)."""
    parts = ({"typ": "JWT", "alg": "HS256"}, payload)
    signed = ".".join(_base64(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{_signature(signed, secret)}"


def _read_id_token(word: str) -> dict[str, Any] | None:
    signed, _, signature = word.rpartition(".")
    if not hmac.compare_digest(_signature(signed).encode(), signature.encode()):
        return None
    payload = signed.partition(".")[2]
    read: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return read


def _signature(signed: str, secret: str = LOGIN_CHANNEL_SECRET) -> str:
    return _base64(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _error(error: str, description: str) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": description}, 400)


async def _form(request: Request) -> dict[str, str]:
    body = (await request.body()).decode(errors="replace")
    return dict(parse_qsl(body, keep_blank_values=True, errors="replace"))


def _people(platform: Platform, *, strangers_only: bool) -> str:
    """The people to choose from: a new one, then known ones, the latest first."""
    rows = platform.store.all(
        """
        select user_id, display_name, blocked, added_at as at from friends
        where blocked or not ?1
        union all
        select user_id, null, null, max(issued_at) from logins
        where user_id not in (select user_id from friends) group by user_id
        order by at desc limit ?2
        """,
        strangers_only,
        _MAX_PEOPLE,
    )
    labels = {None: "まだ友だちではない", 0: "友だち", 1: "ブロック中"}
    choices = [("", "新しい人", "LINEは使っているが、まだ友だちではない")] + [
        (
            row["user_id"],
            row["display_name"] or friends.made_up_name(row["user_id"]),
            f"{labels[row['blocked']]} {row['user_id'][:9]}…",
        )
        for row in rows
    ]
    return "".join(
        f'<label><input type="radio" name="user" value="{escape(user)}"'
        f"{' checked' if not user else ''}> {escape(name)} <small>{escape(note)}</small></label>"
        for user, name, note in choices
    )


def _refused(words: str) -> Response:
    return HTMLResponse(_PAGE.format(title="400 Bad Request", body=escape(words)), 400, _HEADERS)


def _page(title: str, body: str) -> Response:
    # A form without an action is sent to the page's own address, its query included.
    form = f'<form method="post">{body}</form>'
    return HTMLResponse(_PAGE.format(title=escape(title), body=form), headers=_HEADERS)


_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}
_PAGE = """<!doctype html>
<html lang="ja">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} | Tobiishi</title>
<link rel="icon" href="data:,">
<style>
  body {{ margin: 0; background: #f4f6f5; color: #1f2a24;
         font: 15px/1.6 system-ui, "Hiragino Sans", "Noto Sans JP", sans-serif; }}
  main {{ max-width: 26em; margin: 8vh auto; padding: 1.5em 2em; background: #fff;
         border-radius: 14px; box-shadow: 0 1px 4px #0001; overflow-wrap: anywhere; }}
  h1 {{ margin: 0 0 .5em; font-size: 1.15rem; }}
  label {{ display: block; padding: .4em 0; }}
  small {{ color: #7a857f; }}
  .add {{ margin: .8em 0; padding: .8em 0; border-top: 1px solid #e3e8e5; }}
  button {{ font: inherit; font-weight: 600; border: 0; border-radius: 99px; padding: .4em 1.4em;
           margin-top: .6em; background: #06c755; color: #fff; cursor: pointer; }}
  button.quiet {{ background: #eef1ef; color: #7a857f; font-weight: 400; }}
</style>
<main><h1>{title}</h1>{body}</main>
</html>
"""

routes = [
    Route("/oauth2/v2.1/authorize", authorize, methods=["GET", "POST"]),
    Route("/oauth2/v2.1/token", token, methods=["POST"]),
    Route("/oauth2/v2.1/verify", verify, methods=["POST"]),
    Route("/friendship/v1/status", friendship),
    Route("/R/ti/p/{account}", account, methods=["GET", "POST"]),
]
