"""Why a friend got a message, or did not: tables of what is kept and what is told of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from tests.scenarios import scenario_of
from tobiishi.channels.holds import Hold, HoldKind, Scope
from tobiishi.journeys.because import Memory, because
from tobiishi.journeys.deliveries import Delivery, DeliveryStatus
from tobiishi.journeys.explaining import Question, explain
from tobiishi.journeys.journeys import Journey
from tobiishi.journeys.kept import (
    Adding,
    ComingStep,
    KeptFacts,
    Offered,
    StartRule,
    TrailStep,
    Walked,
)
from tobiishi.journeys.reasons import Titles, cause_of, held_by, reason_of, skip_of, stop_of
from tobiishi.languages import Language
from tobiishi.people.audiences import Membership
from tobiishi.people.events import EventSource, FriendEvent
from tobiishi.people.friends import Attributes, Friend, Seen
from tobiishi.plan import Action, JourneyRef
from tobiishi.scenario import FriendFacts, branch_at, choose
from tobiishi.scenario.model import Case
from tobiishi.words import Sentence, in_words

HANAKO = "U" + "1" * 32
JAPAN = ZoneInfo("Asia/Tokyo")


def at(day: int, clock: str = "10:00", *, month: int = 12, year: int = 2026) -> datetime:
    """A moment of December, by Japan's clocks."""
    shown = time.fromisoformat(clock.zfill(5) if clock.count(":") == 1 else clock.zfill(8))
    return datetime.combine(date(year, month, day), shown, JAPAN).astimezone(UTC)


WELCOME = """
scenario: welcome
title: ようこそ
start: {friend_added: {routes: [poster, web]}}
exit: [{joins: bought}]
steps:
  - send: {name: hello, messages: [{type: text, text: a}]}
  - wait: {days: 3, at: "10:00"}
  - branch:
      - when: {audience: bought}
        steps: [{send: {name: thanks, messages: [{type: text, text: a}]}}]
      - when: {all: [{gender: female}, {audience: clicked}]}
        steps: [{send: {name: women, messages: [{type: text, text: a}]}}]
      - otherwise:
        steps: [{send: {name: coupon, messages: [{type: text, text: a}]}}]
  - wait_for:
      audience: came
      up_to: {days: 7}
      in_time: [{send: {name: warm, messages: [{type: text, text: a}]}}]
      too_late: [{send: {name: cold, messages: [{type: text, text: a}]}}]
  - wait: {until: "2026-12-20 10:00", if_past: skip}
  - send: {name: sale, messages: [{type: text, text: a}]}
  - wait: {days: 1}
  - tag: {add: done}
"""
SCENARIO = scenario_of(WELCOME)
TITLES = Titles(
    audiences={"bought": "購入者", "clicked": "クリック", "came": "来店", "vip": "会員"},
    routes={"poster": "ポスター"},
)


PUBLISHED, BEGAN = at(1, month=11), at(1, "9:30")


def delivery(
    message: str,
    step: str,
    moment: datetime,
    status: DeliveryStatus = "sent",
    *,
    settled: datetime | None = None,
    reason: str | None = None,
    attempts: int = 1,
    request_id: str | None = "req-1",
) -> Delivery:
    return Delivery(
        retry_key=UUID(int=1),
        step=step,
        message=message,
        status=status,
        reason=reason,
        claimed_at=moment,
        attempts=attempts,
        ambiguous_at=None,
        settled_at=None if status == "claimed" else settled or moment,
        request_id=request_id if status == "sent" else None,
        message_ids=[],
    )


def did(step: str, moment: datetime, text: str = "", **detail: Any) -> TrailStep:
    return TrailStep(step=step, visit=1, at=moment, text=text, detail=detail)


def branched(moment: datetime, *, kept_parts: bool = True, **facts: Any) -> TrailStep:
    """What a branch leaves in the trail for somebody of whom these facts are known."""
    choice = choose(branch_at(SCENARIO, "2"), FriendFacts(**facts))
    parts = {"parts": choice.parts} if kept_parts else {}
    return did("2", moment, choice.summary, case=choice.case, saw=choice.saw, **parts)


def walk(
    *trail: TrailStep,
    deliveries: Sequence[Delivery] = (),
    ended: datetime | None = None,
    outcome: str | None = None,
    because: str | None = None,
    next_step: ComingStep | None = None,
    why: str = "was added as a friend",
    entry: int = 1,
    began: datetime = BEGAN,
    stopping: Any = None,
    text: str = WELCOME,
) -> Walked:
    return Walked(
        journey=Journey(
            ref=JourneyRef(
                journey_id=1,
                channel="default",
                scenario="welcome",
                version=3,
                friend=HANAKO,
                entry=entry,
                started_at=began,
            ),
            why=why,
            stopping=stopping,
            stopping_because=because,
            ended_at=ended,
            outcome=outcome,
        ),
        scenario=scenario_of(text),
        trail=trail,
        deliveries=deliveries,
        next_step=next_step,
    )


def rule(text: str = WELCOME, *, version: int = 3, published: datetime = PUBLISHED) -> StartRule:
    scenario = scenario_of(text)
    return StartRule(
        version=version,
        published_at=published,
        start=scenario.start,
        period=scenario.period,
        reentry=scenario.reentry,
        timezone=scenario.timezone,
    )


def offered(text: str = WELCOME, *, live: int | None = 3, **more: Any) -> Offered:
    scenario = scenario_of(text)
    found = {"rules": (rule(text),), "with_message": 3, **more}
    return Offered(name=scenario.scenario, title=scenario.title, live=live, **found)


def hanako(**more: Any) -> Friend:
    known: dict[str, Any] = {
        "channel": "default",
        "friend": HANAKO,
        "status": "following",
        "route": "poster",
        "attributes": Attributes(),
        "seen": Seen(),
        "display_name": "花子",
        "language": None,
        "profile_at": None,
    }
    return Friend(**known | more)


def kept(*walked: Walked, **more: Any) -> KeptFacts:
    known: dict[str, Any] = {
        "friend": hanako(),
        "status_since": at(1, "9:30"),
        "now": at(10),
        "titles": TITLES,
        "walked": walked,
        "offered": (offered(),),
        "routes": ((at(1, "9:29"), "poster"),),
        "added": Adding(at=at(1, "9:30"), unblocked=False),
    }
    return KeptFacts(**known | more)


def member(joined: datetime, reason: str = "uploaded", left: datetime | None = None) -> Membership:
    left_reason = "removed through the API" if left else None
    return Membership(joined_at=joined, reason=reason, left_at=left, left_reason=left_reason)


def told(facts: KeptFacts, language: Language, question: Question) -> list[str]:
    """The paragraphs."""
    between = {"ja": "", "en": " "}[language]
    return [
        between.join(in_words(sentence, language) for sentence in paragraph.sentences)
        for paragraph in explain(facts, question)
    ]


