"""The embedded Postgres: a real one, as root and as anybody, through crashes."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tobiishi.local import LocalError, postgres
from tobiishi.local.postgres import EmbeddedPostgres

FAST = {"fsync": "off"}
ROOT = Path(__file__).parents[3]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has this problem")


@pytest.fixture(params=[True, False], ids=["namespace", "user"])
def namespaces(request: pytest.FixtureRequest, shared: Path) -> bool:
    if not request.param and os.geteuid() != 0:
        pytest.skip("only root needs another user")
    return bool(request.param)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stands in for the folder in /var/lib: one that everybody can reach."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    monkeypatch.setattr(postgres, "SHARED", folder / "tobiishi")
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def modes_above(path: Path) -> dict[Path, tuple[int, int, int]]:
    def facts(folder: Path) -> tuple[int, int, int]:
        status = folder.stat()
        return stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid

    return {folder: facts(folder) for folder in path.resolve().parents}


async def fetch(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_data_that_is_gone_is_not_replaced_by_an_empty_database(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", settings=FAST, namespaces=True)
    async with server:
        shutil.rmtree(server._served or tmp_path)
        await server.stop(0.1)
        for _ in range(2):
            with pytest.raises(LocalError, match=r"data of Postgres in .* is gone: put it back"):
                await server.start()
    # Who starts anew gets one.
    async with EmbeddedPostgres(tmp_path / "postgres", settings=FAST) as another:
        assert await fetch(another.dsn, "SELECT current_database()") == "tobiishi"


async def test_data_is_there_the_next_time(tmp_path: Path, namespaces: bool) -> None:
    folder = tmp_path / "postgres"
    async with EmbeddedPostgres(folder, settings=FAST, namespaces=namespaces) as server:
        await fetch(server.dsn, "CREATE TABLE friend AS SELECT '石' AS name")
    async with EmbeddedPostgres(folder, settings=FAST, namespaces=namespaces) as server:
        assert await fetch(server.dsn, "SELECT name FROM friend") == "石"
        assert await fetch(server.dsn, "SELECT current_database()") == "tobiishi"
        assert await fetch(server.dsn, "SHOW server_encoding") == "UTF8"
        assert await fetch(server.dsn, "SHOW listen_addresses") == ""
    assert server.pid is None


@needs_root
async def test_no_folder_above_is_opened(
    tmp_path: Path, namespaces: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs and data below a folder that only root can enter, as a clone in /root is."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    programs = postgres._copy(postgres._bundled_programs(), private / "clone")
    monkeypatch.setattr(postgres, "_bundled_programs", lambda: programs)
    folder = private / "clone" / ".tobiishi" / "postgres"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o700)
    before = modes_above(folder) | modes_above(programs)
    async with EmbeddedPostgres(folder, settings=FAST, namespaces=namespaces) as server:
        assert await fetch(server.dsn, "SELECT 1") == 1
        assert server.pid is not None
        owner = Path(f"/proc/{server.pid}").stat().st_uid
        assert (owner == 0) == namespaces
    assert modes_above(folder) | modes_above(programs) == before


@needs_root
async def test_data_of_a_namespace_is_not_shadowed_by_an_empty_database(
    tmp_path: Path, shared: Path
) -> None:
    async with EmbeddedPostgres(tmp_path / "postgres", settings=FAST):
        pass
    with pytest.raises(LocalError, match="now refuses"):
        await EmbeddedPostgres(tmp_path / "postgres", namespaces=False).start()


async def test_a_second_one_on_the_folder_is_refused(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "postgres", settings=FAST) as server:
        with pytest.raises(LocalError, match="is in use by another process") as refusal:
            await EmbeddedPostgres(tmp_path / "postgres").start()
        assert "\n" not in str(refusal.value)
        assert await fetch(server.dsn, "SELECT 1") == 1


async def test_comes_back_after_its_own_kill(tmp_path: Path, namespaces: bool) -> None:
    folder = tmp_path / "postgres"
    async with EmbeddedPostgres(folder, settings=FAST, namespaces=namespaces) as server:
        await fetch(server.dsn, "CREATE TABLE friend AS SELECT 1 AS id")
        connection = await asyncpg.connect(server.dsn)
        sleep = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.05)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert await server.wait() == -signal.SIGKILL
        await server.start()
        assert await fetch(server.dsn, "SELECT id FROM friend") == 1
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await sleep


PARENT = """
import asyncio, os, signal, sys
from pathlib import Path
import asyncpg
from tobiishi.local import children
from tobiishi.local.postgres import EmbeddedPostgres

if sys.argv[2] == "leave":
    children._bound_to_this_process = lambda signal: None

async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]))
    await server.start()
    connection = await asyncpg.connect(server.dsn)
    await connection.execute("CREATE TABLE friend AS SELECT 1 AS id")
    print(server.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.parametrize("leftover", [False, True])
async def test_comes_back_after_the_kill_of_its_parent(tmp_path: Path, leftover: bool) -> None:
    folder = tmp_path / "postgres"
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(folder), "leave" if leftover else "die"),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    output, _ = await parent.communicate()
    assert parent.returncode == -signal.SIGKILL
    pid = int(output)
    async with EmbeddedPostgres(folder) as server:
        assert await fetch(server.dsn, "SELECT id FROM friend") == 1
        assert server.pid != pid
        assert not running(pid)


async def test_dies_with_its_parent(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(tmp_path / "postgres"), "die"),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    output, _ = await parent.communicate()
    for _ in range(100):
        if not running(int(output)):
            return
        await asyncio.sleep(0.05)
    pytest.fail("Postgres outlived its parent by 5 s")


async def test_an_unrelated_process_of_the_same_number_does_not_matter(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    async with EmbeddedPostgres(folder, settings=FAST) as server:
        data = server.folder / "data"
    (data / "postmaster.pid").write_text(f"{os.getppid()}\n{data}\n")
    async with EmbeddedPostgres(folder, settings=FAST) as server:
        assert await fetch(server.dsn, "SELECT 1") == 1


async def test_an_interrupted_first_start_is_begun_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    async with EmbeddedPostgres(tmp_path / "postgres", settings=FAST) as server:
        assert await fetch(server.dsn, "SELECT 1") == 1


async def test_a_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / "with a space & more?"
    async with EmbeddedPostgres(folder, settings=FAST) as server:
        assert await fetch(server.dsn, "SELECT 1") == 1
        assert server._socket is not None
        socket = server._socket
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert folder not in socket.parents
    assert not socket.exists()


async def test_a_failure_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", settings={"no_such_setting": "1"})
    with pytest.raises(LocalError, match="no_such_setting") as refusal:
        await server.start()
    assert "\n" not in str(refusal.value)
    assert server.pid is None
    async with EmbeddedPostgres(tmp_path / "postgres", settings=FAST):
        pass


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
