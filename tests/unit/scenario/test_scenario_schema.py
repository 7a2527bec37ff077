"""The JSON Schema: what editors complete and check."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from tobiishi.scenario import json_schema, read
from tobiishi.scenario.schema import as_text

ROOT = Path(__file__).parents[3]
FILE = ROOT / "docs" / "scenario.schema.json"
COMMAND = "python -m tobiishi.scenario.schema > docs/scenario.schema.json"
GOOD = 'scenario: a\ntitle: a\nstart: friend_added\nsteps: [{wait: {days: 1, at: "10:00"}}]\n'


def schema_takes(text: str) -> bool:
    # Quoted times and dates only: an editor may read YAML 1.1, and then needs the quotes.
    tree: Any = YAML(typ="safe", pure=True).load(io.StringIO(text))
    return Draft202012Validator(json_schema()).is_valid(tree)


def test_the_file_in_docs_is_current() -> None:
    assert FILE.read_text() == as_text(), f"the language has changed; run: {COMMAND}"


def test_it_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda f: f.stem)
def test_an_example_fits_and_names_the_schema(file: Path) -> None:
    text = file.read_text()
    assert text.startswith("# yaml-language-server: $schema=../docs/scenario.schema.json\n# ")
    assert schema_takes(text)


@pytest.mark.parametrize(
    "more",
    [
        "",
        'window: {from: "9:00", to: "21:00"}',
        'period: {from: "2030-01-01", until: "2030-01-31 12:00"}',
        "reentry: after_finishing",
        "reentry: {after_days: 3}",
        "exit: [{joins: a}, {leaves: b}]",
    ],
)
def test_what_the_reader_takes_the_schema_takes(more: str) -> None:
    read(GOOD + more)
    assert schema_takes(GOOD + more)


@pytest.mark.parametrize(
    "step",
    [
        "wait: {hours: 1}",
        'wait: {until: "2030-01-01 10:00"}',
        "tag: {add: a}",
        "tag: {add: [a, b], remove: c}",
        "send: {name: a, any_time: true, messages: [{type: text, text: a}]}",
        "branch: [{when: {region: 東京}, steps: []}, {otherwise: , steps: []}]",
        "branch: [{when: {not: {any: [{age: {from: 3}}, {region: [a, b]}]}}, steps: []}]",
    ],
)
def test_a_step_the_reader_takes_the_schema_takes(step: str) -> None:
    text = f"scenario: a\ntitle: a\nstart: {{friend_added: }}\nsteps: [{{{step}}}]\n"
    read(text)
    assert schema_takes(text)


@pytest.mark.parametrize(
    "text",
    [
        GOOD + "titel: a",
        GOOD.replace("days", "dayz"),
        GOOD.replace("days: 1", 'days: "1"'),
        GOOD.replace("10:00", "25:00"),
        GOOD.replace("scenario: a", "scenario: A"),
        GOOD.replace("friend_added", "friend_add"),
        GOOD.replace("friend_added", "{friend_added: {routes: 1}}"),
        GOOD.replace("title: a\n", ""),
        GOOD + "reentry: sometimes",
        "scenario: a\ntitle: a\nstart: friend_added\nsteps: [{tag: {add: [1]}}]\n",
        "scenario: a\ntitle: a\nstart: friend_added\nsteps: [{send: {name: a, messages: []}}]\n",
    ],
)
def test_what_the_schema_refuses(text: str) -> None:
    assert not schema_takes(text)
