"""LINE's Messaging API as a client: sending, and verifying LINE's webhooks."""

from __future__ import annotations

from tobiishi.line.client import BotInfo, LineClient, Message, Profile, Quota, Sent
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
from tobiishi.line.outcome import Kind, Outcome, outcome_of
from tobiishi.line.retry_key import retry_key
from tobiishi.line.signature import is_signed_by, sign

__all__ = [
    "BotInfo",
    "Detail",
    "FriendNotFound",
    "Kind",
    "LineClient",
    "LineError",
    "Message",
    "Outcome",
    "Profile",
    "Quota",
    "QuotaSpent",
    "RateLimited",
    "Refused",
    "Sent",
    "Unauthorised",
    "Unreachable",
    "is_signed_by",
    "outcome_of",
    "retry_key",
    "sign",
]
