"""Reading: a scenario out of YAML, or every problem with its line, its field and its fix."""

from __future__ import annotations

import random
from pathlib import Path
from textwrap import dedent, indent
from time import monotonic
from typing import Any

import pytest

from tobiishi.scenario import Scenario, ScenarioError, read, read_scenario
from tobiishi.scenario.source import MAX_FILE_CHARS

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
HEAD = "scenario: welcome\ntitle: ようこそ\nstart: friend_added\n"
SEND = "  - send: {name: hello, messages: [{type: text, text: hi}]}\n"
GOOD = f"{HEAD}steps:\n{SEND}"


def with_steps(steps: str) -> str:
    """A scenario whose steps begin on line 5."""
    return f"{HEAD}steps:\n{indent(dedent(steps), '  ')}"


def with_more(more: str) -> str:
    """A scenario with more fields, which begin on line 6."""
    return f"{GOOD}{dedent(more)}"


def problems(data: str | bytes) -> list[tuple[int, str, str]]:
    try:
        read(data)
    except ScenarioError as error:
        return [(problem.line, problem.field, problem.message) for problem in error.problems]
    return []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_is_a_scenario(file: Path) -> None:
    assert read_scenario(file.read_bytes()).steps


def test_the_scenario_of_the_readme_is_one() -> None:
    readme = (ROOT / "README.md").read_text()
    example = readme.split("```yaml\n")[1].split("```")[0]
    assert read_scenario(example).scenario == "welcome"


def test_the_manual_shows_a_scenario_and_its_errors_as_they_are() -> None:
    manual = (ROOT / "docs" / "scenarios.md").read_text()
    example = manual.split("```yaml\n")[1].split("```")[0]
    read(example)
    with pytest.raises(ScenarioError) as refused:
        read(example.replace("friend.display_name", "friend.name").replace("10:00", "25:00"))
    assert f"```\n{refused.value}\n```" in manual


def test_only_the_welcome_example_greets_whoever_is_added() -> None:
    scenarios = [read_scenario(file.read_bytes()) for file in EXAMPLES]
    greeting = [
        s.scenario for s in scenarios if s.starts_on_friend_add(route=None, unblocked=False)
    ]
    assert greeting == ["welcome"]


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        GOOD.encode(),
        "\ufeff" + GOOD,
        ("\ufeff" + GOOD).encode(),
        GOOD.replace("\n", "\r\n").encode(),
        "---\n" + GOOD + "...\n",
        "# a comment\n" + GOOD,
    ],
)
def test_a_file_is_read_however_an_editor_saved_it(data: str | bytes) -> None:
    assert read_scenario(data) == read_scenario(GOOD)


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("start: friend_added", {"friend_added": {}}),
        ("start: {friend_added: }", {"friend_added": {}}),
        ("start: {friend_added: {}}", {"friend_added": {}}),
        ("start: {friend_added: {routes: qr}}", {"friend_added": {"routes": ["qr"]}}),
        ("start: {friend_added: {unblocked: true}}", {"friend_added": {"unblocked": True}}),
        ("start: {audience: vip}", {"audience": "vip"}),
    ],
)
def test_a_start_may_be_written(written: str, read_as: dict[str, Any]) -> None:
    scenario = read_scenario(GOOD.replace("start: friend_added", written))
    assert scenario.start.model_dump(mode="json", exclude_unset=True) == read_as


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("{days: 3, at: 10:00}", {"days": 3, "at": "10:00"}),
        ("{days: 3, at: 09:00}", {"days": 3, "at": "09:00"}),
        ('{days: 3, at: "9:00"}', {"days": 3, "at": "09:00"}),
        ("{until: 2030-12-24}", {"until": "2030-12-24 00:00"}),
        ("{until: 2030-12-24 18:00}", {"until": "2030-12-24 18:00"}),
        ("{until: 2030-12-24T18:00}", {"until": "2030-12-24 18:00"}),
        ('{until: "2030-12-24 9:05"}', {"until": "2030-12-24 09:05"}),
    ],
)
def test_times_need_no_quotes(written: str, read_as: dict[str, Any]) -> None:
    scenario = read_scenario(with_steps(f"- wait: {written}\n"))
    assert scenario.steps[0].model_dump(mode="json", exclude_unset=True) == {"wait": read_as}


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "n", "y"])
def test_words_that_older_yaml_took_for_true_or_false_are_names(word: str) -> None:
    assert read_scenario(GOOD.replace("welcome", word)).scenario == word


