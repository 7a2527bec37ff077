"""The clock of a rehearsal: it stands while something is done, and skips to what happens next.

Temporal's test server skips its own time, but counts the milliseconds that each step takes. So a
journey is shown this clock in place of the server's: it moves only when a timer of the journey
ends, to the very moment at which that was due, or when the rehearsal has something happen. Dates
come out exactly, and the same each time.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    UnsandboxedWorkflowRunner,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)

from tobiishi.errors import TobiishiError

#: Seconds of ours in which something moves on, or the rehearsal has failed.
_PATIENCE_SECONDS = 30.0


class RehearsalFailed(TobiishiError):
    """A rehearsal could not go on; the text says why."""


@dataclasses.dataclass(frozen=True, order=True)
class Timer:
    """A timer of a journey."""

    #: When it ends.
    due: datetime
    #: How long it takes by the server's time, which stands between two skips.
    length: timedelta


class Clock:
    """The time that one journey after another goes by, and what they are waiting for."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        #: The timers that journeys have started.
        self.timers: dict[tuple[str, int], Timer] = {}
        #: The activities that are being done.
        self.doing: set[tuple[str, int]] = set()
        #: How many workflows have begun, and how many signals have come to them.
        self.begun = 0
        self.signalled = 0
        #: Begun and not ended.
        self.under_way: set[str] = set()
        self._failure: str | None = None
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @property
    def next_timer(self) -> Timer | None:
        """The timer that ends next; None where no journey waits for one."""
        return min(self.timers.values(), default=None)

    def fail(self, failure: str) -> None:
        """Have whoever waits for the journey know that it can't go on."""
        self._failure = self._failure or failure
        self.notify()

    def notify(self) -> None:
        """Something has changed. From any thread."""
        self._loop.call_soon_threadsafe(self._changed.set)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until it is so and every journey rests in a timer. Raises `RehearsalFailed`."""
        while self._failure or not (is_so() and self._rests()):
            if self._failure:
                raise RehearsalFailed(self._failure)
            self._changed.clear()
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                raise RehearsalFailed("the rehearsed journey does not move on") from None

    def _rests(self) -> bool:
        waiting = {run for run, _ in self.timers}
        return not self.doing and self.under_way == waiting


class ClockedRunner(WorkflowRunner):
    """Runs the real workflow, and shows it the clock's time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._runner = UnsandboxedWorkflowRunner()

    def prepare_workflow(self, defn: Any) -> None:
        self._runner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        now = self._clock.now
        info = dataclasses.replace(det.info, start_time=now, workflow_start_time=now)
        return _Instance(
            self._runner.create_instance(dataclasses.replace(det, info=info)), self._clock
        )


class _Instance(WorkflowInstance):
    """One run of a workflow: what it is told moves the clock, what it asks for is waited for."""

    def __init__(self, instance: WorkflowInstance, clock: Clock) -> None:
        self._instance = instance
        self._clock = clock

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        clock, run = self._clock, act.run_id
        for job in act.jobs:
            match job.WhichOneof("variant"):
                case "initialize_workflow":
                    clock.begun += 1
                    clock.under_way.add(run)
                case "fire_timer":
                    timer = clock.timers.pop((run, job.fire_timer.seq))
                    clock.now = max(clock.now, timer.due)
                case "resolve_activity":
                    clock.doing.discard((run, job.resolve_activity.seq))
        act.timestamp.FromDatetime(clock.now)
        completion = self._instance.activate(act)
        if completion.HasField("failed"):
            clock.fail(f"the journey's workflow failed: {completion.failed.failure.message}")
        for command in completion.successful.commands:
            match command.WhichOneof("variant"):
                case "start_timer":
                    length = command.start_timer.start_to_fire_timeout.ToTimedelta()
                    timer = Timer(due=clock.now + length, length=length)
                    clock.timers[run, command.start_timer.seq] = timer
                case "cancel_timer":
                    clock.timers.pop((run, command.cancel_timer.seq), None)
                case "schedule_activity":
                    clock.doing.add((run, command.schedule_activity.seq))
                case "complete_workflow_execution" | "fail_workflow_execution":
                    clock.under_way.discard(run)
                case "continue_as_new_workflow_execution":
                    # Its next run is waited for as one that has begun and not ended.
                    clock.under_way.discard(run)
                    clock.begun -= 1
        # Last: a journey that a signal moves on does not rest before it has heard of it.
        clock.signalled += sum(job.HasField("signal_workflow") for job in act.jobs)
        clock.notify()
        return completion

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._instance.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._instance.get_external_store_context(command_info)

    def get_info(self) -> Any:
        return self._instance.get_info()

    def get_thread_id(self) -> int | None:
        return self._instance.get_thread_id()


class ClockedActivities(Interceptor):
    """Shows activities the clock's time as that of their attempt."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Attempt(next, self._clock)


class _Attempt(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, clock: Clock) -> None:
        super().__init__(next)
        self._clock = clock

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        super().init(_Time(outbound, self._clock))

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except Exception as error:
            # In life it would be tried again until the world is well; nobody mends it here.
            self._clock.fail(f"{activity.info().activity_type} failed: {error}")
            raise


class _Time(ActivityOutboundInterceptor):
    def __init__(self, next: ActivityOutboundInterceptor, clock: Clock) -> None:
        super().__init__(next)
        self._clock = clock

    def info(self) -> activity.Info:
        return dataclasses.replace(super().info(), started_time=self._clock.now)
