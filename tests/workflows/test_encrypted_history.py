"""With payload keys, a history holds nothing of the journey in clear."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.eventually import eventually
from tests.workflows.conftest import Script, Stage, working
from tobiishi import temporal
from tobiishi.codec import data_converter
from tobiishi.plan import Action

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
#: In the input, in what activities are given and answer, in summaries and in failures.
IN_CLEAR = ("welcome", "started_at", "took 0", "send 0", "until ", "LINE is away")


async def history_of(stage: Stage, journey_id: str) -> str:
    """All that Temporal keeps of it, as it keeps it, without its type, ids and attributes."""
    history = await stage.client.get_workflow_handle(journey_id).fetch_history()
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


async def play(stage: Stage, script: Script, *, rotate: bool = False) -> str:
    """Its first send fails once; before its second the workers are others, with a newer key."""
    script.next = {"0": (Action.SEND, "1", timedelta(seconds=3))}
    script.failures = {"0": 1}
    async with working(stage.client, script):
        handle = await stage.start()
        await eventually(lambda: asyncio.sleep(0, script.steps), lambda steps: "0" in steps)
    client = stage.client
    if rotate:
        client = with_keys(client, NEW, OLD)
    async with working(client, script):
        await eventually(handle.describe, lambda now: now.close_time is not None)
    return handle.id


def with_keys(client: Client, *keys: str) -> Client:
    config = client.config()
    config["data_converter"] = data_converter(SecretStr(",".join(keys)) if keys else None)
    return Client(**config)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[WorkflowEnvironment]:
    """A real one: what it is told, it keeps."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sys.executable).with_name("temporal")),
        search_attributes=temporal.SEARCH_ATTRIBUTES,
        dev_server_log_level="error",
    ) as server:
        yield server


def on(server: WorkflowEnvironment, script: Script, *keys: str) -> Stage:
    return Stage(WorkflowEnvironment.from_client(with_keys(server.client, *keys)), script)


async def test_a_history_is_encrypted_and_outlives_its_key(
    server: WorkflowEnvironment, script: Script
) -> None:
    stage = on(server, script, OLD)
    kept = await history_of(stage, await play(stage, script, rotate=True))
    assert script.steps == ["0", "1"]
    assert [word for word in IN_CLEAR if word in kept] == []
    assert kept.count("AES-GCM") > 10


async def test_without_keys_all_of_that_is_in_clear(
    server: WorkflowEnvironment, script: Script
) -> None:
    stage = on(server, script)
    kept = await history_of(stage, await play(stage, script))
    assert [word for word in IN_CLEAR if word not in kept] == []
