"""Those who keep connections and send nothing, or half of a request, keep nobody out."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.eventually import eventually
from tests.integration.front_door.knocking import SECRET, TOKEN, body_of, follow
from tests.ports import free_port
from tests.serving import serving
from tobiishi import http_server
from tobiishi.line.signature import sign
from tobiishi.settings import Settings

#: A starter that has as few descriptors as some systems give.
STARTER = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
import starter
starter.main()
"""
HALF_A_HEAD = b"POST /webhook HTTP/1.1\r\nHost: x\r\n"
HALF_A_BODY = HALF_A_HEAD + b"Content-Length: 100\r\n\r\n{"
WHOLE = b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n"


@contextmanager
def starter(settings: Settings, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    assert settings.database_url is not None
    assert settings.secret_key is not None
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.database_url,
        "LINE_CHANNEL_SECRET": SECRET,
        "LINE_CHANNEL_ACCESS_TOKEN": "access-token",
        "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        "TOBIISHI_API_TOKEN": TOKEN,
        "TOBIISHI_PORT": str(port),
        "TOBIISHI_SECRET_KEY": settings.secret_key.get_secret_value(),
    }
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-c", STARTER], env=environment, stdout=written, stderr=written
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def crowd(port: int, size: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """So many connections, each of which sends this much and no more."""
    came: list[socket.socket] = []
    try:
        for _ in range(size):
            one = socket.create_connection(("127.0.0.1", port), timeout=5)
            came.append(one)
            one.sendall(sent)
            one.setblocking(False)
        yield came
    finally:
        for one in came:
            one.close()


def is_cut(one: socket.socket) -> bool:
    try:
        return one.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("sent", [b"", HALF_A_HEAD, HALF_A_BODY], ids=["idle", "head", "body"])
async def test_a_crowd_of_idle_connections_keeps_no_webhook_out(
    settings: Settings, tmp_path: Path, sent: bytes
) -> None:
    port, log = free_port(), tmp_path / "log"
    url = f"http://127.0.0.1:{port}"

    async def knock() -> int:
        body = body_of(follow())
        async with httpx.AsyncClient(base_url=url, timeout=10, trust_env=False) as http:
            answer = await http.post(
                "/webhook", content=body, headers={"X-Line-Signature": sign(SECRET, body)}
            )
        return answer.status_code

    async def is_up() -> bool:
        try:
            return await knock() == 200
        except httpx.TransportError:
            return False

    with starter(settings, port, log):
        await eventually(is_up, seconds=60)
        with crowd(port, 200, sent) as came:
            for _ in range(5):
                began = time.monotonic()
                assert await knock() == 200
                assert time.monotonic() - began < 2
            assert len([one for one in came if not is_cut(one)]) <= 64
        # And all at once, while others knock.
        for _ in range(3):
            with crowd(port, 200, sent):
                assert await asyncio.gather(*(knock() for _ in range(10))) == [200] * 10
    assert log.stat().st_size < 20_000, log.read_text()[:2000]


@pytest.fixture
async def url(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A server whose patience is short."""
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 1.0)
    monkeypatch.setattr(http_server, "BODY_SECONDS", 1.0)
    monkeypatch.setattr(http_server, "READING_SECONDS", 1.0)
    monkeypatch.setattr(http_server, "LOOK_SECONDS", 0.1)

    async def take(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    async def think(_: Request) -> PlainTextResponse:
        await asyncio.sleep(3)
        return PlainTextResponse("done")

    async def big(_: Request) -> PlainTextResponse:
        return PlainTextResponse("x" * 50_000_000)

    routes = [Route("/take", take, methods=["POST"]), Route("/think", think), Route("/big", big)]
    async with serving(Starlette(routes=routes), http=http_server.ClientConnection) as url:
        yield url


@pytest.mark.parametrize(
    "sent",
    [b"", HALF_A_HEAD, HALF_A_BODY, b"GET /none HTTP/1.1\r\nHost: x\r\n\r\nGET /no", WHOLE],
    ids=["idle", "head", "body", "second request", "unread answer"],
)
async def test_who_lets_the_server_wait_is_cut_off(url: str, sent: bytes) -> None:
    port = int(url.rsplit(":", 1)[1])
    loop = asyncio.get_running_loop()
    with socket.socket() as one:
        one.setblocking(False)
        await loop.sock_connect(one, ("127.0.0.1", port))
        await loop.sock_sendall(one, sent)
        began = time.monotonic()

        async def closed() -> bool:
            return not http_server.ClientConnection.open

        await asyncio.sleep(0.3)
        assert not await closed()
        await eventually(closed, seconds=10)
        assert time.monotonic() - began > 0.9


async def test_a_drop_now_and_then_is_not_enough(url: str) -> None:
    port = int(url.rsplit(":", 1)[1])
    for sent in (HALF_A_HEAD, HALF_A_BODY):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)

        async def drop(to: asyncio.StreamWriter = writer) -> bool:
            to.write(b"x")
            with suppress(ConnectionError):
                await to.drain()
            return not http_server.ClientConnection.open

        await eventually(drop, seconds=8, every=0.05)
        writer.close()


async def test_a_long_body_and_a_long_thought_have_their_time(url: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(15):
            yield b"x" * 20_000
            await asyncio.sleep(0.2)

    async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as http:
        assert (await http.post("/take", content=pieces())).text == "300000"
        assert (await http.get("/think")).text == "done"
        assert len((await http.get("/big")).content) == 50_000_000


async def test_no_answer_waits_for_the_acknowledgement_of_its_own_head() -> None:
    at_once: asyncio.Queue[int] = asyncio.Queue()

    def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken_in = writer.get_extra_info("socket")
        at_once.put_nowait(taken_in.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    port = free_port()
    (door,) = http_server.doors("127.0.0.1", port)
    async with await asyncio.start_server(accepted, sock=door):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await at_once.get()
        writer.close()
