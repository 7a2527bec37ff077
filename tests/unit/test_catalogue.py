"""The catalogue of words: every code in each language, with the same parameters."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tobiishi.words import TEMPLATES, Sentence, Template, in_words

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 12, 1, 9, 5, tzinfo=ZoneInfo("Asia/Tokyo"))
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
#: Filled by their parameters alone, or with names that both languages write in one way.
SAME_IN_BOTH = {
    *("reason.other", "skip.other", "stop.other", "value.ios", "value.android"),
    *(
        "value.one_of",
        "when.first",
        "when.full",
        "when.day",
        "quoted",
        "friend.named",
        "friend.unnamed",
        "condition.all",
    ),
}


def parameters(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_both_languages_have_the_same_parameters() -> None:
    assert len(TEMPLATES) > 100
    differing = {
        code for code, each in TEMPLATES.items() if parameters(each.ja) != parameters(each.en)
    }
    assert differing == set()


def test_each_language_is_written_in_itself() -> None:
    plain = {code: each for code, each in TEMPLATES.items() if code not in SAME_IN_BOTH}
    assert [code for code, each in plain.items() if not JAPANESE.search(each.ja)] == []
    assert [code for code, each in plain.items() if JAPANESE.search(each.en)] == []


def test_whole_sentences_end_as_sentences() -> None:
    """Parts have a dot in their codes."""
    whole = {code: each for code, each in TEMPLATES.items() if "." not in code and code != "quoted"}
    assert [code for code, each in whole.items() if not each.ja.endswith("。")] == []
    assert [code for code, each in whole.items() if not each.en.endswith(".")] == []


def codes_made() -> Iterator[str]:
    """The codes that the code makes sentences of, as far as they are written out."""
    for file in (ROOT / "tobiishi" / "journeys").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_template_is_used() -> None:
    made = set(codes_made())
    #: Made of a part and a word of the scenario or of a row.
    of_two = re.compile(r"(value|hold|cause|how)\..*|enrolment_.*")
    assert [code for code in TEMPLATES if code not in made and not of_two.fullmatch(code)] == []


def test_a_template_says_what_it_is_given() -> None:
    assert Template(ja="あ", en="a") != Template(ja="い", en="a")
    moment = Sentence("when.first", {"at": AT, "clock": "9:05", "zone": Sentence("zone.japan")})
    assert in_words(moment, "ja") == "2026年12月1日 9:05（日本時間）"
    assert in_words(moment, "en") == "on 1 December 2026 at 9:05 (Japan time)"
    named = Sentence("condition.in", {"audience": "{購入者} %s"})
    both = Sentence("condition.all", {"parts": (named, named)})
    assert in_words(both, "en") == "in {購入者} %s and in {購入者} %s"
    assert both.as_dict()["params"]["parts"][0] == {
        "code": "condition.in",
        "params": {"audience": "{購入者} %s"},
    }
    assert moment.as_dict()["params"]["at"] == "2026-12-01T09:05:00+09:00"
    with pytest.raises(KeyError):
        in_words(Sentence("condition.in"), "ja")


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (13, "13th"), (22, "22nd")],
)
def test_times_are_counted(number: int, words: str) -> None:
    assert (
        in_words(Sentence("way.number", {"number": number}), "en") == f"the {words} way of a branch"
    )
    assert in_words(Sentence("way.number", {"number": number}), "ja") == f"{number}番目の分岐"