def test_a_surrogate_pair_as_json_writes_it_is_one_character() -> None:
    text = read_scenario(GOOD.replace("text: hi", r'text: "\ud83d\ude00"')).steps[0].send
    assert text
    assert text.messages[0]["text"] == "😀"


def test_a_scenario_that_names_no_time_zone_gets_the_one_it_is_read_for() -> None:
    assert read_scenario(GOOD).timezone == "Asia/Tokyo"
    assert read_scenario(GOOD, timezone="Asia/Taipei").timezone == "Asia/Taipei"
    assert read_scenario(with_more("timezone: UTC"), timezone="Asia/Taipei").timezone == "UTC"


FILE_PROBLEMS: list[tuple[str | bytes, int, str]] = [
    ("", 1, "a scenario is a mapping; begin with `scenario: its-name`"),
    ("# only a comment\n", 1, "a scenario is a mapping; begin with `scenario: its-name`"),
    ("- a\n", 1, "a scenario is a mapping; begin with `scenario: its-name`"),
    ("hello", 1, "a scenario is a mapping; begin with `scenario: its-name`"),
    (GOOD.encode("utf-16"), 1, "the file is not UTF-8; save it as UTF-8"),
    (GOOD.encode("shift-jis"), 2, "the file is not UTF-8; save it as UTF-8"),
    (GOOD + GOOD, 6, "'scenario' is here twice; keep one"),
    (GOOD + "---\n" + GOOD, 6, "one file holds one scenario; put the second in a file of its own"),
    ("a: &a 1\n" + GOOD, 1, "anchors and aliases are not taken; write the part out"),
    (GOOD + "b: *a\n", 6, "anchors and aliases are not taken; write the part out"),
    (GOOD + "<<: {a: 1}\n", 6, "merge keys are not taken; write the part out"),
    ("%YAML 1.1\n---\n" + GOOD, 2, "YAML directives are not taken; leave the line with % out"),
    ("title: !!str 1\n" + GOOD, 1, "YAML tags are not taken; leave the word with ! out"),
    ("a: !!python/name:os.system\n", 1, "YAML tags are not taken; leave the word with ! out"),
    ("a: " + "[" * 3000, 1, "nested over 60 levels deep; make it flatter"),
    ("".join(f"{' ' * n}a:\n" for n in range(99)), 61, "nested over 60 levels deep; make it"),
    (GOOD + "a: " + "1" * 5000, 6, 'the number is too long; put it in "quotes"'),
    (GOOD + "a: 0x" + "f" * 6000, 6, 'the number is too long; put it in "quotes"'),
    (GOOD + "a: 0o" + "7" * 6000, 6, 'the number is too long; put it in "quotes"'),
    (GOOD + "a: [0b" + "1" * 20_000 + "]", 6, 'the number is too long; put it in "quotes"'),
    (GOOD + "a: \x01", 6, "the character '\\x01' can't be in YAML; take it out"),
    ("a: b\n\tc: d\n", 2, "this is not YAML: found character '\\t' that cannot start any token"),
    ("title: a: b\n", 1, "this is not YAML: mapping values are not allowed here; check quotes, "),
    ('title: "a\n', 2, "this is not YAML: found unexpected end of stream"),
    (
        "title: {{ friend.region }}\n",
        1,
        "a list or mapping can't be a name; put a text that has {{ or {% ",
    ),
    ("title: {% if a %}b{% endif %}\n", 1, "this is not YAML: found character '%'"),
]


@pytest.mark.parametrize(("data", "line", "message"), FILE_PROBLEMS)
def test_a_file_that_is_not_plain_yaml_is_refused(
    data: str | bytes, line: int, message: str
) -> None:
    [(found_line, field, said)] = problems(data)
    assert (found_line, field) == (line, "")
    assert said.startswith(message)


