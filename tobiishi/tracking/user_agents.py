"""Guesses at the client from a request's headers: person or machine, phone, language.

Pure, and no more than a guess: anybody may send any header. It decides what is counted, never
who has access.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Os = Literal["ios", "android"]

#: Words by which fetchers, crawlers and checkers name themselves, which those do that come by
#: themselves to a link that one person got. LINE's preview is `facebookexternalhit/1.1;
#: line-poker/1.0`, its crawler Linespider. Cubot makes phones.
_MACHINE = re.compile(
    r"(?<!cu)bot|crawl|spider|poker|preview|fetch|facebookexternalhit|scrap|scan|monitor|checker"
    r"|inspection|google-|googleother|google favicon|lighthouse|whatsapp"
    # Most others name a page to read of them, or say what they are compatible with.
    r"|https?:|\bcompatible;",
    re.IGNORECASE,
)
#: `ja`, `ja-JP`, `zh-Hant-TW`: language, script, region (https://www.rfc-editor.org/rfc/rfc5646).
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?")


def is_for_somebody(method: str, headers: Mapping[str, str]) -> bool:
    """Whether it looks like a person's request, not a preview, crawler or prefetch.

    `headers` by lower-case names.
    """
    # A browser that fetches ahead says so (https://www.w3.org/TR/nav-speculation/), in words that
    # changed over the years.
    ahead = " ".join(
        headers.get(name, "") for name in ("sec-purpose", "purpose", "x-purpose", "x-moz")
    )
    return (
        method == "GET"
        and not re.search(r"prefetch|prerender|preview", ahead, re.IGNORECASE)
        and not _MACHINE.search(headers.get("user-agent", ""))
    )


def os_of(agent: str) -> Os | None:
    """The phone's system; None for what is not a phone, which reveals nothing of the friend's.

    An iPad that asks for desktop pages calls itself a Macintosh: None.
    """
    # Windows phones named every other system, too.
    if re.search(r"Windows", agent):
        return None
    if re.search(r"\((iPhone|iPad|iPod)\b", agent):
        return "ios"
    if re.search(r"\bAndroid\b", agent):
        return "android"
    return None


def language_of(accepted: str) -> str | None:
    """The first language of an `Accept-Language`, as in `ja-JP`; None where it is not one."""
    first = accepted[:200].split(",", 1)[0].split(";", 1)[0].strip()
    if not _LANGUAGE.fullmatch(first):
        return None
    language, *rest = first.split("-")
    cased = (part.title() if len(part) == 4 else part.upper() for part in rest)
    return "-".join((language.lower(), *cased))
