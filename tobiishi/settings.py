"""The operator's settings from the environment: read and checked once.

Each setting is described in `docs/settings.md`. Temporal's own `TEMPORAL_*` names are read by
`temporalio.envconfig` (see `tobiishi.temporal`), not here.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tobiishi.errors import SettingError

LINE_API_BASE_URL = "https://api.line.me"


class Settings(BaseSettings):
    """The settings of every process of Tobiishi. A wrong one raises `pydantic.ValidationError`."""

    model_config = SettingsConfigDict(
        env_prefix="TOBIISHI_", env_ignore_empty=True, populate_by_name=True, extra="ignore"
    )

    #: Address that the starter listens on.
    host: str = "127.0.0.1"
    #: Port of the starter: webhooks, HTTP API.
    port: int = Field(default=8000, ge=1, le=65535)
    #: Where the command line finds the starter; this machine's `port` where not set.
    url: str | None = None
    #: Where the public reaches the starter, without a slash at the end: links in messages lead
    #: there. None: they are sent as they are.
    public_url: str | None = None
    #: Port of the embedded Temporal server.
    temporal_port: int = Field(default=7233, ge=1, le=65535)
    #: Port of the embedded Temporal server's UI.
    temporal_ui_port: int = Field(default=8233, ge=1, le=65535)
    #: Port of the LINE simulator.
    simulator_port: int = Field(default=8300, ge=1, le=65535)
    #: Folder that `make run` keeps its data and keys in.
    home: Path = Path(".tobiishi")
    #: Bearer token of `/api`.
    api_token: SecretStr | None = None
    #: Time zone of scenarios that name none (IANA name).
    timezone: str = "Asia/Tokyo"
    #: Fernet keys, comma-separated, newest first, that encrypt channel secrets at rest.
    secret_key: SecretStr | None = None
    #: Keys as `tobiishi key` makes them, comma-separated, newest first: where set, what Temporal's
    #: histories hold is encrypted.
    payload_keys: SecretStr | None = None
    #: The worker's version, such as a commit: where set, journeys go on with the version that is
    #: made the current one.
    build_id: str | None = None
    #: How logs are written: for people, or as one JSON object a line.
    log_format: Literal["text", "json"] = "text"
    #: Port on which each worker serves its metrics and readiness; none where not set.
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    #: Address that it is opened on.
    metrics_host: str = "127.0.0.1"
    #: Port on which each worker serves the metrics of Temporal's SDK; none where not set.
    sdk_metrics_port: int | None = Field(default=None, ge=1, le=65535)

    #: Postgres to use in place of the embedded one.
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    #: Channel ID of the default LINE channel (for people; LINE's API does not need it).
    line_channel_id: str | None = Field(default=None, validation_alias="LINE_CHANNEL_ID")
    #: Channel secret of the default LINE channel: webhook signatures are checked with it.
    line_channel_secret: SecretStr | None = Field(
        default=None, validation_alias="LINE_CHANNEL_SECRET"
    )
    #: Channel access token of the default LINE channel. Where set, the simulator is not started.
    line_channel_access_token: SecretStr | None = Field(
        default=None, validation_alias="LINE_CHANNEL_ACCESS_TOKEN"
    )
    #: Channel ID of the LINE Login channel that goes with it: identifies who comes by a route.
    line_login_channel_id: str | None = Field(
        default=None, validation_alias="LINE_LOGIN_CHANNEL_ID"
    )
    #: Channel secret of that LINE Login channel.
    line_login_channel_secret: SecretStr | None = Field(
        default=None, validation_alias="LINE_LOGIN_CHANNEL_SECRET"
    )
    #: Where LINE's API answers.
    line_api_base_url: str = Field(default=LINE_API_BASE_URL, validation_alias="LINE_API_BASE_URL")

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(
                f"{name!r} is not a time zone; use an IANA name such as Asia/Tokyo"
            ) from error
        return name

    @field_validator("public_url")
    @classmethod
    def _reachable(cls, url: str | None) -> str | None:
        return None if url is None else public_address(url)

    @model_validator(mode="after")
    def _token_and_secret_together(self) -> Self:
        if self.line_channel_access_token and not self.line_channel_secret:
            raise ValueError(
                "LINE_CHANNEL_ACCESS_TOKEN is set but LINE_CHANNEL_SECRET is not; set both "
                "(LINE Developers console, your channel, Basic settings)"
            )
        if self.line_api_base_url != LINE_API_BASE_URL and not self.line_channel_access_token:
            raise ValueError(
                "LINE_API_BASE_URL is set but LINE_CHANNEL_ACCESS_TOKEN is not; set the token too"
            )
        if bool(self.line_login_channel_id) != bool(self.line_login_channel_secret):
            raise ValueError(
                "of LINE_LOGIN_CHANNEL_ID and LINE_LOGIN_CHANNEL_SECRET one is set; set both "
                "(LINE Developers console, your LINE Login channel, Basic settings)"
            )
        return self

    @classmethod
    def load(cls) -> Self:
        """The settings, or a `SettingError` with one line for each that is wrong."""
        try:
            return cls()
        except ValidationError as error:
            lines = []
            for problem in error.errors(include_url=False, include_context=False):
                name = cls.variable(str(problem["loc"][0])) if problem["loc"] else None
                text = problem["msg"].removeprefix("Value error, ")
                lines.append(f"{name}: {text}" if name else text)
            raise SettingError("\n".join(lines)) from None

    @classmethod
    def variable(cls, field: str) -> str:
        """The environment variable of a field."""
        if field not in cls.model_fields:  # the variable's own name, as some errors have it
            return field
        alias = cls.model_fields[field].validation_alias
        return str(alias) if alias else f"{cls.model_config['env_prefix']}{field}".upper()

    def environment(self) -> dict[str, str]:
        """These settings as variables, for a process that is to have the same."""
        return {
            self.variable(name): (
                value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            )
            for name, value in self
            if value is not None
        }


def public_address(url: str) -> str:
    """The address as links are made of it. Raises `ValueError` where none can be."""
    address = url.rstrip("/")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is not an address: {error}") from error
    # Letters, digits and what a path has: it stands in texts, where an address ends at others.
    if not host or not re.fullmatch(r"https?://[A-Za-z0-9._~:/\[\]-]{1,200}", address):
        raise ValueError(
            f"{url!r} is not an address to reach us at; write it as https://line.example.com, "
            "without a query (a Japanese domain name in its xn-- form)"
        )
    if parts.scheme == "http" and not _is_local(host):
        raise ValueError(
            f"{url!r} is not safe for links that tell who a friend is; use https "
            "(http is for this machine only)"
        )
    return address


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
