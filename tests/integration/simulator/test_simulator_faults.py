"""What fails on demand, as Tobiishi's own client meets it; and what fails never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.integration.simulator.conftest import FRIEND, Clock
from tobiishi.line import (
    AcceptedPush,
    FriendNotFound,
    LineClient,
    LineError,
    QuotaSpent,
    RateLimited,
    Refused,
    Unreachable,
)
from tobiishi.simulator import ACCESS_TOKEN

HELLO = [{"type": "text", "text": "こんにちは"}]


@pytest.fixture
async def client(simulator: str) -> AsyncIterator[LineClient]:
    async with LineClient(base_url=simulator, access_token=ACCESS_TOKEN) as opened:
        yield opened


async def push(client: LineClient, key: UUID | None = None) -> AcceptedPush:
    return await client.push(FRIEND, HELLO, retry_key=key or uuid4())


async def is_accepted_before(http: httpx.AsyncClient, key: UUID) -> bool:
    """Whether LINE took an earlier message of that retry key for this one."""
    answer = await http.post(
        "/v2/bot/message/push",
        json={"to": FRIEND, "messages": HELLO},
        headers={"X-Line-Retry-Key": str(key)},
    )
    assert answer.status_code in {200, 409}
    return answer.status_code == 409


async def arrived(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = (await http.get("/_simulator/messages")).json()
    return messages


async def set_faults(http: httpx.AsyncClient, **faults: Any) -> None:
    (await http.put("/_simulator/faults", json=faults)).raise_for_status()


FAULTS: list[tuple[dict[str, Any], type[LineError], bool, int]] = [
    ({"rate_429": 1}, RateLimited, False, 0),
    ({"rate_quota_429": 1}, QuotaSpent, False, 0),
    ({"rate_500": 1}, Unreachable, True, 0),
    ({"timeout_before_acceptance": 1, "timeout_seconds": 0.1}, Unreachable, True, 0),
    ({"cut_before_acceptance": 1}, Unreachable, True, 0),
    ({"cut_after_acceptance": 1}, Unreachable, True, 1),
]


@pytest.mark.parametrize(
    ("faults", "kind", "ambiguous", "accepted"), FAULTS, ids=[next(iter(f[0])) for f in FAULTS]
)
async def test_fault(
    http: httpx.AsyncClient,
    client: LineClient,
    faults: dict[str, Any],
    kind: type[LineError],
    ambiguous: bool,
    accepted: int,
) -> None:
    await set_faults(http, **faults)
    key = uuid4()
    with pytest.raises(LineError) as raised:
        await push(client, key)
    assert type(raised.value) is kind
    assert raised.value.ambiguous is ambiguous
    assert len(await arrived(http)) == accepted
    (request,) = (await http.get("/_simulator/requests")).json()
    assert (request["fault"], request["retryKey"]) == (next(iter(faults)), str(key))
    await client.profile(FRIEND)  # Only sends fail, unless it is asked for.
    await set_faults(http)
    assert await is_accepted_before(http, key) is bool(accepted)
    assert len(await arrived(http)) == 1


@pytest.mark.parametrize(
    ("fault", "accepted"), [("timeout_before_acceptance", 0), ("timeout_after_acceptance", 1)]
)
async def test_timeout(http: httpx.AsyncClient, fault: str, accepted: int) -> None:
    await set_faults(http, **{fault: 1})
    with pytest.raises(httpx.ReadTimeout):
        await http.post("/v2/bot/message/push", json={"to": FRIEND, "messages": HELLO}, timeout=0.3)
    assert len(await arrived(http)) == accepted


async def test_late_answer_is_the_true_one(http: httpx.AsyncClient, client: LineClient) -> None:
    await set_faults(http, timeout_after_acceptance=1, timeout_seconds=0.2)
    assert (await push(client)).message_ids


async def test_cut_leaves_no_byte(http: httpx.AsyncClient) -> None:
    await set_faults(http, cut_after_acceptance=1)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        await http.post("/v2/bot/message/push", json={"to": FRIEND, "messages": HELLO})


async def test_all_requests_may_fail(http: httpx.AsyncClient, client: LineClient) -> None:
    await set_faults(http, rate_500=1, applies_to="all")
    with pytest.raises(Unreachable):
        await client.profile(FRIEND)


async def test_latency(http: httpx.AsyncClient, client: LineClient) -> None:
    await set_faults(http, latency_seconds=0.2)
    began = asyncio.get_running_loop().time()
    await client.bot_info()
    assert asyncio.get_running_loop().time() - began >= 0.2


async def test_same_seed_same_luck(http: httpx.AsyncClient) -> None:
    async def luck() -> list[int]:
        await set_faults(http, rate_500=0.5, seed=7)
        body = {"to": FRIEND, "messages": HELLO}
        return [(await http.post("/v2/bot/message/push", json=body)).status_code for _ in range(20)]

    first = await luck()
    assert set(first) == {200, 500}
    assert await luck() == first


async def test_rate_limit(http: httpx.AsyncClient, client: LineClient, clock: Clock) -> None:
    await set_faults(http, pushes_per_second=3)
    results = await asyncio.gather(*(push(client) for _ in range(20)), return_exceptions=True)
    assert 3 <= sum(isinstance(result, AcceptedPush) for result in results) < 20
    assert any(isinstance(result, RateLimited) for result in results)
    clock.ahead = 1
    await push(client)


async def test_every_message_once_however_much_fails(
    http: httpx.AsyncClient, client: LineClient
) -> None:
    await set_faults(
        http,
        rate_429=0.1,
        rate_500=0.1,
        cut_before_acceptance=0.1,
        timeout_after_acceptance=0.1,
        cut_after_acceptance=0.2,
        timeout_seconds=0.1,
        seed=1,
    )

    async def until_sent(key: UUID) -> None:
        while True:
            try:
                await push(client, key)
                return
            except (Unreachable, RateLimited):
                continue

    keys = [uuid4() for _ in range(60)]
    await asyncio.gather(*map(until_sent, keys))
    assert sorted(message["retryKey"] for message in await arrived(http)) == sorted(map(str, keys))


async def test_one_of_many_at_once_is_accepted(http: httpx.AsyncClient, client: LineClient) -> None:
    key = uuid4()
    sent = await asyncio.gather(*(push(client, key) for _ in range(50)))
    assert len({(each.request_id, each.message_ids) for each in sent}) == 1
    assert len(await arrived(http)) == 1


async def test_retry_key_is_forgotten_after_a_day(
    http: httpx.AsyncClient, client: LineClient, clock: Clock
) -> None:
    key = uuid4()
    await push(client, key)
    clock.ahead = 24 * 3600 - 60
    assert await is_accepted_before(http, key)
    clock.ahead = 24 * 3600 + 60
    assert not await is_accepted_before(http, key)
    assert len(await arrived(http)) == 2


async def test_client_meets_strangers(http: httpx.AsyncClient, client: LineClient) -> None:
    await set_faults(http, unknown_users="refuse")
    with pytest.raises(FriendNotFound):
        await client.profile(FRIEND)
    with pytest.raises(Refused, match="Failed to send messages"):
        await push(client)


async def test_client_reads_quota(http: httpx.AsyncClient, client: LineClient) -> None:
    assert (await client.quota()).limit is None
    await set_faults(http, quota=1)
    await push(client)
    assert ((await client.quota()).limit, await client.quota_consumption()) == (1, 1)
    with pytest.raises(QuotaSpent):
        await push(client)