@pytest.mark.parametrize("data", ["a: b\n" * 200_000, b"\xff" * 2_000_000, "[" * 1_000_000])
def test_a_file_of_a_megabyte_is_refused_at_once(data: str | bytes) -> None:
    begun = monotonic()
    [(_, _, said)] = problems(data)
    assert said == f"the file is over {MAX_FILE_CHARS:,} characters; split the scenario"
    assert monotonic() - begun < 10


STEP_PROBLEMS = [
    ("- send: {name: Hello, messages: [{type: text, text: a}]}", 5, "steps[0].send.name",
     "'Hello' can't be a name; use lower-case letters, digits and hyphens, such as summer-sale"),
    ("- send: {messages: [{type: text, text: a}]}", 5, "steps[0].send.name",
     "name is missing; add it"),
    ("- send: {name: a, messages: []}", 5, "steps[0].send.messages", "at least 1 is needed"),
    (f"- send: {{name: a, messages: [{', '.join(['{type: text, text: a}'] * 6)}]}}", 5,
     "steps[0].send.messages", "there are 6; at most 5 are taken"),
    ("- send: {name: a, messages: [hi]}", 5, "steps[0].send.messages[0]",
     "'hi' is not a mapping; write it as `{type: text, text: ようこそ}`"),
    ("- send: {name: a, message: []}", 5, "steps[0].send.message",
     "'message' is not known here; did you mean 'messages'?"),
    ("- send:\n    name: a\n    messages:\n      - type: text\n        text: '{{ name }}'", 9,
     "steps[0].send.messages[0].text", "'name' is not a field of the friend; use friend."),
    ("- send:\n    name: a\n    messages:\n      - type: text", 8, "steps[0].send.messages[0]",
     "a message of type text needs text"),
    ("- send: {name: a, messages: [{type: text, text: a, 1: b}]}", 5,
     "steps[0].send.messages[0]", "1 is not a name; put it in \"quotes\""),
    ("- wait: 3 days", 5, "steps[0].wait",
     "'3 days' is not a mapping; write it as `{days: 3, at: \"10:00\"}`"),
    ("- wait: {days: 3, at: '25:00'}", 5, "steps[0].wait.at",
     "'25:00' is not a time of day; write it as \"HH:MM\", such as \"10:00\""),
    ("- wait: {days: 3, at: １０:００}", 5, "steps[0].wait.at", "'１０:００' is not a time of day"),
    ("- wait: {days: 3, at: 10}", 5, "steps[0].wait.at", "10 is not a time of day; write it as"),
    ("- wait: {days: '3'}", 5, "steps[0].wait.days",
     "'3' is not a whole number; write it as `days: 3`"),
    ("- wait: {days: true}", 5, "steps[0].wait.days", "True is not a whole number"),
    ("- wait: {days: 1.5}", 5, "steps[0].wait.days", "1.5 is not a whole number"),
    ("- wait: {days: -1}", 5, "steps[0].wait.days", "-1 is too small; at least 0 is needed"),
    ("- wait: {days: 9999}", 5, "steps[0].wait.days", "9999 is too large; at most 3650 is taken"),
    ("- wait: {days: 0}", 5, "steps[0].wait", "a wait is one of {minutes, hours, days}, {days, a"),
    ("- wait: {}", 5, "steps[0].wait", "a wait is one of {minutes, hours, days}, {days, at}, "),
    ("- wait: {hours: 1, at: '10:00'}", 5, "steps[0].wait", "a wait is one of {minutes, hours, "),
    ("- wait: {until: tomorrow}", 5, "steps[0].wait.until",
     "'tomorrow' is not a date and time; write it as \"YYYY-MM-DD HH:MM\", local to the "),
    ("- wait: {until: 2030-12-24T18:00:00+09:00}", 5, "steps[0].wait.until",
     "'2030-12-24T18:00:00+09:00' is not a date and time"),
    ("- wait: {until: 9999-12-31}", 5, "steps[0].wait.until", "'9999-12-31' is not a date and t"),
    ("- wait: {until: 2030-02-30}", 5, "steps[0].wait.until",
     "2030-02-30 is not in the calendar; correct the day"),
    ("- branch: []", 5, "steps[0].branch", "at least 1 is needed"),
    ("- branch:\n    - otherwise:\n      steps: []", 5, "steps[0]",
     "otherwise comes once, last, after at least one when"),
    ("- branch:\n    - {when: {os: ios}, steps: []}\n    - otherwise: 1\n      steps: []",
     7, "steps[0].branch[1].otherwise", "otherwise stands alone; put its steps below"),
    ("- branch:\n    - steps: []", 6, "steps[0].branch[0]",
     "a case has a when, or otherwise; name one"),
    ("- branch:\n    - when: {}\n      steps: []", 6, "steps[0].branch[0].when",
     "a condition is empty; say one of audience, gender, age, region, os, language, "
     "fields, all, any, not"),
    ("- branch:\n    - when: {os: ios}", 6, "steps[0].branch[0].steps", "steps is missing; add it"),
    ("- branch:\n    - when:\n        gender: woman\n      steps: []", 7,
     "steps[0].branch[0].when.gender",
     "'woman' is not known here; use 'male', 'female' or 'other'"),
    ("- branch:\n    - when: {age: 20}\n      steps: []", 6, "steps[0].branch[0].when.age",
     "20 is not a mapping; write it as `{from: 20, to: 29}`"),
    ("- branch:\n    - when: {age: {from: 30, to: 20}}\n      steps: []", 6,
     "steps[0].branch[0].when.age", "from is above to; swap them"),
    ("- branch:\n    - when: {region: 13}\n      steps: []", 6, "steps[0].branch[0].when.region",
     "13 is not text; put it in \"quotes\""),
    ("- tag: {}", 5, "steps[0].tag", "a tag step adds or removes at least one tag"),
    ("- tag: {add: a, remove: [b, a]}", 5, "steps[0].tag", "a is both added and removed; keep one"),
    ("- tag: {add: [a, 1]}", 5, "steps[0].tag.add[1]", "1 is not text; put it in \"quotes\""),
    ("- wait:", 5, "steps[0]",
     "a step is one of send, wait, wait_for, branch or tag; this one is none of "),
    ("- {tag: {add: a}, wait: {days: 1}}", 5, "steps[0]",
     "a step is one of send, wait, wait_for, branch or tag; this one is wait and tag"),
    ("- goto: hello", 5, "steps[0].goto",
     "'goto' is not known here; no such thing exists; what does here: branch, send, tag, "),
    ("- {wait: {days: 1}, scenari: x}", 5, "steps[0].scenari",
     "'scenari' is not known here; no such thing exists; what does here: branch, send, tag, wa"),
    ("- branch:\n    - when: {os: ios}\n      steps:\n        - {wait: {days: 1}, wait_four: 1}",
     8, "steps[0].branch[0].steps[0].wait_four",
     "'wait_four' is not known here; did you mean 'wait_for'?"),
    ("- send: {name: a, steps: 1, messages: [{type: text, text: a}]}", 5, "steps[0].send.steps",
     "'steps' is not known here; no such thing exists; what does here: any_time, if_refused, "),
    ("- " + "\n- ".join(["wait: {days: 3650}"] * 11), 1, "",
     "its waits add up to over 100 years; shorten them"),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "line", "field", "message"), STEP_PROBLEMS)
