"""A friend's id: the one rule for it, wherever one comes in.

LINE's ids of users are `U` and 32 hex digits
(https://developers.line.biz/en/docs/messaging-api/getting-user-ids/). Those of groups and rooms
begin with C and R: a message to such an id would go to everybody in it.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from tobiishi.odd_characters import odd_character

PATTERN = "U[0-9a-f]{32}"
#: What is wrong with another text, and what to do.
NOT_ONE = "is not a LINE user id; write U and 32 of 0-9, a-f"

_USER_ID = re.compile(PATTERN)


def is_user_id(text: str) -> bool:
    return _USER_ID.fullmatch(text) is not None


def why_not(text: str) -> str:
    """What is wrong with a text that is none, and what to do."""
    odd = odd_character(text)
    return f"is not a LINE user id; it holds {odd}: take it out" if odd else NOT_ONE


def _checked(text: str) -> str:
    if is_user_id(text):
        return text
    # Shortened: whoever sends a megabyte gets no megabyte back.
    context = {"shown": repr(text[:64]), "problem": why_not(text)}
    raise PydanticCustomError("friend_id", "{shown} {problem}", context)


#: A friend's id, as a value of the API or of an event.
FriendId = Annotated[
    str, AfterValidator(_checked), WithJsonSchema({"type": "string", "pattern": f"^{PATTERN}$"})
]
