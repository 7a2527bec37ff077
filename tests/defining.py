"""Audiences for tests, from as little as the test has to say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from tobiishi.database import Connection
from tobiishi.people import definitions
from tobiishi.people.audiences import Audience
from tobiishi.scenario.rules import Definition

_definition: TypeAdapter[Definition] = TypeAdapter(Definition)


async def define(
    connection: Connection,
    audience: str,
    definition: dict[str, Any] | None = None,
    *,
    channel: str = "default",
    at: datetime,
) -> Audience:
    """Make the audience; a list of friends where the test says nothing else."""
    return await definitions.put(
        connection,
        channel,
        audience,
        _definition.validate_python(definition or {"kind": "upload"}),
        timezone="Asia/Tokyo",
        at=at,
    )
