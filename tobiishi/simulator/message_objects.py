"""The required form of message objects.

https://developers.line.biz/en/reference/messaging-api/#message-objects
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tobiishi.line import Detail
from tobiishi.simulator.actions import (
    IMAGE_CAROUSEL_ACTION,
    LINK_SCHEMES,
    QUICK_REPLY_ACTION,
    TEMPLATE_ACTION,
)
from tobiishi.simulator.flex import FLEX_CONTAINER
from tobiishi.simulator.schema import (
    Check,
    Details,
    anything,
    array,
    both,
    by_type,
    number,
    obj,
    one_of,
    text,
    url,
    utf16_length,
)

_HTTPS = url()
_ALT_TEXT = text(1500)
_OFFSET, _EXTENT = number(0, 10_000), number(1, 10_000)
#: Words that no sender may be called by.
_RESERVED = re.compile(r"(?<![a-z])line(?![a-z])", re.IGNORECASE)


def _sender_name(value: Any, at: str, details: Details) -> None:
    before = len(details)
    text(20)(value, at, details)
    if len(details) == before and _RESERVED.search(value):
        details.append(Detail(at, "Contains a word that may not be used"))


_COMMON: Mapping[str, Check] = {
    "type": anything,
    "quickReply": obj(
        {
            "items": array(
                obj(
                    {"action": QUICK_REPLY_ACTION},
                    {"type": one_of("action"), "imageUrl": _HTTPS},
                ),
                1,
                13,
            )
        }
    ),
    "sender": obj({}, {"name": _sender_name, "iconUrl": _HTTPS}),
}


def _message(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    return obj(required, {**_COMMON, **(optional or {})})


def _placeholders(value: Any, at: str, details: Details) -> None:
    """Each emoji of a `text` stands for a `$` in it."""
    characters = value["text"].encode("utf-16-le", "surrogatepass")
    for index, emoji in enumerate(value.get("emojis") or []):
        if characters[2 * emoji["index"] :][:2] != b"$\0":
            details.append(Detail(f"{at}.emojis[{index}].index", "Must be the index of a $"))


def _substitutions(value: Any, at: str, details: Details) -> None:
    """Each `{key}` of a `textV2` has its substitution, and other braces are doubled."""
    rest = value["text"].replace("{{", "").replace("}}", "")
    keys = re.findall(r"\{([a-zA-Z0-9_]{1,20})\}", rest)
    given = value.get("substitution") or {}
    if re.search(r"[{}]", re.sub(r"\{[a-zA-Z0-9_]{1,20}\}", "", rest)):
        details.append(Detail(f"{at}.text", "Braces must be escaped"))
    for key in keys:
        if key not in given:
            details.append(Detail(f"{at}.substitution.{key}", "May not be empty"))


def _substitution_objects(value: Any, at: str, details: Details) -> None:
    obj({}, others=True)(value, at, details)
    if len(value) > 100:
        details.append(Detail(at, "Size must be between 0 and 100"))
    for key, each in value.items():
        if not re.fullmatch("[0-9a-zA-Z_]{1,20}", key):
            details.append(Detail(f"{at}.{key}", "Invalid value"))
        _SUBSTITUTION(each, f"{at}.{key}", details)
    for kind in ("mention", "emoji"):
        if sum(isinstance(each, dict) and each.get("type") == kind for each in value.values()) > 20:
            details.append(Detail(at, f"At most 20 objects of type {kind} can be given"))


_SUBSTITUTION = by_type(
    {
        "emoji": obj({"type": anything, "productId": text(50), "emojiId": text(50)}),
        "mention": obj(
            {
                "type": anything,
                "mentionee": by_type(
                    {
                        "user": obj({"type": anything, "userId": text(50)}),
                        "all": obj({"type": anything}),
                    }
                ),
            }
        ),
    }
)

_AREA = obj({"x": _OFFSET, "y": _OFFSET, "width": _EXTENT, "height": _EXTENT})
_IMAGEMAP_ACTION = by_type(
    {
        kind: obj({"type": anything, "area": _AREA, **required}, {"label": text(100)})
        for kind, required in {
            "uri": {"linkUri": url(1000, schemes=LINK_SCHEMES)},
            "message": {"text": text(400)},
            "clipboard": {"clipboardText": text(1000)},
        }.items()
    }
)
_IMAGEMAP_VIDEO = obj(
    {"originalContentUrl": _HTTPS, "previewImageUrl": _HTTPS, "area": _AREA},
    {"externalLink": obj({"linkUri": url(1000, schemes=LINK_SCHEMES), "label": text(30)})},
)

_IMAGE_STYLE: Mapping[str, Check] = {
    "imageAspectRatio": one_of("rectangle", "square"),
    "imageSize": one_of("cover", "contain"),
}
_COLUMN: Mapping[str, Check] = {
    "thumbnailImageUrl": _HTTPS,
    "imageBackgroundColor": text(7, pattern=r"#[0-9a-fA-F]{6}"),
    "title": text(40),
    "defaultAction": TEMPLATE_ACTION,
}


def _shorter_beside(value: Any, at: str, details: Details) -> None:
    """Beside an image or a title there is room for less text."""
    if (value.get("title") or value.get("thumbnailImageUrl")) and utf16_length(value["text"]) > 60:
        details.append(Detail(f"{at}.text", "Length must be between 0 and 60"))


def _alike(value: Any, at: str, details: Details) -> None:
    """All columns have as many actions, and all have a title or an image, or none has."""
    columns = value["columns"]
    if len({len(column["actions"]) for column in columns}) > 1:
        details.append(Detail(f"{at}.columns", "All columns must have the same number of actions"))
    for name in ("title", "thumbnailImageUrl"):
        if len({column.get(name) is None for column in columns}) > 1:
            details.append(Detail(f"{at}.columns", f"All columns must have a {name}, or none"))


_TEMPLATE = by_type(
    {
        "buttons": both(
            obj(
                {"type": anything, "text": text(160), "actions": array(TEMPLATE_ACTION, 1, 4)},
                {**_COLUMN, **_IMAGE_STYLE},
            ),
            _shorter_beside,
        ),
        "confirm": obj(
            {"type": anything, "text": text(240), "actions": array(TEMPLATE_ACTION, 2, 2)}
        ),
        "carousel": both(
            obj(
                {
                    "type": anything,
                    "columns": array(
                        both(
                            obj(
                                {"text": text(120), "actions": array(TEMPLATE_ACTION, 1, 3)},
                                _COLUMN,
                            ),
                            _shorter_beside,
                        ),
                        1,
                        10,
                    ),
                },
                _IMAGE_STYLE,
            ),
            _alike,
        ),
        "image_carousel": obj(
            {
                "type": anything,
                "columns": array(obj({"imageUrl": _HTTPS, "action": IMAGE_CAROUSEL_ACTION}), 1, 10),
            }
        ),
    }
)

_EMOJI = obj({"index": number(0, 5000), "productId": text(50), "emojiId": text(50)})

_STICKER_ID = text(20, pattern="[0-9]+")
_TRACKING_ID = r"[a-zA-Z0-9\-.=,+*()%$&;:@{}!?<>\[\]]+"

MESSAGE = by_type(
    {
        "text": both(
            _message(
                {"text": text(5000)}, {"emojis": array(_EMOJI, 0, 20), "quoteToken": text(500)}
            ),
            _placeholders,
        ),
        "textV2": both(
            _message(
                {"text": text(5000)},
                {"substitution": _substitution_objects, "quoteToken": text(500)},
            ),
            _substitutions,
        ),
        "sticker": _message(
            {"packageId": _STICKER_ID, "stickerId": _STICKER_ID}, {"quoteToken": text(500)}
        ),
        "image": _message({"originalContentUrl": _HTTPS, "previewImageUrl": _HTTPS}),
        "video": _message(
            {"originalContentUrl": _HTTPS, "previewImageUrl": _HTTPS},
            {"trackingId": text(100, pattern=_TRACKING_ID)},
        ),
        "audio": _message({"originalContentUrl": _HTTPS, "duration": number(1, 86_400_000)}),
        "location": _message(
            {
                "title": text(100),
                "address": text(100),
                "latitude": number(-90, 90, whole=False),
                "longitude": number(-180, 180, whole=False),
            }
        ),
        "imagemap": _message(
            {
                "baseUrl": _HTTPS,
                "altText": _ALT_TEXT,
                "baseSize": obj({"width": number(1040, 1040), "height": _EXTENT}),
                "actions": array(_IMAGEMAP_ACTION, 0, 50),
            },
            {"video": _IMAGEMAP_VIDEO},
        ),
        "template": _message({"altText": _ALT_TEXT, "template": _TEMPLATE}),
        "flex": _message({"altText": _ALT_TEXT, "contents": FLEX_CONTAINER}),
        "coupon": _message(
            {"couponId": text(100)}, {"deliveryTag": text(30, pattern="[a-zA-Z0-9_]+")}
        ),
    }
)

#: The `messages` of a request.
MESSAGES = array(MESSAGE, 1, 5)