def test_a_wrong_step_is_refused(steps: str, line: int, field: str, message: str) -> None:
    found = problems(with_steps(f"{steps}\n"))
    assert (line, field) in [(line, field) for line, field, _ in found]
    said = next(said for *place, said in found if place == [line, field])
    assert said.startswith(message)
    assert len(found) == 1 or "goto" in steps or "message:" in steps


HEAD_PROBLEMS = [
    ("window: {from: '09:00', to: '09:00'}", "window",
     "from and to are the same; leave window out to send at any time"),
    ("window: 9-21", "window", "'9-21' is not a mapping; write it as `{from: \"09:00\", to: "),
    ("window: {from: '09:00'}", "window.to", "to is missing; add it"),
    ("period: {}", "period", "a period has a from, an until, or both"),
    ("period: {from: 2030-02-01, until: 2030-01-01}", "period", "until must come after from"),
    ("reentry: sometimes", "reentry",
     "'sometimes' is not known here; use 'never' or 'after_finishing'"),
    ("reentry: {after_days: 0}", "reentry.after_days", "0 is too small; at least 1 is needed"),
    ("reentry: 30", "reentry", "30 is not a mapping; write it as `{after_days: 30}`"),
    ("exit: {joins: a}", "exit", "{'joins': 'a'} is not a list; write it as `- joins: its-name`"),
    ("exit: [{joins: a, leaves: b}]", "exit[0]",
     "an exit is one of joins or leaves; name one audience"),
    ("exit:", "exit", "nothing is not a list; write it as `- joins: its-name`"),
    ("timezone: Tokyo", "timezone",
     "'Tokyo' is not a time zone; use an IANA name such as Asia/Tokyo"),
    ("timezone: ../../../etc/passwd", "timezone", "'../../../etc/passwd' is not a time zone"),
    ("timezone: " + "a" * 1000, "timezone", "'aaaa"),
    ("titel: x", "titel", "'titel' is not known here; did you mean 'title'?"),
    ("_word: x", "_word", "'_word' is not known here; no such thing exists; what does "),
    ("audiences: {a: {kind: upload, titel: x}}", "audiences.a.titel",
     "'titel' is not known here; did you mean 'title'?"),
    ("audiences: {a: {kind: upload, message: hello}}", "audiences.a.message",
     "'message' is not known here; no such thing exists; what does here: kind, title"),
    ("1: x", "", "1 is not a name; put it in \"quotes\""),
    ("~: x", "", "None is not a name; put it in \"quotes\""),
    ("? [a, b]\n: x", "", "a list or mapping can't be a name; put a text that has {{ or {% in "),
    ("? {a: [b]}\n: x", "", "a list or mapping can't be a name; put a text that has {{ or {% "),
    ("exit: [? [a, {b: [c]}]]", "", "a list or mapping can't be a name; put a text that has {{"),
    ('description: "a\\0b"', "description", "a text can't hold the character \\0; take it out"),
    ('description: "a\\ud83d"', "description", "half of a character is missing here; write it"),
    ("description: " + "a" * 2001, "description",
     "the text has 2001 characters; at most 2000 are taken"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "field", "message"), HEAD_PROBLEMS)
