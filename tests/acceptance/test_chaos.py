"""A small chaos; and one that has to fail, since a check that can't is none."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

BRISK = ("--brisk", "--friends", "25", "--minutes", "0.5", "--rounds", "1")


async def chaos(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tobiishi.chaos", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


@pytest.mark.timeout(300)
async def test_everything_is_killed_and_every_friend_gets_each_message_once() -> None:
    code, said = await chaos(*BRISK, "--seed", "7")
    assert code == 0, said
    assert "every friend received what they should have" in said


@pytest.mark.timeout(300)
async def test_a_worker_with_random_retry_keys_is_caught() -> None:
    forgetful = Path(__file__).with_name("forgetful_worker.py")
    code, said = await chaos(
        *BRISK, "--minutes", "0.5", "--rounds", "0", "--seed", "7", "--worker", str(forgetful)
    )
    assert code == 1, said
    assert "doubled: should have" in said
