"""Keys are made once, and kept where only their owner reads them."""

import stat
from pathlib import Path

from cryptography.fernet import Fernet

from tobiishi.local.keys import kept_keys, missing_keys


def test_made_once(tmp_path: Path) -> None:
    keys = missing_keys(tmp_path, {})
    assert set(keys) == {"TOBIISHI_API_TOKEN", "TOBIISHI_SECRET_KEY"}
    assert missing_keys(tmp_path, {}) == keys
    assert kept_keys(tmp_path) == keys
    Fernet(keys["TOBIISHI_SECRET_KEY"])
    assert len(keys["TOBIISHI_API_TOKEN"]) >= 32


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    missing_keys(tmp_path, {})
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_one_that_is_set_is_not_made(tmp_path: Path) -> None:
    keys = missing_keys(tmp_path, {"TOBIISHI_API_TOKEN": "mine"})
    assert set(keys) == set(kept_keys(tmp_path)) == {"TOBIISHI_SECRET_KEY"}
    later = missing_keys(tmp_path, {})
    assert set(later) == {"TOBIISHI_API_TOKEN", "TOBIISHI_SECRET_KEY"}
    assert later["TOBIISHI_SECRET_KEY"] == keys["TOBIISHI_SECRET_KEY"]


def test_a_folder_without_keys(tmp_path: Path) -> None:
    assert kept_keys(tmp_path / "nowhere") == {}
