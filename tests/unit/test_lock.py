"""The lock file, for those who want hashes, is of the very versions that everybody else gets."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pinned(file: str) -> dict[str, str]:
    """The versions in a file, by the packages' names as an index writes them."""
    lines = (ROOT / file).read_text(encoding="utf-8")
    found = re.findall(r"^([\w.-]+)==([^\s;]+)", lines, re.MULTILINE)
    return {_name(name): version for name, version in found}


def _name(written: str) -> str:
    return re.sub(r"[-_.]+", "-", written).lower()


def test_the_lock_has_the_versions_of_the_constraints() -> None:
    locked, constrained = pinned("requirements.lock"), pinned("constraints.txt")
    unlike = {name: version for name, version in locked.items() if constrained.get(name) != version}
    assert unlike == {}, "run `make lock`, and commit what it writes"


def test_the_lock_has_all_that_setup_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = set(project["build-system"]["requires"]) | set(project["project"]["dependencies"])
    for extra in project["project"]["optional-dependencies"].values():
        asked.update(extra)
    names = {_name(re.split(r"[\[<>=;~! ]", each)[0]) for each in asked} - {"tobiishi"}
    assert names - set(pinned("requirements.lock")) == set(), "run `make lock`"


def test_every_file_in_the_lock_is_known_by_its_hash_and_none_by_a_host() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for entry in re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert "://" not in text
