"""Errors of LINE, sorted by what a caller can do about them.

LineError
 ├── RateLimited        too many requests: slow down, try again
 ├── QuotaSpent         the month's messages are used up: hold until there are more
 ├── Unauthorised       the access token is not good: an operator has to act
 ├── Refused            LINE will never take this request as it is
 │    └── FriendNotFound     LINE shows us no such friend
 └── Unreachable        no usable answer: try again with the same retry key

https://developers.line.biz/en/reference/messaging-api/#error-responses
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self


class Detail(NamedTuple):
    """One error that LINE found in a request."""

    #: Where it is, such as `messages[0].text`. Empty where LINE gives none.
    property: str
    #: What is wrong, such as `May not be empty`.
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in self if part)


class LineError(Exception):
    """LINE has not done what it was asked; the text is for people."""

    def __init__(
        self,
        message: str,
        *,
        details: Sequence[Detail] = (),
        status: int | None = None,
        request_id: str | None = None,
        ambiguous: bool = False,
    ) -> None:
        super().__init__(message)
        #: LINE's words, or what broke. LINE may change them at any time; don't decide by them.
        self.message = message
        #: What LINE found wrong, where it says so.
        self.details = tuple(details)
        #: The HTTP status, or `None` where there was no answer.
        self.status = status
        #: LINE's `x-line-request-id`, which its support asks for.
        self.request_id = request_id
        #: Whether LINE may have accepted the request all the same.
        self.ambiguous = ambiguous

    def __str__(self) -> str:
        text = self.message
        if self.details:
            text += f" ({'; '.join(map(str, self.details))})"
        return text if self.status is None else f"LINE answered {self.status}: {text}"

    @classmethod
    def like(cls, error: LineError) -> Self:
        """This kind of error with the words of another, for a caller that has learnt more."""
        return cls(
            error.message,
            details=error.details,
            status=error.status,
            request_id=error.request_id,
            ambiguous=error.ambiguous,
        )


class RateLimited(LineError):
    """LINE got too many requests of this channel, or for this friend, in a short time."""


class QuotaSpent(LineError):
    """The month's messages seem used up; confirm with `LineClient.quota`."""


class Unauthorised(LineError):
    """LINE does not take the access token."""


class Refused(LineError):
    """LINE understood the request and will not do it, however often it is asked."""


class FriendNotFound(Refused):
    """LINE shows no profile: unknown, not a friend, blocked, or without the friend's consent."""


class Unreachable(LineError):
    """LINE failed, did not answer, or something else answered in its place."""
