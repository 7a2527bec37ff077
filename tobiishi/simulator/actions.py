"""Action objects: the effect of a tap.

https://developers.line.biz/en/reference/messaging-api/#action-objects
"""

from __future__ import annotations

from collections.abc import Mapping

from tobiishi.simulator.schema import Check, anything, by_type, obj, one_of, text, url

_LINK = url(1000, schemes=("http", "https", "line", "tel"))
_POSTBACK: Mapping[str, Check] = {
    "displayText": text(300),
    "text": text(300),
    "inputOption": one_of("closeRichMenu", "openRichMenu", "openKeyboard", "openVoice"),
    "fillInText": text(300),
}
#: Required and optional properties besides `type` and `label`.
_ACTIONS: Mapping[str, tuple[Mapping[str, Check], Mapping[str, Check]]] = {
    "postback": ({"data": text(300)}, _POSTBACK),
    "message": ({"text": text(300)}, {}),
    "uri": ({"uri": _LINK}, {"altUri": obj({}, {"desktop": _LINK})}),
    "datetimepicker": (
        {"data": text(300), "mode": one_of("date", "time", "datetime")},
        {"initial": text(20), "max": text(20), "min": text(20)},
    ),
    "richmenuswitch": ({"richMenuAliasId": text(32), "data": text(300)}, {}),
    "clipboard": ({"clipboardText": text(1000)}, {}),
}
_QUICK_REPLY_ONLY = ("camera", "cameraRoll", "location")


def _action(kind: str) -> Check:
    required, optional = _ACTIONS.get(kind, ({}, {}))
    return obj(required, {"type": anything, "label": text(40), **optional})


ACTION = by_type({kind: _action(kind) for kind in _ACTIONS})
QUICK_REPLY_ACTION = by_type({kind: _action(kind) for kind in (*_ACTIONS, *_QUICK_REPLY_ONLY)})
