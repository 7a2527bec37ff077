"""A friend's way from the webhook to the last message, on real parts."""

from __future__ import annotations

import json
from functools import partial
from uuid import UUID

import pytest

from tests.acceptance.conftest import EXAMPLES, SECRET, Shop
from tests.eventually import eventually
from tobiishi.line import sign

WELCOME = """
scenario: welcome
title: 友だち追加ありがとう
start: friend_added
reentry: after_finishing
audiences: {purchased: {kind: upload}}
exit: [{joins: purchased}]
steps:
  - send:
      name: hello
      messages: [{type: text, text: "{{ friend.display_name }}さん、ようこそ！"}]
  - wait: {days: 3, at: "10:00"}
  - branch:
      - when: {audience: clicked-hello}
        steps: [{send: {name: coupon, messages: [{type: text, text: クーポン}]}}]
      - when: {all: [{gender: female}, {age: {from: 20, to: 29}}]}
        steps: [{send: {name: twenties, messages: [{type: text, text: 二十代の方へ}]}}]
      - otherwise:
        steps: [{send: {name: reminder, messages: [{type: text, text: ご覧になりましたか}]}}]
  - wait: {days: 30}
  - send: {name: month, messages: [{type: text, text: ひと月たちました}]}
  - tag: {add: welcomed}
"""


async def test_a_friend_is_added_waits_is_looked_at_and_gets_what_fits(shop: Shop) -> None:
    await shop.publish(WELCOME)
    hanako = await shop.line.add_friend(displayName="花子")
    taro = await shop.line.add_friend(displayName="太郎")
    await shop.line.got(hanako, "花子さん、ようこそ！")
    await shop.line.got(taro, "太郎さん、ようこそ！")

    await shop.join("clicked-hello", hanako)
    await shop.pass_days(4)
    await shop.line.got(hanako, "花子さん、ようこそ！", "クーポン")
    await shop.line.got(taro, "太郎さん、ようこそ！", "ご覧になりましたか")

    await shop.pass_days(31)
    assert await shop.outcome(hanako) == await shop.outcome(taro) == "completed"
    assert (await shop.line.texts(hanako))[2:] == ["ひと月たちました"]
    assert (await shop.friend(hanako))["tags"] == ["welcomed"]

    (journey,) = (await shop.friend(hanako))["journeys"]
    assert journey["why"] == "was added as a friend"
    assert [said["said"] for said in journey["trail"]] == [
        "sent hello",
        "in clicked-hello: yes",
        "sent coupon",
        "sent month",
        "tag +welcomed",
    ]
    assert journey["trail"][1]["detail"]["saw"] == {"in clicked-hello": True}


async def test_attributes_choose_a_case_and_unknown_ones_do_not(shop: Shop) -> None:
    await shop.publish(WELCOME)
    known = await shop.line.add_friend()
    await shop.line.add_friend()
    await eventually(lambda: shop.line.texts(known))
    path = f"/api/friends/{known}/attributes"
    attributes = {"gender": "female", "birthday": "2001-02-03"}
    (await shop.api.patch(path, json=attributes)).raise_for_status()

    await shop.pass_days(4)

    texts = await eventually(lambda: shop.line.texts(known), lambda texts: len(texts) == 2)
    assert texts[1] == "二十代の方へ"


async def test_a_friend_who_buys_leaves_in_the_middle_of_a_wait(shop: Shop) -> None:
    await shop.publish(WELCOME)
    friend = await shop.line.add_friend()
    await eventually(lambda: shop.line.texts(friend))
    await shop.pass_days(5)
    await eventually(lambda: shop.line.texts(friend), lambda texts: len(texts) == 2)

    await shop.join("purchased", friend)

    assert await shop.outcome(friend) == "exited"
    assert (await shop.journey("welcome", friend).result()).outcome == "exited"
    assert (await shop.friend(friend))["journeys"][0]["because"] == "joined purchased"
    await shop.pass_days(60)
    assert len(await shop.line.texts(friend)) == 2


async def test_a_send_that_was_begun_is_finished_when_the_friend_leaves(shop: Shop) -> None:
    """Also where it takes so long that it hears, by its heartbeat, that it is cancelled."""
    await shop.publish(WELCOME)
    await shop.line.faults(latency_seconds=6)
    friend = await shop.meet()

    async def statuses() -> list[str]:
        journeys = (await shop.friend(friend))["journeys"]
        return [delivery["status"] for journey in journeys for delivery in journey["deliveries"]]

    await eventually(statuses)
    await shop.join("purchased", friend)
    assert await shop.outcome(friend) == "exited"
    assert await statuses() == ["sent"]
    assert len(await shop.line.texts(friend)) == 1


