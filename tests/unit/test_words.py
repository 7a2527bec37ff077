"""One word for one thing: docs/glossary.md, and what people read of the code."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: What must not come back, and what to write for it: see docs/glossary.md.
NOT_TO_USE = {
    r"(?<!\bthere )\b(is|are) no (?!longer\b|more\b)": "is not a …, are not …",
    r"\bletters?\b(?! and digits\b|, digits\b)": "characters",
    r"\bin hand\b": "taken, locked",
    r"\bput off\b": "postponed",
    r"\bof late\b": "recently",
    r"\banew\b": "again",
}

#: Their classes and types are named as what they speak of is named: requests, commands, LINE's
#: own objects.
SPEAK_OF_OTHERS = tuple(ROOT / "tobiishi" / name for name in ("api", "cli", "simulator"))

#: Folders whose docstrings are held to `NOT_TO_BEGIN`, and the modules beside them.
PLAIN = tuple(
    ROOT / "tobiishi" / name
    for name in (
        "channels",
        "chaos",
        "cli",
        "line",
        "local",
        "publishing",
        "scenario",
        "simulator",
        "tracking",
    )
)
#: Beginnings of sentences: write "Returns …", the imperative verb, or a noun.
NOT_TO_BEGIN = re.compile(r"(?:\A|[.!?:;]\s+|\n\s*\n\s*)(Tells|Have|Who)\s")


def sources() -> list[Path]:
    folders = ("tobiishi", "workflows", "activities")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return sorted([*files, ROOT / "worker.py", ROOT / "starter.py"])


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The text of each string literal with its line, but for docstrings."""
    nodes = list(ast.walk(tree))
    alone = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            # What is filled in is one word, whatever it is.
            parts = [
                str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values
            ]
            alone |= {id(part) for part in node.values}
            yield node.lineno, "".join(parts)
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone
        ):
            yield node.lineno, node.value


def wrong_words(text: str) -> list[str]:
    return [
        f"{found[0]!r}: write {better}"
        for word, better in NOT_TO_USE.items()
        for found in [re.search(word, text, re.IGNORECASE)]
        if found
    ]


