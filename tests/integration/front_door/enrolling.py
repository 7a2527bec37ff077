"""Enrolments for tests: pages entered, and what came of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client

from tests.integration.front_door.knocking import body_of, friend_id, journeys
from tobiishi import webhooks
from tobiishi.database import Database
from tobiishi.journeys import journeys as journeys_
from tobiishi.people import audiences
from tobiishi.publishing import enrolments, versions
from tobiishi.publishing.enrolment_plan import Progress
from tobiishi.publishing.enrolments import Enrolment
from tobiishi.relay.webhook_events import apply_event

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
MEMBERS = "start: {audience: vip, include_members: true}"


async def join(database: Database, *who: str, audience: str = "vip") -> None:
    async with database.transaction() as connection:
        await audiences.join(connection, "default", audience, who, at=NOW, reason="listed")


async def leave(database: Database, *who: str) -> None:
    async with database.transaction() as connection:
        await audiences.leave(connection, "default", "vip", who, at=NOW, reason="unlisted")


async def forget_changes(database: Database) -> None:
    """As an upload that nobody watched: it told of no change."""
    async with database.connection() as connection:
        await connection.execute("delete from audience_changes")


async def many(database: Database, members: int) -> list[str]:
    """So many more members."""
    ids = [friend_id(number) for number in range(100, 100 + members)]
    await join(database, *ids)
    await forget_changes(database)
    return ids


async def page(
    database: Database, at: datetime = NOW, *, enrolment: int = 0, keep: bool = True
) -> Progress:
    """Enter a page of the enrolment, the last one where no other is named."""
    async with database.connection() as connection:
        number = enrolment or await connection.fetchval("select max(id) from enrolments")
        found = await enrolments.get(connection, number)
        ref = found.ref
        version = await versions.get(connection, ref.channel, ref.scenario, ref.version)
    async with database.transaction() as connection:
        progress = await enrolments.enter_page(connection, number, version.scenario, now=at)
        if not keep:
            raise ConnectionResetError("the worker died")
    return progress


async def all_pages(database: Database, at: datetime = NOW) -> Progress:
    """Enter page after page, each when it is due, with a Temporal that starts all at once."""
    while not (progress := await page(database, at)).is_over:
        assert progress.next_at is not None
        at = progress.next_at
        await start_all(database)
    return progress


async def start_all(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("delete from outbox where kind = 'start'")


async def end_all(database: Database) -> None:
    async with database.transaction() as connection:
        for row in await connection.fetch("select id from journeys where ended_at is null"):
            await journeys_.end(connection, row["id"], "completed", at=NOW)


async def last(database: Database) -> Enrolment:
    async with database.connection() as connection:
        return await enrolments.get(
            connection, await connection.fetchval("select max(id) from enrolments")
        )


async def entered(database: Database) -> list[str]:
    return [row["friend"] for row in await journeys(database)]


async def told(database: Database, *events: dict[str, Any]) -> None:
    """Have the relay follow webhook events."""
    for event in events:
        read = webhooks.read("default", knocked(event), received_at=NOW)
        for kept in read:
            async with database.transaction() as connection:
                await apply_event(connection, kept)


def knocked(event: dict[str, Any]) -> bytes:
    return body_of(event)


def handle_of(client: Client, enrolment: Enrolment) -> Any:
    return client.get_workflow_handle(enrolment.ref.workflow_id)


async def looks(client: Client, enrolment: Enrolment) -> int:
    """How often its workflow was told to look."""
    history = await handle_of(client, enrolment).fetch_history()
    return sum(
        past.workflow_execution_signaled_event_attributes.signal_name == "look"
        for past in history.events
    )
