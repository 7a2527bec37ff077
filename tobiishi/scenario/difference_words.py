"""What differs between two scenarios, in Japanese and in English: a template for each code.

Pure, as `tobiishi.scenario.differences` is, which finds what differs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tobiishi.languages import Language
from tobiishi.scenario.conditions import in_words
from tobiishi.scenario.differences import Difference, Spot, WayOn, Word
from tobiishi.scenario.model import (
    AfterDays,
    Exit,
    IfLate,
    Length,
    Period,
    Start,
    Step,
    TagStep,
    Wait,
    Window,
)
from tobiishi.scenario.parts import Condition, ScenarioPart

#: By code, and then by language; the names in braces are the difference's params.
TEMPLATES: Mapping[str, Mapping[Language, str]] = {
    "title_changed": {"en": "title: {from} → {to}", "ja": "名前: {from} → {to}"},
    "description_changed": {"en": "description: {from} → {to}", "ja": "説明: {from} → {to}"},
    "start_changed": {"en": "start: {from} → {to}", "ja": "開始: {from} → {to}"},
    "period_changed": {"en": "period: {from} → {to}", "ja": "期間: {from} → {to}"},
    "reentry_changed": {"en": "entering again: {from} → {to}", "ja": "入り直し: {from} → {to}"},
    "timezone_changed": {"en": "time zone: {from} → {to}", "ja": "タイムゾーン: {from} → {to}"},
    "window_changed": {
        "en": "hours in which it sends: {from} → {to}",
        "ja": "配信時間帯: {from} → {to}",
    },
    "if_late_changed": {"en": "late messages: {from} → {to}", "ja": "遅れたとき: {from} → {to}"},
    "spread_changed": {"en": "spread over: {from} → {to}", "ja": "分散: {from} → {to}"},
    "exit_added": {"en": "an exit is added: {exit}", "ja": "終了条件を追加: {exit}"},
    "exit_removed": {"en": "an exit is removed: {exit}", "ja": "終了条件を削除: {exit}"},
    "audience_added": {
        "en": "audience {audience} is defined: {to}",
        "ja": "オーディエンス{audience}の定義を追加: {to}",
    },
    "audience_removed": {
        "en": "audience {audience} is not defined any more: {from}",
        "ja": "オーディエンス{audience}の定義を削除: {from}",
    },
    "audience_changed": {
        "en": "audience {audience}: {from} → {to}",
        "ja": "オーディエンス{audience}: {from} → {to}",
    },
    "message_added": {
        "en": "message {message} is added {place}",
        "ja": "メッセージ{message}を追加（{place}）",
    },
    "message_removed": {
        "en": "message {message} is removed; it was {place}",
        "ja": "メッセージ{message}を削除（{place}にあった）",
    },
    "message_renamed": {
        "en": "message {from} is called {to} now",
        "ja": "メッセージ名: {from} → {to}",
    },
    "message_moved": {
        "en": "message {message} is moved; now {place}",
        "ja": "メッセージ{message}を移動（今は{place}）",
    },
    "text_changed": {
        "en": "{message}, {field}: {from} → {to}",
        "ja": "{message}の文面（{field}）: {from} → {to}",
    },
    "field_changed": {
        "en": "{message}, {field}: {from} → {to}",
        "ja": "{message}の{field}: {from} → {to}",
    },
    "more_changed": {
        "en": "{message}: {count} fields more",
        "ja": "{message}: ほかに{count}項目",
    },
    "object_added": {
        "en": "{message} sends one more: {object}",
        "ja": "{message}に吹き出しを追加: {object}",
    },
    "object_removed": {
        "en": "{message} sends one less: {object}",
        "ja": "{message}の吹き出しを削除: {object}",
    },
    "option_changed": {
        "en": "{message}, {option}: {from} → {to}",
        "ja": "{message}の設定（{option}）: {from} → {to}",
    },
    "wait_added": {
        "en": "a wait is added {place}: {wait}",
        "ja": "待機を追加（{place}）: {wait}",
    },
    "wait_removed": {
        "en": "the wait {place} is removed: {wait}",
        "ja": "待機を削除（{place}）: {wait}",
    },
    "wait_changed": {
        "en": "the wait {place}: {from} → {to}",
        "ja": "待機（{place}）: {from} → {to}",
    },
    "wait_for_added": {
        "en": "a wait for {audience} is added {place}: {limit} at most",
        "ja": "{audience}に入るのを待つ手順を追加（{place}）: 最長{limit}",
    },
    "wait_for_removed": {
        "en": "the wait for {audience} {place} is removed: {limit} at most",
        "ja": "{audience}に入るのを待つ手順を削除（{place}）: 最長{limit}",
    },
    "wait_for_changed": {
        "en": "the wait {place} is for another audience: {from} → {to}",
        "ja": "入るのを待つオーディエンス（{place}）: {from} → {to}",
    },
    "limit_changed": {
        "en": "the wait for {audience} {place}, at most: {from} → {to}",
        "ja": "{audience}に入るのを待つ最長の時間（{place}）: {from} → {to}",
    },
    "branch_added": {
        "en": "a branch is added {place}: {conditions}",
        "ja": "分岐を追加（{place}）: {conditions}",
    },
    "branch_removed": {
        "en": "the branch {place} is removed: {conditions}",
        "ja": "分岐を削除（{place}）: {conditions}",
    },
    "case_added": {
        "en": "the branch {place} has a way more: {when}",
        "ja": "分岐先を追加（{place}）: {when}",
    },
    "case_removed": {
        "en": "the branch {place} has a way less: {when}",
        "ja": "分岐先を削除（{place}）: {when}",
    },
    "case_moved": {
        "en": "the branch {place} asks in another order: {when}",
        "ja": "分岐先の順番を変更（{place}）: {when}",
    },
    "condition_changed": {
        "en": "the branch {place}: {from} → {to}",
        "ja": "分岐の条件（{place}）: {from} → {to}",
    },
    "tag_added": {
        "en": "tags are added {place}: {tags}",
        "ja": "タグの手順を追加（{place}）: {tags}",
    },
    "tag_removed": {
        "en": "the tags {place} are removed: {tags}",
        "ja": "タグの手順を削除（{place}）: {tags}",
    },
    "tag_changed": {
        "en": "the tags {place}: {from} → {to}",
        "ja": "タグ（{place}）: {from} → {to}",
    },
    "step_moved": {"en": "{step} is moved; now {place}", "ja": "{step}を移動（今は{place}）"},
}

#: What is said where nothing differs.
NOTHING: Mapping[Language, str] = {
    "en": "they do the same",
    "ja": "違いはありません",
}

#: Words of the scenario language, and values that are none.
_WORDS: Mapping[Language, Mapping[str | None, str]] = {
    "en": {
        None: "none",
        "after_finishing": "once the last journey is over",
        "go_on": "go on",
        "send": "sent all the same",
        "next_window": "sent in the next window",
        "skip": "left out",
    },
    "ja": {
        None: "なし",
        "never": "できない",
        "after_finishing": "前回が終わったあと",
        "go_on": "続ける",
        "end": "終わる",
        "send": "そのまま送る",
        "next_window": "次の配信時間帯に送る",
        "skip": "送らない",
        "female": "女性",
        "male": "男性",
        "other": "その他",
        "ios": "iPhone",
        "android": "Android",
    },
}

#: Characters of a text that are shown on either side of what differs.
_AROUND = 12
#: Characters of a text that are shown, at most.
_MOST_SHOWN = 40


def difference_in_words(difference: Difference, language: Language) -> str:
    """One difference, in one line."""
    params = dict(difference.params)
    was, is_ = params.get("from"), params.get("to")
    if type(was) is type(is_) is str:
        params["from"], params["to"] = excerpts(was, is_)
    words = {name: _value(value, language) for name, value in params.items()}
    return TEMPLATES[difference.code][language].format_map(words)


def excerpts(old: str, new: str) -> tuple[str, str]:
    """What differs between two texts, with a little around it."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return _cut(old, start, len(old) - end), _cut(new, start, len(new) - end)


