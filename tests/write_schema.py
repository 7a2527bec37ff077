"""Write `tobiishi/sql/schema.sql`, the schema that the migrations add up to: for people to read.

`make schema`, after a migration is added; a test tells where the two differ.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path

from tobiishi.database import SQL, Database
from tobiishi.local.postgres import EmbeddedPostgres, _bundled_programs

FILE = SQL / "schema.sql"
#: The version of the bundled Postgres.
MAJOR = 18

_HEAD = """\
-- The schema that the migrations add up to, to be read; nothing runs it. Written by `make schema`.

"""

#: What pg_dump says of every identity column, and goes without saying.
_SEQUENCE = (
    r"IDENTITY \(\s+SEQUENCE NAME \w+\s+START WITH 1\s+INCREMENT BY 1"
    r"\s+NO MINVALUE\s+NO MAXVALUE\s+CACHE 1\s+\)"
)


async def schema(dsn: str) -> str:
    """What the migrations made of an empty database."""
    dump = await asyncio.create_subprocess_exec(
        str(_bundled_programs() / "pg_dump"),
        "--schema-only",
        "--no-owner",
        "--no-privileges",
        f"--dbname={dsn}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaint = await dump.communicate()
    if dump.returncode != 0:
        raise RuntimeError(f"pg_dump: {complaint.decode()}")
    return _HEAD + _tidied(printed.decode())


def _tidied(dump: str) -> str:
    """The dump without what a session sets, and without pg_dump's own remarks."""
    # A function's body may hold lines like these: it stands between dollars, and is left alone.
    pieces = re.split(r"(\$\w*\$.*?\$\w*\$)", dump, flags=re.DOTALL)
    said = r"^(?:SET .*;|SELECT pg_catalog\.set_config\(.*;|--.*|\\\w+.*)\n"
    pieces[::2] = [re.sub(said, "", piece, flags=re.MULTILINE) for piece in pieces[::2]]
    text = "".join(pieces).replace("public.", "")
    text = re.sub(_SEQUENCE, "IDENTITY", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


async def _write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedPostgres(Path(folder), settings={"fsync": "off"}) as server:
            await (await Database.open(server.dsn)).close()
            FILE.write_text(await schema(server.dsn), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_write())
