"""Work that tells Temporal that it goes on, and is finished once it was begun."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.heartbeats import let_finish


class Work:
    """Takes so long, and notes whether it came to its end."""

    def __init__(self, seconds: float, *, fails: bool = False) -> None:
        self.seconds = seconds
        self.fails = fails
        self.ended = False

    async def __call__(self) -> str:
        return await let_finish(self._do())

    async def _do(self) -> str:
        await asyncio.sleep(self.seconds)
        self.ended = True
        if self.fails:
            raise ValueError("LINE is away")
        return "sent"


@pytest.fixture(autouse=True)
def beats_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.heartbeats.HEARTBEAT_INTERVAL", timedelta(seconds=0.05))


@pytest.fixture
def env() -> ActivityEnvironment:
    return ActivityEnvironment()


@pytest.mark.parametrize(("seconds", "beats"), [(0, False), (0.3, True)])
async def test_only_what_takes_long_beats(
    env: ActivityEnvironment, seconds: float, beats: bool
) -> None:
    beaten: list[object] = []
    env.on_heartbeat = lambda *details: beaten.append(details)
    assert await env.run(Work(seconds)) == "sent"
    assert bool(beaten) is beats


async def test_what_goes_wrong_is_told(env: ActivityEnvironment) -> None:
    with pytest.raises(ValueError, match="LINE is away"):
        await env.run(Work(0.1, fails=True))


async def test_a_cancelled_one_is_finished(env: ActivityEnvironment) -> None:
    running = asyncio.create_task(env.run(Work(0.3)))
    await asyncio.sleep(0.1)
    env.cancel()
    assert await running == "sent"


async def test_a_worker_that_stops_breaks_it_off(env: ActivityEnvironment) -> None:
    work = Work(0.3)
    running = asyncio.create_task(env.run(work))
    await asyncio.sleep(0.1)
    env.worker_shutdown()
    env.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.sleep(0.3)
    assert not work.ended