def _cut(text: str, start: int, end: int) -> str:
    if len(text) <= _MOST_SHOWN:
        return text
    first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
    shown = text[first:last]
    if len(shown) > _MOST_SHOWN + 2 * _AROUND:
        shown = f"{shown[:_MOST_SHOWN]}…{shown[-_AROUND:]}"
    return f"{'…' if first else ''}{shown}{'…' if last < len(text) else ''}"


def _begun(text: str) -> str:
    """The beginning of a text that is long: no excerpt is, and no name."""
    most = 2 * (_MOST_SHOWN + _AROUND)
    return text if len(text) <= most else f"{text[:_MOST_SHOWN]}…"


def _value(value: Any, language: Language) -> str:
    """A param in words."""
    match value:
        case Word():
            return _word(value, language)
        case str():  # A name, or a text that is sent.
            return _quoted(_begun(value), language)
        case bool() | int() | float():
            return json.dumps(value)
        case None:
            return _word(None, language)
        case Spot():
            return _spot(value, language)
        case WayOn():
            return _way(value, language)
        case ScenarioPart():
            return _part(value, language)
        case tuple():
            return (" / " if language == "ja" else ", ").join(
                _value(each, language) for each in value
            )
        case _:
            return _object(value, language)


def _word(word: str | None, language: Language) -> str:
    return _WORDS[language].get(word, word or "")


