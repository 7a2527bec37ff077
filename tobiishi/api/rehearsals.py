"""Rehearsals over HTTP: what a scenario would do, tried against nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path
from pydantic import ConfigDict, Field, TypeAdapter

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, Context, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import WRONG_SCENARIO, answers
from tobiishi.database import Connection
from tobiishi.languages import Language
from tobiishi.people import audiences, friends
from tobiishi.rehearsal.happenings import definitions_of, read_happening
from tobiishi.rehearsal.held import RehearsalGone, RehearsalProcess, TooMany
from tobiishi.rehearsal.paths import MOST
from tobiishi.rehearsal.persona import Persona, check_persona, fields_of
from tobiishi.rehearsal.play import start_of
from tobiishi.rehearsal.timeline import Timeline, Walkthrough
from tobiishi.scenario import Scenario, read
from tobiishi.scenario.rules import Combined, Definition, Tagged
from tobiishi.user_ids import FriendId

router = APIRouter(
    prefix="/api/rehearsals",
    tags=["rehearsals"],
    dependencies=[Authorised],
    responses=answers(401, 503),
)

#: Seconds that a whole rehearsal, and all ways of a scenario, may take.
_SECONDS, _WALK_SECONDS = 60.0, 300.0
_definition: TypeAdapter[Definition] = TypeAdapter(Definition)
#: A rehearsal that goes step by step.
InRehearsal = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="The rehearsal's id.")]


class ToWalk(Described):
    """A scenario whose ways are all rehearsed."""

    model_config = ConfigDict(extra="forbid")

    scenario: str = Field(max_length=900_000)
    """The scenario's YAML."""
    friend: Persona = Persona()
    """What all the friends have in common; the rest is made to fit each way."""
    at: str | None = None
    """When they start, local to the scenario: `2026-12-01T09:30`; now where null."""
    language: Language = "en"
    """In which the timelines are written."""
    most: int = Field(default=MOST, ge=1, le=1000)
    """How many ways at most."""


class ToRehearse(Described):
    """A scenario to rehearse, with who goes through it and what happens to them."""

    model_config = ConfigDict(extra="forbid")

    scenario: str = Field(max_length=900_000)
    """The scenario's YAML."""
    friend: Persona = Persona()
    """Who goes through it: nobody of the shop's."""
    like: FriendId | None = None
    """A friend of the shop whom the rehearsal's is like, in place of `friend`: their name,
    attributes and tags, and those of their audiences that the scenario names. They are only looked
    at."""
    at: str | None = None
    """When they start, local to the scenario: `2026-12-01T09:30`; now where null."""
    events: list[str] = Field(default=[], max_length=1000)
    """What happens to them, and when after the start: `+2d joins bought`."""
    language: Language = "en"
    """In which the timeline is written."""
    step_by_step: bool = False
    """Whether it stops at the first wait, and goes on when asked."""


class Rehearsed(Described):
    """How far a rehearsal has come."""

    id: str | None
    """To go on with; null where it went to the end."""
    now: datetime
    """The time by its clock."""
    is_over: bool
    """Whether nothing more happens by itself."""
    timeline: Timeline
    """What happened so far."""


class Event(Described):
    """Something that happens to the friend now."""

    model_config = ConfigDict(extra="forbid")

    event: str = Field(min_length=1, max_length=2500)
    """What: `joins bought`, `presses hello yes`."""


