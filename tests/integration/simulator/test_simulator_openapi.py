"""Requests of our client, and the simulator's answers to them, against LINE's OpenAPI.

LINE's specification is not part of this repository. To run these tests:

    git clone https://github.com/line/line-openapi
    LINE_OPENAPI_DIR=$PWD/line-openapi make test
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from tests.eventually import eventually
from tests.integration.simulator.conftest import FRIEND, Receiver
from tobiishi.line import LineClient, Refused
from tobiishi.simulator import ACCESS_TOKEN

FOLDER = os.environ.get("LINE_OPENAPI_DIR")
pytestmark = pytest.mark.skipif(
    not FOLDER,
    reason="LINE_OPENAPI_DIR is not set; clone https://github.com/line/line-openapi and set it",
)

HELLO = {"type": "text", "text": "こんにちは"}


class OpenAPI:
    """LINE's specification, as far as it tells right from wrong."""

    def __init__(self, folder: Path) -> None:
        self._documents = [
            _nullable(YAML(typ="safe").load(folder / f"{name}.yml"))
            for name in ("messaging-api", "manage-audience", "insight", "webhook")
        ]

    def check_request(self, request: httpx.Request) -> None:
        document, operation = self._operation(request.method, request.url.path)
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content:
            _check(document, content["schema"], json.loads(request.content))
        else:
            assert not request.content

    def check_response(self, response: httpx.Response) -> None:
        request = response.request
        document, operation = self._operation(request.method, request.url.path)
        declared = operation["responses"].get(str(response.status_code))
        content = (declared or {}).get("content", {}).get("application/json")
        if content:
            _check(document, content["schema"], response.json())
        elif response.is_error:  # Most operations don't declare how they fail.
            document = self._documents[0]
            _check(document, {"$ref": "#/components/schemas/ErrorResponse"}, response.json())

    def check_webhook(self, body: Any) -> None:
        document = self._documents[3]
        _check(document, {"$ref": "#/components/schemas/CallbackRequest"}, body)
        for event in body["events"]:
            kind = document["components"]["schemas"]["Event"]["discriminator"]["mapping"]
            _check(document, {"$ref": kind[event["type"]]}, event)

    def _operation(self, method: str, path: str) -> tuple[Any, Any]:
        found = [
            (template.count("{"), document, operations[method.lower()])
            for document in self._documents
            for template, operations in document["paths"].items()
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
            and method.lower() in operations
        ]
        if found:  # A path with no variable in it comes before one that has.
            _, document, operation = min(found, key=lambda each: each[0])
            return document, operation
        raise AssertionError(f"LINE has no {method} {path}")


def _check(document: Any, schema: Any, value: Any) -> None:
    whole = {**schema, "components": document["components"], "unevaluatedProperties": False}
    Draft202012Validator(whole).validate(value)


def _nullable(node: Any) -> Any:
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(node, list):
        return [_nullable(each) for each in node]
    if not isinstance(node, dict):
        return node
    node = {name: _nullable(each) for name, each in node.items()}
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        node["type"] = [node["type"], "null"]
    return node


@pytest.fixture(scope="module")
def openapi() -> OpenAPI:
    return OpenAPI(Path(FOLDER or ""))


class Watching(httpx.AsyncHTTPTransport):
    """Checks each request of the client, and the answer to it."""

    def __init__(self, openapi: OpenAPI) -> None:
        super().__init__()
        self._openapi = openapi
        self.count = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._openapi.check_request(request)
        response = await super().handle_async_request(request)
        response.request = request
        await response.aread()
        self._openapi.check_response(response)
        self.count += 1
        return response


