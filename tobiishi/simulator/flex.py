"""The required structure of flex messages: looks are left to LINE.

https://developers.line.biz/en/reference/messaging-api/#flex-message
"""

from __future__ import annotations

import json
from typing import Any

from tobiishi.line import Detail
from tobiishi.simulator.actions import ACTION
from tobiishi.simulator.schema import (
    Check,
    Details,
    anything,
    array,
    both,
    by_type,
    obj,
    one_of,
    text,
    url,
)

_HTTPS = url()


def _component(value: Any, at: str, details: Details) -> None:
    _COMPONENT(value, at, details)  # A box holds components, boxes too.


def _text_or_spans(value: Any, at: str, details: Details) -> None:
    if not value.get("text") and not value.get("contents"):
        details.append(Detail(f"{at}.text", "May not be empty"))


def _at_most(kilobytes: int) -> Check:
    def run(value: Any, at: str, details: Details) -> None:
        if len(json.dumps(value, ensure_ascii=False).encode(errors="replace")) > kilobytes * 1024:
            details.append(Detail(at, f"Size must be less than or equal to {kilobytes}KB"))

    return run


_SPAN = obj({"text": text(5000)}, {"type": one_of("span")}, others=True)
_BOX = obj(
    {
        "type": one_of("box"),
        "layout": one_of("horizontal", "vertical", "baseline"),
        "contents": array(_component, 0, 1000),
    },
    {"action": ACTION},
    others=True,
)
_IMAGE = obj({"url": _HTTPS}, {"action": ACTION}, others=True)
_VIDEO = obj(
    {"url": _HTTPS, "previewUrl": _HTTPS, "altContent": _component}, {"action": ACTION}, others=True
)
_COMPONENT = by_type(
    {
        "box": _BOX,
        "button": obj({"action": ACTION}, others=True),
        "image": _IMAGE,
        "video": _VIDEO,
        "icon": obj({"url": _HTTPS}, others=True),
        "text": both(
            obj(
                {},
                {"text": text(5000), "contents": array(_SPAN, 0, 1000), "action": ACTION},
                others=True,
            ),
            _text_or_spans,
        ),
        "span": _SPAN,
        "separator": obj({}, others=True),
        "filler": obj({}, others=True),
        "spacer": obj({}, others=True),
    }
)

_BUBBLE = both(
    obj(
        {"type": one_of("bubble")},
        {
            "size": one_of("nano", "micro", "deca", "hecto", "kilo", "mega", "giga"),
            "direction": one_of("ltr", "rtl"),
            "header": _BOX,
            "hero": by_type({"box": _BOX, "image": _IMAGE, "video": _VIDEO}),
            "body": _BOX,
            "footer": _BOX,
            "styles": anything,
            "action": ACTION,
        },
    ),
    _at_most(30),
)
FLEX_CONTAINER = by_type(
    {
        "bubble": _BUBBLE,
        "carousel": both(obj({"type": anything, "contents": array(_BUBBLE, 1, 12)}), _at_most(50)),
    }
)
