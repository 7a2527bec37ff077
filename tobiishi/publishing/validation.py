"""Validating a scenario: our own checks, and then LINE's of its messages."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ParamSpec, TypeVar

from pydantic import BaseModel, ConfigDict

from tobiishi.line import LineClient, LineError, Refused
from tobiishi.scenario import (
    Problem,
    ScenarioError,
    ScenarioSource,
    Send,
    advice_on,
    empty_texts,
    own_fields,
    read,
    render,
)


@dataclass(frozen=True, kw_only=True)
class SampleFriend:
    """A friend to fill in where LINE is asked whether it would take the messages."""

    #: Who it is, behind "for".
    name: str
    known: Mapping[str, str | None]
    #: The value of every attribute of the shop's own.
    own: str | None
    #: What helps where only this friend's message is refused.
    fix: str

    def fields(self, own: Mapping[str, bool]) -> dict[str, str | None]:
        """All that is known; `own` says of each of the shop's own whether it is an address."""
        return {
            **self.known,
            **{
                name: "https://shop.example/" if is_address and self.own else self.own
                for name, is_address in own.items()
            },
        }


_GIVE_DEFAULT = """give what is not known a default, such as `| default: "お客さま"`"""
_SHORTEN = "shorten what is filled in, such as by `| truncate: 10`, or what stands beside it"
#: The first is the one of whom everything is known: what LINE refuses for her, it refuses anyhow.
#: A name in LINE has up to 20 characters.
SAMPLES = (
    SampleFriend(
        name="花子, of whom everything is known",
        known={"display_name": "花子", "language": "ja", "gender": "female", "region": "東京都"},
        own="A",
        fix="look at what is filled in",
    ),
    SampleFriend(name="a friend of whom nothing is known", known={}, own=None, fix=_GIVE_DEFAULT),
    SampleFriend(
        name="a friend of whom only the name is known",
        known={"display_name": "花子", "language": "ja"},
        own=None,
        fix=_GIVE_DEFAULT,
    ),
    SampleFriend(
        name="a friend with a long name, 佐々木 花子 🌸 & Sasaki🎀!!",
        known={
            "display_name": "佐々木 花子 🌸 & Sasaki🎀!!",
            "language": "zh-Hant",
            "gender": "female",
            "region": "神奈川県",
        },
        own="プラチナ 会員 🌸 & Premium!",
        fix=_SHORTEN,
    ),
)

P = ParamSpec("P")
T = TypeVar("T")
_Path = tuple[str | int, ...]

_PROPERTY = re.compile(r"\w+")
#: LINE's "A message (messages[0]) in the request body is invalid".
_IN_MESSAGE = re.compile(r"\(messages\[(\d+)\]\)")
#: One file is read at a time: threads that compute take turns with the loop, and many of them
#: would leave it few.
_one_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scenario")


class Warning(BaseModel):
    """Something allowed, but probably not meant."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    line: int | None = None
    """From 1; null where it is about no line of the file."""
    field: str
    """Where in the scenario: `steps[1].wait.until`."""
    message: str
    """What is doubtful, and what to do."""

    @classmethod
    def of(cls, problem: Problem) -> Warning:
        return cls(line=problem.line, field=problem.field, message=problem.message)


async def aside(work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """Run what takes seconds of computing in a thread: webhooks must not wait for it."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_one_thread, partial(work, *args, **more))


async def check(
    data: bytes, *, line: LineClient, timezone: str, now: datetime
) -> tuple[ScenarioSource, list[Warning]]:
    """The scenario of a file, and the warnings about it. Raises `ScenarioError`.

    LINE validates the messages (that costs no quota); where it can't be asked, a warning says so.
    https://developers.line.biz/en/reference/messaging-api/#validate-message-objects-of-push-message
    """
    source, found = await aside(_read, data, timezone, now)
    scenario = source.scenario
    problems: list[Problem] = []
    for path, step in scenario.walk():
        if step.send is None:
            continue
        try:
            for below, message in await _refused_for_somebody(step.send, line):
                problems.append(source.map.problem((*path, "send", *below), message))
        except LineError as error:
            message = f"LINE could not be asked whether it takes the messages ({error})"
            found.append(source.map.problem((*path, "send"), message))
            break  # Nor for the next one.
    if problems:
        raise ScenarioError(problems)
    return source, [Warning.of(problem) for problem in found]


def _read(data: bytes, timezone: str, now: datetime) -> tuple[ScenarioSource, list[Problem]]:
    """The scenario of a file, and the advice on it. Raises `ScenarioError`."""
    source = read(data, timezone=timezone)
    advice = advice_on(source.scenario, now)
    advised = [source.map.problem(path, message) for path, message in advice]
    return source, [*source.warnings, *advised]


async def _refused_for_somebody(send: Send, line: LineClient) -> list[tuple[_Path, str]]:
    """What is refused of a send, each with the path below it; for whom, where not for everybody.

    LINE is asked once for all friends who get the same. Raises `LineError`.
    """
    renderings = await asyncio.to_thread(_renderings, send.messages)
    found: dict[tuple[_Path, str], str] = {}
    empty: dict[_Path, str] = {}
    answers: dict[str, list[tuple[_Path, str]]] = {}
    for friend, filled, empty_paths in renderings:
        if empty_paths:
            for path in empty_paths:
                empty.setdefault(
                    ("messages", *path),
                    f"it is empty for {friend.name}, and LINE takes no empty text; {friend.fix}",
                )
            continue
        same = json.dumps(filled)
        if same not in answers:
            try:
                await line.validate_push(filled)
                answers[same] = []
            except Refused as error:
                answers[same] = list(_refusals(error))
        for path, message in answers[same]:
            for_whom = f" (for {friend.name}; {friend.fix})" if friend is not SAMPLES[0] else ""
            found.setdefault((path, message), for_whom)
    return [
        *empty.items(),
        *((path, f"LINE: {message}{for_whom}") for (path, message), for_whom in found.items()),
    ]


def _renderings(
    messages: Sequence[Mapping[str, Any]],
) -> list[tuple[SampleFriend, list[dict[str, Any]], list[_Path]]]:
    """What each friend gets, and where a text is empty for them."""
    own = own_fields(messages)
    return [
        (friend, render(messages, fields), empty_texts(messages, fields))
        for friend in SAMPLES
        for fields in [friend.fields(own)]
    ]


def _refusals(error: Refused) -> Iterator[tuple[_Path, str]]:
    """LINE's details, each with the path below the send: `messages[0].text`."""
    numbered = _IN_MESSAGE.search(error.message)
    if not error.details:
        yield ("messages",), error.message
    for detail in error.details:
        parts = _PROPERTY.findall(detail.property)
        path = tuple(int(part) if part.isdigit() else part for part in parts)
        if numbered and detail.property.startswith("/"):
            # Of a flex message LINE writes the place as a JSON pointer below its contents.
            path = ("messages", int(numbered[1]), "contents", *path)
        yield path or ("messages",), detail.message
