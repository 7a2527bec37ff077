"""Attributes and tags of many friends over HTTP, by CSV."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import ConfigDict

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import Problem, answers
from tobiishi.people import attribute_files
from tobiishi.people.attribute_reader import Encoding
from tobiishi.people.member_lists import OnWrong

router = APIRouter(
    prefix="/api/friends",
    tags=["friends"],
    dependencies=[Authorised],
    responses=answers(401, 404, 422, 503),
)

#: Bytes, and how many of them are kept in memory before the rest goes to the disk.
MAX_FILE_BYTES, _IN_MEMORY_BYTES = 64_000_000, 1_000_000


class WrongCell(Described):
    """What is wrong in a line, and what to do about it."""

    model_config = ConfigDict(from_attributes=True)

    line: int
    """From 1."""
    column: str
    """As the header writes it; empty where it is about the whole line."""
    text: str
    """How the cell begins."""
    problem: str
    """What is wrong with it, and what to do."""


class AttributesUploaded(Described):
    """What an upload came to."""

    model_config = ConfigDict(from_attributes=True)

    friends: int
    """Of how many friends something was told."""
    met: int
    """Those of them whom nobody had met."""
    wrong: int
    """Lines that were not kept."""
    wrong_lines: list[WrongCell]
    """The first thousand of their wrong cells."""
    encoding: Encoding
    """What the bytes were read as."""


class Refused(Described):
    """Nothing was kept of a file with wrong lines."""

    model_config = ConfigDict(from_attributes=True)

    detail: str
    """Why nothing was kept, in words."""
    wrong: int
    """Lines that are wrong."""
    wrong_lines: list[WrongCell]
    """The first thousand of their wrong cells."""
    encoding: Encoding
    """What the bytes were read as."""


@router.post(
    "/attributes",
    summary="Tell attributes and tags of many friends, by a CSV with a header row",
    response_model=AttributesUploaded,
    responses=answers(413)
    | {400: {"model": Refused | Problem, "description": "Nothing was kept: the file is wrong"}},
    max_body_size=MAX_FILE_BYTES,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
async def upload_attributes(
    request: Request,
    context: InContext,
    channel: InChannel = DEFAULT_CHANNEL,
    on_wrong: Annotated[
        OnWrong, Query(description="What to do with a file that has wrong lines.")
    ] = "keep_nothing",
) -> Any:
    """All or nothing: an upload that breaks off has told nothing, and is simply sent again."""
    async with context.database.connection() as connection:
        await context.channels.get(connection, channel)
    at = context.database.now()
    with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
        async for piece in request.stream():
            file.write(piece)
        try:
            done = await attribute_files.upload(
                context.database,
                channel,
                file,
                on_wrong=on_wrong,
                today=at.astimezone(ZoneInfo(context.settings.timezone)).date(),
                at=at,
            )
        except attribute_files.WrongAttributeLines as error:
            wrong_cells = [WrongCell.model_validate(cell) for cell in error.wrong_lines]
            refused = Refused(
                detail=str(error),
                wrong=error.wrong,
                wrong_lines=wrong_cells,
                encoding=error.encoding,
            )
            return JSONResponse(refused.model_dump(), 400)
    context.relay.changes.ring()
    return AttributesUploaded.model_validate(done)
