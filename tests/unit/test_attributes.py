"""Reading what a CSV tells of friends, however a spreadsheet writes it."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import pytest

from tobiishi.errors import Invalid
from tobiishi.people.attribute_columns import columns_of, value_of
from tobiishi.people.attribute_reader import MAX_LINE_CHARS, Reader, encoding_of

A, B = "U" + "a" * 32, "U" + "b" * 32
TODAY = date(2026, 11, 23)


def read(text: str) -> tuple[list[tuple[Any, ...]], Reader]:
    reader = Reader(text=io.StringIO(text, newline=""), today=TODAY)
    lines = [
        (line, friend, json.loads(attributes), json.loads(fields), tags)
        for line, friend, attributes, fields, tags in filter(None, reader.rows())
    ]
    return lines, reader


def problems(text: str) -> list[tuple[int, str, str]]:
    _, reader = read(text)
    return [(cell.line, cell.column, cell.problem) for cell in reader.wrong_lines]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("friend", "friend"),
        ("user_id", "friend"),
        ("userId", "friend"),
        ("ユーザーID", "friend"),
        ("ユーザー\uff29\uff24", "friend"),  # Full-width.
        ("性別", "gender"),
        ("Gender", "gender"),
        ("誕生日", "birthday"),
        ("年齢", "age"),
        ("地域", "region"),
        ("OS", "os"),
        ("言語", "language"),
        ("タグ", "tags"),
        (" tags ", "tags"),
        ("\ufefftags", "tags"),  # Two byte order marks.
        ("rank", "rank"),
        ("a" * 32, "a" * 32),
        ("", ""),
    ],
)
def test_a_header_names_a_column(header: str, name: str) -> None:
    *_, column = columns_of(["friend", header]) if name != "friend" else columns_of([header])
    assert column.name == name


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (["friend", "ランク"], "column 'ランク' is not known; name it one of friend, gender"),
        (["friend", "Rank"], "column 'Rank'"),
        (["friend", "ランク", "age", "Rank"], "columns 'ランク', 'Rank' are not known; name each"),
        (["friend", "a" * 33], "is not known"),
        (["friend", "2nd"], "is not known"),
        (["friend;gender"], "separated by ';'; save the file with commas"),
        (["friend|gender"], "separated by '|'".replace("|", r"\|")),
        (["friend\uff0cgender"], "separated by '\uff0c'"),
        (["gender"], "no column is named friend"),
        ([A], "tells of a friend already; put one above it"),
        ([f" {A} ", "女"], "tells of a friend already"),
        (["花子", A], "tells of a friend already"),
        (["friend", "gender", "性別"], "columns 'gender' and '性別' are the same one"),
        (["friend", "user_id"], "are the same one"),
        (["friend", "rank", "rank"], "are the same one"),
        (["friend", *(f"own{number}" for number in range(51))], "51 columns are own attributes"),
    ],
)
def test_a_wrong_header_is_refused_with_the_fix(header: list[str], problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        columns_of(header)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("friend", A, A),
        ("gender", "male", "male"),
        ("gender", "Female", "female"),
        ("gender", "男性", "male"),
        ("gender", "女", "female"),
        ("gender", "その他", "other"),
        ("birthday", "2001-02-03", "2001-02-03"),
        ("birthday", "2001/2/3", "2001-02-03"),
        ("birthday", "2001年2月3日", "2001-02-03"),
        ("birthday", "\uff12\uff10\uff10\uff11\uff0f\uff12\uff0f\uff13", "2001-02-03"),
        ("birthday", "2026-11-23", "2026-11-23"),
        ("age", "0", 0),
        ("age", "150", 150),
        ("age", "\uff12\uff10", 20),
        ("region", "東京都", "東京都"),
        ("region", "Paris", "Paris"),
        ("region", "x" * 64, "x" * 64),
        ("os", "iOS", "ios"),
        ("os", "Android", "android"),
        ("os", "その他", "other"),
        ("language", "ja", "ja"),
        ("language", "zh-Hant-TW", "zh-Hant-TW"),
        ("tags", "vip", ["vip"]),
        ("tags", "vip; 新規 ;;vip", ["vip", "新規"]),
        ("tags", "vip\uff1b新規", ["vip", "新規"]),
        ("rank", "ゴールド", "ゴールド"),
        ("rank", "a,b", "a,b"),
        ("rank", "x" * 200, "x" * 200),
    ],
)
def test_a_cell_is_read(name: str, text: str, value: object) -> None:
    assert value_of(name, text, TODAY) == value


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("friend", A[:-1], "U and 32"),
        ("friend", A.upper(), "U and 32"),
        ("friend", "hanako", "U and 32"),
        ("friend", "-", "U and 32"),
        ("gender", "f", "write one of them"),
        ("birthday", "2001-02-29", "is not a date"),
        ("birthday", "3.2.2001", "is not a date"),
        ("birthday", "2001-02-03 00:00", "is not a date"),
        ("birthday", "36925", "is not a date"),
        ("birthday", "2026-11-24", "in the future"),
        ("age", "151", "0 to 150"),
        ("age", "-1", "0 to 150"),
        ("age", "20.5", "0 to 150"),
        ("age", "1e2", "0 to 150"),
        ("age", "9" * 5000, "0 to 150"),
        ("region", "x" * 65, "shorten it to 64"),
        ("os", "windows", "write one of them"),
        ("language", "日本語", "write it as ja"),
        ("language", "ja_JP", "write it as ja"),
        ("tags", "-", "only added"),
        ("tags", "x" * 65, "shorten it to 64"),
        ("tags", ";".join(map(str, range(101))), "100 at most"),
        ("rank", "x" * 201, "shorten it to 200"),
        ("friend", A + "\0", r"a control character \(U\+0000\)"),
        ("region", "東京\x1b$B", r"a control character \(U\+001B\)"),
        ("tags", "vip\x85;x", r"U\+0085"),
        ("rank", "a\nb", "a line break; take it out"),
        ("rank", "a\u2028b", r"U\+2028"),
        ("rank", "a\tb", "a tab; take it out"),
        ("rank", "\ufffd", "has lost a character"),
        ("tags", "来\ufffdあり", "write it again, and save the file as CSV UTF-8"),
    ],
)
def test_a_wrong_cell_is_told_with_the_fix(name: str, text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        value_of(name, text, TODAY)


@pytest.mark.parametrize(
    "text",
    [
        f"friend,gender,rank\n{A},男,gold\n{B},,-\n",
        f"friend,gender,rank\n{A},男,gold\n{B},,-",
        f"friend,gender,rank\r\n{A},男,gold\r\n{B},,-\r\n",
        f"friend,gender,rank\r{A},男,gold\r{B},,-\r",
        f"friend\tgender\trank\n{A}\t男\tgold\n{B}\t\t-\n",
        f'"friend","gender","rank"\n"{A}","男","gold"\n"{B}","","-"\n',
        f" friend , gender , rank \n {A} , 男 , gold \n {B} , , - \n",
        f"friend,gender,rank,,\n{A},男,gold,,\n{B},,-,,\n",
        f"\n\nfriend,gender,rank\n\n{A},男,gold\n,,\n{B},,-\n\n",
    ],
)
def test_lines_are_read_however_they_are_written(text: str) -> None:
    lines, reader = read(text)
    assert [line[1:] for line in lines] == [
        (A, {"gender": "male"}, {"rank": "gold"}, []),
        (B, {}, {"rank": None}, []),
    ]
    assert (reader.wrong, reader.wrong_lines) == (0, [])


def test_a_quoted_value_holds_commas_and_quotes() -> None:
    lines, _ = read(f'friend,memo,tags\n{A},"a, ""b""",x\n{B},d,"y;z"\n')
    assert lines == [
        (2, A, {}, {"memo": 'a, "b"'}, ["x"]),
        (3, B, {}, {"memo": "d"}, ["y", "z"]),
    ]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (f'{A},"a,x', [2]),  # A quote too many: the lines after it are read all the same.
        (f'{A},"a"b,x', [2]),
        (f'"{A}"x,a,x', [2]),
        (f'{A},"a\nb",x', [2, 3]),  # A line break inside a value, which is not closed either.
        (f'{A},"a\r\n\r\nb",x', [2, 4]),
        ('"', [2]),
    ],
)
def test_wrong_quotes_spoil_their_own_line_only(line: str, wrong: list[int]) -> None:
    lines, reader = read(f"friend,memo,tags\n{line}\n{B},d,y\n{A},e,z\n")
    assert [told[1:] for told in lines] == [
        (B, {}, {"memo": "d"}, ["y"]),
        (A, {}, {"memo": "e"}, ["z"]),
    ]
    assert [cell.line for cell in reader.wrong_lines] == wrong
    assert "no line break inside a value" in reader.wrong_lines[0].problem
    assert reader.wrong_lines[0].text == line.splitlines()[0][:60]


