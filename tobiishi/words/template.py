"""A template: one thing to tell, in each language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Template:
    """The same in each language, with the same parameters in braces.

    `{names:、}` says what stands between several, `{day:day}` leaves the year out, and
    `{entry:nth}` counts: `2nd`.
    """

    ja: str
    en: str
