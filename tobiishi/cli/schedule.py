"""`tobiishi schedule`: what goes out in the next days."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any

import typer
from rich.table import Column

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import out
from tobiishi.cli.language import language
from tobiishi.cli.options import Channel
from tobiishi.cli.server import call
from tobiishi.cli.times import zone
from tobiishi.languages import Language

#: What is printed, by language.
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "columns": "hour|scenario|message|confirmed|expected|",
        "weekdays": "Mon Tue Wed Thu Fri Sat Sun",
        "day": "{0:%Y-%m-%d} ({1})",
        "heading": "{confirmed:,} confirmed and {expected:,} expected until {until} ({timezone})",
        "nothing": "nothing goes out until {until} ({timezone}) to those who are under way",
        "held": "{held:,} held",
        "hold": "held: {whom} ({reason})",
        "channel": "the channel",
        "scenario": "scenario {name}",
        "not_known": "journeys whose next step is not known yet, and so not in it: {count:,}",
        "month": "{month}: {used:,} of {monthly:,} messages used, {left:,} left; "
        "this takes {confirmed:,} confirmed and {expected:,} expected",
        "no_limit": "{month}: {used:,} messages used, no limit; "
        "this takes {confirmed:,} confirmed and {expected:,} expected",
        "runs_out": "; they run out on {day}, {hour}",
        "crowded": "friends who get several messages within an hour: {count:,}",
        "and_more": "  and {count:,} more",
        "equally": "split equally, as nobody came by yet: {scenario}: {ways}",
        "note": "confirmed: somebody waits for exactly this message. expected: by the shares of "
        "those who came by so far. Who enters from now on is not in it.",
    },
    "ja": {
        "columns": "時刻|シナリオ|メッセージ|確定|見込み|",
        "weekdays": "月 火 水 木 金 土 日",
        "day": "{0.month}月{0.day}日（{1}）",
        "heading": "{until}まで（{timezone}）：確定 {confirmed:,}通、見込み {expected:,}通",
        "nothing": "{until}まで（{timezone}）、進行中の人への配信予定はありません",
        "held": "{held:,}人 停止中",
        "hold": "送信を止めています：{whom}（{reason}）",
        "channel": "チャネル",
        "scenario": "シナリオ {name}",
        "not_known": "次のステップがまだわからないジャーニーが {count:,}件あり、含まれていません",
        "month": "{month}：{monthly:,}通のうち {used:,}通を使い、残り {left:,}通。"
        "この予定で 確定 {confirmed:,}通、見込み {expected:,}通",
        "no_limit": "{month}：{used:,}通を使いました（上限なし）。"
        "この予定で 確定 {confirmed:,}通、見込み {expected:,}通",
        "runs_out": "。{day} {hour} に使い切ります",
        "crowded": "1時間のうちに2通以上届く人：{count:,}人",
        "and_more": "  ほか {count:,}人",
        "equally": "まだだれも通っていないため等分しています：{scenario}：{ways}",
        "note": "確定：そのメッセージを待っている人。見込み：これまでに通った人の割合から。"
        "これから入る人は含みません。",
    },
}


def schedule(
    days: Annotated[int, typer.Option(min=1, max=60, help="From now on for so many days.")] = 14,
    scenario: Annotated[str | None, typer.Option(help="Only this scenario.")] = None,
    timezone: Annotated[
        str | None, typer.Option(help="IANA name; TOBIISHI_TIMEZONE where left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As the API answers.")] = False,
    channel: Channel = DEFAULT,
) -> None:
    """What goes out in the next days, by hour, scenario and message."""
    params: dict[str, str | int] = {
        "channel": channel,
        "days": days,
        "timezone": timezone or zone(),
    }
    if scenario:
        params["scenario"] = scenario
    found = call("GET", "/api/schedule", params=params)
    if as_json:
        out.lines(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _print(found, _WORDS[language()])


def _print(found: dict[str, Any], words: Mapping[str, str]) -> None:
    until = f"{_day(found['until'], words)} {_time(found['until'])}"
    heading = words["heading" if found["lines"] else "nothing"]
    out.words(bold=heading.format_map({**found, "until": until}))
    if found["lines"]:
        _print_lines(found["lines"], words)
    for line in _notes(found, words):
        out.words(line)


def _print_lines(lines: list[dict[str, Any]], words: Mapping[str, str]) -> None:
    hour, scenario, message, confirmed, expected, held = words["columns"].split("|")
    table = out.table(
        Column(hour, no_wrap=True),
        Column(scenario, overflow="fold"),
        Column(message, overflow="fold"),
        Column(confirmed, justify="right", no_wrap=True),
        Column(expected, justify="right", no_wrap=True),
        held,
    )
    for day, of_day in groupby(lines, key=lambda line: _day(line["hour"], words)):
        ordered = list(of_day)
        table.add_section()
        totals = [
            _number(sum(line[name] for line in ordered)) for name in ("confirmed", "expected")
        ]
        table.add_row(day, "", "", *totals, style="bold")
        for number, line in enumerate(ordered):
            again = number > 0 and ordered[number - 1]["hour"] == line["hour"]
            table.add_row(
                "" if again else _hour(line["hour"]),
                line["title"],
                line["message"],
                _number(line["confirmed"]),
                _number(line["expected"]),
                words["held"].format_map(line) if line["held"] else "",
            )
    table.show()


def _notes(found: dict[str, Any], words: Mapping[str, str]) -> Iterator[str]:
    """What is to be known beside the table, in lines."""
    for hold in found["holds"]:
        whom = words[hold["scope"]].format_map(hold)
        yield words["hold"].format(whom=whom, reason=hold["reason"])
    for month in found["months"]:
        yield _month(month, words)
    if found["crowded"]["count"]:
        yield from _crowded(found["crowded"], words)
    if found["not_known"]:
        yield words["not_known"].format(count=found["not_known"])
    for split in found["splits"]:
        if not split["friends"]:
            ways = " / ".join(way["in_words"] for way in split["ways"])
            yield words["equally"].format(scenario=split["scenario"], ways=ways)
    if found["lines"]:
        yield words["note"]


def _month(month: dict[str, Any], words: Mapping[str, str]) -> str:
    text = words["no_limit" if month["monthly"] is None else "month"].format_map(month)
    if month["runs_out"]:
        day, hour = _day(month["runs_out"], words), _hour(month["runs_out"])
        text += words["runs_out"].format(day=day, hour=hour)
    return text


def _crowded(crowded: dict[str, Any], words: Mapping[str, str]) -> Iterator[str]:
    yield words["crowded"].format_map(crowded)
    for each in crowded["first"]:
        sends = ", ".join(
            f"{day} " + ", ".join(f"{_time(send['at'])} {_named(send)}" for send in of_day)
            for day, of_day in groupby(each["sends"], key=lambda send: _day(send["at"], words))
        )
        yield "  " + " ".join(filter(None, [each["display_name"], f"{each['friend']}: {sends}"]))
    if more := crowded["count"] - len(crowded["first"]):
        yield words["and_more"].format(count=more)


def _day(moment: str, words: Mapping[str, str]) -> str:
    day = datetime.fromisoformat(moment)
    return words["day"].format(day, words["weekdays"].split()[day.weekday()])


def _named(send: Mapping[str, str]) -> str:
    return f"{send['scenario']}/{send['message']}"


def _time(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%H:%M}"


def _hour(moment: str) -> str:
    hour = datetime.fromisoformat(moment)
    return f"{hour:%H:%M}–{(hour.hour + 1) % 24:02}:{hour:%M}"


def _number(count: int) -> str:
    return f"{count:,}" if count else ""
