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
from typing import Any, TextIO
from urllib.parse import quote

from liquid import BoundTemplate, Environment
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.output import Output, OutputNode
from liquid.context import RenderContext
from liquid.exceptions import LiquidError, UnknownFilterError

from tobiishi.scenario.numbers import OwnText, number_in

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
#: What a template may have before it is read at all: reading one takes the square of its length.
MAX_TEMPLATE_CHARS, MAX_TEMPLATE_TAGS, MAX_TEMPLATE_FILTERS = 10_000, 200, 30
#: Blanks in a row: one search takes the square of them, in which nothing else gets its turn.
MAX_TEMPLATE_BLANKS = 200
_MANY_BLANKS = re.compile(rf"\s{{{MAX_TEMPLATE_BLANKS + 1}}}")
_OPENING = re.compile(r"\{\{|\{%")

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


#: The fields that are addresses: what is filled in there is percent-encoded.
_ADDRESSES = frozenset(
    {
        *("uri", "linkUri", "desktop", "url", "baseUrl", "originalContentUrl", "previewImageUrl"),
        *("previewUrl", "thumbnailImageUrl", "imageUrl", "iconUrl"),
    }
)
#: What a message may go without, and LINE refuses where it is there and empty.
_OPTIONAL = frozenset(
    {
        *("thumbnailImageUrl", "imageUrl", "iconUrl", "desktop", "displayText", "fillInText"),
        *("name", "quoteToken", "deliveryTag"),
    }
)


class _Environment(Environment):
    block_nesting_limit = 10
    output_stream_limit = 100_000

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        syntax = {"content", "output", "illegal"}
        self.tags = {name: tag for name, tag in self.tags.items() if name in syntax.union(TAGS)}
        self.filters = {name: self.filters[name] for name in FILTERS}


