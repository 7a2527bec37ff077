"""What of a text can be kept, and how what people wrote is shown to people."""

from __future__ import annotations

import re

#: Control characters, what turns the direction of writing, and other ends of lines.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
#: What means something to Markdown wherever it stands.
_MARKS = re.compile(r"[\\`*_\[\]<>~|&#!$]")
#: What begins a list or a line across, as the first of a text.
_FIRST = re.compile(r"\A(\s*)([-+=]|[0-9]+(?=[.)]))")


def is_keepable(text: str) -> bool:
    """Whether Postgres can keep it: it holds no NUL, and no half of a character."""
    return "\0" not in text and text.encode(errors="ignore").decode() == text


def visible(text: str, *, keep: str = "") -> str:
    """The text with what can't be seen, or moves the rest of it, as its number: `\\x1b`.

    For terminals and logs; `keep` has those that stay, such as line breaks of our own.
    """
    return _UNSEEN.sub(lambda found: found[0] if found[0] in keep else _number(found[0]), text)


def as_markdown(text: str, *, most_bytes: int | None = None) -> str:
    """The text as Markdown that shows it as it is, in one line. For the Temporal UI.

    Cut to so many bytes of UTF-8, where it would have more.
    """
    plain = visible(text)
    first = _FIRST.match(plain)
    escaped = ""
    if first:
        number = first[2][0].isdigit()
        escaped = f"{first[1]}{first[2]}\\" if number else f"{first[1]}\\{first[2]}"
        plain = plain[first.end() :]
    whole = escaped + _MARKS.sub(r"\\\g<0>", plain)
    if most_bytes is None or len(whole.encode()) <= most_bytes:
        return whole
    pieces = [escaped, *(_MARKS.sub(r"\\\g<0>", character) for character in plain)]
    room = most_bytes - len("…".encode())
    kept = []
    for piece in pieces:
        room -= len(piece.encode())
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def _number(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
