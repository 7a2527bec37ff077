"""How what people wrote is shown to people: as they wrote it, and nothing comes of it."""

from __future__ import annotations

import ast
import logging
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tobiishi import cli, logs
from tobiishi.cli import out
from tobiishi.plan import Action, JourneyRef, JourneyState, Plan
from tobiishi.text import as_markdown, visible
from workflows import JourneyWorkflow

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("花子 🌸👨\u200d👩\u200d👧 [b] :heart: `x`", "花子 🌸👨\u200d👩\u200d👧 [b] :heart: `x`"),
        ("\x1b[2J\x1b]0;x\x07", "\\x1b[2J\\x1b]0;x\\x07"),
        ("a\nb\r\tc\0", "a\\x0ab\\x0d\\x09c\\x00"),
        ("\x9b1m\x7f\x85", "\\x9b1m\\x7f\\x85"),
        ("a\u202egnp.exe\u2066\u2028\u200f", "a\\u202egnp.exe\\u2066\\u2028\\u200f"),
        ("\ud83d", "\\ud83d"),
    ],
)
def test_what_moves_or_hides_other_text_is_shown_as_its_number(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible("a\n\x1b", keep="\n") == "a\n\\x1b"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("sent hello", "sent hello"),
        ("11-26 10:00 is in clicked-hello?", "11-26 10:00 is in clicked-hello?"),
        ("**a** _b_ `c`", r"\*\*a\*\* \_b\_ \`c\`"),
        ("[a](https://evil.example)", r"\[a\](https://evil.example)"),
        ("![a](b) <img src=x> &lt;", r"\!\[a\](b) \<img src=x\> \&lt;"),
        ("a\n\n# b\n- c", r"a\\x0a\\x0a\# b\\x0a- c"),
        ("# a", r"\# a"),
        ("- a", r"\- a"),
        ("1. a", r"1\. a"),
        ("--- a", r"\--- a"),
        ("a\\*b", r"a\\\*b"),
        ("|a|~~b~~", r"\|a\|\~\~b\~\~"),
    ],
)
def test_markdown_shows_what_people_wrote(text: str, markdown: str) -> None:
    assert as_markdown(text) == markdown
    # What is behind a backslash is itself, and only there does anything of Markdown stand.
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_<>\[\]]", as_markdown(text))


@pytest.mark.parametrize("text", ["*" * 300, "あ" * 300, "a" * 300, "\n" * 100, "花*" * 90])
@pytest.mark.parametrize("most", [20, 21, 22, 23, 300])
def test_a_summary_is_cut_to_what_temporal_takes_and_never_in_an_escape(
    text: str, most: int
) -> None:
    cut = as_markdown(text, most_bytes=most)
    assert len(cut.encode()) <= most
    if cut != as_markdown(text):
        assert cut.endswith("…")
        behind = re.search(r"\\*…$", cut)
        assert behind is not None
        assert (len(behind[0]) - 1) % 2 == 0


def test_a_log_line_is_one_line_whatever_is_in_it() -> None:
    formatter = logs.formatter("text")
    words = ("2026 ERROR forged\x1b[31m\nnext",)
    record = logging.LogRecord("x", logging.INFO, "", 0, "name %s", words, None)
    assert formatter.format(record).endswith("name 2026 ERROR forged\\x1b[31m\\x0anext")
    try:
        raise ValueError("\x1b[2J")
    except ValueError as error:
        record.exc_info = (ValueError, error, error.__traceback__)
    lines = formatter.format(record).splitlines()
    assert lines[-1] == "ValueError: \\x1b[2J"
    assert len(lines) > 2


def test_commands_print_in_one_way_only() -> None:
    found = [
        f"{file.name}:{node.lineno}"
        for file in sorted((ROOT / "tobiishi" / "cli").glob("*.py"))
        if file.name != "out.py"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func)
        in {"typer.echo", "typer.secho", "print", "Console", "Table", "TextColumn", "rich.print"}
    ]
    assert found == []


def test_the_details_in_temporal_show_what_people_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("workflows.journey.workflow.set_current_details", shown.append)
    now = datetime(2026, 11, 26, tzinfo=UTC)
    ref = JourneyRef(
        journey_id=1, channel="c", scenario="s", version=1, friend="U", entry=1, started_at=now
    )
    plan = Plan(action=Action.END, step="", due=now, until="x", label="x")
    state = JourneyState(
        journey=ref, plan=plan, trail=["11-26 page_view on https://a.example/![x](y)\n# b"]
    )
    JourneyWorkflow(state).show("now: add tag **vip**")
    assert shown == [
        r"**now: add tag \*\*vip\*\***"
        "\n\n"
        r"1. 11-26 page\_view on https://a.example/\!\[x\](y)\\x0a\# b"
    ]


NAMES = [
    "春のセール[/終了]",
    "[red]x[/red]",
    ":heart:",
    "a\x1b[2Jb",
    "[link=https://x.example]y[/link]",
]


@pytest.mark.parametrize("name", NAMES)
def test_titles_are_printed_as_they_are(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    row = {
        "scenario": "spring",
        "version": 1,
        "title": name,
        "published_at": "2026-01-01",
        "author": name,
        "note": name,
    }
    monkeypatch.setattr("tobiishi.cli.scenario.call", lambda *_, **__: [row])
    result = CliRunner().invoke(cli.app, ["scenario", "list"])
    assert result.exception is None
    assert visible(name) in result.output
    assert "\x1b" not in result.output

    out.line(f"a {name}")
    out.row(name, "b")
    out.words(name, bold=name)
    printed = capsys.readouterr().out
    assert printed.count(visible(name)) == 4
    assert "\x1b" not in printed
