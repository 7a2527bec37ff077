"""Ports that nobody else takes between the choice and the use."""

from __future__ import annotations

import fcntl
import functools
import itertools
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

#: Below what the kernel gives away by itself, to clients and to those who ask for any.
_PORTS = range(15_000, 32_000)
#: How many a process has for itself. It goes round them: one is free again long before its turn.
_SHARE = 500

_locks: list[IO[str]] = []


def free_ports(count: int) -> list[int]:
    return list(itertools.islice(filter(_is_free, _own_ports()), count))


def free_port() -> int:
    (port,) = free_ports(1)
    return port


@functools.cache
def _own_ports() -> Iterator[int]:
    """The ports of the first share that no process holds; this one holds it until it ends."""
    for first in _PORTS[::_SHARE]:
        lock = (Path(tempfile.gettempdir()) / f"tobiishi-ports-{first}").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        _locks.append(lock)
        return itertools.cycle(range(first, first + _SHARE))
    raise RuntimeError(f"tests run in {len(_PORTS[::_SHARE])} other processes: no ports are left")


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
