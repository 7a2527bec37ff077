from __future__ import annotations

import json
from typing import Any

import pytest

from tobiishi.line import Detail, Outcome, OutcomeKind, outcome_of

MARKED = {"X-Line-Request-Id": "request"}
ACCEPTED = {**MARKED, "X-Line-Accepted-Request-Id": "first"}

CASES: list[tuple[str, int, dict[str, str], Any, OutcomeKind]] = [
    ("push", 200, MARKED, {"sentMessages": [{"id": "1"}]}, OutcomeKind.ACCEPTED),
    ("multicast", 200, MARKED, {}, OutcomeKind.ACCEPTED),
    ("narrowcast", 202, MARKED, {}, OutcomeKind.ACCEPTED),
    ("200 without an id", 200, {}, {}, OutcomeKind.ACCEPTED),
    ("200 without a body", 200, MARKED, b"", OutcomeKind.ACCEPTED),
    ("200 of somebody else", 200, {}, b"<html>Log in to this Wi-Fi", OutcomeKind.UNREACHABLE),
    ("409, accepted before", 409, ACCEPTED, {"message": "anything"}, OutcomeKind.ALREADY_ACCEPTED),
    ("409, accepted before, no body", 409, ACCEPTED, b"", OutcomeKind.ALREADY_ACCEPTED),
    (
        "409 that names no request",
        409,
        MARKED,
        {"message": "The retry key is already accepted"},
        OutcomeKind.UNREACHABLE,
    ),
    ("400", 400, MARKED, {"message": "Failed to send messages"}, OutcomeKind.REFUSED),
    ("400 that names a request", 400, ACCEPTED, {"message": "?"}, OutcomeKind.REFUSED),
    ("401", 401, MARKED, {"message": "Authentication failed."}, OutcomeKind.UNAUTHORISED),
    ("403", 403, MARKED, {"message": "Access to this API is not available"}, OutcomeKind.REFUSED),
    ("404", 404, MARKED, {"message": "Not found"}, OutcomeKind.REFUSED),
    ("408", 408, {}, b"", OutcomeKind.UNREACHABLE),
    ("410", 410, MARKED, {"message": "Gone"}, OutcomeKind.REFUSED),
    ("413", 413, {}, b"<html>", OutcomeKind.REFUSED),
    ("415", 415, MARKED, {}, OutcomeKind.REFUSED),
    (
        "429, the rate",
        429,
        MARKED,
        {"message": "The API rate limit has been exceeded. Try again later."},
        OutcomeKind.RATE_LIMITED,
    ),
    (
        "429, the quota",
        429,
        MARKED,
        {"message": "You have reached your monthly limit."},
        OutcomeKind.QUOTA_SPENT,
    ),
    ("429 in words we don't know", 429, MARKED, {"message": "No more"}, OutcomeKind.RATE_LIMITED),
    ("429 without a body", 429, {}, b"", OutcomeKind.RATE_LIMITED),
    ("302", 302, {}, b"", OutcomeKind.UNREACHABLE),
    ("500", 500, MARKED, {"message": "Internal server error"}, OutcomeKind.UNREACHABLE),
    ("503 of a proxy", 503, {}, b"<html>", OutcomeKind.UNREACHABLE),
]


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_kind(status: int, headers: dict[str, str], body: Any, kind: OutcomeKind) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert outcome_of(status, headers, raw).kind is kind


def test_keeps_what_line_said() -> None:
    body = {
        "message": "The request body has 2 error(s)",
        "details": [
            {"message": "May not be empty", "property": "messages[0].text"},
            {"message": "Something"},
        ],
    }
    assert outcome_of(400, MARKED, json.dumps(body).encode()) == Outcome(
        kind=OutcomeKind.REFUSED,
        status=400,
        request_id="request",
        message="The request body has 2 error(s)",
        details=(Detail("messages[0].text", "May not be empty"), Detail("", "Something")),
    )


@pytest.mark.parametrize("status", [200, 409])
def test_keeps_ids_of_sent_messages(status: int) -> None:
    body = {"message": "said before", "sentMessages": [{"id": "461230966842064897"}, {"id": 2}]}
    outcome = outcome_of(status, ACCEPTED, json.dumps(body).encode())
    assert outcome.message_ids == ("461230966842064897", "2")
    assert (outcome.request_id, outcome.accepted_request_id) == ("request", "first")
    assert outcome.message == ""


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"message": 7, "details": 7, "sentMessages": 7}',
        b'{"details": [7, {"message": null, "property": 7}], "sentMessages": [7, {}]}',
    ],
)
@pytest.mark.parametrize("status", [200, 400, 409, 500])
def test_any_answer_has_an_outcome(status: int, body: bytes) -> None:
    outcome = outcome_of(status, ACCEPTED, body)
    assert outcome.message_ids == ()
    assert all(isinstance(text, str) for detail in outcome.details for text in detail)
    assert outcome.message or outcome.kind in (OutcomeKind.ACCEPTED, OutcomeKind.ALREADY_ACCEPTED)
