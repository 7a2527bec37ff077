"""The workflows: what happens, told in the order it happens. No I/O, SQL or HTTP here."""

from workflows.enrolment import EnrolmentWorkflow
from workflows.journey import JourneyWorkflow

__all__ = ["EnrolmentWorkflow", "JourneyWorkflow"]
