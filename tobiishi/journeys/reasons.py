"""Reasons that the database keeps in English words, as sentences for people. Pure.

Why somebody joined an audience, entered a scenario or was not sent a message is kept as it was
written then, also by former releases. What none of these forms has is told as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tobiishi.words import Sentence


@dataclass(frozen=True, kw_only=True)
class Titles:
    """What marketers call things, by their names."""

    audiences: Mapping[str, str] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)

    def audience(self, name: str) -> str:
        return self.audiences.get(name, name)

    def route(self, name: str) -> str:
        return self.routes.get(name, name)


#: Why somebody joined an audience or left it: code by form. A group of the form is a parameter.
_REASONS = [
    (re.compile(form, re.DOTALL), code)
    for form, code in (
        (r"uploaded", "reason.uploaded"),
        (r"added through the API", "reason.by_api"),
        (r"removed through the API", "reason.removed_by_api"),
        (r"tag (?P<tag>.+)", "reason.tag"),
        (r"added by route (?P<route>\S+)", "reason.route"),
        (r"clicked (?P<url>\S+) in (?P<message>\S+) \(\S+\)", "reason.clicked"),
        (r"pressed a button of (?P<message>\S+) \(\S+\)", "reason.pressed"),
        (r"wrote in the chat after (?P<message>\S+) \(\S+\)", "reason.replied"),
        (r"watched the video of (?P<message>\S+) \(\S+\)", "reason.watched"),
        (r"fetched an image of (?P<message>\S+) \(\S+\)", "reason.fetched"),
        (r"page_view on (?P<url>\S+)", "reason.visited"),
        (r"add_to_cart( on \S+)?", "reason.put_in_cart"),
        (r"purchase( on \S+)?", "reason.purchased"),
        (r"(?P<event>[a-z][a-z0-9_]*)( on \S+)?", "reason.did"),
        (r"met its rule when it was made", "reason.at_first"),
        (r"does not meet its new rule", "reason.new_rule"),
        (r"the look-back is over", "reason.look_back"),
        (r"meets its condition", "reason.met"),
        (r"meets its condition, by (?P<audience>\S+)", "reason.met_by"),
        (r"does not meet its condition any more", "reason.unmet"),
        (r"does not meet its condition any more, by (?P<audience>\S+)", "reason.unmet_by"),
    )
]


def reason_of(words: str, titles: Titles) -> Sentence:
    """Why somebody joined an audience, or left it."""
    for form, code in _REASONS:
        if found := form.fullmatch(words):
            return Sentence(code, _titled(found.groupdict(), titles))
    return Sentence("reason.other", {"words": words})


def _titled(names: Mapping[str, str], titles: Titles) -> dict[str, str]:
    named = {"audience": titles.audience, "route": titles.route}
    return {key: named[key](name) if key in named else name for key, name in names.items()}


_ADDED = re.compile(r"(was added as a friend|unblocked the channel)(?:, by route (\S+))?")
_JOINED = re.compile(r"joined (\S+): (.*)", re.DOTALL)
_ENROLLED = re.compile(r"is in (\S+): enrolled")
_BY_HAND = re.compile(r"by hand: (.*)", re.DOTALL)
_RESTORED = "was under way in Temporal, and not in the restored database"


def cause_of(words: str, titles: Titles, *, route: str | None) -> Sentence:
    """Why a journey began; `route` is that by which the friend had come then, where it is known."""
    if added := _ADDED.fullmatch(words):
        code = "cause.added" if added[1].startswith("was") else "cause.unblocked"
        by = added[2] or route
        return Sentence(f"{code}_by", {"route": titles.route(by)}) if by else Sentence(code)
    if joined := _JOINED.fullmatch(words):
        reason = reason_of(joined[2], titles)
        return Sentence("cause.joined", {"audience": titles.audience(joined[1]), "reason": reason})
    if enrolled := _ENROLLED.fullmatch(words):
        return Sentence("cause.enrolled", {"audience": titles.audience(enrolled[1])})
    if by_hand := _BY_HAND.fullmatch(words):
        return Sentence("cause.by_hand", {"reason": by_hand[1]})
    if words == _RESTORED:
        return Sentence("cause.restored")
    return Sentence("cause.other", {"words": words})


_SKIPPED = {
    "friend has blocked the channel": "skip.blocked",
    "not the id of a friend": "skip.no_id",
    "tried again a day later": "skip.again",
}
_OVER = re.compile(
    r"journey (exited|unfollowed|stopped|refused|completed)"
    r"|the journey ended before LINE had clearly answered.*",
    re.DOTALL,
)
_LATE = re.compile(r"it was late: due (.+)")


def skip_of(words: str, *, due: Sentence | None = None) -> Sentence:
    """Why a message was not sent that had come to be sent; `due` is when, where that is kept."""
    if code := _SKIPPED.get(words):
        return Sentence(code)
    if _OVER.fullmatch(words):
        return Sentence("skip.over")
    if late := _LATE.fullmatch(words):
        return Sentence("skip.late", {"due": due or late[1]})
    return Sentence("skip.other", {"words": words})


_PAUSED = {
    "paused through the API": "reason.paused_by_api",
    "paused at the terminal": "reason.paused_at_terminal",
}


def held_by(words: str) -> Sentence:
    """Why sends are held: in the words of an operator, or of LINE."""
    code = _PAUSED.get(words)
    return Sentence(code) if code else Sentence("reason.other", {"words": words})


_STOPPED = {
    "the scenario was retired": "stop.retired",
    "is to be forgotten": "stop.forgotten",
}


def stop_of(words: str) -> Sentence:
    """Why a journey was stopped."""
    if by_hand := _BY_HAND.fullmatch(words):
        return Sentence("stop.by_hand", {"reason": by_hand[1]})
    code = _STOPPED.get(words)
    return Sentence(code) if code else Sentence("stop.other", {"words": words})
