"""The parts of a message that show who acted on it: links, buttons, videos.

Pure: message objects in, message objects out
(https://developers.line.biz/en/reference/messaging-api/#message-objects). The addresses that take
the place of links are made in `tobiishi.tracking.links`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from tobiishi.text import is_keepable

LinkKind = Literal["link", "image"]

#: UTF-16 code units of a text, and characters of an action's URI: what LINE takes.
MAX_TEXT_UNITS = 5000
MAX_URI_CHARS = 1000
#: Bytes of a bubble and of a carousel as JSON: what LINE takes, thousands read as 1,000.
MAX_BUBBLE_BYTES = 30_000
MAX_CAROUSEL_BYTES = 50_000

#: They open inside LINE by themselves, and only under their own address.
_OPEN_IN_LINE = ("line.me", "lin.ee")
#: What LINE itself reads in an address that is tapped: the address that takes its place says it
#: too (https://developers.line.biz/en/docs/messaging-api/using-line-url-scheme/).
_READ_BY_LINE = {"openExternalBrowser", "openInAppBrowser"}


@dataclass(frozen=True, order=True)
class Link:
    """A link in a message, or an image of it."""

    kind: LinkKind
    #: As the message has it.
    url: str


#: Returns the address that replaces a link; the link's own leaves it as it is.
AddressOf = Callable[[Link], str]


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """Which links of a message are led through us."""

    #: The address under which the public reaches us.
    public_url: str
    links: bool = True
    images: bool = False

    def links_of(self, messages: Sequence[Mapping[str, Any]]) -> list[Link]:
        """The links that `rewritten` will ask an address for, each once, in order."""
        found: dict[Link, None] = {}

        def keep(link: Link) -> str:
            found[link] = None
            return link.url

        self.rewritten(messages, keep)
        return list(found)

    def rewritten(
        self, messages: Sequence[Mapping[str, Any]], address_of: AddressOf
    ) -> list[dict[str, Any]]:
        """The messages with the addresses of `address_of` in the place of their links.

        Whatever would exceed LINE's limits stays as it is.
        """
        return [self._in_message(message, address_of) for message in messages]

    def _in_message(self, message: Mapping[str, Any], address_of: AddressOf) -> dict[str, Any]:
        rewritten: dict[str, Any] = self._in_part(message, address_of)
        if self.links and message.get("type") in ("text", "textV2"):
            rewritten |= self._in_text(message, address_of)
        return rewritten

    def _in_part(self, part: Any, address_of: AddressOf) -> Any:
        if isinstance(part, list | tuple):
            return [self._in_part(each, address_of) for each in part]
        if not isinstance(part, Mapping):
            return part
        rewritten = {
            name: self._instead_of(_kind_of(part, name), value, address_of)
            for name, value in part.items()
        }
        largest = _largest(part)
        if largest is not None and _size(rewritten) > max(largest, _size(part)):
            return part
        return rewritten

    def _instead_of(self, kind: LinkKind | None, value: Any, address_of: AddressOf) -> Any:
        if kind is None or not isinstance(value, str):
            return self._in_part(value, address_of)
        if not self._is_tracked(kind, value):
            return value
        address = address_of(Link(kind, value))
        return address if len(address) <= MAX_URI_CHARS else value

    def _is_tracked(self, kind: LinkKind, url: str) -> bool:
        # LINE fetches images over HTTPS only.
        schemes = ("https",) if kind == "image" else ("https", "http")
        if not (self.links if kind == "link" else self.images):
            return False
        if not self.public_url.startswith(tuple(f"{scheme}:" for scheme in schemes)):
            return False
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").rstrip(".")
        except ValueError:
            return False
        return (
            parts.scheme in schemes
            and host != ""
            and not any(host == name or host.endswith(f".{name}") for name in _OPEN_IN_LINE)
            and not self._is_ours(url)
            # Neither spaces, nor what Postgres can't keep.
            and url.isprintable()
            and " " not in url
        )

    def _is_ours(self, url: str) -> bool:
        own = self.public_url.lower()
        return url.lower().startswith(own) and url[len(own) :][:1] in ("", "/", "?", "#")

    def _in_text(self, message: Mapping[str, Any], address_of: AddressOf) -> dict[str, Any]:
        """The fields of a text that change: the text, and where its emojis are."""
        text, emojis = message.get("text"), message.get("emojis") or []
        if not isinstance(text, str) or not _are_emojis(emojis):
            return {}
        pieces, shifts, done = [], [], 0
        for start, end in _urls_in(_without_emojis(text, emojis)):
            url = text[start:end]
            if not self._is_tracked("link", url) or not _is_public(url):
                continue
            address = address_of(Link("link", url))
            pieces += [text[done:start], address]
            shifts.append((_units(text[:end]), _units(address) - _units(url)))
            done = end
        rewritten = "".join([*pieces, text[done:]])
        if not shifts or _units(rewritten) > max(MAX_TEXT_UNITS, _units(text)):
            return {}
        changed: dict[str, Any] = {"text": rewritten}
        if emojis:
            changed["emojis"] = [
                {**emoji, "index": emoji["index"] + _shift_at(emoji["index"], shifts)}
                for emoji in emojis
            ]
        return changed


def parameters_for_line(url: str) -> str:
    """The parameters that LINE itself reads, as a query to append; mostly none."""
    parameters = [
        (name, value) for name, value in parse_qsl(urlsplit(url).query) if name in _READ_BY_LINE
    ]
    return f"?{urlencode(parameters)}" if parameters else ""


def postbacks_of(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """The data of every action that answers with it and can be kept, each once, in order."""
    answering = ("postback", "datetimepicker")
    return _kept(part.get("data") for part in _parts(messages) if part.get("type") in answering)


def with_tracking_ids(
    messages: Sequence[Mapping[str, Any]], retry_key: UUID
) -> list[dict[str, Any]]:
    """The messages, each video with an id that LINE returns when it was watched.

    https://developers.line.biz/en/reference/messaging-api/#video-message
    """
    return [
        {**message, "trackingId": message.get("trackingId") or str(retry_key)}
        if message.get("type") == "video"
        else dict(message)
        for message in messages
    ]


def videos_of(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of the videos that can be kept, each once, in order."""
    return _kept(
        message.get("trackingId") for message in messages if message.get("type") == "video"
    )


