"""Scenarios for tests, from the text that a marketer would write."""

from __future__ import annotations

from datetime import datetime

from tobiishi.database import Connection
from tobiishi.publishing import versions
from tobiishi.scenario import Scenario, read_scenario

STEPS = """
steps:
  - wait: {days: 30}
  - send: {name: hello, messages: [{type: text, text: こんにちは}]}
"""


def yaml(name: str = "welcome", rules: str = "start: friend_added", steps: str = STEPS) -> str:
    """A scenario file; its journeys sleep for a month where `steps` says nothing else."""
    return f"scenario: {name}\ntitle: {name}\n{rules}\n{steps}"


def scenario_of(text: str) -> Scenario:
    return read_scenario(text)


async def publish(
    connection: Connection, text: str, *, channel: str = "default", now: datetime
) -> versions.Published:
    return await versions.publish(connection, channel, scenario_of(text), text, now=now)
