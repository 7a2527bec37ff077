"""A stage for rehearsals, on a Postgres of the tests'."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Protocol

import asyncpg
import pytest

from tobiishi.rehearsal.happenings import definitions_of, read_happening
from tobiishi.rehearsal.persona import read_persona
from tobiishi.rehearsal.play import Play, start_of
from tobiishi.rehearsal.rehearsal import Rehearsal
from tobiishi.rehearsal.stage import Stage, test_server
from tobiishi.rehearsal.timeline import Timeline
from tobiishi.scenario import read

_numbers = itertools.count()


@pytest.fixture(scope="module")
async def stage(postgres: str) -> AsyncIterator[Stage]:
    name = f"tobiishi_stage_{next(_numbers)}"
    connection = await asyncpg.connect(postgres)
    await connection.execute(f"create database {name}")
    await connection.close()
    base, _, rest = postgres.partition("?")
    dsn = f"{base.rpartition('/')[0]}/{name}" + (f"?{rest}" if rest else "")
    async with test_server() as server, Stage.open(server, dsn) as stage:
        yield stage


class Rehearse(Protocol):
    """Rehearses a scenario to its end."""

    async def __call__(
        self,
        text: str,
        *events: str,
        at: str = "2026-12-01T09:30",
        friend: str = "",
        inside: tuple[str, ...] = (),
    ) -> Timeline: ...


def play(text: str, *events: str, at: str, friend: str = "", inside: tuple[str, ...] = ()) -> Play:
    source = read(text)
    scenario = source.scenario
    start = start_of(at, scenario.timezone)
    definitions = definitions_of(scenario)
    return Play(
        source=source,
        persona=read_persona(friend, scenario, audiences=inside, tags=(), today=start.date()),
        start=start,
        happenings=[read_happening(event, scenario, definitions) for event in events],
    )


@pytest.fixture
def rehearse(stage: Stage) -> Rehearse:
    async def to_the_end(
        text: str,
        *events: str,
        at: str = "2026-12-01T09:30",
        friend: str = "",
        inside: tuple[str, ...] = (),
    ) -> Timeline:
        asked = play(text, *events, at=at, friend=friend, inside=inside)
        rehearsal = await Rehearsal.begin(stage, asked)
        await rehearsal.finish()
        return rehearsal.timeline()

    return to_the_end
