"""With payload keys, a history holds nothing of the journey in clear."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography.fernet import Fernet
from pydantic import SecretStr
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from tests.eventually import eventually
from tests.workflows.conftest import Script, start, working
from tobiishi.codec import data_converter
from tobiishi.plan import Action

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
#: In the input, in what activities are given and answer, in summaries and in failures.
IN_CLEAR = ("welcome", "started_at", "took 0", "send 0", "until ", "LINE is away")


async def history_of(client: Client, journey_id: str) -> str:
    """All that Temporal keeps of it, as it keeps it, without its type, ids and attributes."""
    history = await client.get_workflow_handle(journey_id).fetch_history()
    kept = []
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            started = event.workflow_execution_started_event_attributes
            started.ClearField("search_attributes")
            started.ClearField("workflow_id")
        if event.event_type == EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
            continue
        kept.append(event.SerializeToString())
    return b"".join(kept).decode(errors="replace")


def with_keys(client: Client, *keys: str) -> Client:
    config = client.config()
    config["data_converter"] = data_converter(SecretStr(",".join(keys)) if keys else None)
    return Client(**config)


async def play(client: Client, script: Script, *, then: Client) -> str:
    """Its first send fails once; before its second the workers are others, of another client."""
    script.next = {"0": (Action.SEND, "1", timedelta(seconds=3))}
    script.failures = {"0": 1}
    async with working(client, script):
        journey = await start(client, datetime.now(UTC))

        async def waits() -> bool:
            history = await journey.fetch_history()
            return any(it.event_type == EventType.EVENT_TYPE_TIMER_STARTED for it in history.events)

        await eventually(waits)
    async with working(then, script):
        await eventually(journey.describe, lambda now: now.close_time is not None)
    return journey.id


async def test_a_history_is_encrypted_and_outlives_its_key(server: Client, script: Script) -> None:
    before, after = with_keys(server, OLD), with_keys(server, NEW, OLD)
    kept = await history_of(server, await play(before, script, then=after))
    assert script.steps == ["0", "1"]
    assert [word for word in IN_CLEAR if word in kept] == []
    assert kept.count("AES-GCM") > 10


async def test_without_keys_all_of_that_is_in_clear(server: Client, script: Script) -> None:
    kept = await history_of(server, await play(server, script, then=server))
    assert [word for word in IN_CLEAR if word not in kept] == []
