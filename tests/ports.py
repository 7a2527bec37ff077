"""Ports that nobody else takes between the choice and the use."""

from __future__ import annotations

import random
import socket

#: Tests in several processes choose at once: none may know what another will choose.
_chance = random.SystemRandom()


def free_ports(count: int) -> list[int]:
    """Below what the kernel gives away by itself, to clients and to those who ask for any."""
    ports: list[int] = []
    while len(ports) < count:
        port = _chance.randrange(15_000, 32_000)
        try:
            with socket.create_server(("127.0.0.1", port)):
                pass
        except OSError:
            continue
        if port not in ports:
            ports.append(port)
    return ports


def free_port() -> int:
    (port,) = free_ports(1)
    return port
