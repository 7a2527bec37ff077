"""What a rehearsal's timeline says, in English and in Japanese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tobiishi.languages import Language
from tobiishi.plan import Action
from tobiishi.rehearsal.happenings import Act, Happening
from tobiishi.rehearsal.paths import Passed, WayThrough
from tobiishi.rehearsal.persona import Persona
from tobiishi.scenario import Step
from tobiishi.scenario.conditions import in_words
from tobiishi.scenario.model import Wait
from tobiishi.scenario.parts import Age, Condition


class Words(Protocol):
    """One language. `text` is what the journey's trail has, which is English."""

    def persona(self, persona: Persona) -> str: ...
    def starts(self, why: str) -> str: ...
    def happening(self, happening: Happening) -> str: ...
    def message(self, name: str, status: str | None, reason: str | None, text: str) -> str: ...
    def branch(
        self, step: Step, case: int | None, saw: Mapping[str, bool | None], text: str
    ) -> str:
        """Which way a branch goes, and why."""
        ...

    def awaited(self, audience: str, way: int | None, text: str) -> str: ...
    def tag(self, step: Step, text: str) -> str: ...
    def left_out(self, text: str) -> str: ...
    def waits(self, until: str, awaits: str | None, why: list[str], then: str | None) -> str: ...
    def length(self, wait: Wait) -> str: ...
    def at_most(self, wait: Wait) -> str: ...
    def window_opens(self, at: str) -> str: ...
    def spread(self) -> str: ...
    def then(self, action: Action, step: Step | None, label: str) -> str: ...
    def ends(self, outcome: str, because: str | None) -> str: ...
    def way(self, way: WayThrough) -> str: ...
    def instead(self, text: str) -> str: ...
    def times(self, zone: str) -> str: ...
    def used(self, count: int) -> str: ...
    def heading(self, number: int, way: str) -> str: ...
    def nobody(self, way: str) -> str: ...
    def walked(self, count: int, of: int) -> str: ...
    def not_looked_at(self, count: int) -> str: ...


class English:
    """As the trail has it."""

    def persona(self, persona: Persona) -> str:
        return persona.in_words()

    def starts(self, why: str) -> str:
        return f"starts: {why}"

    def happening(self, happening: Happening) -> str:
        return happening.in_words()

    def message(self, name: str, status: str | None, reason: str | None, text: str) -> str:
        return text

    def branch(
        self, step: Step, case: int | None, saw: Mapping[str, bool | None], text: str
    ) -> str:
        return text

    def awaited(self, audience: str, way: int | None, text: str) -> str:
        return text

    def tag(self, step: Step, text: str) -> str:
        return text

    def left_out(self, text: str) -> str:
        return text

    def waits(self, until: str, awaits: str | None, why: list[str], then: str | None) -> str:
        reasons = f" ({'; '.join(why)})" if why else ""
        after = f", then: {then}" if then else ""
        return f"waits {f'for {awaits} ' if awaits else ''}until {until}{reasons}{after}"

    def length(self, wait: Wait) -> str:
        if wait.days_after_start is not None:
            return f"day {wait.days_after_start} after the start, at {wait.at:%H:%M}"
        if wait.until is not None:
            return f"until {wait.until:%Y-%m-%d %H:%M}"
        lengths = [
            f"{number} {unit if number != 1 else unit.removesuffix('s')}"
            for unit in ("days", "hours", "minutes")
            if (number := getattr(wait, unit))
        ]
        if wait.at is None:
            return " ".join(lengths)
        return f"{' '.join(lengths) or 'the next time of day'}, at {wait.at:%H:%M}"

    def at_most(self, wait: Wait) -> str:
        return f"{self.length(wait)} at most"

    def window_opens(self, at: str) -> str:
        return f"the window opens at {at}"

    def spread(self) -> str:
        return "spread out"

    def then(self, action: Action, step: Step | None, label: str) -> str:
        return label

    def ends(self, outcome: str, because: str | None) -> str:
        return f"ends: {outcome}" + (f", because: {because}" if because else "")

    def way(self, way: WayThrough) -> str:
        return " → ".join(step.in_words() for step in way if step.decides) or "the only way"

    def instead(self, text: str) -> str:
        return f"went otherwise: {text}"

    def times(self, zone: str) -> str:
        return f"times are those of {zone}"

    def used(self, count: int) -> str:
        return f"{count} of LINE's messages would be used; none was sent"

    def heading(self, number: int, way: str) -> str:
        return f"way {number}: {way}"

    def nobody(self, way: str) -> str:
        return f"nobody was found who takes: {way}"

    def walked(self, count: int, of: int) -> str:
        return f"{count} ways rehearsed, of {of:,}"

    def not_looked_at(self, count: int) -> str:
        return f"{count:,} more were not looked at; raise --most for them"