def _quoted(text: str, language: Language) -> str:
    text = text.replace("\n", "⏎")
    return f"「{text}」" if language == "ja" else f"“{text}”"


def _spot(spot: Spot, language: Language) -> str:
    ja = language == "ja"
    if spot.before:
        name = _quoted(spot.before, language)
        where = f"{name}の前" if ja else f"before {name}"
    else:
        where = "最後" if ja else "at the end"
        if spot.after:
            name = _quoted(spot.after, language)
            where = f"{where}、{name}のあと" if ja else f"{where}, after {name}"
    if spot.way is None:
        return where
    way = _way(spot.way, language)
    return f"{way}の場合、{where}" if ja else f"{where}, on the way for {way}"


def _way(way: WayOn, language: Language) -> str:
    ja = language == "ja"
    if way.audience:
        name = _quoted(way.audience, language)
        if way.in_time:
            return f"{name}に入った人" if ja else f"those in {name} in time"
        return f"{name}に入らなかった人" if ja else f"those too late for {name}"
    if way.when is None:
        return "それ以外" if ja else "all the others"
    return f"［{_condition(way.when)}］" if ja else f"[{in_words(way.when)}]"


def _part(part: ScenarioPart, language: Language) -> str:
    ja = language == "ja"
    match part:
        case Wait():
            return _wait_ja(part) if ja else _wait_en(part)
        case Length():
            return _length(part, language)
        case Window():
            return f"{part.from_:%H:%M}{'〜' if ja else '-'}{part.to:%H:%M}"
        case Exit():
            name = _quoted(part.audience, language)
            if part.joins:
                return f"{name}に入る" if ja else f"the friend joins {name}"
            return f"{name}から外れる" if ja else f"the friend leaves {name}"
        case Start():
            return _start(part, language)
        case Period():
            return _period(part, language)
        case AfterDays(after_days=days):
            return f"開始から{days}日後以降" if ja else f"{days} days after the last one began"
        case IfLate():
            late, what = _length(part.after, language), _word(part.do, language)
            return f"{late}を超えたら{what}" if ja else f"{what} where over {late} late"
        case TagStep():
            return " ".join([*(f"+{tag}" for tag in part.add), *(f"-{tag}" for tag in part.remove)])
        case Step():
            return _step(part, language)
        case _:  # A definition of an audience.
            written = part.model_dump(mode="json", by_alias=True, exclude_unset=True)
            return yaml_like(dict(sorted(written.items(), key=lambda item: item[0] != "kind")))


