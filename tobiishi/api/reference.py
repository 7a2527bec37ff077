"""/docs, the API's reference to read and to try: all that it shows comes from here.

A shop's server may be shut off from the internet, and what holds the API's token in a browser must
load nobody else's scripts.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import FileResponse, HTMLResponse
from starlette.staticfiles import StaticFiles

router = APIRouter(tags=["reference"], include_in_schema=False)

_SCRIPT = Path(__file__).parent / "static" / "docs.js"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
#: The addresses are relative, so that a proxy may have it all under a path of its own.
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tobiishi: HTTP API</title>
<link rel="icon" href="docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="docs/assets/swagger-ui.css">
<script src="docs/assets/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
<div id="reference"></div>
</html>
"""


def add_to(app: FastAPI) -> None:
    """Have the app show its reference."""
    app.include_router(router)
    # Swagger UI as the package ships it; nothing else of the package is used.
    shipped = StaticFiles(packages=[("fastapi_swagger", "resources")])
    app.mount("/docs/assets", shipped, name="swagger-ui")


@router.api_route("/docs", methods=["GET", "HEAD"])
async def show() -> Response:
    return HTMLResponse(_PAGE, headers=_HEADERS)


@router.api_route("/docs/start.js", methods=["GET", "HEAD"])
async def start() -> Response:
    return FileResponse(
        _SCRIPT, media_type="text/javascript", headers={"X-Content-Type-Options": "nosniff"}
    )
