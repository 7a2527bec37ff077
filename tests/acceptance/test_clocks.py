"""Clocks that disagree: a starter's own has no part in it, and journeys go by Temporal's."""

from __future__ import annotations

import sys
from collections.abc import Collection
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pytest

from tests.acceptance.conftest import Shop
from tobiishi import database as database_module
from tobiishi.channels.channels import Channels
from tobiishi.database import Connection, clock

HOUR = timedelta(hours=1)

GREETING = """
scenario: greeting
title: はじめまして
start: friend_added
steps:
  - send: {name: hello, messages: [{type: text, text: はじめまして}]}
  - wait: {days: 1}
  - send: {name: second, messages: [{type: text, text: 一日後}]}
"""
LATER = """
scenario: later
title: 一日後
start: friend_added
steps:
  - wait: {days: 1}
  - send: {name: later, messages: [{type: text, text: 一日後}]}
"""


def patch_everywhere(monkeypatch: pytest.MonkeyPatch, name: str, former: Any, new: Any) -> None:
    """Put the new one in place of the former in all of our modules that know it by that name."""
    for module in list(sys.modules.values()):
        ours = getattr(module, "__name__", "").partition(".")[0] in ("tobiishi", "activities")
        if ours and getattr(module, name, None) is former:
            monkeypatch.setattr(module, name, new)


def set_machine_clock(monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    """Have this machine's clock be wrong, for all of our code."""

    class Same(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, datetime)

    class Wrong(datetime, metaclass=Same):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + ahead

        @classmethod
        def __get_pydantic_core_schema__(cls, _source: Any, handler: Any) -> Any:
            return handler(datetime)

    patch_everywhere(monkeypatch, "datetime", datetime, Wrong)


def set_database_clock(monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    """Have Postgres' clock be wrong, and Temporal's right."""

    async def wrong(connection: Connection) -> datetime:
        return await clock(connection) + ahead

    secrets = Channels.secrets

    async def wrong_secrets(
        channels: Channels, connection: Connection, names: Collection[str]
    ) -> tuple[dict[str, str], datetime]:
        found, now = await secrets(channels, connection, names)
        return found, now + ahead

    patch_everywhere(monkeypatch, "clock", clock, wrong)
    monkeypatch.setattr(Channels, "secrets", wrong_secrets)
    assert database_module.clock is wrong


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
async def test_a_starter_whose_clock_is_wrong_greets_at_once_and_counts_days_right(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    set_machine_clock(monkeypatch, ahead)
    await shop.publish(GREETING)
    await shop.publish(LATER)
    hanako = await shop.line.add_friend()
    await shop.line.got(hanako, "はじめまして")
    (begun, _) = (await shop.friend(hanako))["journeys"]
    off = datetime.fromisoformat(begun["started_at"]) - await shop.env.get_current_time()
    assert abs(off) < timedelta(minutes=1)
    await shop.pass_days(23.9 / 24)
    assert await shop.line.texts(hanako) == ["はじめまして"]
    await shop.pass_days(0.2 / 24)
    await shop.line.got(hanako, "はじめまして", "一日後", "一日後")


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
async def test_a_journey_goes_by_temporals_clock_where_the_databases_is_wrong(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    set_database_clock(monkeypatch, ahead)
    await shop.publish(GREETING)
    await shop.publish(LATER)
    hanako = await shop.line.add_friend()
    await shop.line.got(hanako, "はじめまして")
    await shop.pass_days(23.9 / 24)
    assert await shop.line.texts(hanako) == ["はじめまして"]
    await shop.pass_days(0.2 / 24)
    await shop.line.got(hanako, "はじめまして", "一日後", "一日後")
    assert await shop.outcome(hanako) == "completed"
