"""Messages as a scenario writes them, and as LINE gets them: the friend's fields filled in.

Texts are Liquid templates (https://shopify.github.io/liquid/) that reach the friend's own fields
and nothing else. LINE itself validates the messages at publishing; the checks here
find the common mistakes without it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError, UnknownFilterError

#: The friend's fields that a text may name, as `{{ friend.… }}`.
FRIEND_FIELDS = frozenset({"display_name", "language", "gender", "region"})
#: The shop's own attributes, beside these: `{{ friend.fields.rank }}`.
_OWN_FIELD = re.compile(r"friend\.fields\.[a-z][a-z0-9_]{0,31}")
#: Those of them that come from LINE's profile.
PROFILE_FIELDS = frozenset({"display_name", "language"})

#: Message types (https://developers.line.biz/en/reference/messaging-api/#message-objects), and
#: what each must have.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "text": ("text",),
    "textV2": ("text",),
    "sticker": ("packageId", "stickerId"),
    "image": ("originalContentUrl", "previewImageUrl"),
    "video": ("originalContentUrl", "previewImageUrl"),
    "audio": ("originalContentUrl", "duration"),
    "location": ("title", "address", "latitude", "longitude"),
    "imagemap": ("baseUrl", "altText", "baseSize", "actions"),
    "template": ("altText", "template"),
    "flex": ("altText", "contents"),
    "coupon": ("couponId",),
}
#: UTF-16 code units.
MAX_TEXT_UNITS = 5000


#: What else a message must have as text where it has it at all.
_TEXTUAL = (
    *("text", "altText", "title", "address", "packageId", "stickerId", "couponId"),
    *("baseUrl", "originalContentUrl", "previewImageUrl"),
)
_TEMPLATES = ("buttons", "confirm", "carousel", "image_carousel")
_COMPONENTS = ("box", "button", "icon", "span", "separator", "filler")

#: How a text has the friend's name.
NAME_TEMPLATE = "{{ friend.display_name | default: 'お客様' }}"
#: What other tools call it in their placeholders, without blanks, - and _.
_WORDS_FOR_NAME = frozenset(
    {
        *("name", "nickname", "displayname", "username", "friendname", "linename"),
        *("fullname", "firstname", "lastname", "customername"),
        *("名前", "お名前", "氏名", "姓", "名", "ニックネーム", "表示名", "ユーザー名"),
        *(
            "line名",
            "line登録名",
            "line表示名",
            "友だち名",
            "友だちの名前",
            "友だち表示名",
            "友達名",
        ),
    }
)
_IDENTIFIER = re.compile(r"[a-zA-Z_][\w.]{0,39}", re.ASCII)
#: Placeholders of other tools, and of LINE's own manager: `{Nickname}`, `[name]`, `%name%`. Two
#: braces are this one's own.
_PLACEHOLDER = re.compile(
    r"(?<!\{)\{\s*(?P<braced>[^{}\s]{1,40})\s*\}(?!\})"
    r"|\uff5b\s*(?P<wide>[^\uff5b\uff5d\s]{1,40})\s*\uff5d"
    r"|[\[\uff3b]\s*([^\[\]\uff3b\uff3d\s]{1,40})\s*[\]\uff3d]"
    r"|[%\uff05]\s*([^%\uff05\s]{1,40})\s*[%\uff05]"
    r"|<\s*([^<>\s]{1,40})\s*>|#([^#\s]{1,40})#|@([^@\s]{1,40})@|\$([^$\s]{1,40})\$"
)
#: Characters that nobody sees, though they are no blanks: https://www.unicode.org/charts/
_UNSEEN = frozenset("\u115f\u1160\u2800\u3164\uffa0")
#: All filters that suit a friend's fields, which are single texts. No loops and nothing that
#: multiplies a text, so that no template takes long or grows large.
TAGS = ("if", "unless", "case", "comment", "raw")
FILTERS = (
    *("default", "upcase", "downcase", "capitalize", "strip", "lstrip", "rstrip"),
    *("truncate", "slice", "size", "append", "prepend", "remove", "url_encode"),
)


class _Environment(Environment):
    block_nesting_limit = 10
    output_stream_limit = 100_000

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        syntax = {"content", "output", "illegal"}
        self.tags = {name: tag for name, tag in self.tags.items() if name in syntax.union(TAGS)}
        self.filters = {name: self.filters[name] for name in FILTERS}


_environment = _Environment()
_Known = Mapping[str, str | None]
#: A friend about whom nothing is known; every template that was checked can be filled in for them.
_NOBODY: _Known = dict.fromkeys(FRIEND_FIELDS)
_SOMEBODY: dict[str, str | None] = dict.fromkeys(FRIEND_FIELDS, "花子")

#: In a textV2 a brace opens LINE's own substitution, and a doubled one is a brace. Noncharacters
#: stand for a name's braces until the text is filled in, so that no filter cuts a pair in two.
_HIDDEN = str.maketrans({"{": "\ufdd0", "}": "\ufdd1"})
_DOUBLED = str.maketrans({"\ufdd0": "{{", "\ufdd1": "}}"})


def render(
    messages: Sequence[Mapping[str, Any]], friend: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    """The messages as LINE gets them, whatever the friend's fields hold.

    `friend` has the fields by their names, and the shop's own as `fields.rank`.

    A field that isn't known is nil: empty, and for `default:` to fill.
    """
    names = FRIEND_FIELDS.union(name for name in friend if name.startswith("fields."))
    known = {name: _encodable(friend.get(name)) for name in names}
    return [_rendered(message, known) for message in messages]


def uses_profile(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a text names a field of LINE's profile."""
    return any(
        field in PROFILE_FIELDS
        for message in messages
        for _, text in texts(message)
        for field in _fields(text)
    )


