"""Deleting audiences that nothing rests on any more."""

from __future__ import annotations

from tobiishi.database import Connection, all_rows, queries
from tobiishi.errors import InUse
from tobiishi.people import audiences
from tobiishi.publishing import versions

_sql = queries("audiences")

#: The columns that hold an audience's name.
_TABLES = ("audience_members", "past_memberships", "journey_interests", "audiences")


async def delete(connection: Connection, channel: str, audience: str) -> None:
    """Delete the audience with its members and its history. Raises `NotFound`, `InUse`.

    To be called in a transaction.
    """
    await _sql.lock_defining(connection, channel=channel)
    await _sql.lock(connection, channel=channel, audience=audience)
    await _sql.lock_definitions(connection, channel=channel)
    await audiences.get(connection, channel, audience)
    if users := await _users(connection, channel, audience):
        raise InUse(
            f"audience {audience!r} is used by {', '.join(users)}; publish them without it, or "
            "retire them; let the journeys under way end, or change what asks about it first"
        )
    await _sql.forget_changes(connection, channel=channel, audience=audience)
    for table in _TABLES:
        # The names are ours: nothing of a request is in them.
        statement = f"delete from {table} where channel = $1 and audience = $2"  # noqa: S608
        await connection.execute(statement, channel, audience)


async def _users(connection: Connection, channel: str, audience: str) -> list[str]:
    live = await versions.live(connection, channel)
    users = [
        f"scenario {version.scenario.scenario}"
        for version in live
        if audience in version.scenario.audiences()
    ]
    live_versions = {(version.scenario.scenario, version.version) for version in live}
    for row in await all_rows(_sql.versions_under_way(connection, channel=channel)):
        if (row["scenario"], row["version"]) not in live_versions:
            version = await versions.get(connection, channel, row["scenario"], row["version"])
            if audience in version.scenario.audiences():
                users.append(f"journeys of scenario {row['scenario']} version {row['version']}")
    combined = _sql.asked_about_by(connection, channel=channel, audience=audience)
    return users + [f"audience {row['audience']}" for row in await all_rows(combined)]