HELLO = delivery("hello", "0", at(1, "9:30:01"))
ENTERED_JA = (
    f"花子さん（{HANAKO}）は 2026年12月1日 9:30（日本時間）に友だち追加（追加経路「ポスター」）で"
    "シナリオ「ようこそ」（バージョン3、1回目）に入りました。"
)
ENTERED_EN = (
    f"花子 ({HANAKO}) entered the scenario “ようこそ” (version 3, for the 1st time) on 1 December "
    "2026 at 9:30 (Japan time), when they added the channel as a friend by the route “ポスター”. "
)
NOT_SENT_JA = (
    f"花子さん（{HANAKO}）に、シナリオ「ようこそ」のメッセージ「%s」は送信されていません。"
)
NOT_SENT_EN = f"花子 ({HANAKO}) has not got the message “%s” of the scenario “ようこそ”. "
BRIEFLY_JA = (
    "2026年12月1日 9:30（日本時間）に友だち追加（追加経路「ポスター」）でシナリオ「ようこそ」"
    "（バージョン3、1回目）に入りました。"
)
BRIEFLY_EN = (
    "They entered the scenario “ようこそ” (version 3, for the 1st time) on 1 December 2026 at 9:30 "
    "(Japan time), when they added the channel as a friend by the route “ポスター”. "
)


def because_of(ja: str, en: str, trail: TrailStep, **more: Any) -> Any:
    """Hanako got the coupon, and why: the sentences between her entering and the sending."""
    coupon = delivery("coupon", "2.2.0", at(4, "10:00:03"))
    facts = kept(walk(did("0", at(1)), trail, deliveries=(HELLO, coupon)), **more)
    return (
        facts,
        Question(message="coupon"),
        ENTERED_JA
        + ja
        + "同じ日の 10:00:03にメッセージ「coupon」を送信しました（LINE リクエスト ID req-1）。",
        ENTERED_EN
        + en
        + "The message “coupon” was sent the same day at 10:00:03 (LINE's request id is req-1).",
    )


def why_not(message: str, ja: str, en: str, walked: Walked, **more: Any) -> Any:
    """Hanako is, or was, in the scenario, and did not get the message."""
    return (
        kept(walked, **more),
        Question(message=message),
        NOT_SENT_JA % message + BRIEFLY_JA + ja,
        NOT_SENT_EN % message + BRIEFLY_EN + en,
    )


def never(ja: str, en: str, text: str = WELCOME, /, *, message: str = "", **more: Any) -> Any:
    """Hanako was never in the scenario."""
    known = {"offered": (offered(text),), **more}
    if message:
        opening = (NOT_SENT_JA % message, NOT_SENT_EN % message)
    else:
        opening = (
            f"花子さん（{HANAKO}）はシナリオ「ようこそ」に入ったことがありません。",
            f"花子 ({HANAKO}) has never been in the scenario “ようこそ”. ",
        )
    question = Question(message=message or None, scenario="welcome")
    return (kept(**known), question, opening[0] + ja, opening[1] + en)


def starting(start: str, more: str = "") -> str:
    return WELCOME.replace(
        "start: {friend_added: {routes: [poster, web]}}", f"start: {start}{more}"
    )


def hold(scope: Scope, name: str, kind: HoldKind = "paused") -> Hold:
    return Hold(
        channel="default",
        scope=scope,
        name=name,
        kind=kind,
        reason="年末のため",
        since=at(3, "8:00"),
        until=None,
    )