class _AddressNode(OutputNode):
    """Writes what is filled in as a part of an address."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        text = "" if value is None else str(value)
        expression = self.expression
        filters = expression.filters if isinstance(expression, FilteredExpression) else None
        if any(each.name == "url_encode" for each in filters or ()):
            return buffer.write(text)
        # A whole address, such as one of the shop's own attributes, stays one.
        is_whole = _SCHEME.match(text) and not getattr(buffer, "getvalue", str)()
        return buffer.write(quote(text, safe=_RESERVED if is_whole else ""))


class _AddressOutput(Output):
    node_class = _AddressNode


class _AddressEnvironment(_Environment):
    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.add_tag(_AddressOutput)


_BEGINS_WITH = re.compile(r"\s*\{\{-?\s*friend\.(fields\.[a-z0-9_]+)")
_SCHEME = re.compile(r"(https?://|line://|tel:|mailto:)", re.IGNORECASE)
_RESERVED = "%:/?#[]@!$&'()*+,;=~"
_environment, _address_environment = _Environment(), _AddressEnvironment()
_Known = Mapping[str, str | None]
#: A friend about whom nothing is known; every template that was checked can be filled in for them.
_NOBODY: _Known = dict.fromkeys(FRIEND_FIELDS)
_SOMEBODY: dict[str, str | None] = dict.fromkeys(FRIEND_FIELDS, "花子")

#: Noncharacters stand for what must be found again once a text is filled in; friends' own are left
#: out. In a textV2 a brace opens LINE's own substitution, and a doubled one is a brace: two of them
#: stand for a name's braces, so that no filter cuts a pair in two.
_HIDDEN = str.maketrans({"{": "\ufdd0", "}": "\ufdd1"})
_DOUBLED = str.maketrans({"\ufdd0": "{{", "\ufdd1": "}}"})
_NONCHARACTERS = re.compile("[\ufdd0-\ufdef]")
#: The others stand for LINE's emojis, which LINE finds by where their `$` stands in the text.
_EMOJI_MARKS = [chr(code) for code in range(0xFDD2, 0xFDF0)]


def render(
    messages: Sequence[Mapping[str, Any]], friend: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    """The messages as LINE gets them, whatever the friend's fields hold.

    `friend` has the fields by their names, and the shop's own as `fields.rank`.

    A field that isn't known is nil: empty, and for `default:` to fill. What LINE refuses where it
    is empty is left out, where the message can go without it.
    """
    known = _known(friend)
    rendered = [_rendered(message, known) for message in messages]
    # One text that is nothing for this friend, and LINE would refuse the others with it.
    kept = [
        done
        for message, done in zip(messages, rendered, strict=True)
        if not _came_out_empty(message, done, "text")
    ]
    return kept or rendered


def empty_texts(
    messages: Sequence[Mapping[str, Any]], friend: Mapping[str, str | None]
) -> list[tuple[str | int, ...]]:
    """Where a template comes out empty for the friend, which LINE refuses there."""
    known = _known(friend)
    return [
        (number, *path)
        for number, message in enumerate(messages)
        for path, text in _texts(message)
        if _is_template(text)
        and not _can_go(message, path)
        and not _filled_for_anybody(text, known, is_address=path[-1] in _ADDRESSES).strip()
    ]


def own_fields(messages: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    """The shop's own attributes that the messages name, as `render` takes them: `fields.rank`.

    Each with whether an address begins with it.
    """
    found: dict[str, bool] = {}
    for message in messages:
        for path, text in _texts(message):
            first = _BEGINS_WITH.match(text) if path[-1] in _ADDRESSES else None
            for name in _fields(text):
                if _OWN_FIELD.fullmatch(name := name.strip()):
                    own = name.removeprefix("friend.")
                    found[own] = found.get(own, False) or bool(first and first[1] == own)
    return found


def _known(friend: Mapping[str, str | None]) -> _Known:
    names = FRIEND_FIELDS.union(name for name in friend if name.startswith("fields."))
    return {name: _encodable(friend.get(name)) for name in names}


def uses_profile(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a text names a field of LINE's profile."""
    return any(
        field in PROFILE_FIELDS
        for message in messages
        for _, text in _texts(message)
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


def texts_of(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every text of the messages."""
    return [text for message in messages for _, text in _texts(message)]


def comparisons_with_text(
    messages: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What of the messages compares with a text in quotes, each with its path and a warning."""
    for number, message in enumerate(messages):
        for path, text in _texts(message):
            for tag in _TAG.findall(text):
                for compared in _COMPARED_WITH_TEXT.findall(tag):
                    value = "".join(compared)
                    yield (
                        (number, *path),
                        f"{value!r:.60} is in quotes, and is compared as a number all the same; "
                        f"write it without quotes"
                        if number_in(value) is not None
                        else f"{value!r:.60} is a text, and texts are compared character by "
                        "character: '20' comes after '100'; for numbers, write one without quotes",
                    )


_TAG = re.compile(r"\{%.*?%\}", re.DOTALL)
#: A text in quotes behind a sign that asks for an order, or before one.
_COMPARED_WITH_TEXT = re.compile(
    r"""[<>]=?\s*(?:"([^"]*)"|'([^']*)')|(?:"([^"]*)"|'([^']*)')\s*[<>]"""
)


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
        units = _units(text)
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
    for path, text in _texts(message):
        for problem in _problems_of_template(text):
            yield path, problem
    yield from _lost_emojis(message)
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


def _lost_emojis(message: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Emojis that stand for no `$` of a template; LINE itself looks at plain texts."""
    text, emojis = message.get("text"), message.get("emojis")
    if not isinstance(text, str) or not _is_template(text) or not isinstance(emojis, list):
        return
    places = _dollars(text)
    standing = f"a $ stands at {', '.join(map(str, places))}" if places else "it has no $"
    for number, emoji in enumerate(emojis):
        index = emoji.get("index") if isinstance(emoji, Mapping) else None
        if isinstance(index, int) and index not in places:
            yield (
                ("emojis", number, "index"),
                f"{index!r:.20} is not where a $ stands in the text as it is written, with all of "
                f"its {{{{ }}}} (from 0, an emoji counts 2); {standing}",
            )


def _problems_of_template(text: str) -> Iterator[str]:
    if too_large := _too_large(text):
        yield too_large
        return
    try:
        named = _fields(text)
        own = {name for name in named if _OWN_FIELD.fullmatch(name.strip())}
        unknown = sorted(named - FRIEND_FIELDS - own)
        if not unknown:
            for friend in (
                _NOBODY,
                _SOMEBODY | {name.strip().removeprefix("friend."): "花子" for name in own},
            ):
                _filled(text, friend, is_address=False)
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
    for path, text in _texts(message):
        for found in _PLACEHOLDER.finditer(text):
            braced = found["braced"] or found["wide"]
            word = next(filter(None, found.groups()))
            if braced and path == ("text",) and isinstance(given, Mapping) and braced in given:
                continue
            is_name = _is_word_for_name(word)
            if is_name or (found["braced"] and _IDENTIFIER.fullmatch(word)):
                yield path, found[0], is_name


def _too_large(text: str) -> str | None:
    """What of a template is too large for it to be read; None where nothing is."""
    _, *opened = _OPENING.split(text)
    if not opened:
        return None
    if len(text) > MAX_TEMPLATE_CHARS:
        return (
            f"the template has {len(text):,} characters; at most {MAX_TEMPLATE_CHARS:,} are taken: "
            "write what differs in branches of the scenario"
        )
    if len(opened) > MAX_TEMPLATE_TAGS:
        return (
            f"the template has {len(opened):,} times {{{{ or {{%; at most {MAX_TEMPLATE_TAGS} are "
            "taken: write what differs in branches of the scenario"
        )
    filters = max(part.partition("}")[0].count("|") for part in opened)
    if filters > MAX_TEMPLATE_FILTERS:
        return f"{filters:,} filters in a row; at most {MAX_TEMPLATE_FILTERS} are taken"
    if _MANY_BLANKS.search(text):
        return f"over {MAX_TEMPLATE_BLANKS} blanks in a row; take some out"
    return None


def _reason(error: LiquidError) -> str:
    """The text of a template's error, without the excerpt of the template."""
    message = " ".join(str(error.args[0] if error.args else error).split())
    return message if len(message) <= 120 else f"{message[:119]}…"


def _texts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, str]]:
    """Every text of a message, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _texts(part, (*path, key))
    elif isinstance(value, Sequence):
        for number, part in enumerate(value):
            yield from _texts(part, (*path, number))


@lru_cache(maxsize=4096)
def _template(text: str, is_address: bool = False) -> BoundTemplate:
    return (_address_environment if is_address else _environment).from_string(text)


@lru_cache(maxsize=4096)
def _fields(text: str) -> frozenset[str]:
    """The fields of the friend that a text names; any other name in full. Raises `LiquidError`."""
    if not _is_template(text):
        return frozenset()
    found = set()
    for name, uses in _template(text).analyze().globals.items():
        for use in uses:
            segments = [str(segment) for segment in use.segments]
            known = name == "friend" and len(segments) == 2
            # A blank tells `display_name` alone from `friend.display_name`.
            found.add(segments[1] if known else f" {'.'.join(segments)}")
    return frozenset(found)


def _rendered(value: Any, friend: _Known, key: Any = None) -> Any:
    if isinstance(value, str):
        return _filled_for_anybody(value, friend, is_address=key in _ADDRESSES)
    if isinstance(value, Mapping):
        rendered = {key: _rendered(part, friend, key) for key, part in value.items()}
        for key in value:
            if _can_lack(value, key) and _came_out_empty(value, rendered, key):
                del rendered[key]
        if value.get("type") == "textV2" and isinstance(value.get("text"), str):
            hidden = {name: part and part.translate(_HIDDEN) for name, part in friend.items()}
            rendered["text"] = _rendered(value["text"], hidden).translate(_DOUBLED)
        elif "emojis" in value and isinstance(text := value.get("text"), str):
            rendered |= _with_emojis(text, value["emojis"], friend)
            if rendered["emojis"] == []:
                del rendered["emojis"]
        return rendered
    if isinstance(value, list | tuple):
        rendered_parts = [_rendered(part, friend) for part in value]
        return [
            done
            for part, done in zip(value, rendered_parts, strict=True)
            if key != "contents" or not _can_be_left_out(part, done)
        ]
    return value


def _can_lack(part: Mapping[str, Any], key: str) -> bool:
    """Whether LINE takes the part without that field."""
    if key == "title":  # A location must have one; buttons and columns may.
        return "actions" in part
    return key in _OPTIONAL


def _can_be_left_out(part: Any, rendered: Any) -> bool:
    """Whether a part of a flex message is a text that came out empty."""
    return _is_flex_text(part) and _came_out_empty(part, rendered, "text")


def _is_flex_text(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") in ("text", "span")


def _can_go(message: Mapping[str, Any], path: tuple[str | int, ...]) -> bool:
    """Whether `render` leaves out the text at that path where it is empty."""
    part: Any = message
    parts = [part := part[step] for step in path[:-1]]
    holder = parts[-1] if parts else message
    if not isinstance(holder, Mapping):
        return False
    in_contents = len(path) >= 3 and path[-3] == "contents" and path[-1] == "text"
    return _can_lack(holder, str(path[-1])) or (in_contents and _is_flex_text(holder))


def _came_out_empty(part: Mapping[str, Any], rendered: Mapping[str, Any], key: str) -> bool:
    text, done = part.get(key), rendered.get(key)
    return (
        isinstance(text, str) and isinstance(done, str) and _is_template(text) and not done.strip()
    )


def _with_emojis(text: str, emojis: Any, friend: _Known) -> dict[str, Any]:
    """The fields of a text that change where it is filled in: the text, and where its emojis are.

    An emoji goes where its `$` went; one whose `$` is in no part that this friend gets is left out.
    """
    if not _is_template(text) or not isinstance(emojis, list | tuple):
        return {}
    places = sorted(_places_of(emojis).intersection(_dollars(text)))
    if not places or len(places) > len(_EMOJI_MARKS):
        return {}
    marks = dict(zip(places, _EMOJI_MARKS, strict=False))
    marked, at = [], 0
    for character in _NONCHARACTERS.sub("\ufffd", text):
        marked.append(marks.get(at, character))
        at += _units(character)
    filled = _filled_for_anybody("".join(marked), friend)
    moved = {
        place: _units(filled[: filled.index(mark)])
        for place, mark in marks.items()
        if mark in filled
    }
    kept = [
        {**emoji, "index": moved.get(emoji["index"], emoji["index"])}
        if _places_of([emoji])
        else emoji
        for emoji in emojis
        if not _places_of([emoji]) & (marks.keys() - moved.keys())
    ]
    return {"text": _NONCHARACTERS.sub("$", filled), "emojis": kept}


def _places_of(emojis: Sequence[Any]) -> set[int]:
    """The places that emojis name, as far as they name one."""
    return {
        emoji["index"]
        for emoji in emojis
        if isinstance(emoji, Mapping) and isinstance(emoji.get("index"), int)
    }


def _dollars(text: str) -> list[int]:
    """Where a `$` stands in the text, in UTF-16 code units."""
    places, at = [], 0
    for character in text:
        if character == "$":
            places.append(at)
        at += _units(character)
    return places


def _units(text: str) -> int:
    """The length as LINE counts it: in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _is_template(text: str) -> bool:
    return "{{" in text or "{%" in text


def _filled_for_anybody(text: str, friend: _Known, *, is_address: bool = False) -> str:
    try:
        return _filled(text, friend, is_address=is_address)
    except LiquidError:
        # The fields of this very friend don't go with the template, such as a name compared with
        # a number. A plainer message is better than none.
        return _filled(text, _NOBODY, is_address=is_address)


def _filled(text: str, friend: _Known, *, is_address: bool) -> str:
    if not _is_template(text):
        return text
    own = {
        name: value and OwnText(value, name)
        for name, value in (
            (name.removeprefix("fields."), value) for name, value in friend.items() if "." in name
        )
    }
    return _template(text, is_address).render(friend={**friend, "fields": own})


def _encodable(text: str | None) -> str | None:
    """The text without halves of surrogate pairs, which no JSON can carry; None where blank.

    And without the noncharacters that have a meaning of their own here.
    """
    if text is None:
        return None
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    plain = _NONCHARACTERS.sub("", whole)
    return plain if any(map(_is_seen, plain)) else None


def _is_seen(character: str) -> bool:
    # Separators, and what only steers others: zero-width blanks, joiners, directions.
    unseen = unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cf", "Mn")
    return not (unseen or character.isspace() or character in _UNSEEN)
