"""The worker: runs journeys and their activities. Start as many as you like.

`python worker.py`
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import (
    PollerBehaviorAutoscaling,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerDeploymentConfig,
)

from activities import Awaiting, Branching, Ending, Enrolling, Sending, Starting, Tagging
from activities.context import Context
from tobiishi import logs, temporal, worker_http
from tobiishi.channels import pacing
from tobiishi.channels.channels import Channels
from tobiishi.channels.vault import Vault
from tobiishi.database import Database, Unavailable
from tobiishi.errors import SettingError, TobiishiError
from tobiishi.settings import Settings
from tobiishi.tracking.links import LinkTracker
from workflows import EnrolmentWorkflow, JourneyWorkflow

_log = logging.getLogger("worker")


def deployment(build_id: str | None) -> WorkerDeploymentConfig | None:
    """The version that a worker works as: journeys go on with whichever is the current one.

    None without a build id. https://docs.temporal.io/worker-versioning
    """
    if build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name="tobiishi", build_id=build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )


@asynccontextmanager
async def working(
    client: Client, context: Context, *, build_id: str | None = None
) -> AsyncIterator[None]:
    """Both of our task queues, worked on until the block ends."""
    version = deployment(build_id)
    awaiting, branching, ending = Awaiting(context), Branching(context), Ending(context)
    sending, tagging, enrolling = Sending(context), Tagging(context), Enrolling(context)
    starting = Starting(context)
    pollers = PollerBehaviorAutoscaling(initial=2, maximum=20)
    journeys = Worker(
        client,
        task_queue=temporal.JOURNEYS,
        workflows=[JourneyWorkflow, EnrolmentWorkflow],
        # Temporal's sandbox would import our modules anew for every journey. It guards what they do
        # in the tests: see docs/decisions/no-sandbox.md.
        workflow_runner=UnsandboxedWorkflowRunner(),
        activities=[
            *(awaiting.begin, awaiting.look, branching.choose, tagging.tag),
            *(starting.plan, ending.end),
            *(enrolling.enter_page, enrolling.call_off),
        ],
        workflow_task_poller_behavior=pollers,
        activity_task_poller_behavior=pollers,
        graceful_shutdown_timeout=timedelta(seconds=5),
        deployment_config=version,
    )
    line = Worker(
        client,
        task_queue=temporal.LINE,
        activities=[sending.send],
        activity_task_poller_behavior=pollers,
        graceful_shutdown_timeout=timedelta(seconds=5),
        deployment_config=version,
    )
    async with journeys, line:
        yield


async def work(settings: Settings) -> None:
    """Work until SIGINT or SIGTERM."""
    if settings.database_url is None:
        raise SettingError("DATABASE_URL is not set; name the Postgres to keep everything in")
    channels = Channels(Vault(settings.secret_key))
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with contextlib.AsyncExitStack() as stack:
        database = await Database.open(settings.database_url, size=20)
        stack.push_async_callback(database.close)
        async with database.transaction() as connection:
            await channels.put_default(connection, settings)
        client = await temporal.connect(
            payload_keys=settings.payload_keys, runtime=_runtime(settings)
        )
        await temporal.register_search_attributes(client)
        await pacing.ensure(client)
        tracker = LinkTracker.of(settings)
        if tracker is None:
            _log.warning("TOBIISHI_PUBLIC_URL is not set: links are sent as they are, untracked")
        context = Context(database=database, channels=channels, tracker=tracker)
        await stack.enter_async_context(context.closing())
        await stack.enter_async_context(working(client, context, build_id=settings.build_id))
        await stack.enter_async_context(worker_http.opened(settings, database, client))
        # What is there by now stays: a full collection would stop all activities to go through it.
        gc.collect()
        gc.freeze()
        _log.info("worker ready")
        await stopped.wait()
        _log.info("worker stops")
    # The SDK's threads may still hold the interpreter (temporalio/sdk-python#300).
    await asyncio.sleep(0.25)


def _runtime(settings: Settings) -> Runtime | None:
    """The SDK's own, or one that tells its metrics."""
    if settings.sdk_metrics_port is None:
        return None
    address = f"{settings.metrics_host}:{settings.sdk_metrics_port}"
    return Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address)))


def main() -> None:
    try:
        settings = Settings.load()
        logs.start(settings.log_format)
        asyncio.run(work(settings))
    except TobiishiError as error:
        sys.exit("\n".join(f"worker: {line}" for line in str(error).splitlines()))
    except Unavailable as error:
        sys.exit(f"worker: the database can't be reached (DATABASE_URL): {error}")
    except RuntimeError as error:
        sys.exit(f"worker: Temporal can't be reached (TEMPORAL_ADDRESS): {error}")


if __name__ == "__main__":
    main()
