"""What a CSV tells of many friends at once, in a real Postgres and through the front door."""

from __future__ import annotations

import asyncio
import csv
import io
import random
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.defining import define
from tests.eventually import eventually
from tests.integration.front_door.conftest import Run
from tests.integration.front_door.knocking import HANAKO, TARO, Door, count, friend_id
from tobiishi.cli.server import Failed
from tobiishi.database import Database
from tobiishi.errors import Invalid
from tobiishi.people import attribute_files, audiences, friends
from tobiishi.people.attribute_files import AttributeUpload
from tobiishi.people.friends import Attributes, Friend
from tobiishi.people.member_lists import OnWrong

NOW = datetime.now(UTC)
TODAY = NOW.date()


async def tell(
    shop: Database, text: str | bytes, *, on_wrong: OnWrong = "keep_nothing", at: datetime = NOW
) -> AttributeUpload:
    data = text.encode() if isinstance(text, str) else text
    return await attribute_files.upload(
        shop, "default", io.BytesIO(data), on_wrong=on_wrong, today=TODAY, at=at
    )


async def known(shop: Database, friend: str) -> Friend:
    async with shop.connection() as connection:
        return await friends.get(connection, "default", friend)


async def tags(shop: Database, friend: str) -> list[str]:
    async with shop.connection() as connection:
        return await friends.tags_of(connection, "default", friend)


async def members(shop: Database, audience: str) -> list[tuple[str, str]]:
    async with shop.connection() as connection:
        page = await audiences.members_of(connection, "default", audience)
    return [(member.friend, member.reason) for member in page]


async def changes(shop: Database) -> list[tuple[str, str, str]]:
    async with shop.connection() as connection:
        rows = await connection.fetch(
            "select audience, friend, change from audience_changes order by id"
        )
    return [(row["audience"], row["friend"], row["change"]) for row in rows]


async def meet(shop: Database, friend: str, **told: Any) -> None:
    async with shop.transaction() as connection:
        await friends.meet(connection, "default", friend, NOW)
        await friends.set_attributes(
            connection, "default", friend, Attributes.model_validate(told), at=NOW
        )


async def test_all_that_a_line_can_tell_is_kept(shop: Database) -> None:
    done = await tell(
        shop,
        "ユーザーID,性別,誕生日,地域,OS,言語,タグ,rank\r\n"
        f"{HANAKO},女性,2001/2/3,東京都,iOS,ja,vip;新規,gold\r\n",
    )
    assert done == AttributeUpload(friends=1, met=1, wrong=0, wrong_lines=[], encoding="UTF-8")
    hanako = await known(shop, HANAKO)
    assert hanako.attributes == Attributes(
        gender="female",
        birthday=date(2001, 2, 3),
        region="東京都",
        os="ios",
        language="ja",
        fields={"rank": "gold"},
    )
    assert hanako.status == "following"
    assert await tags(shop, HANAKO) == ["vip", "新規"]


async def test_shift_jis_is_read_and_told(shop: Database) -> None:
    done = await tell(shop, f"ユーザーID,地域,memo\n{HANAKO},大阪府,①髙橋\n".encode("cp932"))
    assert done.encoding == "Shift_JIS"
    told = (await known(shop, HANAKO)).attributes
    assert (told.region, told.fields) == ("大阪府", {"memo": "①髙橋"})


async def test_an_event_of_long_ago_still_counts_for_who_was_met_by_a_file(shop: Database) -> None:
    await tell(shop, f"friend\n{HANAKO}\n")
    async with shop.transaction() as connection:
        long_ago = datetime(2011, 6, 23, tzinfo=UTC)
        await friends.set_status(connection, "default", HANAKO, "blocked", long_ago)
    assert (await known(shop, HANAKO)).status == "blocked"
    await tell(shop, f"friend,age\n{HANAKO},20\n")
    assert (await known(shop, HANAKO)).status == "blocked"