def test_a_wrong_field_is_refused(more: str, field: str, message: str) -> None:
    [(line, where, said)] = problems(with_more(more + "\n"))
    assert (line, where) == (6, field)
    assert said.startswith(message)


@pytest.mark.parametrize(
    ("start", "field", "message"),
    [
        ("friend_add", "start", "'friend_add' is not a start; write friend_added, or `audience: "),
        ("", "start", "nothing is not a mapping; write it as `{audience: its-name}`"),
        ("{}", "start", "a scenario starts on one of friend_added or audience; name one"),
        ("{friend_added: , audience: a}", "start", "a scenario starts on one of friend_added or "),
        ("{audience: a, routes: [b]}", "start.routes", "'routes' is not known here"),
        ("{friend_added: {routes: []}}", "start.friend_added.routes", "at least 1 is needed"),
    ],
)
def test_a_wrong_start_is_refused(start: str, field: str, message: str) -> None:
    [(line, where, said)] = problems(GOOD.replace("start: friend_added", f"start: {start}"))
    assert (line, where) == (3, field)
    assert said.startswith(message)


def test_all_problems_are_told_in_the_order_of_the_file() -> None:
    found = problems(
        dedent("""\
            scenario: Welcome
            title: 123
            start: {audience: vip, routes: [a]}
            steps:
              - send: {name: hello, messages: [{type: txt}]}
              - wait: {days: 3, at: "24:00"}
              - branch:
                  - when: {gender: x}
                    steps:
                      - send: {name: hello, messages: [{type: text, text: "{{ x }}"}]}
              - 3: 4
            """)
    )
    assert [(line, field) for line, field, _ in found] == [
        (1, "scenario"),
        (2, "title"),
        (3, "start.routes"),
        (5, "steps[0].send.messages[0].type"),
        (6, "steps[1].wait.at"),
        (8, "steps[2].branch[0].when.gender"),
        (10, "steps[2].branch[0].steps[0].send.name"),
        (10, "steps[2].branch[0].steps[0].send.messages[0].text"),
        (11, "steps[3]"),
        (11, "steps[3]"),
    ]


