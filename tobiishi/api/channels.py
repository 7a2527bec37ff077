"""Channels over HTTP: one deployment serves many LINE Official Accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AfterValidator, ConfigDict, Field, HttpUrl, SecretStr

from tobiishi.api.context import Authorised, Context, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import answers
from tobiishi.channels import quotas
from tobiishi.channels.channels import Channel
from tobiishi.database import Connection, clock
from tobiishi.line.login import LoginChannel
from tobiishi.settings import LINE_API_BASE_URL

router = APIRouter(
    prefix="/api/channels",
    tags=["channels"],
    dependencies=[Authorised],
    responses=answers(401, 503),
)

ChannelName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


def _is_printable(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not (value.isascii() and value.isprintable()):
        raise ValueError("copy it from the LINE Developers console: letters and digits, one line")
    return secret


#: What LINE gave out, and an HTTP header can carry.
Given = Annotated[SecretStr, Field(min_length=1), AfterValidator(_is_printable)]


class ChannelBody(Described):
    """What it takes to speak for a channel (LINE Developers console)."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(default=None, max_length=120)
    """What people call it; its name, where left out."""
    secret: Given
    """The channel secret, which signs webhooks. It is kept encrypted."""
    access_token: Given
    """The channel access token, to send with. It is kept encrypted."""
    api_base_url: HttpUrl = HttpUrl(LINE_API_BASE_URL)
    """Where the Messaging API is: LINE's own, where left out."""


class LoginBody(Described):
    """A LINE Login channel of the same provider (LINE Developers console)."""

    model_config = ConfigDict(extra="forbid")

    channel_id: str = Field(pattern=r"^[0-9]{1,20}$")
    """Channel ID of the LINE Login channel."""
    secret: Given
    """Its channel secret. It is kept encrypted."""


class QuotaSummary(Described):
    """A channel's messages of this month, by LINE's own approximate count."""

    model_config = ConfigDict(from_attributes=True)

    monthly: int | None
    """Null where there is no limit."""
    used: int
    """Messages that were sent this month."""
    left: int | None
    """Messages that may still be sent; null where there is no limit."""
    told_at: datetime
    """When LINE told this."""


class ChannelSummary(Described):
    """A channel, its secrets left out."""

    channel: str
    """Its name, in addresses."""
    title: str
    """What people call it."""
    api_base_url: str
    """Where the Messaging API is."""
    webhook: str
    """The path to set as its webhook URL in the LINE Developers console."""
    login: str | None
    """Channel ID of its LINE Login channel, where it has one."""
    callback: str
    """The path to set as that channel's callback URL."""
    quota: QuotaSummary | None
    """Its messages of this month; null until LINE has told."""


@router.get("", summary="All channels")
async def list_all(context: InContext) -> list[ChannelSummary]:
    async with context.database.connection() as connection:
        return [
            await _summary(connection, channel)
            for channel in await context.channels.all(connection)
        ]


@router.put("/{channel}", summary="Add a channel, or change it", responses=answers(400, 413, 422))
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


@router.put(
    "/{channel}/login",
    summary="Have LINE Login tell who comes by a route",
    responses=answers(400, 404, 413, 422),
)
async def put_login(channel: ChannelName, body: LoginBody, context: InContext) -> ChannelSummary:
    """The environment's, where it names one, is written again at each start."""
    login = LoginChannel(channel_id=body.channel_id, secret=body.secret.get_secret_value())
    return await _change_login(channel, login, context)


@router.delete(
    "/{channel}/login",
    summary="Have nobody told by LINE Login any more",
    responses=answers(404, 422),
)
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
    quota = await quotas.get(connection, channel.channel, at=await clock(connection))
    return ChannelSummary(
        channel=channel.channel,
        title=channel.title,
        api_base_url=channel.api_base_url,
        webhook=f"/webhook/{channel.channel}",
        login=channel.login.channel_id if channel.login else None,
        callback="/r/callback",
        quota=QuotaSummary.model_validate(quota) if quota else None,
    )
