"""Which language somebody wants to read."""

from __future__ import annotations

import pytest

from tobiishi.languages import Language, of_environment, of_header


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("*", "en"),
        ("ja", "ja"),
        ("ja-JP,ja;q=0.9,en-US;q=0.8,en;q=0.7", "ja"),
        ("en-GB,en;q=0.9,ja;q=0.8", "en"),
        ("fr, ja;q=0.5, en;q=0.4", "ja"),
        ("ja;q=0", "en"),
        ("ja;q=much", "en"),
        ("jam", "en"),
        ("en;q=0.2, JA;Q=0.3", "ja"),
    ],
)
def test_a_header_names_it(header: str | None, language: Language) -> None:
    assert of_header(header) == language


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja"}, "ja"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "", "LC_MESSAGES": "ja_JP"}, "ja"),
    ],
)
def test_a_terminal_names_it(variables: dict[str, str], language: Language) -> None:
    assert of_environment(variables) == language
