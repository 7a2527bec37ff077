"""What a request's text makes slow is done beside the loop, which everybody else waits for."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Coroutine, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tobiishi.line import LineClient
from tobiishi.people.attribute_files import _in_turns
from tobiishi.people.attribute_reader import MAX_LINE_CHARS, AttributeRow, Reader
from tobiishi.publishing.validation import check
from tobiishi.scenario import ScenarioError

#: How often the loop has its turn meanwhile, at least; it would be once or twice.
TURNS = 10

SCENARIO = """\
scenario: long
title: 長い
start: friend_added
steps:
  - send:
      name: hello
      messages:
        - type: flex
          altText: やあ
          contents: {{type: bubble, body: {{type: box, layout: vertical, contents: [{texts}]}}}}
"""


async def turns_during(work: Coroutine[Any, Any, Any]) -> tuple[int, Any]:
    """How often others had their turn while the work was done, and what came of it."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    counting = asyncio.create_task(count())
    await asyncio.sleep(0)
    turns = 0
    try:
        results = await asyncio.gather(work, return_exceptions=True)
    finally:
        counting.cancel()
    return turns, results[0]


@pytest.mark.parametrize(
    "template",
    [
        "{{" * 195 + "a" * 9_500,
        "{{ " + "(" * 9_000 + " }}",
    ],
)
async def test_the_loop_goes_on_while_a_scenario_is_checked(template: str) -> None:
    text = '{type: text, text: "' + template + '"}, '
    data = SCENARIO.format(texts=text * min(4, 100_000 // len(text))).encode()
    async with LineClient(base_url="http://127.0.0.1:9", access_token="x") as line:
        turns, _ = await turns_during(
            check(data, line=line, timezone="Asia/Tokyo", now=datetime.now(UTC))
        )
    assert turns >= TURNS


async def test_sixty_kilobytes_of_braces_are_refused() -> None:
    data = SCENARIO.format(texts='{type: text, text: "' + "{{" * 30_000 + '"}').encode()
    async with LineClient(base_url="http://127.0.0.1:9", access_token="x") as line:
        with pytest.raises(ScenarioError, match="at most 10,000 are taken"):
            await check(data, line=line, timezone="Asia/Tokyo", now=datetime.now(UTC))


async def test_the_loop_goes_on_while_a_csv_of_long_lines_is_read() -> None:
    line = "U" + "a" * 32 + ',"' + "x" * (MAX_LINE_CHARS - 100) + '"\n'
    reader = Reader(text=io.StringIO("friend,region\n" + line * 200), today=date(2026, 1, 1))

    async def read(rows: Iterator[AttributeRow | None]) -> list[AttributeRow]:
        return [row async for row in _in_turns(rows)]

    turns, rows = await turns_during(read(reader.rows()))
    assert rows == []
    assert reader.wrong == 200
    assert turns >= TURNS
