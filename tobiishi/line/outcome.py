"""The meaning of LINE's answers, decided without any I/O.

LINE has no error codes, and its texts "aren't guaranteed and are subject to change", so the status
decides (https://developers.line.biz/en/reference/messaging-api/#status-codes).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tobiishi.line.errors import Detail


class OutcomeKind(Enum):
    """The kinds of outcome of a request."""

    #: LINE took it now.
    ACCEPTED = "accepted"
    #: LINE took it before, with the same retry key.
    ALREADY_ACCEPTED = "already_accepted"
    #: Too many requests.
    RATE_LIMITED = "rate_limited"
    #: The month's messages seem used up: by the text only, so confirm with LINE's quota.
    QUOTA_SPENT = "quota_spent"
    #: LINE will never take it as it is.
    REFUSED = "refused"
    #: The access token is not good.
    UNAUTHORISED = "unauthorised"
    #: No usable answer; LINE may have taken it.
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a request, with all that LINE returned."""

    kind: OutcomeKind
    #: The HTTP status.
    status: int
    #: Id of this request; another one for each try. `None` where LINE gave none.
    request_id: str | None = None
    #: Id of the earlier request that LINE accepted, where this one came second.
    accepted_request_id: str | None = None
    #: LINE's words. Empty where it took the request.
    message: str = ""
    #: What LINE found wrong, one by one.
    details: tuple[Detail, ...] = ()
    #: Ids of the messages sent, in order; also of those sent by the earlier request.
    message_ids: tuple[str, ...] = ()


def outcome_of(status: int, headers: Mapping[str, str], body: bytes) -> Outcome:
    """The meaning of an answer, whatever it is: nothing is raised.

    `headers` are looked up case-insensitively.
    """
    headers = {name.lower(): value for name, value in headers.items()}
    parsed = _json_object(body)
    message = (
        _text(parsed.get("message")) if parsed else body[:200].decode(errors="replace").strip()
    )
    request_id = headers.get("x-line-request-id")
    accepted_request_id = headers.get("x-line-accepted-request-id")
    is_line = parsed is not None or request_id is not None
    kind = _kind(status, message, is_line=is_line, accepted=accepted_request_id is not None)
    succeeded = kind in (OutcomeKind.ACCEPTED, OutcomeKind.ALREADY_ACCEPTED)
    return Outcome(
        kind=kind,
        status=status,
        request_id=request_id,
        accepted_request_id=accepted_request_id,
        message="" if succeeded else message or "no message",
        details=_details(parsed),
        message_ids=_message_ids(parsed),
    )


def _kind(status: int, message: str, *, is_line: bool, accepted: bool) -> OutcomeKind:
    if 200 <= status < 300:
        # Neither JSON nor an id: a proxy's page, say, and not LINE.
        return OutcomeKind.ACCEPTED if is_line else OutcomeKind.UNREACHABLE
    if status == 409 and accepted:
        # https://developers.line.biz/en/docs/messaging-api/retrying-api-request/
        return OutcomeKind.ALREADY_ACCEPTED
    if status == 401:
        return OutcomeKind.UNAUTHORISED
    if status == 429:
        return (
            OutcomeKind.QUOTA_SPENT
            if "monthly limit" in message.lower()
            else OutcomeKind.RATE_LIMITED
        )
    # A 409 that does not name the accepted request proves nothing; asking again with the same
    # retry key does no harm. 408 is the server's time-out.
    if 400 <= status < 500 and status not in (408, 409):
        return OutcomeKind.REFUSED
    return OutcomeKind.UNREACHABLE


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _details(parsed: dict[str, Any] | None) -> tuple[Detail, ...]:
    details = (parsed or {}).get("details")
    if not isinstance(details, list):
        return ()
    return tuple(
        Detail(_text(detail.get("property")), _text(detail.get("message")))
        for detail in details
        if isinstance(detail, dict)
    )


def _message_ids(parsed: dict[str, Any] | None) -> tuple[str, ...]:
    sent = (parsed or {}).get("sentMessages")
    if not isinstance(sent, list):
        return ()
    # The reference's prose calls the id a number, its examples show a string.
    return tuple(
        str(message["id"]) for message in sent if isinstance(message, dict) and "id" in message
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
