"""Channels over HTTP: one deployment serves many LINE Official Accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from tobiishi.api.context import Authorised, Context, InContext, now
from tobiishi.channels import quotas
from tobiishi.channels.channels import Channel
from tobiishi.database import Connection
from tobiishi.line.login import LoginChannel
from tobiishi.settings import LINE_API_BASE_URL

router = APIRouter(prefix="/api/channels", tags=["channels"], dependencies=[Authorised])

ChannelName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


def _is_printable(secret: SecretStr) -> SecretStr:
    said = secret.get_secret_value()
    if not (said.isascii() and said.isprintable()):
        raise ValueError("copy it from the LINE Developers console: letters and digits, one line")
    return secret


#: What LINE gave out, and an HTTP header can carry.
Given = Annotated[SecretStr, Field(min_length=1), AfterValidator(_is_printable)]


class ChannelBody(BaseModel):
    """What it takes to speak for a channel (LINE Developers console)."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(default=None, max_length=120)
    secret: Given
    access_token: Given
    api_base_url: HttpUrl = HttpUrl(LINE_API_BASE_URL)


class LoginBody(BaseModel):
    """A LINE Login channel of the same provider (LINE Developers console)."""

    model_config = ConfigDict(extra="forbid")

    channel_id: str = Field(pattern=r"^[0-9]{1,20}$")
    secret: Given


class QuotaSummary(BaseModel):
    """A channel's messages of this month, by LINE's own approximate count."""

    model_config = ConfigDict(from_attributes=True)

    #: Null where there is no limit.
    monthly: int | None
    used: int
    left: int | None
    told_at: datetime


class ChannelSummary(BaseModel):
    """A channel, its secrets left out."""

    channel: str
    title: str
    api_base_url: str
    #: The path to set as its webhook URL in the LINE Developers console.
    webhook: str
    #: Channel ID of its LINE Login channel, where it has one.
    login: str | None
    #: The path to set as that channel's callback URL.
    callback: str
    #: Its messages of this month; null until LINE has told.
    quota: QuotaSummary | None


@router.get("", summary="All channels")
async def list_all(context: InContext) -> list[ChannelSummary]:
    async with context.database.connection() as connection:
        return [
            await _summary(connection, channel)
            for channel in await context.channels.all(connection)
        ]


@router.put("/{channel}", summary="Add a channel, or change it")
async def put(channel: ChannelName, body: ChannelBody, context: InContext) -> ChannelSummary:
    """The environment's channel, `default`, is written again at each start."""
    changed = Channel(
        channel=channel,
        title=body.title or channel,
        secret=body.secret.get_secret_value(),
        access_token=body.access_token.get_secret_value(),
        api_base_url=str(body.api_base_url).rstrip("/"),
    )
    async with context.database.transaction() as connection:
        await context.channels.put(connection, changed)
        return await _summary(connection, await context.channels.get(connection, channel))


@router.put("/{channel}/login", summary="Have LINE Login tell who comes by a route")
async def put_login(channel: ChannelName, body: LoginBody, context: InContext) -> ChannelSummary:
    """The environment's, where it names one, is written again at each start."""
    login = LoginChannel(channel_id=body.channel_id, secret=body.secret.get_secret_value())
    return await _change_login(channel, login, context)


@router.delete("/{channel}/login", summary="Have nobody told by LINE Login any more")
async def remove_login(channel: ChannelName, context: InContext) -> ChannelSummary:
    return await _change_login(channel, None, context)


async def _change_login(
    channel: str, login: LoginChannel | None, context: Context
) -> ChannelSummary:
    async with context.database.transaction() as connection:
        await context.channels.get(connection, channel)
        await context.channels.put_login(connection, channel, login)
        return await _summary(connection, await context.channels.get(connection, channel))


async def _summary(connection: Connection, channel: Channel) -> ChannelSummary:
    quota = await quotas.get(connection, channel.channel, at=now())
    return ChannelSummary(
        channel=channel.channel,
        title=channel.title,
        api_base_url=channel.api_base_url,
        webhook=f"/webhook/{channel.channel}",
        login=channel.login.channel_id if channel.login else None,
        callback="/r/callback",
        quota=QuotaSummary.model_validate(quota) if quota else None,
    )