async def test_an_empty_cell_leaves_and_a_dash_forgets(shop: Database) -> None:
    await meet(shop, HANAKO, gender="female", age=20, fields={"rank": "gold", "shop": "渋谷"})
    done = await tell(shop, f"friend,gender,age,rank,shop\n{HANAKO},,-,-,\n")
    assert (done.friends, done.met) == (1, 0)
    told = (await known(shop, HANAKO)).attributes
    assert told == Attributes(gender="female", fields={"shop": "渋谷"})


async def test_of_several_lines_about_a_friend_the_later_counts_and_tags_add_up(
    shop: Database,
) -> None:
    done = await tell(
        shop,
        "friend,gender,age,rank,shop,tags\n"
        f"{HANAKO},female,20,silver,渋谷,a\n"
        f"{TARO},male,,,,c\n"
        f"{HANAKO},-,21,gold,,b\n"
        f"{HANAKO},,,,,a\n",
    )
    assert (done.friends, done.met) == (2, 2)
    assert (await known(shop, HANAKO)).attributes == Attributes(
        age=21, fields={"rank": "gold", "shop": "渋谷"}
    )
    assert (await known(shop, TARO)).attributes == Attributes(gender="male")
    assert (await tags(shop, HANAKO), await tags(shop, TARO)) == (["a", "b"], ["c"])


async def test_the_audiences_of_its_tags_are_joined(shop: Database) -> None:
    async with shop.transaction() as connection:
        for name, tag in (("vips", "vip"), ("best", "vip"), ("new", "new"), ("others", "other")):
            await define(connection, name, {"kind": "tag", "tag": tag}, at=NOW)
        await audiences.report_changes_of(connection, "default", ["vips", "best"])
    await meet(shop, HANAKO)
    async with shop.transaction() as connection:
        await friends.retag(connection, "default", HANAKO, add=("vip",), at=NOW)
        await connection.execute("delete from audience_changes")
    await tell(shop, f"friend,tags\n{HANAKO},vip;new\n{TARO},vip\n{TARO},unheard-of\n")
    both = [(HANAKO, "tag vip"), (TARO, "tag vip")]
    assert await members(shop, "vips") == await members(shop, "best") == both
    assert await members(shop, "new") == [(HANAKO, "tag new")]
    assert await members(shop, "others") == []
    # Nobody watches the new ones.
    assert sorted(await changes(shop)) == [("best", TARO, "joined"), ("vips", TARO, "joined")]


async def test_who_begins_to_watch_waits_for_an_upload_under_way(shop: Database) -> None:
    async with shop.transaction() as connection:
        await define(connection, "vips", {"kind": "tag", "tag": "vip"}, at=NOW)

    async def waiting(many: int) -> bool:
        query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        return await count(shop, query) == many

    async def watch() -> int:
        async with shop.transaction() as connection:
            await audiences.report_changes_of(connection, "default", ["vips"])
            return len(await audiences.members_of(connection, "default", "vips"))

    async with shop.transaction() as connection:
        await connection.execute(
            "select pg_advisory_xact_lock(hashtextextended('audiences default', 0))"
        )
        telling = asyncio.create_task(tell(shop, f"friend,tags\n{HANAKO},vip\n"))
        await eventually(lambda: waiting(1))
        watching = asyncio.create_task(watch())
        await eventually(lambda: waiting(2))
    # It told no change, so whoever watches from now on must find the member.
    assert await asyncio.wait_for(watching, timeout=30) == 1
    assert (await asyncio.wait_for(telling, timeout=30)).friends == 1
    assert await changes(shop) == []
    await tell(shop, f"friend,tags\n{TARO},vip\n")
    assert await changes(shop) == [("vips", TARO, "joined")]


async def test_an_upload_waits_for_nobody_who_watches_just_now_and_tells_them(
    shop: Database,
) -> None:
    async with shop.transaction() as connection:
        await define(connection, "vips", {"kind": "tag", "tag": "vip"}, at=NOW)
    async with shop.transaction() as connection:
        await audiences.report_changes_of(connection, "default", ["vips"])
        await asyncio.wait_for(tell(shop, f"friend,tags\n{HANAKO},vip\n"), timeout=30)
    assert await changes(shop) == [("vips", HANAKO, "joined")]


