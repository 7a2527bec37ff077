"""The languages that what marketers read is written in: which one somebody wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["en", "ja"]

#: In the order in which POSIX asks for them.
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


def of_header(accepted: str | None) -> Language:
    """What an `Accept-Language` header likes best of them; English where it names neither."""
    liked: dict[Language, float] = {}
    for part in (accepted or "").lower().split(","):
        name, _, quality = part.partition(";")
        language: Language | None = _of_tag(name)
        if language is not None:
            liked[language] = max(liked.get(language, 0.0), _quality(quality))
    best = max(liked, key=lambda language: liked[language], default=None)
    return best if best is not None and liked[best] > 0 else "en"


def of_environment(variables: Mapping[str, str]) -> Language:
    """The language of a terminal: Japanese for `LANG=ja_JP.UTF-8`, else English."""
    wanted = next((variables[name] for name in _VARIABLES if variables.get(name)), "")
    return _of_tag(wanted.replace("_", "-").partition(".")[0].lower()) or "en"


def _of_tag(tag: str) -> Language | None:
    match tag.strip().partition("-")[0]:
        case "ja":
            return "ja"
        case "en":
            return "en"
    return None


def _quality(parameter: str) -> float:
    try:
        return float(parameter.strip().removeprefix("q=") or 1)
    except ValueError:
        return 0