@router.post(
    "",
    summary="Rehearse a scenario against nobody",
    responses=answers(400, 404, 413, 429) | WRONG_SCENARIO,
)
async def begin(
    asked: ToRehearse, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> Rehearsed:
    """By the real workflow and activities on a clock that skips, in a schema of its own.

    Nothing reaches LINE, and no friend, audience, figure or quota of the shop is touched.
    """
    request, scenario, definitions = await _request(asked, context, channel)
    for event in asked.events:
        read_happening(event, scenario, definitions)
    request |= {"events": asked.events, "finish": not asked.step_by_step}
    with _as_http():
        if not asked.step_by_step:
            async with context.rehearsals.once() as process:
                answer = await process.ask("begin", seconds=_SECONDS, **request)
            return Rehearsed(id=None, **answer)
        name, process = await context.rehearsals.begin()
        try:
            answer = await process.ask("begin", seconds=_SECONDS, **request)
        except BaseException:
            await context.rehearsals.end(name)
            raise
    return Rehearsed(id=name, **answer)


@router.post(
    "/walk",
    summary="Rehearse every way through a scenario",
    responses=answers(400, 404, 413, 429) | WRONG_SCENARIO,
)
async def walk(
    asked: ToWalk, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> Walkthrough:
    """Each way by a friend made to take it. Ways that nobody was found for are named."""
    request, _, _ = await _request(asked, context, channel)
    request |= {"events": [], "most": asked.most}
    with _as_http():
        async with context.rehearsals.once() as process:
            answer = await process.ask("walk", seconds=_WALK_SECONDS, **request)
    return Walkthrough.model_validate(answer)


@router.get(
    "/{rehearsal}", summary="How far a rehearsal has come", responses=answers(400, 404, 422)
)
async def look(rehearsal: InRehearsal, context: InContext) -> Rehearsed:
    return await _ask(context, rehearsal, "look")


@router.post(
    "/{rehearsal}/next",
    summary="Go on to the next thing that happens",
    responses=answers(400, 404, 422),
)
async def next_thing(rehearsal: InRehearsal, context: InContext) -> Rehearsed:
    """The end of the wait, or an event that comes before it; and all that follows at once."""
    return await _ask(context, rehearsal, "next")


@router.post("/{rehearsal}/finish", summary="Go on to the end", responses=answers(400, 404, 422))
async def finish(rehearsal: InRehearsal, context: InContext) -> Rehearsed:
    return await _ask(context, rehearsal, "finish")


@router.post(
    "/{rehearsal}/events",
    summary="Have something happen to the friend now",
    responses=answers(400, 404, 413, 422),
)
async def happen(rehearsal: InRehearsal, event: Event, context: InContext) -> Rehearsed:
    return await _ask(context, rehearsal, "happen", event=event.event)


@router.delete(
    "/{rehearsal}",
    status_code=204,
    summary="End a rehearsal that goes step by step",
    responses=answers(400, 404, 422),
)
async def end(rehearsal: InRehearsal, context: InContext) -> None:
    """One that nobody asks for anything ends after ten minutes, by itself."""
    await context.rehearsals.end(rehearsal)


@contextmanager
def _as_http() -> Iterator[None]:
    """Tells by HTTP why a rehearsal can't be had."""
    try:
        yield
    except TooMany as error:
        raise HTTPException(429, str(error), headers={"Retry-After": "10"}) from error
    except RehearsalGone as error:
        raise HTTPException(503, str(error)) from error


async def _ask(context: Context, name: str, do: str, **request: Any) -> Rehearsed:
    process: RehearsalProcess = context.rehearsals.get(name)
    with _as_http():
        answer = await process.ask(do, seconds=_SECONDS, **request)
    return Rehearsed(id=name, **answer)


async def _request(
    asked: ToRehearse | ToWalk, context: Context, channel: str
) -> tuple[dict[str, Any], Scenario, dict[str, Definition]]:
    """What the rehearsal's process is told; with the scenario and the audiences that it names.

    Raises `ScenarioError`, `Invalid` and `NotFound`.
    """
    settings = context.settings
    # In a thread: reading a large file takes seconds, in which webhooks must not wait.
    source = await asyncio.to_thread(read, asked.scenario, timezone=settings.timezone)
    scenario = source.scenario
    start = start_of(asked.at, scenario.timezone)
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
        of_shop = await _definitions_of_shop(connection, channel)
        definitions = definitions_of(scenario, of_shop)
        persona = asked.friend
        if isinstance(asked, ToRehearse) and asked.like is not None:
            persona = await _like(connection, channel, asked.like, scenario, definitions)
    check_persona(persona, scenario, definitions)
    request = {
        "dsn": settings.database_url,
        "timezone": settings.timezone,
        "source": asked.scenario,
        "language": asked.language,
        "friend": persona.model_dump(mode="json", exclude_unset=True),
        "start": start.isoformat(),
        "of_shop": {
            name: each.model_dump(mode="json", by_alias=True, exclude_none=True)
            for name, each in of_shop.items()
            if name in definitions
        },
    }
    return request, scenario, definitions


async def _definitions_of_shop(connection: Connection, channel: str) -> dict[str, Definition]:
    return {
        each.audience: _definition.validate_python({"kind": each.kind, **each.rule})
        for each in await audiences.all_of(connection, channel)
    }


async def _like(
    connection: Connection,
    channel: str,
    friend: str,
    scenario: Scenario,
    definitions: dict[str, Definition],
) -> Persona:
    """A persona like a friend of the shop. Raises `NotFound`."""
    known = await friends.get(connection, channel, friend)
    own = fields_of(scenario)
    attributes = known.attributes.model_copy(
        update={
            "fields": {
                name: value for name, value in known.attributes.fields.items() if name in own
            },
            "os": known.attributes.os or known.seen.os,
            "language": known.spoken,
        }
    )
    inside = await audiences.memberships_of(connection, channel, friend)
    return Persona(
        name=known.display_name,
        attributes=attributes,
        tags=tuple(await friends.tags_of(connection, channel, friend)),
        audiences=tuple(
            name
            for name in inside
            if name in definitions and not isinstance(definitions[name], Combined | Tagged)
        ),
    )
