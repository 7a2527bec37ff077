"""Each virtual friend's acts and expected messages, decided without our engine.

The expectation is a plain reading of the scenario, friend by friend, by people's common sense. It
uses nothing of `tobiishi.scenario`, so that a mistake there does not excuse itself here.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

#: The audiences of the scenario.
LIKES, BOUGHT, LEFT = "chaos-likes", "chaos-bought", "chaos-left"

_SEND = "- send: {{name: {name}, messages: [{{type: text, text: {name}}}]}}"


def _send(name: str, indent: int) -> str:
    return " " * indent + _SEND.format(name=name)


def scenario(*, brisk: bool) -> str:
    """The scenario that friends walk through. A brisk one has no waits by the clock."""
    wait = "" if brisk else "  - wait: {minutes: 1}\n"
    return f"""
scenario: chaos
title: カオス
start: friend_added
audiences:
  {LEFT}: {{kind: upload}}
exit: [{{joins: {LEFT}}}]
steps:
{_send("hello", 2)}
{wait}  - branch:
      - when: {{audience: {LIKES}}}
        steps:
{_send("liked", 10)}
      - otherwise:
        steps:
{_send("other", 10)}
  - wait_for:
      audience: {BOUGHT}
      up_to: {{minutes: {60 if brisk else 1}}}
      in_time:
{_send("thanks", 8)}
      too_late:
{_send("reminder", 8)}
{_send("bye", 2)}
  - tag: {{add: chaos-done}}
"""


class Way(Enum):
    """A friend's act in the middle of their journey."""

    #: Joins the awaited audience once the journey waits for it.
    BUYS = "buys"
    #: Was in it from the beginning.
    HAS_BOUGHT = "has bought"
    #: Never joins it.
    HESITATES = "hesitates"
    #: Joins the audience that the scenario exits on, after the first message.
    LEAVES = "leaves"
    #: Leaves the scenario while the journey waits for the awaited audience.
    LEAVES_LATE = "leaves late"
    #: Blocks the channel after the first message.
    BLOCKS = "blocks"


@dataclass(frozen=True, kw_only=True)
class Fate:
    """One virtual friend, decided beforehand."""

    friend: str
    #: Seconds after the beginning at which they add the channel.
    adds_at: float
    #: In the audience that the branch asks about, from the beginning.
    likes: bool
    way: Way
    #: LINE redelivers an earlier unfollow event after the adding: a stale event.
    old_news: bool

    @property
    def expected(self) -> tuple[str, ...]:
        """The texts that they should receive, in this order, each once."""
        branch = "liked" if self.likes else "other"
        match self.way:
            case Way.BUYS | Way.HAS_BOUGHT:
                return ("hello", branch, "thanks", "bye")
            case Way.HESITATES:
                return ("hello", branch, "reminder", "bye")
            case Way.LEAVES_LATE:
                return ("hello", branch)
            case Way.LEAVES | Way.BLOCKS:
                return ("hello",)


def draw(count: int, *, seconds: float, brisk: bool, seed: int) -> list[Fate]:
    """So many fates, who add the channel within the first so many seconds."""
    dice = random.Random(seed)  # noqa: S311 - dice, not secrets
    ways = [Way.BUYS, Way.BUYS, Way.HAS_BOUGHT, Way.LEAVES_LATE]
    if not brisk:  # These need a wait to do it in.
        ways += [Way.HESITATES, Way.HESITATES, Way.LEAVES, Way.BLOCKS]
    return [
        Fate(
            friend=f"U{dice.getrandbits(128):032x}",
            adds_at=dice.uniform(0, seconds),
            likes=dice.random() < 0.5,
            way=dice.choice(ways),
            old_news=dice.random() < 0.2,
        )
        for _ in range(count)
    ]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """An error in what one friend received."""

    friend: str
    way: Way
    #: `missing`, `doubled`, `wrong`, `out of order`, `ledger`.
    kind: str
    expected: tuple[str, ...]
    received: tuple[str, ...]


def compare(fate: Fate, received: Sequence[str]) -> list[Finding]:
    """Return every difference from the expected messages."""
    got, expected = tuple(received), fate.expected
    kinds = []
    if any(text not in got for text in expected):
        kinds.append("missing")
    if len(set(got)) < len(got):
        kinds.append("doubled")
    if any(text not in expected for text in got):
        kinds.append("wrong")
    if not kinds and got != expected:
        kinds.append("out of order")
    return [
        Finding(friend=fate.friend, way=fate.way, kind=kind, expected=expected, received=got)
        for kind in kinds
    ]


def compare_ledger(fate: Fate, accepted: Sequence[str], ledger: Mapping[str, str]) -> list[Finding]:
    """Return where LINE's accepted retry keys and our ledger differ.

    `unknown` may be either. None may be `claimed` still: all journeys are over.
    """
    sent = {key for key, status in ledger.items() if status == "sent"}
    unknown = {key for key, status in ledger.items() if status == "unknown"}
    once = len(set(accepted)) == len(accepted)
    if once and sent <= set(accepted) <= sent | unknown and "claimed" not in ledger.values():
        return []
    expected = tuple(sorted(accepted))
    received = tuple(sorted(f"{key} {status}" for key, status in ledger.items()))
    return [
        Finding(
            friend=fate.friend, way=fate.way, kind="ledger", expected=expected, received=received
        )
    ]
