"""Conditions: three-valued, so that what isn't known matches nothing."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tobiishi.scenario.conditions import (
    FriendFacts,
    answer_from,
    audiences_of,
    choose,
    evaluate,
    in_words,
    leaves,
    question,
    split,
)
from tobiishi.scenario.model import Case
from tobiishi.scenario.parts import Condition

#: A condition for each answer, asked of `FACTS`.
SAYING: dict[bool | None, dict[str, Any]] = {
    True: {"audience": "vip"},
    False: {"audience": "elsewhere"},
    None: {"gender": "female"},
}
FACTS = FriendFacts(audiences=frozenset({"vip"}))
PAIRS = list(itertools.product(SAYING, repeat=2))
EVERYTHING = FriendFacts(
    audiences=frozenset({"vip"}), gender="female", age=29, region="東京都", os="ios"
)


def answer(condition: dict[str, Any], facts: FriendFacts = FACTS) -> bool | None:
    return evaluate(Condition.model_validate(condition), facts)


def branch(*cases: dict[str, Any] | None) -> tuple[Case, ...]:
    return tuple(
        Case.model_validate(
            {"steps": [], **({"otherwise": None} if when is None else {"when": when})}
        )
        for when in cases
    )


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_all_is_no_if_one_is_no_and_else_unknown_if_one_is(
    one: bool | None, other: bool | None
) -> None:
    expected = False if False in (one, other) else None if None in (one, other) else True
    assert answer({"all": [SAYING[one], SAYING[other]]}) is expected


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_any_is_yes_if_one_is_yes_and_else_unknown_if_one_is(
    one: bool | None, other: bool | None
) -> None:
    expected = True if True in (one, other) else None if None in (one, other) else False
    assert answer({"any": [SAYING[one], SAYING[other]]}) is expected


@pytest.mark.parametrize(("inner", "expected"), [(True, False), (False, True), (None, None)])
def test_not_turns_what_is_known_and_leaves_what_is_not(
    inner: bool | None, expected: bool | None
) -> None:
    assert answer({"not": SAYING[inner]}) is expected
    assert answer({"not": {"not": SAYING[inner]}}) is inner


@pytest.mark.parametrize(
    "condition",
    [
        {"gender": "female"},
        {"age": {"from": 20}},
        {"region": "東京"},
        {"os": "ios"},
        {"age": {"from": 0, "to": 150}},
        {"any": [{"gender": "female"}, {"gender": "male"}, {"gender": "other"}]},
        {"audience": "vip", "os": "ios"},
    ],
)
def test_an_attribute_that_is_not_known_matches_neither_a_condition_nor_its_not(
    condition: dict[str, Any],
) -> None:
    assert answer(condition) is None
    assert answer({"not": condition}) is None
    assert choose(branch(condition, {"not": condition}), FACTS).case is None


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"audience": "vip"}, True),
        ({"audience": "elsewhere"}, False),
        ({"not": {"audience": "elsewhere"}}, True),
        ({"gender": "female"}, True),
        ({"gender": "male"}, False),
        ({"os": "ios"}, True),
        ({"os": "android"}, False),
        ({"age": {"from": 29}}, True),
        ({"age": {"to": 29}}, True),
        ({"age": {"from": 29, "to": 29}}, True),
        ({"age": {"from": 30}}, False),
        ({"age": {"to": 28}}, False),
        ({"region": "東京都"}, True),
        ({"region": "東京"}, True),
        ({"region": " 東京 "}, True),
        ({"region": "jp_13"}, True),
        ({"region": "大阪"}, False),
        ({"region": ["大阪", "東京"]}, True),
        ({"gender": "female", "age": {"from": 20, "to": 39}, "region": "東京"}, True),
        ({"gender": "female", "age": {"from": 30}}, False),
        ({"gender": "female", "any": [{"os": "android"}, {"audience": "vip"}]}, True),
        ({"gender": "female", "not": {"audience": "vip"}}, False),
    ],
)
def test_of_a_friend_who_is_known_a_condition_tells(
    condition: dict[str, Any], expected: bool
) -> None:
    assert answer(condition, EVERYTHING) is expected


@pytest.mark.parametrize(
    ("known", "asked", "expected"),
    [
        ("京都", "京都府", True),
        ("東京都", "京都", False),
        ("北海道", "北海道", True),
        ("北海道", "jp_01", True),
        ("jp_47", "沖縄", True),
        ("tw_02", "tw_02", True),
        ("パリ", "パリ", True),
    ],
)
def test_a_region_is_the_same_however_it_is_written(known: str, asked: str, expected: bool) -> None:
    assert answer({"region": asked}, FriendFacts(region=known)) is expected


@pytest.mark.parametrize(
    ("cases", "chosen", "said"),
    [
        ([{"audience": "vip"}, {"audience": "vip"}], 0, "in vip: yes"),
        (
            [{"audience": "elsewhere"}, {"audience": "vip"}, None],
            1,
            "in elsewhere: no, in vip: yes",
        ),
        ([{"audience": "elsewhere"}, None], 1, "in elsewhere: no → otherwise"),
        ([{"gender": "male"}, None], 1, "gender male: not known → otherwise"),
        ([{"gender": "male"}], None, "gender male: not known → goes on"),
    ],
)
def test_a_branch_takes_the_first_case_that_holds_or_otherwise_or_none(
    cases: list[dict[str, Any] | None], chosen: int | None, said: str
) -> None:
    choice = choose(branch(*cases), FACTS)
    assert (choice.case, choice.summary) == (chosen, said)


def test_what_a_branch_saw_is_kept_up_to_the_case_it_took() -> None:
    choice = choose(branch({"os": "ios"}, {"audience": "vip"}, {"audience": "elsewhere"}), FACTS)
    assert choice.saw == {"os ios": None, "in vip": True}


def test_a_branch_asks_about_the_audiences_of_all_its_conditions() -> None:
    cases = branch(
        {"audience": "a"},
        {"any": [{"audience": "b"}, {"not": {"all": [{"audience": "c", "os": "ios"}]}}]},
        None,
    )
    assert audiences_of(cases) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"audience": "vip"}, "in vip"),
        ({"not": {"audience": "vip"}}, "not in vip"),
        ({"gender": "female", "age": {"from": 20, "to": 29}}, "gender female and age 20-29"),
        ({"age": {"from": 20}}, "age 20-"),
        ({"age": {"to": 29}}, "age -29"),
        ({"region": ["東京", "大阪"]}, "region 東京/大阪"),
        ({"any": [{"os": "ios"}, {"audience": "vip"}]}, "(os ios or in vip)"),
        ({"all": [{"os": "ios"}, {"audience": "vip"}]}, "os ios and in vip"),
        ({"not": {"os": "ios", "audience": "vip"}}, "not (in vip and os ios)"),
    ],
)
def test_a_condition_reads_as_words(condition: dict[str, Any], words: str) -> None:
    assert in_words(Condition.model_validate(condition)) == words


@pytest.mark.parametrize(
    ("cases", "words"),
    [
        ([{"audience": "vip"}, None], "is in vip?"),
        ([{"gender": "male"}], "gender male?"),
        ([{"audience": "vip"}, {"os": "ios"}, None], "which of 2: in vip, os ios?"),
    ],
)
def test_a_branch_reads_as_a_question(cases: list[dict[str, Any] | None], words: str) -> None:
    assert question(branch(*cases)) == words


def test_what_a_large_branch_saw_is_told_in_a_few_words() -> None:
    choice = choose(branch(*({"region": f"{'島' * 20}{number}"} for number in range(50))), FACTS)
    assert len(choice.summary.encode()) < 400
    assert choice.summary.endswith("… → goes on")
    assert len(choice.saw) == 50


@pytest.mark.parametrize(("one", "other"), PAIRS)
@pytest.mark.parametrize("shape", ["all", "any", "not all", "not any"])
def test_the_answers_to_its_leaves_give_the_answer_to_a_condition(
    one: bool | None, other: bool | None, shape: str
) -> None:
    inner = {shape.split()[-1]: [SAYING[one], {**SAYING[other], "os": "ios"}]}
    condition = Condition.model_validate({"not": inner} if " " in shape else inner)
    facts = FriendFacts(audiences=frozenset({"vip"}), os="ios")
    answers = {in_words(leaf): evaluate(leaf, facts) for leaf in leaves(condition)}
    assert answer_from(condition, answers) is evaluate(condition, facts)


def test_a_condition_is_split_into_one_of_each_field() -> None:
    whole = Condition.model_validate(
        {"audience": "vip", "age": {"from": 20}, "fields": {"rank": "gold", "shop": "umeda"}}
    )
    assert [in_words(part) for part in split(whole)] == [
        *("in vip", "age 20-", "rank gold", "shop umeda"),
    ]
    assert split(split(whole)[1]) == (split(whole)[1],)


def test_a_choice_keeps_the_answers_to_the_parts_of_what_it_looked_at() -> None:
    cases = branch({"audience": "elsewhere"}, {"audience": "vip", "gender": "male"}, {"os": "ios"})
    choice = choose(cases, FACTS)
    assert choice.parts == {"in vip": True, "gender male": None}
    assert choice.saw == {
        "in elsewhere": False,
        "in vip and gender male": None,
        "os ios": None,
    }