def test_no_text_says_it_the_old_way() -> None:
    read = [
        (file, line, text)
        for file in sources()
        for line, text in texts(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert len(read) > 1000
    found = [
        f"{file.relative_to(ROOT)}:{line}: {wrong}"
        for file, line, text in read
        for wrong in wrong_words(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('fail("2001-02-29 is no day")', 1),
        ('fail(f"{host!r} is no site of {channel}")', 1),
        ('fail(f"{picked!r} is no {mode}")', 1),
        ('fail("these " "are no ids")', 1),
        ('fail(f"has {count} letters")', 1),
        ('fail("is in hand, put off, or of late written anew")', 4),
        ('fail("There is no such day, there are no others, and it is no longer one")', 0),
        ('fail("lower-case letters, digits and hyphens; letters and digits")', 0),
        ('def day():\n    """What is no day."""', 0),
        ("day = 1  # It is no date.", 0),
    ],
)
def test_the_old_words_are_found(source: str, count: int) -> None:
    found = [wrong for _, text in texts(ast.parse(source)) for wrong in wrong_words(text)]
    assert len(found) == count, found


def docstrings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The docstrings of the module, its classes and functions, each with its line."""
    for node in ast.walk(tree):
        if isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) and (text := ast.get_docstring(node)):
            yield node.body[0].lineno, text


def test_no_docstring_begins_a_sentence_roundabout() -> None:
    read = [
        (file, line, text)
        for file in sources()
        if file.parent == ROOT / "tobiishi" or any(file.is_relative_to(folder) for folder in PLAIN)
        for line, text in docstrings(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert len(read) > 500
    found = [
        f"{file.relative_to(ROOT)}:{line}: {wrong[1]!r}"
        for file, line, text in read
        for wrong in NOT_TO_BEGIN.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Tells how many.", 1),
        ("Keep it. Tells how many.\n\nWho comes late waits.", 2),
        ("Have it done", 1),
        ("Returns what it tells. Those who have it. Whoever has it.", 0),
    ],
)
def test_roundabout_sentences_are_found(text: str, count: int) -> None:
    assert len(NOT_TO_BEGIN.findall(text)) == count


def public_types(tree: ast.Module) -> Iterator[str]:
    """The names of the module's public classes, and of its types with an assigned name."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        else:
            continue
        yield from (name for name in names if re.match(r"[A-Z]+[a-z]", name))


def test_no_two_public_classes_or_types_share_a_name() -> None:
    named = Counter(
        name
        for file in sources()
        if not any(file.is_relative_to(folder) for folder in SPEAK_OF_OTHERS)
        for name in public_types(ast.parse(file.read_text(encoding="utf-8")))
    )
    assert len(named) > 120
    assert {name for name, count in named.items() if count > 1} == set()


#: Name a value by what it is: parsed, text, payload, row.
NOT_TO_NAME = re.compile(r"_?(said|say|says|told|tell|tells|untold)")


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Names of variables, parameters, functions and classes; fields are of the outside, too."""
    nodes = list(ast.walk(tree))
    fields = {
        id(field.target)
        for node in nodes
        if isinstance(node, ast.ClassDef)
        for field in node.body
        if isinstance(field, ast.AnnAssign)
    }
    for node in nodes:
        if isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.Name) and id(node) not in fields:
            yield node.lineno, node.id


def test_no_value_is_named_for_having_been_said() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line}: {name}"
        for file in sources()
        for line, name in names(ast.parse(file.read_text(encoding="utf-8")))
        if NOT_TO_NAME.fullmatch(name.lower())
    ]
    assert found == []


def glossary() -> tuple[str, str, str]:
    """The glossary's parts: our words, engineers' terms, words not to use."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    ours, terms, not_to_use = text.split("\n## ")
    return ours, terms, not_to_use


def first_cells(part: str) -> list[str]:
    cells = [line.split("|")[1].strip() for line in part.splitlines() if line.startswith("| ")]
    return cells[1:]  # Without the header.


def test_the_glossary_is_in_order_and_has_each_word_once() -> None:
    ours, terms, not_to_use = glossary()
    for part, least in ((ours, 50), (terms, 8)):
        words = first_cells(part)
        assert len(words) >= least
        assert words == sorted(set(words))
    assert len(first_cells(not_to_use)) >= 10


def test_what_the_glossary_names_is_there() -> None:
    ours, terms, _ = glossary()
    places = re.findall(r"`((?:tobiishi|activities|workflows)/[^`]*)`", ours + terms)
    assert len(places) > 50
    assert [place for place in places if not (ROOT / place).exists()] == []

    files = sorted((ROOT / "tobiishi" / "sql" / "migrations").glob("*.sql"))
    schema = "\n".join(file.read_text(encoding="utf-8") for file in files)
    tables = set(re.findall(r"create table (\w+)", schema))
    where = [line.split("|")[4] for line in ours.splitlines() if line.startswith("| ")][1:]
    named = re.findall(r"`([a-z_]+)(?:\.([a-z_]+))?`", " ".join(where))
    values = {"claimed", "combined", "exited", "retry_at"}
    assert [table for table, _ in named if table not in tables | values] == []
    assert [column for _, column in named if not re.search(rf"\b{column}\b", schema)] == []


def test_every_module_that_a_document_names_is_there() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = {
        (document.name, place)
        for document in documents
        for place in re.findall(
            r"`((?:tobiishi|activities|workflows|tests|examples|benchmarks)/[\w./-]+)`",
            document.read_text(encoding="utf-8"),
        )
    }
    assert len(named) > 80
    assert sorted((name, place) for name, place in named if not (ROOT / place).exists()) == []
