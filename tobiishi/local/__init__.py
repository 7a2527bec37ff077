"""Everything on one machine: `make run` starts, restarts and stops the parts found here.

In production the parts are provided otherwise, and none of this is needed.
"""

from collections.abc import Sequence

from tobiishi.errors import TobiishiError


class LocalError(TobiishiError):
    """A part could not be started. The message is one line: the error and the fix."""

    def __init__(self, message: str, *, log_lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        #: The last lines that the part wrote, where they help.
        self.log_lines = log_lines
