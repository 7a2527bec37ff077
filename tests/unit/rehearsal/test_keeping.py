"""A rehearsal kept as a file, and what differs from it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tobiishi.errors import Invalid
from tobiishi.rehearsal.keeping import Asked, KeptRehearsal, differences, file_beside, lines_of
from tobiishi.rehearsal.timeline import Timeline, TimelineEntry, WalkedWay, Walkthrough

START = datetime.fromisoformat("2026-10-31T09:30-04:00")


def timeline(text: str = "こんにちは", at: str = "2026-11-01T09:30-05:00") -> Timeline:
    sent = TimelineEntry(
        at=datetime.fromisoformat(at),
        kind="message",
        text="sent a",
        messages=[{"type": "text", "text": text}],
    )
    start = TimelineEntry(at=START, kind="start", text="starts: was added as a friend")
    return Timeline(
        scenario="s",
        title="s",
        timezone="America/New_York",
        language="en",
        friend="花子: nothing is known",
        entries=[start, sent],
    )


def test_each_line_says_how_long_after_the_start_and_messages_are_whole() -> None:
    assert lines_of(timeline(), "en") == [
        "花子: nothing is known",
        "+0d 00:00  2026-10-31 09:30 UTC-04:00  starts: was added as a friend",
        "+1d 01:00  2026-11-01 09:30 UTC-05:00  sent a",
        '    {"text": "こんにちは", "type": "text"}',
    ]


def test_ways_that_nobody_takes_and_the_number_of_all_are_kept() -> None:
    ways = [WalkedWay(way="in a", timeline=timeline()), WalkedWay(way="otherwise", timeline=None)]
    lines = lines_of(Walkthrough(ways=ways, count=7), "en")
    assert lines[0] == "way 1: in a"
    assert lines[-2:] == ["nobody was found who takes: otherwise", "1 ways rehearsed, of 7"]


@pytest.mark.parametrize("other", [timeline("こんばんは"), timeline(at="2026-11-01T09:31-05:00")])
def test_another_word_or_minute_differs(other: Timeline) -> None:
    kept = lines_of(timeline(), "en")
    assert differences(kept, lines_of(timeline(), "en")) == []
    found = differences(kept, lines_of(other, "en"))
    assert found[:2] == ["--- kept", "+++ now"]
    assert len([line for line in found if line.startswith(("- ", "+ ", "-+", "++"))]) >= 2


def test_what_is_kept_is_read_as_it_was(tmp_path: Path) -> None:
    file = file_beside(tmp_path / "welcome.yaml")
    assert file.name == "welcome.rehearsal.json"
    asked = Asked(friend="gender=female", at="2026-12-01T09:30", events=("+2d blocks",))
    kept = KeptRehearsal(rehearsed=asked, timeline=lines_of(timeline(), "en"))
    file.write_text(kept.as_text(), encoding="utf-8")
    assert KeptRehearsal.read(file) == kept


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "can't be read"),
        ("{}", "rehearsed: Field required"),
        ("no JSON", "is not a kept rehearsal"),
    ],
)
def test_a_file_that_is_not_one_is_refused(tmp_path: Path, text: str | None, problem: str) -> None:
    file = tmp_path / "a.rehearsal.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(Invalid) as refused:
        KeptRehearsal.read(file)
    assert problem in str(refused.value)
    assert "by --save" in str(refused.value)
