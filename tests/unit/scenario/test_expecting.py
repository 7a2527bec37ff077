"""What those who are under way come to: walked on by tables of cases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.unit.scenario.test_scenario_planning import at, case, scenario, send, wait
from tobiishi.plan import Action
from tobiishi.scenario import (
    Scenario,
    Step,
    first_plan,
    plan_after,
    plan_to_wait,
    plan_way,
    read_scenario,
    send_at,
    step_at,
)
from tobiishi.scenario.expecting import (
    Group,
    Outlook,
    WaysTaken,
    asks_the_same,
    hour_of,
    shares_of,
    walk_on,
)
from tobiishi.scenario.planning import ways_at

EXAMPLES = Path(__file__).parents[3] / "examples"
TOKYO = ZoneInfo("Asia/Tokyo")
NOW = at("2026-11-20 12:00")
DAY = timedelta(days=1)

OTHERWISE = {"otherwise": None, "steps": [send("b")]}


def group(
    action: str, step: str, due: str, friends: float = 100, started: str = "2026-11-20 09:00"
) -> Group:
    return Group(
        action=Action(action), step=step, due=at(due), friends=friends, started_at=at(started)
    )


def walked(
    scenario: Scenario,
    *groups: Group,
    taken: dict[str, WaysTaken] | None = None,
    days: float = 14,
    now: datetime = NOW,
    zone: ZoneInfo = TOKYO,
    **more: Any,
) -> Outlook:
    return walk_on(
        scenario, groups, taken or {}, now=now, until=now + days * DAY, zone=zone, **more
    )


def table(outlook: Outlook, zone: ZoneInfo = TOKYO) -> dict[str, float]:
    """`11-28 10 hello` with how many; `!` behind it where somebody waits for just this."""
    return {
        f"{each.hour.astimezone(zone):%m-%d %H} {each.message}{'!' * each.confirmed}": round(
            friends, 3
        )
        for each, friends in sorted(outlook.sends.items(), key=lambda one: one[0].hour)
    }


def wait_for(**more: Any) -> dict[str, Any]:
    return {"wait_for": {"audience": "bought", "up_to": {"hours": 4}, **more}}


SALE = scenario(
    send("a"),
    wait(days=3, at="10:00"),
    {"branch": [case(send("vip")), OTHERWISE]},
    wait(days=1, at="10:00"),
    send("c"),
)


@pytest.mark.parametrize(
    ("story", "groups", "taken", "expected"),
    [
        (
            "the own message is confirmed, and what follows is split by the shares",
            [group("send", "0", "2026-11-20 13:20")],
            {"2": {0: 30, 1: 10}},
            {"11-20 13 a!": 100, "11-23 10 vip": 75, "11-23 10 b": 25, "11-24 10 c": 100},
        ),
        (
            "equally, where nobody came by yet",
            [group("branch", "2", "2026-11-21 10:00")],
            {},
            {"11-21 10 vip": 50, "11-21 10 b": 50, "11-22 10 c": 100},
        ),
        (
            "a way that nobody took so far is expected of nobody",
            [group("branch", "2", "2026-11-21 10:00")],
            {"2": {1: 5}},
            {"11-21 10 b": 100, "11-22 10 c": 100},
        ),
        (
            "friends who come from two places into one hour are one number",
            [
                group("send", "2.0.0", "2026-11-21 10:05", 3),
                group("send", "2.1.0", "2026-11-21 10:40", 4),
            ],
            {},
            {"11-21 10 vip!": 3, "11-21 10 b!": 4, "11-22 10 c": 7},
        ),
        (
            "a message that is due and not sent goes now",
            [group("send", "4", "2026-11-20 11:30", 2)],
            {},
            {"11-20 12 c!": 2},
        ),
        ("the end is no message", [group("end", "", "2026-11-21 10:00")], {}, {}),
        ("nothing after the end", [group("send", "4", "2026-12-05 10:00")], {}, {}),
    ],
)
def test_walks(
    story: str, groups: list[Group], taken: dict[str, WaysTaken], expected: dict[str, float]
) -> None:
    assert table(walked(SALE, *groups, taken=taken)) == expected


def test_a_branch_that_nobody_matches_is_gone_past() -> None:
    tree = scenario({"branch": [case(send("vip"))]}, send("c"))
    here = group("branch", "0", "2026-11-21 10:00", 90)
    outlook = walked(tree, here, taken={"0": {0: 1, None: 2}})
    assert table(outlook) == {"11-21 10 vip": 30, "11-21 10 c": 90}
    assert outlook.splits == {"0": {0: 1 / 3, None: 2 / 3}}


def test_tags_and_branches_in_a_branch_are_walked_through() -> None:
    inner = {"branch": [case(send("x")), OTHERWISE]}
    tree = scenario({"tag": {"add": "t"}}, {"branch": [case(inner, send("y"))]}, send("z"))
    outlook = walked(tree, group("tag", "0", "2026-11-20 13:00", 8))
    assert table(outlook) == {
        "11-20 13 x": 2,
        "11-20 13 b": 2,
        "11-20 13 y": 4,
        "11-20 13 z": 8,
    }
    assert set(outlook.splits) == {"1", "1.0.0"}


WAITING = scenario(wait_for(in_time=[send("thanks")], too_late=[send("reminder")]), send("c"))


def test_who_may_join_does_so_at_any_moment_of_the_wait_or_is_late_at_its_end() -> None:
    """Half past twelve to half past four: five hours, of which the outer two are half."""
    now = at("2026-11-20 12:30")
    here = group("look", "0", "2026-11-20 16:30", 80)
    outlook = walked(WAITING, here, taken={"0": {0: 4, 1: 4}}, now=now)
    assert table(outlook) == {
        "11-20 12 thanks": 5,
        "11-20 12 c": 5,
        "11-20 13 thanks": 10,
        "11-20 13 c": 10,
        "11-20 14 thanks": 10,
        "11-20 14 c": 10,
        "11-20 15 thanks": 10,
        "11-20 15 c": 10,
        "11-20 16 thanks": 5,
        "11-20 16 reminder": 40,
        "11-20 16 c": 45,
    }


def test_a_wait_for_an_audience_begins_where_it_stands() -> None:
    outlook = walked(WAITING, group("watch", "0", "2026-11-20 13:00", 80), taken={"0": {1: 9}})
    assert table(outlook) == {"11-20 17 reminder": 80, "11-20 17 c": 80}


def test_of_a_wait_that_is_over_after_the_time_only_its_share_of_joiners_is_in_it() -> None:
    """A fourth of it is in the time that is looked at, and nobody is late in it."""
    here = group("look", "0", "2026-11-24 12:00", 80)
    outlook = walked(WAITING, here, taken={"0": {0: 1}}, days=1)
    assert sum(outlook.sends.values()) == pytest.approx(2 * 80 / 4)
    assert {each.message for each in outlook.sends} == {"thanks", "c"}


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_all_who_wait_join_or_are_late_whenever_they_began(zone: str) -> None:
    """Half join; also where the clock is set back or forward by half an hour meanwhile."""
    now = at("2026-04-03 12:00")
    tree = WAITING.model_copy(update={"timezone": zone})
    groups = [
        Group(
            action=Action.LOOK,
            step="0",
            due=now + timedelta(minutes=47 * number),
            friends=number,
            started_at=now,
        )
        for number in range(1, 200)
    ]
    outlook = walked(tree, *groups, now=now, zone=ZoneInfo(zone))
    got = {
        message: sum(friends for each, friends in outlook.sends.items() if each.message == message)
        for message in ("thanks", "reminder", "c")
    }
    everybody = sum(range(1, 200))
    assert got["reminder"] == pytest.approx(everybody / 2)
    assert got["thanks"] == pytest.approx(everybody / 2, rel=0.001)
    assert got["c"] == pytest.approx(everybody, rel=0.001)


def test_who_waits_in_vain_since_long_ago_is_late_now() -> None:
    outlook = walked(WAITING, group("look", "0", "2026-11-20 11:00", 6), taken={"0": {1: 1}})
    assert table(outlook) == {"11-20 12 reminder": 6, "11-20 12 c": 6}


def test_messages_wait_for_the_window() -> None:
    tree = scenario(
        send("a"),
        wait(hours=10),
        send("b"),
        send("c", any_time=True),
        window={"from": "09:00", "to": "21:00"},
    )
    outlook = walked(tree, group("send", "0", "2026-11-20 13:20"))
    assert table(outlook) == {"11-20 13 a!": 100, "11-21 09 b": 100, "11-21 09 c": 100}


def test_who_are_due_together_are_spread_but_not_past_the_window() -> None:
    tree = scenario(
        send("a"),
        wait(days=1, at="19:00"),
        send("b"),
        wait(hours=3),
        send("c", any_time=True),
        window={"from": "09:00", "to": "21:00"},
        spread={"hours": 6},
    )
    outlook = walked(tree, group("send", "0", "2026-11-20 13:20"))
    assert table(outlook) == {
        "11-20 13 a!": 100,
        "11-21 19 b": 50,
        "11-21 20 b": 50,
        "11-21 22 c": 50,
        "11-21 23 c": 50,
    }


def test_a_day_is_a_local_day_where_clocks_change() -> None:
    """Berlin, 25 October 2026: three in the morning is two again, and ten o'clock is ten."""
    berlin = ZoneInfo("Europe/Berlin")
    tree = scenario(
        send("a"), wait(days=1, at="10:00"), send("b"), wait(hours=24), send("c"),
        timezone="Europe/Berlin",
    )  # fmt: skip
    now = datetime(2026, 10, 24, 8, tzinfo=berlin)
    here = Group(
        action=Action.SEND,
        step="0",
        due=datetime(2026, 10, 24, 9, 30, tzinfo=berlin),
        friends=5,
        started_at=now,
    )
    outlook = walked(tree, here, now=now, zone=berlin)
    assert table(outlook, berlin) == {"10-24 09 a!": 5, "10-25 10 b": 5, "10-26 10 c": 5}
    at_ten = [each.hour for each in outlook.sends if each.message == "b"]
    assert at_ten == [datetime(2026, 10, 25, 9, tzinfo=ZoneInfo("UTC"))]


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        ("2026-10-25T02:30+02:00", "Europe/Berlin", "2026-10-25T02:00+02:00"),
        ("2026-10-25T02:30+01:00", "Europe/Berlin", "2026-10-25T02:00+01:00"),
        ("2026-11-20T12:59:59+09:00", "Asia/Tokyo", "2026-11-20T12:00+09:00"),
        ("2026-11-20T12:29+09:00", "Asia/Kolkata", "2026-11-20T08:00+05:30"),
    ],
)
def test_an_hour_is_one_of_the_clock_of_the_zone(moment: str, zone: str, expected: str) -> None:
    found = hour_of(datetime.fromisoformat(moment), ZoneInfo(zone))
    assert found == datetime.fromisoformat(expected)


