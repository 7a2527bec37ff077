"""Why over HTTP and at a terminal, from rows that the real parts have written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.defining import define
from tests.eventually import eventually
from tests.integration.front_door.conftest import Run
from tests.integration.front_door.enrolling import NOW
from tests.integration.front_door.knocking import HANAKO, TARO, Door, follow, friend_id, unfollow
from tests.scenarios import publish, yaml
from tobiishi.channels import holds
from tobiishi.cli.server import Failed
from tobiishi.database import Database
from tobiishi.journeys import deliveries, journeys, steps
from tobiishi.journeys.deliveries import Delivery, DeliveryStatus
from tobiishi.journeys.steps import StepDone
from tobiishi.people import audiences, friends
from tobiishi.plan import Action, JourneyRef, Plan
from tobiishi.publishing import versions
from tobiishi.scenario import first_plan, plan_after, plan_way

DAY = timedelta(days=1)
STEPS = """
steps:
  - send: {name: hello, messages: [{type: text, text: こんにちは}]}
  - wait: {days: 3, at: "10:00"}
  - branch:
      - when: {audience: bought}
        steps: [{send: {name: thanks, messages: [{type: text, text: ありがとう}]}}]
      - otherwise:
        steps: [{send: {name: coupon, messages: [{type: text, text: クーポン}]}}]