def check_messages(messages: Sequence[Mapping[str, Any]]) -> None:
    """Check messages. Raises `MessageProblems` where one can't be sent."""
    problems = [
        ((number, *path), problem)
        for number, message in enumerate(messages)
        for path, problem in _problems(message)
    ]
    if problems:
        raise MessageProblems(problems)


class MessageProblems(ValueError):
    """The errors in messages, each with its path below them."""

    def __init__(self, problems: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
        super().__init__("; ".join(problem for _, problem in problems))
        self.problems = problems


def _problems(message: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in REQUIRED:
        yield ("type",) if "type" in message else (), _what_type(message)
        return
    for field in REQUIRED[kind]:
        if message.get(field) in (None, ""):
            yield (), f"a message of type {kind} needs {field}"
    for field in _TEXTUAL:
        if not isinstance(value := message.get(field, ""), str | None):
            yield (field,), f'{value!r:.60} is not text; put it in "quotes"'
    if isinstance(text := message.get("text"), str):
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        if units > MAX_TEXT_UNITS:
            yield ("text",), f"the text has {units} characters; LINE takes {MAX_TEXT_UNITS}"
    substitution = message.get("substitution")
    if kind == "textV2" and isinstance(substitution, Mapping):
        for name, each in substitution.items():
            if isinstance(each, Mapping) and each.get("type") == "mention":
                yield (
                    ("substitution", name),
                    "LINE takes mentions in groups only, and this goes to a friend; take it out",
                )
    for path, text in texts(message):
        for problem in _problems_of_template(text):
            yield path, problem
    try:
        json.dumps(message, allow_nan=False)
    except (TypeError, ValueError):
        yield (), 'a value is neither text, number, list nor mapping; put it in "quotes"'


def _what_type(message: Mapping[str, Any]) -> str:
    """What to do about a message whose type is none of LINE's."""
    kind = message.get("type")
    if "type" not in message:
        return "a LINE message has a type, such as text"
    name = str(kind)
    if name == "bubble" or (name == "carousel" and "columns" not in message):
        return (
            f"a {name} is what a flex message holds; write "
            f"{{type: flex, altText: …, contents: {{type: {name}, …}}}}"
        )
    if name in _TEMPLATES:
        return (
            f"{name} is a kind of template; write "
            f"{{type: template, altText: …, template: {{type: {name}, …}}}}"
        )
    if name in _COMPONENTS:
        return (
            f"a {name} is a part of a bubble; write {{type: flex, altText: …, contents: "
            f"{{type: bubble, body: {{type: box, layout: vertical, contents: […]}}}}}}"
        )
    return f"{kind!r:.60} is not a type of LINE message; use one of {', '.join(REQUIRED)}"


def _problems_of_template(text: str) -> Iterator[str]:
    try:
        named = _fields(text)
        own = {name for name in named if _OWN_FIELD.fullmatch(name.strip())}
        unknown = sorted(named - FRIEND_FIELDS - own)
        if not unknown:
            for friend in (
                _NOBODY,
                _SOMEBODY | {name.strip().removeprefix("friend."): "花子" for name in own},
            ):
                _filled(text, friend)
    except UnknownFilterError as error:
        yield f"{_reason(error)}; the filters are {', '.join(FILTERS)}"
    except LiquidError as error:
        hint = f"; the tags are {', '.join(TAGS)}" if "unexpected tag" in _reason(error) else ""
        yield f"the template can't be read: {_reason(error)}{hint}"
    else:
        for name in map(str.strip, unknown):
            yield (
                f"{name!r:.60} is not a field of the friend; "
                f"use friend.{', friend.'.join(sorted(FRIEND_FIELDS))}, or for the shop's own "
                f'friend.fields.…, or put words in "quotes"{_name_hint(name)}'
            )


def _name_hint(word: str) -> str:
    return f"; for the friend's name write {NAME_TEMPLATE}" if _is_word_for_name(word) else ""


def _is_word_for_name(word: str) -> bool:
    """Whether other tools put a friend's name where a text has this word in their brackets."""
    plain = unicodedata.normalize("NFKC", word).rpartition(".")[2].strip().lower()
    return re.sub(r"[\s_-]", "", plain) in _WORDS_FOR_NAME


def foreign_placeholders(message: Mapping[str, Any]) -> Iterator[tuple[tuple[Any, ...], str, bool]]:
    """What would be sent as it stands, and is filled in by other tools.

    Each with its path, and whether it means the friend's name.
    """
    given = message.get("substitution")
    for path, text in texts(message):
        for found in _PLACEHOLDER.finditer(text):
            braced = found["braced"] or found["wide"]
            word = next(filter(None, found.groups()))
            if braced and path == ("text",) and isinstance(given, Mapping) and braced in given:
                continue
            is_name = _is_word_for_name(word)
            if is_name or (found["braced"] and _IDENTIFIER.fullmatch(word)):
                yield path, found[0], is_name


def _reason(error: LiquidError) -> str:
    """The text of a template's error, without the excerpt of the template."""
    message = " ".join(str(error.args[0] if error.args else error).split())
    return message if len(message) <= 120 else f"{message[:119]}…"


def texts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, str]]:
    """Every text of a message, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from texts(part, (*path, key))
    elif isinstance(value, Sequence):
        for number, part in enumerate(value):
            yield from texts(part, (*path, number))


@lru_cache(maxsize=4096)
def _template(text: str) -> BoundTemplate:
    return _environment.from_string(text)


@lru_cache(maxsize=4096)
def _fields(text: str) -> frozenset[str]:
    """The fields of the friend that a text names; any other name in full. Raises `LiquidError`."""
    if "{{" not in text and "{%" not in text:
        return frozenset()
    found = set()
    for name, uses in _template(text).analyze().globals.items():
        for use in uses:
            segments = [str(segment) for segment in use.segments]
            known = name == "friend" and len(segments) == 2
            # A blank tells `display_name` alone from `friend.display_name`.
            found.add(segments[1] if known else f" {'.'.join(segments)}")
    return frozenset(found)


def _rendered(value: Any, friend: _Known) -> Any:
    if isinstance(value, str):
        return _filled_for_anybody(value, friend)
    if isinstance(value, Mapping):
        rendered = {key: _rendered(part, friend) for key, part in value.items()}
        if value.get("type") == "textV2" and isinstance(value.get("text"), str):
            hidden = {name: part and part.translate(_HIDDEN) for name, part in friend.items()}
            rendered["text"] = _rendered(value["text"], hidden).translate(_DOUBLED)
        return rendered
    if isinstance(value, list | tuple):
        return [_rendered(part, friend) for part in value]
    return value


def _filled_for_anybody(text: str, friend: _Known) -> str:
    try:
        return _filled(text, friend)
    except LiquidError:
        # The fields of this very friend don't go with the template, such as a name compared with
        # a number. A plainer message is better than none.
        return _filled(text, _NOBODY)


def _filled(text: str, friend: _Known) -> str:
    if "{{" not in text and "{%" not in text:
        return text
    own = {name.removeprefix("fields."): value for name, value in friend.items() if "." in name}
    return _template(text).render(friend={**friend, "fields": own})


def _encodable(text: str | None) -> str | None:
    """The text without halves of surrogate pairs, which no JSON can carry; None where blank."""
    if text is None or not any(map(_is_seen, text)):
        return None
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_seen(character: str) -> bool:
    # Separators, and what only steers others: zero-width blanks, joiners, directions.
    unseen = unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cf", "Mn")
    return not (unseen or character.isspace() or character in _UNSEEN)
