"""Characters that nobody sees are named."""

from __future__ import annotations

from datetime import date

import pytest

from tobiishi.cli.people import friend_id
from tobiishi.cli.server import Failed
from tobiishi.line import Detail, Refused
from tobiishi.odd_characters import odd_character, shown
from tobiishi.people.attribute_columns import value_of
from tobiishi.people.member_lists import IdReader
from tobiishi.publishing.validation import _refusals

HANAKO = "U" + "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("text", "odd", "seen"),
    [
        ("花子 A", None, "花子 A"),
        ("a\u00a0", "a no-break space (U+00A0)", "a⟨no-break space⟩"),
        ("\u200ba", "a zero width space (U+200B)", "⟨zero width space⟩a"),
        ("\ufeffa", "a zero width no-break space (U+FEFF)", "⟨zero width no-break space⟩a"),
        ("a\t", "a tab (U+0009)", "a⟨tab⟩"),
        ("a\u3000", "an ideographic space (U+3000)", "a⟨ideographic space⟩"),
        ("a ", "a blank (U+0020)", "a "),
        ("a\x1b", "a control character 001B (U+001B)", "a⟨control character 001B⟩"),
    ],
)
def test_what_nobody_sees_is_named(text: str, odd: str | None, seen: str) -> None:
    assert odd_character(text) == odd
    assert shown(text) == seen


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{HANAKO}\u00a0", r"it holds a no-break space \(U\+00A0\): take it out$"),
        ("U12345", "; write U and 32 of 0-9, a-f$"),
        ("  ", "is not a LINE user id"),
    ],
)
def test_an_id_that_is_nearly_one_is_told_of_it(text: str, says: str) -> None:
    with pytest.raises(Failed, match=says):
        friend_id(text, "default")


def test_a_wrong_line_of_a_list_shows_what_is_wrong() -> None:
    reader = IdReader()
    reader.feed(f"{HANAKO}\n{HANAKO[:9]}\u00a0{HANAKO[9:]}\u00a0\n".encode())
    (wrong,) = reader.wrong_lines
    assert wrong.text == f"{HANAKO[:9]}⟨no-break space⟩{HANAKO[9:]}⟨no-break space⟩"


def test_what_is_invisible_counts_in_the_middle_of_an_id_only() -> None:
    assert value_of("friend", f"\ufeff\u2018{HANAKO}\u2019\u00a0", date(2026, 11, 26)) == HANAKO
    with pytest.raises(ValueError, match=r"it holds a zero width space \(U\+200B\): take it out"):
        value_of("friend", f"\u00a0{HANAKO[:9]}\u200b{HANAKO[9:]}", date(2026, 11, 26))


def test_the_place_in_a_flex_message_is_found_as_line_writes_it() -> None:
    error = Refused(
        "A message (messages[1]) in the request body is invalid",
        details=(Detail("/footer/contents/2", "invalid property"),),
    )
    ((path, message),) = _refusals(error)
    assert path == ("messages", 1, "contents", "footer", "contents", 2)
    assert message == "invalid property"
