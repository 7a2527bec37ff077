"""`tobiishi rehearse` as a terminal, or a pull request, has it: no starter, no network."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


async def rehearse(*words: str, home: Path) -> tuple[int, str, str]:
    """The exit code, and what was printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tobiishi", "rehearse", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Nothing of a deployment's.
        env={"PATH": os.environ["PATH"], "TMPDIR": str(home), "LANG": "C.UTF-8"},
    )
    printed, complaint = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode(), complaint.decode()


async def test_a_marketer_sees_what_a_scenario_will_do(tmp_path: Path) -> None:
    code, printed, complaint = await rehearse(
        *(str(EXAMPLES / "welcome.yaml"), "--friend", "gender=female,age=34,name=さくら"),
        *("--at", "2026-12-01T09:30", "--event", "+2d clicks hello"),
        home=tmp_path,
    )
    assert (code, complaint) == (0, "")
    assert printed.splitlines()[:4] == [
        "welcome (友だち追加ありがとう): さくら: gender female, age 34",
        "times are those of JST, Asia/Tokyo",
        "2026-12-01 09:30  ▶ starts: was added as a friend",
        "2026-12-01 09:30  ✉ sent hello",
    ]
    assert "2026-12-04 10:00  ? in clicked-hello: yes" in printed
    assert "さくらさんへ、次のお買いものに使えるクーポンです。" in printed
    assert printed.splitlines()[-1] == "2 of LINE's messages would be used; none was sent"
    assert list(tmp_path.iterdir()) == []


async def test_a_kept_rehearsal_finds_what_an_edit_changes(tmp_path: Path) -> None:
    file = tmp_path / "welcome.yaml"
    file.write_bytes((EXAMPLES / "welcome.yaml").read_bytes())
    options = ("--all-paths", "--at", "2026-12-01T09:30")
    assert (await rehearse(str(file), *options, "--save", home=tmp_path))[0] == 0
    kept = tmp_path / "welcome.rehearsal.json"
    assert json.loads(kept.read_bytes())["rehearsed"]["all_paths"] is True

    code, printed, _ = await rehearse(str(file), "--check", home=tmp_path)
    assert (code, printed) == (0, f"the same as {kept} has\n")

    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("days: 3", "days: 4"), encoding="utf-8")
    code, printed, complaint = await rehearse(str(file), "--check", home=tmp_path)
    assert code == 1
    assert any(line.startswith("-") and "2026-12-04 10:00" in line for line in printed.split("\n"))
    assert any(line.startswith("+") and "2026-12-05 10:00" in line for line in printed.split("\n"))
    assert "something else comes out" in complaint


async def test_what_is_wrong_is_said_in_a_line(tmp_path: Path) -> None:
    file = str(EXAMPLES / "welcome.yaml")
    code, printed, complaint = await rehearse(file, "--event", "+2d joins purchesed", home=tmp_path)
    assert (code, printed) == (1, "")
    assert "did you mean 'purchased'?" in complaint
    assert len(complaint.splitlines()) == 1

    code, _, complaint = await rehearse(file, "--all-paths", "--event", "+2d blocks", home=tmp_path)
    assert code == 1
    assert "leave one of them out" in complaint
    code, _, complaint = await rehearse(file, "--check", "--friend", "age=3", home=tmp_path)
    assert code == 1
    assert "leave out --friend" in complaint
