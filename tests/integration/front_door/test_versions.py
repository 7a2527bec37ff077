"""Who published a version, and what they noted of it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.front_door.conftest import Run
from tests.integration.front_door.knocking import Door
from tests.scenarios import STEPS, yaml
from tobiishi.cli import scenario as commands

CHANGED = STEPS.replace("こんにちは", "こんばんは")


async def publish(door: Door, text: str, **more: str) -> Any:
    answer = await door.api("POST", "/scenarios", content=text.encode(), params=more)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_version_keeps_its_author_and_note(door: Door) -> None:
    await publish(door, yaml())
    noted = {"author": "花子", "note": "夜の挨拶に直した"}
    await publish(door, yaml(steps=CHANGED), **noted)
    # A version that was published never changes.
    again = await publish(door, yaml(steps=CHANGED), author="太郎", note="別のメモ")
    assert (again["version"], again["unchanged"]) == (2, True)

    found = (await door.api("GET", "/scenarios/welcome")).json()
    kept = [(each["version"], each["is_live"], each["author"], each["note"]) for each in found]
    assert kept == [(2, True, "花子", "夜の挨拶に直した"), (1, False, None, None)]
    [live] = (await door.api("GET", "/scenarios")).json()
    assert {name: live[name] for name in noted} == noted

    await door.api("POST", "/scenarios/welcome/retire")
    found = (await door.api("GET", "/scenarios/welcome")).json()
    assert [each["is_live"] for each in found] == [False, False]


@pytest.mark.parametrize(
    "wrong", [{"author": ""}, {"author": "x" * 101}, {"note": "a\nb"}, {"note": "x" * 501}]
)
async def test_what_can_not_be_kept_is_refused(door: Door, wrong: dict[str, str]) -> None:
    answer = await door.api("POST", "/scenarios", content=yaml().encode(), params=wrong)
    assert answer.status_code == 422
    assert (await door.api("GET", "/scenarios")).json() == []


async def test_versions_at_the_terminal(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "welcome.yaml"
    file.write_text(yaml(), encoding="utf-8")
    await run("scenario", "publish", str(file), "--author", "花子", "--note", "最初の版")
    file.write_text(yaml(steps=CHANGED).replace("\n", "\r\n"), encoding="utf-8")
    await run("scenario", "publish", str(file), "--author", "太郎")
    unchanged = await run("scenario", "publish", str(file), "--note", "x")
    assert "the note is not kept" in unchanged

    table = await run("scenario", "versions", "welcome")
    rows = [line for line in table.splitlines() if "│" in line]
    assert ["太郎" in rows[0], "live" in rows[0]] == [True, True]
    assert ["花子" in rows[1], "最初の版" in rows[1], "live" in rows[1]] == [True, True, False]
    assert "太郎" in await run("scenario", "list")

    shown = await run("scenario", "show", "welcome")
    assert shown.splitlines()[0].startswith("welcome version 2 (live), published ")
    assert shown.splitlines()[0].endswith(" by 太郎")
    assert "こんばんは" in shown
    assert "\\x0d" not in shown
    first = await run("scenario", "show", "welcome", "--version", "1")
    assert "welcome version 1 (not live)" in first
    assert "note: 最初の版" in first
    assert yaml() in first
    with pytest.raises(Exception, match="has no version 7; `tobiishi scenario versions welcome`"):
        await run("scenario", "show", "welcome", "--version", "7")


@pytest.mark.parametrize(("known", "name"), [(True, "花子 Sasaki"), (False, "kenji")])
async def test_the_author_is_gits_or_who_is_logged_in(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool, name: str
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text(f"[user]\n\tname = {name}\n" if known else "", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("LOGNAME", "kenji")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "welcome.yaml"
    file.write_text(yaml(), encoding="utf-8")
    await run("scenario", "publish", str(file))
    assert name in await run("scenario", "versions", "welcome")


def test_nobody_is_named_where_nobody_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("no such user")  # As in a container whose user id has no name.

    def no_git(*_: Any, **__: Any) -> None:
        raise subprocess.TimeoutExpired("git", 5)

    monkeypatch.setattr("getpass.getuser", unknown)
    monkeypatch.setattr("subprocess.run", no_git)
    assert commands.whoever_asks() is None
