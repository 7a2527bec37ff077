"""A tag is one word, however it is written and wherever it comes in."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.scenarios import yaml
from tobiishi.people.attribute_columns import value_of
from tobiishi.scenario import read_scenario
from tobiishi.scenario.parts import Tag, plain_tag
from tobiishi.scenario.rules import Tagged

WRITTEN = [
    ("VIP", "VIP"),
    ("VIP ", "VIP"),
    ("\n VIP\t", "VIP"),
    ("\uff36\uff29\uff30", "VIP"),
    ("\u3000VIP\u00a0", "VIP"),
    ("\ufeffVIP\u200b", "VIP"),
    ("ﾌﾟﾚﾐｱﾑ", "プレミアム"),
    ("お得意 さま", "お得意 さま"),
    ("vip", "vip"),
]


@pytest.mark.parametrize(("written", "tag"), WRITTEN)
def test_a_tag_is_kept_in_one_form(written: str, tag: str) -> None:
    assert TypeAdapter(Tag).validate_python(written) == tag
    assert Tagged(kind="tag", tag=written).tag == tag
    assert plain_tag(tag) == tag


@pytest.mark.parametrize(("written", "tag"), WRITTEN)
def test_a_csv_and_a_scenario_file_have_the_same_rule(written: str, tag: str) -> None:
    line = written.strip("\n\t ")
    assert value_of("tags", f"{line};x", date(2026, 11, 26)) == [tag, "x"]
    scenario = read_scenario(yaml(steps=f"steps: [{{tag: {{add: ['{line}']}}}}]"))
    assert scenario.steps[0].tag is not None
    assert scenario.steps[0].tag.add == (tag,)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "is empty"),
        (" \u3000", "is empty"),
        ("a\nb", "in one line"),
        ("a\x85b", "in one line"),
        ("a\u2028b", "in one line"),
        ("a\0b", "in one line"),
        ("x" * 65, "shorten it to 64"),
        ("\u33bf" * 33, "shorten it to 64"),  # One letter that NFKC makes two of.
    ],
)
def test_what_is_no_tag_is_refused_with_its_fix(written: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        TypeAdapter(Tag).validate_python(written)


def test_tags_that_are_one_are_not_both_added_and_removed() -> None:
    with pytest.raises(Exception, match="both added and removed"):
        read_scenario(yaml(steps="steps: [{tag: {add: VIP, remove: '\uff36\uff29\uff30 '}}]"))