def test_a_moment_past_a_time_of_day_is_past_it() -> None:
    """Who got a message at ten has passed ten o'clock of that day."""
    tree = scenario(send("a"), wait(days=0, at="10:00"), send("b"))
    outlook = walked(tree, group("send", "0", "2026-11-21 10:00"))
    assert table(outlook) == {"11-21 10 a!": 100, "11-22 10 b": 100}


def test_days_are_counted_from_the_day_of_the_entry() -> None:
    tree = scenario(send("a"), wait(days_after_start=3, at="18:00"), send("b"))
    here = [
        group("send", "0", "2026-11-21 10:00", 4, started="2026-11-20 12:00"),
        group("send", "0", "2026-11-21 10:00", 5, started="2026-11-19 12:00"),
    ]
    assert table(walked(tree, *here)) == {"11-21 10 a!": 9, "11-22 18 b": 5, "11-23 18 b": 4}


def test_sends_that_are_held_until_then_go_then_and_what_is_late_by_it_as_its_scenario_wants() -> (
    None
):
    hold = at("2026-11-23 00:00")
    sends = [group("send", "0", "2026-11-21 10:00"), group("send", "2", "2026-11-25 10:00")]
    steps = (send("a"), wait(days=1, at="10:00"), send("b"))
    window = {"from": "09:00", "to": "21:00"}
    assert table(walked(scenario(*steps, window=window), *sends, held_until=hold)) == {
        "11-23 09 a!": 100,
        "11-24 10 b": 100,
        "11-25 10 b!": 100,
    }
    late = scenario(*steps, window=window, if_late="skip")
    assert table(walked(late, *sends, held_until=hold)) == {
        "11-24 10 b": 100,
        "11-25 10 b!": 100,
    }