"""
VIP = "start: {audience: vip}\nexit: [{joins: bought}]"


class Shop:
    """What happened in a shop, put in by the parts that put it in in life."""

    def __init__(self, database: Database, door: Door) -> None:
        self.database, self.door = database, door

    async def publish(self, rules: str = VIP, steps: str = STEPS, at: datetime = NOW) -> None:
        async with self.database.transaction() as connection:
            await publish(connection, yaml("welcome", rules, steps), now=at)

    async def retire(self) -> None:
        async with self.database.transaction() as connection:
            await versions.retire(connection, "default", "welcome", now=NOW)

    async def meet(self, friend: str = HANAKO, name: str | None = "花子") -> None:
        async with self.database.transaction() as connection:
            await friends.meet(connection, "default", friend, NOW)
            known = await friends.get(connection, "default", friend)
            await friends.keep_profile(
                connection, replace(known, display_name=name, profile_at=NOW)
            )

    async def join(self, audience: str, at: datetime, reason: str = "uploaded") -> None:
        async with self.database.transaction() as connection:
            await audiences.join(connection, "default", audience, [HANAKO], at=at, reason=reason)
            await connection.execute("delete from audience_changes")

    async def enter(self, at: datetime = NOW, why: str = "joined vip: uploaded") -> JourneyRef:
        async with self.database.transaction() as connection:
            live = await versions.live_of(connection, "default", "welcome")
            assert live is not None
            number = await journeys.enter(connection, live, HANAKO, why=why, now=at)
            assert number is not None
            return (await journeys.get(connection, number)).ref

    async def deliver(
        self,
        ref: JourneyRef,
        message: str,
        step: str,
        at: datetime,
        status: DeliveryStatus = "sent",
        reason: str | None = None,
        end: bool = False,
    ) -> None:
        """Have the journey come to a message, as `Sending` keeps it."""
        async with self.database.transaction() as connection:
            claim = await deliveries.claim(
                connection,
                ref,
                retry_key=UUID(int=int(at.timestamp())),
                step=step,
                visit=1,
                message=message,
                at=at,
            )
            assert claim is not None
            if claim.delivery is None or status == "claimed":
                return
            settled = replace(
                claim.delivery,
                status=status,
                reason=reason,
                request_id="req-1" if status == "sent" else None,
            )
            await self._advance(connection, ref, step, at, settled, end=end)

    async def _advance(
        self,
        connection: Any,
        ref: JourneyRef,
        step: str,
        at: datetime,
        settled: Delivery,
        end: bool,
    ) -> None:
        version = await versions.get(connection, "default", ref.scenario, ref.version)
        plan = plan_after(version.scenario, step, started_at=ref.started_at, now=at)
        await steps.advance(
            connection,
            ref,
            Plan(action=Action.END, step="", due=at, until="", label="") if end else plan,
            at=at,
            done=[StepDone(step=step, text="sent", detail={"due": at.isoformat()})],
            delivery=settled,
        )

    async def branch(self, ref: JourneyRef, at: datetime, case: int) -> None:
        """Have the journey go a way, as `Branching` keeps it."""
        async with self.database.transaction() as connection:
            version = await versions.get(connection, "default", ref.scenario, ref.version)
            saw = {"in bought": case == 0}
            detail = {"case": case, "saw": saw, "parts": {}}
            await steps.add_to_trail(
                connection, ref, step="2", at=at, text="in bought: no", detail=detail
            )
            plan = plan_way(version.scenario, "2", case, started_at=ref.started_at, now=at)
            await steps.advance(connection, ref, plan, at=at)

    async def end(self, ref: JourneyRef, outcome: str, at: datetime) -> None:
        async with self.database.transaction() as connection:
            await journeys.end(connection, ref.journey_id, outcome, at=at)

    async def why(self, friend: str = HANAKO, **asked: str) -> dict[str, Any]:
        answer = await self.door.api("GET", f"/friends/{friend}/why", params=asked)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def codes(self, **asked: str) -> list[str]:
        """The codes of the only paragraph."""
        (paragraph,) = (await self.why(**asked))["paragraphs"]
        return [sentence["code"] for sentence in paragraph["sentences"]]


@pytest.fixture
async def story(shop: Database, door: Door) -> Shop:
    """A shop with two audiences and one friend, Hanako."""
    async with shop.transaction() as connection:
        for audience, title in (("vip", "会員"), ("bought", "購入者")):
            await define(connection, audience, {"kind": "upload", "title": title}, at=NOW)
    known = Shop(shop, door)
    await known.meet()
    return known


# --- what was sent


async def test_why_a_message_was_sent_is_told_in_both_languages(story: Shop) -> None:
    await story.publish()
    await story.join("vip", NOW)
    ref = await story.enter()
    await story.deliver(ref, "hello", "0", NOW)
    await story.branch(ref, NOW + 3 * DAY, 1)
    await story.deliver(ref, "coupon", "2.1.0", NOW + 3 * DAY)
    await story.join("bought", NOW + 4 * DAY, "purchase on https://shop.example/")

    ja = await story.why(lang="ja")
    assert ja["text"] == (
        f"花子さん（{HANAKO}）は 2026年11月26日 19:00（日本時間）にオーディエンス「会員」に入ったこと"
        "（リストのアップロード）でシナリオ「welcome」（バージョン1、1回目）に入りました。"
        "3日後の 11月29日 19:00に、オーディエンス「購入者」にまだ入っていなかった（入ったのは"
        "11月30日 19:00、購入）ため、それ以外の人の分岐（「coupon」）へ進みました。"
        "同じ日の 19:00:00にメッセージ「coupon」を送信しました（LINE リクエスト ID req-1）。"
    )
    en = await story.why(message="coupon", lang="en")
    assert en["text"].endswith(
        "The message “coupon” was sent the same day at 19:00:00 (LINE's request id is req-1)."
    )
    (paragraph,) = en["paragraphs"]
    assert [each["code"] for each in paragraph["sentences"]] == ["entered", "went", "sent"]
    assert (
        paragraph["sentences"][2]["params"]["when"]["params"]["at"] == "2026-11-29T19:00:00+09:00"
    )
    assert paragraph["journey"]["workflow_id"] == f"journey/default/welcome/{HANAKO}"
    assert paragraph["journey"]["timezone"] == "Asia/Tokyo"
    assert paragraph["delivery"]["request_id"] == "req-1"
    assert paragraph["delivery"]["retry_key"] == str(UUID(int=int((NOW + 3 * DAY).timestamp())))


async def test_the_language_is_the_readers(story: Shop) -> None:
    await story.publish()
    headers = {**story.door.headers, "Accept-Language": "fr, ja;q=0.8, en;q=0.5"}
    path = f"/api/friends/{HANAKO}/why"
    answer = await story.door.http.get(path, headers=headers)
    assert answer.json()["lang"] == answer.headers["Content-Language"] == "ja"
    answer = await story.door.http.get(path, headers=headers, params={"lang": "en"})
    assert answer.json()["lang"] == answer.headers["Content-Language"] == "en"
    assert (await story.why())["lang"] == "en"


async def test_each_journey_is_told_from_its_beginning_to_its_end(story: Shop) -> None:
    await story.publish(f"{VIP}\nreentry: after_finishing")
    for entry in (1, 2):
        ref = await story.enter(NOW + entry * DAY)
        await story.deliver(ref, "hello", "0", NOW + entry * DAY, end=True)
    told = await story.why(all="true", lang="ja")
    assert [each["journey"]["entry"] for each in told["paragraphs"]] == [1, 2]
    assert told["text"].count("シナリオを最後まで終えました。") == 2
    assert "\n\n" in told["text"]
    assert await story.codes(message="hello") == ["entered", "sent", "also_sent"]
    assert len((await story.why(message="hello", all="true"))["paragraphs"]) == 2
    assert (await story.codes(scenario="welcome"))[-2:] == ["completed", "reentry_open"]


async def test_what_was_perhaps_sent_is_told_as_that(story: Shop) -> None:
    await story.publish()
    ref = await story.enter()
    await story.deliver(ref, "hello", "0", NOW, "unknown", "LINE may have accepted it")
    assert await story.codes(message="hello") == ["entered", "perhaps_sent"]


# --- why not, inside the scenario


async def test_another_way_was_theirs(story: Shop) -> None:
    await story.publish()
    ref = await story.enter()
    await story.deliver(ref, "hello", "0", NOW)
    await story.branch(ref, NOW + 3 * DAY, 1)
    assert await story.codes(message="thanks") == [
        *("not_sent", "entered_briefly", "went", "on_other_way"),
    ]


async def test_an_exit_ended_it_before(story: Shop) -> None:
    await story.publish()
    ref = await story.enter()
    async with story.database.transaction() as connection:
        await journeys.apply_changes(connection, [("default", "bought", HANAKO, "joined")])
    assert (await story.codes(message="coupon"))[-1] == "is_leaving"
    await story.end(ref, "exited", NOW + DAY)
    told = await story.why(message="coupon", lang="ja")
    assert "オーディエンス「購入者」に入ったため、シナリオを途中で終了しました。" in told["text"]
    assert told["paragraphs"][0]["sentences"][-1]["code"] == "ended_before"


async def test_they_blocked_the_channel_on_the_way(story: Shop) -> None:
    await story.publish()
    ref = await story.enter()
    async with story.database.transaction() as connection:
        await friends.set_status(connection, "default", HANAKO, "blocked", NOW + DAY)
        await journeys.stop_all_of_friend(
            connection, "default", HANAKO, "unfollowed", because="blocked the channel"
        )
    await story.end(ref, "unfollowed", NOW + DAY)
    assert (await story.codes(message="coupon"))[2:] == ["left", "ended_before"]
    assert (await story.codes(scenario="welcome"))[1:] == [
        *("left", "blocked_since", "no_reentry"),
    ]


async def test_it_is_still_to_come(story: Shop) -> None:
    await story.publish()
    ref = await story.enter()
    await story.deliver(ref, "hello", "0", NOW)
    told = await story.why(message="coupon", lang="en")
    assert "a branch is due 3 days later, on 29 November at 10:00" in told["text"]
    assert told["paragraphs"][0]["sentences"][-1]["code"] == "not_yet"


async def test_it_is_held(story: Shop) -> None:
    await story.publish()
    ref = await story.enter()
    async with story.database.transaction() as connection:
        version = await versions.get(connection, "default", "welcome", 1)
        first = first_plan(version.scenario, NOW)
        await steps.set_next(connection, ref, replace(first, action=Action.SEND, step="0", due=NOW))
        await holds.put(
            connection, "default", scope="friend", name=HANAKO, kind="paused", reason="苦情", at=NOW
        )
    told = await story.why(message="hello", lang="ja")
    assert (
        "ただし送信は停止中です: この友だちへの一時停止（11月26日 19:00から、苦情）。"
        in told["text"]
    )


@pytest.mark.parametrize(
    ("status", "reason", "codes", "words"),
    [
        (
            "skipped",
            "it was late: due 11-26 10:00",
            ["skipped", "next"],
            "予定の 11月26日 19:00より",
        ),
        ("refused", "the message is wrong", ["refused", "next"], "「the message is wrong」"),
        ("claimed", None, ["being_sent"], "1回試行"),
    ],
)
async def test_what_became_of_it_is_told(
    story: Shop, status: DeliveryStatus, reason: str | None, codes: Sequence[str], words: str
) -> None:
    await story.publish()
    ref = await story.enter()
    await story.deliver(ref, "hello", "0", NOW, status, reason)
    told = await story.why(message="hello", lang="ja")
    assert [each["code"] for each in told["paragraphs"][0]["sentences"]][2:] == codes
    assert words in told["text"]


async def test_their_version_never_had_it(story: Shop) -> None:
    await story.publish()
    await story.enter()
    await story.publish(steps=STEPS.replace("coupon", "voucher"), at=NOW + DAY)
    assert (await story.codes(message="voucher"))[2] == "not_in_version"


async def test_a_branch_of_which_nothing_is_kept_is_not_guessed_at(story: Shop) -> None:
    await story.publish()
    ref = await story.enter()
    await story.deliver(ref, "hello", "0", NOW, end=True)
    assert (await story.codes(message="coupon"))[-1] == "not_known"


# --- why not: never in the scenario


async def test_they_never_met_the_start_condition(story: Shop) -> None:
    await story.publish()
    assert await story.codes(scenario="welcome") == ["not_in_scenario", "never_joined"]
    assert await story.codes(message="hello") == ["not_sent", "never_joined"]
    told = await story.why(lang="ja")
    assert (
        told["paragraphs"][0]["text"]
        == f"花子さん（{HANAKO}）はまだどのシナリオにも入っていません。"
    )


async def test_they_joined_before_it_was_published(story: Shop) -> None:
    await story.join("vip", NOW - DAY)
    await story.publish()
    assert (await story.codes(scenario="welcome"))[1:] == ["joined_before"]


async def test_their_joining_waits_in_the_queue(story: Shop) -> None:
    await story.publish()
    async with story.database.transaction() as connection:
        await audiences.join(
            connection, "default", "vip", [HANAKO], at=NOW + DAY, reason="uploaded"
        )
        await connection.execute("update audience_changes set retry_at = now() + interval '1 day'")
    assert (await story.codes(scenario="welcome"))[1:] == ["joining_in_queue"]
    async with story.database.connection() as connection:
        await connection.execute("update audience_changes set error = 'no'")
    assert (await story.codes(scenario="welcome"))[1:] == ["joining_stuck"]


async def test_nobody_can_enter_any_more_or_yet(story: Shop) -> None:
    await story.publish(f'{VIP}\nperiod: {{until: "2026-11-01"}}')
    assert (await story.codes(scenario="welcome"))[1:] == ["period_over", "never_joined"]
    await story.publish(f'{VIP}\nperiod: {{from: "2126-11-01"}}')
    assert (await story.codes(scenario="welcome"))[1:] == ["period_to_come", "never_joined"]
    await story.retire()
    assert (await story.codes(scenario="welcome"))[1:] == ["retired", "never_joined"]


async def test_they_joined_outside_its_period(story: Shop) -> None:
    await story.publish(f'{VIP}\nperiod: {{until: "2026-11-27"}}')
    await story.join("vip", NOW + 3 * DAY)
    assert (await story.codes(scenario="welcome"))[-1] == "outside_period"


async def test_they_have_blocked_the_channel(story: Shop) -> None:
    await story.publish()
    async with story.database.transaction() as connection:
        await friends.set_status(connection, "default", HANAKO, "blocked", NOW + DAY)
    told = await story.why(scenario="welcome", lang="ja")
    assert "2026年11月27日 19:00（日本時間）からチャネルをブロックしています。" in told["text"]


async def test_they_were_added_by_another_route_or_before(story: Shop) -> None:
    await story.publish("start: {friend_added: {routes: poster}}", at=NOW - DAY)
    assert (await story.codes(scenario="welcome"))[1:] == ["no_route"]
    async with story.database.connection() as connection:
        await connection.execute("update friends set route = 'leaflet'")
    assert (await story.codes(scenario="welcome"))[1:] == ["other_route"]
    async with story.database.connection() as connection:
        await connection.execute("update scenario_versions set published_at = $1", NOW + DAY)
    assert (await story.codes(scenario="welcome"))[1:] == ["added_before"]


async def test_they_unblocked_the_channel_which_starts_nothing(story: Shop) -> None:
    await story.publish("start: friend_added", at=NOW - 400 * DAY)
    at = int(NOW.timestamp() * 1000)
    await story.door.knock(unfollow(at=at - 1000), follow(at=at, unblocked=True))

    async def look() -> list[str]:
        return (await story.codes(scenario="welcome"))[1:]

    await eventually(look, lambda codes: codes == ["unblocked_only"])


async def test_they_have_been_in_it_before(story: Shop) -> None:
    await story.publish()
    ref = await story.enter()
    await story.end(ref, "completed", NOW + DAY)
    await story.join("vip", NOW + 2 * DAY)
    told = await story.why(scenario="welcome", lang="en")
    assert [each["code"] for each in told["paragraphs"][0]["sentences"]] == [
        *("entered", "completed", "rejoined", "no_reentry"),
    ]
    assert "once only (reentry: never)" in told["text"]


# --- who is asked about, and what is wrong


async def test_what_is_not_there_is_named(story: Shop) -> None:
    await story.publish()

    async def refused(path: str) -> tuple[int, str]:
        answer = await story.door.api("GET", path)
        return answer.status_code, str(answer.json()["detail"])

    assert await refused(f"/friends/{TARO}/why") == (
        404,
        f"{TARO!r} is not a friend of channel 'default'",
    )
    code, detail = await refused(f"/friends/{HANAKO}/why?message=cupon")
    assert (code, detail) == (
        404,
        "no scenario of channel 'default' has a message 'cupon'; did you mean coupon?",
    )
    code, detail = await refused(f"/friends/{HANAKO}/why?scenario=gone")
    assert (code, detail) == (404, "scenario 'gone' does not exist in channel 'default'")
    code, detail = await refused(f"/friends/{HANAKO}/why?scenario=welcome&message=zzz")
    assert (code, detail) == (404, "scenario 'welcome' has no message 'zzz'")
    for wrong in ("lang=fr", "all=perhaps", "message=%00"):
        code, detail = await refused(f"/friends/{HANAKO}/why?{wrong}")
        assert (code, wrong.partition("=")[0] in detail) == (422, True)
    assert (await refused("/friends/hanako/why"))[0] == 422


async def test_a_terminal_is_answered_by_name_and_in_its_language(
    story: Shop, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    await story.publish()
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    assert "開始条件のオーディエンス「会員」" in await run("why", "花子", "hello")
    assert "never been in the audience" in await run("why", "花", "hello", "--lang", "en")
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert "never been in the audience" in await run("why", HANAKO, "--scenario", "welcome")
    told = json.loads(await run("why", HANAKO, "--all", "--json"))
    assert (told["friend"], told["display_name"], told["lang"]) == (HANAKO, "花子", "en")
    assert told["paragraphs"][0]["sentences"][0]["code"] == "never_in_any"


async def test_a_name_that_several_have_lists_them_with_whole_ids(
    story: Shop, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    await story.publish()
    monkeypatch.setenv("COLUMNS", "20")
    await story.meet(TARO, "花子ママ")
    assert HANAKO in await run("why", "花子"), "a whole name counts before a part of one"
    with pytest.raises(Failed, match="2 friends have '花' in their names") as several:
        await run("why", "花")
    assert HANAKO in str(several.value)
    assert f"{TARO}  花子ママ" in str(several.value)
    assert "花子" in await run("friend", "show", "花子")
    assert "vip" in await run("friend", "tag", "花子", "vip")
    await run("audience", "put", "loyal")
    assert "1 joined" in await run("audience", "add", "loyal", "花子")
    assert f"friend {HANAKO}: paused" in await run("pause", "--friend", "花子")
    with pytest.raises(Failed, match="nobody of that name is known"):
        await run("why", "次郎")
    with pytest.raises(Failed, match="is not a LINE user id"):
        await run("why", HANAKO[:-1])
    with pytest.raises(Failed, match="is not a friend of channel"):
        await run("why", friend_id(7))
