"""What a send keeps, and how a friend's act is traced back to the message."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from activities import Sending
from activities.context import Context
from tests.scenarios import publish, yaml
from tobiishi import webhooks
from tobiishi.channels.channels import Channel, Channels
from tobiishi.database import Database
from tobiishi.journeys import deliveries, journeys, steps
from tobiishi.journeys.deliveries import Delivery, DeliveryStatus, Traced
from tobiishi.people import events, friends
from tobiishi.plan import Action, JourneyRef, Plan
from tobiishi.relay import answers
from tobiishi.scenario.model import Send
from tobiishi.tokens import Signer
from tobiishi.tracking.links import LinkTracker

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
HANAKO, TARO = "U" + "1" * 32, "U" + "2" * 32
VIDEO = {"type": "video", "originalContentUrl": "https://a.example/1", "previewImageUrl": "x"}
BUTTON = {
    "type": "template",
    "altText": "x",
    "template": {"type": "buttons", "text": "x", "actions": [{"type": "postback", "data": "yes"}]},
}
LINK = {"type": "text", "text": "https://a.example/"}
PLAN = Plan(action=Action.SEND, step="1", due=NOW, until="", label="")
PLAIN = {"type": "text", "text": "こんにちは"}


@dataclass(frozen=True)
class Ledger:
    """Deliveries of a channel, put in as a test says."""

    database: Database
    #: By friend.
    journeys: dict[str, JourneyRef]

    async def deliver(
        self,
        message: str,
        *,
        friend: str = HANAKO,
        status: DeliveryStatus = "sent",
        at: datetime = NOW,
        postbacks: tuple[str, ...] = (),
        videos: tuple[str, ...] = (),
        ids: tuple[str, ...] = (),
    ) -> Delivery:
        async with self.database.transaction() as connection:
            claim = await deliveries.claim(
                connection,
                self.journeys[friend],
                retry_key=uuid4(),
                step=f"{uuid4()}",
                visit=1,
                message=message,
                at=at,
            )
            assert claim is not None
            assert claim.delivery is not None
            delivery = claim.delivery
            await deliveries.keep_traces(connection, delivery, postbacks=postbacks, videos=videos)
            if status != "claimed":
                settled = replace(delivery, status=status, message_ids=list(ids))
                await steps.advance(
                    connection, self.journeys[friend], PLAN, at=at, delivery=settled
                )
        return delivery

    async def trace(self, how: str, *asked: Any, friend: str = HANAKO, **more: Any) -> str | None:
        """The name of the message found."""
        async with self.database.connection() as connection:
            found = await getattr(deliveries, how)(connection, "default", friend, *asked, **more)
        return found and str(found.message)


@pytest.fixture
async def ledger(database: Database, channels: Channels) -> Ledger:
    entered = {}
    async with database.transaction() as connection:
        shop = Channel(
            channel="default", title="x", secret="s", access_token="t", api_base_url="http://line"
        )
        await channels.put(connection, shop)
        published = await publish(connection, yaml(), now=NOW)
        for friend in (HANAKO, TARO):
            await friends.meet(connection, "default", friend, NOW)
            entry = await journeys.enter(connection, published.version, friend, why="", now=NOW)
            assert entry is not None
            entered[friend] = (await journeys.get(connection, entry)).ref
    return Ledger(database, entered)


async def test_a_postback_goes_back_to_the_latest_message_with_its_data(ledger: Ledger) -> None:
    hello = await ledger.deliver("hello", postbacks=("yes", "no"))
    await ledger.deliver("again", postbacks=("yes",), at=NOW + timedelta(days=1))
    await ledger.deliver("other", postbacks=("maybe",), at=NOW + timedelta(days=2))
    await ledger.deliver("theirs", friend=TARO, postbacks=("no",), at=NOW + timedelta(days=3))
    assert await ledger.trace("with_postback", "yes") == "again"
    assert await ledger.trace("with_postback", "no") == "hello"
    assert await ledger.trace("with_postback", "no", friend=TARO) == "theirs"
    assert await ledger.trace("with_postback", "yes", friend=TARO) is None
    for nothing in ("", "YES", "ye", "yes,no", "\0", "\ud83d", "x" * 10**6):
        assert await ledger.trace("with_postback", nothing) is None
    async with ledger.database.connection() as connection:
        found = await deliveries.with_postback(connection, "default", HANAKO, "no")
        assert found == Traced(scenario="welcome", message="hello", retry_key=hello.retry_key)
        assert await deliveries.with_postback(connection, "other", HANAKO, "no") is None


@pytest.mark.parametrize(
    ("status", "found"),
    [("claimed", True), ("sent", True), ("unknown", True), ("refused", False), ("skipped", False)],
)
async def test_what_was_surely_not_sent_answers_nothing(
    ledger: Ledger, status: DeliveryStatus, found: bool
) -> None:
    """What is being sent may have arrived: a friend is quick."""
    await ledger.deliver("hello", status=status, postbacks=("yes",), videos=("v",))
    expected = "hello" if found else None
    assert await ledger.trace("with_postback", "yes") == expected
    assert await ledger.trace("with_video", "v") == expected
    latest = await ledger.trace("latest_before", NOW, within=timedelta(days=1))
    assert latest == ("hello" if status == "sent" else None)


async def test_a_video_and_a_quoted_message_are_found(ledger: Ledger) -> None:
    await ledger.deliver("hello", videos=("v", "w"), ids=("461", "462"))
    await ledger.deliver("again", videos=("v",), ids=("463",), at=NOW + timedelta(days=1))
    assert await ledger.trace("with_video", "v") == "again"
    assert await ledger.trace("with_video", "w") == "hello"
    assert await ledger.trace("with_video", "w", friend=TARO) is None
    assert await ledger.trace("quoted", "462") == "hello"
    assert await ledger.trace("quoted", "463") == "again"
    assert await ledger.trace("quoted", "46") is None
    assert await ledger.trace("quoted", "461", friend=TARO) is None


async def test_a_reply_goes_back_to_the_last_message_before_it(ledger: Ledger) -> None:
    await ledger.deliver("hello")
    await ledger.deliver("again", at=NOW + timedelta(hours=1))
    await ledger.deliver("refused", status="refused", at=NOW + timedelta(hours=2))
    day = timedelta(days=1)
    for hours, found in [
        (-1, None),
        (0, "hello"),
        (0.5, "hello"),
        (1, "again"),
        (25, "again"),
        (25.1, None),
    ]:
        at = NOW + timedelta(hours=hours)
        assert await ledger.trace("latest_before", at, within=day) == found, hours
    assert await ledger.trace("latest_before", NOW, within=day, friend=TARO) is None


async def test_a_friend_of_many_messages_is_found_by_index(ledger: Ledger) -> None:
    for number in range(20):
        await ledger.deliver(f"m{number}", postbacks=(f"p{number}",), at=NOW)
    async with ledger.database.connection() as connection:
        await connection.execute("set enable_seqscan = off")
        plan = await connection.fetch(
            "explain select 1 from deliveries where channel = 'default' and friend = $1"
            " and 'p1' = any(postbacks) order by claimed_at desc limit 1",
            HANAKO,
        )
        await connection.execute("reset enable_seqscan")
    assert any("deliveries_of_friend" in row[0] for row in plan)


def step(*messages: dict[str, Any], **more: Any) -> Send:
    return Send(name="hello", messages=messages, **more)


async def traceable(
    ledger: Ledger, tracker: LinkTracker | None, send: Send, delivery: Delivery
) -> list[dict[str, Any]]:
    context = Context(database=ledger.database, channels=cast(Channels, None), tracker=tracker)
    return await Sending(context)._traceable(ledger.journeys[HANAKO], send, delivery, send.messages)


@pytest.fixture
def tracker(secret_key: SecretStr) -> LinkTracker:
    return LinkTracker(public_url="https://l.example.com", signer=Signer(secret_key))


async def test_a_plain_text_asks_the_database_nothing(ledger: Ledger, tracker: LinkTracker) -> None:
    delivery = await ledger.deliver("hello", status="claimed")
    nowhere = replace(ledger, database=cast(Database, None))
    link = step(LINK, track_links=False)
    for send, by in [
        (step(PLAIN), tracker),
        (step(PLAIN), None),
        (step(LINK), None),
        (link, tracker),
    ]:
        assert await traceable(nowhere, by, send, delivery) == list(send.messages)
    with pytest.raises(AttributeError):
        await traceable(nowhere, tracker, step(LINK), delivery)
    with pytest.raises(AttributeError):
        await traceable(nowhere, None, step(BUTTON), delivery)


async def test_what_a_send_keeps_is_kept_once_and_the_same_in_every_retry(
    ledger: Ledger, tracker: LinkTracker
) -> None:
    delivery = await ledger.deliver("hello", status="claimed")
    send = step(LINK, BUTTON, VIDEO)
    sent = [await traceable(ledger, tracker, send, delivery) for _ in range(3)]
    assert sent[0] == sent[1] == sent[2]
    link, button, video = sent[0]
    assert link["text"].startswith("https://l.example.com/l/")
    assert button == BUTTON
    assert video == {**VIDEO, "trackingId": str(delivery.retry_key)}
    async with ledger.database.connection() as connection:
        row = await connection.fetchrow(
            "select postbacks, videos from deliveries where retry_key = $1", delivery.retry_key
        )
        assert row is not None
        assert dict(row) == {"postbacks": ["yes"], "videos": [str(delivery.retry_key)]}
        assert await connection.fetchval("select count(*) from links") == 1
    other = replace(delivery, retry_key=UUID(int=1))
    again = await traceable(ledger, tracker, send, other)
    assert again[0] == link  # The same friend, the same message: the same link.
    assert again[2]["trackingId"] == str(UUID(int=1))


async def test_what_postgres_cannot_keep_stops_no_message(
    ledger: Ledger, tracker: LinkTracker
) -> None:
    delivery = await ledger.deliver("hello", status="claimed")
    actions = [
        {"type": "postback", "data": "\0"},
        {"type": "postback", "data": "kept"},
        {"type": "uri", "uri": "https://a.example/\0"},
        {"type": "uri", "uri": "https://a.example/\ud83d"},
    ]
    odd = {**BUTTON, "template": {"type": "buttons", "text": "x", "actions": actions}}
    sent = await traceable(ledger, tracker, step(odd), delivery)
    assert sent == [odd]
    assert await ledger.trace("with_postback", "kept") == "hello"


async def test_which_answer_it_was_is_kept_but_not_what_somebody_wrote(ledger: Ledger) -> None:
    at = datetime.now(UTC)
    await ledger.deliver("hello", postbacks=("yes", "when", "x" * 300), videos=("v",), at=at)
    text = {"id": "9", "type": "text", "text": "ひみつ", "quoteToken": "q"}
    sticker = {"id": "10", "type": "sticker", "packageId": "1", "stickerId": "1"}
    long = {"\0": "a", "b": "\0", "c": "d" * 301, "e": 1, "time": "09:30"}
    told: list[tuple[str, dict[str, Any]]] = [
        ("postback", {"postback": {"data": "yes"}}),
        ("postback", {"postback": {"data": "when", "params": {"datetime": "2026-12-01T10:00"}}}),
        ("postback", {"postback": {"data": "x" * 300, "params": long}}),
        ("videoPlayComplete", {"videoPlayComplete": {"trackingId": "v"}}),
        ("message", {"message": text}),
        ("message", {"message": sticker}),
    ]
    read = webhooks.read(
        "default",
        json.dumps(
            {
                "events": [
                    {
                        "type": type,
                        "webhookEventId": f"e{number}",
                        "timestamp": round(at.timestamp() * 1000) + number,
                        "source": {"type": "user", "userId": HANAKO},
                        **more,
                    }
                    for number, (type, more) in enumerate(told)
                ]
            }
        ).encode(),
        received_at=at + timedelta(seconds=1),
    )
    async with ledger.database.transaction() as connection:
        await webhooks.keep(connection, read)
        for kept in read:
            assert await answers.follow(connection, kept), kept
        kept_events = await events.of_friend(connection, "default", HANAKO)
        assert [(each.event, each.detail) for each in reversed(kept_events)] == [
            ("postback", {"data": "yes"}),
            ("postback", {"data": "when", "params": {"datetime": "2026-12-01T10:00"}}),
            ("postback", {"data": "x" * 300, "params": {"time": "09:30"}}),
            ("video", {"tracking_id": "v"}),
            ("reply", {"type": "text"}),
            ("reply", {"type": "sticker"}),
        ]
        unsend = replace(read[0], body={"type": "unsend", "unsend": {"messageId": "10"}})
        await webhooks.forget_message(connection, unsend)
        latest, former, *_ = await events.of_friend(connection, "default", HANAKO)
        assert (latest.detail, former.detail) == ({}, {"type": "text"})