@pytest.mark.parametrize(
    "text", [f"friend,tags\n{A},x\n", f"friend\ttags\n{A}\tx\n", f"friend,tags,\t\n{A},x\n"]
)
def test_columns_are_separated_as_the_header_separates_them(text: str) -> None:
    assert [told[1:] for told in read(text)[0]] == [(A, {}, {}, ["x"])]


def test_a_line_may_end_early() -> None:
    assert read(f"friend,gender,rank\n{A}\n{B},女\n")[0] == [
        (2, A, {}, {}, []),
        (3, B, {"gender": "female"}, {}, []),
    ]


def test_dash_forgets_whatever_it_is() -> None:
    header = "friend,gender,birthday,age,region,os,language,rank"
    (line,), _ = read(f"{header}\n{A},-,-,-,-,-,-,-\n")
    names = ["gender", "birthday", "age", "region", "os", "language"]
    assert line == (2, A, dict.fromkeys(names), {"rank": None}, [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"friend,age\n{A},x\n{B},20\n", [(2, "age", "is not an age")]),
        (f"ユーザーID,年齢\n{A},20\n\n{B},x\n", [(4, "年齢", "is not an age")]),
        ("friend,age\nhanako,x\n", [(2, "friend", "is not a LINE"), (2, "age", "is not an age")]),
        ("friend,age\n,20\n", [(2, "friend", "is not a LINE user id")]),
        (f"friend\n{A},20\n", [(2, "", "no column of the header")]),
        (f"friend,,age\n{A},x,20\n", [(2, "", "no column of the header")]),
        (f'friend,memo\n{A},"a"c\n{B},d\n', [(2, "", "the quotes")]),
        (f"friend,age\n{A};20\n", [(2, "friend", "is not a LINE")]),
        (f"friend,memo,age\n{A},a\x07b,x\n", [(2, "memo", "U+0007"), (2, "age", "is not an age")]),
    ],
)
def test_wrong_lines_are_told(text: str, told: list[tuple[int, str, str]]) -> None:
    found = problems(text)
    assert [each[:2] for each in found] == [each[:2] for each in told]
    for (*_, problem), (*_, part) in zip(found, told, strict=True):
        assert part in problem
    assert read(text)[1].wrong == len({line for line, *_ in told})


