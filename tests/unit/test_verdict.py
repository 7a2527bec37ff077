"""What is done with a claimed delivery: asked of LINE, skipped, tried anew or left open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tobiishi.journeys.deliveries import (
    RETRY_KEY_LIFETIME,
    Delivery,
    DeliveryStatus,
    Verdict,
    verdict_on,
)

CLAIMED_AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)
ALIVE, SPENT = RETRY_KEY_LIFETIME, RETRY_KEY_LIFETIME + TICK


def delivery(status: DeliveryStatus = "claimed", *, is_ambiguous: bool = False) -> Delivery:
    return Delivery(
        retry_key=UUID(int=1),
        step="0",
        message="hello",
        status=status,
        reason=None,
        claimed_at=CLAIMED_AT,
        attempts=1,
        ambiguous_at=CLAIMED_AT if is_ambiguous else None,
        settled_at=None,
        request_id=None,
        message_ids=[],
    )


@pytest.mark.parametrize(
    ("age", "is_ambiguous", "too_late", "verdict"),
    [
        (timedelta(0), False, False, "ask_line"),
        (timedelta(0), True, False, "ask_line"),
        (timedelta(0), False, True, "skip_late"),
        (timedelta(0), True, True, "ask_line"),  # LINE may have it: only LINE can tell.
        (ALIVE, False, False, "ask_line"),
        (ALIVE, True, False, "ask_line"),
        (ALIVE, False, True, "skip_late"),
        (ALIVE, True, True, "ask_line"),
        (SPENT, False, False, "new_key"),
        (SPENT, True, False, "unknown"),
        (SPENT, False, True, "skip_late"),
        (SPENT, True, True, "unknown"),
    ],
)
def test_a_claimed_delivery(
    age: timedelta, is_ambiguous: bool, too_late: bool, verdict: Verdict
) -> None:
    claimed = delivery(is_ambiguous=is_ambiguous)
    assert verdict_on(claimed, now=CLAIMED_AT + age, too_late=too_late) == verdict


@pytest.mark.parametrize("status", ["sent", "refused", "skipped", "unknown"])
@pytest.mark.parametrize("age", [timedelta(0), ALIVE, SPENT])
@pytest.mark.parametrize("is_ambiguous", [False, True])
@pytest.mark.parametrize("too_late", [False, True])
def test_a_settled_delivery_stays_as_it_is(
    status: DeliveryStatus, age: timedelta, is_ambiguous: bool, too_late: bool
) -> None:
    settled = delivery(status, is_ambiguous=is_ambiguous)
    assert verdict_on(settled, now=CLAIMED_AT + age, too_late=too_late) == "settled"
