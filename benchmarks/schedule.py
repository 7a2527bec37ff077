"""The schedule of many journeys under way, beside one bare count of them.

.venv/bin/python -m benchmarks.schedule [JOURNEYS]

Half of them wait to send, the others at branches or for an audience; as many again are over. Prints
how long each takes, and how much longer the schedule takes for twice as many.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.fernet import Fernet
from pydantic import SecretStr

from tobiishi.channels.channels import Channel, Channels
from tobiishi.channels.vault import Vault
from tobiishi.database import Database, clock
from tobiishi.journeys import schedule
from tobiishi.local.postgres import EmbeddedPostgres
from tobiishi.publishing import versions
from tobiishi.publishing.versions import Versions
from tobiishi.scenario import read_scenario

SCENARIOS = 10
TIMES = 5

SCENARIO = """
scenario: s{number}
title: 春のお知らせ
start: friend_added
window: {{from: "09:00", to: "21:00"}}
steps:
  - send: {{name: hello, messages: [{{type: text, text: a}}]}}
  - wait: {{days: 3}}
  - branch:
      - when: {{audience: vip}}
        steps: [{{send: {{name: coupon, messages: [{{type: text, text: b}}]}}}}]
      - otherwise:
        steps: [{{send: {{name: reminder, messages: [{{type: text, text: c}}]}}}}]
  - wait: {{days: 2, at: "10:00"}}
  - wait_for:
      audience: bought
      up_to: {{days: 7}}
      too_late: [{{send: {{name: last, messages: [{{type: text, text: d}}]}}}}]
  - send: {{name: end, messages: [{{type: text, text: e}}]}}
"""

_FRIENDS = """
insert into friends (channel, friend, status, status_at)
select 'default', 'U' || md5(number::text), 'following', now()
from generate_series($1::int, $2::int) as number
"""
_JOURNEYS = """
insert into journeys (channel, scenario, version, friend, entry, why, started_at, ended_at, outcome,
    next_action, next_step, next_visit, next_due, next_wait)
select 'default', 's' || number % $3, 1, 'U' || md5(number::text), 1, 'x', now(),
    case when over then now() end, case when over then 'completed' end,
    (array['send', 'send', 'branch', 'look'])[kind], (array['0', '2.1.0', '2', '4'])[kind], 1,
    now() + random() * interval '10 days', ''
from generate_series($1::int, $2::int) as number,
    lateral (select number / 10 % 2 = 0 as over, 1 + number / 20 % 4 as kind) as what
"""
_TRAIL = """
insert into trail (journey_id, step, visit, at, said, detail)
select id, step, 1, now(), 'x', case step
    when '2' then jsonb_build_object('case', id % 3 % 2)
    when '4' then jsonb_build_object('way', id % 2) else '{}' end
from journeys, unnest(array['0', '2', '2.1.0', '4', '5']) as step
where ended_at is not null and not exists (select from trail where journey_id = journeys.id)
"""


async def main(journeys: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedPostgres(Path(folder), settings={"fsync": "off"}) as server:
            database = await Database.open(server.dsn)
            try:
                await _prepare(database)
                took = []
                for first, last in ((0, journeys), (journeys, 2 * journeys)):
                    await _fill(database, 2 * first, 2 * last)
                    took.append(await _measure(database, last))
                print(f"twice as many: {took[1] / took[0]:.2f} times as long")
            finally:
                await database.close()


async def _prepare(database: Database) -> None:
    channels = Channels(Vault(SecretStr(Fernet.generate_key().decode())))
    async with database.transaction() as connection:
        await channels.put(
            connection,
            Channel(
                channel="default",
                title="default",
                secret="secret",
                access_token="token",
                api_base_url="http://127.0.0.1:1",
            ),
        )
        for number in range(SCENARIOS):
            text = SCENARIO.format(number=number)
            now = await clock(connection)
            await versions.publish(connection, "default", read_scenario(text), text, now=now)


async def _fill(database: Database, first: int, last: int) -> None:
    async with database.long_transaction() as connection:
        await connection.execute(_FRIENDS, first, last - 1)
        await connection.execute(_JOURNEYS, first, last - 1, SCENARIOS)
        await connection.execute(_TRAIL)
    async with database.connection() as connection:
        await connection.execute("analyze")


async def _measure(database: Database, journeys: int) -> float:
    """Seconds that the schedule takes: the least of some times."""
    known = Versions()
    tokyo = ZoneInfo("Asia/Tokyo")
    async with database.connection() as connection:
        now = await clock(connection) + timedelta(seconds=1)

        async def count() -> int:
            return int(
                await connection.fetchval(
                    "select count(*) from journeys where channel = 'default'"
                    " and ended_at is null and next_due < now() + interval '14 days'"
                )
            )

        async def whole() -> int:
            found = await schedule.schedule(
                connection, known, "default", now=now, days=14, zone=tokyo
            )
            return sum(line.confirmed + line.expected for line in found.lines)

        counting, _ = await _least(count)
        scheduling, sends = await _least(whole)
    print(
        f"{journeys:,} under way, {sends:,} sends: {scheduling * 1000:.0f} ms "
        f"({counting * 1000:.1f} ms to count them, {scheduling / counting:.0f} times as long)"
    )
    return scheduling


async def _least(measured: Callable[[], Awaitable[int]]) -> tuple[float, int]:
    took, answer = [], 0
    for _ in range(TIMES):
        began = time.perf_counter()
        answer = await measured()
        took.append(time.perf_counter() - began)
    return min(took), answer


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000))
