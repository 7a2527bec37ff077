"""Uploads over HTTP: a file of user ids becomes members of an audience."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict

from tobiishi.api.audiences import AudienceName
from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import answers
from tobiishi.people import audiences, member_lists

router = APIRouter(
    prefix="/api/audiences",
    tags=["audiences"],
    dependencies=[Authorised],
    responses=answers(401, 404, 422, 503),
)

#: Bytes: a million and a half ids, as many as LINE itself takes in a file.
MAX_FILE_BYTES = 64_000_000


class WrongLine(Described):
    """A line whose ids can't be told."""

    model_config = ConfigDict(from_attributes=True)

    line: int
    """Its number, from 1."""
    text: str
    """How it begins, with what is invisible written out."""
    problem: str
    """What is wrong with it."""


class MembersUploaded(Described):
    """What an upload came to."""

    model_config = ConfigDict(from_attributes=True)

    ids: int
    """Ids in the file."""
    joined: int
    """Friends who were added."""
    already_in: int
    """Friends who were in the audience before."""
    wrong: int
    """Lines that hold no user id, or several beside other columns."""
    wrong_lines: list[WrongLine]
    """The first thousand of the wrong lines."""
    header: str
    """How the first line begins, where it was taken for a header; else empty."""


@router.post(
    "/{audience}/upload",
    summary="Add the user ids of a file: one a line, or a CSV with the ids in its first column",
    max_body_size=MAX_FILE_BYTES,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
    responses=answers(400, 413),
)
async def upload(
    audience: AudienceName,
    request: Request,
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
    on_wrong: Annotated[
        member_lists.OnWrong, Query(description="What to do with a file that has wrong lines.")
    ] = "keep_nothing",
) -> MembersUploaded:
    """All or nothing: an upload that breaks off has added nobody, and is simply sent again."""
    async with context.database.long_transaction() as connection:
        await audiences.get_listed(connection, channel, audience)
        done = await member_lists.upload(
            connection,
            channel,
            audience,
            request.stream(),
            on_wrong=on_wrong,
            at=context.database.now(),
            reason="uploaded",
        )
    context.relay.changes.ring()
    return MembersUploaded.model_validate(done)
