"""Rehearsals by the real workflow and activities; each date was counted by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.rehearsal.conftest import Rehearse, play
from tobiishi.errors import Invalid
from tobiishi.rehearsal.keeping import KeptRehearsal, differences, lines_of
from tobiishi.rehearsal.rehearsal import Rehearsal
from tobiishi.rehearsal.stage import Stage
from tobiishi.rehearsal.timeline import Timeline
from tobiishi.rehearsal.walking import walk

EXAMPLES = Path(__file__).parents[3] / "examples"
WELCOME = (EXAMPLES / "welcome.yaml").read_text(encoding="utf-8")


def seen(timeline: Timeline, *, zone: bool = False) -> list[str]:
    form = "%m-%d %H:%M %Z" if zone else "%m-%d %H:%M"
    return [f"{entry.at:{form}} {entry.text}" for entry in timeline.entries]


def scenario(steps: str, rules: str = "start: friend_added") -> str:
    return f"scenario: s\ntitle: s\n{rules}\nsteps:\n{steps}"


def send(name: str, more: str = "") -> str:
    return f"  - send: {{name: {name}, messages: [{{type: text, text: {name}}}]{more}}}\n"


async def test_a_friend_who_does_nothing_goes_the_plain_way(rehearse: Rehearse) -> None:
    timeline = await rehearse(WELCOME)

    assert seen(timeline) == [
        "12-01 09:30 starts: was added as a friend",
        "12-01 09:30 sent hello",
        "12-01 09:30 waits until 2026-12-04 10:00 (3 days, at 10:00), then: is in clicked-hello?",
        "12-04 10:00 in clicked-hello: no → otherwise",
        "12-04 10:00 sent reminder",
        "12-04 10:00 tag +welcomed",
        "12-04 10:00 ends: completed",
    ]
    assert timeline.entries[1].messages[0]["text"].startswith("花子さん、友だち追加ありがとう")


async def test_what_happens_decides_and_is_told(rehearse: Rehearse) -> None:
    timeline = await rehearse(WELCOME, "+2d clicks hello", "+5d blocks")

    assert "12-03 09:30 clicks hello" in seen(timeline)
    branch = next(entry for entry in timeline.entries if entry.kind == "branch")
    assert (branch.way, branch.saw) == (0, {"in clicked-hello": True})
    assert [entry.message for entry in timeline.entries if entry.message] == ["hello", "coupon"]
    # It was over by then.
    assert seen(timeline)[-2:] == ["12-04 10:00 ends: completed", "12-06 09:30 blocks"]


@pytest.mark.parametrize(
    ("event", "end"),
    [
        ("+2d joins purchased", "12-03 09:30 ends: exited, because: joined purchased"),
        ("+2d does purchase", "12-03 09:30 ends: exited, because: joined purchased"),
        ("+2d blocks", "12-03 09:30 ends: unfollowed, because: blocked the channel"),
        # What happens at the very moment at which the wait is over comes first.
        ("+3d 10:00 blocks", "12-04 10:00 ends: unfollowed, because: blocked the channel"),
    ],
)
async def test_an_exit_and_a_block_end_it_at_once(rehearse: Rehearse, event: str, end: str) -> None:
    timeline = await rehearse(WELCOME, event)
    assert seen(timeline)[-1] == end
    assert [entry.message for entry in timeline.entries if entry.message] == ["hello"]


NEW_YORK = "start: friend_added\ntimezone: America/New_York\n"


@pytest.mark.parametrize(
    ("at", "wait", "rules", "due"),
    [
        # Clocks are set back on 1 November 2026 at 02:00, and forward on 14 March 2027.
        ("2026-10-31T09:30", "{days: 1}", "", "11-01 09:30 EST"),
        ("2026-10-31T09:30", "{hours: 24}", "", "11-01 08:30 EST"),
        ("2026-10-31T09:30", '{days: 1, at: "01:30"}', "", "11-01 01:30 EDT"),
        ("2027-03-13T09:30", "{days: 1}", "", "03-14 09:30 EDT"),
        ("2027-03-13T09:30", "{hours: 24}", "", "03-14 10:30 EDT"),
        # There is no half past two on that day.
        ("2027-03-13T09:30", '{days: 1, at: "02:30"}', "", "03-14 03:30 EDT"),
        # 20:00 EDT and 12 hours are 07:00 EST; the window opens at nine.
        (
            "2026-10-31T20:00",
            "{hours: 12}",
            'window: {from: "09:00", to: "21:00"}\n',
            "11-01 09:00 EST",
        ),
        # 20:30 and an hour: too late for that evening.
        (
            "2026-12-01T20:30",
            "{hours: 1}",
            'window: {from: "09:00", to: "21:00"}\n',
            "12-02 09:00 EST",
        ),
        ("2026-12-01T20:30", "{until: 2026-12-24 18:00}", "", "12-24 18:00 EST"),
        ("2026-12-01T20:30", '{days_after_start: 2, at: "08:15"}', "", "12-03 08:15 EST"),
        ("2000-02-28T12:00", "{days: 1}", "", "02-29 12:00 EST"),
    ],
)
async def test_waits_are_over_by_the_local_clock(
    rehearse: Rehearse, at: str, wait: str, rules: str, due: str
) -> None:
    text = scenario(f"  - wait: {wait}\n{send('a')}", NEW_YORK + rules)
    timeline = await rehearse(text, at=at)
    assert f"{due} sent a" in seen(timeline, zone=True)


async def test_a_wait_for_the_window_says_so(rehearse: Rehearse) -> None:
    window = 'start: friend_added\nwindow: {from: "09:00", to: "21:00"}'
    timeline = await rehearse(scenario(send("a"), window), at="2026-12-01T23:00")
    assert seen(timeline)[1:3] == [
        "12-01 23:00 waits until 2026-12-02 09:00 (the window opens at 09:00), then: send a",
        "12-02 09:00 sent a",
    ]


FOR_A = scenario(
    "  - wait_for:\n"
    "      audience: a\n"
    "      up_to: {days: 3}\n"
    f"      in_time:\n      {send('thanks').strip()}\n"
    f"      too_late:\n      {send('please').strip()}\n"
)


@pytest.mark.parametrize(
    ("events", "inside", "told"),
    [
        (
            [],
            (),
            [
                "12-01 09:30 waits for a until 2026-12-04 09:30 (3 days at most)",
                "12-04 09:30 in a: not in time",
                "12-04 09:30 sent please",
            ],
        ),
        (
            ["+1d joins a"],
            (),
            [
                "12-01 09:30 waits for a until 2026-12-04 09:30 (3 days at most)",
                "12-02 09:30 joins a",
                "12-02 09:30 joined a: in time",
                "12-02 09:30 sent thanks",
            ],
        ),
        ([], ("a",), ["12-01 09:30 in a: already", "12-01 09:30 sent thanks"]),
    ],
)
async def test_a_wait_for_an_audience_ends_in_time_or_too_late(
    rehearse: Rehearse, events: list[str], inside: tuple[str, ...], told: list[str]
) -> None:
    timeline = await rehearse(FOR_A, *events, inside=inside)
    assert seen(timeline)[1:-1] == told


async def test_what_is_past_is_left_out(rehearse: Rehearse) -> None:
    steps = f"  - wait: {{until: 2026-11-01, if_past: skip}}\n{send('early')}"
    timeline = await rehearse(scenario(f"{steps}  - wait: {{days: 1}}\n{send('late')}"))
    kinds = [(entry.kind, entry.text) for entry in timeline.entries]
    assert ("left_out", "left out send early: 2026-11-01 00:00 was past") in kinds
    assert [entry.message for entry in timeline.entries if entry.message] == ["late"]


async def test_a_membership_by_the_site_ends_by_itself(rehearse: Rehearse) -> None:
    rules = "start: friend_added\naudiences: {b: {kind: web, event: purchase, days: 2}}\n"
    text = scenario(f"  - wait: {{days: 9}}\n{send('a')}", f"{rules}exit: [{{leaves: b}}]")
    timeline = await rehearse(text, "+1d does purchase")
    assert seen(timeline)[-1] == "12-04 09:30 ends: exited, because: left b"


async def test_a_birthday_counts(rehearse: Rehearse) -> None:
    rules = (
        "start: friend_added\n"
        "audiences: {adults: {kind: combined, when: {age: {from: 20}}}}\nexit: [{joins: adults}]"
    )
    text = scenario(f"  - wait: {{days: 30}}\n{send('a')}", rules)
    timeline = await rehearse(text, friend="birthday=2006-12-24")
    assert seen(timeline)[-1] == "12-24 00:00 ends: exited, because: joined adults"


async def test_who_comes_again_starts_again(rehearse: Rehearse) -> None:
    rules = "start: {audience: a}\nreentry: after_finishing"
    timeline = await rehearse(scenario(send("hello"), rules), "+1d leaves a", "+2d joins a")
    assert [f"{entry.at:%m-%d}" for entry in timeline.entries if entry.message] == [
        "12-01",
        "12-03",
    ]


async def test_a_text_that_is_empty_for_this_friend_is_refused_as_by_line(
    rehearse: Rehearse,
) -> None:
    text = scenario("  - send: {name: a, messages: [{type: text, text: '{{ friend.region }}'}]}\n")
    timeline = await rehearse(text)
    refused = next(entry for entry in timeline.entries if entry.message)
    assert refused.status == "refused"
    assert "May not be empty" in refused.text
    assert (
        next(e for e in (await rehearse(text, friend="region=東京都")).entries if e.message).status
        == "sent"
    )


@pytest.mark.parametrize(
    ("rules", "friend", "problem"),
    [
        ("start: friend_added\nperiod: {until: 2026-01-01}", "", "outside of the period"),
        (
            "start: {friend_added: {routes: [poster]}}\naudiences: {a: {kind: route, route: web}}\n"
            "exit: [{joins: a}]",
            "route=web",
            "none of the routes poster",
        ),
        (
            "start: {audience: c}\naudiences: {c: {kind: combined, when: {gender: female}}}",
            "gender=male",
            "they don't get into c",
        ),
    ],
)
async def test_who_does_not_start_is_told_why(
    rehearse: Rehearse, rules: str, friend: str, problem: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await rehearse(scenario(send("a"), rules), friend=friend)
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("rules", "friend", "why"),
    [
        ("start: {friend_added: {routes: [poster]}}", "route=poster", "was added as a friend"),
        ("start: {friend_added: {routes: [poster]}}", "", "was added as a friend"),
        (
            "start: {audience: c}\naudiences: {c: {kind: combined, when: {gender: female}}}",
            "gender=female",
            "joined c",
        ),
        ("start: {audience: t}\naudiences: {t: {kind: tag, tag: new}}", "", "joined t"),
    ],
)
async def test_each_start_is_the_real_one(
    rehearse: Rehearse, rules: str, friend: str, why: str
) -> None:
    timeline = await rehearse(scenario(send("a"), rules), friend=friend)
    assert why in timeline.entries[0].text


async def test_the_timeline_is_told_in_japanese(stage: Stage) -> None:
    asked = play(WELCOME, "+2d joins purchased", at="2026-12-01T09:30", friend="gender=女性")
    rehearsal = await Rehearsal.begin(stage, replace(asked, language="ja"))
    await rehearsal.finish()
    timeline = rehearsal.timeline()
    assert timeline.friend == "花子（性別 女性）"
    assert seen(timeline) == [
        "12-01 09:30 開始：友だちに追加された",
        "12-01 09:30 hello を送信",
        "12-01 09:30 2026-12-04 10:00 まで待つ（3日後の10:00）。次：分岐",
        "12-03 09:30 purchased に入る",
        "12-03 09:30 終わり：離脱（purchased に入った）",
    ]


async def test_ninety_days_come_out_to_the_minute(rehearse: Rehearse) -> None:
    steps = "".join(f"{send(f'day-{day}')}  - wait: {{days: 1}}\n" for day in range(90))
    timeline = await rehearse(scenario(steps), at="2026-12-01T09:30")
    sent = [entry.at for entry in timeline.entries if entry.message]
    assert len(sent) == 90
    assert {f"{at:%H:%M:%S.%f}" for at in sent} == {"09:30:00.000000"}
    assert f"{timeline.entries[-1].at:%Y-%m-%d}" == "2027-03-01"


async def test_step_by_step_something_may_happen_at_each_rest(stage: Stage) -> None:
    asked = play(WELCOME, at="2026-12-01T09:30")
    rehearsal = await Rehearsal.begin(stage, asked)
    assert [entry.kind for entry in rehearsal.entries] == ["start", "message", "wait"]
    assert not rehearsal.is_over

    await rehearsal.next()
    assert rehearsal.is_over
    assert rehearsal.entries[-1].outcome == "completed"


@pytest.mark.parametrize(
    ("file", "nobody"),
    [
        ("welcome", []),
        ("opened", []),
        ("similar", []),
        ("vip", []),
        ("attributes", []),
        # Who waited in vain has not bought, and who bought in time is not one who left it behind.
        ("cart", None),
    ],
)
async def test_every_way_of_the_examples_is_walked(
    stage: Stage, file: str, nobody: list[str] | None
) -> None:
    text = (EXAMPLES / f"{file}.yaml").read_text(encoding="utf-8")
    asked = play(text, at="2026-12-01T09:30")
    walked = await walk(stage, asked)
    assert walked.count == len(walked.ways)
    assert [way.instead for way in walked.ways if way.instead] == []
    if nobody is not None:
        assert [way.way for way in walked.ways if way.timeline is None] == nobody
    assert len([way for way in walked.ways if way.timeline]) >= 2


@pytest.mark.parametrize("file", ["welcome", "cart"])
async def test_what_is_kept_beside_the_examples_comes_out_again(stage: Stage, file: str) -> None:
    kept = KeptRehearsal.read(EXAMPLES / f"{file}.rehearsal.json")
    text = (EXAMPLES / f"{file}.yaml").read_text(encoding="utf-8")
    asked = replace(play(text, at=kept.rehearsed.at), language=kept.rehearsed.language)
    assert differences(kept.timeline, lines_of(await walk(stage, asked), "ja")) == []
