"""No workflow's commands change unnoticed."""

from __future__ import annotations

import difflib
import json

from tests.workflows.commands import WRITTEN, commands

WHAT_TO_DO = """\
What the workflows ask of Temporal, or the order of it, is not what is written down:

{diff}

Journeys under way were begun by the code as it was, and are replayed by the code as it is.
- If they must go another way now: keep the old way for them with workflow.patched
  (docs/journeys.md, "Changing workflows/journey.py"). {patched}
- Record a history of the new way under a new name (tests/workflows/record_histories.py), and see
  that those in tests/histories/ replay as they are: none of them is ever recorded anew.
- Then write the commands down: python -m tests.workflows.commands
"""


def test_commands_are_as_they_are_written_down() -> None:
    written, found = json.loads(WRITTEN.read_text(encoding="utf-8")), commands()
    diff = difflib.unified_diff(_lines(written), _lines(found), "written", "found")
    patches = [line for line in _lines(found) if "patched(" in line and line not in _lines(written)]
    said = "New patches: " + ", ".join(patches) if patches else "There is no new patch yet."
    assert found == written, WHAT_TO_DO.format(diff="\n".join(diff), patched=said)


def _lines(commands: dict[str, list[str]]) -> list[str]:
    return [f"{workflow}.{line}" for workflow, lines in commands.items() for line in lines]
