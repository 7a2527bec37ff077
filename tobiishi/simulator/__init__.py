"""LINE's platform on localhost, so that nobody tests on real friends.

LINE forbids load tests through its platform and asks to prepare another environment
(https://developers.line.biz/en/docs/messaging-api/development-guidelines/). This is one: the
Messaging API as it behaves, virtual friends, webhooks, and faults on demand. `docs/simulator.md`
says how to use it, and what it does not imitate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["ACCESS_TOKEN", "BOT_USER_ID", "CHANNEL_SECRET", "create_simulator"]

#: Access token of the simulator's one channel. It opens nothing else, so it is not a secret.
ACCESS_TOKEN = "simulator-token"  # noqa: S105
#: Channel secret where none is given.
CHANNEL_SECRET = "simulator-secret"  # noqa: S105
#: User id of the simulated LINE Official Account: `destination` of its webhooks.
BOT_USER_ID = "U70b115411111111111111111111111c0"


def create_simulator(**options: Any) -> ASGIApp:
    """The simulator as an ASGI app; the options are those of `tobiishi.simulator.app.create`."""
    # Imported late: importing a constant must not load a web framework.
    from tobiishi.simulator.app import create

    return create(**options)
