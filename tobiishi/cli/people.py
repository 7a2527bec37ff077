"""Friends as people name them at a terminal: by their ids, or by their names."""

from __future__ import annotations

import re

from tobiishi.cli.server import Failed, call
from tobiishi.odd_characters import shown
from tobiishi.user_ids import is_user_id, why_not

#: What begins so was meant as an id.
_NEARLY_AN_ID = re.compile(r"\W*[Uu][0-9A-Fa-f]{4}")
#: Of how many who have a name the ids are listed.
_MOST = 20


def friend_id(friend: str, channel: str) -> str:
    """The id of the friend whom an id or a name means. Raises `Failed`.

    A whole name counts before a part of one; where several have it, all are listed.
    """
    if is_user_id(friend):
        return friend
    if _NEARLY_AN_ID.match(friend) or not friend.strip():
        raise Failed(f"'{shown(friend)}' {why_not(friend)}")
    name = friend.strip()
    params = {"channel": channel, "name": name, "limit": 1000}
    people = call("GET", "/api/friends", params=params)
    whole = [each for each in people if each["display_name"].casefold() == name.casefold()]
    named = whole or people
    if not named:
        raise Failed(
            f"'{shown(friend)}' is not a LINE user id, and nobody of that name is known: names are "
            "known once LINE's profile was asked; give the id"
        )
    if len(named) == 1:
        return str(named[0]["friend"])
    lines = [f"  {each['friend']}  {each['display_name']}" for each in named[:_MOST]]
    more = [f"  and {len(named) - _MOST} more"] if len(named) > _MOST else []
    several = f"{len(named)} friends have '{shown(friend)}' in their names; give the id of one:"
    raise Failed("\n".join([several, *lines, *more]))
