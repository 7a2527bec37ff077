"""The words of a timeline, in Japanese; the English ones are those of the trail."""

from __future__ import annotations

import pytest

from tobiishi.rehearsal.happenings import FORMS, Happening
from tobiishi.rehearsal.persona import Persona
from tobiishi.rehearsal.words import WORDS
from tobiishi.scenario import Step
from tobiishi.scenario.conditions import in_words
from tobiishi.scenario.model import Wait

JA = WORDS["ja"]


@pytest.mark.parametrize(
    ("wait", "english", "japanese"),
    [
        ({"days": 3, "at": "10:00"}, "3 days, at 10:00", "3日後の10:00"),
        ({"days": 0, "at": "10:00"}, "the next time of day, at 10:00", "次の10:00"),
        ({"days": 1, "hours": 2}, "1 day 2 hours", "1日2時間後"),
        ({"minutes": 1}, "1 minute", "1分後"),
        (
            {"days_after_start": 7, "at": "08:00"},
            "day 7 after the start, at 08:00",
            "開始から7日後の08:00",
        ),
        ({"until": "2030-11-20 10:00"}, "until 2030-11-20 10:00", "2030-11-20 10:00まで"),
    ],
)
def test_the_length_of_a_wait(wait: dict[str, object], english: str, japanese: str) -> None:
    read = Wait.model_validate(wait)
    assert (WORDS["en"].length(read), JA.length(read)) == (english, japanese)


@pytest.mark.parametrize(
    ("when", "answer", "words"),
    [
        ({"audience": "a"}, True, "a に入っている：はい"),
        ({"not": {"audience": "a"}}, False, "a に入っていない：いいえ → 先へ進む"),
        ({"gender": "female", "age": {"from": 20, "to": 39}}, True, "女性、20〜39歳：はい"),
        ({"age": {"from": 20, "to": 20}}, None, "20歳：不明 → 先へ進む"),
        (
            {"any": [{"os": "ios"}, {"region": ["東京都", "大阪府"]}]},
            True,
            "（iOSまたは東京都/大阪府）：はい",
        ),
        (
            {"not": {"fields": {"rank": "gold"}, "language": "ja"}},
            True,
            "「ja、rank gold」でない：はい",
        ),
    ],
)
def test_a_branch_tells_its_answers(
    when: dict[str, object], answer: bool | None, words: str
) -> None:
    step = Step.model_validate({"branch": [{"when": when, "steps": []}]})
    assert step.branch is not None
    condition = step.branch[0].when
    assert condition is not None
    saw = {in_words(condition): answer}
    assert JA.branch(step, 0 if answer else None, saw, "") == words


def test_every_happening_has_its_words() -> None:
    for act in FORMS:
        said_so = JA.happening(Happening(act=act, name="x", more="y"))
        assert said_so.isascii() is False
        assert ("x" in said_so) == (act not in ("blocks", "unblocks"))


def test_who_it_is_and_how_it_ends() -> None:
    persona = Persona.model_validate(
        {"attributes": {"gender": "male", "age": 3}, "audiences": ["vip"], "tags": ["新規"]}
    )
    assert JA.persona(persona) == "花子（性別 男性、年齢 3、タグ「新規」、vip に入っている）"
    assert JA.ends("exited", "joined bought") == "終わり：離脱（bought に入った）"
    assert JA.ends("completed", None) == "終わり：完了"
    assert JA.message("a", "refused", "May not be empty", "") == (
        "a は送信されない：May not be empty"
    )
