"""Scenarios over HTTP: check, publish, retire, look up."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, Context, InChannel, InContext, now
from tobiishi.api.enrolments import Enrolment
from tobiishi.channels import pacing
from tobiishi.journeys import journeys
from tobiishi.line import LineClient
from tobiishi.publishing import versions
from tobiishi.publishing.forecast import forecast
from tobiishi.publishing.validation import Warning, check
from tobiishi.scenario import Scenario, json_schema

router = APIRouter(prefix="/api/scenarios", tags=["scenarios"], dependencies=[Authorised])

_YAML = {
    "requestBody": {
        "required": True,
        "content": {"application/yaml": {"schema": {"type": "string"}}},
    }
}


class Checked(BaseModel):
    """A scenario that can be published."""

    channel: str
    scenario: str
    title: str
    #: What is allowed but probably not meant.
    warnings: list[Warning]
    #: How many it may send to, and how long that takes, in words.
    forecast: str


class Published(Checked):
    """A scenario that was published."""

    version: int
    #: True where the live version said the same already, so that no new one was made.
    unchanged: bool
    #: Audiences that the scenario names and nobody had made yet; they exist now, empty.
    new_audiences: list[str]
    #: Begun for those who are in its audience already, where the scenario asks for that.
    enrolment: Enrolment | None


class Retired(BaseModel):
    """A scenario that nobody enters any more."""

    channel: str
    scenario: str
    #: Journeys that were under way and are being stopped.
    stopped: int


class Summary(BaseModel):
    """A published version of a scenario."""

    channel: str
    scenario: str
    version: int
    title: str
    published_at: datetime

    @classmethod
    def of(cls, version: versions.Version) -> Summary:
        return cls(
            channel=version.channel,
            scenario=version.scenario.scenario,
            version=version.version,
            title=version.scenario.title,
            published_at=version.published_at,
        )


class Whole(Summary):
    """A published version, with the file it came from."""

    source: str


@router.post("", summary="Check a scenario and publish it as a new version", openapi_extra=_YAML)
async def publish(
    request: Request, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> Published:
    """The body is the YAML. 422 with every problem's line, field and fix where it is wrong."""
    source, scenario, warnings, expected = await _checked(request, context, channel)
    async with context.database.transaction() as connection:
        published = await versions.publish(connection, channel, scenario, source, now=now())
    context.relay.enrolments.ring()
    warnings += [
        Warning(
            field="audiences",
            message=f"audience {name!r} did not exist and was made, empty; "
            "check its spelling, or fill it",
        )
        for name in published.new_audiences
    ]
    return Published(
        channel=channel,
        scenario=scenario.scenario,
        title=scenario.title,
        version=published.version.version,
        unchanged=published.unchanged,
        new_audiences=published.new_audiences,
        enrolment=Enrolment.of(published.enrolment) if published.enrolment else None,
        warnings=warnings,
        forecast=expected,
    )


@router.post("/check", summary="Check a scenario, and publish nothing", openapi_extra=_YAML)
async def check_only(
    request: Request, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> Checked:
    """As publishing does, up to the publishing."""
    _, scenario, warnings, expected = await _checked(request, context, channel)
    return Checked(
        channel=channel,
        scenario=scenario.scenario,
        title=scenario.title,
        warnings=warnings,
        forecast=expected,
    )


@router.get("/schema", summary="The JSON Schema of scenario files, for editors")
async def schema() -> dict[str, Any]:
    return json_schema()


@router.get("", summary="The live version of each scenario, or the last of each retired one")
async def list_all(
    context: InContext, channel: InChannel = DEFAULT_CHANNEL, retired: bool = False
) -> list[Summary]:
    versions_of_all = versions.retired if retired else versions.live
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
        return [Summary.of(version) for version in await versions_of_all(connection, channel)]


@router.get("/{scenario}", summary="All versions of a scenario, the newest first")
async def versions_of_scenario(
    scenario: str, context: InContext, channel: InChannel = DEFAULT_CHANNEL
) -> list[Whole]:
    async with context.database.connection() as connection:
        return [
            Whole(**Summary.of(version).model_dump(), source=version.source)
            for version in await versions.versions_of(connection, channel, scenario)
        ]


@router.post("/{scenario}/retire", summary="Have nobody enter a scenario any more")
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
        await versions.retire(connection, channel, scenario, now=now())
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


async def _checked(
    request: Request, context: Context, channel: str
) -> tuple[str, Scenario, list[Warning], str]:
    body = await request.body()
    async with context.database.connection() as connection:
        known = await context.channels.get(connection, channel)
    async with LineClient(base_url=known.api_base_url, access_token=known.access_token) as line:
        scenario, warnings = await check(
            body, line=line, timezone=context.settings.timezone, now=now()
        )
    per_second = await pacing.of_a_channel(context.temporal)
    async with context.database.connection() as connection:
        expected = await forecast(connection, channel, scenario, per_second=per_second, at=now())
    if warning := expected.warning():
        warnings.append(Warning(field="start", message=warning))
    return body.decode(), scenario, warnings, expected.in_words()
