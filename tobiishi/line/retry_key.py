"""The idempotency key by which LINE recognises a repeated message.

A request repeated with its retry key is accepted once, for 24 hours
(https://developers.line.biz/en/docs/messaging-api/retrying-api-request/). The key is derived from
what the message is, so that every try has the same one, after a crash too.
"""

from __future__ import annotations

import json
from uuid import UUID, uuid5

_NAMESPACE = UUID("8d041a17-3cba-4786-a43b-ed86b6bf4d19")


def retry_key(journey: str, entry: int, step: str, visit: int) -> UUID:
    """The retry key of one message: of the `visit`-th time that a journey comes to a step.

    `journey` is the journey's id, `entry` numbers the times that the friend went on it.
    """
    # JSON, so that no two lists of names run into the same text.
    return uuid5(_NAMESPACE, json.dumps([journey, entry, step, visit]))