def test_two_messages_of_one_name_are_told_where_the_second_stands() -> None:
    steps = "- branch:\n    - when: {os: ios}\n      steps:\n      - %s\n- %s\n"
    send = "send: {name: a, messages: [{type: text, text: a}]}"
    assert problems(with_steps(steps % (send, send))) == [
        (9, "steps[1].send.name", "another message is called 'a' too; give each its own name")
    ]


def test_a_problem_reads_as_a_sentence_with_its_place() -> None:
    with pytest.raises(ScenarioError) as refused:
        read(with_steps("- wait: {days: 3, at: '25:00'}\n"))
    assert str(refused.value) == (
        "line 5, steps[0].wait.at: '25:00' is not a time of day; "
        'write it as "HH:MM", such as "10:00"'
    )
    [as_dict] = refused.value.as_dicts()
    assert as_dict["line"] == 5
    assert as_dict["field"] == "steps[0].wait.at"


def test_what_was_written_is_quoted_only_in_part() -> None:
    text = "a" * 200_000
    for data in (f"{GOOD}x{text}: 1\n", GOOD.replace("hello", text), f"{GOOD}reentry: {text}\n"):
        assert all(len(said) < 300 for _, _, said in problems(data))


FORMS = [
    "- wait: {minutes: 5}",
    "- wait: {days: 1, hours: 2, minutes: 3}",
    "- wait: {days: 3, at: 9:00}",
    "- wait: {days_after_start: 3, at: '09:00'}",
    "- wait: {until: 2030-12-24}",
    "- tag: {add: a}",
    "- tag: {add: [a, b], remove: c}",
    "- send: {name: a, any_time: true, messages: [{type: text, text: a}]}",
    "- send: {name: a, messages: [{type: flex, altText: a, contents: {n: 1.5, t: 2030-01-01}}]}",
    "- branch: [{when: {audience: a}, steps: []}, {otherwise: , steps: [{wait: {days: 1}}]}]",
    "- branch: [{when: {all: [{os: ios}, {any: [{os: other}]}], not: {age: {to: 9}}}, steps: []}]",
    "- branch: [{when: {gender: other, region: [東京都, 大阪]}, steps: []}]",
]


@pytest.mark.parametrize(
    "data",
    [
        *(with_steps(f"{form}\n") for form in FORMS),
        with_more("window: {from: 21:00, to: 2:00}\nreentry: after_finishing\n"),
        with_more("reentry: {after_days: 3}\nperiod: {from: 2030-01-01, until: 2030-01-31}\n"),
        with_more("exit: [{joins: a}, {leaves: b}]\ndescription: a\ntimezone: UTC\n"),
        GOOD.replace("friend_added", "{friend_added: {routes: [a]}}"),
        GOOD.replace("friend_added", "{audience: vip}"),
        *(file.read_text() for file in EXAMPLES),
    ],
)
def test_a_scenario_is_the_same_after_it_was_stored(data: str) -> None:
    scenario = read_scenario(data)
    stored = scenario.as_stored()
    assert Scenario.from_stored(stored) == scenario
    as_json = scenario.model_dump_json(by_alias=True, exclude_unset=True)
    assert Scenario.model_validate_json(as_json) == scenario