WAITING = ComingStep(action=Action.BRANCH, step="2", due=at(4))
CASES = {
    # --- why
    "by default, the last message": (
        kept(walk(did("0", at(1)), deliveries=(HELLO,))),
        Question(),
        ENTERED_JA
        + "同じ日の 9:30:01にメッセージ「hello」を送信しました（LINE リクエスト ID req-1）。",
        ENTERED_EN
        + "The message “hello” was sent the same day at 9:30:01 (LINE's request id is req-1).",
    ),
    "not in an audience": because_of(
        "3日後の 12月4日 10:00に、オーディエンス「購入者」に入っていなかったこと、性別が女性ではなかった"
        "ことから、それ以外の人の分岐（「coupon」）へ進みました。",
        "They went the way of all the others, which sends “coupon”, 3 days later, on 4 December at "
        "10:00, because they were not in the audience “購入者” and their gender was not female. ",
        branched(at(4), gender="male", audiences=frozenset({"clicked"})),
    ),
    "not in it any more, and too little known": because_of(
        "3日後の 12月4日 10:00に、オーディエンス「購入者」にもう入っていなかった（12月2日 12:00に"
        "外れた、API による解除）こと、性別が分からなかった（条件は女性）ことから、"
        "それ以外の人の分岐（「coupon」）へ進みました。",
        "They went the way of all the others, which sends “coupon”, 3 days later, on 4 December at "
        "10:00, because they were not in the audience “購入者” any more (they left it on 2 December "
        "at 12:00: taken out through the API) and their gender was not known (the condition is "
        "female). ",
        branched(at(4), audiences=frozenset({"clicked"})),
        memberships={"bought": (member(at(1), left=at(2, "12:00")),)},
    ),
    "an older release kept no parts": because_of(
        "3日後の 12月4日 10:00に、オーディエンス「購入者」にまだ入っていなかった（入ったのは12月6日 "
        "10:00、購入）こと、条件「性別が女性、かつ『クリック』に入っている」に当てはまらなかったことから、"
        "それ以外の人の分岐（「coupon」）へ進みました。",
        "They went the way of all the others, which sends “coupon”, 3 days later, on 4 December at "
        "10:00, because they were not in the audience “購入者” yet (they joined it on 6 December at "
        "10:00: made a purchase) and the condition “gender female and in クリック” was not met. ",
        branched(at(4), kept_parts=False, gender="male"),
        memberships={"bought": (member(at(6), "purchase on https://shop.example/"),)},
    ),
    "nobody kept what was seen": because_of(
        "3日後の 12月4日 10:00にそれ以外の人の分岐（「coupon」）へ進みましたが、理由は記録に"
        "残っていません。",
        "They went the way of all the others, which sends “coupon”, 3 days later, on 4 December at "
        "10:00; why is not known any more. ",
        did("2", at(4), case=2),
    ),
    "it went out late, at the second try": (
        kept(
            walk(
                did("0", at(2), due=at(1, "9:30").isoformat()),
                deliveries=(
                    delivery("hello", "0", at(2, "9:00:05"), settled=at(2, "9:10"), attempts=2),
                ),
            )
        ),
        Question(message="hello"),
        ENTERED_JA
        + "翌日の 12月2日 9:10:00にメッセージ「hello」を送信しました（LINE リクエスト ID req-1）。"
        "予定は 12月1日 9:30でした。12月2日 9:00:05の最初の試行から数えて2回目に LINE が受け付けました。",
        ENTERED_EN
        + "The message “hello” was sent the next day, on 2 December at 9:10:00 (LINE's request id is "
        "req-1). It was due on 1 December at 9:30. LINE accepted it at the 2nd try; the first was "
        "on 2 December at 9:00:05.",
    ),
    "it was sent more than once": (
        kept(
            walk(
                did("0", at(1, year=2025)), deliveries=(delivery("hello", "0", at(1, year=2025)),)
            ),
            walk(did("0", at(1)), deliveries=(HELLO,)),
        ),
        Question(message="hello"),
        ENTERED_JA
        + "同じ日の 9:30:01にメッセージ「hello」を送信しました（LINE リクエスト ID req-1）。"
        "このメッセージはほかにも1回送信しています（2025年12月1日 10:00）。",
        ENTERED_EN
        + "The message “hello” was sent the same day at 9:30:01 (LINE's request id is req-1). Other "
        "times that this message was sent to them: 1 (on 1 December 2025 at 10:00).",
    ),
    "perhaps sent": (
        kept(
            walk(
                did("0", at(1)),
                deliveries=(
                    delivery("hello", "0", at(1, "9:30"), "unknown", settled=at(2, "9:00")),
                ),
            )
        ),
        Question(message="hello"),
        ENTERED_JA
        + "翌日の 12月2日 9:00にメッセージ「hello」を LINE に渡そうとしましたが、受け付けられたか"
        "分かりません。届いた可能性があるため、もう一度送ることはしません。",
        ENTERED_EN
        + "The message “hello” was perhaps sent the next day, on 2 December at 9:00: LINE never "
        "answered clearly. It may have arrived, so that it is not sent again.",
    ),
    # --- a journey from its beginning to its end
    "a whole journey": (
        kept(
            walk(
                did("0", at(1)),
                branched(at(4), audiences=frozenset({"bought"})),
                did("2.0.0", at(4)),
                did("3", at(6), way=0),
                did("3.0.0", at(6)),
                did("4", at(21), past=True),
                did("7", at(22)),
                deliveries=(
                    HELLO,
                    delivery("thanks", "2.0.0", at(4), "refused", reason="Not found (404)"),
                    delivery("warm", "3.0.0", at(6), request_id=None),
                ),
                ended=at(22),
                outcome="completed",
            ),
            memberships={
                "bought": (member(at(3), "tag 購入"),),
                "came": (member(at(6, "9:59"), "clicked https://a.example/ in hello (welcome)"),),
            },
        ),
        Question(every=True),
        ENTERED_JA
        + "同じ日の 9:30:01にメッセージ「hello」を送信しました（LINE リクエスト ID req-1）。"
        "3日後の 12月4日 10:00に、オーディエンス「購入者」に入っていた（12月3日 10:00から、タグ「購入」）"
        "ため、「thanks」の分岐へ進みました。"
        "同じ日の 10:00に LINE がメッセージ「thanks」を拒否しました（LINE の返答:「Not found (404)」）。"
        "2日後の 12月6日 10:00に、待っていたオーディエンス「来店」に入っていたため（12月6日 9:59から、"
        "メッセージ「hello」のリンク https://a.example/ をクリック）、先へ進みました。"
        "同じ日の 10:00:00にメッセージ「warm」を送信しました（LINE リクエスト ID は残っていません）。"
        "15日後の 12月21日 10:00の時点で待つはずの日時が過ぎていたため、メッセージ「sale」を省きました。"
        "翌日の 12月22日 10:00にタグを変更しました（+done）。"
        "同じ日の 10:00にシナリオを最後まで終えました。",
        ENTERED_EN
        + "The message “hello” was sent the same day at 9:30:01 (LINE's request id is req-1). They "
        "went the way that sends “thanks” 3 days later, on 4 December at 10:00, because they were in "
        "the audience “購入者” (joined on 3 December at 10:00: by the tag “購入”). LINE refused "
        "the message “thanks” the same day at 10:00, and answered: “Not found (404)”. They went on 2 days later, on 6 "
        "December at 10:00, because they were in the audience “来店”, for which the scenario waits "
        "(joined on 6 December at 9:59: clicked https://a.example/ in the message “hello”). The "
        "message “warm” was sent the same day at 10:00:00 (LINE's request id is not kept). Messages "
        "were left out 15 days later, on 21 December at 10:00, as the moment to wait for was past: "
        "“sale”. Tags were changed the next day, on 22 December at 10:00: +done. They came to the "
        "scenario's end the same day at 10:00.",
    ),
    "a journey that waits": (
        kept(
            walk(
                did("0", at(1)),
                did("2", at(4), "→ goes on", case=None, saw={}),
                deliveries=(HELLO,),
                next_step=ComingStep(action=Action.LOOK, step="3", due=at(11)),
            )
        ),
        Question(scenario="welcome"),
        ENTERED_JA
        + "同じ日の 9:30:01にメッセージ「hello」を送信しました（LINE リクエスト ID req-1）。"
        "3日後の 12月4日 10:00の記録:「→ goes on」。"
        "まだ途中で、オーディエンス「来店」に入るのを 7日後の 12月11日 10:00まで待っています。",
        ENTERED_EN
        + "The message “hello” was sent the same day at 9:30:01 (LINE's request id is req-1). The "
        "record of what was done 3 days later, on 4 December at 10:00 says: “→ goes on”. They are "
        "on the way: it waits for them to join the audience “来店”, which is too late 7 days later, "
        "on 11 December at 10:00.",
    ),
    # --- why not: inside the scenario
    "they went another way": why_not(
        "thanks",
        "3日後の 12月4日 10:00に、オーディエンス「購入者」に入っていなかったため、それ以外の人の分岐"
        "（「coupon」）へ進みました。メッセージ「thanks」はそれとは別の分岐にあります。",
        "They went the way of all the others, which sends “coupon”, 3 days later, on 4 December at "
        "10:00, because they were not in the audience “購入者”. The message “thanks” is on another "
        "way.",
        walk(did("0", at(1)), branched(at(4)), deliveries=(HELLO,)),
    ),
    "an earlier case was theirs": why_not(
        "women",
        "3日後の 12月4日 10:00に、オーディエンス「購入者」に入っていたため、「thanks」の分岐へ進みました。"
        "メッセージ「women」はそれとは別の分岐にあります。",
        "They went the way that sends “thanks” 3 days later, on 4 December at 10:00, because they "
        "were in the audience “購入者”. The message “women” is on another way.",
        walk(did("0", at(1)), branched(at(4), audiences=frozenset({"bought"}))),
    ),
    "they came too late": why_not(
        "warm",
        "10日後の 12月11日 10:00まで待ちましたが、オーディエンス「来店」に入っていなかったため、期限後の"
        "分岐へ進みました。メッセージ「warm」は、待機の別の分岐にあります。",
        "They went the way of those who are too late 10 days later, on 11 December at 10:00, because "
        "they were not in the audience “来店” by then. The message “warm” is on the other way of "
        "that wait.",
        walk(did("0", at(1)), did("3", at(11), way=1)),
    ),
    "the moment to wait for was past": why_not(
        "sale",
        "20日後の 12月21日 10:00の時点で待つはずの日時が過ぎていたため、メッセージ「sale」を省きました。",
        "Messages were left out 20 days later, on 21 December at 10:00, as the moment to wait for "
        "was past: “sale”.",
        walk(did("0", at(1)), did("4", at(21), past=True), ended=at(22), outcome="completed"),
    ),
    "they left before it": why_not(
        "coupon",
        "翌日の 12月2日 10:00に、オーディエンス「購入者」に入ったため、シナリオを途中で終了しました。"
        "メッセージ「coupon」のステップはその先でした。",
        "They left the scenario the next day, on 2 December at 10:00, because they joined the "
        "audience “購入者”, which is an exit. The message “coupon” would have come after that.",
        walk(did("0", at(1)), ended=at(2), outcome="exited", because="joined bought"),
    ),
    "they blocked before it": why_not(
        "coupon",
        "翌日の 12月2日 10:00に、チャネルをブロックしたため、シナリオを途中で終了しました。"
        "メッセージ「coupon」のステップはその先でした。",
        "They left the scenario the next day, on 2 December at 10:00, because they blocked the "
        "channel. The message “coupon” would have come after that.",
        walk(ended=at(2), outcome="unfollowed", because="blocked the channel"),
    ),
    "somebody stopped it": why_not(
        "coupon",
        "翌日の 12月2日 10:00に、停止されたため（シナリオの公開終了）、シナリオを途中で終了しました。"
        "メッセージ「coupon」のステップはその先でした。",
        "They left the scenario the next day, on 2 December at 10:00, because the journey was stopped (the scenario was retired). The "
        "message “coupon” would have come after that.",
        walk(ended=at(2), outcome="stopped", because="the scenario was retired"),
    ),
    "it is being ended": why_not(
        "coupon",
        "オーディエンス「購入者」に入ったため（購入）、いま終了の手続き中です。これ以上は送信されません。",
        "They are leaving the scenario, because they joined the audience “購入者” (made a purchase), which is an exit: nothing more is sent.",
        walk(stopping="exited", because="joined bought"),
        memberships={"bought": (member(at(2), "purchase"), member(at(12), "uploaded"))},
    ),
    "they are on the way": why_not(
        "sale",
        "まだ途中で、次は 3日後の 12月4日 10:00に分岐を判定する予定です。"
        "メッセージ「sale」はそのあとのステップです。",
        "They are on the way: a branch is due 3 days later, on 4 December at 10:00. The message "
        "“sale” comes after that.",
        walk(did("0", at(1)), next_step=WAITING),
    ),
    "it comes next": why_not(
        "coupon",
        "3日後の 12月4日 10:00に、オーディエンス「購入者」に入っていなかったこと、オーディエンス"
        "「クリック」に入っていなかったことから、それ以外の人の分岐（「coupon」）へ進みました。"
        "まだ途中で、次は 翌日の 12月5日 9:00にメッセージ「coupon」を送信する予定です。",
        "They went the way of all the others, which sends “coupon”, 3 days later, on 4 December at "
        "10:00, because they were not in the audience “購入者” and they were not in the audience "
        "“クリック”. They are on the way: the message “coupon” is due the next day, on 5 December "
        "at 9:00.",
        walk(
            did("0", at(1)),
            branched(at(4), gender="female"),
            next_step=ComingStep(action=Action.SEND, step="2.2.0", due=at(5, "9:00")),
        ),
    ),
    "it is held": why_not(
        "hello",
        "まだ途中で、次は 同じ日の 9:30にメッセージ「hello」を送信する予定です。ただし送信は停止中です: "
        "シナリオの一時停止（12月3日 8:00から、年末のため）。",
        "They are on the way: the message “hello” is due the same day at 9:30. Sends are held, "
        "however: the scenario was paused on 3 December at 8:00 (年末のため).",
        walk(next_step=ComingStep(action=Action.SEND, step="0", due=at(1, "9:30"))),
        holds=(hold("friend", "U" + "2" * 32), hold("scenario", "welcome")),
    ),
    "LINE has not accepted it yet": why_not(
        "hello",
        "メッセージ「hello」は 同じ日の 9:30から送信中で、LINE はまだ受け付けていません（3回試行、"
        "最後の応答:「429」）。ただし送信は停止中です: 今月のメッセージ通数を使い切ったため（12月3日 "
        "8:00から、年末のため）。",
        "LINE was first asked to send the message “hello” the same day at 9:30, and has not accepted "
        "it yet (tries: 3; the last answer was “429”). Sends are held, however: the month's messages "
        "were used up on 3 December at 8:00 (年末のため).",
        walk(
            next_step=ComingStep(action=Action.SEND, step="0", due=at(1, "9:30")),
            deliveries=(
                delivery("hello", "0", at(1, "9:30"), "claimed", reason="429", attempts=3),
            ),
        ),
        holds=(hold("channel", "", "quota"),),
    ),
    "it was late": why_not(
        "hello",
        "同じ日の 23:00にメッセージ「hello」の送信を見送りました（予定の 12-01 09:30より遅れたため）。"
        "まだ途中で、次は 3日後の 12月4日 10:00に分岐を判定する予定です。",
        "The message “hello” was skipped the same day at 23:00: it was late, being due 12-01 09:30. "
        "They are on the way: a branch is due 3 days later, on 4 December at 10:00.",
        walk(
            did("0", at(1, "23:00")),
            next_step=WAITING,
            deliveries=(
                delivery(
                    "hello", "0", at(1, "23:00"), "skipped", reason="it was late: due 12-01 09:30"
                ),
            ),
        ),
    ),
    "it was late, and when it was due is kept": why_not(
        "hello",
        "同じ日の 23:00にメッセージ「hello」の送信を見送りました（予定の 12月1日 9:30より遅れたため）。"
        "まだ途中で、次は 3日後の 12月4日 10:00に分岐を判定する予定です。",
        "The message “hello” was skipped the same day at 23:00: it was late, being due on 1 December at 9:30. "
        "They are on the way: a branch is due 3 days later, on 4 December at 10:00.",
        walk(
            did("0", at(1, "23:00"), due=at(1, "9:30").isoformat()),
            next_step=WAITING,
            deliveries=(
                delivery(
                    "hello", "0", at(1, "23:00"), "skipped", reason="it was late: due 12-01 09:30"
                ),
            ),
        ),
    ),
    "LINE refused it": why_not(
        "hello",
        "同じ日の 9:30に LINE がメッセージ「hello」を拒否しました（LINE の返答:「Bad request」）。"
        "同じ日の 9:30に、LINE がメッセージを拒否したため、シナリオを途中で終了しました。",
        "LINE refused the message “hello” the same day at 9:30, and answered: “Bad request”. They "
        "left the scenario the same day at 9:30, because LINE refused a message.",
        walk(
            did("0", at(1)),
            deliveries=(delivery("hello", "0", at(1, "9:30"), "refused", reason="Bad request"),),
            ended=at(1, "9:30"),
            outcome="refused",
            because="did not send hello: Bad request",
        ),
    ),
    "their version does not have it": why_not(
        "encore",
        "この友だちが進むバージョン3には、メッセージ「encore」がありません。"
        "3日後の 12月4日 10:00にシナリオを最後まで終えました。",
        "Version 3, through which they go, does not have the message “encore”. They came to the "
        "scenario's end 3 days later, on 4 December at 10:00.",
        walk(ended=at(4), outcome="completed"),
        offered=(offered(with_message=4),),
    ),
    "nothing is kept of a branch that was passed": why_not(
        "thanks",
        "3日後の 12月4日 10:00にシナリオを最後まで終えました。"
        "それ以上の理由は、残っている記録からは分かりません。",
        "They came to the scenario's end 3 days later, on 4 December at 10:00. What is kept does "
        "not tell why; so it is not known.",
        walk(did("0", at(1)), ended=at(4), outcome="completed"),
    ),
    "they are beyond it, and nothing is kept": why_not(
        "thanks",
        "まだ途中で、次は 20日後の 12月21日 10:00にタグを変更する予定です。"
        "それ以上の理由は、残っている記録からは分かりません。",
        "They are on the way: a change of tags is due 20 days later, on 21 December at 10:00. What "
        "is kept does not tell why; so it is not known.",
        walk(did("0", at(1)), next_step=ComingStep(action=Action.TAG, step="7", due=at(21))),
    ),
    # --- why not: never in the scenario
    "they have blocked the channel": never(
        "2026年12月5日 10:00（日本時間）からチャネルをブロックしています。"
        "開始条件のオーディエンス「会員」に入ったことがありません。",
        "They blocked the channel on 5 December 2026 at 10:00 (Japan time). They have never been in "
        "the audience “会員”, with which it starts.",
        starting("{audience: vip}"),
        friend=hanako(status="blocked"),
        status_since=at(5),
    ),
    "the scenario is retired": never(
        "このシナリオは公開を終了しており、新しく入る人はいません。"
        "開始条件のオーディエンス「会員」に入ったことがありません。",
        "The scenario is retired: nobody enters it. They have never been in the audience “会員”, with "
        "which it starts.",
        offered=(offered(starting("{audience: vip}"), live=None),),
    ),
    "its period is over, and the message is asked about": never(
        "シナリオの期間は 2026年12月3日 23:59（日本時間）に終わりました。"
        "開始条件のオーディエンス「会員」に入ったことがありません。",
        "The scenario's period was over on 3 December 2026 at 23:59 (Japan time). They have never "
        "been in the audience “会員”, with which it starts.",
        starting("{audience: vip}", '\nperiod: {until: "2026-12-03"}'),
        message="hello",
    ),
    "its period is to come": never(
        "シナリオの期間は 2027年1月1日 0:00（日本時間）に始まります。"
        "開始条件のオーディエンス「会員」に入ったことがありません。",
        "The scenario's period begins on 1 January 2027 at 0:00 (Japan time). They have never been in "
        "the audience “会員”, with which it starts.",
        starting("{audience: vip}", '\nperiod: {from: "2027-01-01"}'),
    ),
    "they joined before it was published": never(
        "開始条件のオーディエンス「会員」に入ったのは 2026年10月1日 10:00（日本時間）で、シナリオの最初の"
        "公開（11月1日 10:00）より前です。あとから入った人だけが対象です（include_members なし）。",
        "They joined the audience “会員”, with which it starts, on 1 October 2026 at 10:00 (Japan "
        "time), before it was first published on 1 November at 10:00; only who joins after that "
        "enters (it has no include_members).",
        starting("{audience: vip}"),
        memberships={"vip": (member(at(1, month=10)),)},
    ),
    "those who were in it are being enrolled": never(
        "オーディエンス「会員」にすでに入っている人の一括登録が進行中です。",
        "Those who were in the audience “会員” already are being enrolled.",
        offered=(offered(starting("{audience: vip, include_members: true}"), enrolment="running"),),
        memberships={"vip": (member(at(1, month=10)),)},
    ),
    "they joined outside its period": never(
        "シナリオの期間は 2026年12月3日 23:59（日本時間）に終わりました。"
        "12月5日 10:00に開始条件を満たしましたが、シナリオの期間外でした。",
        "The scenario's period was over on 3 December 2026 at 23:59 (Japan time). They met its start "
        "condition on 5 December at 10:00, which was outside its period.",
        starting("{audience: vip}", '\nperiod: {until: "2026-12-03"}'),
        memberships={"vip": (member(at(5)),)},
    ),
    "it started otherwise then": never(
        "2026年12月5日 10:00（日本時間）に今の開始条件を満たしましたが、そのときのバージョン2の開始条件は"
        "別のものでした。",
        "They met what is its start condition now on 5 December 2026 at 10:00 (Japan time), when version 2 had another one.",
        offered=(
            offered(
                starting("{audience: vip}"),
                rules=(
                    rule(starting("{audience: came}"), version=2),
                    rule(starting("{audience: vip}"), version=3, published=at(8)),
                ),
            ),
        ),
        memberships={"vip": (member(at(5)),)},
    ),
    "their joining is not handled yet": never(
        "オーディエンス「会員」に入ったことの処理がまだ済んでいません。",
        "That they joined the audience “会員” is not handled yet.",
        starting("{audience: vip}"),
        joinings={"vip": None},
    ),
    "their joining can't be handled": never(
        "オーディエンス「会員」に入ったことの処理に失敗しています（「no」）。",
        "That they joined the audience “会員” can't be handled: “no”.",
        starting("{audience: vip}"),
        joinings={"vip": "no"},
    ),
    "nothing that is kept tells why": never(
        "それ以上の理由は、残っている記録からは分かりません。",
        "What is kept does not tell why; so it is not known.",
        starting("{audience: vip}"),
        memberships={"vip": (member(at(5)),)},
    ),
    "they were a friend before it": never(
        "シナリオの最初の公開（2026年12月8日 10:00（日本時間））より前からの友だちです。"
        "そのあとに友だち追加した人が対象です。",
        "They were a friend before it was first published on 8 December 2026 at 10:00 (Japan time); "
        "it starts for those who are added after that.",
        offered=(offered(rules=(rule(published=at(8)),)),),
    ),
    "they came by another route": never(
        "このシナリオは追加経路「ポスター」・「web」からの友だち追加で始まりますが、この友だちの追加経路は"
        "「leaflet」です。",
        "It starts for those who are added by the route “ポスター” or “web”; they came by “leaflet”.",
        friend=hanako(route="leaflet"),
    ),
    "by which route they came is not known": never(
        "このシナリオは追加経路「ポスター」・「web」からの友だち追加で始まりますが、この友だちの追加経路の記録が"
        "ありません。",
        "It starts for those who are added by the route “ポスター” or “web”; by which they came is "
        "not known.",
        friend=hanako(route=None),
    ),
    "they unblocked the channel": never(
        "2026年12月1日 9:30（日本時間）のブロック解除は、このシナリオでは友だち追加に数えません"
        "（unblocked なし）。",
        "They unblocked the channel on 1 December 2026 at 9:30 (Japan time), which does not count as "
        "an adding here (it has no unblocked).",
        added=Adding(at=at(1, "9:30"), unblocked=True),
    ),
    "when they were added is not kept any more": never(
        "いつ友だち追加したかの記録は残っていないか、Tobiishi の導入前です。",
        "When they added the channel is not kept any more, or was before Tobiishi was there.",
        added=None,
        routes=(),
        status_since=None,
    ),
    "the live version does not have it": never(
        "このメッセージはバージョン2にだけあり、公開中のバージョンにはありません。"
        "開始条件のオーディエンス「会員」に入ったことがありません。",
        "That message is in version 2, and not in the live one. They have never been in the audience "
        "“会員”, with which it starts.",
        message="encore",
        offered=(offered(starting("{audience: vip}"), with_message=2),),
    ),
}