def yaml_like(value: Any) -> str:
    """A small value as a scenario's file would have it in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {yaml_like(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(yaml_like, value)) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def _step(step: Step, language: Language) -> str:
    if step.wait_for:
        name = _quoted(step.wait_for.audience, language)
        return f"{name}に入るのを待つ手順" if language == "ja" else f"the wait for {name}"
    ways = tuple(WayOn(when=case.when) for case in step.branch or () if case.when)
    shown = _value(ways, language)
    return f"{shown}の分岐" if language == "ja" else f"the branch {shown}"


def _object(message: Mapping[str, Any], language: Language) -> str:
    """A message object, by what people see of it."""
    kind = str(message.get("type"))
    shown = message.get("text") or message.get("altText")
    if not isinstance(shown, str):
        return kind
    quoted = _quoted(_begun(shown), language)
    return quoted if kind.startswith("text") else f"{kind} {quoted}"


def _length(length: Length | Wait, language: Language) -> str:
    units = {"days": "日", "hours": "時間", "minutes": "分"}
    parts = [(name, getattr(length, name)) for name in units if getattr(length, name)]
    if language == "ja":
        return "".join(f"{count}{units[name]}" for name, count in parts)
    return " ".join(f"{count} {name if count > 1 else name[:-1]}" for name, count in parts)


def _wait_en(wait: Wait) -> str:
    past = ", and nothing where that is past" if wait.if_past == "skip" else ""
    if wait.until:
        return f"until {wait.until:%Y-%m-%d %H:%M}{past}"
    if wait.days_after_start is not None:
        return f"until {wait.at:%H:%M} of day {wait.days_after_start} after the start{past}"
    if wait.at and not wait.days:
        return f"until the next {wait.at:%H:%M}"
    return f"{_length(wait, 'en')}{f', until {wait.at:%H:%M}' if wait.at else ''}"


def _wait_ja(wait: Wait) -> str:
    past = "（過ぎていれば送らない）" if wait.if_past == "skip" else ""
    if wait.until:
        return f"{wait.until:%Y-%m-%d %H:%M}まで{past}"
    if wait.days_after_start is not None:
        return f"開始から{wait.days_after_start}日後の{wait.at:%H:%M}まで{past}"
    if wait.at and not wait.days:
        return f"次の{wait.at:%H:%M}まで"
    return f"{_length(wait, 'ja')}{f'後の{wait.at:%H:%M}まで' if wait.at else ''}"


def _start(start: Start, language: Language) -> str:
    ja = language == "ja"
    if start.audience:
        name = _quoted(start.audience, language)
        also = "（すでにいる人も）" if ja else " (who is in it already, too)"
        text = f"{name}に入る" if ja else f"joining {name}"
        return text + also if start.include_members else text
    added = start.friend_added
    text = "友だち追加" if ja else "adding the channel"
    if added and added.routes:
        routes = _value(tuple(added.routes), language)
        text += f"（経路: {routes}）" if ja else f" by {routes}"
    if added and added.unblocked:
        text += "（ブロック解除も）" if ja else " (unblocking it, too)"
    return text


def _period(period: Period, language: Language) -> str:
    shown = "%Y-%m-%d %H:%M"
    since = f"{period.from_:{shown}}" if period.from_ else ""
    until = f"{period.until:{shown}}" if period.until else ""
    if language == "ja":
        return f"{since and since + 'から'}{until and until + 'まで'}"
    return " ".join(filter(None, (since and f"from {since}", until and f"until {until}")))


def _condition(condition: Condition) -> str:
    """The condition in Japanese; `conditions.in_words` has the English."""
    words: list[str] = []
    if condition.audience is not None:
        words.append(f"「{condition.audience}」にいる")
    for value in (condition.gender, condition.os):
        if value is not None:
            words.append(_word(value, "ja"))
    if condition.age is not None:
        first = "" if condition.age.from_ is None else f"{condition.age.from_}歳"
        last = "" if condition.age.to is None else f"{condition.age.to}歳"
        words.append(f"{first}〜{last}")
    if condition.region is not None:
        words.append("・".join(condition.region))
    if condition.language is not None:
        words.append(f"言語が{'・'.join(condition.language)}")
    for name, values in (condition.fields or {}).items():
        words.append(f"{name}が{'・'.join(values)}")
    words += [_condition(part) for part in condition.all or ()]
    if condition.any is not None:
        words.append(f"（{'または'.join(_condition(part) for part in condition.any)}）")
    if condition.not_ is not None:
        words.append(f"（{_condition(condition.not_)}）でない")
    return "かつ".join(words)
