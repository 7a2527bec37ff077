"""Folders that one process uses at a time."""

from __future__ import annotations

import fcntl
import os
import pwd
from pathlib import Path
from typing import IO

from tobiishi.local import LocalError


def claim(folder: Path, in_use: str) -> IO[str]:
    """Make the folder where it is missing, for its owner only, and lock it.

    The lock lasts until the returned file is closed, or this process ends, however it ends.
    Raises `LocalError`, with the text `in_use` where another process has the lock.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat().st_uid
        if owner != os.geteuid():
            raise LocalError(
                f"{folder} belongs to {user_name(owner)}; run as that user, or use another folder"
            )
        lock = (folder / "lock").open("a+")
    except OSError as error:
        raise LocalError(f"cannot use the folder {folder}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise LocalError(in_use) from None
    return lock


def user_name(uid: int) -> str:
    """The user's name, for a message."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
