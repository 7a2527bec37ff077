"""The embedded Temporal server, and what the production shape does to one."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.ports import free_ports
from tobiishi import temporal
from tobiishi.local import LocalError
from tobiishi.local.temporal_server import RETENTION, EmbeddedTemporal

ROOT = Path(__file__).parents[3]


@workflow.defn
class Stone:
    @workflow.run
    async def run(self) -> str:
        return "stepped on"


def stepping(client: Client, task_queue: str) -> Worker:
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[Stone],
        # What this file imports is nothing for the sandbox, and Stone is nothing to guard.
        workflow_runner=UnsandboxedWorkflowRunner(),
    )


def embedded(folder: Path) -> EmbeddedTemporal:
    port, ui_port = free_ports(2)
    return EmbeddedTemporal(
        folder / "temporal.db",
        port=port,
        ui_port=ui_port,
        search_attributes=temporal.SEARCH_ATTRIBUTES,
    )


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedTemporal]:
    async with embedded(tmp_path_factory.mktemp("temporal")) as server:
        yield server


async def retention_of(address: str, namespace: str) -> int:
    client = await Client.connect(address)
    answer = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=namespace)
    )
    return answer.config.workflow_execution_retention_ttl.ToTimedelta().days


async def call(server: EmbeddedTemporal, *command: str, **more: str) -> int:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "TEMPORAL_ADDRESS": server.address,
            **more,
        },
    )
    return await process.wait()


async def test_is_as_we_need_it(server: EmbeddedTemporal) -> None:
    assert await retention_of(server.address, "default") == RETENTION.days
    client = await Client.connect(server.address)
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace="default")
    )
    for key in temporal.SEARCH_ATTRIBUTES:
        assert known.custom_attributes[key.name] == int(key.indexed_value_type)


async def test_history_survives_a_kill(tmp_path: Path) -> None:
    async with embedded(tmp_path) as server:
        client = await Client.connect(server.address)
        async with stepping(client, "stones"):
            await client.execute_workflow(Stone.run, id="stone", task_queue="stones")
        assert server.pid is not None
        os.kill(server.pid, 9)
        assert await server.wait() == -9
        await server.start()
        client = await Client.connect(server.address)
        assert await client.get_workflow_handle("stone").result() == "stepped on"


async def test_a_failure_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    server = embedded(tmp_path)
    (tmp_path / "temporal.db").write_text("this is no database")
    with pytest.raises(LocalError, match="Temporal did not start") as refusal:
        await server.start()
    assert refusal.value.log_lines
    assert server.pid is None


async def test_namespace_script(server: EmbeddedTemporal) -> None:
    script = ("sh", str(ROOT / "deploy" / "temporal" / "create-namespace.sh"))
    for retention, days in (("3d", 3), ("30d", 30)):
        for _ in range(50):  # compose tries again as well: a new namespace takes a moment
            code = await call(server, *script, TEMPORAL_NAMESPACE="shop", RETENTION=retention)
            if code == 0 and await retention_of(server.address, "shop") == days:
                break
            await asyncio.sleep(0.2)
        else:
            pytest.fail(f"retention is not {retention}")


async def test_worker_health(server: EmbeddedTemporal) -> None:
    check = (sys.executable, str(ROOT / "deploy" / "worker_health.py"))
    assert await call(server, *check) == 1
    client = await Client.connect(server.address)
    async with stepping(client, temporal.JOURNEYS):
        await client.execute_workflow(Stone.run, id="healthy", task_queue=temporal.JOURNEYS)
        assert await call(server, *check) == 0
