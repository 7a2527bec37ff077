"""Ports that nobody else takes between the choice and the use."""

import random
import socket


def free_ports(count: int) -> list[int]:
    """Below what the kernel gives away by itself, to clients and to those who ask for any."""
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(15_000, 32_000)
        try:
            with socket.create_server(("127.0.0.1", port)):
                pass
        except OSError:
            continue
        if port not in ports:
            ports.append(port)
    return ports
