"""The simulator as LINE's own SDK sees it: a second opinion on what LINE's API is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from linebot.v3 import audience, messaging
from linebot.v3.audience import (
    Audience,
    CreateAudienceGroupRequest,
    UpdateAudienceGroupDescriptionRequest,
)
from linebot.v3.messaging import (
    AsyncMessagingApi,
    MulticastRequest,
    PushMessageRequest,
    ReplyMessageRequest,
    TextMessage,
    ValidateMessageRequest,
)
from linebot.v3.messaging.exceptions import ApiException
from linebot.v3.webhook import UnknownEvent, WebhookParser
from linebot.v3.webhooks import (
    FollowEvent,
    MessageEvent,
    PostbackEvent,
    TextMessageContent,
    UnfollowEvent,
)

from tests.eventually import eventually
from tests.integration.simulator.conftest import FRIEND, Clock, Receiver
from tobiishi.simulator import ACCESS_TOKEN, BOT_USER_ID, CHANNEL_SECRET

HELLO = TextMessage(text="こんにちは")


def push_to(user_id: str, *messages: Any) -> PushMessageRequest:
    return PushMessageRequest(to=user_id, messages=list(messages) or [HELLO])


async def refusal(call: Any) -> Any:
    with pytest.raises((ApiException, audience.exceptions.ApiException)) as raised:
        await call
    assert raised.value.headers["x-line-request-id"]
    return raised.value


async def test_push(line: AsyncMessagingApi, http: httpx.AsyncClient) -> None:
    key = str(uuid4())
    answer = await line.push_message(push_to(FRIEND, HELLO, HELLO), x_line_retry_key=key)
    assert len({message.id for message in answer.sent_messages}) == 2
    assert all(message.quote_token for message in answer.sent_messages)
    (arrived,) = (await http.get("/_simulator/messages")).json()
    assert arrived["to"] == FRIEND
    assert arrived["messages"] == [{"type": "text", "text": "こんにちは"}] * 2
    assert arrived["retryKey"] == key
    assert arrived["acceptedAt"].endswith("Z")


async def test_same_retry_key_again(line: AsyncMessagingApi, http: httpx.AsyncClient) -> None:
    key = str(uuid4())
    first = await line.push_message_with_http_info(push_to(FRIEND), x_line_retry_key=key)
    again = await refusal(line.push_message(push_to(FRIEND), x_line_retry_key=key))
    assert again.status == 409
    assert again.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
    assert again.headers["x-line-request-id"] != first.headers["x-line-request-id"]
    body = json.loads(again.body)
    assert body["message"] == "The retry key is already accepted"
    assert [message["id"] for message in body["sentMessages"]] == [
        message.id for message in first.data.sent_messages
    ]
    assert len((await http.get("/_simulator/messages")).json()) == 1


async def test_refused_push_binds_no_retry_key(line: AsyncMessagingApi) -> None:
    key = str(uuid4())
    empty = TextMessage(text="")
    assert (await refusal(line.push_message(push_to(FRIEND, empty), x_line_retry_key=key))).status
    await line.push_message(push_to(FRIEND), x_line_retry_key=key)


async def test_malformed_retry_key(line: AsyncMessagingApi) -> None:
    assert (await refusal(line.push_message(push_to(FRIEND), x_line_retry_key="no"))).status == 400


async def test_wrong_token(simulator: str) -> None:
    wrong = messaging.Configuration(host=simulator, access_token="another")
    async with messaging.AsyncApiClient(wrong) as client:
        assert (await refusal(AsyncMessagingApi(client).get_bot_info())).status == 401


async def test_details_of_a_400(line: AsyncMessagingApi) -> None:
    error = await refusal(line.push_message(push_to(FRIEND, HELLO, TextMessage(text="x" * 5001))))
    assert error.status == 400
    assert json.loads(error.body) == {
        "message": "The request body has 1 error(s)",
        "details": [
            {"message": "Length must be between 0 and 5000", "property": "messages[1].text"}
        ],
    }


async def test_multicast(line: AsyncMessagingApi, http: httpx.AsyncClient) -> None:
    users = [f"U{number:032x}" for number in range(500)]
    key = str(uuid4())
    request = MulticastRequest(to=users, messages=[HELLO], customAggregationUnits=["spring"])
    await line.multicast(request, x_line_retry_key=key)
    arrived = (await http.get("/_simulator/messages")).json()
    assert [message["to"] for message in arrived] == users
    again = await refusal(line.multicast(request, x_line_retry_key=key))
    assert again.status == 409
    assert again.headers["x-line-accepted-request-id"] == arrived[0]["requestId"]
    assert (await line.get_message_quota_consumption()).total_usage == 500
    assert (await line.get_aggregation_unit_usage()).num_of_custom_aggregation_units == 1
    assert (await line.get_aggregation_unit_name_list()).custom_aggregation_units == ["spring"]


async def test_multicast_names_the_wrong_id(line: AsyncMessagingApi) -> None:
    error = await refusal(line.multicast(MulticastRequest(to=[FRIEND, "no"], messages=[HELLO])))
    assert error.status == 400
    assert json.loads(error.body) == {
        "message": "The property, to[1], in the request body is invalid (line: -, column: -)"
    }


async def test_validate(line: AsyncMessagingApi, http: httpx.AsyncClient) -> None:
    for kind in ("push", "reply", "multicast", "narrowcast", "broadcast"):
        check = getattr(line, f"validate_{kind}")
        await check(ValidateMessageRequest(messages=[HELLO]))
        wrong = await http.post(f"/v2/bot/message/validate/{kind}", json={"messages": []})
        assert wrong.json() == {
            "message": "The request body has 1 error(s)",
            "details": [{"message": "Size must be between 1 and 5", "property": "messages"}],
        }
    assert (await http.get("/_simulator/messages")).json() == []


async def test_profile(line: AsyncMessagingApi, http: httpx.AsyncClient) -> None:
    added = await http.post("/_simulator/friends", json={"displayName": "花子", "language": "ja"})
    user_id = added.json()["userId"]
    profile = await line.get_profile(user_id)
    assert (profile.display_name, profile.language) == ("花子", "ja")
    await http.delete(f"/_simulator/friends/{user_id}")
    gone = await refusal(line.get_profile(user_id))
    assert (gone.status, json.loads(gone.body)) == (404, {"message": "Not found"})
    assert (await refusal(line.get_profile("Uno"))).status == 400


async def test_stranger_is_adopted_or_refused(
    line: AsyncMessagingApi, http: httpx.AsyncClient
) -> None:
    assert (await line.get_profile(FRIEND)).display_name
    await http.put("/_simulator/faults", json={"unknown_users": "refuse"})
    stranger = "U" + "b" * 32
    assert (await refusal(line.get_profile(stranger))).status == 404
    error = await refusal(line.push_message(push_to(stranger)))
    assert (error.status, json.loads(error.body)) == (400, {"message": "Failed to send messages"})
    assert (await refusal(line.push_message(push_to("no")))).status == 400
    await line.push_message(push_to(FRIEND))


async def test_push_to_a_blocker(line: AsyncMessagingApi, http: httpx.AsyncClient) -> None:
    await line.push_message(push_to(FRIEND))
    await http.delete(f"/_simulator/friends/{FRIEND}")
    answer = await line.push_message(push_to(FRIEND), x_line_retry_key=str(uuid4()))
    assert answer.sent_messages
    assert len((await http.get("/_simulator/messages")).json()) == 1
    assert (await line.get_message_quota_consumption()).total_usage == 1


async def test_followers(line: AsyncMessagingApi, http: httpx.AsyncClient) -> None:
    users = [f"U{number:032x}" for number in range(7)]
    for user_id in users:
        await http.post("/_simulator/friends", json={"userId": user_id})
    await http.delete(f"/_simulator/friends/{users[3]}")
    pages = [await line.get_followers(limit=2)]
    while pages[-1].next:
        pages.append(await line.get_followers(limit=2, start=pages[-1].next))
    assert [page.user_ids for page in pages] == [users[0:2], [users[2], users[4]], users[5:]]
    error = await refusal(line.get_followers(start="wrong"))
    assert json.loads(error.body) == {"message": "Invalid start param"}
    too_many = await http.get("/v2/bot/followers/ids", params={"limit": 1001})
    assert too_many.status_code == 400


async def test_quota(line: AsyncMessagingApi, http: httpx.AsyncClient) -> None:
    assert (await line.get_message_quota()).type == "none"
    await http.put("/_simulator/faults", json={"quota": 1})
    quota = await line.get_message_quota()
    assert (quota.type, quota.value) == ("limited", 1)
    await line.push_message(push_to(FRIEND))
    error = await refusal(line.push_message(push_to(FRIEND)))
    assert error.status == 429
    assert json.loads(error.body) == {"message": "You have reached your monthly limit."}
    assert (await line.get_message_quota_consumption()).total_usage == 1


async def test_deliveries_are_counted_by_the_next_day(
    line: AsyncMessagingApi, http: httpx.AsyncClient, clock: Clock
) -> None:
    await line.push_message(push_to(FRIEND))
    arrived = (await http.get("/_simulator/messages")).json()[0]["acceptedAt"]
    day = (datetime.fromisoformat(arrived) + timedelta(hours=9)).strftime("%Y%m%d")
    assert (await line.get_number_of_sent_push_messages(var_date=day)).status == "unready"
    clock.ahead = 24 * 3600
    count = await line.get_number_of_sent_push_messages(var_date=day)
    assert (count.status, count.success) == ("ready", 1)
    assert (
        await line.get_number_of_sent_push_messages(var_date="20100101")
    ).status == "out_of_service"
    error = await refusal(line.get_number_of_sent_push_messages(var_date="2026013"))
    assert json.loads(error.body) == {"message": "The value for the 'date' parameter is invalid"}


async def test_bot_info(line: AsyncMessagingApi) -> None:
    assert (await line.get_bot_info()).user_id == BOT_USER_ID


async def test_reply(
    line: AsyncMessagingApi, http: httpx.AsyncClient, receiver: Receiver, clock: Clock
) -> None:
    for _ in range(2):
        await http.post("/_simulator/events", json={"type": "message", "userId": FRIEND})
    await eventually(_events(receiver), lambda events: len(events) == 2)
    used, late = (event["replyToken"] for event in receiver.events)
    answer = await line.reply_message(ReplyMessageRequest(replyToken=used, messages=[HELLO]))
    assert len(answer.sent_messages) == 1
    clock.ahead = 61
    for token in (used, late, "unknown"):
        error = await refusal(
            line.reply_message(ReplyMessageRequest(replyToken=token, messages=[HELLO]))
        )
        assert (error.status, json.loads(error.body)) == (400, {"message": "Invalid reply token"})
    assert (await line.get_message_quota_consumption()).total_usage == 0
    with_key = await http.post(
        "/v2/bot/message/reply",
        json={"replyToken": late, "messages": [{"type": "text", "text": "a"}]},
        headers={"X-Line-Retry-Key": str(uuid4())},
    )
    assert with_key.status_code == 400


async def test_audiences(simulator: str, http: httpx.AsyncClient) -> None:
    configuration = audience.Configuration(host=simulator, access_token=ACCESS_TOKEN)
    async with audience.AsyncApiClient(configuration) as client:
        api = audience.AsyncManageAudience(client)
        made = await api.create_audience_group(
            CreateAudienceGroupRequest(description="春", audiences=[Audience(id=FRIEND)])
        )
        assert (made.type, made.permission) == ("UPLOAD", "READ_WRITE")
        await api.update_audience_group_description(
            made.audience_group_id, UpdateAudienceGroupDescriptionRequest(description="夏")
        )
        kept = await api.get_audience_data(made.audience_group_id)
        assert (kept.audience_group.description, kept.audience_group.status) == ("夏", "READY")
        assert (kept.audience_group.audience_count, kept.jobs[0].job_status) == (1, "FINISHED")
        listed = await api.get_audience_groups(page=1)
        assert (listed.total_count, listed.has_next_page) == (1, False)
        long = await http.post("/v2/bot/audienceGroup/upload", json={"description": "あ" * 121})
        assert long.json() == {
            "message": "size over audienceGroupName",
            "details": [{"message": "AUDIENCE_GROUP_NAME_SIZE_OVER"}],
        }
        error = await refusal(
            api.create_audience_group(
                CreateAudienceGroupRequest(
                    description="秋", audiences=[Audience(id=FRIEND), Audience(id="no")]
                )
            )
        )
        assert json.loads(error.body) == {
            "message": "Invalid audience id format",
            "details": [
                {
                    "property": "audiences",
                    "message": "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT",
                }
            ],
        }
        wide = await http.get("/v2/bot/audienceGroup/list", params={"page": 1, "size": 41})
        assert wide.json() == {
            "message": "size: must be less than or equal to 40",
            "details": [{"message": "TOO_HIGH"}],
        }
        await api.delete_audience_group(made.audience_group_id)
        assert (await refusal(api.get_audience_data(made.audience_group_id))).status == 400
        await http.put("/_simulator/faults", json={"audience_seconds": 60})
        made = await api.create_audience_group(CreateAudienceGroupRequest(description="冬"))
        kept = await api.get_audience_data(made.audience_group_id)
        assert kept.audience_group.status == "IN_PROGRESS"


# Webhooks, as LINE's own parser reads them.


def _events(receiver: Receiver) -> Callable[[], Any]:
    async def look() -> list[dict[str, Any]]:
        return receiver.events

    return look


async def parsed(receiver: Receiver, count: int) -> list[Any]:
    await eventually(_events(receiver), lambda events: len(events) == count)
    parser = WebhookParser(CHANNEL_SECRET)
    return [event for body, signature in receiver.taken for event in parser.parse(body, signature)]


async def test_follow_and_unfollow(http: httpx.AsyncClient, receiver: Receiver) -> None:
    await http.post("/_simulator/friends", json={"userId": FRIEND})
    await parsed(receiver, 1)
    await http.delete(f"/_simulator/friends/{FRIEND}")
    await parsed(receiver, 2)
    await http.post("/_simulator/friends", json={"userId": FRIEND})
    follow, unfollow, again = await parsed(receiver, 3)
    assert isinstance(follow, FollowEvent)
    assert follow.follow.is_unblocked is False
    assert follow.source.user_id == FRIEND
    assert follow.reply_token
    assert isinstance(unfollow, UnfollowEvent)
    assert isinstance(again, FollowEvent)
    assert again.follow.is_unblocked is True
    assert len({event.webhook_event_id for event in (follow, unfollow, again)}) == 3
    assert all(len(event.webhook_event_id) == 26 for event in (follow, unfollow, again))
    assert all(json.loads(body)["destination"] == BOT_USER_ID for body, _ in receiver.taken)


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
async def test_events(http: httpx.AsyncClient, receiver: Receiver) -> None:
    await http.post(
        "/_simulator/events",
        json={
            "events": [
                {
                    "type": "message",
                    "userId": FRIEND,
                    "message": {"type": "text", "text": "予約 😀"},
                },
                {"type": "postback", "userId": FRIEND, "postback": {"data": "a=1"}},
                {"type": "neverHeardOf", "userId": FRIEND, "new": {"a": 1}},
                {"type": "follow", "mode": "standby", "userId": FRIEND},
                {"type": "follow", "source": None},
            ]
        },
    )
    message, postback, unknown, standby, sourceless = await parsed(receiver, 5)
    assert len(receiver.taken) == 1
    assert isinstance(message, MessageEvent)
    assert isinstance(message.message, TextMessageContent)
    assert message.message.text == "予約 😀"
    assert isinstance(postback, PostbackEvent)
    assert postback.postback.data == "a=1"
    assert isinstance(unknown, UnknownEvent)
    assert standby.mode == "standby"
    assert "replyToken" not in receiver.events[3]
    assert sourceless.source is None


async def test_verify_button(http: httpx.AsyncClient, receiver: Receiver) -> None:
    await http.post("/_simulator/events", json={"events": []})

    async def taken() -> int:
        return len(receiver.taken)

    await eventually(taken)
    assert WebhookParser(CHANNEL_SECRET).parse(*receiver.taken[0]) == []
