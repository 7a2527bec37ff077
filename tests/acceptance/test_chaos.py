"""A small chaos; and one that has to fail, since a check that can't is none."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BRISK = ("--brisk", "--friends", "25", "--minutes", "0.5")


async def chaos(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tobiishi.chaos", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


@pytest.fixture(scope="module")
async def both() -> tuple[tuple[int | None, str], tuple[int | None, str]]:
    """A chaos, and one without kills but with a worker that is not right; at the same time."""
    forgetful = str(Path(__file__).with_name("forgetful_worker.py"))
    return await asyncio.gather(
        chaos(*BRISK, "--rounds", "1", "--seed", "7"),
        chaos(*BRISK, "--rounds", "0", "--seed", "7", "--worker", forgetful),
    )


@pytest.mark.timeout(300)
def test_everything_is_killed_and_every_friend_gets_each_message_once(both: Any) -> None:
    (code, said), _ = both
    assert code == 0, said
    assert "every friend received what they should have" in said


@pytest.mark.timeout(300)
def test_a_worker_with_random_retry_keys_is_caught(both: Any) -> None:
    _, (code, said) = both
    assert code == 1, said
    assert "doubled: should have" in said