async def test_combined_audiences_look_again_at_those_of_whom_something_is_new(
    shop: Database,
) -> None:
    await meet(shop, HANAKO, gender="female", fields={"rank": "gold"})
    await meet(shop, TARO, gender="male")
    async with shop.transaction() as connection:
        rule = {"kind": "combined", "when": {"gender": "female"}}
        await define(connection, "women", rule, at=NOW)
        await connection.execute("delete from audience_changes")
    third = friend_id(3)
    text = f"friend,gender,rank\n{HANAKO},female,gold\n{TARO},female,\n{third},,\n"
    await tell(shop, text)
    assert await changes(shop) == [("", TARO, "known"), ("", third, "known")]
    await tell(shop, text)
    assert len(await changes(shop)) == 2


async def test_a_wrong_line_keeps_the_whole_file_out(shop: Database) -> None:
    with pytest.raises(
        attribute_files.WrongAttributeLines, match="line 3, age: is not an age"
    ) as caught:
        await tell(shop, f"friend,age\n{HANAKO},20\n{TARO},x\n")
    assert caught.value.wrong == 1
    assert await count(shop, "select count(*) from friends") == 0


async def test_the_good_lines_are_kept_where_that_is_asked(shop: Database) -> None:
    done = await tell(shop, f"friend,age\n{HANAKO},20\n{TARO},x\n", on_wrong="keep_good")
    assert (done.friends, done.met, done.wrong) == (1, 1, 1)
    assert [(cell.line, cell.column, cell.text) for cell in done.wrong_lines] == [(3, "age", "x")]
    assert await count(shop, "select count(*) from friends") == 1


async def test_a_friend_has_so_many_own_attributes_and_no_more(shop: Database) -> None:
    names = [f"own{number}" for number in range(50)]
    await tell(shop, f"friend,{','.join(names)}\n{HANAKO}{',x' * 50}\n")
    with pytest.raises(Invalid, match="over 50 own attributes"):
        await tell(shop, f"friend,more\n{TARO},x\n{HANAKO},x\n")
    await tell(shop, f"friend,more,own0\n{HANAKO},x,-\n")
    assert len((await known(shop, HANAKO)).attributes.fields) == 50
    assert await count(shop, "select count(*) from friends") == 1


async def test_uploads_that_overlap_end_whatever_their_order(shop: Database) -> None:
    async with shop.transaction() as connection:
        for tag in ("a", "b"):
            await define(connection, tag, {"kind": "tag", "tag": tag}, at=NOW)
        await define(connection, "old", {"kind": "combined", "when": {"age": {"from": 1}}}, at=NOW)
    people = [friend_id(number) for number in range(1, 2001)]

    def file(order: Sequence[str], tag: str, age: int) -> str:
        return "friend,age,tags\n" + "".join(f"{friend},{age},{tag}\n" for friend in order)

    for _ in range(3):
        shuffled = random.sample(people, len(people))
        await asyncio.wait_for(
            asyncio.gather(
                tell(shop, file(people, "a", 20)),
                tell(shop, file(people[::-1], "b", 30)),
                tell(shop, file(shuffled, "a;b", 40)),
            ),
            timeout=60,
        )
    # They waited in one order, and none had to be tried again.
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    assert await count(shop, deadlocks) == 0
    assert await count(shop, "select count(*) from friends") == 2000
    assert await count(shop, "select count(distinct attributes) from friends") == 1
    assert await count(shop, "select count(*) from tags") == 4000
    assert (
        await count(shop, "select count(*) from audience_members where audience <> 'old'") == 4000
    )


async def test_what_holds_the_same_friends_in_another_order_ends_too(shop: Database) -> None:
    """A transaction that holds the last and waits for the first, as one of ours would never."""
    people = [friend_id(number) for number in range(1, 101)]
    text = "friend,age\n" + "".join(f"{friend},20\n" for friend in people)
    await tell(shop, text)
    hold = "select from friends where friend = $1 for update"

    async def waits() -> bool:
        query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        return await count(shop, query) > 0

    async with shop.long_transaction() as other:
        await other.execute("set deadlock_timeout = '1min'")  # So that it is ours that gives way.
        await other.execute(hold, people[-1])
        telling = asyncio.create_task(tell(shop, text.replace(",20", ",30")))
        await eventually(waits)
        await asyncio.wait_for(other.execute(hold, people[0]), timeout=30)
    assert (await asyncio.wait_for(telling, timeout=30)).friends == 100
    assert (await known(shop, people[0])).attributes.age == 30


