from __future__ import annotations

from uuid import UUID

from tobiishi.line import retry_key


def test_never_changes() -> None:
    """A changed key would have LINE send again what it has accepted already."""
    key = retry_key("journey/default/welcome/Ua", 1, "hello", 1)
    assert key == UUID("547d88b8-40dd-540d-9add-2f1f69aed8cc")


def test_is_one_for_each_message() -> None:
    keys = {
        retry_key("a", 1, "hello", 1),
        retry_key("b", 1, "hello", 1),
        retry_key("a", 2, "hello", 1),
        retry_key("a", 1, "bye", 1),
        retry_key("a", 1, "hello", 2),
        retry_key("a", 11, "hello", 1),
        retry_key("a1", 1, "hello", 1),
        retry_key('a", 1, "hello', 1, "hello", 1),
        retry_key("花子", 1, "\ud83d", 1),
    }
    assert len(keys) == 9
