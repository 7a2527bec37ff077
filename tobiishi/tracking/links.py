"""Links: the addresses in messages that lead through us, so that clicks are seen.

The link that a friend gets is `{public_url}/l/{token}`; an image's is `{public_url}/i/{token}`.
The token names a link of one message and a friend, both by number, and is signed: it can't be made
up, altered, or used for another purpose. Where it leads is in the database and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from urllib.parse import quote, urlsplit
from uuid import uuid4

import asyncpg

from tobiishi.database import Connection, all_rows, queries
from tobiishi.people import audiences, events, friends
from tobiishi.people.events import FriendEvent
from tobiishi.settings import Settings
from tobiishi.tokens import Signer
from tobiishi.tracking.messages import Link, LinkKind, Tracked, parameters_for_line
from tobiishi.tracking.user_agents import Os

_sql = queries("links")

#: Where each kind is answered, below the public address.
PATHS: Mapping[LinkKind, str] = {"link": "l", "image": "i"}
_EVENTS: Mapping[LinkKind, str] = {"link": "click", "image": "image"}


@dataclass(frozen=True, kw_only=True)
class Token:
    """The content of an address's token."""

    kind: LinkKind
    #: The link's number.
    link: int
    #: The friend's number.
    friend: int

    def sign(self, signer: Signer) -> str:
        """At most 40 characters; 22 or so as long as there are less than a million of each."""
        return signer.sign(self.kind, _packed(self.link) + _packed(self.friend))

    @classmethod
    def read(cls, signer: Signer, kind: LinkKind, token: str) -> Self | None:
        """Read a token; None where it is not one of ours, of this kind."""
        payload = signer.read(kind, token)
        numbers = _unpacked(payload) if payload else []
        if len(numbers) != 2:
            return None
        return cls(kind=kind, link=numbers[0], friend=numbers[1])


@dataclass(frozen=True, kw_only=True)
class LinkTracker:
    """Replaces the links of messages by tracked links."""

    public_url: str
    signer: Signer

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """The tracker; None where the settings lack our public address."""
        if settings.public_url is None or settings.secret_key is None:
            return None
        return cls(public_url=settings.public_url, signer=Signer(settings.secret_key))

    def tracked(self, *, links: bool, images: bool) -> Tracked:
        """Which links of a message are led through us."""
        return Tracked(public_url=self.public_url, links=links, images=images)

    async def addresses(
        self,
        connection: Connection,
        links: Sequence[Link],
        *,
        channel: str,
        scenario: str,
        message: str,
        friend: str,
    ) -> dict[Link, str]:
        """The friend's own addresses of the links of a message.

        Deterministic: LINE accepts a retry only with the body of the first request.
        """
        place = {"channel": channel, "scenario": scenario, "message": message}
        rows = await all_rows(_sql.numbered(connection, **place, friend=friend, **_columns(links)))
        numbers = {_link(row): row["id"] for row in rows}
        new = [link for link, number in numbers.items() if number is None]
        if new:
            added = await all_rows(_sql.add(connection, **place, **_columns(new)))
            numbers |= {_link(row): row["id"] for row in added}
        return {
            link: self._address(link, Token(kind=link.kind, link=number, friend=rows[0]["number"]))
            for link, number in numbers.items()
        }

    def _address(self, link: Link, token: Token) -> str:
        path = f"{self.public_url}/{PATHS[link.kind]}/{token.sign(self.signer)}"
        return path + (parameters_for_line(link.url) if link.kind == "link" else "")


@dataclass(frozen=True, kw_only=True)
class SentLink:
    """A link as it was sent to one friend."""

    token: Token
    channel: str
    friend: str
    #: The message, by its name in its scenario.
    scenario: str
    message: str
    #: Where it leads.
    url: str


async def sent(connection: Connection, token: Token) -> SentLink | None:
    """The link of a token; None where the link or the friend is not known."""
    row = await _sql.sent(connection, id=token.link, number=token.friend, kind=token.kind)
    return SentLink(token=token, **row) if row else None


@dataclass(frozen=True, kw_only=True)
class LinkVisit:
    """A link that was opened, or an image that was fetched."""

    token: Token
    at: datetime
    #: What the browser's headers show of the phone.
    os: Os | None = None
    language: str | None = None
    #: Idempotency key: the same key is the same visit.
    key: str = field(default_factory=lambda: f"visit {uuid4()}")


async def record(connection: Connection, visit: LinkVisit) -> bool:
    """Store the visit as an event of the friend, and what it shows of their phone.

    Returns False where it was stored before or the link is unknown. To be called in a transaction.
    """
    link = await sent(connection, visit.token)
    if link is None:
        return False
    shown = {"os": visit.os, "language": visit.language}
    recorded = await events.record(
        connection,
        FriendEvent(
            channel=link.channel,
            friend=link.friend,
            source="message",
            event=_EVENTS[visit.token.kind],
            occurred_at=visit.at,
            scenario=link.scenario,
            message=link.message,
            url=link.url,
            detail={name: value for name, value in shown.items() if value},
            key=visit.key,
        ),
    )
    if recorded and await friends.see(
        connection, link.channel, link.friend, os=visit.os, language=visit.language
    ):
        await audiences.reconsider(connection, link.channel, [link.friend], at=visit.at)
    return recorded


def location(url: str) -> str:
    """The address as a `Location` header says it: in ASCII, and one line whatever it holds."""
    _, _, host = urlsplit(url).netloc.rpartition("@")
    with suppress(UnicodeError):  # Browsers read a host percent-encoded, too.
        url = url.replace(host, host.encode("idna").decode(), 1)
    return quote(url, safe="%!#$&'()*+,/:;=?@[]~|")


def _packed(number: int) -> bytes:
    """The number in as few bytes as it takes: seven bits in each, the last below 128."""
    packed = bytearray()
    while number > 127:
        packed.append(number & 127 | 128)
        number >>= 7
    packed.append(number)
    return bytes(packed)


def _unpacked(packed: bytes) -> list[int]:
    """The numbers that were packed one after another."""
    numbers, number, bits = [], 0, 0
    for byte in packed:
        number |= (byte & 127) << bits
        bits += 7
        if byte < 128:
            numbers.append(number)
            number, bits = 0, 0
    return numbers


def _columns(links: Sequence[Link]) -> dict[str, list[str]]:
    return {"kinds": [link.kind for link in links], "urls": [link.url for link in links]}


def _link(row: asyncpg.Record) -> Link:
    return Link(kind=row["kind"], url=row["url"])