async def test_many_lines_take_some_seconds(shop: Database) -> None:
    async with shop.transaction() as connection:
        await define(connection, "vips", {"kind": "tag", "tag": "vip"}, at=NOW)
    header = "friend,gender,birthday,region,os,language,rank,tags\n"
    many = "".join(
        f"{friend_id(number)},女性,2001/2/3,東京都,iOS,ja,gold,vip\n" for number in range(30_000)
    )
    started = time.monotonic()
    done = await tell(shop, header + many)
    assert time.monotonic() - started < 15
    assert (done.friends, done.met) == (30_000, 30_000)
    assert await count(shop, "select count(*) from audience_members") == 30_000
    # Nobody watches the audience.
    assert await count(shop, "select count(*) from audience_changes") == 0


async def post(door: Door, data: str | bytes, **params: str) -> Any:
    content = data.encode() if isinstance(data, str) else data
    return await door.api("POST", "/friends/attributes", content=content, params=params)


async def test_the_front_door_takes_a_file(door: Door) -> None:
    answer = await post(door, f"\ufeffuser_id\tage\r\n{HANAKO}\t20\r\n")
    assert (answer.status_code, answer.json()) == (
        200,
        {"friends": 1, "met": 1, "wrong": 0, "wrong_lines": [], "encoding": "UTF-8"},
    )
    shown = (await door.api("GET", f"/friends/{HANAKO}")).json()
    assert shown["attributes"]["age"] == 20


async def test_the_front_door_tells_each_wrong_line(door: Door) -> None:
    text = f"friend,age\n{HANAKO},x\n{TARO},20\n"
    answer = await post(door, text)
    assert answer.status_code == 400
    told = answer.json()
    assert told["wrong"] == 1
    assert told["wrong_lines"] == [
        {
            "line": 2,
            "column": "age",
            "text": "x",
            "problem": "is not an age; write whole years, 0 to 150",
        }
    ]
    assert "on_wrong=keep_good" in told["detail"]
    assert (await door.api("GET", f"/friends/{TARO}")).status_code == 404
    kept = await post(door, text, on_wrong="keep_good")
    assert (kept.status_code, kept.json()["friends"], kept.json()["wrong"]) == (200, 1, 1)


@pytest.mark.parametrize(
    ("data", "params", "status", "says"),
    [
        (b"", {}, 400, "is empty"),
        ("friend,ランク\n".encode(), {}, 400, "is not known"),
        (b"\xff\xfe\x00\x00", {}, 400, "UTF-16"),
        (b"\x80\x81\xff", {}, 400, "neither UTF-8 nor Shift_JIS"),
        (b"friend\n\0\n", {}, 400, "no text at all"),
        (b'friend\n"', {}, 400, "line 2: the quotes"),
        (b"friend;tags\n", {}, 400, "separated by ';'"),
        (f"{HANAKO},vip\n".encode(), {}, 400, "tells of a friend already"),
        (b"friend\n", {"channel": "nope"}, 404, "nope"),
        (b"friend\n", {"on_wrong": "guess"}, 422, "keep_good"),
        (b"friend\n", {}, 200, ""),
    ],
)
async def test_the_front_door_says_what_is_wrong(
    door: Door, data: bytes, params: dict[str, str], status: int, says: str
) -> None:
    answer = await post(door, data, **params)
    assert answer.status_code == status
    assert any(part in answer.text for part in says.split("|"))


async def test_the_front_door_wants_the_token_and_no_more_than_it_can_hold(door: Door) -> None:
    answer = await door.http.post("/api/friends/attributes", content=b"friend\n")
    assert answer.status_code == 401
    answer = await post(door, b"x" * 64_000_001)
    assert answer.status_code == 413


