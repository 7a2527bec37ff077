"""`tobiishi rehearse`: what a scenario would do, tried on this machine against nobody."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from tobiishi.cli import out
from tobiishi.cli.language import language
from tobiishi.cli.options import File
from tobiishi.cli.server import Failed
from tobiishi.errors import TobiishiError
from tobiishi.languages import Language
from tobiishi.rehearsal.happenings import FORMS, definitions_of, read_happening
from tobiishi.rehearsal.keeping import Asked, KeptRehearsal, differences, file_beside, lines_of
from tobiishi.rehearsal.paths import MOST
from tobiishi.rehearsal.persona import read_persona
from tobiishi.rehearsal.play import Play, start_in_words, start_of
from tobiishi.rehearsal.timeline import Timeline, Walkthrough, used_in_words
from tobiishi.rehearsal.words import Words
from tobiishi.scenario import ScenarioError, read
from tobiishi.settings import Settings

if TYPE_CHECKING:
    from tobiishi.rehearsal.stage import Stage

#: A rehearsal's database is thrown away: it need not wait for the disk.
_UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def rehearse(
    file: File,
    friend: Annotated[
        str,
        typer.Option(help="What is known of the friend: `gender=female,age=34,name=花子`."),
    ] = "",
    audience: Annotated[
        str, typer.Option("--in", help="The audiences that they are in at the start: `vip,gold`.")
    ] = "",
    tag: Annotated[
        list[str] | None, typer.Option(help="A tag that they carry; as often as there are.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help="When they start, local to the scenario: `2026-12-01T09:30`; now if left out."
        ),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            help="What happens to them, and when after the start: `+2d joins bought`, "
            f"`+2d 10:00 blocks`. Any of: {', '.join(FORMS.values())}."
        ),
    ] = None,
    all_paths: Annotated[
        bool, typer.Option("--all-paths", help="Every way, each by a friend made to take it.")
    ] = False,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many ways at most.")] = MOST,
    lang: Annotated[
        Language | None,
        typer.Option(help="The language of the timeline; the terminal's if left out."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs, messages whole.")] = False,
    save: Annotated[
        bool, typer.Option("--save", help="Keep what comes out, beside the scenario.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Rehearse what was kept; exit code 1 where something else comes out."
        ),
    ] = False,
    kept_as: Annotated[
        Path | None,
        typer.Option(help="The file to keep it in; FILE's name with .rehearsal.json if left out."),
    ] = None,
) -> None:
    """What a scenario would do: rehearse it here against nobody, on a clock that skips."""
    beside = kept_as or file_beside(file)
    asked_here = any((friend, audience, tag, at, event, all_paths, most != MOST))
    if check and (asked_here or save):
        raise Failed(
            f"--check rehearses what {beside} says; leave out --friend, --in, --tag, --at, "
            "--event, --all-paths, --most and --save"
        )
    if all_paths and event:
        raise Failed(
            "--event is of one friend, and --all-paths makes up what happens on each way; leave "
            "one of them out"
        )
    try:
        kept = KeptRehearsal.read(beside) if check else None
        asked = kept.rehearsed if kept else Asked(
            friend=friend,
            audiences=tuple(filter(None, (name.strip() for name in audience.split(",")))),
            tags=tuple(tag or ()),
            at=at or "",
            events=tuple(event or ()),
            all_paths=all_paths,
            most=most,
            language=lang or language(),
        )  # fmt: skip
        asked, play = _play(file, asked)
        came = asyncio.run(_rehearse(play, asked))
    except (TobiishiError, ScenarioError) as error:
        raise Failed(str(error)) from error
    if kept:
        _compare(kept, came, beside)
        return
    if save:
        beside.write_text(
            KeptRehearsal(rehearsed=asked, timeline=lines_of(came, asked.language)).as_text(),
            encoding="utf-8",
        )
        out.line(f"kept in {beside}", err=True)
    if as_json:
        out.lines(came.model_dump_json(indent=2))
    elif isinstance(came, Timeline):
        _show(came)
    else:
        _show_all(came, play.words)


def _play(file: Path, asked: Asked) -> tuple[Asked, Play]:
    """What is asked for, with its time; and as it is rehearsed."""
    source = read(file.read_bytes(), timezone=Settings.load().timezone)
    scenario = source.scenario
    start = start_of(asked.at or None, scenario.timezone)
    local = start.astimezone(ZoneInfo(scenario.timezone))
    definitions = definitions_of(scenario)
    persona = read_persona(
        asked.friend, scenario, audiences=asked.audiences, tags=asked.tags, today=local.date()
    )
    happenings = [read_happening(event, scenario, definitions) for event in asked.events]
    return asked.model_copy(update={"at": start_in_words(start, scenario.timezone)}), Play(
        source=source,
        persona=persona,
        start=start,
        happenings=happenings,
        language=asked.language,
    )


async def _rehearse(play: Play, asked: Asked) -> Timeline | Walkthrough:
    # What the relay and the activities log is of nobody's journey.
    logging.disable(logging.ERROR)
    async with _stage() as stage:
        from tobiishi.rehearsal.rehearsal import Rehearsal
        from tobiishi.rehearsal.walking import walk

        if asked.all_paths:
            return await walk(stage, play, most=asked.most)
        rehearsal = await Rehearsal.begin(stage, play)
        await rehearsal.finish()
        return rehearsal.timeline()


@asynccontextmanager
async def _stage() -> AsyncIterator[Stage]:
    """A stage on a Postgres in a folder of its own, which is gone afterwards."""
    from tobiishi.local.postgres import EmbeddedPostgres

    with tempfile.TemporaryDirectory(prefix="tobiishi-rehearsal-") as folder:
        postgres = EmbeddedPostgres(Path(folder), settings=_UNSAFE_BUT_FAST)
        # Its database takes a second to make, in which we load the rest and start Temporal.
        starting = asyncio.create_task(postgres.start())
        try:
            await asyncio.sleep(0)
            from tobiishi.rehearsal.stage import Stage, test_server

            async with test_server() as server:
                await starting
                async with Stage.open(server, postgres.dsn) as stage:
                    yield stage
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await postgres.stop()
            _remove_elsewhere(Path(folder))


def _remove_elsewhere(folder: Path) -> None:
    """Remove the data, where root had to have it in another folder."""
    location = folder / "location"
    if location.exists():
        shutil.rmtree(location.read_text(), ignore_errors=True)


def _show(timeline: Timeline) -> None:
    for line in timeline.lines():
        out.line(line)
    out.line(used_in_words(timeline))


def _show_all(came: Walkthrough, words: Words) -> None:
    taken = [walked for walked in came.ways if walked.timeline]
    for number, walked in enumerate(taken, start=1):
        out.line(words.heading(number, walked.way))
        if walked.instead:
            out.line(f"! {walked.instead}")
        assert walked.timeline is not None
        _show(walked.timeline)
        out.line("")
    for walked in came.ways:
        if walked.timeline is None:
            out.line(words.nobody(walked.way))
    out.line(words.walked(len(taken), came.count))
    if came.count > len(came.ways):
        out.line(words.not_looked_at(came.count - len(came.ways)))


def _compare(kept: KeptRehearsal, came: Timeline | Walkthrough, beside: Path) -> None:
    found = differences(kept.timeline, lines_of(came, kept.rehearsed.language))
    for line in found:
        out.line(line)
    if found:
        raise Failed(
            f"something else comes out than {beside} has; look at the lines above, and keep it by "
            "--save if it is meant"
        )
    out.line(f"the same as {beside} has")
