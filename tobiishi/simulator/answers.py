"""The form of LINE's answers, of refusals above all.

https://developers.line.biz/en/reference/messaging-api/#error-responses
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from tobiishi.line import Detail


class Json(JSONResponse):
    """JSON, also of a text that holds half an emoji, which only an escape can carry."""

    def render(self, content: Any) -> bytes:
        try:
            return super().render(content)
        except UnicodeEncodeError:
            return json.dumps(content).encode()


class Rejection(Exception):
    """LINE refuses a request with this status and body."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        details: Sequence[Detail] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.body: dict[str, Any] = {"message": message}
        if details:  # Absent when empty.
            self.body["details"] = [
                {name: text for name, text in detail._asdict().items() if text}
                for detail in details
            ]
        self.body.update(extra)

    def answer(self) -> Json:
        return Json(self.body, self.status, headers=self.headers)


def not_found() -> Rejection:
    return Rejection(404, "Not found")


def invalid_property(name: str) -> Rejection:
    """A property that has the wrong type, or that LINE does not know."""
    return Rejection(
        400, f"The property, {name}, in the request body is invalid (line: -, column: -)"
    )


def body_errors(details: Sequence[Detail]) -> Rejection:
    return Rejection(400, f"The request body has {len(details)} error(s)", details=details)


async def json_body(request: Request) -> dict[str, Any]:
    """The JSON object that a request carries. Raises `Rejection`."""
    content_type = request.headers.get("content-type", "")
    if content_type.split(";")[0].strip().lower() != "application/json":
        raise Rejection(400, f"The content type, {content_type}, is not supported")
    try:
        body = json.loads(await request.body(), parse_constant=_no_json)
    except json.JSONDecodeError as error:
        raise _unparsable(error.lineno, error.colno) from None
    except (ValueError, RecursionError):
        raise _unparsable(1, 1) from None
    if not isinstance(body, dict):
        raise _unparsable(1, 1)
    return body


def query_number(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    """A number from the query. Raises `Rejection`."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise Rejection(400, f"The value for the '{name}' parameter is invalid")
    return int(text)


def _unparsable(line: int, column: int) -> Rejection:
    return Rejection(
        400, f"The request body could not be parsed as JSON (line: {line}, column: {column})"
    )


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
