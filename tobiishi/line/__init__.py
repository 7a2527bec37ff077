"""LINE's Messaging API as a client: sending, and verifying LINE's webhooks."""

from __future__ import annotations

from tobiishi.line.client import AcceptedPush, BotInfo, LineClient, Message, MessageLimit, Profile
from tobiishi.line.errors import (
    Detail,
    FriendNotFound,
    LineError,
    QuotaSpent,
    RateLimited,
    Refused,
    Unauthorised,
    Unreachable,
)
from tobiishi.line.outcome import Outcome, OutcomeKind, outcome_of
from tobiishi.line.retry_key import retry_key
from tobiishi.line.signature import is_signed_by, sign

__all__ = [
    "AcceptedPush",
    "BotInfo",
    "Detail",
    "FriendNotFound",
    "LineClient",
    "LineError",
    "Message",
    "MessageLimit",
    "Outcome",
    "OutcomeKind",
    "Profile",
    "QuotaSpent",
    "RateLimited",
    "Refused",
    "Unauthorised",
    "Unreachable",
    "is_signed_by",
    "outcome_of",
    "retry_key",
    "sign",
]
