"""What of a text can be kept."""

from __future__ import annotations


def is_keepable(text: str) -> bool:
    """Whether Postgres can keep it: it holds no NUL, and no half of a character."""
    return "\0" not in text and text.encode(errors="ignore").decode() == text
