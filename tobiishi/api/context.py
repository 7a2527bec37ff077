"""What every request can reach: made once, when the app starts."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Header, HTTPException, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from temporalio.client import Client

from tobiishi import temporal
from tobiishi.api import intake
from tobiishi.api.intake import Intake
from tobiishi.channels import channels
from tobiishi.channels.channels import Channels
from tobiishi.channels.vault import Vault
from tobiishi.database import Database
from tobiishi.errors import SettingError
from tobiishi.languages import Language, of_header
from tobiishi.limits import Limit
from tobiishi.metrics import Gauges
from tobiishi.publishing.versions import Versions
from tobiishi.rehearsal.held import Rehearsals
from tobiishi.relay.relay import Relay
from tobiishi.settings import Settings
from tobiishi.tokens import Signer


@dataclass(frozen=True, kw_only=True)
class Context:
    """The parts of a running starter."""

    settings: Settings
    database: Database
    channels: Channels
    #: Of the tokens in addresses that the public sees.
    signer: Signer
    temporal: Client
    relay: Relay
    #: Of webhooks.
    intake: Intake
    #: What the database and Temporal know, for Prometheus.
    gauges: Gauges
    #: Those that were asked for: a published version never changes.
    versions: Versions = field(default_factory=Versions)
    #: How often a visitor of the shop's site may tell something.
    visits: Limit = field(default_factory=lambda: Limit(times=120, seconds=60))
    #: Those under way.
    rehearsals: Rehearsals = field(default_factory=Rehearsals)

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator[Context]:
        """Raises `SettingError` where a setting is missing, one of `Unavailable` for the database.

        Temporal may be away: webhooks are kept all the same, and journeys start when it is back.
        """
        url, vault = cls.check(settings)
        assert settings.secret_key is not None  # Or the vault would have refused it.
        async with AsyncExitStack() as parts:
            # The relay has hands of its own: requests must not wait for them.
            database = await Database.open(url, size=20)
            parts.push_async_callback(database.close)
            door = await database.beside(size=intake.CONNECTIONS)
            parts.push_async_callback(door.close)
            known = Channels(vault)
            async with database.transaction() as connection:
                await known.put_default(connection, settings)
            client = await temporal.connect(lazy=True, payload_keys=settings.payload_keys)
            relay = await parts.enter_async_context(
                Relay(database, client, timezone=settings.timezone, channels=known)
            )
            rehearsals = Rehearsals()
            parts.push_async_callback(rehearsals.close)
            yield cls(
                settings=settings,
                database=database,
                channels=known,
                signer=Signer(settings.secret_key),
                temporal=client,
                relay=relay,
                intake=await parts.enter_async_context(Intake(door, known, ring=relay.events.ring)),
                gauges=Gauges(database, client),
                rehearsals=rehearsals,
            )

    @staticmethod
    def check(settings: Settings) -> tuple[str, Vault]:
        """The database address and the vault. Raises `SettingError` where one is missing."""
        if settings.api_token is None:
            raise SettingError("TOBIISHI_API_TOKEN is not set; /api is closed without it")
        if settings.database_url is None:
            raise SettingError("DATABASE_URL is not set; name the Postgres to keep everything in")
        return settings.database_url, Vault(settings.secret_key)


async def _context(request: Request) -> Context:
    # Not `def`: FastAPI would go to another thread for it.
    return of(request)


def of(request: Request) -> Context:
    """The running starter's parts."""
    return cast(Context, request.app.state.context)


_bearer = HTTPBearer(auto_error=False, description="TOBIISHI_API_TOKEN")


async def _authorised(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    token = of(request).settings.api_token
    given = credentials.credentials.encode() if credentials else b""
    if not token or not hmac.compare_digest(given, token.get_secret_value().encode()):
        raise HTTPException(
            401,
            "the API needs `Authorization: Bearer <TOBIISHI_API_TOKEN>`",
            headers={"WWW-Authenticate": "Bearer"},
        )


#: The running starter's parts, as a parameter of a route.
InContext = Annotated[Context, Depends(_context)]
#: For routers under `/api`.
Authorised = Depends(_authorised)
#: The LINE channel that a request is about.
InChannel = Annotated[
    str, Query(alias="channel", description="The LINE channel.", pattern=r"^[a-z0-9][a-z0-9-]*$")
]
DEFAULT_CHANNEL = channels.DEFAULT


async def _language(
    lang: Annotated[
        Language | None,
        Query(description="The language of what people read; else by `Accept-Language`."),
    ] = None,
    accept_language: Annotated[
        str | None, Header(description="Languages that are understood; `lang` counts before it.")
    ] = None,
) -> Language:
    return lang or of_header(accept_language)


#: The language in which the answer is to have what people read.
InLanguage = Annotated[Language, Depends(_language)]