async def test_a_friend_who_blocks_gets_nothing_more_and_may_come_back(shop: Shop) -> None:
    scenario = WELCOME.replace("friend_added", "{friend_added: {unblocked: true}}")
    await shop.publish(scenario)
    friend = await shop.line.add_friend(displayName="花子")
    await shop.line.got(friend, "花子さん、ようこそ！")

    await shop.line.block(friend)
    assert await shop.outcome(friend) == "unfollowed"
    await shop.pass_days(5)
    assert len(await shop.line.texts(friend)) == 1

    await shop.line.add_friend(userId=friend)
    await shop.line.got(friend, "花子さん、ようこそ！", "花子さん、ようこそ！")
    entries = [journey["entry"] for journey in (await shop.friend(friend))["journeys"]]
    assert entries == [1, 2]


async def test_a_friend_who_blocks_and_is_back_at_once_enters_again(shop: Shop) -> None:
    """The former journey may not have said yet that it ended: the new one waits for that."""
    await shop.publish(WELCOME.replace("friend_added", "{friend_added: {unblocked: true}}"))
    friend = await shop.line.add_friend(displayName="花子")
    await shop.line.got(friend, "花子さん、ようこそ！")

    for _ in range(3):
        await shop.line.block(friend)
        await shop.line.add_friend(userId=friend)

    journeys = await eventually(
        lambda: _journeys(shop, friend),
        lambda outcomes: len(outcomes) > 1 and outcomes[-1] is None,
    )
    assert set(journeys[:-1]) == {"unfollowed"}


async def test_joining_an_audience_starts_a_journey(shop: Shop) -> None:
    await shop.publish("""
scenario: vip
title: VIP
start: {audience: vip}
steps: [{send: {name: thanks, messages: [{type: text, text: いつもありがとう}]}}]
""")
    friend = await shop.line.add_friend()
    await eventually(lambda: _is_known(shop, friend))
    assert await shop.line.texts(friend) == []

    await shop.join("vip", friend)

    await shop.line.got(friend, "いつもありがとう")
    assert await shop.outcome(friend) == "completed"
    (journey,) = (await shop.friend(friend))["journeys"]
    assert journey["why"] == "joined vip: added through the API"


async def test_a_tag_given_by_one_journey_starts_another(shop: Shop) -> None:
    await shop.api.put("/api/audiences/welcomed", json={"kind": "tag", "tag": "welcomed"})
    await shop.publish("""
scenario: first
title: 一つめ
start: friend_added
steps: [{tag: {add: welcomed}}]
""")
    await shop.publish("""
scenario: second
title: 二つめ
start: {audience: welcomed}
steps: [{send: {name: next, messages: [{type: text, text: つぎは}]}}]
""")
    friend = await shop.line.add_friend()
    await shop.line.got(friend, "つぎは")


async def test_a_journey_keeps_the_version_it_started_with(shop: Shop) -> None:
    await shop.publish(WELCOME)
    early = await shop.line.add_friend()
    await eventually(lambda: shop.line.texts(early))

    published = await shop.publish(WELCOME.replace("ご覧になりましたか", "新しい文"))
    assert (published["version"], published["unchanged"]) == (2, False)
    again = await shop.publish(WELCOME.replace("ご覧になりましたか", "新しい文"))
    assert (again["version"], again["unchanged"]) == (2, True)
    late = await shop.line.add_friend()
    await eventually(lambda: shop.line.texts(late))
    await shop.pass_days(4)

    texts = await eventually(lambda: shop.line.texts(early), lambda texts: len(texts) == 2)
    assert texts[1] == "ご覧になりましたか"
    texts = await eventually(lambda: shop.line.texts(late), lambda texts: len(texts) == 2)
    assert texts[1] == "新しい文"


async def test_line_answers_with_errors_and_every_friend_gets_the_message_once(shop: Shop) -> None:
    """Refused, failed, and accepted with the answer lost: the retry key sorts it out."""
    await shop.publish(WELCOME)
    await shop.line.faults(rate_500=0.2, rate_429=0.2, cut_after_acceptance=0.3, seed=1)
    friends = [await shop.line.add_friend() for _ in range(20)]

    for friend in friends:
        await eventually(
            partial(_deliveries, shop, friend), lambda seen: seen == ["sent"], seconds=40
        )

    for friend in friends:
        (message,) = await shop.line.messages(friend)
        (delivery,) = (await shop.friend(friend))["journeys"][0]["deliveries"]
        assert delivery["retry_key"] == message["retryKey"] == str(UUID(message["retryKey"]))
    attempts = [
        (await shop.friend(friend))["journeys"][0]["deliveries"][0]["attempts"]
        for friend in friends
    ]
    assert max(attempts) > 1


