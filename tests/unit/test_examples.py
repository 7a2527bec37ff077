"""Whatever YAML we show can be published as it is, and nothing about it is doubtful."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent

import pytest

from tobiishi.publishing.names import Known, LostName, lost_names
from tobiishi.scenario import advice_on, read

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
#: As a page's scenario may have it that its parts are about.
STEP = "steps: [{send: {name: hello, messages: [{type: text, text: 'https://shop.example/'}]}}]"
BASE = "scenario: a\ntitle: a\nstart: friend_added\nsteps: [{tag: {add: a}}]\n"
#: What is left out on the pages.
LEFT_OUT = re.compile(r"\[(\.\.\.|…)\]")


def shown() -> list[tuple[str, str]]:
    files = sorted((ROOT / "examples").glob("*.yaml"))
    found = [(file.name, file.read_text(encoding="utf-8")) for file in files]
    for page in [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").glob("*.md"))]:
        blocks = re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
        found += [(f"{page.name}-{number}", block) for number, block in enumerate(blocks)]
    return found


SHOWN = shown()
WHOLE = [(name, text) for name, text in SHOWN if re.search("^scenario:", text, re.M)]
PARTS = [pair for pair in SHOWN if pair not in WHOLE]


def lost(text: str, known: Known | None = None) -> list[LostName]:
    return list(lost_names(read(text).scenario, known or Known()))


@pytest.mark.parametrize(("name", "text"), WHOLE, ids=[name for name, _ in WHOLE])
def test_a_scenario_that_is_shown_leaves_no_doubt(name: str, text: str) -> None:
    source = read(text)
    assert source.warnings == []
    assert advice_on(source.scenario, NOW) == []
    # `make run` makes the routes of the examples.
    added = source.scenario.start.friend_added
    routes = frozenset((added.routes or ()) if added else ())
    assert lost(text, Known(routes=routes)) == []


@pytest.mark.parametrize(("name", "text"), PARTS, ids=[name for name, _ in PARTS])
def test_a_part_that_is_shown_can_be_read(name: str, text: str) -> None:
    text = LEFT_OUT.sub("[]", text)
    if text.startswith("- joins") or text.startswith("- leaves"):
        text = "exit:\n" + text
    if text.startswith("- "):
        text = "steps:\n" + text
    if "\n  kind:" in text and not text.startswith("audiences:"):
        text = "audiences:\n" + indent(text, "  ")
    fields = re.findall(r"^(\w+):", text, re.M)
    lines = [*BASE.splitlines()[:-1], STEP]
    base = [line for line in lines if line.split(":")[0] not in fields]
    read("\n".join([*base, text]))


def test_enough_is_shown() -> None:
    assert len(WHOLE) >= 9
    assert len(PARTS) >= 8


def test_an_exit_on_an_audience_that_nothing_else_names_is_refused() -> None:
    text = BASE + "exit: [{joins: purchesed}]\n"
    [name] = lost(text, Known(audiences=frozenset({"purchased", "vip"})))
    assert (name.path, name.is_refused) == (("exit", 0, "joins"), True)
    assert "did you mean 'purchased'?" in name.message
    assert lost(text, Known(audiences=frozenset({"purchesed"}))) == []
    assert lost(text + "audiences: {purchesed: {}}\n") == []


def test_an_exit_on_the_audience_that_starts_it_is_warned_of() -> None:
    text = BASE.replace("friend_added", "{audience: vip}") + "exit: [{leaves: vip}]\n"
    assert [(name.path[0], name.is_refused) for name in lost(text)] == [
        ("start", False),
        ("exit", False),
    ]


@pytest.mark.parametrize(
    ("more", "path", "message"),
    [
        (
            "start: {friend_added: {routes: [storefornt]}}",
            ("start", "friend_added", "routes"),
            "there is no route 'storefornt': nobody comes by it; did you mean 'storefront'?",
        ),
        (
            "audiences: {b: {kind: route, route: postre}}",
            ("audiences", "b", "route"),
            "there is no route 'postre'",
        ),
        (
            "audiences: {b: {kind: click, scenario: welcom, message: hello}}",
            ("audiences", "b", "scenario"),
            "no scenario 'welcom' was published; did you mean 'welcome'?",
        ),
        (
            "audiences: {b: {kind: impression, scenario: welcome, message: helo}}",
            ("audiences", "b", "message"),
            "scenario 'welcome' sends no message 'helo'; did you mean 'hello'?",
        ),
        (
            "audiences: {b: {kind: combined, when: {not: {audience: vipp}}}}",
            ("audiences", "b", "when"),
            "audience 'vipp' does not exist, and is made empty; did you mean 'vip'?",
        ),
        (
            "steps: [{branch: [{when: {audience: vipp}, steps: []}]}]",
            ("steps", 0, "branch", 0, "when"),
            "audience 'vipp' does not exist",
        ),
        (
            "steps: [{wait_for: {audience: vipp, up_to: {days: 1}}}]",
            ("steps", 0, "wait_for", "audience"),
            "audience 'vipp' does not exist",
        ),
    ],
)
def test_a_name_that_leads_nowhere_is_warned_of(
    more: str, path: tuple[str | int, ...], message: str
) -> None:
    known = Known(
        audiences=frozenset({"vip"}),
        routes=frozenset({"storefront"}),
        messages={"welcome": frozenset({"hello"})},
    )
    field = more.split(":")[0]
    base = [line for line in BASE.splitlines() if not line.startswith(f"{field}:")]
    [name] = lost("\n".join([*base, more]), known)
    assert (name.path, name.is_refused) == (path, False)
    assert name.message.startswith(message)


@pytest.mark.parametrize(
    ("more", "text", "doubt"),
    [
        ("", "https://shop.example/", None),
        ("", "hi", "'hello' has no link: nobody can click"),
        ("track_links: false, ", "https://shop.example/", "'hello' has track_links: false"),
    ],
)
def test_a_click_audience_needs_something_to_click(more: str, text: str, doubt: str | None) -> None:
    step = f"{{send: {{name: hello, {more}messages: [{{type: text, text: '{text}'}}]}}}}"
    scenario = read(
        BASE.replace("{tag: {add: a}}", step)
        + "audiences: {clicked: {kind: click, message: hello}}\n"
    ).scenario
    found = advice_on(scenario, NOW)
    assert [path for path, _ in found] == ([("audiences", "clicked", "message")] if doubt else [])
    assert all(words.startswith(doubt or "") for _, words in found)
