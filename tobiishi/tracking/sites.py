"""Sites: the shop's own pages, where friends are recognised and their acts recorded.

A friend is recognised by a signed parameter that tracked links carry to the shop's pages, and by
the cookie that the tag there makes of it. Neither holds LINE's user id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import Invalid, NotFound
from tobiishi.tokens import Signer

_sql = queries("sites")

#: The parameter that a tracked link carries to the shop's own pages.
PARAMETER = "tbv"
#: How long a visitor is known without a new click: as long as the longest look-back.
VISITOR_LIFETIME = timedelta(days=180)

#: With a port, and as it is written before it is encoded: encoding takes long.
MAX_HOST_CHARS = 300
_HOST = re.compile(r"(?=.{1,253}(?::|$))[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_MARK = re.compile(rf"^{PARAMETER}=")


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """A friend on one of their channel's sites."""

    channel: str
    friend: str


def host_of(text: str) -> str:
    """The host as browsers send it. Raises `Invalid`."""
    host = text.strip().lower() if len(text) <= MAX_HOST_CHARS else ""
    try:
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host):
        raise Invalid(
            f"{text!r:.100} is not a host; write it as `www.shop.example`, without https:// and "
            "without a path"
        )
    return host.removesuffix(":443").removesuffix(":80")


async def put(connection: Connection, channel: str, host: str) -> str:
    """Make the host one of the channel's sites. Returns it as stored. Raises `Invalid`."""
    kept = host_of(host)
    await _sql.put(connection, channel=channel, host=kept)
    return kept


async def remove(connection: Connection, channel: str, host: str) -> None:
    """Remove the site. Raises `NotFound`."""
    if not await _sql.remove(connection, channel=channel, host=host_of(host)):
        raise NotFound(f"{host!r} is not a site of channel {channel!r}")


async def all_of(connection: Connection, channel: str) -> list[str]:
    return [row["host"] for row in await all_rows(_sql.all(connection, channel=channel))]


async def marked(
    connection: Connection, signer: Signer, *, channel: str, friend: str, url: str, at: datetime
) -> str:
    """The address with the visitor's signed parameter, where its host is one of the sites.

    Other hosts get the address as it is: they must not learn who came.
    """
    host = host_in(url)
    if host is None:
        return url
    number = await _sql.number_of_friend_at(connection, channel=channel, friend=friend, host=host)
    if number is None:
        return url
    parts = urlsplit(url)
    kept = [each for each in parts.query.split("&") if each and not _MARK.match(each)]
    mark = f"{PARAMETER}={visitor_token(signer, number, at)}"
    return urlunsplit(parts._replace(query="&".join([*kept, mark])))


def visitor_token(signer: Signer, number: int, at: datetime) -> str:
    """The token of the friend of that number for the shop's pages."""
    return signer.sign("visitor", b"%x.%x" % (number, int(at.timestamp())))


def number_of(signer: Signer, token: str, now: datetime) -> int | None:
    """The number of the friend whom the token stands for; None where it is not ours, or too old."""
    payload = signer.read("visitor", token)
    if payload is None:
        return None
    number, _, at = payload.partition(b".")
    try:
        since = datetime.fromtimestamp(int(at, 16), UTC)
        return int(number, 16) if now - since <= VISITOR_LIFETIME else None
    except (ValueError, OverflowError, OSError):  # Of another version of ours.
        return None


async def visitor(connection: Connection, number: int, host: str) -> Visitor | None:
    """The friend of that number, where the host is one of their channel's sites."""
    row = await _sql.friend_at(connection, number=number, host=host)
    return Visitor(**row) if row else None


def host_in(url: str) -> str | None:
    """The host of an address, with its port where that is not the usual one; None without one."""
    try:
        return host_of(urlsplit(url).netloc.rpartition("@")[2])
    except (Invalid, ValueError):
        return None


def page(url: str) -> str:
    """The address as it is stored: without the visitor's parameter, and the part behind `#`."""
    parts = urlsplit(url)
    kept = [each for each in parts.query.split("&") if each and not _MARK.match(each)]
    return urlunsplit(parts._replace(query="&".join(kept), fragment=""))