_ACTS: Mapping[Act, str] = {
    "joins": "{name} に入る",
    "leaves": "{name} から外れる",
    "tags": "タグ「{name}」が付く",
    "untags": "タグ「{name}」が外れる",
    "blocks": "ブロックする",
    "unblocks": "ブロックを解除する",
    "clicks": "{name} のリンクを押す {more}",
    "presses": "{name} のボタンを押す {more}",
    "does": "サイトで {name} {more}",
}
_OUTCOMES = {
    "completed": "完了",
    "exited": "離脱",
    "unfollowed": "ブロックにより終了",
    "stopped": "停止",
    "refused": "LINEが断ったため終了",
}
_ATTRIBUTES = {
    "gender": "性別",
    "age": "年齢",
    "birthday": "誕生日",
    "region": "地域",
    "os": "OS",
    "language": "言語",
}
_VALUES = {"female": "女性", "male": "男性", "other": "その他", "ios": "iOS", "android": "Android"}
_ANSWERS = {True: "はい", False: "いいえ", None: "不明"}


class Japanese:
    """日本語。"""

    def persona(self, persona: Persona) -> str:
        given = persona.attributes.model_dump(mode="json", exclude_none=True)
        own = given.pop("fields", {})
        known = [f"{_ATTRIBUTES[name]} {_VALUES.get(str(v), v)}" for name, v in given.items()]
        known += [f"{name} {value}" for name, value in own.items()]
        known += [f"タグ「{tag}」" for tag in persona.tags]
        known += [f"{audience} に入っている" for audience in persona.audiences]
        known += [f"経路 {persona.route}"] if persona.route else []
        return f"{persona.name or '名前は不明'}（{'、'.join(known) or '何もわかっていない'}）"

    def starts(self, why: str) -> str:
        joined, _, _ = why.removeprefix("joined ").partition(":")
        known = {
            "was added as a friend": "友だちに追加された",
            "unblocked the channel": "ブロックを解除した",
        }
        return f"開始：{known.get(why) or f'{joined} に入った'}"

    def happening(self, happening: Happening) -> str:
        return _ACTS[happening.act].format(name=happening.name, more=happening.more).strip()

    def message(self, name: str, status: str | None, reason: str | None, text: str) -> str:
        if status == "sent":
            return f"{name} を送信"
        return f"{name} は送信されない：{reason or text}"

    def branch(
        self, step: Step, case: int | None, saw: Mapping[str, bool | None], text: str
    ) -> str:
        answers = [
            f"{_condition(each.when)}：{_ANSWERS[saw[words]]}"
            for each in step.branch or ()
            if each.when and (words := in_words(each.when)) in saw
        ]
        went = ""
        if case is None:
            went = " → 先へ進む"
        elif (step.branch or ())[case].when is None:
            went = " → それ以外"
        return "、".join(answers) + went

    def awaited(self, audience: str, way: int | None, text: str) -> str:
        return f"{audience} に{'入らなかった：時間切れ' if way else '入った：間に合った'}"

    def tag(self, step: Step, text: str) -> str:
        assert step.tag is not None
        return "タグ " + " ".join(
            [*(f"+{tag}" for tag in step.tag.add), *(f"-{tag}" for tag in step.tag.remove)]
        )

    def left_out(self, text: str) -> str:
        return "日時を過ぎているため、次の待機までを飛ばす"

    def waits(self, until: str, awaits: str | None, why: list[str], then: str | None) -> str:
        reasons = f"（{'、'.join(why)}）" if why else ""
        what = f"{awaits} に入るのを " if awaits else ""
        after = f"。次：{then}" if then else ""
        return f"{what}{until} まで待つ{reasons}{after}"

    def length(self, wait: Wait) -> str:
        if wait.days_after_start is not None:
            return f"開始から{wait.days_after_start}日後の{wait.at:%H:%M}"
        if wait.until is not None:
            return f"{wait.until:%Y-%m-%d %H:%M}まで"
        lengths = "".join(
            f"{number}{unit}"
            for name, unit in (("days", "日"), ("hours", "時間"), ("minutes", "分"))
            if (number := getattr(wait, name))
        )
        if wait.at is None:
            return f"{lengths}後"
        return f"{f'{lengths}後' if lengths else '次'}の{wait.at:%H:%M}"

    def at_most(self, wait: Wait) -> str:
        return f"長くて{self.length(wait).removesuffix('後')}"

    def window_opens(self, at: str) -> str:
        return f"配信時間帯は{at}から"

    def spread(self) -> str:
        return "配信の分散"

    def then(self, action: Action, step: Step | None, label: str) -> str:
        if step is None:
            return "終了"
        if step.send:
            return f"{step.send.name} を送信"
        if step.wait_for:
            return f"{step.wait_for.audience} を待つ"
        return "タグ" if step.tag else "分岐"

    def ends(self, outcome: str, because: str | None) -> str:
        return f"終わり：{_OUTCOMES[outcome]}" + (f"（{_because(because)}）" if because else "")

    def way(self, way: WayThrough) -> str:
        return " → ".join(_decision(step) for step in way if step.decides) or "一本道"

    def instead(self, text: str) -> str:
        return f"別の道へ進んだ：{text}"

    def times(self, zone: str) -> str:
        return f"時刻は {zone}"

    def used(self, count: int) -> str:
        return f"LINEの{count}通分。実際には何も送っていません"

    def heading(self, number: int, way: str) -> str:
        return f"道すじ{number}：{way}"

    def nobody(self, way: str) -> str:
        return f"通れる人が見つからない道すじ：{way}"

    def walked(self, count: int, of: int) -> str:
        return f"全{of:,}通りの道すじのうち、{count}通りを試しました"

    def not_looked_at(self, count: int) -> str:
        return f"ほかの{count:,}通りは試していません。--most を増やすと試せます"


