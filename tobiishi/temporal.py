"""Access to Temporal for every process of ours: connection, converter, queues, attributes."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from pydantic import SecretStr
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from tobiishi.codec import data_converter
from tobiishi.plan import JourneyRef

_log = logging.getLogger(__name__)

#: Task queue of journeys, and of the activities that need the database only.
JOURNEYS = "journeys"
#: Task queue of the activities that call LINE, apart so that their rate can be limited
#: (`temporal task-queue config set --task-queue line --queue-rps-limit …`).
LINE = "line"

#: Bytes: Temporal refuses summaries of over 400, and with them the whole command.
MAX_SUMMARY_BYTES = 380
#: How long Temporal may take for an answer to one of our requests.
ANSWER_TIMEOUT = timedelta(seconds=10)

# Search attributes of journeys in the Temporal UI. This list is the single source of truth: it is
# registered from here (`register_search_attributes`), and the embedded server is started with it.
CHANNEL = SearchAttributeKey.for_keyword("Channel")
SCENARIO = SearchAttributeKey.for_keyword("Scenario")
SCENARIO_VERSION = SearchAttributeKey.for_keyword("ScenarioVersion")
FRIEND = SearchAttributeKey.for_keyword("Friend")
#: `active`, then the outcome: `completed`, `exited`, `unfollowed`, …
JOURNEY_STATE = SearchAttributeKey.for_keyword("JourneyState")

SEARCH_ATTRIBUTES = (CHANNEL, SCENARIO, SCENARIO_VERSION, FRIEND, JOURNEY_STATE)


def search_attributes_of(journey: JourneyRef) -> TypedSearchAttributes:
    """The search attributes at the start; only `JourneyState` changes, once, at the end."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(CHANNEL, journey.channel),
            SearchAttributePair(SCENARIO, journey.scenario),
            SearchAttributePair(SCENARIO_VERSION, str(journey.version)),
            SearchAttributePair(FRIEND, journey.friend),
            SearchAttributePair(JOURNEY_STATE, "active"),
        ]
    )


def is_workflow_gone(error: RPCError) -> bool:
    """Whether Temporal says that no such workflow runs, and not that its namespace is missing."""
    details = error.grpc_status.details
    namespace_is_gone = any(it.Is(NamespaceNotFoundFailure.DESCRIPTOR) for it in details)
    return error.status == RPCStatusCode.NOT_FOUND and not namespace_is_gone


def is_away(error: BaseException) -> bool:
    """Whether Temporal can't be reached or does not answer, whatever it was asked."""
    if isinstance(error, RPCError):
        return error.status in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED)
    # What a client raises that was never connected.
    return isinstance(error, RuntimeError) and "connect" in str(error)


@asynccontextmanager
async def in_time() -> AsyncIterator[None]:
    """A first call has to connect, for which the SDK takes 30 seconds, whatever the call may take.

    Raises the SDK's own error after `ANSWER_TIMEOUT`.
    """
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
            yield
    except TimeoutError as error:
        raise RuntimeError("Failed client connect: no answer in time") from error


def connect_config() -> dict[str, Any]:
    """The connection that the environment's `TEMPORAL_*` describe.

    A configuration file is read only where `TEMPORAL_CONFIG_FILE` or `TEMPORAL_PROFILE` asks for
    it: what lies in a developer's home must not decide where journeys run.
    https://docs.temporal.io/develop/environment-configuration
    """
    asked = os.environ.get("TEMPORAL_CONFIG_FILE") or os.environ.get("TEMPORAL_PROFILE")
    return dict(ClientConfig.load_client_connect_config(disable_file=not asked))


async def connect(
    *,
    lazy: bool = False,
    payload_keys: SecretStr | None = None,
    runtime: Runtime | None = None,
) -> Client:
    """A client of the Temporal server; a lazy one connects at its first call.

    With keys, what it writes is encrypted: see `tobiishi.codec`.
    """
    config = {"target_host": "localhost:7233", **connect_config()}
    return await Client.connect(
        **config, data_converter=data_converter(payload_keys), lazy=lazy, runtime=runtime
    )


async def register_search_attributes(client: Client) -> None:
    """Register our search attributes with the server. Idempotent.

    Where the server lets only its operators do so (Temporal Cloud), the log says what to register.
    """
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
        missing = [key for key in SEARCH_ATTRIBUTES if key.name not in known.custom_attributes]
        if missing:
            await client.operator_service.add_search_attributes(
                add_search_attributes_request(client.namespace, missing)
            )
    except RPCError as error:
        if error.status not in (RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED):
            raise
        _log.warning(
            "the Temporal server does not let us register search attributes; have its operator "
            "register, as Keyword: %s",
            ", ".join(key.name for key in SEARCH_ATTRIBUTES),
        )


def add_search_attributes_request(
    namespace: str, keys: Iterable[SearchAttributeKey[Any]]
) -> AddSearchAttributesRequest:
    """The request that registers the keys with a server."""
    return AddSearchAttributesRequest(
        namespace=namespace,
        search_attributes={
            key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in keys
        },
    )
