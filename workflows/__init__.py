"""The workflows: what happens, told in the order it happens. No I/O, SQL or HTTP here."""

from workflows.journey import Journey

__all__ = ["Journey"]