def _because(because: str) -> str:
    for beginning, words in (("joined ", "{} に入った"), ("left ", "{} から外れた")):
        if because.startswith(beginning):
            return words.format(because.removeprefix(beginning))
    return "チャネルをブロックした" if because == "blocked the channel" else because


def _decision(passed: Passed) -> str:
    step = passed.step
    if step.wait_for:
        return f"{step.wait_for.audience} に{'間に合わない' if passed.way else '間に合う'}"
    if passed.way is None:
        return "どれでもない"
    when = (step.branch or ())[passed.way].when
    return _condition(when) if when else "それ以外"


def _condition(condition: Condition | None) -> str:
    """The condition for people: `clicked-hello に入っている、20〜39歳`."""
    if condition is None:
        return ""
    words: list[str] = []
    if condition.audience is not None:
        words.append(f"{condition.audience} に入っている")
    for value in (condition.gender, condition.os):
        words += [_VALUES[value]] if value else []
    if condition.age is not None:
        words.append(_ages(condition.age))
    for values in (condition.region, condition.language):
        words += ["/".join(values)] if values else []
    words += [f"{name} {'/'.join(values)}" for name, values in (condition.fields or {}).items()]
    words += [_condition(part) for part in condition.all or ()]
    if condition.any:
        words.append(f"（{'または'.join(_condition(part) for part in condition.any)}）")
    if condition.not_ and condition.not_.model_dump(exclude_none=True).keys() == {"audience"}:
        words.append(f"{condition.not_.audience} に入っていない")
    elif condition.not_:
        words.append(f"「{_condition(condition.not_)}」でない")
    return "、".join(words)


def _ages(age: Age) -> str:
    if age.from_ == age.to:
        return f"{age.to}歳"
    return f"{'' if age.from_ is None else age.from_}〜{'' if age.to is None else age.to}歳"


WORDS: Mapping[Language, Words] = {"en": English(), "ja": Japanese()}
