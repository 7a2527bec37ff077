"""Children: started with what they need, stopped in order or by force."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tobiishi.local import children
from tobiishi.local.children import Child, Command, last_lines, rotate


def python(script: str, log: Path, **options: object) -> Command:
    return Command((sys.executable, "-c", script), log, **options)  # type: ignore[arg-type]


async def written(log: Path) -> None:
    for _ in range(1000):
        if last_lines(log):
            return
        await asyncio.sleep(0.01)
    pytest.fail("the child writes nothing")


async def test_output_goes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "child.log"
    child = await Child.start(python("print('one'); print(); raise SystemExit(3)", log))
    assert await child.wait() == 3
    assert last_lines(log) == ["one"]


async def test_stops_in_order(tmp_path: Path) -> None:
    script = (
        "import signal, time\n"
        "signal.signal(signal.SIGINT, lambda *_: exit(7))\n"
        "print('up', flush=True)\n"
        "time.sleep(60)"
    )
    log = tmp_path / "log"
    child = await Child.start(python(script, log, stop_signal=signal.SIGINT))
    await written(log)
    assert await child.stop(10) == 7
    assert await child.stop(10) == 7


async def test_is_killed_when_it_does_not_stop(tmp_path: Path) -> None:
    script = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('up', flush=True)\n"
        "time.sleep(60)"
    )
    log = tmp_path / "log"
    child = await Child.start(python(script, log))
    await written(log)
    assert await child.stop(0.1) == -signal.SIGKILL


async def test_no_such_program(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await Child.start(Command(("/no/such/program",), tmp_path / "log"))


def test_a_long_log_is_cut_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_MAX_LOG_BYTES", 10)
    log = tmp_path / "log"
    with log.open("a") as writer:
        print("a line before", file=writer, flush=True)
        rotate(log)
        assert log.stat().st_size == 0
        print("after", file=writer, flush=True)
    rotate(log)
    assert log.read_text() == "after\n"
    assert (tmp_path / "log.1").read_text() == "a line before\n"
