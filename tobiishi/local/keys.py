"""The secrets of an installation of one machine: made once, kept in its data folder."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.fernet import Fernet

_MAKERS: Mapping[str, Callable[[], str]] = {
    "TOBIISHI_API_TOKEN": lambda: secrets.token_urlsafe(24),
    "TOBIISHI_SECRET_KEY": lambda: Fernet.generate_key().decode(),
}


_FILE = "keys.env"


def kept_keys(home: Path) -> dict[str, str]:
    """The keys kept in a data folder, by the names of their variables; none where it has none."""
    try:
        lines = (home / _FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.strip().split("=", 1) for line in lines if "=" in line and line[0] != "#")


def missing_keys(home: Path, known: Mapping[str, str]) -> dict[str, str]:
    """The keys that `known` lacks, from the data folder; made and kept there the first time."""
    kept = kept_keys(home)
    made = {name: make() for name, make in _MAKERS.items() if name not in {*known, *kept}}
    if made:
        _write(home / _FILE, kept | made)
    keys = kept | made
    return {name: keys[name] for name in _MAKERS if name not in known}


def _write(file: Path, keys: Mapping[str, str]) -> None:
    """Write atomically: half a file would lose the secrets that are encrypted with it."""
    unfinished = file.with_name(file.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as text:
        text.write("# Made by `tobiishi run`. Without the secret key, stored secrets are lost.\n")
        text.writelines(f"{name}={value}\n" for name, value in keys.items())
        text.flush()
        os.fsync(text.fileno())
    unfinished.replace(file)