@pytest.mark.parametrize(
    ("ways", "taken", "shares"),
    [
        ((0, 1), {}, {0: 0.5, 1: 0.5}),
        ((0, 1), {0: 1, 1: 3}, {0: 0.25, 1: 0.75}),
        ((0, None), {None: 2}, {0: 0, None: 1}),
        ((0, 1), {7: 3}, {0: 0.5, 1: 0.5}),
    ],
)
def test_shares(
    ways: tuple[int | None, ...], taken: WaysTaken, shares: dict[int | None, float]
) -> None:
    assert shares_of(ways, taken) == shares


def taken_one_by_one(tree: Scenario, way: int, *, until: datetime) -> list[tuple[datetime, str]]:
    """What one friend gets who enters now and takes that way wherever there is one."""
    got = []
    plan = first_plan(tree, NOW)
    while plan.action is not Action.END and plan.due < until:
        then = plan.due + timedelta(seconds=1)
        if plan.action is Action.SEND:
            got.append((hour_of(plan.due, TOKYO), send_at(tree, plan.step).name))
        if plan.action is Action.WATCH:
            plan = plan_to_wait(tree, plan.step, started_at=NOW, now=then)
        elif ways := ways_at(tree, plan.step):
            taken = ways[-1] if plan.action is Action.LOOK else ways[min(way, len(ways) - 1)]
            plan = plan_way(tree, plan.step, taken, started_at=NOW, now=then)
        else:
            plan = plan_after(tree, plan.step, started_at=NOW, now=then)
    return got


