"""Messages as a scenario writes them, and as LINE gets them: the friend's fields filled in.

Texts are Liquid templates (https://shopify.github.io/liquid/) that reach the friend's own fields
and nothing else. What LINE itself will say of a message is asked of LINE, at publishing; the
checks here find the common mistakes without it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError

#: What a text may say of the friend, as `{{ friend.… }}`.
FRIEND_FIELDS = frozenset({"display_name", "language", "gender", "region"})
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
LONGEST_TEXT = 5000


class _Environment(Environment):
    # A template of a scenario needs no loop of thousands, nor a text of megabytes.
    loop_iteration_limit = 1000
    output_stream_limit = 100_000
    context_depth_limit = 10


_environment = _Environment()


def render(
    messages: Sequence[Mapping[str, Any]], friend: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    """The messages as LINE gets them. A field that isn't known is empty, for `default:` to fill."""
    known = {field: friend.get(field) or "" for field in FRIEND_FIELDS}
    return [_rendered(message, known) for message in messages]


def uses_profile(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a text says something that LINE's profile knows."""
    return any(
        field in PROFILE_FIELDS
        for message in messages
        for _, text in _texts(message)
        for field in _fields(text)
    )


def problems_with(messages: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    """The messages, or `MessageProblems` where one can't be sent."""
    problems = [
        ((number, *path), problem)
        for number, message in enumerate(messages)
        for path, problem in _problems(message)
    ]
    if problems:
        raise MessageProblems(problems)
    return messages


class MessageProblems(ValueError):
    """What is wrong with messages, each with its path below them."""

    def __init__(self, problems: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
        super().__init__("; ".join(problem for _, problem in problems))
        self.problems = problems


def _problems(message: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in REQUIRED:
        yield (
            ("type",) if "type" in message else (),
            (
                f"{kind!r} is not a type of LINE message; use one of {', '.join(REQUIRED)}"
                if "type" in message
                else "a LINE message has a type, such as text"
            ),
        )
        return
    for field in REQUIRED[kind]:
        if message.get(field) in (None, ""):
            yield (), f"a message of type {kind} needs {field}"
    if isinstance(text := message.get("text"), str):
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        if units > LONGEST_TEXT:
            yield ("text",), f"the text has {units} characters; LINE takes {LONGEST_TEXT}"
    for path, text in _texts(message):
        try:
            unknown = _fields(text) - FRIEND_FIELDS
        except LiquidError as error:
            yield path, f"the template can't be read: {error.args[0] if error.args else error}"
            continue
        for name in sorted(unknown):
            yield (
                path,
                (
                    f"{name!r} is not a field of the friend; "
                    f"use friend.{', friend.'.join(sorted(FRIEND_FIELDS))}"
                ),
            )
    try:
        json.dumps(message, allow_nan=False)
    except (TypeError, ValueError):
        yield (), 'a value is neither text, number, list nor mapping; put it in "quotes"'


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
            found.add(segments[1] if known else ".".join(segments))
    return frozenset(found)


def _rendered(value: Any, friend: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        if "{{" not in value and "{%" not in value:
            return value
        return _template(value).render(friend=friend)
    if isinstance(value, Mapping):
        if value.get("type") == "textV2" and isinstance(value.get("text"), str):
            # There a brace opens LINE's own substitution: a name with one must not.
            plain = {k: v.replace("{", "{{").replace("}", "}}") for k, v in friend.items()}
            rest = {key: _rendered(part, friend) for key, part in value.items() if key != "text"}
            return {**rest, "text": _rendered(value["text"], plain)}
        return {key: _rendered(part, friend) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rendered(part, friend) for part in value]
    return value
