"""LINE in a rehearsal: it takes every message that LINE would take, and nobody gets it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import httpx

#: Characters of a text message that LINE takes at most.
_MAX_TEXT_CHARS = 5000


class RehearsedLine(httpx.AsyncBaseTransport):
    """Answers in LINE's place, and keeps what it was asked to send."""

    def __init__(self) -> None:
        #: How the friend is called in LINE, and which language they show; None where not known.
        self.name: str | None = None
        self.language: str | None = None
        #: The messages of each push that was taken, by its retry key.
        self.sent: dict[UUID, list[dict[str, Any]]] = {}
        #: And of each that was refused.
        self.refused: dict[UUID, list[dict[str, Any]]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/message/push"):
            return self._push(request, json.loads(await request.aread()))
        if "/bot/profile/" in path:
            return self._profile(path.rpartition("/")[2])
        return _answer(404, {"message": "Not found"})

    def _push(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        key = UUID(request.headers["X-Line-Retry-Key"])
        messages = body["messages"]
        wrong = [
            {"message": problem, "property": f"messages[{number}].text"}
            for number, message in enumerate(messages)
            if message["type"] == "text" and (problem := _problem_of(message["text"]))
        ]
        if wrong:
            self.refused[key] = messages
            problem = f"The request body has {len(wrong)} error(s)"
            return _answer(400, {"message": problem, "details": wrong})
        self.sent[key] = messages
        return _answer(200, {"sentMessages": [{"id": str(uuid4().int)[:18]} for _ in messages]})

    def _profile(self, friend: str) -> httpx.Response:
        if self.name is None:
            return _answer(404, {"message": "Not found"})
        profile = {"userId": friend, "displayName": self.name}
        return _answer(200, profile | ({"language": self.language} if self.language else {}))


def _problem_of(text: str) -> str | None:
    """Why LINE would refuse a text, as LINE says it."""
    if not text.strip():
        return "May not be empty"
    # LINE counts in UTF-16: https://developers.line.biz/en/docs/messaging-api/text-character-count/
    if len(text.encode("utf-16-le", errors="replace")) // 2 > _MAX_TEXT_CHARS:
        return f"Length must be between 0 and {_MAX_TEXT_CHARS}"
    return None


def _answer(status: int, body: dict[str, Any]) -> httpx.Response:
    return httpx.Response(status, json=body, headers={"X-Line-Request-Id": str(uuid4())})
