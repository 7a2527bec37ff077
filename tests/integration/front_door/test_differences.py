"""What differs between versions of a scenario, over HTTP and at the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.front_door.conftest import Publish, Run
from tests.integration.front_door.knocking import Door
from tests.scenarios import STEPS, yaml

FIRST = yaml()
SECOND = yaml(steps=STEPS.replace("days: 30", "days: 2"))
THIRD = SECOND.replace("こんにちは", "こんばんは").replace(
    "start: friend_added", "start: {audience: vip}"
)
JAPANESE = "待機（「hello」の前）: 30日 → 2日"
ENGLISH = "the wait before “hello”: 30 days → 2 days"


@pytest.fixture
async def three(published: Publish) -> None:
    for text in (FIRST, SECOND, THIRD):
        await published(text)


async def differences(door: Door, headers: dict[str, str] | None = None, **params: Any) -> Any:
    answer = await door.http.get(
        "/api/scenarios/welcome/diff", params=params, headers={**door.headers, **(headers or {})}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("three")
async def test_two_versions(door: Door) -> None:
    found = await differences(door, a=1, b=2)
    assert (found["scenario"], found["a"], found["b"]) == ("welcome", 1, 2)
    assert found["text"] == ENGLISH
    assert found["differences"] == [
        {
            "code": "wait_changed",
            "params": {
                "from": {"days": 30},
                "to": {"days": 2},
                "place": {"before": "hello", "after": None, "way": None},
            },
            "text": ENGLISH,
        }
    ]
    # The live one and the one before it, and a version and the live one.
    assert [found["a"] for found in [await differences(door), await differences(door, a=1)]] == [
        2,
        1,
    ]
    codes = [each["code"] for each in (await differences(door))["differences"]]
    assert codes == ["start_changed", "text_changed"]
    same = await differences(door, a=2, b=2, lang="ja")
    assert (same["differences"], same["text"]) == ([], "違いはありません")


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("accepts", "lang", "words"),
    [
        ("ja-JP,ja;q=0.9,en;q=0.8", None, JAPANESE),
        ("en-GB, ja", None, ENGLISH),
        ("fr", None, ENGLISH),
        ("en", "ja", JAPANESE),
        ("ja", "en", ENGLISH),
    ],
)
async def test_in_the_language_that_is_asked_for(
    door: Door, accepts: str, lang: str | None, words: str
) -> None:
    params = {"lang": lang} if lang else {}
    found = await differences(door, {"Accept-Language": accepts}, a=1, b=2, **params)
    assert found["text"] == words


@pytest.mark.usefixtures("three")
async def test_a_file_and_the_live_version(door: Door) -> None:
    answer = await door.api("POST", "/scenarios/diff", content=SECOND.encode())
    found = answer.raise_for_status().json()
    assert (found["a"], found["b"]) == (3, None)
    assert [each["code"] for each in found["differences"]] == ["start_changed", "text_changed"]
    answer = await door.api("POST", "/scenarios/diff", content=SECOND.encode(), params={"a": 2})
    assert answer.raise_for_status().json()["differences"] == []
    # That of a retired one is the last.
    await door.api("POST", "/scenarios/welcome/retire")
    answer = await door.api("POST", "/scenarios/diff", content=SECOND.encode())
    assert answer.raise_for_status().json()["a"] == 3


@pytest.mark.usefixtures("three")
async def test_what_is_not_there_is_named(door: Door, published: Publish) -> None:
    await published(yaml("single"))
    for path, status, words in (
        ("/scenarios/single/diff", 400, "version 1 of 'single' is the first"),
        ("/scenarios/single/diff?b=7", 404, "no version 7"),
        ("/scenarios/other/diff", 404, "scenario 'other' does not exist"),
        ("/scenarios/welcome/diff?a=0", 422, "greater than or equal to 1"),
        ("/scenarios/welcome/diff?lang=fr", 422, "'en' or 'ja'"),
    ):
        answer = await door.api("GET", path)
        assert (answer.status_code, words in answer.text) == (status, True), answer.text
    answer = await door.api("POST", "/scenarios/diff", content=yaml("other").encode())
    assert (answer.status_code, "'other' does not exist" in answer.text) == (404, True)
    answer = await door.api("POST", "/scenarios/diff", content=b"scenario: a\ntitel: a")
    assert (answer.status_code, "titel" in answer.text) == (422, True)


@pytest.mark.usefixtures("three")
async def test_at_the_terminal(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    assert await run("scenario", "diff", "welcome", "1", "2") == f"welcome v1 → v2\n  {JAPANESE}\n"
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert await run("scenario", "diff", "welcome", "1", "2") == f"welcome v1 → v2\n  {ENGLISH}\n"
    assert (await run("scenario", "diff", "welcome")).startswith("welcome v2 → v3\n")
    japanese = await run("scenario", "diff", "welcome", "1", "2", "--lang", "ja")
    assert JAPANESE in japanese

    file = tmp_path / "welcome.yaml"
    file.write_text(THIRD, encoding="utf-8")
    assert await run("scenario", "diff", str(file)) == f"welcome v3 → {file}\n  they do the same\n"
    found = json.loads(await run("scenario", "diff", str(file), "2", "--json"))
    assert [each["code"] for each in found["differences"]] == ["start_changed", "text_changed"]

    for words, problem in (
        (["welcome", "--lang", "fr"], "--lang is ja or en"),
        ([str(file), "1", "2"], "compared with one version"),
        (["other.yaml"], "there is no file other.yaml"),
    ):
        with pytest.raises(Exception, match=problem):
            await run("scenario", "diff", *words)
