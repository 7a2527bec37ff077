"""The required form of flex messages: what may stand where, and which values LINE knows.

https://developers.line.biz/en/reference/messaging-api/#flex-message and
https://developers.line.biz/en/docs/messaging-api/flex-message-layout/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tobiishi.line import Detail
from tobiishi.simulator.actions import FLEX_ACTION, FLEX_BUTTON_ACTION, FLEX_VIDEO_ACTION
from tobiishi.simulator.schema import (
    Check,
    Details,
    anything,
    array,
    boolean,
    both,
    by_type,
    number,
    obj,
    one_of,
    text,
    url,
)

_HTTPS = url()
_NUMBER = r"(\d{1,9}(\.\d{1,9})?)"
_PIXELS, _PERCENT = f"{_NUMBER}px", f"{_NUMBER}%"
_STEPS = ("none", "xs", "sm", "md", "lg", "xl", "xxl")
_SIZES = ("xxs", "xs", "sm", "md", "lg", "xl", "xxl", "3xl", "4xl", "5xl")
_BORDERS = ("none", "light", "normal", "medium", "semi-bold", "bold")
#: Those that have room for a video.
_WIDE = ("kilo", "mega", "giga")
_DEFAULT_SIZE = "mega"
#: https://developers.line.biz/en/reference/messaging-api/#f-image
_MAX_ANIMATED = 10


def _value(*patterns: str) -> Check:
    return text(50, pattern="|".join(patterns))


_COLOUR = _value("#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?")
_LENGTH = _value(_PIXELS, _PERCENT)
_SPACE = _value(*_STEPS, _PIXELS)
_PADDING = _value(*_STEPS, _PIXELS, _PERCENT)
_FONT_SIZE = _value(*_SIZES, _PIXELS)
_FLEX = number(0, 2**31 - 1)
_GRAVITY = one_of("top", "bottom", "center")
_ALIGN = one_of("start", "end", "center")
_SHRINK = one_of("shrink-to-fit")


def _ratio(value: Any, at: str, details: Details) -> None:
    """Width and height from 1 to 100000, and no more than three times as high as wide."""
    before = len(details)
    text(50, pattern=f"{_NUMBER}:{_NUMBER}")(value, at, details)
    if len(details) > before:
        return
    width, height = map(float, value.split(":"))
    if not (1 <= width <= 100_000 and 1 <= height <= 100_000 and height <= 3 * width):
        details.append(Detail(at, "Invalid value"))


def _angle(value: Any, at: str, details: Details) -> None:
    before = len(details)
    _value(f"{_NUMBER}deg")(value, at, details)
    if len(details) == before and float(value.removesuffix("deg")) >= 360:
        details.append(Detail(at, "Invalid value"))


def _position(value: Any, at: str, details: Details) -> None:
    before = len(details)
    _value(_PERCENT)(value, at, details)
    if len(details) == before and float(value.removesuffix("%")) > 100:
        details.append(Detail(at, "Invalid value"))


def _text_or_spans(value: Any, at: str, details: Details) -> None:
    if not value.get("text") and not value.get("contents"):
        details.append(Detail(f"{at}.text", "May not be empty"))


def _line_spacing(value: Any, at: str, details: Details) -> None:
    before = len(details)
    _value(_PIXELS)(value, at, details)
    if len(details) == before and not float(value.removesuffix("px")):
        details.append(Detail(at, "Invalid value"))


def _at_most(kilobytes: int) -> Check:
    def run(value: Any, at: str, details: Details) -> None:
        if len(json.dumps(value, ensure_ascii=False).encode(errors="replace")) > kilobytes * 1024:
            details.append(Detail(at, f"Size must be less than or equal to {kilobytes}KB"))

    return run


_PLACE: Mapping[str, Check] = {
    "margin": _SPACE,
    "position": one_of("relative", "absolute"),
    **dict.fromkeys(("offsetTop", "offsetBottom", "offsetStart", "offsetEnd"), _PADDING),
}
_LETTERS: Mapping[str, Check] = {
    "size": _FONT_SIZE,
    "color": _COLOUR,
    "weight": one_of("regular", "bold"),
    "style": one_of("normal", "italic"),
    "decoration": one_of("none", "underline", "line-through"),
}


def _component(
    required: Mapping[str, Check] | None = None, optional: Mapping[str, Check] | None = None
) -> Check:
    return obj(required or {}, {"type": anything, **(optional or {})})


_BACKGROUND = by_type(
    {
        "linearGradient": obj(
            {"type": anything, "angle": _angle, "startColor": _COLOUR, "endColor": _COLOUR},
            {"centerColor": _COLOUR, "centerPosition": _position},
        )
    }
)


def _contents(value: Any, at: str, details: Details) -> None:
    """Each layout holds components of its own; a box may hold boxes."""
    form = _BASELINE if value["layout"] == "baseline" else _STACKED
    array(form, 0, 1000)(value["contents"], f"{at}.contents", details)


_BOX = both(
    obj(
        {
            "type": one_of("box"),
            "layout": one_of("horizontal", "vertical", "baseline"),
            "contents": array(anything, 0, 1000),
        },
        {
            **_PLACE,
            "flex": _FLEX,
            "spacing": _SPACE,
            "backgroundColor": _COLOUR,
            "borderColor": _COLOUR,
            "borderWidth": _value(*_BORDERS, _PIXELS),
            "cornerRadius": _SPACE,
            **dict.fromkeys(("width", "maxWidth", "height", "maxHeight"), _LENGTH),
            **dict.fromkeys(
                ("paddingAll", "paddingTop", "paddingBottom", "paddingStart", "paddingEnd"),
                _PADDING,
            ),
            "justifyContent": one_of(
                *("center", "flex-start", "flex-end"),
                *("space-between", "space-around", "space-evenly"),
            ),
            "alignItems": one_of("center", "flex-start", "flex-end"),
            "background": _BACKGROUND,
            "action": FLEX_ACTION,
        },
    ),
    _contents,
)
_IMAGE = _component(
    {"url": _HTTPS},
    {
        **_PLACE,
        "flex": _FLEX,
        "align": _ALIGN,
        "gravity": _GRAVITY,
        "size": _value(*_SIZES, "full", _PIXELS, _PERCENT),
        "aspectRatio": _ratio,
        "aspectMode": one_of("fit", "cover"),
        "backgroundColor": _COLOUR,
        "action": FLEX_ACTION,
        "animated": boolean,
    },
)
_VIDEO = _component(
    {"url": _HTTPS, "previewUrl": _HTTPS, "altContent": by_type({"box": _BOX, "image": _IMAGE})},
    {"aspectRatio": _ratio, "action": FLEX_VIDEO_ACTION},
)
_SPAN = by_type({"span": _component(None, {"text": text(5000), **_LETTERS})})
_TEXT = both(
    _component(
        None,
        {
            **_PLACE,
            **_LETTERS,
            "flex": _FLEX,
            "text": text(5000),
            "contents": array(_SPAN, 0, 1000),
            "adjustMode": _SHRINK,
            "scaling": boolean,
            "align": _ALIGN,
            "gravity": _GRAVITY,
            "wrap": boolean,
            "lineSpacing": _line_spacing,
            "maxLines": number(0, 2**31 - 1),
            "action": FLEX_ACTION,
        },
    ),
    _text_or_spans,
)
_BUTTON = _component(
    {"action": FLEX_BUTTON_ACTION},
    {
        **_PLACE,
        "flex": _FLEX,
        "height": one_of("sm", "md"),
        "style": one_of("primary", "secondary", "link"),
        "color": _COLOUR,
        "gravity": _GRAVITY,
        "adjustMode": _SHRINK,
        "scaling": boolean,
    },
)
_ICON = _component(
    {"url": _HTTPS},
    {**_PLACE, "size": _FONT_SIZE, "scaling": boolean, "aspectRatio": _ratio},
)
_FILLER = _component(None, {"flex": _FLEX})
#: In boxes that are horizontal or vertical. There is no spacer any more.
_STACKED = by_type(
    {
        "box": _BOX,
        "button": _BUTTON,
        "image": _IMAGE,
        "text": _TEXT,
        "separator": _component(None, {"margin": _SPACE, "color": _COLOUR}),
        "filler": _FILLER,
    }
)
_BASELINE = by_type({"icon": _ICON, "text": _TEXT, "filler": _FILLER})


_BLOCKS = ("header", "hero", "body", "footer")
_BLOCK_STYLE = obj(
    {}, {"backgroundColor": _COLOUR, "separator": boolean, "separatorColor": _COLOUR}
)


def _blocks(value: Any, at: str, details: Details) -> None:
    if all(value.get(block) is None for block in _BLOCKS):
        details.append(Detail(at, "At least one block must be specified"))
    hero = value.get("hero") or {}
    if hero.get("type") == "video" and value.get("size", _DEFAULT_SIZE) not in _WIDE:
        details.append(Detail(f"{at}.hero", f"A video needs a bubble of {', '.join(_WIDE)}"))


def _together(value: Any, at: str, details: Details) -> None:
    """Bubbles of one width, and none with a video."""
    sizes = {bubble.get("size") or _DEFAULT_SIZE for bubble in value["contents"]}
    if len(sizes) > 1:
        details.append(Detail(f"{at}.contents", "All bubbles must have the same size"))
    for index, bubble in enumerate(value["contents"]):
        if (bubble.get("hero") or {}).get("type") == "video":
            details.append(Detail(f"{at}.contents[{index}].hero", "A video can't be in a carousel"))


def _animations(value: Any, at: str, details: Details) -> None:
    if sum(_animated(value)) > _MAX_ANIMATED:
        details.append(Detail(at, f"At most {_MAX_ANIMATED} images can be animated"))


def _animated(node: Any) -> Iterator[bool]:
    if isinstance(node, list):
        for each in node:
            yield from _animated(each)
    elif isinstance(node, dict):
        yield node.get("type") == "image" and node.get("animated") is True
        for each in node.values():
            yield from _animated(each)


_BUBBLE = both(
    both(
        obj(
            {"type": one_of("bubble")},
            {
                "size": one_of("nano", "micro", "deca", "hecto", "kilo", "mega", "giga"),
                "direction": one_of("ltr", "rtl"),
                "header": _BOX,
                "hero": by_type({"box": _BOX, "image": _IMAGE, "video": _VIDEO}),
                "body": _BOX,
                "footer": _BOX,
                "styles": obj({}, dict.fromkeys(_BLOCKS, _BLOCK_STYLE)),
                "action": FLEX_ACTION,
            },
        ),
        _blocks,
    ),
    _at_most(30),
)
_CAROUSEL = both(
    both(obj({"type": anything, "contents": array(_BUBBLE, 1, 12)}), _together), _at_most(50)
)
FLEX_CONTAINER = both(by_type({"bubble": _BUBBLE, "carousel": _CAROUSEL}), _animations)