def test_a_wrong_line_tells_nothing_and_the_others_do() -> None:
    lines, reader = read(f'friend,age\n{A},x\n{A}"",1\n"{A}"x,1\n{B},20\n')
    assert [line[:2] for line in lines] == [(5, B)]
    assert (reader.wrong, [cell.line for cell in reader.wrong_lines]) == (3, [2, 3, 4])
    assert reader.wrong_lines[0].text == "x"


def test_a_thousand_wrong_cells_are_told_and_all_lines_are_counted() -> None:
    _, reader = read("friend\n" + "x\n" * 1500)
    assert (reader.wrong, len(reader.wrong_lines)) == (1500, 1000)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("\n \r\n\n", "is empty"),
        (f'\nfriend,"memo\n\n{A},ok\n', "line 2, with the names of the columns: the quotes"),
        (f"friend,memo\n{A},ok\n{B}," + "x" * MAX_LINE_CHARS, "line 3 has over 100,000 characters"),
        ("friend" + "," * MAX_LINE_CHARS, "line 1 has over 100,000 characters"),
        ("\n" + "x" * 2 * MAX_LINE_CHARS, "line 2 has over 100,000 characters"),
    ],
)
def test_what_is_no_such_file_is_refused(text: str, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        read(text)


TEXT = f"ユーザーID,地域\n{A},東京都\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"friend\n", "UTF-8"),
        (TEXT.encode(), "UTF-8"),
        (b"\xef\xbb\xbf" + TEXT.encode(), "UTF-8"),
        (TEXT.encode("cp932"), "Shift_JIS"),
        ("friend,memo\nx,①髙\n".encode("cp932"), "Shift_JIS"),  # Only Windows has these two.
        # What comes first could be UTF-8.
        (b"memo\n" + "ﾃｽ".encode("cp932") + b"x" * 100_000 + "東".encode("cp932"), "Shift_JIS"),
        ("friend,memo\nx,ﾃｽ\ny,ﾀｶﾊｼ ﾊﾅｺ\n".encode("cp932"), "Shift_JIS"),
        ("friend,memo\nx,熙凜堯\n".encode("cp932"), "Shift_JIS"),
    ],
)
def test_the_encoding_is_found(data: bytes, encoding: str) -> None:
    assert encoding_of(io.BytesIO(data)) == encoding


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (TEXT.encode("utf-16"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (b"\x81\xff\n", "neither UTF-8 nor Shift_JIS"),
        (b"PK\x03\x04\x14\x00", "an Excel workbook; save it as CSV UTF-8"),
        # It could be Shift_JIS, but what is Japanese would become other letters.
        ("friend,memo\nx,東京都\n".encode() + b"y,\xb1\n", "line 3 has a broken character"),
        (b"\xef\xbb\xbf" + TEXT.encode() + b"\x81", "line 3 has a broken character"),
        (TEXT.encode()[:-2], "line 2 has a broken character"),
    ],
)
def test_another_encoding_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        encoding_of(io.BytesIO(data))


@pytest.mark.parametrize("written", ["\u200b{}", "{}\u00a0", "'{}", "\ufeff{}", "\u2018{}\u2019"])
def test_what_is_invisible_around_an_id_is_taken_off(written: str) -> None:
    lines, reader = read(f"\u200bfriend\u00a0,age\n{written.format(A)},1\n")
    assert [line[1] for line in lines] == [A]
    assert reader.wrong == 0
