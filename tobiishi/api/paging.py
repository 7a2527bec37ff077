"""Paging: every list that may be long is read in one way, page after page.

A page has at most `limit` items, those behind the item `after`. Where there may be more, the
answer's `Link` header names the next page (https://www.rfc-editor.org/rfc/rfc8288). That is keyset
pagination: what comes or goes meanwhile shifts no item from one page to another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Request, Response

Limit = Annotated[int, Query(ge=1, le=1000, description="How many items a page has, at most.")]


def after(what: str) -> Any:
    """The parameter `after`, which takes the `what` of the last item of the page before."""
    return Query(description=f"The {what} of the last item of the page before; see `Link`.")


def name_next(
    request: Request, response: Response, page: Sequence[object], limit: int, last: object
) -> None:
    """Name the next page, where this one is full; `last` is what `after` takes then."""
    if len(page) == limit:
        url = request.url.include_query_params(after=last)
        # Relative: behind a proxy we don't know by which address we are reached.
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