def test_whatever_is_in_a_file_it_is_a_scenario_or_refused() -> None:
    chance = random.Random("garbage")
    pieces = [
        *"abn:-?,[]{}#&*!|>'\"%@`~ \n\t\r\\0123456789.+_=<é花😀\ufeff\x00\x85\u2028\ud83d",
        *("\n  ", "\n- ", ": ", "- ", "{{", "{%", "<<: ", "&a ", "*a", "!!int ", "---\n", "...\n"),
        *("0x", "0o", "1e", ".inf", ".nan", "~", "null", "true", "2030-12-24", "10:00", "? "),
        *("%YAML 1.1\n---\n", "!!set ", "!!omap ", "!!binary ", "!!timestamp ", "|-\n", ">2\n"),
        *("steps:", "send:", "messages:", "wait:", "branch:", "when:", "start:", "type: text"),
    ]
    lines = "".join(file.read_text() for file in EXAMPLES).splitlines(keepends=True)
    for number in range(1500):
        if number % 2:
            data = "".join(chance.choices(pieces, k=chance.randrange(1, 40)))
        else:
            file = list(chance.choice(EXAMPLES).read_text())
            for _ in range(chance.randrange(1, 4)):
                place = chance.randrange(len(file))
                file[place : place + chance.choice([0, 1, 5, 50])] = chance.choice(
                    [chance.choice(pieces), chance.choice(lines)]
                )
            data = "".join(file)
        form = data if number % 3 else data.encode("utf-8", "surrogatepass")
        try:
            read(form)
        except ScenarioError as error:
            refused = error
        else:
            continue
        assert refused.problems, data
        assert all(problem.line >= 1 for problem in refused.problems), data


def test_a_stored_scenario_is_not_judged_again() -> None:
    """What LINE took when it was published must not stop a journey that is on its way."""
    stored = read_scenario(GOOD).as_stored()
    stored["steps"][0]["send"]["messages"] = [{"type": "of-former-days"}]
    assert Scenario.from_stored(stored).steps[0].send is not None


AUDIENCES = """
scenario: a
title: A
start: friend_added
audiences:
  one: {kind: click, message: hello}
  two: {kind: %s}
steps:
  - wait_for:
      audience: one
      up_to: {days: 1}
      in_time: [{send: {name: hello, messages: [{type: text, text: a}]}}]
"""


@pytest.mark.parametrize(
    ("definition", "field", "said"),
    [
        ("clik", "audiences.two", "kind is one of upload, tag, click"),
        ("click", "audiences.two.message", "message is missing; add it"),
        (
            "click, message: helo",
            "audiences.two.message",
            "no message of this scenario is called 'helo'; did you mean 'hello'?",
        ),
        ("click, message: hello, days: 3", "audiences.two.days", "'days' is not known here"),
        (
            "impression, message: hello, evidence: open",
            "audiences.two.evidence",
            "'open' is not known here; use",
        ),
        (
            "impression, message: hello, evidence: [click], data: go=1",
            "audiences.two",
            "data is of a button: evidence is postback alone then; leave it out",
        ),
        ("web, days: 0", "audiences.two.days", "0 is too small; at least 1 is needed"),
        ("web, days: 181", "audiences.two.days", "181 is too large; at most 180 is taken"),
        ("web, event: Add To Cart", "audiences.two.event", ""),
        (
            "web, url: {equals: a, contains: b}",
            "audiences.two.url",
            "a url is one of equals, starts_with or contains",
        ),
        ("web, url: a", "audiences.two.url", "'a' is not a mapping"),
        ("combined", "audiences.two.when", "when is missing; add it"),
        ("combined, when: {}", "audiences.two.when", "a condition is empty"),
        ("route", "audiences.two.route", "route is missing; add it"),
        ("tag, tag: 1", "audiences.two.tag", "1 is not text"),
    ],
)
def test_a_wrong_audience_is_refused_with_its_line(definition: str, field: str, said: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        read(AUDIENCES % definition)
    (problem,) = refused.value.problems
    assert (problem.line, problem.field) == (7, field)
    assert problem.message.startswith(said)


@pytest.mark.parametrize(
    "definition",
    [
        "upload",
        "click, message: hello, url: https://shop.example/",
        "click, message: other, scenario: another",
        "impression, message: hello, evidence: [click, upload]",
        "impression, message: hello, data: go=1",
        "web, event: add_to_cart, url: {starts_with: https://shop.example/}, days: 180",
        "combined, when: {not: {audience: one}, fields: {rank: gold}}",
    ],
)
def test_a_right_audience_is_read(definition: str) -> None:
    assert set(read(AUDIENCES % definition).scenario.definitions()) == {"one", "two"}
