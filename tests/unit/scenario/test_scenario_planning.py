"""Plans: what a journey does next, where, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tobiishi.plan import Action, Plan
from tobiishi.scenario import (
    Scenario,
    branch_at,
    first_plan,
    past_in_words,
    plan_after,
    plan_to_wait,
    plan_way,
    send_at,
    spread_out,
    tag_at,
    when_to_send,
)


def at(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=ZoneInfo("Asia/Tokyo")).astimezone(UTC)


NOW = at("2026-11-20 12:00")


def send(name: str, **more: Any) -> dict[str, Any]:
    return {"send": {"name": name, "messages": [{"type": "text", "text": "hi"}], **more}}


def wait(**how: Any) -> dict[str, Any]:
    return {"wait": how}


def case(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"when": {"audience": "vip"}, "steps": list(steps)}


def scenario(*steps: dict[str, Any], **more: Any) -> Scenario:
    return Scenario.model_validate(
        {"scenario": "s", "title": "t", "start": "friend_added", "steps": list(steps), **more}
    )


def shape(plan: Plan) -> tuple[str, str, str]:
    return plan.action.value, plan.step, plan.until


TREE = scenario(
    send("a"),
    {
        "branch": [
            case(
                wait(days=1),
                {
                    "branch": [
                        case(send("deep"), wait(hours=2)),
                        {"otherwise": None, "steps": []},
                    ]
                },
            ),
            case(),
            case(wait(hours=1)),
            {"otherwise": None, "steps": [{"tag": {"add": "x"}}]},
        ]
    },
    wait(hours=3),
    send("z"),
)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([send("a")], ("send", "0", "11-20 12:00")),
        ([wait(hours=1), send("a")], ("send", "1", "11-20 13:00")),
        ([{"tag": {"add": "x"}}], ("tag", "0", "11-20 12:00")),
        ([{"branch": [case()]}], ("branch", "0", "11-20 12:00")),
        ([wait(days=2)], ("end", "", "11-22 12:00")),
        (
            [wait(days=1), wait(days=0, at="10:00"), wait(hours=2), send("a")],
            ("send", "3", "11-22 12:00"),
        ),
        ([wait(days=90), send("a")], ("send", "1", "2027-02-18 12:00")),
    ],
)
def test_a_journey_begins_with(steps: list[dict[str, Any]], expected: tuple[str, str, str]) -> None:
    assert shape(first_plan(scenario(*steps), NOW)) == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("0", ("branch", "1", "11-20 12:00")),
        ("1.0.1.0.0", ("send", "3", "11-20 17:00")),
        ("1.3.0", ("send", "3", "11-20 15:00")),
        ("3", ("end", "", "11-20 12:00")),
        ("", ("end", "", "11-20 12:00")),
    ],
)
def test_after_a_step_comes(step: str, expected: tuple[str, str, str]) -> None:
    assert shape(plan_after(TREE, step, started_at=NOW, now=NOW)) == expected


@pytest.mark.parametrize(
    ("step", "chosen", "expected"),
    [
        ("1", 0, ("branch", "1.0.1", "11-21 12:00")),
        ("1", 1, ("send", "3", "11-20 15:00")),
        ("1", 2, ("send", "3", "11-20 16:00")),
        ("1", 3, ("tag", "1.3.0", "11-20 12:00")),
        ("1", None, ("send", "3", "11-20 15:00")),
        ("1.0.1", 0, ("send", "1.0.1.0.0", "11-20 12:00")),
        ("1.0.1", 1, ("send", "3", "11-20 15:00")),
        ("1.0.1", None, ("send", "3", "11-20 15:00")),
    ],
)
def test_after_a_branch_comes(
    step: str, chosen: int | None, expected: tuple[str, str, str]
) -> None:
    assert shape(plan_way(TREE, step, chosen, started_at=NOW, now=NOW)) == expected


WAITING = scenario(
    send("a"),
    {
        "wait_for": {
            "audience": "bought",
            "up_to": {"days": 2},
            "in_time": [wait(hours=1), send("thanks")],
            "too_late": [send("reminder")],
        }
    },
    send("z"),
)


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (0, ("send", "1.0.1", "11-20 13:00")),
        (1, ("send", "1.1.0", "11-20 12:00")),
    ],
)
def test_after_the_waiting_for_an_audience_comes(way: int, expected: tuple[str, str, str]) -> None:
    assert shape(plan_way(WAITING, "1", way, started_at=NOW, now=NOW)) == expected


@pytest.mark.parametrize("step", ["1.0.1", "1.1.0"])
def test_both_ways_of_a_waiting_come_back_together(step: str) -> None:
    assert shape(plan_after(WAITING, step, started_at=NOW, now=NOW)) == (
        "send",
        "2",
        "11-20 12:00",
    )


def test_the_waiting_for_an_audience_begins_with_a_watch_and_is_due_when_it_is_too_late() -> None:
    watch = plan_after(WAITING, "0", started_at=NOW, now=NOW)
    assert shape(watch) == ("watch", "1", "11-20 12:00")
    assert watch.label == "is in bought?"
    look = plan_to_wait(WAITING, "1", started_at=NOW, now=NOW)
    assert shape(look) == ("look", "1", "11-22 12:00")
    assert look.label == "or in bought"


def test_days_after_the_start_count_from_the_start_of_the_journey() -> None:
    steps = scenario(send("a"), wait(days_after_start=10, at="10:00"), send("b"))
    plan = plan_after(steps, "0", started_at=at("2026-11-18 23:00"), now=NOW)
    assert shape(plan) == ("send", "2", "11-28 10:00")


@pytest.mark.parametrize(
    ("step", "label"),
    [
        (send("hello"), "send hello"),
        ({"tag": {"add": ["a", "b"], "remove": "c"}}, "tag +a +b -c"),
        ({"branch": [case()]}, "is in vip?"),
    ],
)
def test_a_plan_says_what_it_is(step: dict[str, Any], label: str) -> None:
    assert first_plan(scenario(step), NOW).label == label


@pytest.mark.parametrize(
    "step",
    [
        {"tag": {"add": [f"{'札' * 60}{number}" for number in range(50)]}},
        {"branch": [{"when": {"audience": f"audience-{n}"}, "steps": []} for n in range(100)]},
    ],
)
def test_a_plan_is_small_enough_for_temporal_however_much_its_step_says(
    step: dict[str, Any],
) -> None:
    plan = first_plan(scenario(step), NOW)
    # Temporal takes summaries of up to 400 bytes.
    assert len(f"until 2026-11-20 12:00: {plan.label}".encode()) < 400
    assert plan.label.endswith("…")


WINDOW = {"from": "09:00", "to": "21:00"}
NIGHT = at("2026-11-20 23:00")


@pytest.mark.parametrize(
    ("steps", "until"),
    [
        ([send("a")], "11-21 09:00"),
        ([send("a", any_time=True)], "11-20 23:00"),
        ([{"tag": {"add": "x"}}], "11-20 23:00"),
        ([{"branch": [case()]}], "11-20 23:00"),
        ([wait(hours=1)], "11-21 00:00"),
        ([wait(days=1, at="10:00"), send("a")], "11-21 10:00"),
        ([wait(days=1, at="21:00"), send("a")], "11-22 09:00"),
    ],
)
def test_the_window_moves_sends_and_nothing_else(steps: list[dict[str, Any]], until: str) -> None:
    assert first_plan(scenario(*steps, window=WINDOW), NIGHT).until == until


def test_a_send_that_comes_late_is_put_off_to_the_next_opening() -> None:
    steps = scenario(send("a"), send("b", any_time=True), window=WINDOW)
    plan = first_plan(steps, NOW)
    assert when_to_send(steps, send_at(steps, "0"), plan, NOW) == "now"
    assert when_to_send(steps, send_at(steps, "1"), plan, NIGHT) == "now"
    put_off = when_to_send(steps, send_at(steps, "0"), plan, NIGHT)
    assert isinstance(put_off, Plan)
    assert (put_off.due, put_off.until) == (at("2026-11-21 09:00"), "11-21 09:00")
    assert (put_off.action, put_off.step, put_off.label) == (Action.SEND, "0", "send a")


FRIENDS = [f"U{number:032x}" for number in range(1000)]


def moments(steps: Scenario, now: datetime = NOW) -> list[datetime]:
    """When the first step of each friend is due."""
    first = first_plan(steps, now)
    return sorted(spread_out(steps, first, friend=friend, now=now).due for friend in FRIENDS)


@pytest.mark.parametrize(
    ("steps", "now", "first", "last"),
    [
        ([wait(days=1, at="10:00")], "11-20 12:00", "11-21 10:00", "11-21 10:30"),
        ([wait(until="2026-12-01 20:30")], "11-20 12:00", "12-01 20:30", "12-01 21:00"),
        # The window closes before the spread is over: they are closer together.
        ([wait(days=1, at="20:50")], "11-20 12:00", "11-21 20:50", "11-21 21:00"),
        # All who were added in the night wait for the opening.
        ([], "11-20 23:00", "11-21 09:00", "11-21 09:30"),
        # They were not added in the same second, so they are not due in the same one either.
        ([wait(days=1)], "11-20 12:00:07", "11-21 12:00:07", "11-21 12:00:07"),
        ([], "11-20 12:00", "11-20 12:00", "11-20 12:00"),
    ],
)
def test_those_who_wait_for_the_same_time_are_spread(
    steps: list[dict[str, Any]], now: str, first: str, last: str
) -> None:
    window, spread = {"from": "09:00", "to": "21:00"}, {"minutes": 30}
    spread_scenario = scenario(*steps, send("a"), window=window, spread=spread)
    due = moments(spread_scenario, at(f"2026-{now}"))
    begin, end = at(f"2026-{first}"), at(f"2026-{last}")
    assert begin <= due[0]
    assert due[-1] < end or begin == end == due[-1]
    for part in range(1, 4):  # Evenly, as far as a thousand tell.
        expected = begin + (end - begin) * part / 4
        assert abs(due[250 * part] - expected) <= (end - begin) * 0.06


def test_a_friends_own_moment_stays_the_same_and_differs_between_scenarios() -> None:
    steps = scenario(wait(days=1, at="10:00"), send("a"), spread={"hours": 1})
    other = steps.model_copy(update={"scenario": "another"})
    first = first_plan(steps, NOW)
    mine = spread_out(steps, first, friend=FRIENDS[0], now=NOW)
    assert spread_out(steps, first, friend=FRIENDS[0], now=NOW) == mine
    assert spread_out(steps, mine, friend=FRIENDS[0], now=NOW) == mine
    assert spread_out(other, first, friend=FRIENDS[0], now=NOW) != mine
    assert spread_out(steps, first, friend=FRIENDS[1], now=NOW) != mine


def test_nobody_is_spread_where_nothing_says_so() -> None:
    assert set(moments(scenario(wait(days=1, at="10:00"), send("a")))) == {at("2026-11-21 10:00")}


def test_a_spread_is_a_day_at_most() -> None:
    with pytest.raises(ValueError, match="a day at most"):
        scenario(send("a"), spread={"days": 2})


@pytest.mark.parametrize(
    ("if_late", "due", "now", "when"),
    [
        ("send", "11-20 12:00", "11-20 12:00", "now"),
        ("send", "11-20 12:00", "11-20 20:59", "now"),
        ("send", "11-20 12:00", "11-20 21:00", "11-21 09:00"),
        ("send", "11-20 12:00", "11-21 03:00", "11-21 09:00"),
        ("skip", "11-20 12:00", "11-20 13:00", "now"),
        ("skip", "11-20 12:00", "11-20 13:01", "never"),
        # By the time it would go it is late, though it is not yet.
        ("skip", "11-20 20:30", "11-20 21:00", "never"),
        ("skip", "11-20 20:30", "11-21 09:00", "never"),
        ("next_window", "11-20 12:00", "11-20 13:00", "now"),
        ("next_window", "11-20 12:00", "11-20 13:01", "11-21 09:00"),
        ("next_window", "11-20 20:30", "11-20 22:00", "11-21 09:00"),
        ("next_window", "11-20 09:00", "11-21 08:59", "11-21 09:00"),
        # What was moved to an opening is on time there.
        ("next_window", "11-21 09:00", "11-21 09:30", "now"),
        ({"do": "skip", "after": {"days": 1}}, "11-20 12:00", "11-21 12:00", "now"),
        ({"do": "skip", "after": {"days": 1}}, "11-20 12:00", "11-21 12:01", "never"),
    ],
)
def test_a_late_message(if_late: Any, due: str, now: str, when: str) -> None:
    steps = scenario(send("a"), window={"from": "09:00", "to": "21:00"}, if_late=if_late)
    plan = first_plan(steps, at(f"2026-{due}"))
    decided = when_to_send(steps, send_at(steps, "0"), plan, at(f"2026-{now}"))
    assert (decided.until if isinstance(decided, Plan) else decided) == when


@pytest.mark.parametrize(
    ("do", "when"), [("send", "now"), ("next_window", "now"), ("skip", "never")]
)
def test_a_late_message_where_there_is_no_window(do: str, when: str) -> None:
    steps = scenario(send("a"), if_late=do)
    plan = first_plan(steps, NOW)
    assert when_to_send(steps, send_at(steps, "0"), plan, NOW + timedelta(hours=5)) == when


def test_a_step_is_found_by_its_path() -> None:
    assert send_at(TREE, "1.0.1.0.0").name == "deep"
    assert len(branch_at(TREE, "1.0.1")) == 2
    assert tag_at(TREE, "1.3.0").add == ("x",)


@pytest.mark.parametrize("step", ["", "1", "2", "9", "0.0.0", "1.9.0", "1.0.9"])
def test_where_no_send_is_none_is_found(step: str) -> None:
    with pytest.raises(LookupError):
        send_at(TREE, step)


def test_the_longest_waits_end_within_the_calendar() -> None:
    steps = scenario(
        wait(until="2999-12-31 23:59"),
        *[wait(days=3650)] * 10,
        send("a"),
        timezone="America/Los_Angeles",
        window=WINDOW,
    )
    assert first_plan(steps, NOW).due.year == 3099


def skipping(until: str) -> dict[str, Any]:
    return wait(until=until, if_past="skip")


REMINDERS = scenario(
    skipping("2026-11-18 10:00"),
    send("a"),
    {"tag": {"add": "x"}},
    skipping("2026-11-19 10:00"),
    {"branch": [case(send("b"))]},
    skipping("2026-11-21 10:00"),
    send("c"),
)


def test_what_follows_a_past_date_is_left_out_up_to_the_next_wait() -> None:
    plan = first_plan(REMINDERS, NOW)
    assert shape(plan) == ("send", "6", "11-21 10:00")
    assert plan.past == ("0", "3")
    assert [past_in_words(REMINDERS, step) for step in plan.past] == [
        "left out send a, tag +x: 2026-11-18 10:00 was past",
        "left out a branch: 2026-11-19 10:00 was past",
    ]
    assert shape(first_plan(REMINDERS, at("2026-12-01 12:00"))) == ("end", "", "12-01 12:00")


def test_nothing_is_left_out_on_time() -> None:
    plan = first_plan(REMINDERS, at("2026-11-18 10:00"))
    assert (shape(plan), plan.past) == (("send", "1", "11-18 10:00"), ())


@pytest.mark.parametrize("more", [{}, {"if_past": "send"}])
def test_what_follows_a_past_date_is_sent_at_once_where_nothing_else_is_written(
    more: dict[str, Any],
) -> None:
    plan = first_plan(scenario(wait(until="2026-11-18 10:00", **more), send("a")), NOW)
    assert (shape(plan), plan.past) == (("send", "1", "11-20 12:00"), ())


def test_a_day_after_the_start_that_is_past_is_left_out_too() -> None:
    steps = scenario(
        send("a"), wait(days_after_start=1, at="10:00", if_past="skip"), send("b"), wait(days=1),
        send("c"),
    )  # fmt: skip
    plan = plan_after(steps, "0", started_at=at("2026-11-18 23:00"), now=NOW)
    assert shape(plan) == ("send", "4", "11-21 12:00")
    assert past_in_words(steps, "1") == "left out send b: day 1 after the start at 10:00 was past"


def test_on_a_way_only_its_own_steps_are_left_out() -> None:
    steps = scenario({"branch": [case(skipping("2026-11-18 10:00"), send("a"))]}, send("z"))
    plan = plan_way(steps, "0", 0, started_at=NOW, now=NOW)
    assert (shape(plan), plan.past) == (("send", "1", "11-20 12:00"), ("0.0.0",))


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (wait(days=1, if_past="skip"), "if_past goes with until or days_after_start"),
        (wait(days=1, at="10:00", if_past="skip"), "if_past goes with until or days_after_start"),
        (
            {"wait_for": {"audience": "a", "up_to": {"until": "2030-01-01", "if_past": "skip"}}},
            "if_past goes with a wait of its own",
        ),
    ],
)
def test_if_past_is_refused_where_it_means_nothing(step: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        scenario(step, send("a"))
