"""What differs between two versions of a scenario, or between a file and a version, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic_core import to_jsonable_python

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext, InLanguage
from tobiishi.api.described import Described
from tobiishi.api.errors import WRONG_SCENARIO, answers
from tobiishi.errors import Invalid
from tobiishi.languages import Language
from tobiishi.publishing import versions
from tobiishi.publishing.validation import aside
from tobiishi.scenario import Scenario, read
from tobiishi.scenario.difference_words import NOTHING, difference_in_words
from tobiishi.scenario.differences import differences

router = APIRouter(
    prefix="/api/scenarios",
    tags=["scenarios"],
    dependencies=[Authorised],
    responses=answers(400, 401, 404, 503),
)


class Difference(Described):
    """One thing that differs."""

    code: str
    """What kind of difference it is, for programs: `wait_changed`."""
    params: dict[str, Any]
    """What it is about, for programs: names, parts of the scenarios, the place."""
    text: str
    """The same in words."""


class Comparison(Described):
    """What happened to one version of a scenario to make it another."""

    channel: str
    """The LINE channel."""
    scenario: str
    """The scenario's name."""
    a: int
    """The version that it is compared with."""
    b: int | None
    """The version that is compared; null for a file."""
    differences: list[Difference]
    """What differs: settings first, then the steps in their order."""
    text: str
    """All of it in words, a line each."""


@router.get("/{scenario}/diff", summary="What differs between two versions", responses=answers(422))
async def between_versions(
    scenario: str,
    context: InContext,
    language: InLanguage,
    a: Annotated[
        int | None, Query(ge=1, description="The older version; the one before `b` if left out.")
    ] = None,
    b: Annotated[
        int | None, Query(ge=1, description="The newer version; the live one if left out.")
    ] = None,
    channel: InChannel = DEFAULT_CHANNEL,
) -> Comparison:
    """What has become of `a` to make it `b`, in words."""
    async with context.database.connection() as connection:
        newer = (
            await versions.current(connection, channel, scenario)
            if b is None
            else await versions.get(connection, channel, scenario, b)
        )
        if a is None and newer.version == 1:
            raise Invalid(f"version 1 of {scenario!r} is the first; name another one as `b`")
        older = await versions.get(connection, channel, scenario, a or newer.version - 1)
    return await _compared(older, newer.scenario, language, b=newer.version)


@router.post(
    "/diff",
    summary="What differs between a version and a file",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/yaml": {"schema": {"type": "string"}}},
        }
    },
    responses=answers(413) | WRONG_SCENARIO,
)
async def with_file(
    request: Request,
    context: InContext,
    language: InLanguage,
    a: Annotated[
        int | None, Query(ge=1, description="The version; the live one if left out.")
    ] = None,
    channel: InChannel = DEFAULT_CHANNEL,
) -> Comparison:
    """The body is the YAML: what publishing it would change, in words."""
    data = await request.body()
    source = await aside(read, data, timezone=context.settings.timezone)
    name = source.scenario.scenario
    async with context.database.connection() as connection:
        version = (
            await versions.current(connection, channel, name)
            if a is None
            else await versions.get(connection, channel, name, a)
        )
    return await _compared(version, source.scenario, language, b=None)


async def _compared(
    version: versions.Version, scenario: Scenario, language: Language, *, b: int | None
) -> Comparison:
    found = [
        Difference(
            code=each.code,
            params=to_jsonable_python(dict(each.params), by_alias=True, exclude_none=True),
            text=difference_in_words(each, language),
        )
        for each in await aside(differences, version.scenario, scenario)
    ]
    return Comparison(
        channel=version.channel,
        scenario=scenario.scenario,
        a=version.version,
        b=b,
        differences=found,
        text="\n".join(each.text for each in found) or NOTHING[language],
    )
