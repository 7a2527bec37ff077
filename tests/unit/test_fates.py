"""What the chaos counts: it must see each kind of wrong, and nothing in what is right."""

from __future__ import annotations

import pytest

from tobiishi.chaos import fates, kills
from tobiishi.chaos.fates import Fate, Way, compare, compare_ledger
from tobiishi.scenario import read_scenario

BUYER = Fate(friend="U" + "0" * 32, adds_at=0, likes=True, way=Way.BUYS, old_news=False)


@pytest.mark.parametrize(
    ("received", "kinds"),
    [
        (["hello", "liked", "thanks", "bye"], []),
        (["hello", "liked", "thanks"], ["missing"]),
        ([], ["missing"]),
        (["hello", "liked", "liked", "thanks", "bye"], ["doubled"]),
        (["hello", "liked", "thanks", "bye", "hello"], ["doubled"]),
        (["hello", "other", "liked", "thanks", "bye"], ["wrong"]),
        (["hello", "other", "thanks", "bye"], ["missing", "wrong"]),
        (["liked", "hello", "thanks", "bye"], ["out of order"]),
    ],
)
def test_what_is_wrong_with_what_a_friend_received(received: list[str], kinds: list[str]) -> None:
    assert [finding.kind for finding in compare(BUYER, received)] == kinds


@pytest.mark.parametrize(
    ("accepted", "ledger", "kinds"),
    [
        ([], {}, []),
        (["a", "b"], {"b": "sent", "a": "sent"}, []),
        (["a"], {"a": "unknown", "b": "unknown", "c": "skipped"}, []),
        (["a", "b"], {"a": "sent"}, ["ledger"]),
        (["a"], {"a": "sent", "b": "sent"}, ["ledger"]),
        (["a", "a"], {"a": "sent"}, ["ledger"]),
        (["a"], {"a": "skipped"}, ["ledger"]),
        ([], {"a": "claimed"}, ["ledger"]),
    ],
)
def test_the_ledger_says_what_line_accepted(
    accepted: list[str], ledger: dict[str, str], kinds: list[str]
) -> None:
    assert [finding.kind for finding in compare_ledger(BUYER, accepted, ledger)] == kinds


@pytest.mark.parametrize("brisk", [True, False])
def test_the_scenario_can_be_published(brisk: bool) -> None:
    names = {
        step.send.name for _, step in read_scenario(fates.scenario(brisk=brisk)).walk() if step.send
    }
    drawn = fates.draw(500, seconds=10, brisk=brisk, seed=1)
    assert names >= {text for fate in drawn for text in fate.expected}


def test_the_same_seed_draws_the_same() -> None:
    def draw(seed: int) -> object:
        return (
            fates.draw(20, seconds=10, brisk=False, seed=seed),
            kills.draw(rounds=2, first=1, last=9, seed=seed),
        )

    assert draw(1) == draw(1) != draw(2)


def test_each_part_is_killed_as_often_as_there_are_rounds() -> None:
    drawn = kills.draw(rounds=3, first=5, last=100, seed=1)
    assert sorted(kill.part for kill in drawn) == sorted([*kills.PARTS] * 3)
    assert (drawn[0].at, drawn[-1].at) == (5, 100)