def again(ja: str, en: str, start: str, reentry: str, **more: Any) -> tuple[KeptFacts, str, str]:
    text = starting(start, f"\nreentry: {reentry}")
    walked = walk(ended=at(4), outcome="completed", text=text)
    return kept(walked, **{"offered": (offered(text),), **more}), ja, en


#: Of a friend who has been through a scenario: what is told of entering it again.
AGAIN = {
    "never": again(
        "このシナリオに入れるのは一度だけです（reentry: never）。",
        "A friend enters this scenario once only (reentry: never).",
        "friend_added",
        "never",
    ),
    "never, and they joined again": again(
        "12月6日 10:00に開始条件のオーディエンス「会員」にまた入りましたが、新しいジャーニーは"
        "始まりませんでした。このシナリオに入れるのは一度だけです（reentry: never）。",
        "They joined the audience “会員”, with which it starts, again on 6 December at 10:00, and no "
        "journey began. A friend enters this scenario once only (reentry: never).",
        "{audience: vip}",
        "never",
        memberships={"vip": (member(at(1), left=at(2)), member(at(6)))},
    ),
    "never, and they were added again": again(
        "12月6日 10:00にまた友だち追加しましたが、新しいジャーニーは始まりませんでした。"
        "このシナリオに入れるのは一度だけです（reentry: never）。",
        "They added the channel again on 6 December at 10:00, and no journey began. A friend enters "
        "this scenario once only (reentry: never).",
        "{friend_added: {unblocked: true}}",
        "never",
        added=Adding(at=at(6), unblocked=True),
    ),
    "they joined again just now": again(
        "オーディエンス「会員」に入ったことの処理がまだ済んでいません。",
        "That they joined the audience “会員” is not handled yet.",
        "{audience: vip}",
        "after_finishing",
        joinings={"vip": None},
    ),
    "not yet": again(
        "もう一度入れるのは 12月31日 9:30からです（reentry: after_days 30）。",
        "They may enter again on 31 December at 9:30 or later (reentry: after_days 30).",
        "friend_added",
        "{after_days: 30}",
    ),
    "at any time": again(
        "開始条件をもう一度満たせば、また入ります。",
        "They enter again when they meet its start condition again.",
        "friend_added",
        "after_finishing",
    ),
    "after it has ended": again(
        "前のジャーニーの終了を待って、もう一度入ります（12月5日 10:00から待機中）。",
        "They enter again once their former journey has ended; that was decided on 5 December at "
        "10:00.",
        "friend_added",
        "after_finishing",
        pending={"welcome": at(5)},
    ),
    "retired": again(
        "このシナリオは公開を終了しており、新しく入る人はいません。",
        "The scenario is retired: nobody enters it.",
        "friend_added",
        "after_finishing",
        offered=(offered(starting("friend_added", "\nreentry: after_finishing"), live=None),),
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_is_kept_is_told(case: str, language: Language) -> None:
    facts, question, ja, en = CASES[case]
    assert told(facts, language, question) == [{"ja": ja, "en": en}[language]]


@pytest.mark.parametrize("case", AGAIN)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_whether_they_enter_again_is_told(case: str, language: Language) -> None:
    facts, ja, en = AGAIN[case]
    (paragraph,) = told(facts, language, Question(scenario="welcome"))
    ended = {"ja": "シナリオを最後まで終えました。", "en": "They came to the scenario's end"}[
        language
    ]
    assert ended in paragraph
    assert paragraph.endswith({"ja": ja, "en": en}[language])


# --- causes, and conditions of every shape


@pytest.mark.parametrize(
    ("why", "route", "ja", "en"),
    [
        ("was added as a friend", None, "友だち追加で", "when they added the channel as a friend"),
        (
            "was added as a friend, by route web",
            "poster",
            "友だち追加（追加経路「web」）で",
            "when they added the channel as a friend by the route “web”",
        ),
        (
            "unblocked the channel",
            "poster",
            "ブロック解除（追加経路「ポスター」）で",
            "when they unblocked the channel, by the route “ポスター”",
        ),
        ("unblocked the channel", None, "ブロック解除で", "when they unblocked the channel"),
        (
            "joined vip: uploaded",
            None,
            "オーディエンス「会員」に入ったこと（リストのアップロード）で",
            "when they joined the audience “会員” (by an uploaded list)",
        ),
        (
            "is in vip: enrolled",
            None,
            "オーディエンス「会員」にすでに入っている人の一括登録で",
            "with all who were in the audience “会員” already",
        ),
        (
            "by hand: 店頭で依頼",
            "poster",
            "手動（理由: 店頭で依頼）で",
            "by hand, for the reason “店頭で依頼”",
        ),
        (
            "was under way in Temporal, and not in the restored database",
            None,
            "（きっかけはバックアップからの復元で失われました）",
            "on an occasion that was lost when a backup was restored",
        ),
        (
            "out of the blue",
            None,
            "（きっかけの記録: out of the blue）",
            "as the record says: out of the blue",
        ),
    ],
)
def test_what_began_a_journey_is_told(why: str, route: str | None, ja: str, en: str) -> None:
    cause = cause_of(why, TITLES, route=route)
    assert (in_words(cause, "ja"), in_words(cause, "en")) == (ja, en)


def test_a_stop_by_hand_is_told() -> None:
    stop = stop_of("by hand: 電話で依頼")
    assert in_words(stop, "ja") == "手動での取りやめ、理由: 電話で依頼"
    assert in_words(stop, "en") == "by hand, for the reason “電話で依頼”"
    assert in_words(stop_of("closed"), "en") == "closed"


def test_the_reason_that_an_event_gives_is_known_in_both_languages() -> None:
    """Whatever `FriendEvent.in_words` writes is read again: nothing is told as it was written."""
    seen = set()
    message = {"scenario": "welcome", "message": "hello"}
    for event in ("click", "postback", "reply", "video", "image"):
        url = "https://shop.example/" if event == "click" else None
        seen.add(friend_event("message", event, url=url, **message).in_words)
    for event in ("page_view", "add_to_cart", "purchase", "signed_up"):
        seen.add(friend_event("site", event, url="https://shop.example/?a=1").in_words)
    seen |= {friend_event("site", event).in_words for event in ("purchase", "signed_up")}
    codes = {reason_of(words, TITLES).code for words in seen}
    assert codes == {
        *("reason.clicked", "reason.pressed", "reason.replied", "reason.watched"),
        *("reason.fetched", "reason.visited", "reason.put_in_cart", "reason.purchased"),
        "reason.did",
    }


def friend_event(source: EventSource, event: str, **more: Any) -> FriendEvent:
    return FriendEvent(
        channel="default", friend=HANAKO, source=source, event=event, occurred_at=BEGAN, **more
    )


def test_what_nobody_foresaw_is_told_as_it_was_written() -> None:
    assert in_words(reason_of("By hand, 12/1", TITLES), "ja") == "By hand, 12/1"
    assert in_words(skip_of("the moon was full"), "en") == "the moon was full"
    assert skip_of("friend has blocked the channel").code == "skip.blocked"


@pytest.mark.parametrize(
    ("condition", "facts", "en"),
    [
        ({"not": {"audience": "vip"}}, {}, "because they were not in the audience “会員”"),
        (
            {"any": [{"audience": "vip"}, {"audience": "came"}, {"gender": "male"}]},
            {"audiences": frozenset({"came"}), "gender": "male"},
            "because they were in the audience “来店” and their gender was male",
        ),
        (
            {"all": [{"age": {"from": 20, "to": 29}}, {"not": {"any": [{"os": "ios"}]}}]},
            {"age": 23, "os": "android"},
            "because their age was 20 to 29 and their phone was not iOS",
        ),
        (
            {"age": {"from": 20}, "region": ["東京都", "大阪府"], "language": "ja"},
            {"age": 23, "region": "大阪", "language": "ja"},
            "because their age was 20 or more and their region was 東京都 or 大阪府 and their "
            "language was ja",
        ),
        (
            {"fields": {"rank": ["gold", "silver"]}, "age": {"to": 19}},
            {"fields": {"rank": "gold"}, "age": 3},
            "because their age was 19 or less and their attribute “rank” was gold or silver",
        ),
    ],
)
def test_each_kind_of_condition_is_told(
    condition: dict[str, Any], facts: dict[str, Any], en: str
) -> None:
    branch = (
        Case.model_validate({"when": condition, "steps": []}),
        Case.model_validate({"otherwise": None, "steps": []}),
    )
    choice = choose(branch, FriendFacts(**facts))
    assert choice.case == 0
    memory = Memory(
        at=BEGAN, titles=TITLES, memberships={}, moment=lambda at: Sentence("when.day", {"at": at})
    )
    reason = because(branch, 0, {**choice.parts, **choice.saw}, memory)
    assert reason is not None
    assert in_words(reason, "en") == en


def test_what_decided_a_condition_that_does_not_hold_is_told() -> None:
    any_of = {"any": [{"audience": "vip"}, {"all": [{"gender": "male"}, {"os": "ios"}]}]}
    branch = (Case.model_validate({"when": any_of, "steps": []}),)
    memory = Memory(
        at=BEGAN, titles=TITLES, memberships={}, moment=lambda at: Sentence("when.day", {"at": at})
    )
    choice = choose(branch, FriendFacts(gender="male"))
    assert (choice.case, list(choice.saw.values())) == (None, [None])
    reason = because(branch, None, {**choice.parts, **choice.saw}, memory)
    assert reason is not None
    assert in_words(reason, "en") == "because their phone was not known (the condition is iOS)"


# --- several paragraphs, other time zones


def test_who_was_in_no_scenario_is_told_why_of_each() -> None:
    scenarios = [replace(offered(starting("{audience: vip}")), name=f"s{n}") for n in range(7)]
    paragraphs = told(kept(offered=scenarios), "ja", Question())
    assert paragraphs[0] == f"花子さん（{HANAKO}）はまだどのシナリオにも入っていません。"
    assert len(paragraphs) == 7
    assert paragraphs[-1].startswith("ほかに2件のシナリオがあります。")
    (only,) = told(kept(offered=()), "en", Question())
    assert only.endswith("has not been in any scenario yet. There is no live scenario.")


def test_each_journey_and_each_time_has_a_paragraph_of_its_own() -> None:
    first = walk(did("0", at(1)), deliveries=(HELLO,), ended=at(4), outcome="completed")
    again = walk(did("0", at(6)), deliveries=(delivery("hello", "0", at(6)),), entry=2, began=at(6))
    facts = kept(first, again)
    assert [len(told(facts, "ja", Question(every=True))), len(told(facts, "ja", Question()))] == [
        2,
        1,
    ]
    times = told(facts, "ja", Question(message="hello", every=True))
    assert ["2回目" in text for text in times] == [True, False]


def test_moments_are_those_of_the_scenarios_zone() -> None:
    text = WELCOME.replace("title:", "timezone: Europe/London\ntitle:")
    facts = kept(walk(did("0", at(1)), deliveries=(HELLO,), text=text))
    (ja,), (en,) = told(facts, "ja", Question()), told(facts, "en", Question())
    assert "2026年12月1日 0:30（Europe/London 時間）" in ja
    assert "on 1 December 2026 at 0:30 (Europe/London time)" in en


def test_a_friend_without_a_name_is_named_by_the_whole_id() -> None:
    facts = kept(walk(did("0", at(1)), deliveries=(HELLO,)), friend=hanako(display_name=None))
    (ja,), (en,) = told(facts, "ja", Question()), told(facts, "en", Question())
    assert ja.startswith(f"{HANAKO} さんは ")
    assert en.startswith(f"{HANAKO} entered")


def test_a_journey_that_was_moved_to_another_version_is_told_by_what_it_left() -> None:
    """Its trail is of steps that its version does not have: the words of then are told."""
    strange = walk(did("9", at(2), "sent gone"), did("2", at(4), "in x: yes", case=7, saw={}))
    (en,) = told(kept(strange), "en", Question(every=True))
    assert "says: “sent gone”." in en
    assert "says: “in x: yes”." in en
    # A branch, a wait and a tag that are at the same places in both versions, and others.
    other = (
        did("2", at(4), "in x: yes", case=0, saw={"in x": True}),
        did("3", at(6), "joined x: in time", way=0),
        did("7", at(7), "tag +x"),
    )
    (en,) = told(kept(walk(*other)), "en", Question(every=True))
    assert re.findall("says: “(.*?)”", en) == ["in x: yes", "joined x: in time", "tag +x"]
    (paragraph,) = explain(kept(walk(*other)), Question(message="coupon"))
    assert [each.code for each in paragraph.sentences][2:] == ["next_unknown"]
    got = walk(deliveries=(delivery("gone", "9.1.0", at(2)),))
    (en,) = told(kept(got), "en", Question())
    assert "The message “gone” was sent the next day" in en


@pytest.mark.parametrize(
    ("walked", "more", "codes"),
    [
        (walk(next_step=None), {}, ["next_unknown"]),
        (walk(next_step=ComingStep(action=Action.WATCH, step="3", due=at(4))), {}, ["next"]),
        (walk(next_step=ComingStep(action=Action.END, step="", due=at(4))), {}, ["next"]),
        (walk(did("3", at(4), way=0)), {}, ["came_in_time", "next_unknown"]),
        (walk(branched(at(4)), did("2", at(4))), {}, ["went", "recorded", "next_unknown"]),
        (walk(stopping="stopped"), {}, ["is_leaving"]),
        (walk(stopping="exited", because="left bought"), {}, ["is_leaving"]),
        (
            walk(deliveries=(delivery("hello", "0", at(1), "claimed"),)),
            {},
            ["being_sent", "next_unknown"],
        ),
        (
            walk(deliveries=(delivery("hello", "0", at(1), "skipped", reason="journey exited"),)),
            {},
            ["skipped", "next_unknown"],
        ),
        (
            walk(ended=at(4), outcome="exited", because="left bought"),
            {"memberships": {"bought": (member(at(1), left=at(4)),)}},
            ["left"],
        ),
    ],
)
def test_whatever_a_journey_did_is_told(
    walked: Walked, more: dict[str, Any], codes: list[str]
) -> None:
    (paragraph,) = explain(kept(walked, **more), Question(every=True))
    assert [sentence.code for sentence in paragraph.sentences[1:]] == codes
    for language in ("ja", "en"):
        assert all(told(kept(walked, **more), language, Question(every=True)))


def test_the_exit_by_which_they_left_an_audience_is_told() -> None:
    walked = walk(ended=at(4), outcome="exited", because="left bought")
    facts = kept(walked, memberships={"bought": (member(at(1), left=at(4)),)})
    (ja,) = told(facts, "ja", Question(every=True))
    assert "オーディエンス「購入者」から外れたため（API による解除）、シナリオを途中で" in ja
    (ja,) = told(kept(walked), "ja", Question(every=True))
    assert "オーディエンス「購入者」から外れたため、シナリオを途中で" in ja


def test_who_took_none_of_the_ways_is_told_why() -> None:
    """Also where a part of the branch has no message, and a wait leaves no message out."""
    text = """
scenario: welcome
title: ようこそ
start: friend_added
steps:
  - branch:
      - when: {any: [{audience: vip}, {not: {os: ios}}]}
        steps: [{tag: {add: a}}]
      - when: {gender: male}
        steps: [{branch: [{when: {gender: female}, steps: [{send: {name: deep, messages: [
          {type: text, text: a}]}}]}]}]
  - wait: {until: "2026-12-02 10:00", if_past: skip}
  - tag: {add: b}
  - wait: {days: 1}
  - tag: {add: c}
"""
    branch = branch_at(scenario_of(text), "0")
    choice = choose(branch, FriendFacts(os="ios", gender="female"))
    assert choice.case is None
    passed = did("0", at(4), case=None, saw=choice.saw, parts=choice.parts)
    walked = walk(passed, did("1", at(4), past=True), text=text)
    (en,) = told(kept(walked), "en", Question(every=True))
    assert (
        "They took none of the ways of a branch 3 days later, on 4 December at 10:00, because they "
        "were not in the audience “会員” and their phone was iOS and their gender was not male, and "
        "went on. The steps up to the next wait were left out the same day at 10:00, as the moment "
        "to wait for was past."
    ) in en
    older = did("0", at(4), case=None, saw=choice.saw)
    (ja,) = told(kept(walk(older, text=text)), "ja", Question(every=True))
    assert "性別が男性ではなかった" in ja
    taken = choose(branch, FriendFacts(audiences=frozenset({"vip"})))
    (ja,) = told(
        kept(walk(did("0", at(4), case=0, saw=taken.saw), text=text)), "ja", Question(every=True)
    )
    assert (
        "条件「（『会員』に入っている、または（スマートフォンの OSがiOS）ではない）」に当てはまったため、1番目の分岐へ"
        in ja
    )
    deep = choose(branch, FriendFacts(os="ios", gender="male"))
    (ja,) = told(
        kept(walk(did("0", at(4), case=1, saw=deep.saw), text=text)), "ja", Question(every=True)
    )
    assert "「deep」の分岐へ" in ja


def test_a_scenario_that_is_under_way_is_told_without_its_end() -> None:
    (paragraph,) = explain(kept(walk(next_step=WAITING)), Question(scenario="welcome"))
    assert [sentence.code for sentence in paragraph.sentences] == ["entered", "next"]


def test_a_route_of_long_ago_is_not_that_of_an_unblocking() -> None:
    walked = walk(why="unblocked the channel", next_step=WAITING)
    facts = kept(walked, routes=((at(29, month=11), "poster"),))
    (ja,) = told(facts, "ja", Question())
    assert "ブロック解除でシナリオ" in ja


def test_when_they_were_added_may_be_known_by_their_route_alone() -> None:
    facts = kept(added=None, status_since=None)
    (paragraph,) = explain(facts, Question(scenario="welcome"))
    assert [sentence.code for sentence in paragraph.sentences] == ["not_in_scenario", "not_known"]
    blocked = kept(friend=hanako(status="blocked"), status_since=None, added=None)
    (paragraph,) = explain(blocked, Question(scenario="welcome"))
    assert [sentence.code for sentence in paragraph.sentences][1] == "blocked"
    few = kept(offered=(offered(),))
    assert len(explain(few, Question())) == 2


def test_who_may_enter_again_after_days_that_are_over_is_told_so() -> None:
    text = starting("friend_added", "\nreentry: {after_days: 1}")
    facts = kept(walk(ended=at(4), outcome="completed", text=text), offered=(offered(text),))
    (paragraph,) = explain(facts, Question(scenario="welcome"))
    assert paragraph.sentences[-1].code == "reentry_open"


def test_a_message_that_many_scenarios_have_is_told_of_theirs_alone() -> None:
    others = [replace(offered(starting("{audience: vip}")), name=f"s{n}") for n in range(9)]
    ours = kept(walk(next_step=WAITING), offered=(*others, offered()))
    assert [each.scenario for each in explain(ours, Question(message="hello"))] == ["welcome"]
    retired = [replace(each, live=None) for each in others[:5]]
    nobody = kept(offered=(*retired, *others[5:]))
    told_of = [each.scenario for each in explain(nobody, Question(message="hello"))]
    assert told_of == ["s5", "s6", "s7", "s8", "s0", None]


def test_why_sends_are_held_is_told_in_the_operators_words() -> None:
    assert in_words(held_by("paused through the API"), "ja") == "API による一時停止"
    assert in_words(held_by("苦情"), "en") == "苦情"
