"""Why, for ever: a friend's journey is told by a starter that has no Temporal to ask.

That it is told after all histories were lost, see `test_restores.py`.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.acceptance.conftest import API_TOKEN, Shop
from tests.ports import free_port
from tests.serving import serving
from tobiishi.api import create_app
from tobiishi.settings import Settings

WELCOME = """
scenario: welcome
title: ようこそ
start: friend_added
audiences:
  bought: {kind: upload, title: 購入者}
  opened: {kind: click, title: リンクを開いた人, message: hello}
exit: [{joins: bought}]
steps:
  - send: {name: hello, messages: [{type: text, text: "{{ friend.display_name }}さん、ようこそ！"}]}
  - wait: {days: 3, at: "10:00"}
  - branch:
      - when: {all: [{audience: opened}, {gender: female}]}
        steps: [{send: {name: women, messages: [{type: text, text: 女性の方へ}]}}]
      - otherwise:
        steps: [{send: {name: coupon, messages: [{type: text, text: クーポン}]}}]
  - wait: {days: 30}
  - send: {name: month, messages: [{type: text, text: ひと月たちました}]}
"""


async def why(api: httpx.AsyncClient, friend: str, **asked: str) -> str:
    answer = await api.get(f"/api/friends/{friend}/why", params=asked)
    found: dict[str, Any] = answer.raise_for_status().json()
    return str(found["text"])


async def test_a_journey_is_told_without_temporal(
    shop: Shop, dsn: str, secret_key: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.publish(WELCOME)
    hanako = await shop.line.add_friend(displayName="花子")
    await shop.line.got(hanako, "花子さん、ようこそ！")
    path = f"/api/friends/{hanako}/attributes"
    (await shop.api.patch(path, json={"gender": "male"})).raise_for_status()
    await shop.pass_days(4)
    await shop.line.got(hanako, "花子さん、ようこそ！", "クーポン")
    (
        await shop.api.post("/api/audiences/bought/members", json={"friends": [hanako]})
    ).raise_for_status()
    assert await shop.outcome(hanako) == "exited"
    # What is known now is not what was known then.
    (await shop.api.patch(path, json={"gender": "female"})).raise_for_status()

    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    alone = Settings(api_token=SecretStr(API_TOKEN), secret_key=secret_key, database_url=dsn)
    async with (
        serving(create_app(alone)) as url,
        httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {API_TOKEN}"}, timeout=20
        ) as api,
    ):
        got = await why(api, hanako, message="coupon", lang="ja")
        missed = await why(api, hanako, message="month", lang="ja")
        never = await why(api, hanako, message="women", lang="en")

    assert got.startswith(f"花子さん（{hanako}）は ")
    assert (
        "（日本時間）に友だち追加でシナリオ「ようこそ」（バージョン1、1回目）に入りました。" in got
    )
    assert (
        "10:00に、オーディエンス「リンクを開いた人」に入っていなかったこと、性別が女性ではなかった"
        "ことから、それ以外の人の分岐（「coupon」）へ進みました。"
    ) in got
    (sent,) = [each for each in await shop.line.messages(hanako) if "クーポン" in str(each)]
    assert got.endswith(
        f"メッセージ「coupon」を送信しました（LINE リクエスト ID {sent['requestId']}）。"
    )
    assert "オーディエンス「購入者」に入ったため（API による登録）、シナリオを途中で" in missed
    assert missed.endswith("メッセージ「month」のステップはその先でした。")
    assert never.endswith("The message “women” is on another way.")
