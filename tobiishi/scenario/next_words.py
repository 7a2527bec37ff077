"""What comes next for a friend, for people to read, in English and in Japanese."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from tobiishi.languages import Language
from tobiishi.plan import Action
from tobiishi.scenario.conditions import in_words, question
from tobiishi.scenario.model import Case, Scenario, Step, Wait, WaitFor
from tobiishi.scenario.planning import (
    branch_at,
    send_at,
    tag_at,
    wait_at,
    wait_for_at,
    way_to,
)

#: Units of a wait: the field, the English word for one, the Japanese for any number.
_UNITS = (("days", "day", "日"), ("hours", "hour", "時間"), ("minutes", "minute", "分"))


def action_in_words(scenario: Scenario, action: Action, step: str, language: Language) -> str:
    """What is done at the step: `the message coupon`. Raises `LookupError`."""
    ja = language == "ja"
    match action:
        case Action.SEND:
            name = send_at(scenario, step).name
            return f"メッセージ「{name}」" if ja else f"the message {name}"
        case Action.BRANCH:
            asks = question(branch_at(scenario, step))
            return f"条件で分ける（{asks}）" if ja else f"a branch ({asks})"
        case Action.TAG:
            tags = tag_at(scenario, step)
            signed = [*(f"+{tag}" for tag in tags.add), *(f"-{tag}" for tag in tags.remove)]
            return f"タグ {' '.join(signed)}" if ja else f"tags {' '.join(signed)}"
        case Action.WATCH:
            waits = wait_for_at(scenario, step)
            most = _wait(waits.up_to, language)
            if ja:
                return f"「{waits.audience}」に入るのを待つ（最長 {most}）"
            return f"a wait for the audience {waits.audience} ({most} at most)"
        case Action.LOOK:
            audience = wait_for_at(scenario, step).audience
            if ja:
                return f"「{audience}」に入っているかを確かめる"
            return f"to see whether they are in the audience {audience}"
        case Action.END:
            return "終わり" if ja else "the end"


def wait_in_words(scenario: Scenario, step: str, language: Language) -> str:
    """The wait at that step: `3 days`, `until they are in the audience bought`.

    Raises `LookupError` where there is none.
    """
    try:
        awaited = wait_for_at(scenario, step)
    except LookupError:
        return _wait(wait_at(scenario, step), language)
    return _awaited(awaited, language)


def ways_in_words(scenario: Scenario, step: str, language: Language) -> list[str]:
    """The ways on which the step is, the outermost first; none where it is on the main one."""
    return [way_in_words(parent, way, language) for parent, way in way_to(scenario, step)]


def way_in_words(step: Step, way: int | None, language: Language) -> str:
    """A way on from a branch or a wait for an audience; None goes past all cases of a branch."""
    ja = language == "ja"
    if step.wait_for:
        audience = step.wait_for.audience
        if way == 0:
            return f"「{audience}」に入った" if ja else f"in {audience} in time"
        return f"「{audience}」に入らず時間切れ" if ja else f"not in {audience} in time"
    assert step.branch is not None
    if way is None:
        return "どれでもない" if ja else "none of them"
    return _case(step.branch[way], language)


def due_in_words(due: datetime, timezone: str, language: Language) -> str:
    """A moment as the zone's clock shows it, and the zone: `2026-11-28 10:00 (Asia/Tokyo)`."""
    shown = f"{due.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"
    return f"{shown}（{timezone}）" if language == "ja" else f"{shown} ({timezone})"


def _case(case: Case, language: Language) -> str:
    if case.when is None:
        return "それ以外" if language == "ja" else "otherwise"
    words = in_words(case.when)
    if language == "ja" and case.when.audience and words == f"in {case.when.audience}":
        return f"「{case.when.audience}」に入っている"
    return words


def _awaited(awaited: WaitFor, language: Language) -> str:
    most = _wait(awaited.up_to, language)
    if language == "ja":
        return f"「{awaited.audience}」に入るまで（最長 {most}）"
    return f"until they are in the audience {awaited.audience} ({most} at most)"


def _wait(wait: Wait, language: Language) -> str:
    ja = language == "ja"
    if wait.until is not None:
        until = f"{wait.until:%Y-%m-%d %H:%M}"
        return f"{until}まで" if ja else f"until {until}"
    clock = f"{wait.at:%H:%M}" if wait.at else ""
    if wait.days_after_start is not None:
        days = wait.days_after_start
        if ja:
            return f"開始から{days}日後の{clock}まで"
        return f"until {clock}, {_days(days)} after the start"
    if clock and not wait.days:
        return f"次の{clock}まで" if ja else f"until it is {clock}"
    if clock:
        days = wait.days or 0
        return f"{days}日後の{clock}まで" if ja else f"until {clock}, {_days(days)} on"
    parts = [
        f"{count}{japanese}" if ja else f"{count} {english}{'s' * (count != 1)}"
        for name, english, japanese in _UNITS
        if (count := getattr(wait, name))
    ]
    return "".join(parts) if ja else " ".join(parts)


def _days(days: int) -> str:
    return f"{days} day{'s' * (days != 1)}"
