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

PATTERN = "U[0-9a-f]{32}"
#: What is wrong with another text, and what to do.
NOT_ONE = "is not a LINE user id; write U and 32 of 0-9, a-f"

_USER_ID = re.compile(PATTERN)


def is_user_id(text: str) -> bool:
    return _USER_ID.fullmatch(text) is not None


def _checked(text: str) -> str:
    if is_user_id(text):
        return text
    # Shortened: whoever sends a megabyte gets no megabyte back.
    context = {"shown": repr(text[:64]), "problem": NOT_ONE}
    raise PydanticCustomError("friend_id", "{shown} {problem}", context)


#: A friend's id, as a value of the API or of an event.
FriendId = Annotated[
    str, AfterValidator(_checked), WithJsonSchema({"type": "string", "pattern": f"^{PATTERN}$"})
]
