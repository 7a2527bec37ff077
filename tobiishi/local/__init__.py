"""Everything on one machine: `make run` starts, watches and stops the parts found here.

Nothing else in Tobiishi imports this package: in production the parts are somebody else's.
"""

from collections.abc import Sequence

from tobiishi.errors import TobiishiError


class LocalError(TobiishiError):
    """A part could not be started. The message is one line: what is wrong, what to do."""

    def __init__(self, message: str, *, said: Sequence[str] = ()) -> None:
        super().__init__(message)
        #: The last lines that the part wrote, where they help.
        self.said = said
