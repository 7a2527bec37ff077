"""Uploads: lists of user ids that become members of an audience, a million at a time.

A file has one id a line, or a CSV with the ids in its first column; with or without a header
line or a byte order mark; lines end in LF, CRLF or CR. Wrong lines are reported by number, and the
upload's own rule says whether the others are kept all the same or nothing is.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tobiishi.database import Connection, queries
from tobiishi.errors import Invalid
from tobiishi.odd_characters import shown

_sql = queries("uploads")

#: What to do with a file that has wrong lines.
OnWrong = Literal["keep_good", "keep_nothing"]

#: LINE's user ids: https://developers.line.biz/en/docs/messaging-api/getting-user-ids/
_ID = re.compile(rb"U[0-9a-f]{32}")
#: A first line that begins so is a wrong id and not a header.
_NEARLY_AN_ID = re.compile(rb"[Uu][0-9A-Fa-f]{8}")
_LINE_END = re.compile(rb"\r\n|\r|\n")
#: What separates columns, and what spreadsheets put around values.
_FIRST_COLUMN = re.compile(rb'\s*"?([^",;\t]*)"?\s*(?:[,;\t].*)?', re.DOTALL)
#: How the files begin that Excel saves as workbooks.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
#: How many wrong lines are reported one by one; the others are counted.
MAX_REPORTED_LINES = 1000
#: Bytes. No line of ids is that long; a file that has one is no list of ids.
MAX_LINE_BYTES = 10_000


@dataclass(frozen=True, kw_only=True)
class WrongLine:
    """A line that holds no user id."""

    #: From 1.
    line: int
    #: How it begins.
    text: str


@dataclass(frozen=True, kw_only=True)
class MemberListUpload:
    """What an upload came to."""

    #: Lines with an id.
    ids: int
    joined: int
    already_in: int
    wrong: int
    #: The first of the wrong lines.
    wrong_lines: list[WrongLine]
    #: How the first line begins, where it was taken for a header; else empty.
    header: str


class WrongMemberLines(Invalid):
    """The file has wrong lines, and nothing of it was kept."""

    def __init__(self, reader: IdReader) -> None:
        line_numbers = ", ".join(str(wrong.line) for wrong in reader.wrong_lines[:10])
        super().__init__(
            f"lines that hold no LINE user id (U and 32 of 0-9, a-f): {reader.wrong}, such as line "
            f"{line_numbers}; correct them, or upload with on_wrong=keep_good"
        )
        self.wrong = reader.wrong
        self.wrong_lines = reader.wrong_lines


def refuse_no_text(beginning: bytes) -> None:
    """Raises `Invalid` for a file that can't be UTF-8 or Shift_JIS, by how it begins."""
    if beginning.startswith(_WORKBOOKS):
        raise Invalid("the file is an Excel workbook; save it as CSV UTF-8")
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in beginning:
        raise Invalid("the file is UTF-16 (Unicode text), or no text at all; save it as CSV UTF-8")


@dataclass
class IdReader:
    """Finds the ids in a file that comes in pieces. No I/O of its own."""

    ids: int = 0
    wrong: int = 0
    wrong_lines: list[WrongLine] = field(default_factory=list)
    header: str = ""
    _line: int = 0
    _rest: bytes = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The ids of the lines that this piece completes. Raises `Invalid` for no list of ids."""
        if not self._line:
            refuse_no_text(self._rest + piece)
        data = self._rest + piece
        # What ends in CR may go on with LF, in the next piece.
        held = b"\r" if data.endswith(b"\r") else b""
        *lines, rest = _LINE_END.split(data.removesuffix(held))
        if len(rest) > MAX_LINE_BYTES:
            raise Invalid(f"line {self._line + len(lines) + 1} is not a line of a list of user ids")
        self._rest = rest + held
        return self._read(lines)

    def end(self) -> list[bytes]:
        """The id of the last line, where nothing ends it. Raises `Invalid` for an empty file."""
        last, self._rest = self._rest.removesuffix(b"\r"), b""
        found = self._read([last])
        if not (self.ids or self.wrong or self.header):
            raise Invalid("the file is empty; write one LINE user id a line")
        return found

    def _read(self, lines: list[bytes]) -> list[bytes]:
        found = []
        for line in lines:
            self._line += 1
            if _ID.fullmatch(line):
                found.append(line)
            elif (value := self._value(line)) and _ID.fullmatch(value):
                found.append(value)
            elif value and self._is_header(value):
                self.header = _words(line)
            elif value:
                self.wrong += 1
                if self.wrong <= MAX_REPORTED_LINES:
                    self.wrong_lines.append(WrongLine(line=self._line, text=_words(line)))
        self.ids += len(found)
        return found

    def _is_header(self, value: bytes) -> bool:
        return self._line == 1 and not _NEARLY_AN_ID.match(value)

    def _value(self, line: bytes) -> bytes:
        if self._line == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if not line.strip():
            return b""
        match = _FIRST_COLUMN.fullmatch(line)
        return match[1].strip() if match else line


def _words(line: bytes) -> str:
    """How the line begins, in UTF-8 or as Excel in Japan saves it."""
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = line.decode("cp932", "replace")
    return shown(text.strip(" \t\r\n"))[:60]


async def upload(
    connection: Connection,
    channel: str,
    audience: str,
    pieces: AsyncIterable[bytes],
    *,
    on_wrong: OnWrong,
    at: datetime,
    reason: str,
) -> MemberListUpload:
    """Add the ids of a file, in whatever pieces it comes. To be called in a transaction.

    Raises `WrongMemberLines` where there are some and nothing is to be kept then.
    """
    reader = IdReader()
    await _sql.make_room(connection)
    await connection.copy_to_table(
        "uploaded", source=_ids(reader, pieces), columns=["friend"], format="text"
    )
    if reader.wrong and on_wrong == "keep_nothing":
        raise WrongMemberLines(reader)
    joined: int = await _sql.join_uploaded(
        connection, channel=channel, audience=audience, at=at, reason=reason
    )
    distinct: int = await _sql.count_uploaded(connection)
    return MemberListUpload(
        ids=reader.ids,
        joined=joined,
        already_in=distinct - joined,
        wrong=reader.wrong,
        wrong_lines=reader.wrong_lines,
        header=reader.header,
    )


async def _ids(reader: IdReader, pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The ids as COPY wants them, one a line."""
    async for piece in pieces:
        if found := reader.feed(piece):
            yield b"\n".join(found) + b"\n"
    if found := reader.end():
        yield b"\n".join(found) + b"\n"
