"""Validating a scenario: our own checks, and then LINE's of its messages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from tobiishi.line import LineClient, LineError, Refused
from tobiishi.scenario import Problem, Scenario, ScenarioError, advice_on, read, render

#: A friend to fill in where LINE is asked whether it would take the messages.
SAMPLE = {"display_name": "花子", "language": "ja", "gender": "female", "region": "東京都"}

_PROPERTY = re.compile(r"\w+")
#: LINE's "A message (messages[0]) in the request body is invalid".
_IN_MESSAGE = re.compile(r"\(messages\[(\d+)\]\)")


class Warning(BaseModel):
    """Something allowed, but probably not meant."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    line: int | None = None
    """From 1; null where it is about no line of the file."""
    field: str
    """Where in the scenario: `steps[1].wait.until`."""
    message: str
    """What is doubtful, and what to do."""


async def check(
    data: bytes, *, line: LineClient, timezone: str, now: datetime
) -> tuple[Scenario, list[Warning]]:
    """The scenario of a file, and the warnings about it. Raises `ScenarioError`.

    LINE validates the messages (that costs no quota); where it can't be asked, a warning says so.
    https://developers.line.biz/en/reference/messaging-api/#validate-message-objects-of-push-message
    """
    # In a thread: reading a large file takes seconds, in which webhooks must not wait.
    source = await asyncio.to_thread(read, data, timezone=timezone)
    scenario = source.scenario
    found = [source.map.problem(path, message) for path, message in advice_on(scenario, now)]
    problems: list[Problem] = []
    for path, step in scenario.walk():
        if step.send is None:
            continue
        try:
            await line.validate_push(render(step.send.messages, SAMPLE))
        except Refused as error:
            for below, message in _refusals(error):
                problems.append(source.map.problem((*path, "send", *below), f"LINE: {message}"))
        except LineError as error:
            message = f"LINE could not be asked whether it takes the messages ({error})"
            found.append(source.map.problem((*path, "send"), message))
            break  # Nor for the next one.
    if problems:
        raise ScenarioError(problems)
    return scenario, [
        Warning(line=problem.line, field=problem.field, message=problem.message)
        for problem in found
    ]


def _refusals(error: Refused) -> Iterator[tuple[tuple[str | int, ...], str]]:
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
