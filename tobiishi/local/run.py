"""`make run`: all of Tobiishi on one machine, from an empty folder to `ready`.

A part whose real counterpart the settings name is not started: `DATABASE_URL` stands for
Postgres, `TEMPORAL_ADDRESS` for Temporal, `LINE_CHANNEL_ACCESS_TOKEN` for the LINE simulator.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.service import RPCError, RPCStatusCode

from tobiishi.codec import path_of
from tobiishi.local import LocalError
from tobiishi.local.children import Command
from tobiishi.local.folder import claim
from tobiishi.local.keys import missing_keys
from tobiishi.local.postgres import EmbeddedPostgres
from tobiishi.local.supervisor import Program, Supervisor, answers, has_written, listens
from tobiishi.local.temporal_server import NAMESPACE, EmbeddedTemporal
from tobiishi.scenario import Scenario, ScenarioError, read_scenario
from tobiishi.settings import Settings, public_address
from tobiishi.simulator.login import LOGIN_CHANNEL_ID, LOGIN_CHANNEL_SECRET
from tobiishi.temporal import SEARCH_ATTRIBUTES, connect, connect_config
from tobiishi.text import visible
from tobiishi.tokens import Signer

#: The shop in the examples.
EXAMPLE_SHOP = "https://shop.example"

_ROOT = Path(__file__).resolve().parents[2]
_REACH_SECONDS = 5.0
_NOT_FOUND = 404
_PUBLISH_SECONDS = 30.0

#: Access token and channel secret of the simulator's channel. Used by nothing else, so not secret.
_SIMULATOR_TOKEN = "simulator-token"  # noqa: S105
SIMULATOR_SECRET = "simulator-secret"  # noqa: S105


@dataclass(frozen=True)
class Programs:
    """The programs of our own parts."""

    #: Says `worker ready` when it polls for work.
    worker: tuple[str, ...] = (sys.executable, str(_ROOT / "worker.py"))
    #: Serves the HTTP API, with `/readyz`.
    starter: tuple[str, ...] = (sys.executable, str(_ROOT / "starter.py"))
    #: Takes `--port`, `--webhook-url` and `--database`.
    simulator: tuple[str, ...] = (sys.executable, "-m", "tobiishi.simulator")
    #: Folder of the scenarios that are published.
    examples: Path = _ROOT / "examples"


async def run(settings: Settings, programs: Programs | None = None) -> int:
    """Run everything until SIGINT, SIGTERM or SIGHUP. Returns the exit code.

    Stopped by one of these: 0, within 10 seconds. A part that can't be started: 1, after a line
    on stderr, with nothing left running.
    """
    work = asyncio.create_task(_run(settings, programs or Programs()))
    asked = False

    def stop() -> None:
        nonlocal asked
        if not asked:  # a second signal must not interrupt the shutdown
            asked = True
            work.cancel()

    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        await work
    except LocalError as error:
        for line in (*error.log_lines, f"tobiishi: {error}"):
            print(line, file=sys.stderr, flush=True)
        return 1
    except asyncio.CancelledError:
        if not asked:
            raise
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
    return 0


async def _run(settings: Settings, programs: Programs) -> None:
    home = settings.home.resolve()
    with claim(
        home,
        f"another `make run` uses the data folder {home}; stop that one first, "
        "or set TOBIISHI_HOME to another folder",
    ):
        external_temporal = _external_temporal()
        _check_ports(settings, temporal=external_temporal is None)
        supervisor = Supervisor(_print)
        try:
            await _start(settings, home, programs, supervisor, external_temporal)
            print("ready", flush=True)
            await supervisor.keep_running()
        finally:
            await supervisor.stop()


async def _start(
    settings: Settings,
    home: Path,
    programs: Programs,
    supervisor: Supervisor,
    external_temporal: str | None,
) -> None:
    logs = home / "logs"
    environment = {
        **os.environ,
        **settings.environment(),
        "TOBIISHI_HOME": str(home),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")])),
        "PYTHONUNBUFFERED": "1",
    }
    keys = missing_keys(home, settings.environment())
    environment |= keys

    if settings.database_url:
        await _reach_database(settings.database_url)
    else:
        postgres = EmbeddedPostgres(home / "postgres", log=logs / "postgres.log")
        await supervisor.start(postgres)
        environment["DATABASE_URL"] = postgres.dsn

    if external_temporal:
        await _reach_temporal(external_temporal)
    else:
        temporal = EmbeddedTemporal(
            home / "temporal.db",
            port=settings.temporal_port,
            ui_port=settings.temporal_ui_port,
            search_attributes=SEARCH_ATTRIBUTES,
            codec_endpoint=_codec_endpoint(settings, environment["TOBIISHI_SECRET_KEY"]),
            log=logs / "temporal.log",
        )
        await supervisor.start(temporal)
        environment |= {"TEMPORAL_ADDRESS": temporal.address, "TEMPORAL_NAMESPACE": NAMESPACE}

    starter = _starter_url(settings)
    simulator = None
    if not settings.line_channel_access_token:
        simulator = f"http://127.0.0.1:{settings.simulator_port}"
        environment |= {
            "LINE_CHANNEL_SECRET": settings.environment().get(
                "LINE_CHANNEL_SECRET", SIMULATOR_SECRET
            ),
            "LINE_CHANNEL_ACCESS_TOKEN": _SIMULATOR_TOKEN,
            "LINE_API_BASE_URL": simulator,
            "LINE_LOGIN_CHANNEL_ID": LOGIN_CHANNEL_ID,
            "LINE_LOGIN_CHANNEL_SECRET": LOGIN_CHANNEL_SECRET,
        }
        # For real friends' phones this machine's own address would lead nowhere.
        if settings.public_url is None:
            with contextlib.suppress(ValueError):
                environment["TOBIISHI_PUBLIC_URL"] = public_address(starter)
        arguments = (
            f"--port={settings.simulator_port}",
            f"--webhook-url={starter}/webhook",
            f"--database={home / 'simulator.db'}",
            f"--shop={programs.examples / 'shop'}",
        )
        command = Command((*programs.simulator, *arguments), logs / "simulator.log", environment)
        await supervisor.start(Program("simulator", command, listens(settings.simulator_port)))

    command = Command(programs.worker, logs / "worker.log", environment)
    await supervisor.start(Program("worker", command, has_written("worker ready")))
    command = Command(programs.starter, logs / "starter.log", environment)
    await supervisor.start(Program("starter", command, answers(f"{starter}/readyz")))

    token = environment["TOBIISHI_API_TOKEN"]
    scenarios = await _publish(programs.examples, starter, token, simulator)

    _print_table(
        {
            "Starter": starter,
            "Webhook": f"{starter}/webhook",
            "HTTP API": f"{starter}/docs",
            "Temporal UI": f"http://127.0.0.1:{settings.temporal_ui_port}",
            "Simulator": simulator,
            "Demo shop": simulator and f"{simulator}/shop/",
            "Scenarios": ", ".join(scenarios),
            "Data folder": str(home),
            "API token": _token_in_words(home, token, keys),
        }
        | ({"Temporal UI": None, "Temporal": external_temporal} if external_temporal else {})
    )


def _check_ports(settings: Settings, *, temporal: bool) -> None:
    """Check that all needed ports are free. Raises `LocalError`."""
    needed = [("port", settings.host)]
    if temporal:
        needed += [("temporal_port", "127.0.0.1"), ("temporal_ui_port", "127.0.0.1")]
    if not settings.line_channel_access_token:
        needed.append(("simulator_port", "127.0.0.1"))
    seen: dict[int, str] = {}
    for field, host in needed:
        port, name = getattr(settings, field), Settings.variable(field)
        if port in seen:
            raise LocalError(f"{seen[port]} and {name} are both {port}; set one to another port")
        seen[port] = name
        _check_port(host, port, name)


def _check_port(host: str, port: int, name: str) -> None:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family):
            pass
    except OSError as error:
        if isinstance(error, socket.gaierror) or "assign" in str(error):
            raise LocalError(f"TOBIISHI_HOST {host} is not an address of this machine") from error
        reason = "is in use" if "in use" in str(error) else f"cannot be opened ({error.strerror})"
        raise LocalError(f"port {port} {reason}; set {name} to another one") from error


def _external_temporal() -> str | None:
    """The address of the Temporal server that the environment names, if it does."""
    config = connect_config()
    address = config.get("target_host")
    if not address and any(config.values()):
        raise LocalError(
            f"the environment describes a Temporal server ({', '.join(sorted(config))}) but not "
            "where it is; set TEMPORAL_ADDRESS too, or none of the TEMPORAL_ variables"
        )
    return address


async def _reach_database(url: str) -> None:
    try:
        connection = await asyncpg.connect(url, timeout=_REACH_SECONDS)
        await connection.close()
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as e:
        raise LocalError(
            f"the database of DATABASE_URL can't be reached ({_short(e)}); start it, "
            "correct DATABASE_URL, or unset it to have one started here"
        ) from e


async def _reach_temporal(address: str) -> None:
    try:
        async with asyncio.timeout(_REACH_SECONDS):
            client = await connect()
            await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace=client.namespace)
            )
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise LocalError(
                f"the Temporal server at {address} has no namespace {client.namespace}; create it "
                "(temporal operator namespace create), or correct TEMPORAL_NAMESPACE"
            ) from error
        if error.status != RPCStatusCode.PERMISSION_DENIED:  # it may well let us work
            raise _unreachable(address, error) from error
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        raise _unreachable(address, error) from error


def _unreachable(address: str, error: Exception) -> LocalError:
    return LocalError(
        f"the Temporal server at {address} can't be reached ({_short(error)}); start it, "
        "correct TEMPORAL_ADDRESS, or unset it to have one started here"
    )


async def _publish(folder: Path, starter: str, token: str, simulator: str | None) -> list[str]:
    """Publish the scenarios of a folder, except retired ones, with the routes they start on.

    An invalid one is reported and skipped. With a simulator, its demo shop replaces the shop in the
    examples.
    """
    published = []
    shop = f"{simulator}/shop" if simulator else EXAMPLE_SHOP
    async with httpx.AsyncClient(
        base_url=starter,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/yaml"},
        timeout=_PUBLISH_SECONDS,
        trust_env=False,
    ) as http:
        try:
            if simulator:
                await http.put(f"/api/sites/{urlsplit(simulator).netloc}")
            answer = await http.get("/api/scenarios", params={"retired": True})
            retired = {row["scenario"] for row in answer.raise_for_status().json()}
            for file in _scenario_files(folder):
                text = file.read_bytes().replace(EXAMPLE_SHOP.encode(), shop.encode())
                scenario = _scenario_in(text)
                if scenario and scenario.scenario in retired:
                    continue
                for route in _routes_of(scenario) if scenario else ():
                    if (await http.get(f"/api/routes/{route}")).status_code == _NOT_FOUND:
                        await http.put(
                            f"/api/routes/{route}",
                            json={},
                            headers={"Content-Type": "application/json"},
                        )
                response = await http.post("/api/scenarios", content=text)
                if response.is_success:
                    answer = response.json()
                    published.append(f"{answer['scenario']} v{answer['version']}")
                else:
                    _print(f"{file} is not published: {_short(_detail(response))}")
        except httpx.HTTPError as error:
            raise LocalError(f"the starter does not answer ({_short(error)})") from error
    return published


def _scenario_in(text: bytes) -> Scenario | None:
    """The scenario; None in a file that is wrong."""
    with contextlib.suppress(ScenarioError):
        return read_scenario(text)
    return None


def _routes_of(scenario: Scenario) -> tuple[str, ...]:
    """The routes that it starts on."""
    return (scenario.start.friend_added and scenario.start.friend_added.routes) or ()


def _scenario_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.yaml"))


def _detail(response: httpx.Response) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(response.json()["detail"])
    return response.text or f"status {response.status_code}"


def _codec_endpoint(settings: Settings, secret_key: str) -> str | None:
    """The codec endpoint for the Temporal UI, where payloads are encrypted."""
    if settings.payload_keys is None:
        return None
    return _starter_url(settings) + path_of(Signer(SecretStr(secret_key)))


def _starter_url(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host and '[' not in host else host}:{settings.port}"


def _token_in_words(home: Path, token: str, keys: dict[str, str]) -> str:
    if "TOBIISHI_API_TOKEN" not in keys:
        return "as set in TOBIISHI_API_TOKEN"
    return f"{token} (kept in {home / 'keys.env'})"


def _print_table(rows: dict[str, str | None]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for what, where in rows.items():
        if where:
            table.add_row(what, where)
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 200  # a log has no edge to fold addresses at
    console.print(table)


def _print(line: str) -> None:
    print(visible(line), flush=True)


def _short(error: object) -> str:
    """The first line of an error, or its kind where it has no words."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
