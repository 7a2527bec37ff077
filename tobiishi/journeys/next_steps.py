"""Next steps: what comes next in one journey under way, when, and what keeps it from coming."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tobiishi.channels import holds
from tobiishi.channels.holds import Hold
from tobiishi.database import Connection
from tobiishi.journeys import steps
from tobiishi.journeys.journeys import Journey
from tobiishi.languages import Language
from tobiishi.plan import Plan
from tobiishi.publishing import versions
from tobiishi.scenario import Scenario
from tobiishi.scenario.next_words import (
    action_in_words,
    due_in_words,
    wait_in_words,
    ways_in_words,
)

#: `held`: its sends wait, by a hold on its channel, its scenario or its friend; everything else of
#: it goes on.
NextState = Literal["planned", "held", "stopping", "not_known"]


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """What comes next in a journey."""

    scenario: Scenario
    #: None where it is not known, or does not matter as the journey is being stopped.
    plan: Plan | None
    #: Why the journey is being stopped; None where it goes on.
    stopping: str | None = None
    #: What keeps its sends waiting.
    holds: list[Hold] = field(default_factory=list)

    @property
    def state(self) -> NextState:
        if self.stopping is not None:
            return "stopping"
        if self.plan is None:
            return "not_known"
        return "held" if self.holds else "planned"


async def of_journey(connection: Connection, journey: Journey, *, at: datetime) -> NextStep | None:
    """What comes next in the journey; None where it is over."""
    if journey.ended_at is not None:
        return None
    ref = journey.ref
    version = await versions.get(connection, ref.channel, ref.scenario, ref.version)
    scenario = version.scenario
    if journey.stopping is not None:
        because = journey.stopping_because or journey.stopping
        return NextStep(scenario=scenario, plan=None, stopping=because)
    plan = await steps.kept_plan(connection, ref, scenario)
    return NextStep(
        scenario=scenario,
        plan=plan,
        holds=[
            hold
            for hold in await holds.all_of(connection, ref.channel, at=at)
            if (hold.scope, hold.name)
            in (("channel", ""), ("scenario", ref.scenario), ("friend", ref.friend))
        ],
    )


def in_words(next_step: NextStep, language: Language, *, at: datetime) -> str:
    """What comes next in a sentence or two: what, on which way, when, and which wait it is in."""
    ja = language == "ja"
    if next_step.stopping is not None:
        because = next_step.stopping
        return f"まもなく終了します：{because}" if ja else f"it is being ended: {because}"
    plan, scenario = next_step.plan, next_step.scenario
    if plan is None:
        return (
            "次のステップはまだわかりません（始まったとき、または次に進んだときにわかります）"
            if ja
            else "what comes next is not known yet; it is once the journey has begun or goes on"
        )
    what = action_in_words(scenario, plan.action, plan.step, language)
    if ways := ways_in_words(scenario, plan.step, language):
        on = " → ".join(ways)
        what += f"（{on}）" if ja else f" (on the way: {on})"
    due = due_in_words(plan.due, scenario.timezone, language)
    is_due = plan.due <= at
    if ja:
        text = f"次は{what}、{'予定の時刻を過ぎました' if is_due else '予定'}：{due}"
    else:
        text = f"next is {what}, due {'since ' if is_due else ''}{due}"
    if plan.wait and not is_due:
        wait = wait_in_words(scenario, plan.wait, language)
        text += f"。いまの待ち：{wait}" if ja else f"; it waits now: {wait}"
    for hold in next_step.holds:
        held = hold_in_words(hold, language)
        text += f"。送信を止めています：{held}" if ja else f"; its sends are held: {held}"
    return text


def hold_in_words(hold: Hold, language: Language) -> str:
    """Why sends wait: `the scenario is paused (price was wrong)`."""
    ja = language == "ja"
    if hold.kind == "token":
        return "アクセストークンが無効です" if ja else "LINE does not take the access token"
    if hold.kind == "quota":
        return "今月の通数を使い切りました" if ja else "the month's messages are used up"
    whom = {"channel": "チャネル", "scenario": "シナリオ", "friend": "友だち"}[hold.scope]
    if ja:
        return f"{whom}を一時停止中（{hold.reason}）"
    return f"the {hold.scope} is paused ({hold.reason})"
