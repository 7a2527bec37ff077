"""What YAML makes of a text that its author did not mean."""

from __future__ import annotations

from textwrap import indent

import pytest

from tobiishi.scenario import ScenarioError, read

HEAD = "scenario: a\ntitle: a\nstart: friend_added\nsteps:\n"
MESSAGE = f"{HEAD}  - send:\n      name: a\n      messages:\n        - type: text\n"


def found(text: str) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """The problems and the warnings of a file, each with its line."""
    try:
        source = read(text)
    except ScenarioError as error:
        return [(problem.line, problem.message) for problem in error.problems], []
    return [], [(warning.line, warning.message) for warning in source.warnings]


def message(fields: str) -> str:
    """A text message whose other fields begin on line 9."""
    return MESSAGE + indent(fields, " " * 10)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("text: 新着です #スニーカー\n", "YAML takes '#スニーカー' for a comment"),
        ("text: 春の\n  新着 #靴\n", "YAML takes '#靴' for a comment"),
        ("text: 新着です\n  #スニーカー\n", "YAML takes '#スニーカー' below it for a comment"),
        ("text: #スニーカー\n", "YAML takes '#スニーカー' for a comment"),
    ],
)
def test_a_hashtag_that_is_cut_off_is_refused(fields: str, problem: str) -> None:
    problems, _ = found(message(fields))
    assert [line for line, words in problems if words.startswith(problem)] == [9]


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ("text: 人気 # 1\n", "YAML takes '# 1' for a comment"),
        ("text: '新着' #靴\n", "'#靴' is a comment, and is left out"),
        ("text: 一行目\n  二行目\n", "the line breaks in it become blanks"),
        ('text: "一行目\n  二行目"\n', "the line breaks in it become blanks"),
        ("text: 一行目\\n二行目\n", r"\n is sent as it is written"),
        ("text: '一行目\\n二行目'\n", r"\n is sent as it is written"),
    ],
)
def test_what_is_perhaps_not_meant_is_warned_of(fields: str, warning: str) -> None:
    problems, warnings = found(message(fields))
    assert problems == []
    [(line, words)] = warnings
    assert line == 9
    assert words.startswith(warning)


@pytest.mark.parametrize(
    "fields",
    [
        "text: 新着です#スニーカー\n",
        "text: '新着です #スニーカー'\n",
        'text: "一行目\\n二行目"\n',
        'text: "一行目\\\n  二行目"\n',
        "text: |-\n  新着です\n  #スニーカー 1 #2\n",
        "text: 新着です\n# a comment\n",
        "# a comment\ntext: 新着です\n",
        "text: yes\n",
        "text: 08:30\n",
        "text: 2030-12-24\n",
    ],
)
def test_what_is_meant_is_taken_as_it_is(fields: str) -> None:
    assert found(message(fields)) == ([], [])


FLEX = (
    f"{HEAD}  - send:\n      name: a\n      messages: [{{type: flex, altText: a, contents: %s}}]\n"
)


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        ("{type: text, text: 1_000}", "1_000 is not text to YAML"),
        ("{type: text, text: 0o17}", "0o17 is not text to YAML"),
        ("{type: text, text: true}", "true is not text to YAML"),
        ("{type: text, text: 1.10}", "1.10 is not text to YAML"),
        ("{type: text, text: ~}", "~ is nothing to YAML"),
        ("{type: text, text: null}", "null is nothing to YAML"),
        ("{type: text, text: 10時から, 18時まで}", "'18時まで' has nothing behind it"),
        ("{type: uri, label: 0120}", "0120 is not text to YAML"),
    ],
)
def test_what_is_not_a_text_deep_in_a_message_is_refused(contents: str, problem: str) -> None:
    problems, _ = found(FLEX % contents)
    assert [line for line, _ in problems] == [7]
    assert problems[0][1].startswith(problem)


def test_a_comma_that_ends_a_text_is_refused() -> None:
    problems, _ = found(
        f"{HEAD}  - send: {{name: a, messages: [{{type: text, text: 10時から, 18時まで}}]}}\n"
    )
    assert [line for line, _ in problems] == [5]
    assert "'18時まで' has nothing behind it" in problems[0][1]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD.replace("title: a", "title: 春のセール #春"), 2),
        (HEAD.replace("title: a", "title: a\ndescription: 春 #春"), 3),
        (HEAD + "  - tag: {add: a}\n  - tag:\n      add: 来店 #初回\n", 7),
        (
            HEAD.replace(
                "start", "audiences:\n  b: {kind: upload}\n  c:\n    title: 春 #春\nstart"
            ),
            6,
        ),
    ],
)
def test_other_texts_are_not_cut_off_either(text: str, line: int) -> None:
    problems, _ = found(text if "tag" in text else text + "  - tag: {add: a}\n")
    assert [where for where, _ in problems] == [line]
    assert "for a comment" in problems[0][1]


def test_comments_behind_names_and_words_are_comments() -> None:
    text = HEAD.replace("friend_added", "friend_added # 友だち追加") + "  - tag: {add: a} # b\n"
    assert found(text) == ([], [])


def test_a_number_that_is_read_as_another_is_warned_of() -> None:
    _, warnings = found(HEAD + "  - wait: {days: 010}\n  - tag: {add: a}\n")
    assert warnings == [(5, "010 is the number 10 to YAML; write 10")]


def test_a_hashtag_that_breaks_the_file_is_named() -> None:
    problems, _ = found(f"{HEAD}  - send: {{name: a, messages: [{{type: text, text: 靴 #靴}}]}}\n")
    assert "a # behind a blank begins a comment" in problems[0][1]
