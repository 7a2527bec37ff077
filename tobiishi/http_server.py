"""HTTP servers that anybody may connect to: who keeps a connection and says nothing is cut off.

uvicorn waits for ever for the first request of a connection, for the rest of a request, and for one
who does not read. And asyncio takes in connections until there are no descriptors left, for the
database neither, and then logs each one that it can't take.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import socket
import time
from typing import Any, TypeAlias

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tobiishi.limits import Limit

_log = logging.getLogger(__name__)

#: Seconds for the head of a request, from the connection or the last answer on.
HEAD_SECONDS = 10.0
#: Seconds for its body; more for a longer one, which has to come at this rate.
BODY_SECONDS = 30.0
BODY_BYTES_A_SECOND = 10_000
#: Seconds in which nothing of an answer is taken.
READING_SECONDS = 30.0
#: How often all this is looked at.
LOOK_SECONDS = 1.0

#: Connections at once, and no more than half of the descriptors that the process may have: the rest
#: is for the database, Temporal and LINE.
MAX_CONNECTIONS = 10_000
#: Connections that are taken in before those that are too many are closed.
_ACCEPTED_AT_ONCE = 4

#: What a client has yet to do: send a head or a body, or read so many bytes.
_Owed: TypeAlias = tuple[str, int]
_HEAD: _Owed = ("head", 0)
_BODY: _Owed = ("body", 0)


def max_connections() -> int:
    """How many connections may be open at once in this process."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(1, min(descriptors // 2, MAX_CONNECTIONS))


class ClientConnection(H11Protocol):
    """One that is closed where the client lets it wait too long, or others need its place."""

    #: All that are open in this process, as its descriptors are for all of it.
    open: set[ClientConnection] = set()  # noqa: RUF012

    _owed: _Owed | None = None
    _owed_since = 0.0
    #: Bytes of the body that came since.
    _received = 0
    #: When something came last.
    _heard_at = 0.0
    _next_look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._heard_at = time.monotonic()
        self.open.add(self)
        self._look()
        if len(self.open) > max_connections():
            close_idlest()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open.discard(self)
        if self._next_look is not None:
            self._next_look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._heard_at = time.monotonic()
        super().data_received(data)
        self._note()
        self._received += len(data)

    def on_response_complete(self) -> None:
        self._owed = None  # What follows is another request.
        super().on_response_complete()
        self._note()

    @property
    def is_idle(self) -> bool:
        """Whether it waits for its client, and nobody for it."""
        return self._owed is not None and not self.transport.is_closing()

    def _look(self) -> None:
        self._note()
        if self._owed is not None and time.monotonic() - self._owed_since > self._patience():
            self.transport.abort()
        else:
            self._next_look = self.loop.call_later(LOOK_SECONDS, self._look)

    def _note(self) -> None:
        owed = self._what_is_owed()
        if owed != self._owed:
            self._owed, self._owed_since, self._received = owed, time.monotonic(), 0

    def _what_is_owed(self) -> _Owed | None:
        if unread := self.transport.get_write_buffer_size():
            return "reading", unread
        if self.conn.their_state is h11.IDLE:
            return _HEAD
        if self.conn.their_state is h11.SEND_BODY and not self.flow.read_paused:
            return _BODY
        return None

    def _patience(self) -> float:
        if self._owed == _HEAD:
            return HEAD_SECONDS
        if self._owed == _BODY:
            return BODY_SECONDS + self._received / BODY_BYTES_A_SECOND
        return READING_SECONDS


#: An attacker must not fill the disk with it.
_full = Limit(times=1, seconds=60)


def close_idlest() -> bool:
    """Close the connection whose client has been silent for longest; False where none is idle."""
    if _full.takes("full"):
        _log.warning(
            "%d connections are open: the idlest are closed, to take in others",
            len(ClientConnection.open),
        )
    idle = [each for each in ClientConnection.open if each.is_idle]
    if not idle:
        return False
    min(idle, key=lambda each: each._heard_at).transport.abort()
    return True


class Door(socket.socket):
    """A listening socket that lets in a few at a time, so that others can be closed in between."""

    _accepted = 0

    def accept(self) -> tuple[socket.socket, Any]:
        if self._accepted >= _ACCEPTED_AT_ONCE:
            raise BlockingIOError(errno.EAGAIN, "others are let in first")
        if not self._accepted:
            asyncio.get_running_loop().call_soon(self._go_on)
        self._accepted += 1
        try:
            return super().accept()
        except OSError as error:
            # asyncio would try on, and log each try.
            self._accepted = _ACCEPTED_AT_ONCE
            if error.errno in (errno.EMFILE, errno.ENFILE) and close_idlest():
                raise BlockingIOError(errno.EAGAIN, "no descriptor is left yet") from error
            raise

    def _go_on(self) -> None:
        self._accepted = 0


def doors(host: str, port: int) -> list[socket.socket]:
    """Sockets on all addresses of the host. Raises `OSError`."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    opened: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, address in dict.fromkeys((each[0], each[4]) for each in found):
            try:
                opened.append(_door(family, address))
            except OSError as error:
                # A machine may lack IPv6, and have it in its list of hosts.
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                missing = error
        if missing and not opened:
            raise missing
    except OSError:
        for door in opened:
            door.close()
        raise
    return opened


def _door(family: socket.AddressFamily, address: Any) -> Door:
    # Without the protocol asyncio does not know that it is TCP, and leaves Nagle's algorithm on: an
    # answer's body would wait for 40 ms until the client has acknowledged its head.
    door = Door(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        door.bind(address)
        door.setblocking(False)
    except OSError:
        door.close()
        raise
    return door


def config(app: Any, **more: Any) -> uvicorn.Config:
    """For a server of the app that is given `doors`."""
    return uvicorn.Config(app, http=ClientConnection, access_log=False, **more)
