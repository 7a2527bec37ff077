"""The workflows: what happens, told in the order it happens. No I/O, SQL or HTTP here."""

from workflows.enrolment import Enrolment
from workflows.journey import Journey

__all__ = ["Enrolment", "Journey"]
