"""`make run` with the real Postgres and Temporal, and stand-ins for the programs of ours."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.ports import free_ports
from tests.scenarios import yaml
from tobiishi.local.postgres import EmbeddedPostgres

STAND_INS = Path(__file__).with_name("stand_ins.py")
ROOT = Path(__file__).parents[3]
PORTS = (
    "TOBIISHI_PORT",
    "TOBIISHI_TEMPORAL_PORT",
    "TOBIISHI_TEMPORAL_UI_PORT",
    "TOBIISHI_SIMULATOR_PORT",
)


class Run:
    """A `make run` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def until(self, text: str) -> str:
        """Read on until a line has this text."""
        assert self.process.stdout is not None
        while line := (await self.process.stdout.readline()).decode():
            self.lines.append(line.rstrip())
            if text in line:
                return line.rstrip()
        pytest.fail(f"no {text!r} in:\n" + "\n".join(self.lines))

    async def end(self) -> int:
        """Read the rest and return the exit code."""
        assert self.process.stdout is not None
        rest = (await self.process.stdout.read()).decode()
        self.lines += rest.splitlines()
        return await self.process.wait()

    async def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """As Ctrl-C does: to every process of the foreground group."""
        os.killpg(self.process.pid, number)
        return await self.end()

    def children(self) -> dict[int, str]:
        """Pids and command lines of the running processes started by this one."""
        found = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                    words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if parent == self.process.pid:
                    found[int(folder.name)] = words
        return found

    def child(self, words: str) -> int:
        return next(pid for pid, line in self.children().items() if words in line)