def _kept(found: Iterable[Any]) -> list[str]:
    kept = (value for value in found if isinstance(value, str) and is_keepable(value))
    return list(dict.fromkeys(kept))


def _kind_of(part: Mapping[str, Any], name: str) -> LinkKind | None:
    """The kind of a part's field, where it is an address that is tapped or shown."""
    kind = part.get("type")
    # `linkUri`: of an imagemap's actions, and behind its video. `desktop`: of an `altUri`.
    if name in ("linkUri", "desktop") or (name == "uri" and kind == "uri"):
        return "link"
    if kind == "image" and name in ("url", "originalContentUrl", "previewImageUrl"):
        return "image"
    # An image carousel's column has no type; a quick reply's icon is beside one.
    if name == "thumbnailImageUrl" or (name == "imageUrl" and kind is None):
        return "image"
    return None


def _largest(part: Mapping[str, Any]) -> int | None:
    """How many bytes a part of a flex message may have."""
    match part.get("type"):
        case "bubble":
            return MAX_BUBBLE_BYTES
        case "carousel" if "contents" in part:
            return MAX_CAROUSEL_BYTES
    return None


def _size(part: Mapping[str, Any]) -> int:
    return len(json.dumps(part, ensure_ascii=False).encode(errors="replace"))


def _units(text: str) -> int:
    """The length as LINE counts it: in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


#: A run of what an address may be made of, unless it stands inside of another one.
_RUN = re.compile(r"(?<![A-Za-z0-9=&?/%#@+_~-])https?://[!#-;=?-Z\[\]_a-z~]+", re.IGNORECASE)
#: Punctuation that may follow an address.
_TAIL = ".,:;!?'([*"
#: Characters behind these may or may not belong to the address.
_OPEN_ENDS = "/=&?#-_.+~%:@$"
#: Characters not allowed in an address that browsers accept.
_DOUBTFUL = "{|\\^"


def _urls_in(text: str) -> Iterator[tuple[int, int]]:
    """Where the addresses of a text begin and end, as far as one can tell.

    Japanese puts no space behind an address. Punctuation and brackets end it; a Japanese character
    does, but where the address may well go on with it, as in `…/wiki/飛び石`. Such an address is
    left out: a link that is not tracked is better than one that is broken.
    """
    at = 0
    while run := _RUN.search(text, at):
        whole = _up_to_closing_bracket(run.group())
        url = whole.rstrip(_TAIL)
        end, at = run.start() + len(url), run.start() + len(whole)
        follows = text[at : at + 1]
        goes_on = follows in _DOUBTFUL if follows else False
        if not follows.isascii() and follows.isalnum():
            goes_on = whole[-1] in _OPEN_ENDS
        if not goes_on and not re.search(r"[,;!)\]]https?://", url, re.IGNORECASE):
            yield run.start(), end


def _up_to_closing_bracket(run: str) -> str:
    """The run up to a bracket that was opened before it."""
    opened = {"(": 0, "[": 0}
    for number, character in enumerate(run):
        if character in opened:
            opened[character] += 1
        elif character in ")]":
            bracket = "(" if character == ")" else "["
            if not opened[bracket]:
                return run[:number]
            opened[bracket] -= 1
    return run


def _is_public(url: str) -> bool:
    """Whether the host is one that the public may reach, or this machine's."""
    host = urlsplit(url).hostname or ""
    return "." in host.strip(".") or ":" in host or host == "localhost"


def _are_emojis(emojis: Any) -> bool:
    return isinstance(emojis, list) and all(
        isinstance(emoji, Mapping) and isinstance(emoji.get("index"), int) for emoji in emojis
    )


def _without_emojis(text: str, emojis: Sequence[Mapping[str, Any]]) -> str:
    """The text, as long as before, with something that is in no address for each LINE emoji.

    An emoji stands for the `$` at its index, which counts UTF-16 code units.
    """
    places = {emoji["index"] for emoji in emojis}
    if not places:
        return text
    characters, at = [], 0
    for character in text:
        characters.append("\N{OBJECT REPLACEMENT CHARACTER}" if at in places else character)
        at += _units(character)
    return "".join(characters)


def _shift_at(index: int, shifts: Sequence[tuple[int, int]]) -> int:
    """How far a place moves when what is before it grows: `(where, by how much)`."""
    return sum(by for where, by in shifts if where <= index)


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every mapping in a message."""
    if isinstance(value, Mapping):
        yield value
        for part in value.values():
            yield from _parts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _parts(part)
