"""What differs between two scenarios, and the words for it in both languages."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.scenarios import scenario_of
from tobiishi.scenario.difference_words import (
    NOTHING,
    TEMPLATES,
    difference_in_words,
    excerpts,
)
from tobiishi.scenario.differences import Difference, differences

ROOT = Path(__file__).parents[3]

LONG = "いつもありがとうございます。今週末だけのお知らせです。"
HEAD = "scenario: welcome\ntitle: ようこそ\n"


def text(name: str, words: str, more: str = "") -> str:
    return f"{{send: {{name: {name}, messages: [{{type: text, text: '{words}'}}]{more}}}}}"


HELLO, COUPON, BYE = text("hello", "こんにちは"), text("coupon", "クーポン"), text("bye", "また")


def scenario(*steps: str, rules: str = "start: friend_added") -> str:
    return "\n".join([HEAD + rules, "steps:", *(f"  - {step}" for step in steps or (HELLO,))])


def branch(*cases: str) -> str:
    return f"{{branch: [{', '.join(cases)}]}}"


def case(when: str, *steps: str) -> str:
    return f"{{when: {{{when}}}, steps: [{', '.join(steps)}]}}"


def otherwise(*steps: str) -> str:
    return f"{{otherwise: , steps: [{', '.join(steps)}]}}"


def wait_for(audience: str, limit: str, in_time: str = "", too_late: str = "") -> str:
    return (
        f"{{wait_for: {{audience: {audience}, up_to: {{{limit}}}, in_time: [{in_time}], "
        f"too_late: [{too_late}]}}}}"
    )


def between(old: str, new: str) -> list[Difference]:
    return differences(scenario_of(old), scenario_of(new))


def settings(rules: str) -> str:
    return scenario(rules=f"start: friend_added\n{rules}")


ADDED, JOINED = "start: friend_added", "start: {audience: vip}"
WOMEN, MEN = case("gender: female", text("women", "女性へ")), case("gender: male")

#: Old, new, and of each difference its code, its English and its Japanese words.
CASES: list[tuple[str, str, list[tuple[str, str, str]]]] = [
    (
        scenario().replace("ようこそ", "旧"),
        scenario().replace("ようこそ", "新"),
        [("title_changed", "title: “旧” → “新”", "名前: 「旧」 → 「新」")],
    ),
    (
        settings(""),
        settings("description: 春の企画"),
        [("description_changed", "description: none → “春の企画”", "説明: なし → 「春の企画」")],
    ),
    (
        scenario(rules=ADDED),
        scenario(rules="start: {audience: vip, include_members: true}"),
        [
            (
                "start_changed",
                "start: adding the channel → joining “vip” (who is in it already, too)",
                "開始: 友だち追加 → 「vip」に入る（すでにいる人も）",
            )
        ],
    ),
    (
        scenario(rules=JOINED),
        scenario(rules="start: {friend_added: {routes: [a, b], unblocked: true}}"),
        [
            (
                "start_changed",
                "start: joining “vip” → adding the channel by “a”, “b” (unblocking it, too)",
                "開始: 「vip」に入る → 友だち追加（経路: 「a」 / 「b」）（ブロック解除も）",
            )
        ],
    ),
    (
        settings("period: {from: '2030-10-01'}"),
        settings("period: {from: '2030-10-01', until: '2030-10-31'}"),
        [
            (
                "period_changed",
                "period: from 2030-10-01 00:00 → from 2030-10-01 00:00 until 2030-10-31 23:59",
                "期間: 2030-10-01 00:00から → 2030-10-01 00:00から2030-10-31 23:59まで",
            )
        ],
    ),
    (
        settings("reentry: never"),
        settings("reentry: {after_days: 30}"),
        [
            (
                "reentry_changed",
                "entering again: never → 30 days after the last one began",
                "入り直し: できない → 開始から30日後以降",
            )
        ],
    ),
    (
        settings(""),
        settings("reentry: after_finishing"),
        [
            (
                "reentry_changed",
                "entering again: never → once the last journey is over",
                "入り直し: できない → 前回が終わったあと",
            )
        ],
    ),
    (
        settings(""),
        settings("timezone: Europe/Berlin"),
        [
            (
                "timezone_changed",
                "time zone: Asia/Tokyo → Europe/Berlin",
                "タイムゾーン: Asia/Tokyo → Europe/Berlin",
            )
        ],
    ),
    (
        settings("window: {from: '09:00', to: '21:00'}"),
        settings(""),
        [
            (
                "window_changed",
                "hours in which it sends: 09:00-21:00 → none",
                "配信時間帯: 09:00〜21:00 → なし",
            )
        ],
    ),
    (
        settings(""),
        settings("if_late: {after: {hours: 6}, do: skip}"),
        [
            (
                "if_late_changed",
                "late messages: sent all the same where over 1 hour late → "
                "left out where over 6 hours late",
                "遅れたとき: 1時間を超えたらそのまま送る → 6時間を超えたら送らない",
            )
        ],
    ),
    (
        settings("spread: {minutes: 30}"),
        settings("spread: {hours: 1, minutes: 30}"),
        [
            (
                "spread_changed",
                "spread over: 30 minutes → 1 hour 30 minutes",
                "分散: 30分 → 1時間30分",
            )
        ],
    ),
    (
        settings("exit: [{joins: bought}, {leaves: vip}]"),
        settings("exit: [{leaves: vip}, {leaves: bought}]"),
        [
            (
                "exit_removed",
                "an exit is removed: the friend joins “bought”",
                "終了条件を削除: 「bought」に入る",
            ),
            (
                "exit_added",
                "an exit is added: the friend leaves “bought”",
                "終了条件を追加: 「bought」から外れる",
            ),
        ],
    ),
    (
        settings("audiences: {a: {kind: tag, tag: x}, b: {kind: web, days: 7}}"),
        settings(
            "audiences: {b: {kind: web, days: 14, url: {equals: 'https://s.example/'}}, c: }"
        ).replace("c: }", "c: {kind: combined, when: {all: [{audience: b}]}}}"),
        [
            (
                "audience_removed",
                "audience “a” is not defined any more: {kind: tag, tag: x}",
                "オーディエンス「a」の定義を削除: {kind: tag, tag: x}",
            ),
            (
                "audience_changed",
                "audience “b”: {kind: web, days: 7} → "
                "{kind: web, url: {equals: https://s.example/}, days: 14}",
                "オーディエンス「b」: {kind: web, days: 7} → "
                "{kind: web, url: {equals: https://s.example/}, days: 14}",
            ),
            (
                "audience_added",
                "audience “c” is defined: {kind: combined, when: {all: [{audience: b}]}}",
                "オーディエンス「c」の定義を追加: {kind: combined, when: {all: [{audience: b}]}}",
            ),
        ],
    ),
    (
        scenario(HELLO, BYE),
        scenario(HELLO, COUPON, BYE, text("last", "ずっと後の最後のお知らせ")),
        [
            (
                "message_added",
                "message “coupon” is added before “bye”",
                "メッセージ「coupon」を追加（「bye」の前）",
            ),
            (
                "message_added",
                "message “last” is added at the end, after “bye”",
                "メッセージ「last」を追加（最後、「bye」のあと）",
            ),
        ],
    ),
    (
        scenario(HELLO, COUPON),
        scenario("tag: {add: a}", COUPON),
        [
            (
                "message_removed",
                "message “hello” is removed; it was before “coupon”",
                "メッセージ「hello」を削除（「coupon」の前にあった）",
            ),
            (
                "tag_added",
                "tags are added before “coupon”: +a",
                "タグの手順を追加（「coupon」の前）: +a",
            ),
        ],
    ),
    (
        scenario(text("greeting", LONG), COUPON),
        scenario(text("hello", LONG.replace("今週末", "来週末")), COUPON),
        [
            (
                "message_renamed",
                "message “greeting” is called “hello” now",
                "メッセージ名: 「greeting」 → 「hello」",
            ),
            (
                "text_changed",
                f"“hello”, text: “{LONG}” → “{LONG.replace('今週末', '来週末')}”",
                f"「hello」の文面（text）: 「{LONG}」 → 「{LONG.replace('今週末', '来週末')}」",
            ),
        ],
    ),
    (
        scenario(HELLO, COUPON, BYE),
        scenario(BYE, HELLO, COUPON),
        [
            (
                "message_moved",
                "message “bye” is moved; now before “hello”",
                "メッセージ「bye」を移動（今は「hello」の前）",
            )
        ],
    ),
    (
        scenario("{send: {name: a, messages: [{type: sticker, packageId: '1', stickerId: '1'}]}}"),
        scenario(
            "{send: {name: a, any_time: true, if_refused: end, messages: [{type: sticker, "
            "packageId: '1', stickerId: '2', quoteToken: q}, {type: text, text: \"1行\\n2行\"}]}}"
        ),
        [
            (
                "option_changed",
                "“a”, any_time: false → true",
                "「a」の設定（any_time）: false → true",
            ),
            (
                "option_changed",
                "“a”, if_refused: go on → end",
                "「a」の設定（if_refused）: 続ける → 終わる",
            ),
            ("field_changed", "“a”, stickerId: “1” → “2”", "「a」のstickerId: 「1」 → 「2」"),
            ("field_changed", "“a”, quoteToken: none → “q”", "「a」のquoteToken: なし → 「q」"),
            (
                "object_added",
                "“a” sends one more: “1行⏎2行”",
                "「a」に吹き出しを追加: 「1行⏎2行」",
            ),
        ],
    ),
    (
        scenario(
            "{send: {name: a, messages: [{type: text, text: 一}, "
            "{type: flex, altText: 案内, contents: {type: bubble, size: kilo, n: 1}}]}}"
        ),
        scenario("{send: {name: a, messages: [{type: text, text: 一}]}}"),
        [
            (
                "object_removed",
                "“a” sends one less: flex “案内”",
                "「a」の吹き出しを削除: flex 「案内」",
            )
        ],
    ),
    (
        scenario(
            "{send: {name: a, messages: [{type: flex, altText: a, contents: "
            "{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1.5, i: [], j: 1}}]}}"
        ),
        scenario(
            "{send: {name: a, messages: [{type: flex, altText: a, contents: "
            "{a: 2, b: 2, c: 2, d: 2, e: 2, f: 2, g: true, h: 2, i: [1], j: 2}}]}}"
        ),
        [
            *(
                ("field_changed", f"“a”, contents.{name}: 1 → 2", f"「a」のcontents.{name}: 1 → 2")
                for name in "abcdef"
            ),
            ("field_changed", "“a”, contents.h: 1.5 → 2", "「a」のcontents.h: 1.5 → 2"),
            ("field_changed", "“a”, contents.i: [] → none", "「a」のcontents.i: [] → なし"),
            ("more_changed", "“a”: 2 fields more", "「a」: ほかに2項目"),
        ],
    ),
    (
        scenario(HELLO, "wait: {days: 3}", COUPON),
        scenario(HELLO, "wait: {days: 2, hours: 1}", COUPON),
        [
            (
                "wait_changed",
                "the wait before “coupon”: 3 days → 2 days 1 hour",
                "待機（「coupon」の前）: 3日 → 2日1時間",
            )
        ],
    ),
    (
        scenario(HELLO, "wait: {days: 0, at: '10:00'}", COUPON),
        scenario(HELLO, "wait: {days: 1, at: '10:00'}", COUPON),
        [
            (
                "wait_changed",
                "the wait before “coupon”: until the next 10:00 → 1 day, until 10:00",
                "待機（「coupon」の前）: 次の10:00まで → 1日後の10:00まで",
            )
        ],
    ),
    (
        scenario(HELLO, "wait: {until: '2030-12-24 18:00'}", COUPON),
        scenario(HELLO, "wait: {days_after_start: 5, at: '09:30', if_past: skip}", COUPON),
        [
            (
                "wait_changed",
                "the wait before “coupon”: until 2030-12-24 18:00 → "
                "until 09:30 of day 5 after the start, and nothing where that is past",
                "待機（「coupon」の前）: 2030-12-24 18:00まで → "
                "開始から5日後の09:30まで（過ぎていれば送らない）",
            )
        ],
    ),
    (
        scenario(HELLO, "wait: {days: 3}", COUPON),
        scenario(HELLO, COUPON, "wait: {minutes: 1}"),
        [
            (
                "wait_removed",
                "the wait before “coupon” is removed: 3 days",
                "待機を削除（「coupon」の前）: 3日",
            ),
            (
                "wait_added",
                "a wait is added at the end, after “coupon”: 1 minute",
                "待機を追加（最後、「coupon」のあと）: 1分",
            ),
        ],
    ),
    (
        scenario(HELLO),
        scenario(HELLO, wait_for("bought", "days: 2", text("thanks", "お買い上げに感謝"), COUPON)),
        [
            (
                "wait_for_added",
                "a wait for “bought” is added at the end, after “hello”: 2 days at most",
                "「bought」に入るのを待つ手順を追加（最後、「hello」のあと）: 最長2日",
            ),
            (
                "message_added",
                "message “thanks” is added at the end, after “hello”, on the way for those in "
                "“bought” in time",
                "メッセージ「thanks」を追加（「bought」に入った人の場合、最後、「hello」のあと）",
            ),
            (
                "message_added",
                "message “coupon” is added at the end, after “hello”, on the way for those too "
                "late for “bought”",
                "メッセージ「coupon」を追加（「bought」に入らなかった人の場合、最後、「hello」のあと）",
            ),
        ],
    ),
    (
        scenario(wait_for("bought", "days: 2", COUPON), HELLO),
        scenario(COUPON, HELLO),
        [
            (
                "wait_for_removed",
                "the wait for “bought” before “hello” is removed: 2 days at most",
                "「bought」に入るのを待つ手順を削除（「hello」の前）: 最長2日",
            ),
            (
                "message_moved",
                "message “coupon” is moved; now before “hello”",
                "メッセージ「coupon」を移動（今は「hello」の前）",
            ),
        ],
    ),
    (
        scenario(wait_for("bought", "days: 2", COUPON), HELLO),
        scenario(wait_for("visited", "days: 1", text("coupon", "割引")), HELLO),
        [
            (
                "wait_for_changed",
                "the wait before “hello” is for another audience: “bought” → “visited”",
                "入るのを待つオーディエンス（「hello」の前）: 「bought」 → 「visited」",
            ),
            (
                "limit_changed",
                "the wait for “visited” before “hello”, at most: 2 days → 1 day",
                "「visited」に入るのを待つ最長の時間（「hello」の前）: 2日 → 1日",
            ),
            (
                "text_changed",
                "“coupon”, text: “クーポン” → “割引”",
                "「coupon」の文面（text）: 「クーポン」 → 「割引」",
            ),
        ],
    ),
    (
        scenario(HELLO),
        scenario(HELLO, branch(WOMEN, MEN, otherwise("{tag: {add: a}}"))),
        [
            (
                "branch_added",
                "a branch is added at the end, after “hello”: [gender female], [gender male]",
                "分岐を追加（最後、「hello」のあと）: ［女性］ / ［男性］",
            ),
            (
                "message_added",
                "message “women” is added at the end, after “hello”, on the way for "
                "[gender female]",
                "メッセージ「women」を追加（［女性］の場合、最後、「hello」のあと）",
            ),
        ],
    ),
    (
        scenario(branch(WOMEN), HELLO),
        scenario(HELLO),
        [
            (
                "branch_removed",
                "the branch before “hello” is removed: [gender female]",
                "分岐を削除（「hello」の前）: ［女性］",
            ),
            (
                "message_removed",
                "message “women” is removed; it was before “hello”, on the way for [gender female]",
                "メッセージ「women」を削除（［女性］の場合、「hello」の前にあった）",
            ),
        ],
    ),
    (
        scenario(branch(WOMEN), HELLO, COUPON),
        scenario(HELLO, COUPON, branch(WOMEN)),
        [
            (
                "step_moved",
                "the branch [gender female] is moved; now at the end, after “coupon”",
                "［女性］の分岐を移動（今は最後、「coupon」のあと）",
            )
        ],
    ),
    (
        scenario(wait_for("bought", "days: 2", BYE), HELLO, COUPON),
        scenario(HELLO, COUPON, wait_for("bought", "days: 2", BYE)),
        [
            (
                "step_moved",
                "the wait for “bought” is moved; now at the end, after “coupon”",
                "「bought」に入るのを待つ手順を移動（今は最後、「coupon」のあと）",
            )
        ],
    ),
    (
        scenario(branch(case("gender: female, age: {from: 20, to: 29}", COUPON)), HELLO),
        scenario(branch(case("gender: female, age: {from: 20, to: 39}", COUPON)), HELLO),
        [
            (
                "condition_changed",
                "the branch before “hello”: [gender female and age 20-29] → "
                "[gender female and age 20-39]",
                "分岐の条件（「hello」の前）: ［女性かつ20歳〜29歳］ → ［女性かつ20歳〜39歳］",
            )
        ],
    ),
    (
        scenario(branch(case("audience: vip", COUPON), MEN, otherwise(BYE)), HELLO),
        scenario(branch(MEN, case("audience: vip", COUPON), WOMEN), HELLO),
        [
            (
                "case_moved",
                "the branch before “hello” asks in another order: [gender male]",
                "分岐先の順番を変更（「hello」の前）: ［男性］",
            ),
            (
                "case_removed",
                "the branch before “hello” has a way less: all the others",
                "分岐先を削除（「hello」の前）: それ以外",
            ),
            (
                "message_removed",
                "message “bye” is removed; it was before “hello”, on the way for all the others",
                "メッセージ「bye」を削除（それ以外の場合、「hello」の前にあった）",
            ),
            (
                "case_added",
                "the branch before “hello” has a way more: [gender female]",
                "分岐先を追加（「hello」の前）: ［女性］",
            ),
            (
                "message_added",
                "message “women” is added before “hello”, on the way for [gender female]",
                "メッセージ「women」を追加（［女性］の場合、「hello」の前）",
            ),
        ],
    ),
    (
        scenario("tag: {add: [a, b]}", "tag: {add: c}", HELLO),
        scenario("tag: {add: a, remove: b}", HELLO),
        [
            (
                "tag_changed",
                "the tags before “hello”: +a +b → +a -b",
                "タグ（「hello」の前）: +a +b → +a -b",
            ),
            (
                "tag_removed",
                "the tags before “hello” are removed: +c",
                "タグの手順を削除（「hello」の前）: +c",
            ),
        ],
    ),
    (
        scenario("tag: {add: a}"),
        scenario("tag: {add: b}"),
        [("tag_changed", "the tags at the end: +a → +b", "タグ（最後）: +a → +b")],
    ),
]


def by_code(found: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    return sorted(found)


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_what_differs(old: str, new: str, expected: list[tuple[str, str, str]]) -> None:
    found = [
        (each.code, difference_in_words(each, "en"), difference_in_words(each, "ja"))
        for each in between(old, new)
    ]
    assert by_code(found) == by_code(expected)


def test_each_code_has_words_in_both_languages_and_a_case() -> None:
    assert {code for _, _, expected in CASES for code, _, _ in expected} == set(TEMPLATES)
    assert {language for words in TEMPLATES.values() for language in words} == {"en", "ja"}
    for words in (*TEMPLATES.values(), NOTHING):
        assert set(words) == {"en", "ja"}
        # Neither language leaves out what the other says.
        params = {language: set(re.findall(r"\{(\w+)\}", text)) for language, text in words.items()}
        assert params["en"] == params["ja"]


def every_scenario() -> list[str]:
    files = sorted((ROOT / "examples").glob("*.yaml"))
    found = [file.read_text(encoding="utf-8") for file in files]
    return found + [text for old, new, _ in CASES for text in (old, new)]


@pytest.mark.parametrize("text", every_scenario())
def test_nothing_differs_from_itself(text: str) -> None:
    assert between(text, text) == []


def test_whatever_differs_is_told_in_both_languages() -> None:
    read = [scenario_of(text) for text in every_scenario()]
    # Neighbours, and those far from each other.
    for old, new in [*pairwise(read), *zip(read, reversed(read), strict=True)]:
        found = differences(old, new)
        same = old.model_copy(update={"scenario": new.scenario, "exit": ()}) == new.model_copy(
            update={"exit": ()}
        )
        assert same or found
        assert all(difference_in_words(each, "en") for each in found)
        assert all(difference_in_words(each, "ja") for each in found)
        # What is told the other way round is as much.
        added = sum(each.code == "message_added" for each in found)
        removed = sum(each.code == "message_removed" for each in differences(new, old))
        assert added == removed


CONDITIONS = [
    ("audience: vip", "「vip」にいる"),
    ("os: ios", "iPhone"),
    ("age: {from: 20}", "20歳〜"),
    ("age: {to: 29}", "〜29歳"),
    ("region: [東京都, 大阪]", "東京都・大阪"),
    ("language: ja", "言語がja"),
    ("fields: {rank: [gold, platinum]}", "rankがgold・platinum"),
    ("any: [{gender: other}, {os: android}]", "（その他またはAndroid）"),
    ("not: {audience: vip}", "（「vip」にいる）でない"),
    ("all: [{audience: a}, {audience: b}]", "「a」にいるかつ「b」にいる"),
]


@pytest.mark.parametrize(("condition", "words"), CONDITIONS)
def test_conditions_in_japanese(condition: str, words: str) -> None:
    [found] = between(
        scenario(branch(case(condition, HELLO))), scenario(branch(MEN, otherwise(HELLO)))
    )[:1]
    assert words in difference_in_words(found, "ja")


LETTERS = "あいうえおかきくけこさしすせそたちつてとなにぬねの"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("20%", "30%", ("20%", "30%")),
        ("", "新しい", ("", "新しい")),
        (LETTERS + "20" + LETTERS, LETTERS + "30" + LETTERS,
         (f"…{LETTERS[-12:]}20{LETTERS[:11]}…", f"…{LETTERS[-12:]}30{LETTERS[:11]}…")),
        (LETTERS * 2, LETTERS * 2 + "!", (f"…{LETTERS[-12:]}", f"…{LETTERS[-12:]}!")),
        (LETTERS * 9, "x", (f"{LETTERS * 9}"[:40] + "…" + LETTERS[-12:], "x")),
    ],
)  # fmt: skip
def test_what_is_shown_of_texts(old: str, new: str, expected: tuple[str, str]) -> None:
    assert excerpts(old, new) == expected


def test_a_long_text_that_is_new_is_shown_by_its_beginning() -> None:
    [found] = between(
        scenario("{send: {name: a, messages: [{type: text, text: あ}]}}"),
        scenario(
            "{send: {name: a, messages: [{type: text, text: あ}, "
            f"{{type: text, text: {LETTERS * 9}}}]}}}}"
        ),
    )
    assert difference_in_words(found, "en") == f"“a” sends one more: “{(LETTERS * 9)[:40]}…”"


def test_of_many_messages_only_those_that_are_quite_the_same_are_known_by_another_name() -> None:
    old = scenario(*(text(f"a{number}", f"{number}番目のお知らせです") for number in range(21)))
    new = scenario(*(text(f"b{number}", f"{number}番目のお知らせです") for number in range(21)))
    assert [each.code for each in between(old, new)] == ["message_renamed"] * 21
    changed = new.replace("番目のお知らせです", "番目のお知らせでした")
    assert {each.code for each in between(old, changed)} == {"message_added", "message_removed"}


def test_messages_without_texts_are_not_guessed_at() -> None:
    sticker = (
        "{{send: {{name: {}, messages: [{{type: sticker, packageId: '1', stickerId: '{}'}}]}}}}"
    )
    found = between(scenario(sticker.format("a", 1)), scenario(sticker.format("b", 2)))
    assert sorted(each.code for each in found) == ["message_added", "message_removed"]
    found = between(scenario(sticker.format("a", 1)), scenario(sticker.format("b", 1)))
    assert [each.code for each in found] == ["message_renamed"]


def test_rows_that_are_too_long_to_weigh_are_compared_place_by_place() -> None:
    old = [f"wait: {{minutes: {number + 1}}}" for number in range(510)]
    new = [f"wait: {{hours: {number + 1}}}" for number in range(511)]
    found = between(scenario(*old, HELLO), scenario(*new, HELLO))
    assert [each.code for each in found] == ["wait_changed"] * 510 + ["wait_added"]
    tags = [f"tag: {{add: t{number}}}" for number in range(510)]
    found = between(scenario(*old, HELLO), scenario(*tags, HELLO))
    assert [each.code for each in found] == ["wait_removed", "tag_added"] * 510
    # The same at both ends is not weighed at all.
    found = between(scenario(*old, HELLO, *old), scenario(*old, COUPON, *old))
    assert sorted(each.code for each in found) == ["message_added", "message_removed"]
