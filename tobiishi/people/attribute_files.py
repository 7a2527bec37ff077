"""Attributes and tags of many friends, told by a CSV as spreadsheets save it.

A header row names the columns, each line tells something of one friend. The bytes are UTF-8, or
Shift_JIS as Excel in Japan saves; columns are separated by commas or tabs. An empty cell leaves
what is known, `-` forgets it. No cell goes on in the next line, so that a quote too many spoils its
own line only. Wrong cells are told by line and column, and the upload's own rule says whether the
good lines are kept all the same or nothing is.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import unicodedata
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice, zip_longest
from typing import IO, Any, Literal, TypeAlias

import asyncpg

from tobiishi.database import Connection, Database, all_rows, queries
from tobiishi.errors import Invalid
from tobiishi.people import audiences, friends
from tobiishi.people.member_lists import MOST_TOLD, OnWrong, refuse_no_text

_sql = queries("attributes")

Encoding = Literal["UTF-8", "Shift_JIS"]
#: Shift_JIS as Windows has it.
_CODECS: dict[Encoding, str] = {"UTF-8": "utf-8-sig", "Shift_JIS": "cp932"}

#: How a header may name the columns that are known; small and large letters are the same.
COLUMNS = {
    "friend": ("friend", "user_id", "userid", "ユーザーid"),
    "gender": ("gender", "性別"),
    "birthday": ("birthday", "誕生日"),
    "age": ("age", "年齢"),
    "region": ("region", "地域"),
    "os": ("os",),
    "language": ("language", "言語"),
    "tags": ("tags", "タグ"),
}
_NAMES = {said: name for name, many in COLUMNS.items() for said in many}
_GENDERS = {"男性": "male", "男": "male", "女性": "female", "女": "female", "その他": "other"}
_OTHERS = {"その他": "other"}
#: An attribute of the shop's own, as `tobiishi.scenario.parts.FieldName`.
_OWN = re.compile(r"[a-z][a-z0-9_]{0,31}")
#: LINE's user ids: https://developers.line.biz/en/docs/messaging-api/getting-user-ids/
ID = re.compile(r"U[0-9a-f]{32}")
_DATE = re.compile(r"([0-9]{4})[-/年]([0-9]{1,2})[-/月]([0-9]{1,2})日?")
_LANGUAGE = re.compile(friends.LANGUAGE)
#: Those that people take commas and tabs for; the last two are full-width.
_OTHER_SEPARATORS = re.compile("[;|\uff0c\u3001]")
#: Control characters, among them line breaks, and what broken letters became.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd]")
_JAPANESE = re.compile("[\u3000-\u9fff\uff00-\uffef]")
#: The second is the full-width one.
_SEMICOLONS = re.compile("[;\uff1b]")

#: What a line with wrong quotes is told.
_QUOTES = (
    'the quotes (") don\'t match; write one inside a value as "", and no line break inside a value'
)

#: In a cell: forget what is known.
FORGET = "-"
#: Own attributes of one file, tags of one line; as the API takes them.
MOST_OWN, MOST_TAGS = 50, 100
#: Letters. A region, a tag and an own attribute's value are no longer.
LONGEST_REGION, LONGEST_TAG, LONGEST_OWN = 64, 64, 200
#: Letters. A file with a line that is longer is no such file.
LONGEST_LINE = 100_000
#: Lines that are read in one go, before anybody else gets their turn; friends of one statement.
_TOGETHER, _PAGE = 500, 10_000
#: How often it is tried, where others hold the same friends in another order.
_TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the file."""

    #: As the header writes it.
    header: str
    #: One of `COLUMNS`, or an attribute of the shop's own; `""` where the header is empty.
    name: str

    @property
    def is_own(self) -> bool:
        return self.name not in COLUMNS


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
Told: TypeAlias = tuple[int, str, str, str, list[str]]


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What an upload came to."""

    #: Of how many friends something was told.
    friends: int
    #: Those of them whom nobody had met.
    met: int
    #: Lines that were not kept.
    wrong: int
    #: The first of their wrong cells.
    wrong_lines: list[WrongCell]
    #: What the bytes were read as.
    encoding: Encoding


class WrongLines(Invalid):
    """The file has wrong lines, and nothing of it was kept."""

    def __init__(self, reader: Reader, encoding: Encoding) -> None:
        told = [
            f"line {cell.line}{cell.column and f', {cell.column}'}: {cell.problem}"
            for cell in reader.wrong_lines[:10]
        ]
        super().__init__(
            f"wrong lines: {reader.wrong}; nothing was kept (read as {encoding}); correct them, or "
            "upload with on_wrong=keep_good\n" + "\n".join(told)
        )
        self.wrong = reader.wrong
        self.wrong_lines = reader.wrong_lines
        self.encoding = encoding


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
    text = io.TextIOWrapper(file, _CODECS[encoding], newline="")
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


def columns_of(header: list[str]) -> list[Column]:
    """The columns that a header row names. Raises `Invalid`."""
    if any(ID.fullmatch(cell.strip()) for cell in header):
        raise Invalid(
            "the first row tells of a friend already; put one above it that names the columns, "
            "such as friend,gender,tags"
        )
    if len(header) == 1 and (separator := _OTHER_SEPARATORS.search(header[0])):
        raise Invalid(
            f"the columns are separated by {separator[0]!r}; save the file with commas (CSV UTF-8) "
            "or tabs"
        )
    columns = [_column(cell.strip()) for cell in header]
    known: dict[str, Column] = {}
    for column in columns:
        if column.name and column.name in known:
            raise Invalid(
                f"columns {known[column.name].header!r} and {column.header!r} are the same one; "
                "take one out"
            )
        known[column.name] = column
    if "friend" not in known:
        raise Invalid("no column is named friend; name the one with LINE's user ids so")
    if (count := sum(column.is_own for column in columns if column.name)) > MOST_OWN:
        raise Invalid(f"{count} columns are own attributes; {MOST_OWN} at most: take some out")
    return columns


def _column(header: str) -> Column:
    plain = unicodedata.normalize("NFKC", header).strip().strip("\ufeff")
    name = _NAMES.get(plain.lower(), plain)
    if name and name not in COLUMNS and not _OWN.fullmatch(name):
        raise Invalid(
            f"column {header[:60]!r} is not known; name it one of {', '.join(COLUMNS)}, or name "
            "an attribute of your own in lower-case letters, digits and _ (such as rank), "
            "or take it out"
        )
    return Column(header=header, name=name)


def value_of(name: str, text: str, today: date) -> str | int | list[str]:
    """What a cell of that column says. Raises `ValueError` with the problem and its fix."""
    if unwanted := _UNWANTED.search(text):
        raise ValueError(_problem_with(unwanted[0]))
    plain = unicodedata.normalize("NFKC", text).strip()
    match name:
        case "friend":
            if not ID.fullmatch(text):
                raise ValueError("is not a LINE user id; write U and 32 of 0-9, a-f")
            return text
        case "gender":
            return _one_of(("male", "female", "other"), plain, _GENDERS)
        case "os":
            return _one_of(("ios", "android", "other"), plain, _OTHERS)
        case "birthday":
            return _birthday(plain, today)
        case "age":
            if not re.fullmatch("[0-9]{1,3}", plain) or int(plain) > 150:
                raise ValueError("is not an age; write whole years, 0 to 150")
            return int(plain)
        case "region":
            return _no_longer(text, LONGEST_REGION)
        case "language":
            if not _LANGUAGE.fullmatch(plain):
                raise ValueError("is not a BCP 47 language; write it as ja, en or zh-Hant")
            return plain
        case "tags":
            return _tags(text)
    return _no_longer(text, LONGEST_OWN)


def _problem_with(character: str) -> str:
    if character == "\ufffd":
        return f"has lost a character ({character}); write it again, and save the file as CSV UTF-8"
    names = {"\n": "a line break", "\r": "a line break", "\t": "a tab"}
    name = names.get(character, f"a control character (U+{ord(character):04X})")
    return f"holds {name}; take it out"


def _one_of(values: tuple[str, ...], text: str, others: dict[str, str]) -> str:
    value = others.get(text, text.lower())
    if value not in values:
        raise ValueError(f"is none of {', '.join(values)}, {', '.join(others)}; write one of them")
    return value


def _birthday(text: str, today: date) -> str:
    found = _DATE.fullmatch(text)
    try:
        birthday = date(*map(int, found.groups())) if found else None
    except ValueError:
        birthday = None
    if birthday is None:
        raise ValueError("is not a date; write it as 2001-02-03 or 2001/2/3")
    if birthday > today:
        raise ValueError("is in the future; correct it")
    return birthday.isoformat()


def _tags(text: str) -> list[str]:
    tags = list(dict.fromkeys(tag.strip() for tag in _SEMICOLONS.split(text) if tag.strip()))
    if FORGET in tags:
        raise ValueError("tags are only added; leave it empty, and take a tag off by itself")
    if len(tags) > MOST_TAGS:
        raise ValueError(f"has {len(tags)} tags; {MOST_TAGS} at most in one line")
    for tag in tags:
        _no_longer(tag, LONGEST_TAG)
    return tags


def _no_longer(text: str, longest: int) -> str:
    if len(text) > longest:
        raise ValueError(f"has {len(text)} characters; shorten it to {longest}")
    return text


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

    def told(self) -> Iterator[Told | None]:
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
                self._tell("", self._text, _QUOTES)
                self.wrong += 1
            yield self._line_of(columns, cells) if cells else None

    def _records(self) -> Iterator[list[str] | None]:
        """The cells of each line that is not blank, the header first; None for what is no CSV."""
        delimiter = ""
        while line := self.text.readline(LONGEST_LINE + 1):
            self._line += 1
            if len(line) > LONGEST_LINE:
                raise Invalid(
                    f"line {self._line} has over {LONGEST_LINE:,} characters; this is not a CSV of "
                    "friends, and nothing was kept"
                )
            if not line.strip():
                continue
            self._text = line = line.rstrip("\r\n")
            delimiter = delimiter or max(",\t", key=line.count)
            cells = _cells(line, delimiter)
            if cells is None or any(cell.strip() for cell in cells):
                yield cells

    def _line_of(self, columns: list[Column], cells: list[str]) -> Told | None:
        """What the line tells; None where a cell of it is wrong."""
        said: dict[str, Any] = {}
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
                (own if column.is_own else said)[column.name] = value
            except ValueError as error:
                is_wrong = True
                self._tell(column.header if column else "", text, str(error))
        if is_wrong:
            self.wrong += 1
            return None
        friend, tags = said.pop("friend"), said.pop("tags", [])
        return self._line, friend, json.dumps(said), json.dumps(own), tags

    def _tell(self, column: str, text: str, problem: str) -> None:
        if len(self.wrong_lines) < MOST_TOLD:
            cell = WrongCell(line=self._line, column=column, text=text[:60], problem=problem)
            self.wrong_lines.append(cell)


async def upload(
    database: Database,
    channel: str,
    file: IO[bytes],
    *,
    on_wrong: OnWrong,
    today: date,
    at: datetime,
) -> Upload:
    """Keep what a file tells, all of it or nothing. It is read from its beginning.

    Raises `Invalid` for what is no such file; `WrongLines` where there are some and nothing is to
    be kept then.
    """
    encoding = await asyncio.to_thread(encoding_of, file)
    tries = _TRIES
    while True:
        tries -= 1
        file.seek(0)
        text = io.TextIOWrapper(file, _CODECS[encoding], newline="")
        reader = Reader(text=text, today=today)
        try:
            async with database.long_transaction() as connection:
                await _copy(connection, reader)
                if reader.wrong and on_wrong == "keep_nothing":
                    raise WrongLines(reader, encoding)
                met = await _keep(connection, channel, at=at)
                told: int = await _sql.count_friends(connection)
            return Upload(
                friends=told,
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
    """Bring the good lines into a temporary table: nothing that others may want is held yet."""
    await _sql.make_room(connection)
    await connection.copy_records_to_table(
        "told",
        records=_in_turns(reader.told()),
        columns=["line", "friend", "attributes", "fields", "tags"],
    )


async def _in_turns(told: Iterator[Told | None]) -> AsyncIterator[Told]:
    while some := list(islice(told, _TOGETHER)):
        for each in some:
            if each is not None:
                yield each
        await asyncio.sleep(0)


async def _keep(connection: Connection, channel: str, *, at: datetime) -> int:
    """Do for the whole table what `tobiishi.people.friends` does for one; how many are new."""
    await _sql.split_tags(connection)
    await _sql.merge_lines(connection)
    met: int = await _sql.meet_and_hold(connection, channel=channel, at=friends.LONG_AGO)
    full = await _sql.change_attributes(connection, channel=channel, most_own=MOST_OWN)
    if full is not None:
        raise Invalid(
            f"friend {full!r} would have over {MOST_OWN} own attributes; forget some with "
            f"{FORGET!r} first. Nothing was kept"
        )
    await _sql.tag(connection, channel=channel, at=at)
    await _join(connection, channel, at=at)
    async for page in _pages(connection):
        await audiences.reconsider(connection, channel, page, at=at)
    return met


async def _join(connection: Connection, channel: str, *, at: datetime) -> None:
    """Have the tagged join the audiences of their tags.

    Where nobody watches one no change is told: a hundred thousand would keep the relay from others.
    """
    # Rows come before definitions: see the head of tobiishi/sql/audiences.sql. One that is not
    # held, as it is being defined or watched, tells.
    held = await all_rows(_sql.hold_audiences_of_tags(connection, channel=channel))
    unwatched = {row["audience"] for row in held if not row["watched"]}
    await audiences.rely_on_definitions(connection, channel)
    for row in await all_rows(_sql.audiences_of_tags(connection, channel=channel)):
        name, tag = row["audience"], row["tag"]
        await _sql.join_tagged(
            connection, channel=channel, audience=name, tag=tag, at=at, tells=name not in unwatched
        )


async def _pages(connection: Connection) -> AsyncIterator[list[str]]:
    """The friends who are known anew, some at a time, in the order of their ids."""
    after = ""
    while True:
        rows = await all_rows(_sql.known_anew(connection, after=after, limit=_PAGE))
        if not rows:
            return
        yield [row["friend"] for row in rows]
        after = rows[-1]["friend"]
