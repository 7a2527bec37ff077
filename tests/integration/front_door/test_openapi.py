"""The API's reference, which /docs shows and clients are made from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tobiishi.api import create_app
from tobiishi.settings import Settings

#: They answer whoever asks, and there is nothing to be wrong about.
ASK_NOTHING = {"/healthz", "/readyz", "/tag.js"}


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def operations(reference: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in reference["paths"].items():
        for operation in item.values():
            yield path, operation


def test_every_operation_says_what_it_does(reference: dict[str, Any]) -> None:
    silent = [path for path, operation in operations(reference) if not operation.get("summary")]
    assert silent == []


def test_every_operation_has_a_readable_name_of_its_own(reference: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(reference)]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert "friends_retag" in names


def test_every_operation_says_how_it_is_refused(reference: dict[str, Any]) -> None:
    unrefused = {
        path
        for path, operation in operations(reference)
        if not any(status.startswith("4") for status in operation["responses"])
    }
    assert unrefused == ASK_NOTHING
    for path, operation in operations(reference):
        if "security" in operation:
            assert "401" in operation["responses"], path
        if "requestBody" in operation:
            assert {"400", "413"} <= operation["responses"].keys(), path


def test_refusals_have_the_form_that_they_are_answered_in(reference: dict[str, Any]) -> None:
    # FastAPI's own would also tell what was sent.
    assert "HTTPValidationError" not in reference["components"]["schemas"]
    answers = reference["paths"]["/api/audiences/{audience}"]["delete"]["responses"]
    said = {
        status: answer["content"]["application/json"]["schema"]
        for status, answer in answers.items()
        if status >= "4"
    }
    problem = {"$ref": "#/components/schemas/Problem"}
    wrong = {"$ref": "#/components/schemas/WrongRequest"}
    assert said == {"401": problem, "404": problem, "409": problem, "422": wrong, "503": problem}


def test_every_property_is_described(reference: dict[str, Any]) -> None:
    schemas = reference["components"]["schemas"]
    assert {"Attributes", "Condition", "Warning"} <= schemas.keys()
    silent = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, said in schema.get("properties", {}).items()
        if not said.get("description")
    ]
    assert silent == []


def test_every_schema_has_one_name_that_a_client_can_have_for_a_class(
    reference: dict[str, Any],
) -> None:
    # Where two are called the same, FastAPI names them by their modules, or by Input and Output:
    # generators of clients shorten that, and leave out the second, and all that needs it.
    names = reference["components"]["schemas"]
    assert [name for name in names if not re.fullmatch(r"([A-Z][a-z]+)+", name)] == []


def test_what_is_not_json_says_what_it_is(reference: dict[str, Any]) -> None:
    said = {
        path: list(item["get"]["responses"]["200"]["content"])
        for path, item in reference["paths"].items()
        if path in {"/metrics", "/tag.js"} or "/qr." in path
    }
    assert said == {
        "/api/routes/{route}/qr.svg": ["image/svg+xml"],
        "/api/routes/{route}/qr.png": ["image/png"],
        "/metrics": ["text/plain"],
        "/tag.js": ["text/javascript"],
    }
    silent = [
        (path, status)
        for path, operation in operations(reference)
        for status, answer in operation["responses"].items()
        if status in {"200", "202"}
        and not all(each.get("schema") for each in answer.get("content", {"": {}}).values())
    ]
    assert silent == []