class Desk:
    """Where runs are started from: one data folder, free ports, two examples."""

    def __init__(self, folder: Path) -> None:
        examples = folder / "examples" / "nested"
        examples.mkdir(parents=True)
        (examples.parent / "welcome.yaml").write_text("welcome")
        (examples / "broken.yaml").write_text("wrong")
        (examples / "retired.yaml").write_text(yaml("retired"))
        self.home = folder / "home"
        ports = free_ports(len(PORTS))
        self.ports = {name: str(port) for name, port in zip(PORTS, ports, strict=True)}
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TOBIISHI_", "TEMPORAL_", "LINE_", "DATABASE_URL"))
        }
        self.environment = {
            **inherited,
            **self.ports,
            "PYTHONPATH": str(ROOT),
            "TOBIISHI_HOME": str(self.home),
            "EXAMPLES": str(examples.parent),
        }

    @asynccontextmanager
    async def run(self, more: Mapping[str, str] | None = None) -> AsyncIterator[Run]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(STAND_INS), "run"),
            env={**self.environment, **(more or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        run = Run(process)
        try:
            yield run
        finally:
            if process.returncode is None:
                process.kill()
                await run.end()

    async def refusal(self, more: Mapping[str, str] | None = None) -> str:
        """The one line of a run that must not start."""
        async with self.run(more) as run:
            assert await run.end() == 1
            assert self.nothing_runs()
            return "\n".join(run.lines)

    def nothing_runs(self) -> bool:
        """No process has the data folder in its command line, its environment or as its place."""
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and int(folder.name) != os.getpid():
                try:
                    words = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
                except OSError:
                    continue
                if os.fsencode(self.home) in words:
                    return False
        return True


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def dsn_of(desk: Desk) -> str:
    """The address that the programs were given by the last run."""
    lines = (desk.home / "logs" / "worker.log").read_text().splitlines()
    told = [line for line in lines if line.startswith("worker {")]
    return str(json.loads(told[-1].removeprefix("worker "))["DATABASE_URL"])


async def eventually(check: Callable[[], Awaitable[bool] | bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = check()
        if answer if isinstance(answer, bool) else await answer:
            return
        await asyncio.sleep(0.05)
    pytest.fail("it never happened")


async def test_starts_shows_what_runs_where_and_stops(desk: Desk) -> None:
    async with desk.run() as run:
        await run.until("ready")
        assert run.lines[-1] == "ready"
        table = "\n".join(run.lines)
        for port in ("TOBIISHI_PORT", "TOBIISHI_TEMPORAL_UI_PORT", "TOBIISHI_SIMULATOR_PORT"):
            assert f"http://127.0.0.1:{desk.ports[port]}" in table
        assert str(desk.home) in table
        assert "welcome v1" in table
        assert "broken.yaml is not published: line 1: no such field" in table
        assert "retired" not in table
        assert "DATABASE_URL" in (desk.home / "logs" / "worker.log").read_text()

        keys = desk.home / "keys.env"
        assert stat.S_IMODE(desk.home.stat().st_mode) == 0o700
        assert stat.S_IMODE(keys.stat().st_mode) == 0o600
        secrets = [line.split("=", 1)[1] for line in keys.read_text().splitlines()[1:]]
        assert len(secrets) == 2
        assert secrets[0] in table
        assert not any(secret in line for secret in secrets for line in run.children().values())
        assert len(run.children()) == 5

        asked = time.monotonic()
        assert await run.stop() == 0
        assert time.monotonic() - asked < 10
    assert desk.nothing_runs()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_other_ways_to_ask(desk: Desk, number: signal.Signals) -> None:
    async with desk.run() as run:
        await run.until("ready")
        assert await run.stop(number) == 0
    assert desk.nothing_runs()


async def test_ctrl_c_while_starting(desk: Desk) -> None:
    async with desk.run({"STAND_IN_WORKER": "slow"}) as run:
        await eventually((desk.home / "logs" / "postgres.log").exists)
        assert await run.stop() == 0
    assert desk.nothing_runs()


async def test_programs_that_do_not_want_to_stop(desk: Desk) -> None:
    stubborn = {f"STAND_IN_{part}": "stubborn" for part in ("WORKER", "STARTER", "SIMULATOR")}
    async with desk.run(stubborn) as run:
        await run.until("ready")
        asked = time.monotonic()
        assert await run.stop() == 0
        assert time.monotonic() - asked < 10
    assert desk.nothing_runs()
    log = (desk.home / "logs" / "postgres.log").read_text()
    assert log.rstrip().endswith("database system is shut down")


async def test_the_next_run_finds_data_and_keys(desk: Desk) -> None:
    async with desk.run() as run:
        await run.until("ready")
        token = (desk.home / "keys.env").read_text()
        await run.stop()
    async with EmbeddedPostgres(desk.home / "postgres") as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("create table kept as select 1 as one")
        await connection.close()
    async with desk.run() as run:
        await run.until("ready")
        assert (desk.home / "keys.env").read_text() == token
        assert any(f"{desk.home}/keys.env" in line for line in run.lines)
        connection = await asyncpg.connect(dsn_of(desk))
        assert await connection.fetchval("select one from kept") == 1
        await connection.close()
        await run.stop()


async def test_what_is_killed_comes_back(desk: Desk) -> None:
    async with desk.run() as run:
        await run.until("ready")
        for name, words in (
            ("Postgres", "postgres -D"),
            ("Temporal", "start-dev"),
            ("worker", "stand_ins.py worker"),
            ("starter", "stand_ins.py starter"),
        ):
            os.kill(run.child(words), signal.SIGKILL)
            assert await run.until(f"the {name} ended (SIGKILL); starting it again")
            assert await run.until(f"the {name} runs again")
        assert await run.stop() == 0
    assert desk.nothing_runs()


async def test_nothing_outlives_a_kill_of_the_supervisor(desk: Desk) -> None:
    async with desk.run() as run:
        await run.until("ready")
        run.process.kill()
        await run.end()
        await eventually(desk.nothing_runs, 5)
    async with desk.run() as run:
        await run.until("ready")
        await run.stop()


async def test_two_on_one_folder(desk: Desk) -> None:
    async with desk.run() as first:
        await first.until("ready")
        async with desk.run() as second:
            assert await second.end() == 1
            assert second.lines == [
                f"tobiishi: another `make run` uses the data folder {desk.home}; stop that one "
                "first, or set TOBIISHI_HOME to another folder"
            ]
        await first.stop()


@pytest.mark.parametrize("name", PORTS)
async def test_port_in_use(desk: Desk, name: str) -> None:
    with socket.create_server(("127.0.0.1", int(desk.ports[name]))):
        line = await desk.refusal()
    assert line == f"tobiishi: port {desk.ports[name]} is in use; set {name} to another one"


async def test_one_port_twice(desk: Desk) -> None:
    port = desk.ports["TOBIISHI_PORT"]
    line = await desk.refusal({"TOBIISHI_SIMULATOR_PORT": port})
    assert line == (
        f"tobiishi: TOBIISHI_PORT and TOBIISHI_SIMULATOR_PORT are both {port}; "
        "set one to another port"
    )


async def test_database_out_of_reach(desk: Desk) -> None:
    url = "postgresql://somebody:hush@127.0.0.1:1/tobiishi"
    line = await desk.refusal({"DATABASE_URL": url})
    assert line.startswith("tobiishi: the database of DATABASE_URL can't be reached (")
    assert "hush" not in line
    assert "\n" not in line


async def test_temporal_out_of_reach(desk: Desk) -> None:
    line = await desk.refusal({"TEMPORAL_ADDRESS": "127.0.0.1:1"})
    assert line.startswith("tobiishi: the Temporal server at 127.0.0.1:1 can't be reached (")
    assert "\n" not in line


async def test_half_a_temporal(desk: Desk) -> None:
    line = await desk.refusal({"TEMPORAL_NAMESPACE": "prod"})
    assert line.endswith("set TEMPORAL_ADDRESS too, or none of the TEMPORAL_ variables")


async def test_missing_secret_and_wrong_settings(desk: Desk) -> None:
    line = await desk.refusal({"LINE_CHANNEL_ACCESS_TOKEN": "token"})
    assert line.startswith("tobiishi: LINE_CHANNEL_ACCESS_TOKEN is set but LINE_CHANNEL_SECRET")
    lines = await desk.refusal({"TOBIISHI_PORT": "http", "TOBIISHI_TIMEZONE": "Mars"})
    port, timezone = lines.splitlines()
    assert port.startswith("tobiishi: TOBIISHI_PORT: ")
    assert timezone.startswith("TOBIISHI_TIMEZONE: 'Mars' is not a time zone")


@pytest.mark.parametrize("part", ["worker", "starter", "simulator"])
async def test_a_program_that_fails(desk: Desk, part: str) -> None:
    said, line = (await desk.refusal({f"STAND_IN_{part.upper()}": "fail"})).splitlines()
    assert said == f"the {part} fails on purpose"
    assert line == (
        f"tobiishi: the {part} ended before it was ready (exit code 1); "
        f"see {desk.home}/logs/{part}.log"
    )


async def test_parts_that_others_run(desk: Desk, tmp_path: Path) -> None:
    """A Postgres, a Temporal server and a LINE channel of the operator's: none is started here."""
    other = Desk(tmp_path / "other")
    async with other.run() as theirs:
        await theirs.until("ready")
        dsn = dsn_of(other)
        environment = {
            "DATABASE_URL": dsn,
            "TEMPORAL_ADDRESS": f"127.0.0.1:{other.ports['TOBIISHI_TEMPORAL_PORT']}",
            "LINE_CHANNEL_ACCESS_TOKEN": "token",
            "LINE_CHANNEL_SECRET": "secret",
        }
        async with desk.run(environment) as run:
            await run.until("ready")
            assert len(run.children()) == 2
            assert environment["TEMPORAL_ADDRESS"] in "\n".join(run.lines)
            assert not any("Simulator" in line for line in run.lines)
            assert dsn in (desk.home / "logs" / "worker.log").read_text()
            assert await run.stop() == 0
        line = await desk.refusal({**environment, "TEMPORAL_NAMESPACE": "nowhere"})
        assert "has no namespace nowhere; create it" in line
        await theirs.stop()
