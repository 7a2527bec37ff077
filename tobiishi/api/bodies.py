"""Request bodies of bounded size."""

from __future__ import annotations

from fastapi import HTTPException, Request

#: Bytes: LINE's webhooks and scenario files are far smaller.
LIMIT = 1_000_000


async def body_of(request: Request, *, limit: int = LIMIT) -> bytes:
    """The raw body. Raises 413 as soon as it is known to be over `limit` bytes."""
    too_large = HTTPException(413, f"the body is over {limit:,} bytes")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large
    return bytes(body)
