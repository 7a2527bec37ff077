"""The process of one rehearsal: see `tobiishi.rehearsal.process`."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any, TextIO

from pydantic import TypeAdapter

from tobiishi.database import Unavailable
from tobiishi.errors import Invalid, TobiishiError
from tobiishi.rehearsal.happenings import Happening, read_act, read_happening
from tobiishi.rehearsal.own_schema import own_schema
from tobiishi.rehearsal.persona import Persona
from tobiishi.rehearsal.play import Play
from tobiishi.rehearsal.process import IDLE_SECONDS
from tobiishi.rehearsal.rehearsal import Rehearsal
from tobiishi.rehearsal.stage import Stage, test_server
from tobiishi.rehearsal.walking import walk
from tobiishi.scenario import ScenarioError, read
from tobiishi.scenario.rules import Definition

_definition: TypeAdapter[Definition] = TypeAdapter(Definition)
Request = Mapping[str, Any]


class _Session:
    """What was asked for so far."""

    def __init__(self, parts: AsyncExitStack) -> None:
        self._parts = parts
        self._rehearsal: Rehearsal | None = None

    async def answer(self, request: Request) -> dict[str, Any]:
        try:
            return {"answer": await self._answer(request)}
        except (Invalid, ScenarioError) as error:
            return {"invalid": str(error)}
        except (TobiishiError, *Unavailable) as error:
            return {"failed": str(error)}

    async def _answer(self, request: Request) -> Any:
        match request["do"]:
            case "begin":
                stage, play = await self._stage(request), _play(request)
                self._rehearsal = await Rehearsal.begin(stage, play)
                if request["finish"]:
                    await self._rehearsal.finish()
            case "walk":
                stage, play = await self._stage(request), _play(request)
                return (await walk(stage, play, most=request["most"])).model_dump(mode="json")
            case "next" if not self._begun.is_over:
                await self._begun.next()
            case "finish":
                await self._begun.finish()
            case "happen":
                play = self._begun.play
                act, name, more = read_act(request["event"], play.scenario, play.definitions)
                await self._begun.happen(Happening(act=act, name=name, more=more))
            case _:
                pass
        return {
            "now": self._begun.local_now.isoformat(),
            "is_over": self._begun.is_over,
            "timeline": self._begun.timeline().model_dump(mode="json"),
        }

    @property
    def _begun(self) -> Rehearsal:
        assert self._rehearsal is not None
        return self._rehearsal

    async def _stage(self, request: Request) -> Stage:
        dsn = await self._parts.enter_async_context(own_schema(request["dsn"]))
        server = await self._parts.enter_async_context(test_server())
        return await self._parts.enter_async_context(Stage.open(server, dsn))


def _play(request: Request) -> Play:
    source = read(request["source"], timezone=request["timezone"])
    of_shop = {name: _definition.validate_python(each) for name, each in request["of_shop"].items()}
    play = Play(
        source=source,
        persona=Persona.model_validate(request["friend"]),
        start=datetime.fromisoformat(request["start"]),
        of_shop=of_shop,
        language=request["language"],
    )
    happenings = [
        read_happening(event, play.scenario, play.definitions) for event in request["events"]
    ]
    return replace(play, happenings=happenings)


async def _serve(answers: TextIO) -> None:
    """Answer until the input ends, which also ends what is being done; or nobody asks any more."""
    requests = asyncio.StreamReader(limit=64 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(requests), sys.stdin
    )
    asked: asyncio.Queue[bytes] = asyncio.Queue()
    working = asyncio.create_task(_work(asked, answers))
    reading = asyncio.create_task(_read(requests, asked))
    await asyncio.wait((working, reading), return_when=asyncio.FIRST_COMPLETED)
    for task in (working, reading):
        task.cancel()
    await asyncio.gather(working, reading, return_exceptions=True)


async def _read(requests: asyncio.StreamReader, asked: asyncio.Queue[bytes]) -> None:
    while line := await requests.readline():
        asked.put_nowait(line)


async def _work(asked: asyncio.Queue[bytes], answers: TextIO) -> None:
    async with AsyncExitStack() as parts:
        session = _Session(parts)
        while True:
            async with asyncio.timeout(IDLE_SECONDS):
                request = await asked.get()
            answer = await session.answer(json.loads(request))
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


if __name__ == "__main__":
    # What activities and the relay log here is of nobody's journey.
    logging.disable(logging.ERROR)
    # Webhooks go before a rehearsal.
    os.nice(10)
    # Temporal's server, which outlives us where we are killed, must not keep the answers open.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        asyncio.run(_serve(answers))
    # The SDK's threads may still hold the interpreter (temporalio/sdk-python#300).
    os._exit(0)
