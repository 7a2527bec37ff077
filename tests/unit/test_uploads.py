"""Reading lists of user ids, however a spreadsheet writes them."""

from __future__ import annotations

import pytest

from tobiishi.errors import Invalid
from tobiishi.people.member_lists import IdReader

A, B = b"U" + b"a" * 32, b"U" + b"b" * 32


def read(data: bytes, *, piece: int = 7) -> tuple[list[bytes], IdReader]:
    """The ids of a file that comes in pieces of so many bytes."""
    reader = IdReader()
    found = []
    for start in range(0, len(data), piece):
        found += reader.feed(data[start : start + piece])
    return found + reader.end(), reader


@pytest.mark.parametrize(
    "data",
    [
        A + b"\n" + B + b"\n",
        A + b"\n" + B,
        A + b"\r\n" + B + b"\r\n",
        b"\xef\xbb\xbf" + A + b"\n" + B,
        b"userId\n" + A + b"\n" + B,
        A + b"\r" + B + b"\r",
        b"userId\r" + A + b"\r" + B,
        "\ufeffユーザーID\r\n".encode() + A + b"\r\n" + B,
        "ユーザーID,名前\r\n".encode("cp932") + A + ",花子\r\n".encode("cp932") + B + b",\r\n",
        A + b",,,\n" + B + b",,,\n",
        b'"' + A + b'"\n"' + B + b'"\n',
        b"id,name\n" + A + ",花子\n".encode() + B + ',"太郎, 次郎"\n'.encode(),
        b"id\tname\n" + A + b"\tx\n" + B + b"\ty\n",
        b"id;name\n" + A + b";x\n" + B + b";y\n",
        b"\n\n" + A + b"\n\n" + B + b"\n   \n",
        b"  " + A + b"  \n " + B,
        # What is invisible around an id, or put there by a spreadsheet or a word processor.
        "\u200b".encode() + A + b"\n" + B,
        "\ufeff\ufeff".encode() + A + b"\n" + B + "\u00a0".encode(),
        b"'" + A + b"\n'" + B,
        "\u2018".encode() + A + "\u2019\n\u3000".encode() + B,
        b"\x81\x40" + A + b"\n" + B + ",花子".encode("cp932"),
        b"'" + A + b"',x\n" + B + b",y",
        # Nothing but ids in a line.
        A + b"," + B,
        A + b"\t" + B + b"\t\n",
        b"userId\n" + A + b"; " + B,
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_ids_are_found_however_they_are_written(data: bytes, piece: int) -> None:
    found, reader = read(data, piece=piece)
    assert found == [A, B]
    assert (reader.ids, reader.wrong) == (2, 0)


def test_a_line_of_blanks_takes_no_longer_than_others() -> None:
    """One search took the cube of its length, in which nothing else had its turn."""
    line = b" " * 9_000 + b'"' + b" " * 900 + b'"x'
    found, reader = read(A + b"\n" + line + b"\n" + B + b"\n", piece=20_000)
    assert found == [A, B]
    assert [wrong.line for wrong in reader.wrong_lines] == [2]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (A + b"\nhanako\n" + B, [2]),
        (A + b"\n" + B[:-1] + b"\n", [2]),
        (A + b"\n" + B.upper() + b"\n", [2]),
        (B[:-1] + b"\n" + A, [1]),  # A wrong id in the first line is no header.
        (b"id\n" + A + b"\nx\ny\n" + B, [3, 4]),
        (A + B + b"\n", [1]),  # Two ids in one line.
        (A + b"\n\xff\xfe\n", [2]),
        (A + b"\n,\n" + b"name," + B, [3]),  # The ids are in the first column.
        (A + b"\r\n\r\nx\r\n" + B + b"\r\ny", [3, 5]),
        (A + b"\rx\r" + B + b"\ry", [2, 4]),
        (A + b',"a\nb"\n' + B + b"\n", [2]),  # A line break inside a value.
        # Several ids in a line, of which the others may be somebody else's.
        (A + ",花子,".encode() + B, [1]),
        (b"id,invited by\n" + A + b"," + B + b"\n" + B, [2]),
        # Damaged ids in the first line are no header.
        (b"U" + b"a" * 8 + "\u200b".encode() + b"a" * 24 + b"\n" + B, [1]),
        ("Ｕ４af４980６29".encode() + b"\n" + B, [1]),
        (b"#" + A + b"\n" + B, [1]),
        (b"C" + b"a" * 32 + b"\n" + B, [1]),
        ("花子,".encode() + A + b"\n" + B, [1]),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_wrong_lines_are_told_by_their_number(data: bytes, lines: list[int], piece: int) -> None:
    _, reader = read(data, piece=piece)
    assert [wrong.line for wrong in reader.wrong_lines] == lines
    assert reader.wrong == len(lines)


def test_a_thousand_wrong_lines_are_told_and_all_are_counted() -> None:
    _, reader = read(b"id\n" + b"x\n" * 1500, piece=4096)
    assert (reader.wrong, len(reader.wrong_lines)) == (1500, 1000)


def test_the_header_is_told() -> None:
    assert read("ユーザーID,名前\n".encode())[1].header == "ユーザーID,名前"
    assert read("ユーザーID,名前\n".encode("cp932"))[1].header == "ユーザーID,名前"
    assert read(A)[1].header == ""


def test_wrong_lines_are_told_in_the_letters_of_the_file() -> None:
    _, reader = read(b"id\n" + "花子\n".encode("cp932") + "太郎\n".encode())
    assert [wrong.text for wrong in reader.wrong_lines] == ["花子", "太郎"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\r\n \r\n", "is empty"),
        (A.decode().encode("utf-16"), "UTF-16"),
        (A.decode().encode("utf-16-be"), "UTF-16"),
        (b"PK\x03\x04", "an Excel workbook; save it as CSV UTF-8"),
        (b"\0" * 50_000, "no text at all"),
        (b"x" * 50_000, "line 1 is not a line of a list"),
        (A + b"\r\n" + b"x" * 50_000, "line 2 is not a line of a list"),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 4096])
def test_a_file_that_is_no_list_is_refused_before_it_fills_the_memory(
    data: bytes, problem: str, piece: int
) -> None:
    with pytest.raises(Invalid, match=problem):
        read(data, piece=piece)


def test_invisible_characters_of_a_wrong_line_are_named() -> None:
    _, reader = read(A + "\n\u200bhanako\u00a0\n".encode())
    [wrong] = reader.wrong_lines
    assert wrong.text == "⟨zero width space⟩hanako⟨no-break space⟩"
    assert wrong.problem == "holds no LINE user id (U and 32 of 0-9, a-f)"


def test_it_is_named_what_is_wrong_with_several_ids_in_a_line() -> None:
    _, reader = read(A + ",花子,".encode() + B)
    assert reader.wrong_lines[0].problem.startswith("holds several ids and other columns")
