"""Readiness: whether a process can do its work now, part by part."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from tobiishi.database import Database, Unavailable

#: Seconds that a part may take for an answer.
TIMEOUT_SECONDS = 2.0

OK = "ok"


async def of_database(database: Database) -> str:
    """`ok`, or what is wrong with it."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            missing = await database.missing_migrations()
    except Unavailable as error:
        return f"away: {type(error).__name__}"
    return f"not migrated: {', '.join(missing)}" if missing else OK


async def of_temporal(client: Client) -> str:
    """`ok`, or what is wrong with it."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace=client.namespace),
                timeout=timedelta(seconds=TIMEOUT_SECONDS),
            )
    except Exception as error:  # The SDK raises RuntimeError, RPCError or a time-out.
        return f"away: {type(error).__name__}"
    return OK


async def of_both(database: Database, client: Client) -> dict[str, str]:
    """Of the database and of Temporal, asked at the same time."""
    states = await asyncio.gather(of_database(database), of_temporal(client))
    return dict(zip(("database", "temporal"), states, strict=True))