async def test_friends_at_the_terminal(run: Run, tmp_path: Any) -> None:
    file = tmp_path / "friends.csv"
    with file.open("w", encoding="cp932", newline="") as text:
        csv.writer(text).writerows(
            [["ユーザーID", "地域", "タグ"], [HANAKO, "東京都", "vip"], [TARO, "大阪府", ""]]
        )
    told = await run("friend", "upload", str(file))
    assert "2 friends, 2 of them new, 0 wrong lines; read as Shift_JIS" in told
    assert "region=大阪府" in await run("friend", "list")
    listed = await run("friend", "list", "--tag", "vip")
    assert HANAKO in listed
    assert TARO not in listed
    assert "and more" in await run("friend", "list", "--most", "1")
    assert "and more" not in await run("friend", "list", "--most", "2")

    told = await run("friend", "set", HANAKO, "性別=女性", "rank=gold", "region=-")
    assert told.strip() == "gender=female, rank=gold"
    assert "gender=female, rank=gold" in await run("friend", "show", HANAKO)
    # What people write is no markup.
    await run("friend", "set", HANAKO, "rank=[/b]")
    await run("friend", "tag", HANAKO, "[/x]")
    shown = await run("friend", "show", HANAKO)
    assert "rank=[/b]" in shown
    assert "[/x]" in shown
    assert "rank=[/b]" in await run("friend", "list")
    for wrong in ("rank", "age=x", "tags=x", "ランク=x", "=x", "friend=x"):
        with pytest.raises(Failed, match=wrong):
            await run("friend", "set", HANAKO, wrong)

    assert "at (Asia/Tokyo)" in await run("friend", "events", HANAKO)
    assert "Aborted" in await run("friend", "forget", HANAKO, says="n\n")
    assert "is being forgotten" in await run("friend", "forget", HANAKO, "--yes")


async def test_wrong_lines_at_the_terminal(run: Run, tmp_path: Any) -> None:
    file = tmp_path / "friends.csv"
    file.write_text(f"friend,age\n{HANAKO},20\n{TARO},x\n", encoding="utf-8")
    with pytest.raises(Failed, match="line 3, age: is not an age"):
        await run("friend", "upload", str(file))
    told = await run("friend", "upload", str(file), "--keep-good")
    assert "line 3, age: 'x' is not an age" in told
    assert "1 friends, 1 of them new, 1 wrong lines" in told


async def test_audiences_at_the_terminal(run: Run) -> None:
    await run("audience", "put", "vips", "--title", "VIP会員")
    await run("audience", "add", "vips", HANAKO, TARO)
    assert "1 removed, 1 were not in it" in await run(
        "audience", "remove", "vips", TARO, "U" + "9" * 32
    )
    assert "upload, 1 members" in await run("audience", "show", "vips")
    listed = await run("audience", "members", "vips")
    assert HANAKO in listed
    assert TARO not in listed
    assert "removed through the API" in await run("audience", "history", "vips", TARO)
    assert "is in it" in await run("audience", "history", "vips", HANAKO)
    assert "was never in vips" in await run("audience", "history", "vips", friend_id(3))
    assert "VIP会員" in await run("audience", "list")
    assert "is deleted" in await run("audience", "delete", "vips")


async def test_a_file_of_ids_at_the_terminal(run: Run, tmp_path: Any) -> None:
    await run("audience", "put", "vips")
    file = tmp_path / "ids.csv"
    file.write_bytes("ユーザーID,名前\r\n".encode("cp932") + f"{HANAKO}\r\n花子\r\n".encode())
    with pytest.raises(Failed, match="such as line 3"):
        await run("audience", "upload", "vips", str(file))
    told = await run("audience", "upload", "vips", str(file), "--keep-good")
    assert "line 3 holds no LINE user id (U and 32 of 0-9, a-f): 花子" in told
    assert "the first line was taken for a header: ユーザーID,名前" in told
    assert "1 joined, 0 were in already, 1 wrong lines" in told
    file.write_text("ユーザーID\n", encoding="utf-8")
    told = await run("audience", "upload", "vips", str(file))
    assert "the first line was taken for a header: ユーザーID" in told
    assert "the file holds no user ids" in told