@pytest.mark.parametrize("way", [0, 1, 2])
@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_all_who_take_one_way_get_what_one_who_takes_it_does(example: Path, way: int) -> None:
    tree = read_scenario(example.read_text(encoding="utf-8")).model_copy(update={"spread": None})
    until = NOW + 60 * DAY
    taken: dict[str, WaysTaken] = {}
    for step in (".".join(map(str, path)) for path in paths_of(tree.steps)):
        ways = ways_at(tree, step)
        if step_at(tree, step).wait_for:
            taken[step] = {ways[-1]: 1}
        elif ways:
            taken[step] = {ways[min(way, len(ways) - 1)]: 1}
    plan = first_plan(tree, NOW)
    first = Group(action=plan.action, step=plan.step, due=plan.due, friends=7, started_at=NOW)
    outlook = walk_on(tree, [first], taken, now=NOW, until=until, zone=TOKYO)
    expected = taken_one_by_one(tree, way, until=until)
    assert expected or way  # The first way leads to a message in all of them.
    assert sorted((each.hour, each.message) for each in outlook.sends) == sorted(expected)
    assert set(outlook.sends.values()) <= {7}


def paths_of(steps: tuple[Step, ...], above: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    for number, step in enumerate(steps):
        yield (*above, number)
        for way, (_, below) in enumerate(step.ways):
            yield from paths_of(below, (*above, number, way))


OTHER = {"branch": [{"when": {"audience": "new"}, "steps": []}, OTHERWISE]}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (SALE.steps[2], scenario({"branch": [case(), OTHERWISE]}).steps[0], True),
        (SALE.steps[2], scenario({"branch": [case()]}).steps[0], False),
        (SALE.steps[2], scenario(OTHER).steps[0], False),
        (SALE.steps[2], SALE.steps[0], False),
        (SALE.steps[0], SALE.steps[0], False),
        (WAITING.steps[0], scenario(wait_for(up_to={"days": 1})).steps[0], True),
        (WAITING.steps[0], scenario(wait_for(audience="read")).steps[0], False),
        (WAITING.steps[0], SALE.steps[2], False),
    ],
)
def test_shares_are_of_those_who_were_asked_the_same(one: Step, other: Step, same: bool) -> None:
    """Whatever the ways hold, and however long the wait is."""
    trees = [SALE.model_copy(update={"steps": (step,)}) for step in (one, other)]
    assert asks_the_same(trees[0], trees[1], "0") is same
    assert not asks_the_same(trees[0], trees[1], "7")


def test_nobody_is_lost_on_the_way() -> None:
    """However they part, all who stay in come to the last message."""
    tree = scenario(
        {"branch": [case(wait(hours=5), send("x")), OTHERWISE]},
        wait_for(in_time=[send("y")]),
        {"branch": [case({"tag": {"add": "t"}}, wait(days=1))]},
        send("last"),
        spread={"hours": 3},
    )
    groups = [group("branch", "0", f"2026-11-20 {12 + hour}:10", 7) for hour in range(9)]
    outlook = walked(tree, *groups, taken={"0": {0: 3, 1: 4}, "1": {0: 1, 1: 6}})
    last = sum(friends for each, friends in outlook.sends.items() if each.message == "last")
    assert last == pytest.approx(7 * 9)
