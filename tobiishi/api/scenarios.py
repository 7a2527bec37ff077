"""Scenarios over HTTP: check, publish, retire, look up."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, Context, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.enrolments import Enrolment
from tobiishi.api.errors import WRONG_SCENARIO, answers
from tobiishi.journeys import journeys
from tobiishi.people.friends import ONE_LINE
from tobiishi.publishing import versions
from tobiishi.publishing.checking import CheckedScenario, check_for_channel
from tobiishi.publishing.validation import Warning
from tobiishi.scenario import json_schema

router = APIRouter(
    prefix="/api/scenarios",
    tags=["scenarios"],
    dependencies=[Authorised],
    responses=answers(401),
)

_YAML = {
    "requestBody": {
        "required": True,
        "content": {"application/yaml": {"schema": {"type": "string"}}},
    }
}


class Checked(Described):
    """A scenario that can be published."""

    channel: str
    """The LINE channel."""
    scenario: str
    """Its name."""
    title: str
    """What people call it."""
    warnings: list[Warning]
    """What is allowed but probably not meant."""
    forecast: str
    """How many it may send to, and how long that takes, in words."""


class Published(Checked):
    """A scenario that was published."""

    version: int
    """The number of the version that is live now."""
    unchanged: bool
    """True where the live version said the same already, so that no new one was made."""
    new_audiences: list[str]
    """Audiences that the scenario names and nobody had made yet; they exist now, empty."""
    enrolment: Enrolment | None
    """Begun for those who are in its audience already, where the scenario asks for that."""


class Retired(Described):
    """A scenario that nobody enters any more."""

    channel: str
    """The LINE channel."""
    scenario: str
    """Its name."""
    stopped: int
    """Journeys that were under way and are being stopped."""


class ScenarioSummary(Described):
    """A published version of a scenario."""

    channel: str
    """The LINE channel."""
    scenario: str
    """Its name."""
    version: int
    """The number of the version, from 1."""
    title: str
    """What people call it."""
    published_at: datetime
    """When it was published."""
    author: str | None
    """Who published it, as they said; null where nobody did."""
    note: str | None
    """What they noted of it."""

    @classmethod
    def of(cls, version: versions.Version) -> ScenarioSummary:
        return cls(
            channel=version.channel,
            scenario=version.scenario.scenario,
            version=version.version,
            title=version.scenario.title,
            published_at=version.published_at,
            author=version.author,
            note=version.note,
        )


class ScenarioVersion(ScenarioSummary):
    """A published version, with the file it came from."""

    is_live: bool
    """Whether friends who enter now follow this one."""
    source: str
    """The YAML file, as it was published."""


@router.post(
    "",
    summary="Check a scenario and publish it as a new version",
    openapi_extra=_YAML,
    responses=answers(400, 404, 413, 503) | WRONG_SCENARIO,
)
async def publish(
    request: Request,
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
    author: Annotated[
        str | None,
        Query(description="Who publishes it.", min_length=1, max_length=100, pattern=ONE_LINE),
    ] = None,
    note: Annotated[
        str | None,
        Query(description="What changed, and why.", min_length=1, max_length=500, pattern=ONE_LINE),
    ] = None,
) -> Published:
    """The body is the YAML. 422 with every problem's line, field and fix where it is wrong.

    Author and note stay with the version; where the live one says the same already, with none.
    """
    checked = await _checked(request, context, channel)
    scenario = checked.scenario
    async with context.database.transaction() as connection:
        published = await versions.publish(
            connection,
            channel,
            scenario,
            checked.source,
            now=context.database.now(),
            author=author,
            note=note,
        )
    context.relay.enrolments.ring()
    return Published(
        channel=channel,
        scenario=scenario.scenario,
        title=scenario.title,
        version=published.version.version,
        unchanged=published.unchanged,
        new_audiences=published.new_audiences,
        enrolment=Enrolment.of(published.enrolment) if published.enrolment else None,
        warnings=checked.warnings,
        forecast=checked.forecast,
    )


@router.post(
    "/check",
    summary="Check a scenario, and publish nothing",
    openapi_extra=_YAML,
    responses=answers(400, 404, 413, 503) | WRONG_SCENARIO,
)
async def check_only(
    request: Request, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> Checked:
    """As publishing does, up to the publishing."""
    checked = await _checked(request, context, channel)
    return Checked(
        channel=channel,
        scenario=checked.scenario.scenario,
        title=checked.scenario.title,
        warnings=checked.warnings,
        forecast=checked.forecast,
    )


@router.get("/schema", summary="The JSON Schema of scenario files, for editors")
async def schema() -> dict[str, Any]:
    return json_schema()


@router.get(
    "",
    summary="The live version of each scenario, or the last of each retired one",
    responses=answers(404, 422, 503),
)
async def list_all(
    context: InContext, channel: InChannel = DEFAULT_CHANNEL, retired: bool = False
) -> list[ScenarioSummary]:
    versions_of_all = versions.retired if retired else versions.live
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
        return [
            ScenarioSummary.of(version) for version in await versions_of_all(connection, channel)
        ]


@router.get(
    "/{scenario}",
    summary="All versions of a scenario, the newest first",
    responses=answers(400, 404, 422, 503),
)
async def versions_of_scenario(
    scenario: str, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> list[ScenarioVersion]:
    async with context.database.connection() as connection:
        live = await versions.live_of(connection, channel, scenario)
        return [
            ScenarioVersion(
                **ScenarioSummary.of(version).model_dump(),
                is_live=live is not None and version.version == live.version,
                source=version.source,
            )
            for version in await versions.versions_of(connection, channel, scenario)
        ]


@router.post(
    "/{scenario}/retire",
    summary="Have nobody enter a scenario any more",
    responses=answers(400, 404, 422, 503),
)
async def retire(
    scenario: str,
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
    under_way: Annotated[
        Literal["finish", "stop"], Query(description="What becomes of journeys under way.")
    ] = "finish",
) -> Retired:
    """Until it is published again. Said again, it goes on where a stopping broke off."""
    stopped = 0
    async with context.database.transaction() as connection:
        await versions.retire(connection, channel, scenario, now=context.database.now())
    while under_way == "stop":
        async with context.database.transaction() as connection:
            some = await journeys.stop_some_of_scenario(
                connection, channel, scenario, because="the scenario was retired"
            )
        if some is None:
            break
        stopped += some
        context.relay.outbox.ring()
    context.relay.enrolments.ring()
    return Retired(channel=channel, scenario=scenario, stopped=stopped)


async def _checked(request: Request, context: Context, channel: str) -> CheckedScenario:
    return await check_for_channel(
        await request.body(),
        channel,
        database=context.database,
        channels=context.channels,
        temporal=context.temporal,
        timezone=context.settings.timezone,
        at=context.database.now(),
    )
