"""All ways through a scenario, and who takes each."""

from __future__ import annotations

from datetime import date

import pytest

from tests.scenarios import scenario_of
from tobiishi.rehearsal.casting import Casting, cast
from tobiishi.rehearsal.happenings import definitions_of
from tobiishi.rehearsal.paths import count_ways, ways_through
from tobiishi.rehearsal.persona import Persona
from tobiishi.rehearsal.words import WORDS
from tobiishi.scenario import Scenario

NOBODY = Persona()
TODAY = date(2026, 12, 1)


def scenario(steps: str, rules: str = "start: friend_added") -> Scenario:
    return scenario_of(f"scenario: s\ntitle: s\n{rules}\nsteps:\n{steps}")


def castings(of: Scenario, persona: Persona = NOBODY) -> dict[str, Casting | None]:
    definitions = definitions_of(of)
    return {
        WORDS["en"].way(way): cast(of, way, definitions, persona=persona, today=TODAY)
        for way in ways_through(of, most=1000)
    }


TWO_QUESTIONS = """
  - branch:
      - when: {gender: female, age: {from: 20, to: 39}}
        steps: [{branch: [{when: {region: [東京都]}, steps: []}, {otherwise: , steps: []}]}]
      - when: {age: {from: 40}}
        steps: []
  - wait: {days: 1}
  - wait_for: {audience: bought, up_to: {days: 2}, in_time: [], too_late: []}
"""


def test_every_way_is_found_once_with_its_words() -> None:
    of = scenario(TWO_QUESTIONS)
    assert count_ways(of) == 8
    assert sorted(castings(of)) == sorted(
        f"{first} → bought {second}"
        for first in (
            "gender female and age 20-39 → region 東京都",
            "gender female and age 20-39 → otherwise",
            "age 40-",
            "none of the cases",
        )
        for second in ("in time", "too late")
    )


def test_a_friend_fits_each_way_and_is_no_more_than_that() -> None:
    found = castings(scenario(TWO_QUESTIONS))
    people = {words: made.persona.in_words() for words, made in found.items() if made}
    assert len(people) == len(found)
    assert people["none of the cases → bought too late"] == "花子: nothing is known"
    assert people["age 40- → bought in time"] == "花子: age 40"
    young = people["gender female and age 20-39 → region 東京都 → bought in time"]
    assert young.startswith("花子: gender female, age ")
    assert young.endswith("region 東京都")


def test_memberships_change_with_the_waits() -> None:
    of = scenario(
        "  - wait: {days: 1}\n"
        "  - branch: [{when: {audience: a}, steps: []}, {otherwise: , steps: []}]\n"
        "  - wait: {days: 1}\n"
        "  - branch: [{when: {audience: a}, steps: []}, {otherwise: , steps: []}]\n"
    )
    found = castings(of)
    made = found["in a → otherwise"]
    assert made is not None
    assert made.memberships["0"] == {"a": True}
    assert made.memberships["2"] == {"a": False}


@pytest.mark.parametrize(
    ("steps", "rules", "nobody"),
    [
        # Nothing changes between two questions without a wait.
        (
            "  - branch: [{when: {audience: a}, steps: []}, {otherwise: , steps: []}]\n"
            "  - branch: [{when: {audience: a}, steps: []}, {otherwise: , steps: []}]\n",
            "start: friend_added",
            ["in a → otherwise", "otherwise → in a"],
        ),
        # The first case takes all of the second.
        (
            "  - branch:\n"
            "      - {when: {age: {from: 20}}, steps: []}\n"
            "      - {when: {age: {from: 30}}, steps: []}\n",
            "start: friend_added",
            ["age 30-"],
        ),
        # Who joins it has left the scenario.
        (
            "  - send: {name: hello, messages: [{type: text, text: a}]}\n"
            "  - wait: {days: 1}\n"
            "  - branch: [{when: {audience: a}, steps: []}, {otherwise: , steps: []}]\n",
            "start: friend_added\n"
            "audiences: {a: {kind: click, message: hello}}\nexit: [{joins: a}]",
            ["in a"],
        ),
        # Nobody has clicked what is sent later.
        (
            "  - branch: [{when: {audience: a}, steps: []}, {otherwise: , steps: []}]\n"
            "  - send: {name: hello, messages: [{type: text, text: a}]}\n",
            "start: friend_added\naudiences: {a: {kind: click, message: hello}}",
            ["in a"],
        ),
        # A tag that the scenario has just put on.
        (
            "  - tag: {add: t}\n"
            "  - branch: [{when: {audience: a}, steps: []}, {otherwise: , steps: []}]\n",
            "start: friend_added\naudiences: {a: {kind: tag, tag: t}}",
            ["otherwise"],
        ),
        # Combined of what contradicts each other.
        (
            "  - branch: [{when: {all: [{audience: c}, {gender: male}]}, steps: []}]\n",
            "start: friend_added\n"
            "audiences: {c: {kind: combined, when: {all: [{audience: b}, {gender: female}]}}}",
            ["in c and gender male"],
        ),
    ],
)
def test_ways_that_nobody_can_take_are_known(steps: str, rules: str, nobody: list[str]) -> None:
    found = castings(scenario(steps, rules))
    assert sorted(words for words, made in found.items() if made is None) == sorted(nobody)
    assert len(found) > len(nobody)


def test_what_is_given_of_the_friend_holds_on_every_way() -> None:
    given = Persona.model_validate({"attributes": {"gender": "male"}})
    found = castings(scenario(TWO_QUESTIONS), given)
    assert [words for words, made in found.items() if made is None and "female" in words] == [
        words for words in found if "female" in words
    ]
    assert all(made.persona.attributes.gender == "male" for made in found.values() if made)


def test_where_there_are_too_many_each_way_of_each_step_is_there_at_least_once() -> None:
    one = "  - branch: [{{when: {{audience: a{0}}}, steps: []}}, {{otherwise: , steps: []}}]\n"
    of = scenario("".join(one.format(number) for number in range(40)))
    assert count_ways(of) == 2**40
    ways = ways_through(of, most=64)
    assert len(ways) == 64
    taken = {(step.path, step.way) for way in ways for step in way}
    assert taken == {(str(number), way) for number in range(40) for way in (0, 1)}


def test_friends_are_found_where_much_is_asked_at_once() -> None:
    """Forty audiences between two waits, and attributes in more combinations than can be tried."""
    one = "  - branch: [{{when: {{audience: a{0}}}, steps: []}}, {{otherwise: , steps: []}}]\n"
    of = scenario("".join(one.format(number) for number in range(40)))
    definitions = definitions_of(of)
    for way in ways_through(of, most=45):
        made = cast(of, way, definitions, persona=NOBODY, today=TODAY)
        assert made is not None
        inside = {f"a{step.path}" for step in way if step.way == 0}
        assert set(made.persona.audiences) == inside

    asked = "".join(
        f"  - branch: [{{when: {{fields: {{f{number}: [x, y, z]}}}}, steps: []}}]\n"
        for number in range(30)
    )
    of = scenario(asked)
    way = ways_through(of, most=1)[0]
    made = cast(of, way, definitions_of(of), persona=NOBODY, today=TODAY)
    assert made is not None
    assert len(made.persona.attributes.fields) == 30


def test_a_birthday_that_is_given_is_an_age() -> None:
    of = scenario("  - branch: [{when: {age: {from: 20}}, steps: []}]\n")
    given = Persona.model_validate({"attributes": {"birthday": "2006-12-24"}})
    found = castings(of, given)
    assert [words for words, made in found.items() if made] == ["none of the cases"]
