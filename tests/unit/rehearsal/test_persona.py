"""Who is written as the friend of a rehearsal."""

from __future__ import annotations

from datetime import date

import pytest

from tests.scenarios import scenario_of
from tobiishi.errors import Invalid
from tobiishi.rehearsal.happenings import definitions_of
from tobiishi.rehearsal.persona import Persona, check_persona, read_persona

SCENARIO = scenario_of(
    """
scenario: welcome
title: welcome
start: {friend_added: {routes: [poster]}}
steps:
  - send: {name: hello, messages: [{type: text, text: "{{ friend.fields.rank | default: '-' }}"}]}
  - branch:
      - when: {any: [{fields: {shop: umeda}}, {audience: vip}]}
        steps: []
"""
)


def persona(text: str, *audiences: str, tags: tuple[str, ...] = ()) -> Persona:
    read = read_persona(text, SCENARIO, audiences=audiences, tags=tags, today=date(2026, 12, 1))
    check_persona(read, SCENARIO, definitions_of(SCENARIO))
    return read


def test_a_friend_is_written_as_names_and_values() -> None:
    found = persona(
        "gender=女性, age=34,region=東京都,name=太郎,rank=gold,shop=umeda,route=poster",
        "vip",
        tags=("a",),
    )
    assert found.in_words() == (
        "太郎: gender female, age 34, region 東京都, rank gold, shop umeda, tag a, in vip, "
        "by route poster"
    )


def test_of_a_friend_of_whom_nothing_is_said_the_name_is_known() -> None:
    assert persona("").in_words() == "花子: nothing is known"


@pytest.mark.parametrize(
    ("text", "audiences", "problem"),
    [
        ("gender", (), "'gender' is not an attribute; write name=value"),
        ("gender=x", (), "is none of male, female, other"),
        ("gendr=female", (), "did you mean 'gender'?"),
        ("age=old", (), "is not an age"),
        ("birthday=2027-01-01", (), "is in the future"),
        ("route=postre", (), "did you mean 'poster'?"),
        ("", ("vpi",), "did you mean 'vip'? there are: vip"),
    ],
)
def test_what_is_wrong_with_a_friend_is_named_with_its_fix(
    text: str, audiences: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(Invalid) as refused:
        persona(text, *audiences)
    assert problem in str(refused.value)
