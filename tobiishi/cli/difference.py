"""`tobiishi scenario diff`: what differs between two versions, or between a file and a version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import out
from tobiishi.cli.language import language
from tobiishi.cli.options import Channel
from tobiishi.cli.server import Failed, call, path_of


def diff(
    what: Annotated[str, typer.Argument(help="A scenario's name, or a file.", metavar="SCENARIO")],
    a: Annotated[int | None, typer.Argument(help="The older version.", min=1)] = None,
    b: Annotated[int | None, typer.Argument(help="The newer version.", min=1)] = None,
    lang: Annotated[str | None, typer.Option(help="ja or en; else by LANG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    channel: Channel = DEFAULT,
) -> None:
    """What differs, in words: of two versions, or of a file and the live version.

    `diff welcome 3 5`: of two versions; `diff welcome 3`: of version 3 and the live one;
    `diff welcome`: of the live one and the one before it; `diff welcome.yaml`: what publishing the
    file would change.
    """
    if lang not in (None, "ja", "en"):
        raise Failed(f"--lang is ja or en, not {lang!r}")
    params: dict[str, Any] = {"channel": channel, "lang": lang or language()}
    if a is not None:
        params["a"] = a
    file = Path(what)
    if file.is_file():
        if b is not None:
            raise Failed("a file is compared with one version; name one")
        content = file.read_bytes()
        done = call("POST", "/api/scenarios/diff", params=params, content=content)
    elif file.suffix or file.parent != Path():
        raise Failed(f"there is no file {what}")
    else:
        if b is not None:
            params["b"] = b
        done = call("GET", path_of("scenarios", what, "diff"), params=params)
    if as_json:
        out.lines(json.dumps(done, ensure_ascii=False, indent=2))
        return
    newer = what if done["b"] is None else f"v{done['b']}"
    out.line(f"{done['scenario']} v{done['a']} → {newer}")
    for each in done["text"].split("\n"):
        out.line(f"  {each}")
