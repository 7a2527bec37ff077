"""Reads a CSV of friends line by line, and keeps what is wrong in it. No I/O but the file's.

A header row names the columns, each line tells something of one friend. The bytes are UTF-8, or
Shift_JIS as Excel in Japan saves; columns are separated by commas or tabs. An empty cell leaves
what is known, `-` forgets it. No cell goes on in the next line, so that a quote too many spoils its
own line only. Wrong cells are reported by line and column.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import zip_longest
from typing import IO, Any, Literal, TypeAlias

from tobiishi.errors import Invalid
from tobiishi.people.attribute_columns import FORGET, Column, columns_of, value_of
from tobiishi.people.member_lists import MAX_REPORTED_LINES, refuse_no_text

Encoding = Literal["UTF-8", "Shift_JIS"]
#: Shift_JIS as Windows has it.
CODECS: dict[Encoding, str] = {"UTF-8": "utf-8-sig", "Shift_JIS": "cp932"}

_JAPANESE = re.compile("[\u3000-\u9fff\uff00-\uffef]")
#: The problem of a line with wrong quotes.
_QUOTES = (
    'the quotes (") don\'t match; write one inside a value as "", and no line break inside a value'
)

#: Letters. A file with a line that is longer is no such file.
MAX_LINE_CHARS = 100_000


@dataclass(frozen=True, kw_only=True)
class WrongCell:
    """What is wrong in a line, and what to do about it."""

    #: From 1.
    line: int
    #: As the header writes it; empty where it is about the whole line.
    column: str
    #: How the cell begins.
    text: str
    problem: str


#: What a line tells, in the order of the columns of the temporary table: its number, the user id,
#: attributes and own ones as JSON objects (null forgets), tags.
AttributeRow: TypeAlias = tuple[int, str, str, str, list[str]]


def encoding_of(file: IO[bytes]) -> Encoding:
    """UTF-8 wherever the bytes can be that, else Shift_JIS. Raises `Invalid`.

    All of them are looked at: some Japanese letters in Shift_JIS could be UTF-8 by chance. UTF-8
    with a broken letter is refused and not read as Shift_JIS, though it often could be.
    """
    file.seek(0)
    refuse_no_text(file.read(1 << 12))
    if _can_be(file, "UTF-8"):
        return "UTF-8"
    if line := _broken_line(file):
        raise Invalid(
            f"line {line} has a broken character, the rest is UTF-8; correct it, and save the file "
            "as CSV UTF-8"
        )
    if _can_be(file, "Shift_JIS"):
        return "Shift_JIS"
    raise Invalid("the file is neither UTF-8 nor Shift_JIS; save it as CSV UTF-8")


def _can_be(file: IO[bytes], encoding: Encoding) -> bool:
    file.seek(0)
    text = io.TextIOWrapper(file, CODECS[encoding], newline="")
    try:
        while text.read(1 << 16):
            pass
    except UnicodeDecodeError:
        return False
    finally:
        text.detach()
    return True


def _broken_line(file: IO[bytes]) -> int:
    """The first line that is no UTF-8, where most of what is Japanese is; 0 where it is not."""
    file.seek(0)
    text = io.TextIOWrapper(file, "utf-8-sig", errors="replace")
    line, first, broken, japanese = 1, 0, 0, 0
    try:
        while piece := text.read(1 << 16):
            if not first and "\ufffd" in piece:
                first = line + piece[: piece.index("\ufffd")].count("\n")
            line += piece.count("\n")
            broken += piece.count("\ufffd")
            japanese += len(_JAPANESE.findall(piece))
    finally:
        text.detach()
    return first if japanese >= broken else 0


def _cells(line: str, delimiter: str) -> list[str] | None:
    """The values of a line; None where its quotes are wrong."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        (cells,) = csv.reader([line], strict=True, delimiter=delimiter)
    except csv.Error:
        return None
    return cells


@dataclass
class Reader:
    """Reads a file's lines, and keeps what was wrong. No I/O but the file's."""

    #: Opened with `newline=""`.
    text: IO[str]
    #: For birthdays.
    today: date
    wrong: int = 0
    wrong_lines: list[WrongCell] = field(default_factory=list)
    #: The line that was read last, by its number and as it is written.
    _line: int = 0
    _text: str = ""

    def rows(self) -> Iterator[AttributeRow | None]:
        """What each line tells; None for a wrong one. Raises `Invalid` for what is no such file."""
        records = self._records()
        header = next(records, [])
        if header is None:
            raise Invalid(f"line {self._line}, with the names of the columns: {_QUOTES}")
        if not header:
            raise Invalid("the file is empty; begin it with a row that names the columns")
        columns = columns_of(header)
        for cells in records:
            if cells is None:
                self._report("", self._text, _QUOTES)
                self.wrong += 1
            yield self._line_of(columns, cells) if cells else None

    def _records(self) -> Iterator[list[str] | None]:
        """The cells of each line that is not blank, the header first; None for what is no CSV."""
        delimiter = ""
        while line := self.text.readline(MAX_LINE_CHARS + 1):
            self._line += 1
            if len(line) > MAX_LINE_CHARS:
                raise Invalid(
                    f"line {self._line} has over {MAX_LINE_CHARS:,} characters; this is not a CSV "
                    "of friends, and nothing was kept"
                )
            if not line.strip():
                continue
            self._text = line = line.rstrip("\r\n")
            delimiter = delimiter or max(",\t", key=line.count)
            cells = _cells(line, delimiter)
            if cells is None or any(cell.strip() for cell in cells):
                yield cells

    def _line_of(self, columns: list[Column], cells: list[str]) -> AttributeRow | None:
        """What the line tells; None where a cell of it is wrong."""
        attributes: dict[str, Any] = {}
        own: dict[str, Any] = {}
        is_wrong = False
        # Spreadsheets leave out empty cells at the end of a line.
        for column, cell in zip_longest(columns, cells):
            text = (cell or "").strip()
            if not text and (column is None or column.name != "friend"):
                continue
            try:
                if column is None or not column.name:
                    raise ValueError("no column of the header is above it; name it or take it out")
                forgets = text == FORGET and column.name not in ("friend", "tags")
                value = None if forgets else value_of(column.name, text, self.today)
                (own if column.is_own else attributes)[column.name] = value
            except ValueError as error:
                is_wrong = True
                self._report(column.header if column else "", text, str(error))
        if is_wrong:
            self.wrong += 1
            return None
        friend, tags = attributes.pop("friend"), attributes.pop("tags", [])
        return self._line, friend, json.dumps(attributes), json.dumps(own), tags

    def _report(self, column: str, text: str, problem: str) -> None:
        if len(self.wrong_lines) < MAX_REPORTED_LINES:
            cell = WrongCell(line=self._line, column=column, text=text[:60], problem=problem)
            self.wrong_lines.append(cell)
