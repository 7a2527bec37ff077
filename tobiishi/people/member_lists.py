"""Uploads: lists of user ids that become members of an audience, a million at a time.

A file has one id a line, or a CSV with the ids in its first column; with or without a header
line or a byte order mark; lines end in LF, CRLF or CR. A line with nothing but ids gives all of
them. What programs put around an id and people can't see is taken off. Wrong lines are reported by
number, and the upload's own rule says whether the others are kept all the same or nothing is.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tobiishi.database import Connection, queries
from tobiishi.errors import Invalid
from tobiishi.odd_characters import shown
from tobiishi.user_ids import PATTERN

_sql = queries("uploads")

#: What to do with a file that has wrong lines.
OnWrong = Literal["keep_good", "keep_nothing"]

_ID = re.compile(PATTERN.encode())
#: A first line that has so many of an id's digits in a row is a wrong id and not a header.
_NEARLY_AN_ID = re.compile("[0-9A-Fa-f]{8}")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_SEPARATOR = re.compile(rb"[,;\t]")
#: What is invisible: blanks of other widths or of none, marks of direction, byte order marks.
INVISIBLE = re.compile("[\u00a0\u00ad\u180e\u2000-\u200f\u202a-\u202f\u205f-\u2064\u3000\ufeff]")
#: What spreadsheets and word processors put around values, but for the quotes of a CSV.
AROUND_IDS = " \t\v\f'`\u2018\u2019\u201c\u201d"
#: The same in UTF-8, and the full-width blank of Shift_JIS.
_INVISIBLE_BYTES = (
    r"\xc2[\xa0\xad]|\xe1\xa0\x8e|\xe2\x80[\x80-\x8f\xaa-\xaf]|\xe2\x81[\x9f-\xa4]"
    r"|\xe3\x80\x80|\xef\xbb\xbf|\x81\x40"
)
_AROUND = rf"(?:[\s\"'`]|\xe2\x80[\x98\x99\x9c\x9d]|{_INVISIBLE_BYTES})*"
_WRAPPED_ID = re.compile(f"{_AROUND}({PATTERN}){_AROUND}".encode("latin-1"))
_EMPTY_CELL = re.compile(_AROUND.encode("latin-1"))
#: How the files begin that Excel saves as workbooks.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
#: How many wrong lines are reported one by one; the others are counted.
MAX_REPORTED_LINES = 1000
#: Bytes. No line of ids is that long; a file that has one is no list of ids.
MAX_LINE_BYTES = 10_000


NO_ID = "holds no LINE user id (U and 32 of 0-9, a-f)"
SEVERAL_IDS = "holds several ids and other columns; leave one id in the line, in the first column"


@dataclass(frozen=True, kw_only=True)
class WrongLine:
    """A line whose ids can't be told."""

    #: From 1.
    line: int
    #: How it begins, with what is invisible named.
    text: str
    problem: str = NO_ID


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
            f"wrong lines: {reader.wrong}, such as line {line_numbers}, which "
            f"{reader.wrong_lines[0].problem}; correct them, or upload with on_wrong=keep_good"
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
    _columns: int = 1
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
            else:
                found += self._ids_of(line)
        self.ids += len(found)
        return found

    def _ids_of(self, line: bytes) -> list[bytes]:
        """The ids of a line that is more than one id. Keeps what is wrong with it."""
        cells = _SEPARATOR.split(line)
        matches = [_WRAPPED_ID.fullmatch(cell) for cell in cells]
        ids = [match[1] for match in matches if match]
        if not ids and all(_EMPTY_CELL.fullmatch(cell) for cell in cells):
            return []
        if matches[0] and len(ids) == 1:
            return ids
        if len(ids) > 1:
            # Under a header of several columns the second id may be somebody else's.
            is_list = self._columns == 1 and all(
                match or _EMPTY_CELL.fullmatch(cell)
                for cell, match in zip(cells, matches, strict=True)
            )
            if is_list:
                return ids
            self._report(line, SEVERAL_IDS)
        elif self._line == 1 and not ids and not _is_nearly_an_id(line):
            self.header = _words(line)
            self._columns = sum(not _EMPTY_CELL.fullmatch(cell) for cell in cells)
        else:
            self._report(line, NO_ID)
        return []

    def _report(self, line: bytes, problem: str) -> None:
        self.wrong += 1
        if self.wrong <= MAX_REPORTED_LINES:
            wrong = WrongLine(line=self._line, text=_words(line), problem=problem)
            self.wrong_lines.append(wrong)


def _is_nearly_an_id(line: bytes) -> bool:
    text = INVISIBLE.sub("", unicodedata.normalize("NFKC", _decoded(line)))
    return bool(_NEARLY_AN_ID.search(text))


def _words(line: bytes) -> str:
    """How the line begins, with what is invisible named."""
    text = _decoded(line).removeprefix("\ufeff").strip(" \t\v\f\u3000")
    return shown(text[:60])


def _decoded(line: bytes) -> str:
    """The line in UTF-8, or as Excel in Japan saves it."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp932", "replace")


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
