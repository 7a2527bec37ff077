"""The few pages that the public may be shown, where there is nowhere to send a visitor on to."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Response
from fastapi.responses import HTMLResponse

#: Seconds until the page that asks to wait opens the address again.
RETRY_SECONDS = 5

_ALWAYS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    # What is opened from here must not learn the address: it may hold a token.
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}
_PAGE = """<!doctype html>
<html lang="ja" style="margin:20vh auto;max-width:24em;padding:0 1em;font:1rem/1.8 sans-serif">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{}
</html>
"""
_TRY_AGAIN = f"""
<title>お待ちください</title>
<meta http-equiv="refresh" content="{RETRY_SECONDS}">
<p>ただいま混み合っています。{RETRY_SECONDS}秒後に自動で開き直しますので、そのままお待ちください。</p>
"""


def page(status: int, body: str, headers: Mapping[str, str] | None = None) -> Response:
    """A page of a title and a few words, as HTML."""
    return HTMLResponse(_PAGE.format(body), status, headers={**_ALWAYS, **(headers or {})})


def try_again() -> Response:
    """Opens the address again by itself, in a moment."""
    return page(503, _TRY_AGAIN, {"Retry-After": str(RETRY_SECONDS)})
