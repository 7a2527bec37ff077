"""Test sends: the messages of a scenario's file to a named tester, at once and marked as a test.

Nothing is kept of them: no journey, no delivery, no event. They count in LINE's quota alone. What a
button would answer is not sent along, so that who presses it is not taken for having pressed the
message of a journey; links lead where they are written to lead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from tobiishi.errors import Invalid
from tobiishi.line import LineClient, LineError, Refused, retry_key
from tobiishi.scenario import Scenario, Send, render

#: LINE takes no more messages in one push.
MOST_MESSAGES = 5
#: What a button of a test answers, in the place of its own data.
ANSWER = "tobiishi-test"

#: What became of a push: `unknown` where LINE may have taken it.
TrialStatus = Literal["planned", "sent", "refused", "unknown", "failed", "not_tried"]

_MARKS = {
    "ja": "【テスト配信】シナリオ「{title}」のメッセージ「{message}」です",
    "en": "[Test] message “{message}” of the scenario “{title}”",
}


@dataclass(frozen=True, kw_only=True)
class TrialPush:
    """One push of a test: one of the month's messages, whatever is in it."""

    #: The message's name in the scenario.
    message: str
    #: As LINE gets them.
    messages: Sequence[Mapping[str, Any]]
    status: TrialStatus = "planned"
    #: LINE's words, or why it was not tried.
    reason: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class MonthsMessages:
    """What LINE tells of the month's messages; it counts what was sent by hand, too."""

    #: False where LINE could not be asked.
    is_known: bool
    #: None where there is no limit, or it is not known.
    monthly: int | None = None
    left: int | None = None


def pushes_of(
    scenario: Scenario,
    known: Mapping[str, str | None],
    *,
    only: Sequence[str] = (),
    language: Literal["ja", "en"] = "ja",
) -> list[TrialPush]:
    """The pushes of a test for a friend of whom that is known: all messages, or `only` these.

    Each begins with a text that marks it, where LINE takes one more; else the mark is a push of its
    own. Raises `Invalid` where the scenario has no such message.
    """
    sends = {step.send.name: step.send for _, step in scenario.walk() if step.send}
    if lost := [name for name in only if name not in sends]:
        raise Invalid(
            f"{scenario.scenario!r} sends no message {lost[0]!r}; it sends {', '.join(sends)}"
        )
    found: list[TrialPush] = []
    for send in sends.values():
        if not only or send.name in only:
            found += _marked(scenario, send, known, language)
    return found


def _marked(
    scenario: Scenario, send: Send, known: Mapping[str, str | None], language: str
) -> list[TrialPush]:
    text = _MARKS[language].format(title=scenario.title, message=send.name)
    mark = {"type": "text", "text": text}
    messages = [_untraceable(message) for message in render(send.messages, known)]
    if len(messages) < MOST_MESSAGES:
        return [TrialPush(message=send.name, messages=[mark, *messages])]
    return [
        TrialPush(message=send.name, messages=[mark]),
        TrialPush(message=send.name, messages=messages),
    ]


def _untraceable(part: Any) -> Any:
    """The part of a message, without what tells which message an answer is to."""
    if isinstance(part, list | tuple):
        return [_untraceable(each) for each in part]
    if not isinstance(part, Mapping):
        return part
    plain = {name: _untraceable(each) for name, each in part.items() if name != "trackingId"}
    if plain.get("type") in ("postback", "datetimepicker") and "data" in plain:
        plain["data"] = ANSWER
    return plain


async def months_messages(line: LineClient) -> MonthsMessages:
    """What is left of the month's messages, as LINE tells now."""
    try:
        monthly, used = (await line.quota()).limit, await line.quota_consumption()
    except LineError:
        return MonthsMessages(is_known=False)
    left = None if monthly is None else max(0, monthly - used)
    return MonthsMessages(is_known=True, monthly=monthly, left=left)


async def send_all(
    line: LineClient, to: str, pushes: Sequence[TrialPush], *, key: UUID
) -> list[TrialPush]:
    """Send them one after another, and return what became of each.

    Sent again under the same key, LINE takes none of them twice. What LINE refuses keeps none of
    the others back; where it can't be reached, or takes no more, the rest is not tried.
    """
    found: list[TrialPush] = []
    broken: LineError | None = None
    for number, push in enumerate(pushes):
        if broken is not None:
            found.append(replace(push, status="not_tried", reason="the one before it failed"))
            continue
        try:
            same = json.dumps(push.messages, sort_keys=True, default=str)
            sent = await line.push(
                to, push.messages, retry_key=retry_key(f"test/{key}/{to}", number, same, 1)
            )
        except Refused as error:
            found.append(replace(push, status="refused", reason=str(error)))
        except LineError as error:
            broken = error
            status: TrialStatus = "unknown" if error.ambiguous else "failed"
            found.append(replace(push, status=status, reason=str(error)))
        else:
            found.append(replace(push, status="sent", request_id=sent.request_id))
    return found
