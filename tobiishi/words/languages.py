"""Languages that people are told something in, and which of them somebody wants."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Language: TypeAlias = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "en"


def preferred(accept_language: str | None) -> Language:
    """The best of our languages by an `Accept-Language` header (RFC 9110, 12.5.4)."""
    best, best_weight = DEFAULT, 0.0
    for part in (accept_language or "").split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        language, weight = _ours(name), _weight(parameters)
        if language and weight > best_weight:
            best, best_weight = language, weight
    return best


def of_locale(locale: str | None) -> Language:
    """The language of a locale's name such as `ja_JP.UTF-8`, as `LANG` has it."""
    return _ours((locale or "").replace("_", "-").partition(".")[0]) or DEFAULT


def _ours(tag: str) -> Language | None:
    spoken = tag.lower().partition("-")[0]
    return next((language for language in LANGUAGES if language == spoken), None)


def _weight(parameters: list[str]) -> float:
    """The `q` of a language; 1 where it has none, 0 where that is not a number."""
    for parameter in parameters:
        if parameter.lower().startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
