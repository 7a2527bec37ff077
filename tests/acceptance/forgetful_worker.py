"""A worker that makes up a new retry key for each attempt: what nobody must ship."""

from __future__ import annotations

from uuid import UUID, uuid4

from activities import sending
from worker import main


def made_up(*_: object) -> UUID:
    return uuid4()


if __name__ == "__main__":
    # The wrong function in the place of the right one, on purpose.
    sending.retry_key = made_up  # type: ignore[attr-defined, assignment]
    main()