async def test_audiences_of_a_file_at_the_terminal(run: Run, tmp_path: Any) -> None:
    file = tmp_path / "audiences.yaml"
    file.write_text(
        "audiences: {vips: {title: VIP会員}, new: , odd: {kind: odd}}", encoding="utf-8"
    )
    with pytest.raises(Failed, match=r"^audiences\.odd: kind is one of upload"):
        await run("audience", "define", str(file))
    assert "VIP会員" in await run("audience", "show", "vips")
    for wrong in ("friend,tags", "audiences: [vips]", "audiences: {vips: 1}", "audiences:", ": ["):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(Failed, match="is not a file of audiences"):
            await run("audience", "define", str(file))
    file.write_text("audiences: {VIP会員: {}}", encoding="utf-8")
    with pytest.raises(Failed, match="'VIP会員' can't be an audience's name"):
        await run("audience", "define", str(file))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("audience show nope", "'nope' does not exist"),
        ("audience members nope", "'nope' does not exist"),
        ("audience show 会員", "what marketers call it is its title"),
        ("audience show ../friends", "can't be an audience's name"),
        ("audience put 会員", "in a to z, digits and -"),
        ("audience add nope U1", "'U1' is not a LINE user id"),
        (f"audience history nope {HANAKO}", "'nope' does not exist"),
        ("friend list --audience nope", "'nope' does not exist"),
        ("friend list --channel nope", "channel 'nope' does not exist"),
        (f"friend show {HANAKO}", "is not a friend of channel 'default'"),
        ("friend show 花子", "nobody of that name is known"),
        ("audience add nope 花子", "nobody of that name is known"),
        ("audience remove nope 花子", "nobody of that name is known"),
        ("pause --friend 花子", "nobody of that name is known"),
        ("friend show ../audiences", "is not a LINE user id"),
        (f"friend tag {HANAKO} vip", "is not a friend"),
        (f"friend forget {HANAKO} --yes", "is not a friend"),
    ],
)
async def test_what_is_wrong_is_told_at_the_terminal(run: Run, words: str, says: str) -> None:
    with pytest.raises(Failed, match=says):
        await run(*words.split())


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("TOBIISHI_URL", "http://127.0.0.1:1", "does not answer .* start it with `make run`"),
        ("TOBIISHI_API_TOKEN", "another", "has another token; set TOBIISHI_API_TOKEN"),
        ("TOBIISHI_API_TOKEN", "鍵", "set it"),
    ],
)
async def test_who_can_not_be_reached_is_told_at_the_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Failed, match=says):
        await run("friend", "list")


async def test_a_file_that_is_too_large_is_told_at_the_terminal(run: Run, tmp_path: Any) -> None:
    file = tmp_path / "large.csv"
    file.write_bytes(b"friend\n" + f"{HANAKO}\n".encode() * 2_000_000)
    with pytest.raises(Failed, match="64 MB"):
        await run("friend", "upload", str(file))


async def test_the_terminal_speaks_of_its_own_options(run: Run, tmp_path: Any) -> None:
    file = tmp_path / "friends.csv"
    file.write_text(f"friend,age\n{HANAKO},x\n", encoding="utf-8")
    with pytest.raises(Failed, match="with --keep-good") as refused:
        await run("friend", "upload", str(file))
    assert "on_wrong" not in str(refused.value)


async def test_friends_are_found_by_their_name(door: Door, shop: Database) -> None:
    async with shop.transaction() as connection:
        for friend, name in ((HANAKO, "山田 Hanako"), (TARO, "太郎")):
            await friends.set_status(connection, "default", friend, "following", NOW)
            await connection.execute(
                "update friends set display_name = $1 where friend = $2", name, friend
            )
    for name, found in (("hanako", [HANAKO]), ("郎", [TARO]), ("%", []), ("", [HANAKO, TARO])):
        answer = await door.api("GET", "/friends", params={"name": name})
        assert sorted(each["friend"] for each in answer.json()) == sorted(found)