async def test_client(simulator: str, openapi: OpenAPI) -> None:
    watching = Watching(openapi)
    async with LineClient(
        base_url=simulator, access_token=ACCESS_TOKEN, transport=watching
    ) as client:
        key = uuid4()
        for _ in range(2):
            await client.push(
                FRIEND,
                [HELLO],
                retry_key=key,
            )
        await client.push(FRIEND, [HELLO], retry_key=uuid4())
        await client.validate_push([HELLO])
        with pytest.raises(Refused):
            await client.validate_push([{"type": "text", "text": ""}])
        await client.profile(FRIEND)
        await client.quota()
        await client.quota_consumption()
        await client.bot_info()
    assert watching.count == 9


def _requests() -> Iterator[tuple[str, str, dict[str, Any]]]:
    today = (datetime.now(UTC) + timedelta(hours=9)).strftime("%Y%m%d")
    messages = {"messages": [HELLO]}
    users = [f"U{number:032x}" for number in range(25)]
    multicast = {"to": users, **messages, "customAggregationUnits": ["spring"]}
    yield "POST", "/v2/bot/message/multicast", {"json": multicast}
    yield "POST", "/v2/bot/message/multicast", {"json": {"to": ["no"], **messages}}
    yield "POST", "/v2/bot/message/reply", {"json": {"replyToken": "no", **messages}}
    for kind in ("reply", "push", "multicast", "narrowcast", "broadcast"):
        yield "POST", f"/v2/bot/message/validate/{kind}", {"json": messages}
    for kind in ("reply", "push", "multicast", "broadcast"):
        for day in ("20200101", today, "20100101", "no"):
            yield "GET", f"/v2/bot/message/delivery/{kind}", {"params": {"date": day}}
    yield "GET", "/v2/bot/message/aggregation/info", {}
    yield "GET", "/v2/bot/message/aggregation/list", {"params": {"limit": 1}}
    query = {"customAggregationUnit": "spring", "from": today, "to": today}
    yield "GET", "/v2/bot/insight/message/event/aggregation", {"params": query}
    yield "GET", "/v2/bot/followers/ids", {"params": {"limit": 1}}
    yield "GET", "/v2/bot/profile/no", {}
    audience = {"description": "春", "audiences": [{"id": FRIEND}], "uploadDescription": "a"}
    yield "POST", "/v2/bot/audienceGroup/upload", {"json": audience}
    yield "PUT", "/v2/bot/audienceGroup/upload", {"json": {"audienceGroupId": 1, "audiences": []}}
    yield "GET", "/v2/bot/audienceGroup/1", {}
    yield "GET", "/v2/bot/audienceGroup/2", {}
    yield "GET", "/v2/bot/audienceGroup/list", {"params": {"page": 1}}
    yield "PUT", "/v2/bot/audienceGroup/1/updateDescription", {"json": {"description": "夏"}}
    yield "DELETE", "/v2/bot/audienceGroup/1", {}


async def test_answers(http: httpx.AsyncClient, openapi: OpenAPI) -> None:
    for method, path, options in _requests():
        response = await http.request(method, path, **options)
        assert response.status_code < 500
        openapi.check_request(response.request)
        openapi.check_response(response)


async def test_webhooks(http: httpx.AsyncClient, receiver: Receiver, openapi: OpenAPI) -> None:
    await http.post("/_simulator/friends", json={"userId": FRIEND})
    await http.delete(f"/_simulator/friends/{FRIEND}")
    events = [
        {"type": "message", "userId": FRIEND},
        {"type": "postback", "userId": FRIEND, "postback": {"data": "a=1"}},
        {
            "type": "videoPlayComplete",
            "userId": FRIEND,
            "videoPlayComplete": {"trackingId": "t"},
        },
        {"type": "unsend", "userId": FRIEND, "unsend": {"messageId": "1"}},
    ]
    await http.post("/_simulator/events", json={"events": events})
    await http.post("/_simulator/events", json={"events": []})

    async def taken() -> list[tuple[str, str]]:
        return receiver.taken

    for body, _ in await eventually(taken, lambda taken: len(taken) == 4):
        openapi.check_webhook(json.loads(body))
