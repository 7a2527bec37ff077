"""Reading lists of user ids, however a spreadsheet writes them."""

from __future__ import annotations

import pytest

from tobiishi.errors import Invalid
from tobiishi.uploads import IdReader

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
        "\ufeffユーザーID\r\n".encode() + A + b"\r\n" + B,
        b'"' + A + b'"\n"' + B + b'"\n',
        b"id,name\n" + A + ",花子\n".encode() + B + ',"太郎, 次郎"\n'.encode(),
        b"id\tname\n" + A + b"\tx\n" + B + b"\ty\n",
        b"id;name\n" + A + b";x\n" + B + b";y\n",
        b"\n\n" + A + b"\n\n" + B + b"\n   \n",
        b"  " + A + b"  \n " + B,
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_ids_are_found_however_they_are_written(data: bytes, piece: int) -> None:
    found, reader = read(data, piece=piece)
    assert found == [A, B]
    assert (reader.ids, reader.wrong) == (2, 0)


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
    ],
)
def test_wrong_lines_are_told_by_their_number(data: bytes, lines: list[int]) -> None:
    _, reader = read(data)
    assert [wrong.line for wrong in reader.wrong_lines] == lines
    assert reader.wrong == len(lines)


def test_a_thousand_wrong_lines_are_told_and_all_are_counted() -> None:
    _, reader = read(b"id\n" + b"x\n" * 1500, piece=4096)
    assert (reader.wrong, len(reader.wrong_lines)) == (1500, 1000)


def test_a_file_that_is_no_list_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(Invalid, match="line 1 is no line"):
        read(b"\0" * 50_000, piece=4096)
