"""All that is said of a scenario before it goes live: what is doubtful, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from temporalio.client import Client

from tobiishi.channels import pacing
from tobiishi.channels.channels import Channels
from tobiishi.database import Database
from tobiishi.line import LineClient
from tobiishi.publishing.forecast import forecast
from tobiishi.publishing.names import known_to, lost_names
from tobiishi.publishing.validation import Warning, check
from tobiishi.scenario import Scenario, ScenarioError


@dataclass(frozen=True, kw_only=True)
class CheckedScenario:
    """A scenario that can be published."""

    scenario: Scenario
    #: The YAML that it was read from.
    source: str
    #: What is allowed, but probably not meant.
    warnings: list[Warning]
    #: How many it may send to, and how long that takes, in words.
    forecast: str


async def check_for_channel(
    data: bytes,
    channel: str,
    *,
    database: Database,
    channels: Channels,
    temporal: Client,
    timezone: str,
    at: datetime,
) -> CheckedScenario:
    """The scenario of a file, for a channel. Raises `ScenarioError` and `NotFound`."""
    async with database.connection() as connection:
        known = await channels.get(connection, channel)
    async with LineClient(base_url=known.api_base_url, access_token=known.access_token) as line:
        source, warnings = await check(data, line=line, timezone=timezone, now=at)
    scenario = source.scenario
    per_second = await pacing.of_a_channel(temporal)
    async with database.connection() as connection:
        lost = list(lost_names(scenario, await known_to(connection, channel)))
        if refused := [name for name in lost if name.is_refused]:
            raise ScenarioError([source.map.problem(name.path, name.message) for name in refused])
        warnings += [Warning.of(source.map.problem(name.path, name.message)) for name in lost]
        expected = await forecast(connection, channel, scenario, per_second=per_second, at=at)
    if warning := expected.warning():
        warnings.append(Warning(field="start", message=warning))
    return CheckedScenario(
        scenario=scenario,
        source=data.decode(),
        warnings=warnings,
        forecast=expected.in_words(),
    )
