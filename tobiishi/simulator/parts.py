"""The visible and the tappable parts of a message.

Pure: message objects as LINE takes them
(https://developers.line.biz/en/reference/messaging-api/#message-objects).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

#: LINE makes links of addresses in texts. How it finds their end is undocumented: this goes as far
#: as an address may, and leaves a sentence its punctuation.
_URL = re.compile(r"https?://\w[\w\-.~:/?#\[\]@!$&'()*+,;=%]*", re.ASCII | re.IGNORECASE)
_TAIL = ".,:;!?'*"
#: Stands for a LINE emoji while links are sought.
_EMOJI = "\N{OBJECT REPLACEMENT CHARACTER}"
#: Where parts of a message are, in the order in which they are seen.
_BELOW = ("template", "header", "hero", "body", "footer", "columns", "contents", "altContent")
_IMAGES = ("thumbnailImageUrl", "imageUrl")
_KINDS = {
    "sticker": "スタンプ",
    "image": "画像",
    "video": "動画",
    "audio": "ボイスメッセージ",
    "location": "位置情報",
    "coupon": "クーポン",
}


def tappable(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The actions of a message, as they are seen: links in a text, buttons, areas.

    Those of an imagemap are its own: they name `linkUri` and `area`. Quick replies are not among
    them. They are the message's own objects, save those made of a text's links.
    """
    if message.get("type") in ("text", "textV2"):
        return [
            {"type": "uri", "uri": part["url"]} for part in text_parts(message) if "url" in part
        ]
    return list(_actions(message))


def quick_replies(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    items = (message.get("quickReply") or {}).get("items", ())
    return [item["action"] for item in items]


def text_parts(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A text in parts: `text`, with `url` where it is a link, or `emoji`, one of LINE's."""
    text, emojis = _flat(message)
    emojis = list(emojis)
    parts: list[dict[str, Any]] = []
    for piece in re.split(f"({_EMOJI})", text):
        if piece == _EMOJI and emojis:
            parts.append({"emoji": emojis.pop(0)})
            continue
        end = 0
        for start, stop in _links(piece):
            parts += [{"text": piece[end:start]}, {"text": piece[start:stop]}]
            parts[-1]["url"] = piece[start:stop]
            end = stop
        parts.append({"text": piece[end:]})
    return [part for part in parts if part.get("text") != ""]


def images(message: Mapping[str, Any]) -> list[str]:
    """The addresses of the images that a phone loads to show the message, each once."""
    return list(dict.fromkeys(_images(message)))


def summary(message: Mapping[str, Any]) -> str:
    """The message's summary in a list of chats."""
    text = message.get("text") or message.get("altText")
    if text is None:
        kind = str(message.get("type"))
        return f"[{_KINDS.get(kind, kind)}]"
    return str(text)


def numbered(message: dict[str, Any]) -> dict[str, Any]:
    """The message, with the number of each action in it as `tap`, and a text in `parts`."""
    for number, action in enumerate(tappable(message)):
        action["tap"] = number
    for number, action in enumerate(quick_replies(message)):
        action["quickReply"] = number
    if message.get("type") in ("text", "textV2"):
        message["parts"] = text_parts(message)
    return message


def _actions(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for each in node:
            yield from _actions(each)
    if not isinstance(node, dict):
        return
    for name in ("defaultAction", "action"):
        if isinstance(node.get(name), dict):
            yield node[name]
    for name in _BELOW:
        yield from _actions(node.get(name))
    yield from (each for each in node.get("actions", ()) if isinstance(each, dict))
    link = (node.get("video") or {}).get("externalLink") if "video" in node else None
    if isinstance(link, dict):
        yield link


def _images(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _images(each)
    if not isinstance(node, dict):
        return
    kind = node.get("type")
    if kind in ("image", "video") and "originalContentUrl" in node:
        yield node["previewImageUrl"]
        if kind == "image":
            yield node["originalContentUrl"]
    elif kind in ("image", "icon") and "url" in node:
        yield node["url"]
    elif kind == "video" and "previewUrl" in node:
        yield node["previewUrl"]
    elif kind == "imagemap":
        # Of its five sizes, phones take the largest
        # (https://developers.line.biz/en/reference/messaging-api/#imagemap-message).
        yield f"{node['baseUrl']}/1040"
    yield from (node[name] for name in _IMAGES if isinstance(node.get(name), str))
    for name in _BELOW:
        yield from _images(node.get(name))


def _links(text: str) -> Iterator[tuple[int, int]]:
    for found in _URL.finditer(text):
        url = found.group()
        while url[-1] in _TAIL or (url[-1] in ")]" and _closes_nothing(url)):
            url = url[:-1]
        yield found.start(), found.start() + len(url)


def _closes_nothing(url: str) -> bool:
    opening = {")": "(", "]": "["}[url[-1]]
    return url.count(url[-1]) > url.count(opening)


def _flat(message: Mapping[str, Any]) -> tuple[str, list[Mapping[str, Any]]]:
    """The text with a sign for each LINE emoji, and the emojis."""
    text = message["text"]
    if message.get("type") == "textV2":
        return _substituted(text, message.get("substitution") or {})
    emojis = sorted(message.get("emojis") or (), key=lambda emoji: emoji["index"])
    units = bytearray(text.encode("utf-16-le", "surrogatepass"))
    for emoji in emojis:
        units[2 * emoji["index"] : 2 * emoji["index"] + 2] = _EMOJI.encode("utf-16-le")
    return units.decode("utf-16-le", "surrogatepass"), emojis


def _substituted(
    text: str, given: Mapping[str, Mapping[str, Any]]
) -> tuple[str, list[Mapping[str, Any]]]:
    emojis: list[Mapping[str, Any]] = []

    def put(found: re.Match[str]) -> str:
        if found.group() in ("{{", "}}"):
            return found.group()[0]
        by = given.get(found.group()[1:-1])
        if by is None:
            return found.group()
        if by["type"] == "emoji":
            emojis.append(by)
            return _EMOJI
        return "@All" if by["mentionee"]["type"] == "all" else f"@{found.group()[1:-1]}"

    return re.sub(r"\{\{|\}\}|\{[a-zA-Z0-9_]{1,20}\}", put, text), emojis
