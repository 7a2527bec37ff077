"""A file of user ids becomes members of an audience."""

from __future__ import annotations

import asyncio
import secrets

from benchmarks.figures import Figure, rate
from benchmarks.stage import Stage

BARE = """\
COPY of the same file into an empty table with the same key, and no other index. It looks at no id,
and one wrong or doubled line would refuse the whole file."""


async def measure(stage: Stage) -> list[Figure]:
    count = stage.sizes.ids
    file = stage.home / "ids.txt"
    file.write_text("".join(f"U{secrets.token_hex(16)}\n" for _ in range(count)))
    name = stage.name("list")
    await stage.audience(name)
    content = await asyncio.to_thread(file.read_bytes)
    async with stage.ours() as ours:
        answer = await stage.api.post(f"/api/audiences/{name}/upload", content=content)
    assert answer.raise_for_status().json()["joined"] == count
    await stage.database.execute("truncate bare_members")
    async with stage.bare("starter", "postgres") as bare:
        (await stage.bare_api.post("/copy", json={"file": str(file)})).raise_for_status()
    return [rate(f"{count:,} ids", "thousands", count // 1000, ours.spent, bare.spent)]
