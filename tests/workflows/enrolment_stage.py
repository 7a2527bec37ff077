"""Where the ways of an enrolment are played: its activities follow a script.

Who enters is tested elsewhere, against a real database; here only the workflow's own ways are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from tobiishi import temporal
from tobiishi.publishing.enrolment_plan import EnrolmentRef, Progress
from workflows import EnrolmentWorkflow

SECOND = timedelta(seconds=1)


@dataclass
class EnrolmentScript:
    """The database, as far as the workflow knows it."""

    #: How many pages there are.
    pages: int = 3
    #: How long after a page the next is due.
    rest: timedelta = SECOND
    #: What the row says, by itself or since somebody wrote it there.
    status: str = "running"
    #: How many times a page fails before it is entered.
    failures: int = 0
    #: When pages were entered, and when the row was looked at.
    entered: list[datetime] = field(default_factory=list)
    looked: list[datetime] = field(default_factory=list)
    called_off: int = 0

    @property
    def activities(self) -> list[Callable[..., Any]]:
        return [self.enter_page, self.call_off]

    @activity.defn(name="enter_page")
    async def enter_page(self, enrolment: EnrolmentRef) -> Progress:
        now = activity.info().started_time
        self.looked.append(now)
        if self.failures > 0:
            self.failures -= 1
            raise RuntimeError("the database is away")
        if self.status == "running":
            self.entered.append(now)
            if len(self.entered) == self.pages:
                self.status = "done"
        said = f"{len(self.entered)} / {self.pages} entered"
        next_at = now + self.rest if self.status == "running" else None
        return Progress(status=self.status, said=said, next_at=next_at)  # type: ignore[arg-type]

    @activity.defn(name="call_off_enrolment")
    async def call_off(self, enrolment: EnrolmentRef) -> None:
        self.called_off += 1


@dataclass
class EnrolmentStage:
    """Where a scripted enrolment is played."""

    env: WorkflowEnvironment
    script: EnrolmentScript

    async def start(self) -> WorkflowHandle[EnrolmentWorkflow, Progress]:
        ref = EnrolmentRef(enrolment_id=1, channel="default", scenario="welcome", version=1)
        return await self.env.client.start_workflow(
            EnrolmentWorkflow.run, ref, id=ref.workflow_id, task_queue=temporal.JOURNEYS
        )
