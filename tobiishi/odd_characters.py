"""Characters that look like nothing, or like another: shown by their names.

Pure.
"""

from __future__ import annotations

import unicodedata

#: Of these a text is made; a blank is seen between words only.
_PLAIN_BLANK = " "


def odd_character(text: str) -> str | None:
    """The first character that nobody sees, in words: `a no-break space (U+00A0)`."""
    for at, character in enumerate(text):
        if _is_odd(character) or (character == _PLAIN_BLANK and at in (0, len(text) - 1)):
            name = _name(character)
            article = "an" if name[0] in "aeio" else "a"
            return f"{article} {name} (U+{ord(character):04X})"
    return None


def shown(text: str) -> str:
    """The text, with each character that nobody sees as `⟨no-break space⟩`."""
    return "".join(f"⟨{_name(each)}⟩" if _is_odd(each) else each for each in text)


def _is_odd(character: str) -> bool:
    category = unicodedata.category(character)
    return character != _PLAIN_BLANK and category in ("Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cs")


def _name(character: str) -> str:
    if character == _PLAIN_BLANK:
        return "blank"
    usual = {"\t": "tab", "\n": "line break", "\r": "line break", "\0": "null character"}
    unnamed = f"control character {ord(character):04X}"
    return usual.get(character) or unicodedata.name(character, "").lower() or unnamed
