"""The schedule, and what comes next for a friend, from rows as journeys and the relay keep them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.integration.front_door.conftest import Publish, Run
from tests.integration.front_door.knocking import HANAKO, TARO, Door, friend_id
from tests.scenarios import yaml
from tobiishi.channels import holds, quotas
from tobiishi.channels.holds import HoldKind, Scope
from tobiishi.database import Database
from tobiishi.people import friends

TOKYO = ZoneInfo("Asia/Tokyo")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

TREE = """
steps:
  - send: {name: hello, messages: [{type: text, text: a}]}
  - wait: {days: 1, at: "10:00"}
  - branch:
      - when: {audience: vip}
        steps:
          - wait: {hours: 2}
          - send: {name: coupon, messages: [{type: text, text: b}]}
      - otherwise:
        steps: [{send: {name: reminder, messages: [{type: text, text: c}]}}]
  - wait_for:
      audience: bought
      up_to: {days: 2}
      too_late: [{send: {name: last, messages: [{type: text, text: d}]}}]
"""
ONE = "steps: [{wait: {days: 3}}, {send: {name: news, messages: [{type: text, text: e}]}}]"


def at_half_past(hours: int) -> datetime:
    """So many hours from this one on, in the middle of that hour."""
    now = datetime.now(UTC)
    return now.replace(minute=30, second=7, microsecond=0) + hours * HOUR


def shown(moment: datetime) -> str:
    """The beginning of its hour, as the API has it."""
    return moment.astimezone(TOKYO).replace(minute=0, second=0, microsecond=0).isoformat()


async def stand(
    database: Database,
    scenario: str,
    *who: str,
    action: str | None,
    step: str | None,
    due: datetime | None,
    wait: str = "",
    version: int = 1,
    started: datetime | None = None,
    stopping: str | None = None,
    ended: bool = False,
) -> list[int]:
    """Have journeys be there, with what comes next. Returns their numbers."""
    numbers = []
    started = started or datetime.now(UTC)
    async with database.transaction() as connection:
        for friend in who:
            await friends.meet(connection, "default", friend, started)
            numbers.append(
                await connection.fetchval(
                    "insert into journeys (channel, scenario, version, friend, entry, why,"
                    " started_at, next_action, next_step, next_visit, next_due, next_wait,"
                    " stopping, stopping_because, ended_at, outcome)"
                    " values ('default', $1, $2, $3, 1, 'x', $4, $5, $6, 1, $7, $8, $9, $9,"
                    " case when $10 then now() end, case when $10 then 'completed' end)"
                    " returning id",
                    scenario,
                    version,
                    friend,
                    started,
                    action,
                    step,
                    due,
                    wait,
                    stopping,
                    ended,
                )
            )
    return numbers


async def went(database: Database, numbers: list[int], step: str, **detail: int | None) -> None:
    async with database.connection() as connection:
        for number in numbers:
            await connection.execute(
                "insert into trail (journey_id, step, visit, at, said, detail)"
                " values ($1, $2, 1, now(), 'x', $3)",
                number, step, detail,
            )  # fmt: skip


async def asked(door: Door, **params: Any) -> dict[str, Any]:
    answer = await door.api("GET", "/schedule", params=params)
    assert answer.status_code == 200, answer.text
    schedule: dict[str, Any] = answer.json()
    return schedule


def table(schedule: dict[str, Any]) -> dict[tuple[str, str], tuple[int, int]]:
    """By hour and message: how many are confirmed, how many expected."""
    return {
        (line["hour"], line["message"]): (line["confirmed"], line["expected"])
        for line in schedule["lines"]
    }


async def hold(
    database: Database,
    scope: Scope,
    name: str = "",
    *,
    kind: HoldKind = "paused",
    until: datetime | None = None,
) -> None:
    async with database.transaction() as connection:
        await holds.put(
            connection, "default", scope=scope, name=name, kind=kind, reason="棚卸し",
            until=until, at=datetime.now(UTC),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ("", 200, ""),
        ("?days=1", 200, ""),
        ("?days=60&timezone=Europe/Berlin", 200, ""),
        ("?days=0", 422, "days"),
        ("?days=61", 422, "days"),
        ("?timezone=Asia/Edo", 422, "use an IANA name"),
        ("?timezone=../../etc/passwd", 422, "timezone"),
        ("?scenario=nobody", 404, "nobody"),
        ("?scenario=No", 422, "scenario"),
        ("?channel=nobody", 404, "nobody"),
    ],
)
async def test_what_may_be_asked_for(door: Door, query: str, status: int, named: str) -> None:
    answer = await door.api("GET", f"/schedule{query}")
    assert answer.status_code == status
    assert named in answer.text
    assert (await door.http.get(f"/api/schedule{query}")).status_code == 401


async def test_where_nobody_waits_nothing_goes_out(door: Door, published: Publish) -> None:
    await published(yaml(steps=TREE))
    schedule = await asked(door)
    assert (schedule["lines"], schedule["confirmed"], schedule["expected"]) == ([], 0, 0)
    assert schedule["timezone"] == "Asia/Tokyo"
    since, until = (datetime.fromisoformat(schedule[name]) for name in ("since", "until"))
    assert until - since == 14 * DAY


async def test_what_somebody_waits_for_is_confirmed_and_what_comes_of_it_expected(
    door: Door, shop: Database, published: Publish
) -> None:
    await published(yaml(steps=TREE))
    soon, later = at_half_past(2), at_half_past(5)
    ids = [friend_id(number) for number in range(100, 150)]
    await stand(shop, "welcome", *ids[:3], action="send", step="0", due=soon)
    await stand(shop, "welcome", ids[3], action="send", step="0", due=soon + timedelta(minutes=9))
    await stand(shop, "welcome", ids[4], action="send", step="2.0.1", due=later, wait="2.0.0")
    # What is over, or about to be, sends nothing.
    gone = await stand(shop, "welcome", *ids[5:9], action="send", step="0", due=soon, ended=True)
    await stand(shop, "welcome", ids[9], action="send", step="0", due=soon, stopping="exited")
    await stand(shop, "welcome", ids[10], action=None, step=None, due=None)
    await went(shop, gone[:3], "2", case=0)
    await went(shop, gone[3:], "2", case=1)
    await went(shop, gone[:1], "3", way=0)

    schedule = await asked(door)

    ten = (soon.astimezone(TOKYO) + DAY).replace(hour=10, minute=0, second=5)
    assert table(schedule) == {
        (shown(soon), "hello"): (4, 0),
        (shown(later), "coupon"): (1, 0),
        (shown(ten), "reminder"): (0, 1),
        (shown(ten + 2 * HOUR), "coupon"): (0, 3),
    }
    assert (schedule["confirmed"], schedule["expected"], schedule["not_known"]) == (5, 4, 1)
    assert {line["title"] for line in schedule["lines"]} == {"welcome"}
    assert [(split["step"], split["friends"]) for split in schedule["splits"]] == [
        ("2", 4),
        ("3", 1),
    ]
    assert schedule["splits"][0]["ways"] == [
        {"in_words": "in vip", "share": 0.75},
        {"in_words": "otherwise", "share": 0.25},
    ]


async def test_friends_who_wait_for_an_audience_beyond_the_time_may_join_in_it(
    door: Door, shop: Database, published: Publish
) -> None:
    steps = TREE.replace("up_to: {days: 2}", "up_to: {days: 40}").replace("too_late", "in_time")
    await published(yaml(steps=steps))
    ids = [friend_id(number) for number in range(100, 180)]
    numbers = await stand(
        shop, "welcome", *ids, action="look", step="3", due=datetime.now(UTC) + 28 * DAY, wait="3"
    )
    await went(shop, numbers[:1], "3", way=0)
    schedule = await asked(door)
    assert (schedule["confirmed"], schedule["expected"]) == (0, 40)
    assert {line["message"] for line in schedule["lines"]} == {"last"}
    days = {line["hour"][:10] for line in schedule["lines"]}
    assert len(days) >= 14


async def test_shares_are_of_all_versions_that_ask_the_same_there(
    door: Door, shop: Database, published: Publish
) -> None:
    await published(yaml(steps=TREE))
    await published(yaml(steps=TREE.replace("text: a", "text: A")))
    await published(yaml(steps=TREE.replace("audience: vip", "audience: members")))
    ids = [friend_id(number) for number in range(100, 150)]
    soon = at_half_past(1)
    first = await stand(shop, "welcome", *ids[:4], action="end", step="", due=soon, ended=True)
    await went(shop, first, "2", case=1)
    for number, version in enumerate((2, 3)):
        who = ids[10 + 2 * number : 12 + 2 * number]
        await stand(shop, "welcome", *who, action="branch", step="2", due=soon, version=version)
    schedule = await asked(door, days=1)
    assert [
        (each["version"], each["friends"]) for each in schedule["splits"] if each["step"] == "2"
    ] == [
        (2, 4),
        (3, 0),
    ]
    assert table(schedule)[shown(soon), "reminder"] == (0, 3)


async def test_days_are_counted_from_the_entry_by_the_scenarios_clock(
    door: Door, shop: Database, published: Publish
) -> None:
    steps = """