TWO_SENDS = """
scenario: refused
title: 届かない人
start: friend_added
steps:
  - send: {name: first, IF_REFUSED messages: [{type: text, text: 一通目}]}
  - send: {name: second, messages: [{type: text, text: 二通目}]}
"""


@pytest.mark.parametrize(
    ("rule", "deliveries", "outcome"),
    [
        ("", ["refused", "refused"], "completed"),
        ("if_refused: go_on,", ["refused", "refused"], "completed"),
        ("if_refused: end,", ["refused"], "refused"),
    ],
)
async def test_what_line_refuses_is_in_the_ledger_and_its_step_says_what_next(
    shop: Shop, rule: str, deliveries: list[str], outcome: str
) -> None:
    await shop.publish(TWO_SENDS.replace("IF_REFUSED", rule))
    await shop.line.faults(unknown_users="refuse")
    stranger = "U" + "f" * 32
    # Signed as LINE signs, of somebody whom LINE does not know.
    body = json.dumps(
        {"events": [{"type": "follow", "source": {"type": "user", "userId": stranger}}]}
    ).encode()
    headers = {"X-Line-Signature": sign(SECRET, body)}
    (await shop.api.post("/webhook", content=body, headers=headers)).raise_for_status()

    await eventually(partial(_is_known, shop, stranger))
    await eventually(partial(_journeys, shop, stranger), lambda seen: seen == [outcome])

    assert await _deliveries(shop, stranger) == deliveries
    (journey,) = (await shop.friend(stranger))["journeys"]
    assert all("Failed to send messages" in each["reason"] for each in journey["deliveries"])


async def _is_known(shop: Shop, friend: str) -> bool:
    return (await shop.api.get(f"/api/friends/{friend}")).status_code == 200


async def _journeys(shop: Shop, friend: str) -> list[str | None]:
    return [journey["outcome"] for journey in (await shop.friend(friend))["journeys"]]


async def _deliveries(shop: Shop, friend: str) -> list[str]:
    """What became of each message to the friend."""
    if not await _is_known(shop, friend):
        return []
    return [
        delivery["status"]
        for journey in (await shop.friend(friend))["journeys"]
        for delivery in journey["deliveries"]
    ]


async def test_an_uploaded_list_starts_journeys_and_a_wrong_one_keeps_nothing(shop: Shop) -> None:
    await shop.publish("""
scenario: invited
title: ご招待
start: {audience: invited}
steps: [{send: {name: invitation, messages: [{type: text, text: ご招待します}]}}]
""")
    friends = [await shop.line.add_friend() for _ in range(3)]
    for friend in friends:
        await eventually(partial(_is_known, shop, friend))
    upload = "/api/audiences/invited/upload"

    wrong = await shop.api.post(upload, content=f"id\n{friends[0]}\nhanako\n")
    assert wrong.status_code == 400
    assert "such as line 3" in wrong.json()["detail"]
    assert (await shop.api.get("/api/audiences/invited")).json()["members"] == 0

    stranger = "U" + "e" * 32  # Added before Tobiishi was there, or nobody: LINE will tell.
    lines = "\r\n".join(["\ufeffuserId,name", *(f"{one},x" for one in [*friends, stranger]), "?"])
    done = await shop.api.post(upload, params={"on_wrong": "keep_good"}, content=lines)
    assert done.json() == {
        "ids": 4,
        "joined": 4,
        "already_in": 0,
        "wrong": 1,
        "wrong_lines": [
            {
                "line": 6,
                "text": "?",
                "problem": "holds no LINE user id (U and 32 of 0-9, a-f)",
            }
        ],
        "header": "userId,name",
    }
    for friend in friends:
        await shop.line.got(friend, "ご招待します")

    again = await shop.api.post(upload, content=friends[0])
    assert (again.json()["joined"], again.json()["already_in"]) == (0, 1)
    assert len(await shop.line.texts(friends[0])) == 1


async def test_who_does_not_want_the_presale_gets_nothing_more_of_it(shop: Shop) -> None:
    text = (EXAMPLES / "vip.yaml").read_text(encoding="utf-8")
    # At whatever time of day this runs.
    await shop.publish(text.replace('window: {from: "10:00", to: "20:00"}\n', ""))
    declines = await shop.meet()
    await shop.join("vip", declines)
    await eventually(lambda: shop.line.messages(declines))
    event = {"type": "postback", "userId": declines, "postback": {"data": "presale=no"}}
    (await shop.line.http.post("/_simulator/events", json=event)).raise_for_status()
    assert await shop.outcome(declines) == "exited"
