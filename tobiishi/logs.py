"""Logs: one line an event, for people or for machines.

What a line is about is in fields of their own where machines read it: `channel`, `journey` (its
workflow id), `entry`, `delivery` (its retry key). Friends' ids are part of workflow ids; what is
written to friends, and secrets, are nowhere.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

from pythonjsonlogger.json import JsonFormatter

from tobiishi.plan import JourneyRef
from tobiishi.text import visible

Format = Literal["text", "json"]

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_JSON = "%(asctime)s %(levelname)s %(name)s %(message)s"


def start(format: Format = "text") -> None:
    """Log to stderr from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(format))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Each request to LINE has a log line of ours, or an error.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def formatter(format: Format) -> logging.Formatter:
    if format == "text":
        return _OneLine(_TEXT)
    return JsonFormatter(
        _JSON,
        rename_fields={"asctime": "at", "levelname": "level", "name": "logger"},
        datefmt="%Y-%m-%dT%H:%M:%S%z",
        json_ensure_ascii=False,
    )


class _OneLine(logging.Formatter):
    """A message is one line, whatever people wrote into it; a traceback has lines of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return visible(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        return visible(super().formatException(ei), keep="\n\t")


def about(journey: JourneyRef, **more: Any) -> dict[str, Any]:
    """The fields that say which journey a line is about: `_log.info(…, extra=about(journey))`."""
    return {
        "channel": journey.channel,
        "journey": journey.workflow_id,
        "entry": journey.entry,
        **{name: str(value) for name, value in more.items()},
    }