steps:
  - send: {name: hello, messages: [{type: text, text: a}]}
  - wait: {days_after_start: 4, at: "18:00"}
  - send: {name: fourth, messages: [{type: text, text: a}]}
"""
    await published(yaml(steps=steps, rules="start: friend_added\ntimezone: America/New_York"))
    york = ZoneInfo("America/New_York")
    soon = at_half_past(1)
    today, before = datetime.now(UTC), datetime.now(UTC) - 2 * DAY
    for number, entered in enumerate((today, before)):
        friend = friend_id(100 + number)
        await stand(shop, "welcome", friend, action="send", step="0", due=soon, started=entered)
    schedule = await asked(door, timezone="America/New_York")
    expected = {
        datetime.combine(entered.astimezone(york).date() + 4 * DAY, datetime.min.time(), york)
        .replace(hour=18)
        .isoformat(): (0, 1)
        for entered in (today, before)
    }
    assert {
        hour: friends for (hour, message), friends in table(schedule).items() if message == "fourth"
    } == expected


async def test_only_one_scenario(door: Door, shop: Database, published: Publish) -> None:
    await published(yaml(steps=TREE))
    await published(yaml("news", steps=ONE))
    soon = at_half_past(1)
    await stand(shop, "welcome", HANAKO, action="send", step="0", due=soon)
    await stand(shop, "news", HANAKO, TARO, action="send", step="1", due=soon, wait="0")
    await stand(shop, "news", friend_id(3), action=None, step=None, due=None)
    schedule = await asked(door, scenario="news")
    assert table(schedule) == {(shown(soon), "news"): (2, 0)}
    assert (await asked(door, scenario="welcome"))["not_known"] == 0
    # Hanako's two are close together, and one of them is of this scenario.
    assert [each["friend"] for each in schedule["crowded"]["first"]] == [HANAKO]


async def test_friends_who_get_several_within_an_hour_are_named(
    door: Door, shop: Database, published: Publish
) -> None:
    await published(yaml(steps=TREE))
    await published(yaml("news", steps=ONE))
    soon = at_half_past(2)
    ids = [friend_id(number) for number in range(100, 230)]
    await stand(shop, "welcome", *ids, action="send", step="0", due=soon)
    await stand(shop, "news", *ids[:120], action="send", step="1", due=soon + 0.9 * HOUR)
    await stand(shop, "news", *ids[120:], action="send", step="1", due=soon + HOUR)
    crowded = (await asked(door))["crowded"]
    assert crowded["count"] == 120
    assert len(crowded["first"]) == 100
    first = crowded["first"][0]
    assert (first["friend"], first["display_name"]) == (ids[0], None)
    assert [(send["scenario"], send["message"]) for send in first["sends"]] == [
        ("welcome", "hello"),
        ("news", "news"),
    ]
    assert datetime.fromisoformat(first["sends"][0]["at"]) == soon


async def test_what_is_held_is_marked_and_goes_when_the_hold_is_known_to_end(
    door: Door, shop: Database, published: Publish
) -> None:
    await published(yaml(steps=TREE))
    await published(yaml("news", steps=ONE))
    soon = at_half_past(1)
    await stand(shop, "welcome", HANAKO, TARO, action="send", step="0", due=soon)
    await stand(shop, "news", HANAKO, action="send", step="1", due=soon)

    async def held() -> dict[str, int]:
        return {
            line["message"]: line["held"]
            for line in (await asked(door))["lines"]
            if line["confirmed"]
        }

    assert await held() == {"hello": 0, "news": 0}
    await hold(shop, "friend", HANAKO)
    assert await held() == {"hello": 1, "news": 1}
    assert (await asked(door))["holds"] == []
    await hold(shop, "scenario", "welcome")
    assert await held() == {"hello": 2, "news": 1}
    assert [each["name"] for each in (await asked(door))["holds"]] == ["welcome"]
    assert (await asked(door, scenario="news"))["holds"] == []

    end = at_half_past(30)
    await hold(shop, "channel", kind="quota", until=end)
    schedule = await asked(door)
    # That of the scenario has no end, so that nobody knows when its sends go.
    assert table(schedule)[shown(soon), "hello"] == (2, 0)
    assert table(schedule)[shown(end), "news"] == (1, 0)


async def test_the_months_messages_are_drawn_against_it(
    door: Door, shop: Database, published: Publish
) -> None:
    await published(yaml("news", steps=ONE))
    assert (await asked(door))["months"] == []
    soon = at_half_past(1)
    ids = [friend_id(number) for number in range(100, 110)]
    await stand(shop, "news", *ids, action="send", step="1", due=soon)
    async with shop.transaction() as connection:
        now = datetime.now(UTC)
        await quotas.take(connection, now=now, before=now)
        await quotas.keep(connection, "default", monthly=200, used=191, now=now)
    months = (await asked(door, days=60))["months"]
    # At a month's last hour it would go out in the next one, of which nothing is used yet.
    month = next(month for month in months if month["confirmed"])
    assert month["confirmed"] == 10
    if month is months[0]:
        assert (month["used"], month["left"]) == (191, 9)
        assert month["runs_out"] == shown(soon)
    assert months[1]["left"] - months[1]["used"] == 200
    assert months[1]["month"] > months[0]["month"]
    assert datetime.fromisoformat(months[1]["begins"]).astimezone(TOKYO).day == 1


async def test_the_command_is_a_table_for_marketers(
    run: Run, shop: Database, published: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    await published(yaml(steps=TREE).replace("title: welcome", "title: 友だち追加ありがとう"))
    await published(yaml("news", steps=ONE))
    soon = at_half_past(1)
    ids = [friend_id(number) for number in range(100, 1340)]
    await stand(shop, "welcome", *ids, action="send", step="0", due=soon)
    await stand(shop, "news", ids[0], action="send", step="1", due=soon)
    await stand(shop, "news", ids[1], action=None, step=None, due=None)
    await hold(shop, "scenario", "news")
    async with shop.transaction() as connection:
        now = datetime.now(UTC)
        await quotas.take(connection, now=now, before=now)
        await quotas.keep(connection, "default", monthly=1000, used=191, now=now)

    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    printed = await run("schedule", "--days", "3")
    local = soon.astimezone(TOKYO)
    assert "1,241 confirmed and 1,240 expected until" in printed
    assert f"{local:%Y-%m-%d (%a)}" in printed
    assert f"{local:%H}:00–{local + HOUR:%H}:00" in printed
    assert "友だち追加ありがとう" in printed
    assert "1,240" in printed
    assert "1 held" in printed
    assert "held: scenario news (棚卸し)" in printed
    assert f"{datetime.now(TOKYO):%Y-%m}: 191 of 1,000 messages used, 809 left" in printed
    assert "they run out on" in printed
    assert "friends who get several messages within an hour: 1" in printed
    same = f"{local:%Y-%m-%d (%a)} {local:%H:%M} news/news, {local:%H:%M} welcome/hello"
    assert f"{ids[0]}: {same}" in printed
    assert "not known yet, and so not in it: 1" in printed
    assert "split equally, as nobody came by yet: welcome: in vip / otherwise" in printed
    assert "Who enters from now on is not in it" in printed

    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    printed = await run("schedule", "--scenario", "news")
    weekday = "月火水木金土日"[local.weekday()]
    assert f"{local.month}月{local.day}日（{weekday}）" in printed
    assert "確定 1通、見込み 0通" in printed
    assert "1人 停止中" in printed
    assert "これから入る人は含みません" in printed

    printed = await run("schedule", "--scenario", "news", "--json")
    assert json.loads(printed)["confirmed"] == 1
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert "is not a time zone" in await failed(run, "schedule", "--timezone", "Asia/Edo")


async def failed(run: Run, *words: str) -> str:
    """What the command fails with."""
    with pytest.raises(Exception, match=r".") as raised:
        await run(*words)
    return str(raised.value)


async def of_friend(door: Door, friend: str = HANAKO, language: str = "en") -> dict[str, Any]:
    answer = await door.http.get(
        f"/api/friends/{friend}", headers={**door.headers, "Accept-Language": language}
    )
    (journey,) = answer.raise_for_status().json()["journeys"]
    found: dict[str, Any] = journey["next"]
    return found


async def test_a_friends_journey_has_what_comes_next_by_the_scenarios_clock(
    door: Door, shop: Database, published: Publish, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    await published(yaml(steps=TREE, rules="start: friend_added\ntimezone: Europe/Paris"))
    paris = ZoneInfo("Europe/Paris")
    due = at_half_past(2)
    local = due.astimezone(paris)
    await stand(shop, "welcome", HANAKO, action="send", step="2.0.1", due=due, wait="2.0.0")
    found = await of_friend(door)
    assert found.pop("in_words") == (
        f"next is the message coupon (on the way: in vip), due {local:%Y-%m-%d %H:%M} "
        "(Europe/Paris); it waits now: 2 hours"
    )
    assert found == {
        "state": "planned",
        "action": "send",
        "step": "2.0.1",
        "message": "coupon",
        "ways": ["in vip"],
        "due": local.isoformat(),
        "timezone": "Europe/Paris",
        "wait": "2.0.0",
        "audience": None,
        "holds": [],
    }
    japanese = await of_friend(door, language="ja")
    assert japanese["in_words"] == (
        f"次はメッセージ「coupon」（「vip」に入っている）、予定：{local:%Y-%m-%d %H:%M}"
        "（Europe/Paris）。いまの待ち：2時間"
    )
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert "→ next is the message coupon" in await run("friend", "show", HANAKO)
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    assert "→ 次はメッセージ「coupon」" in await run("friend", "show", HANAKO)


async def test_a_friend_who_waits_for_an_audience(
    door: Door, shop: Database, published: Publish
) -> None:
    await published(yaml(steps=TREE))
    await stand(shop, "welcome", HANAKO, action="look", step="3", due=at_half_past(2), wait="3")
    found = await of_friend(door)
    assert (found["action"], found["audience"], found["message"]) == ("look", "bought", None)
    assert found["in_words"].endswith(
        "; it waits now: until they are in the audience bought (2 days at most)"
    )


async def test_a_journey_that_is_held_has_what_holds_it(
    door: Door, shop: Database, published: Publish
) -> None:
    await published(yaml(steps=TREE))
    await stand(shop, "welcome", HANAKO, action="send", step="0", due=at_half_past(-2))
    await hold(shop, "friend", TARO)
    await hold(shop, "scenario", "news")
    assert (await of_friend(door))["state"] == "planned"
    await hold(shop, "scenario", "welcome")
    await hold(shop, "channel", kind="token")
    await hold(shop, "friend", HANAKO)
    found = await of_friend(door)
    assert found["state"] == "held"
    assert found["holds"] == [
        "the scenario is paused (棚卸し)",
        "LINE does not take the access token",
        "the friend is paused (棚卸し)",
    ]
    assert "due since" in found["in_words"]
    assert "its sends are held: the scenario is paused (棚卸し)" in found["in_words"]
    assert (
        "送信を止めています：アクセストークンが無効です"
        in (await of_friend(door, language="ja"))["in_words"]
    )


async def test_a_journey_that_is_ended_and_one_of_an_older_release(
    door: Door, shop: Database, published: Publish
) -> None:
    await published(yaml(steps=TREE))
    await stand(
        shop, "welcome", HANAKO, action="send", step="0", due=at_half_past(2), stopping="exited"
    )
    await stand(shop, "welcome", TARO, action=None, step=None, due=None)
    await stand(
        shop, "welcome", friend_id(3), action="end", step="", due=at_half_past(0), ended=True
    )
    stopping, unknown = await of_friend(door), await of_friend(door, TARO)
    assert (stopping["state"], stopping["in_words"]) == ("stopping", "it is being ended: exited")
    assert (unknown["state"], unknown["action"], unknown["due"]) == ("not_known", None, None)
    assert unknown["in_words"].startswith("what comes next is not known yet")
    assert await of_friend(door, friend_id(3)) is None
