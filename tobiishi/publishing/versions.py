"""Publishing: a scenario that was checked becomes a numbered version that never changes.

New journeys take the live version: the last one, unless the scenario was retired since. A journey
keeps the version it started with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import NotFound
from tobiishi.people import definitions
from tobiishi.publishing import enrolments
from tobiishi.publishing.enrolments import Enrolment
from tobiishi.scenario import Scenario

_sql = queries("publishing")


@dataclass(frozen=True, kw_only=True)
class Version:
    """A published version of a scenario."""

    channel: str
    #: Counts up from 1 for each scenario.
    version: int
    scenario: Scenario
    #: The file as the marketer wrote it.
    source: str = field(repr=False)
    published_at: datetime
    #: Who published it, as they said; None where nobody did.
    author: str | None = None
    #: What they noted of it.
    note: str | None = None

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> Version:
        return cls(
            channel=row["channel"],
            version=row["version"],
            scenario=_scenario_in(row),
            source=row["source"],
            published_at=row["published_at"],
            author=row["author"],
            note=row["note"],
        )


#: What was read of late, by which version it is, with the definition that it was read from. To read
#: one takes milliseconds, and each friend who is added asks for all that start by that.
_read: dict[tuple[str, str, int], tuple[Any, Scenario]] = {}
_MOST_READ = 1000


def _scenario_in(row: asyncpg.Record) -> Scenario:
    key = row["channel"], row["scenario"], row["version"]
    definition, scenario = _read.get(key, (None, None))
    if scenario is None or definition != row["definition"]:
        scenario = Scenario.from_stored(row["definition"])
        if len(_read) >= _MOST_READ:
            del _read[next(iter(_read))]
        _read[key] = row["definition"], scenario
    return scenario


@dataclass(frozen=True, kw_only=True)
class Published:
    """The result of publishing."""

    version: Version
    #: True where the live version says the same already, so that no new one was made.
    unchanged: bool
    #: Audiences that the scenario names and nobody had made yet; they exist now, empty.
    new_audiences: list[str]
    #: Begun for those who are in its audience already; None where the scenario asks for none.
    enrolment: Enrolment | None


async def publish(
    connection: Connection,
    channel: str,
    scenario: Scenario,
    source: str,
    *,
    now: datetime,
    author: str | None = None,
    note: str | None = None,
) -> Published:
    """Make the scenario the live version of its name. To be called in a transaction.

    `author` and `note` are kept with a new version; one that was published never changes.

    Raises `Invalid` where an audience that it defines exists already and is another one.
    """
    await _sql.lock(connection, channel=channel, scenario=scenario.scenario)
    await enrolments.lock_all_of(connection, channel, scenario.scenario)
    new_audiences = await definitions.add_missing(
        connection,
        channel,
        scenario.audiences(),
        scenario.definitions(),
        reported=scenario.audiences_acted_on(),
        timezone=scenario.timezone,
        at=now,
    )
    row = await _sql.latest(connection, channel=channel, scenario=scenario.scenario)
    latest = Version.from_row(row) if row else None
    live_version = await _sql.live_version(connection, channel=channel, scenario=scenario.scenario)
    unchanged = (
        latest is not None
        and latest.version == live_version
        and (latest.scenario, latest.source) == (scenario, source)
    )
    enrolment = None
    if latest is None or not unchanged:
        latest = Version(
            channel=channel,
            version=latest.version + 1 if latest else 1,
            scenario=scenario,
            source=source,
            published_at=now,
            author=author,
            note=note,
        )
        await _sql.add(
            connection,
            channel=channel,
            scenario=scenario.scenario,
            version=latest.version,
            title=scenario.title,
            source=source,
            definition=scenario.as_stored(),
            start_audience=scenario.start.audience,
            published_at=now,
            author=author,
            note=note,
        )
        await _sql.make_live(
            connection, channel=channel, scenario=scenario.scenario, version=latest.version
        )
        enrolment = await enrolments.supersede(
            connection, channel, scenario, latest.version, now=now
        )
    return Published(
        version=latest, unchanged=unchanged, new_audiences=new_audiences, enrolment=enrolment
    )


async def retire(connection: Connection, channel: str, scenario: str, *, now: datetime) -> None:
    """Let nobody enter the scenario any more, until it is published again. Raises `NotFound`.

    Journeys under way go on. To be called in a transaction.
    """
    await _sql.lock(connection, channel=channel, scenario=scenario)
    await versions_of(connection, channel, scenario)
    await enrolments.lock_all_of(connection, channel, scenario)
    await enrolments.cancel_all_of(
        connection, channel, scenario, because="the scenario was retired", now=now
    )
    await _sql.retire(connection, channel=channel, scenario=scenario)


async def get(connection: Connection, channel: str, scenario: str, version: int) -> Version:
    """Return the version. Raises `NotFound`."""
    row = await _sql.get(connection, channel=channel, scenario=scenario, version=version)
    if row is None:
        raise NotFound(f"scenario {scenario!r} has no version {version} in channel {channel!r}")
    return Version.from_row(row)


async def current(connection: Connection, channel: str, scenario: str) -> Version:
    """The live version, or the last one of a scenario that was retired. Raises `NotFound`."""
    found = await live_of(connection, channel, scenario)
    return found or (await versions_of(connection, channel, scenario))[0]


async def versions_of(connection: Connection, channel: str, scenario: str) -> list[Version]:
    """All versions, the newest first. Raises `NotFound` where there is none."""
    rows = await all_rows(_sql.versions_of(connection, channel=channel, scenario=scenario))
    if not rows:
        raise NotFound(f"scenario {scenario!r} does not exist in channel {channel!r}")
    return [Version.from_row(row) for row in rows]


async def live(connection: Connection, channel: str) -> list[Version]:
    """The live version of each scenario."""
    return [Version.from_row(row) for row in await all_rows(_sql.live(connection, channel=channel))]


async def live_of(connection: Connection, channel: str, scenario: str) -> Version | None:
    """The scenario's live version; None where it was retired."""
    version = await _sql.live_version(connection, channel=channel, scenario=scenario)
    return None if version is None else await get(connection, channel, scenario, version)


async def retired(connection: Connection, channel: str) -> list[Version]:
    """The last version of each scenario that was retired."""
    rows = await all_rows(_sql.retired(connection, channel=channel))
    return [Version.from_row(row) for row in rows]


async def started_by_friend_add(connection: Connection, channel: str) -> list[Version]:
    """The live versions whose journeys start when a friend is added."""
    rows = await all_rows(_sql.live_started_by_friend_add(connection, channel=channel))
    return [Version.from_row(row) for row in rows]


async def started_by_audience(connection: Connection, channel: str, audience: str) -> list[Version]:
    """The live versions whose journeys start when a friend joins the audience."""
    rows = await all_rows(
        _sql.live_started_by_audience(connection, channel=channel, audience=audience)
    )
    return [Version.from_row(row) for row in rows]


class Versions:
    """Published versions, remembered: they never change."""

    def __init__(self, remembered: int = 1000) -> None:
        self._remembered = remembered
        self._versions: dict[tuple[str, str, int], Version] = {}

    async def get(
        self, connection: Connection, channel: str, scenario: str, version: int
    ) -> Version:
        """Return the version. Raises `NotFound`."""
        key = (channel, scenario, version)
        if key not in self._versions:
            if len(self._versions) >= self._remembered:
                del self._versions[next(iter(self._versions))]
            self._versions[key] = await get(connection, channel, scenario, version)
        return self._versions[key]
