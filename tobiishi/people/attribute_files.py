"""Attributes and tags of many friends, told by a CSV as spreadsheets save it.

What such a file is, `tobiishi.people.attribute_reader` says. The upload's own rule says whether the
good lines of a file that has wrong ones are kept all the same or nothing is.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import IO

import asyncpg

from tobiishi.database import Connection, Database, all_rows, queries
from tobiishi.errors import Invalid
from tobiishi.people import audiences, friends
from tobiishi.people.attribute_columns import FORGET, MAX_OWN_ATTRIBUTES
from tobiishi.people.attribute_reader import (
    CODECS,
    AttributeRow,
    Encoding,
    Reader,
    WrongCell,
    encoding_of,
)
from tobiishi.people.member_lists import OnWrong

_sql = queries("attributes")

#: Lines that are read in one go, before anybody else gets their turn; friends of one statement.
_LINES_PER_TURN, _PAGE_SIZE = 500, 10_000
#: How often it is tried, where others lock the same friends in another order.
_MAX_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class AttributeUpload:
    """What an upload came to."""

    #: Of how many friends something was told.
    friends: int
    #: Those of them whom nobody had met.
    met: int
    #: Lines that were not kept.
    wrong: int
    #: The first of their wrong problems.
    wrong_lines: list[WrongCell]
    #: What the bytes were read as.
    encoding: Encoding


class WrongAttributeLines(Invalid):
    """The file has wrong lines, and nothing of it was kept."""

    def __init__(self, reader: Reader, encoding: Encoding) -> None:
        problems = [
            f"line {cell.line}{cell.column and f', {cell.column}'}: {cell.problem}"
            for cell in reader.wrong_lines[:10]
        ]
        super().__init__(
            f"wrong lines: {reader.wrong}; nothing was kept (read as {encoding}); correct them, or "
            "upload with on_wrong=keep_good\n" + "\n".join(problems)
        )
        self.wrong = reader.wrong
        self.wrong_lines = reader.wrong_lines
        self.encoding = encoding


async def upload(
    database: Database,
    channel: str,
    file: IO[bytes],
    *,
    on_wrong: OnWrong,
    today: date,
    at: datetime,
) -> AttributeUpload:
    """Keep what a file tells, all of it or nothing. It is read from its beginning.

    Raises `Invalid` for what is no such file; `WrongAttributeLines` where there are some and
    nothing is to be kept then.
    """
    encoding = await asyncio.to_thread(encoding_of, file)
    tries = _MAX_ATTEMPTS
    while True:
        tries -= 1
        file.seek(0)
        text = io.TextIOWrapper(file, CODECS[encoding], newline="")
        reader = Reader(text=text, today=today)
        try:
            async with database.long_transaction() as connection:
                await _copy(connection, reader)
                if reader.wrong and on_wrong == "keep_nothing":
                    raise WrongAttributeLines(reader, encoding)
                met = await _keep(connection, channel, at=at)
                friends_count: int = await _sql.count_friends(connection)
            return AttributeUpload(
                friends=friends_count,
                met=met,
                wrong=reader.wrong,
                wrong_lines=reader.wrong_lines,
                encoding=encoding,
            )
        except asyncpg.DeadlockDetectedError:
            if not tries:
                raise
        finally:
            text.detach()  # Closing it would close the file.


async def _copy(connection: asyncpg.Connection[asyncpg.Record], reader: Reader) -> None:
    """Bring the good lines into a temporary table: nothing that others may want is locked yet."""
    await _sql.make_room(connection)
    await connection.copy_records_to_table(
        "upload_lines",
        records=_in_turns(reader.rows()),
        columns=["line", "friend", "attributes", "fields", "tags"],
    )


async def _in_turns(rows: Iterator[AttributeRow | None]) -> AsyncIterator[AttributeRow]:
    # In a thread: lines may be long, and their cells many.
    while some := await asyncio.to_thread(lambda: list(islice(rows, _LINES_PER_TURN))):
        for each in some:
            if each is not None:
                yield each


async def _keep(connection: Connection, channel: str, *, at: datetime) -> int:
    """Do for the whole table what `tobiishi.people.friends` does for one; how many are new."""
    await _sql.split_tags(connection)
    await _sql.merge_lines(connection)
    met: int = await _sql.meet_and_lock(connection, channel=channel, at=friends.LONG_AGO)
    full = await _sql.change_attributes(connection, channel=channel, most_own=MAX_OWN_ATTRIBUTES)
    if full is not None:
        raise Invalid(
            f"friend {full!r} would have over {MAX_OWN_ATTRIBUTES} own attributes; forget some "
            f"with {FORGET!r} first. Nothing was kept"
        )
    await _sql.tag(connection, channel=channel, at=at)
    await _join(connection, channel, at=at)
    async for page in _pages(connection):
        await audiences.reconsider(connection, channel, page, at=at)
    return met


async def _join(connection: Connection, channel: str, *, at: datetime) -> None:
    """Add the tagged to the audiences of their tags.

    Where no journey depends on one no change is recorded: a hundred thousand would keep the relay
    from others.
    """
    # Rows come before definitions: see the head of tobiishi/sql/audiences.sql. One that is not
    # locked, as somebody defines it or asks for its changes, reports.
    locked = await all_rows(_sql.lock_audiences_of_tags(connection, channel=channel))
    unreported = {row["audience"] for row in locked if not row["watched"]}
    await audiences.rely_on_definitions(connection, channel)
    for row in await all_rows(_sql.audiences_of_tags(connection, channel=channel)):
        name, tag = row["audience"], row["tag"]
        await _sql.join_tagged(
            connection,
            channel=channel,
            audience=name,
            tag=tag,
            at=at,
            reported=name not in unreported,
        )


async def _pages(connection: Connection) -> AsyncIterator[list[str]]:
    """The friends who are known anew, some at a time, in the order of their ids."""
    after = ""
    while True:
        rows = await all_rows(_sql.known_anew(connection, after=after, limit=_PAGE_SIZE))
        if not rows:
            return
        yield [row["friend"] for row in rows]
        after = rows[-1]["friend"]
