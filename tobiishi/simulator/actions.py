"""Action objects: the effect of a tap.

https://developers.line.biz/en/reference/messaging-api/#action-objects
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any

from tobiishi.line import Detail
from tobiishi.simulator.schema import (
    Check,
    Details,
    anything,
    both,
    by_type,
    obj,
    one_of,
    text,
    url,
)

#: What is opened: https://developers.line.biz/en/reference/messaging-api/#uri-action
LINK_SCHEMES = ("http", "https", "line", "tel")
_LINK = url(1000, schemes=LINK_SCHEMES)

_POSTBACK: Mapping[str, Check] = {
    "displayText": text(300),
    "text": text(300),
    "inputOption": one_of("closeRichMenu", "openRichMenu", "openKeyboard", "openVoice"),
    "fillInText": text(300),
}
#: How each mode writes a moment, its first and its last.
#: https://developers.line.biz/en/reference/messaging-api/#date-and-time-format
_PICKED: Mapping[str, tuple[re.Pattern[str], str, str]] = {
    "date": (re.compile(r"\d{4}-\d\d-\d\d"), "1900-01-01", "2100-12-31"),
    "time": (re.compile(r"\d\d:\d\d"), "00:00", "23:59"),
    "datetime": (
        re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d"),
        "1900-01-01T00:00",
        "2100-12-31T23:59",
    ),
}
_READ: Mapping[str, Callable[[str], object]] = {
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "datetime": datetime.fromisoformat,
}
#: Required and optional properties besides `type` and `label`. `richmenuswitch` is not among them:
#: it works in rich menus only.
_ACTIONS: Mapping[str, tuple[Mapping[str, Check], Mapping[str, Check]]] = {
    "postback": ({"data": text(300)}, _POSTBACK),
    "message": ({"text": text(300)}, {}),
    "uri": ({"uri": _LINK}, {"altUri": obj({}, {"desktop": _LINK})}),
    "datetimepicker": (
        {"data": text(300), "mode": one_of(*_PICKED)},
        {"initial": text(20), "max": text(20), "min": text(20)},
    ),
    "clipboard": ({"clipboardText": text(1000)}, {}),
}
_QUICK_REPLY_ONLY = ("camera", "cameraRoll", "location")


def _postback(value: Any, at: str, details: Details) -> None:
    if value.get("displayText") is not None and value.get("text") is not None:
        details.append(Detail(f"{at}.text", "Must not be set together with displayText"))
    if value.get("fillInText") is not None and value.get("inputOption") != "openKeyboard":
        details.append(Detail(f"{at}.fillInText", "Must be set with inputOption openKeyboard only"))


def _datetimepicker(value: Any, at: str, details: Details) -> None:
    mode = value["mode"]
    good = {}
    for name in ("initial", "max", "min"):
        given = value.get(name)
        if given is None:
            continue
        if _is_moment(given, mode):
            good[name] = given.upper()
        else:
            _, first, last = _PICKED[mode]
            details.append(Detail(f"{at}.{name}", f"Must be a {mode} between {first} and {last}"))
    if "max" in good and "min" in good and good["min"] >= good["max"]:
        details.append(Detail(f"{at}.max", "Must be greater than min"))


def _is_moment(given: str, mode: str) -> bool:
    pattern, first, last = _PICKED[mode]
    if not pattern.fullmatch(given) or not given.isascii():
        return False
    try:
        _READ[mode](given.upper())
    except ValueError:
        return False
    return first <= given.upper() <= last


_BESIDES: Mapping[str, Check] = {"postback": _postback, "datetimepicker": _datetimepicker}


def _action(kind: str, label: int, *, is_required: bool) -> Check:
    required, optional = _ACTIONS.get(kind, ({}, {}))
    name = {"label": text(label)}
    form = obj(
        {**required, **(name if is_required else {})}, {"type": anything, **name, **optional}
    )
    return both(form, _BESIDES[kind]) if kind in _BESIDES else form


def _actions(label: int, *kinds: str, is_required: bool) -> Check:
    """An action of one of these kinds, with a label of so many characters at most.

    https://developers.line.biz/en/reference/messaging-api/#action-object-label-spec
    """
    return by_type({kind: _action(kind, label, is_required=is_required) for kind in kinds})


TEMPLATE_ACTION = _actions(20, *_ACTIONS, is_required=True)
IMAGE_CAROUSEL_ACTION = _actions(12, *_ACTIONS, is_required=False)
QUICK_REPLY_ACTION = _actions(20, *_ACTIONS, *_QUICK_REPLY_ONLY, is_required=True)
FLEX_BUTTON_ACTION = _actions(40, *_ACTIONS, is_required=True)
FLEX_ACTION = _actions(40, *_ACTIONS, is_required=False)
#: What a video in a flex message offers at its end.
FLEX_VIDEO_ACTION = _actions(40, "uri", is_required=True)
