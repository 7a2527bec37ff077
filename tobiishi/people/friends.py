"""Friends: the people who added a channel on LINE, and what the shop knows of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Literal

import asyncpg
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import NotFound
from tobiishi.people import audiences
from tobiishi.scenario import FriendFacts
from tobiishi.scenario.parts import FieldName, plain_tag

_sql = queries("friends")

FriendStatus = Literal["following", "blocked"]

#: BCP 47, as far as anybody uses it: `ja`, `pt-BR`, `zh-Hant-TW`.
LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"
#: Text without line breaks and other control characters: it goes into messages and into lists.
ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
#: The value of an attribute of the shop's own.
FieldValue = Annotated[str, StringConstraints(max_length=200, pattern=ONE_LINE)]


class Seen(BaseModel):
    """What was seen of a friend by itself, in clicks and on the shop's site."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    os: Literal["ios", "android"] | None = None
    """The system of their phone."""
    language: str | None = None
    """BCP 47."""


class Attributes(BaseModel):
    """What the shop told us of a friend. Nothing is inferred; what is absent is not known."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    gender: Literal["male", "female", "other"] | None = None
    """As the shop knows it."""
    birthday: date | None = None
    """Where it is known, the age is counted from it."""
    age: int | None = Field(default=None, ge=0, le=150)
    """In years, where the birthday is not known."""
    region: str | None = Field(default=None, max_length=64, pattern=ONE_LINE)
    """Such as 東京都."""
    os: Literal["ios", "android", "other"] | None = None
    """The system of their phone; it counts before what was seen."""
    language: Annotated[str, StringConstraints(pattern=LANGUAGE)] | None = None
    """BCP 47; it counts before LINE's profile and what was seen."""
    fields: dict[FieldName, FieldValue | None] = Field(default={}, max_length=50)
    """The shop's own attributes, by their names."""

    def age_on(self, today: date) -> int | None:
        """The age in years, from the birthday where it is known."""
        if self.birthday is None:
            return self.age
        had_birthday = (today.month, today.day) >= (self.birthday.month, self.birthday.day)
        return today.year - self.birthday.year - (0 if had_birthday else 1)


@dataclass(frozen=True, kw_only=True)
class Friend:
    """One friend of one channel."""

    channel: str
    #: LINE's user id.
    friend: str
    #: `blocked` after an unfollow event, until the next follow event.
    status: FriendStatus
    #: The route the friend was added by, where known.
    route: str | None
    #: What the shop told; it counts before what was seen.
    attributes: Attributes
    seen: Seen
    #: LINE display name; None until LINE's profile was asked.
    display_name: str | None
    #: BCP 47, where the friend consented.
    language: str | None
    #: When LINE's profile was last asked.
    profile_at: datetime | None

    def variables(self) -> dict[str, str | None]:
        """What a message's text may say of the friend, as `{{ friend.… }}`."""
        return {
            "display_name": self.display_name,
            "language": self.spoken,
            "gender": self.attributes.gender,
            "region": self.attributes.region,
            **{f"fields.{name}": value for name, value in self.attributes.fields.items()},
        }

    @property
    def spoken(self) -> str | None:
        """The friend's language: as the shop told, else as in LINE's profile, else as seen."""
        return self.attributes.language or self.language or self.seen.language

    def facts(self, audiences: frozenset[str], today: date) -> FriendFacts:
        """What a condition may look at; `today` is the day that ages are counted on."""
        return FriendFacts(
            audiences=audiences,
            gender=self.attributes.gender,
            age=self.attributes.age_on(today),
            region=self.attributes.region,
            os=self.attributes.os or self.seen.os,
            language=self.spoken,
            fields={name: value for name, value in self.attributes.fields.items() if value},
        )

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> Friend:
        return cls(
            channel=row["channel"],
            friend=row["friend"],
            status=row["status"],
            route=row["route"],
            attributes=Attributes.model_validate(row["attributes"]),
            seen=Seen.model_validate(row["seen"]),
            display_name=row["display_name"],
            language=row["language"],
            profile_at=row["profile_at"],
        )


async def get(connection: Connection, channel: str, friend: str) -> Friend:
    """Raises `NotFound`."""
    row = await _sql.get(connection, channel=channel, friend=friend)
    if row is None:
        raise NotFound(f"{friend!r} is not a friend of channel {channel!r}")
    return Friend.from_row(row)


async def lock(connection: Connection, channel: str, friend: str) -> Friend | None:
    """Lock the friend until the transaction ends; None where there is none."""
    row = await _sql.lock(connection, channel=channel, friend=friend)
    return Friend.from_row(row) if row else None


async def set_status(
    connection: Connection, channel: str, friend: str, status: FriendStatus, at: datetime
) -> Friend | None:
    """Store the status as of a webhook event of time `at`; None where a later event came first."""
    row = await _sql.set_status(connection, channel=channel, friend=friend, status=status, at=at)
    if row is not None and row["is_new"]:
        await audiences.reconsider(connection, channel, [friend], at=at)
    return Friend.from_row(row) if row else None


#: Before whatever an event may tell.
LONG_AGO = datetime.fromtimestamp(0, UTC)


async def meet(connection: Connection, channel: str, friend: str, at: datetime) -> None:
    """Know a friend who was added before Tobiishi was there, now that they act."""
    if await _sql.meet(connection, channel=channel, friend=friend, at=at):
        await audiences.reconsider(connection, channel, [friend], at=at)


async def meet_many(
    connection: Connection, channel: str, people: Collection[str], *, now: datetime
) -> None:
    """Know them all, whom the shop lists, and lock them until the transaction ends."""
    rows = _sql.meet_and_lock(connection, channel=channel, friends=sorted(people), at=LONG_AGO)
    if strangers := [row["friend"] for row in await all_rows(rows)]:
        await audiences.reconsider(connection, channel, strangers, at=now)


async def keep_profile(connection: Connection, friend: Friend) -> None:
    """Keep what LINE's profile told of the friend."""
    await _sql.keep_profile(
        connection,
        channel=friend.channel,
        friend=friend.friend,
        display_name=friend.display_name,
        language=friend.language,
        at=friend.profile_at,
    )


async def set_attributes(
    connection: Connection, channel: str, friend: str, attributes: Attributes, *, at: datetime
) -> Friend:
    """Change the attributes that were given, a None forgets one. Raises `NotFound`.

    To be called in a transaction.
    """
    row = await _sql.set_attributes(
        connection,
        channel=channel,
        friend=friend,
        attributes=attributes.model_dump(mode="json", exclude_unset=True),
    )
    if row is None:
        raise NotFound(f"{friend!r} is not a friend of channel {channel!r}")
    await audiences.reconsider(connection, channel, [friend], at=at)
    return Friend.from_row(row)


async def retag(
    connection: Connection,
    channel: str,
    friend: str,
    *,
    add: tuple[str, ...] = (),
    remove: tuple[str, ...] = (),
    at: datetime,
) -> None:
    """Add and remove tags; the audiences of those tags gain or lose the friend with it.

    The friend is locked until the transaction ends: what two say of one tag follows in one order.
    One who is not known, or was forgotten a moment ago, gets no tag: it would outlive them.
    """
    if await lock(connection, channel, friend) is None:
        return
    for tag in add:
        await _sql.tag(connection, channel=channel, friend=friend, tag=tag, at=at)
        await audiences.apply_tag(connection, channel, friend, tag, carried=True, at=at)
    # Written as a former release kept it, which may run beside this one, it is the same tag.
    written = await tags_of(connection, channel, friend) if remove else []
    for tag in remove:
        same = [each for each in written if plain_tag(each) == tag]
        await _sql.untag(connection, channel=channel, friend=friend, tags=same)
        await audiences.apply_tag(connection, channel, friend, tag, carried=False, at=at)


async def tags_of(connection: Connection, channel: str, friend: str) -> list[str]:
    carried = await all_rows(_sql.tags_of(connection, channel=channel, friend=friend))
    return [row["tag"] for row in carried]


async def get_many(
    connection: Connection, channel: str, friends: Sequence[str]
) -> dict[str, Friend]:
    """Those of them who are known."""
    rows = await all_rows(_sql.get_many(connection, channel=channel, friends=list(friends)))
    return {row["friend"]: Friend.from_row(row) for row in rows}


async def page(
    connection: Connection,
    channel: str,
    *,
    after: str,
    limit: int,
    tag: str | None = None,
    audience: str | None = None,
    name: str | None = None,
) -> list[Friend]:
    """Friends in the order of their ids, those after `after`."""
    only = {"tag": tag, "audience": audience, "name": name}
    rows = await all_rows(_sql.page(connection, channel=channel, after=after, limit=limit, **only))
    return [Friend.from_row(row) for row in rows]


async def lock_many(connection: Connection, people: Sequence[tuple[str, str]]) -> None:
    """Lock those friends (channel and user id) until the transaction ends."""
    channels, friends = zip(*people, strict=True)
    await _sql.lock_many(connection, channels=channels, friends=friends)


async def see(
    connection: Connection,
    channel: str,
    friend: str,
    *,
    os: str | None = None,
    language: str | None = None,
) -> bool:
    """Keep what was seen of the friend by itself; None tells nothing. Whether that is new."""
    given = {"os": os, "language": language}
    seen = {name: value for name, value in given.items() if value is not None}
    row = await _sql.see(connection, channel=channel, friend=friend, seen=seen)
    return row is not None
