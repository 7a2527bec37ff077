"""What of a message is rewritten, and what is left alone."""

from __future__ import annotations

import copy
import json
from typing import Any
from uuid import UUID

import pytest

from tobiishi.scenario import render
from tobiishi.simulator.message_objects import MESSAGES
from tobiishi.text import is_keepable
from tobiishi.tracking.messages import (
    MAX_BUBBLE_BYTES,
    Link,
    Tracked,
    parameters_for_line,
    postbacks_of,
    videos_of,
    with_tracking_ids,
)

OURS = "https://l.example.com"
KEY = UUID("123e4567-e89b-12d3-a456-426614174000")
SHOP = "https://shop.example/sale?a=1&b=2#top"


def address_of(link: Link) -> str:
    """An address that tells what it stands for, to be read back."""
    return f"{OURS}/{link.kind[0]}/{link.url.encode().hex()}"


def rewritten(message: dict[str, Any], **tracked: Any) -> dict[str, Any]:
    """The message, its addresses read back as `<the link>`."""
    (done,) = Tracked(public_url=OURS, **tracked).rewritten([message], address_of)
    return json.loads(_read_back(json.dumps(done, ensure_ascii=False)))  # type: ignore[no-any-return]


def _read_back(text: str) -> str:
    for kind in ("l", "i"):
        before, *others = text.split(f"{OURS}/{kind}/")
        for other in others:
            code = other[: len(other) - len(other.lstrip("0123456789abcdef"))]
            before += f"<{bytes.fromhex(code).decode()}>{other[len(code) :]}"
        text = before
    return text


def text_of(text: str, type: str = "text") -> str:
    done: str = rewritten({"type": type, "text": text})["text"]
    return done


#: A text, and how it is sent: a link that leads through us in angle brackets.
TEXTS = [
    ("", ""),
    ("ありがとうございます", "ありがとうございます"),
    ("https://a.example/b", "<https://a.example/b>"),
    ("http://a.example", "<http://a.example>"),
    ("HTTPS://A.example/B", "<HTTPS://A.example/B>"),
    # Two, and the same one twice.
    ("https://a.example/ https://b.example/", "<https://a.example/> <https://b.example/>"),
    ("https://a.example\nhttps://a.example", "<https://a.example>\n<https://a.example>"),
    ("1.https://a.example/1、2", "1.<https://a.example/1>、2"),
    (
        "①https://a.example/1、②https://a.example/2",
        "①<https://a.example/1>、②<https://a.example/2>",
    ),
    # Japanese around it.
    ("「https://a.example/b」を見る", "「<https://a.example/b>」を見る"),
    ("（https://a.example/b）", "（<https://a.example/b>）"),
    ("【https://a.example/b】", "【<https://a.example/b>】"),
    ("詳しくはhttps://a.example/b。", "詳しくは<https://a.example/b>。"),
    ("詳細：https://a.example/b、ほか", "詳細：<https://a.example/b>、ほか"),
    ("URL:https://a.example/b！", "URL:<https://a.example/b>！"),
    ("https://a.example/bを見る", "<https://a.example/b>を見る"),
    ("https://shop.exampleへ", "<https://shop.example>へ"),
    ("https://a.example/b🎁", "<https://a.example/b>🎁"),
    ("🎁https://a.example/b　次", "🎁<https://a.example/b>　次"),
    ("https://a.example/b→https://b.example/", "<https://a.example/b>→<https://b.example/>"),
    ("https://a.example/b(税込)", "<https://a.example/b>(税込)"),
    ("https://a.example/b…", "<https://a.example/b>…"),
    # Latin around it.
    ("(https://a.example/b)", "(<https://a.example/b>)"),
    ("(https://a.example/b).", "(<https://a.example/b>)."),
    ("[https://a.example/b]ほか", "[<https://a.example/b>]ほか"),
    ("(https://a.example/)(https://b.example/)", "(<https://a.example/>)(<https://b.example/>)"),
    ("<https://a.example/b>", "<<https://a.example/b>>"),
    ('"https://a.example/b"', '"<https://a.example/b>"'),
    ("'https://a.example/b'", "'<https://a.example/b>'"),
    (
        "See https://a.example/b, or https://c.example.",
        "See <https://a.example/b>, or <https://c.example>.",
    ),
    ("https://a.example/b!?", "<https://a.example/b>!?"),
    ("https://a.example/b;", "<https://a.example/b>;"),
    # What belongs to it.
    ("https://a.example/飛_(石)".replace("飛_(石)", "x_(y)"), "<https://a.example/x_(y)>"),
    ("https://a.example/?tags[]=x&y[0]=1", "<https://a.example/?tags[]=x&y[0]=1>"),
    (
        "https://a.example:8443/~a/b;c=1/@d,e/*?q=%E7%9F%B3+$1#f!",
        "<https://a.example:8443/~a/b;c=1/@d,e/*?q=%E7%9F%B3+$1#f>!",
    ),
    ("https://a.example/?u=https://b.example/", "<https://a.example/?u=https://b.example/>"),
    (
        "https://web.example/2020/https://b.example/",
        "<https://web.example/2020/https://b.example/>",
    ),
    ("https://xn--wgv71a119e.jp/", "<https://xn--wgv71a119e.jp/>"),
    ("http://127.0.0.1:8300/a", "<http://127.0.0.1:8300/a>"),
    ("http://localhost:8300/a", "<http://localhost:8300/a>"),
    # Nobody can tell where it ends.
    ("https://ja.example/wiki/飛び石", None),
    ("https://a.example/?q=飛び石", None),
    ("https://日本語.jp/", None),
    ("https://www.日本語.jp/", None),
    ("https://shop.example.日本/", None),
    ("https://a.example/b-石", None),
    ("https://a.example/?q={x}", None),
    ("https://a.example/?q=1|2", None),
    ("https://a.example/\\x", None),
    ("https://a.example/,https://b.example/", None),
    # No link, or not one of the web's.
    ("https://", None),
    ("https://...", None),
    ("http://intranet/a", None),
    ("https:/a.example", None),
    ("www.a.example", None),
    ("xhttps://a.example", None),
    ("tel:0312345678 mailto:a@b.example", None),
    ("line://ti/p/@x?u=https://a.example/", None),
    ("ftp://a.example", None),
    ("https://[::1", None),
    # They open in LINE by themselves.
    ("https://line.me/R/ti/p/@x", None),
    ("https://LIFF.line.me/123-abc?x=1", None),
    ("https://lin.ee/abc", None),
    ("https://page.line.me/x https://line.me./x", None),
    ("https://line.me:443/R/", None),
    ("https://user@line.me/R/", None),
    # Only those.
    ("https://line.me.example/", "<https://line.me.example/>"),
    ("https://online.me/ https://berlin.ee/", "<https://online.me/> <https://berlin.ee/>"),
    # Ours already.
    (f"{OURS}/r/token", None),
    (f"{OURS.upper()}", None),
    (f"{OURS}?x {OURS}#x {OURS}/", None),
    (f"{OURS}.jp/", f"<{OURS}.jp/>"),
]


@pytest.mark.parametrize(("text", "sent"), TEXTS)
@pytest.mark.parametrize("type", ["text", "textV2"])
def test_links_in_a_text(text: str, sent: str | None, type: str) -> None:
    assert text_of(text, type) == (text if sent is None else sent)


def test_a_doubled_brace_of_a_text_v2_may_belong_to_an_address() -> None:
    assert text_of("https://a.example/?q={{x}}", "textV2") == "https://a.example/?q={{x}}"
    assert text_of("{smile}https://a.example/ {smile}", "textV2") == (
        "{smile}<https://a.example/> {smile}"
    )


def test_emojis_stay_where_they_are() -> None:
    """They count UTF-16 code units, and stand for a `$`, which an address may hold, too."""
    message = {
        "type": "text",
        "text": "🎁$ https://a.example/$x$ $https://b.example$",
        "emojis": [{"index": at, "productId": "p", "emojiId": "1"} for at in (2, 24, 26, 44)],
    }
    done = rewritten(message)
    assert done["text"] == "🎁$ <https://a.example/$x>$ $<https://b.example>$"
    (sent,) = Tracked(public_url=OURS).rewritten([message], address_of)
    units = sent["text"].encode("utf-16-le")
    at = [emoji["index"] for emoji in sent["emojis"]]
    assert [units[2 * index : 2 * index + 2] for index in at] == ["$".encode("utf-16-le")] * 4
    assert at[0] == 2
    assert at[1] == len(sent["text"].split(" ")[0]) + 1 + 1 + len(sent["text"].split(" ")[1]) - 1
    assert at[3] == len(units) // 2 - 1
    assert message["emojis"][1]["index"] == 24  # type: ignore[index]


@pytest.mark.parametrize("emojis", ["x", [1], [{}], [{"index": "1"}], {"index": 1}])
def test_emojis_that_are_none_leave_the_text_to_line(emojis: Any) -> None:
    message = {"type": "text", "text": "https://a.example/", "emojis": emojis}
    assert rewritten(message) == message


@pytest.mark.parametrize("type", ["text", "textV2"])
def test_a_text_that_would_grow_too_long_stays_as_it_is(type: str) -> None:
    room = len(address_of(Link("link", "https://a.example"))) - len("https://a.example")
    for wide, units in (("石", 1), ("🎁", 2)):
        fits = wide * ((5000 - room - 18) // units) + " https://a.example"
        assert "<https://a.example>" in text_of(fits, type)
        assert text_of("  " + fits, type) == "  " + fits


URI: dict[str, Any] = {"type": "uri", "label": "見る", "uri": SHOP}

#: URIs of actions, and whether they are rewritten.
URIS = [
    (SHOP, True),
    ("http://shop.example", True),
    ("https://日本語.jp/石?q=飛び石", True),
    ("https://shop.example/" + "x" * 979, True),
    ("http://intranet/a", True),
    ("https://a.example/?q={x}|y", True),
    ("tel:0312345678", False),
    ("mailto:a@b.example", False),
    ("line://ti/p/@x", False),
    ("https://line.me/R/nv/chat", False),
    ("https://liff.line.me/123-abc", False),
    ("https://miniapp.line.me/123-abc", False),
    ("https://lin.ee/x", False),
    (f"{OURS}/l/x", False),
    (OURS, False),
    ("https://", False),
    ("", False),
    ("//shop.example/", False),
    ("shop.example", False),
    ("javascript:alert(1)", False),
    ("https://a.example/ b", False),
    ("https://a.example/\nb", False),
    ("https://a.example/\0", False),
    ("https://a.example/\ud83d", False),
    ("https://[a", False),
    ("https://a.example:99999999/", True),
]


@pytest.mark.parametrize(("uri", "is_tracked"), URIS)
def test_the_uri_of_an_action(uri: str, is_tracked: bool) -> None:
    tracked = Tracked(public_url=OURS)
    message = {"type": "flex", "contents": {"action": {"type": "uri", "uri": uri}}}
    assert tracked.links_of([message]) == ([Link("link", uri)] if is_tracked else [])
    (done,) = tracked.rewritten([message], lambda link: "https://x/")
    assert done["contents"]["action"]["uri"] == ("https://x/" if is_tracked else uri)


def test_an_address_over_lines_limit_is_not_put_in() -> None:
    message = {"type": "template", "template": {"actions": [URI]}}
    for address, expected in (("x" * 1000, "x" * 1000), ("x" * 1001, SHOP)):
        (done,) = Tracked(public_url=OURS).rewritten(
            [message], {Link("link", SHOP): address}.__getitem__
        )
        assert done["template"]["actions"][0]["uri"] == expected


IMAGE = "https://img.example/1.png"
POSTBACK = {"type": "postback", "label": "はい", "data": "yes", "displayText": "はい"}
PICKER = {"type": "datetimepicker", "label": "日", "data": "day", "mode": "date"}
QUICK = {
    "items": [
        {"type": "action", "imageUrl": IMAGE, "action": {**POSTBACK, "data": "quick"}},
        {"type": "action", "action": {"type": "uri", "label": "見る", "uri": SHOP}},
        {"type": "action", "action": {"type": "camera", "label": "写真"}},
        {"type": "action", "action": {"type": "clipboard", "label": "写す", "clipboardText": SHOP}},
    ]
}
AREA = {"x": 0, "y": 0, "width": 100, "height": 100}
BUBBLE: dict[str, Any] = {
    "type": "bubble",
    "hero": {"type": "image", "url": IMAGE, "action": URI},
    "header": {
        "type": "box",
        "layout": "vertical",
        "contents": [{"type": "image", "url": IMAGE}],
    },
    "body": {
        "type": "box",
        "layout": "vertical",
        "action": {"type": "uri", "uri": SHOP, "altUri": {"desktop": f"{SHOP}pc"}},
        "contents": [
            {"type": "text", "text": f"見る {SHOP}", "action": URI},
            {"type": "text", "contents": [{"type": "span", "text": SHOP}]},
            {"type": "box", "layout": "baseline", "contents": [{"type": "icon", "url": IMAGE}]},
            {"type": "box", "layout": "vertical", "contents": [{"type": "button", "action": URI}]},
            {"type": "button", "action": POSTBACK},
            {"type": "button", "action": PICKER},
        ],
    },
}
FILM: dict[str, Any] = {
    "type": "bubble",
    "hero": {
        "type": "video",
        "url": "https://img.example/1.mp4",
        "previewUrl": IMAGE,
        "altContent": {"type": "image", "url": IMAGE},
    },
}
#: A message of each of LINE's types, as its reference describes them.
MESSAGES_OF_ALL_TYPES: list[dict[str, Any]] = [
    {"type": "text", "text": f"見る {SHOP}", "quickReply": QUICK, "quoteToken": "q"},
    {
        "type": "textV2",
        "text": f"{{smile}} {SHOP} {{{{石}}}}",
        "substitution": {"smile": {"type": "emoji", "productId": "p", "emojiId": "1"}},
    },
    {"type": "sticker", "packageId": "446", "stickerId": "1988", "quickReply": QUICK},
    {"type": "image", "originalContentUrl": f"{IMAGE}?o", "previewImageUrl": IMAGE},
    {"type": "video", "originalContentUrl": "https://img.example/1.mp4", "previewImageUrl": IMAGE},
    {"type": "audio", "originalContentUrl": "https://img.example/1.m4a", "duration": 1000},
    {"type": "location", "title": SHOP, "address": SHOP, "latitude": 35.0, "longitude": 139.0},
    {
        "type": "imagemap",
        "baseUrl": "https://img.example/map",
        "altText": SHOP,
        "baseSize": {"width": 1040, "height": 1040},
        "video": {
            "originalContentUrl": "https://img.example/1.mp4",
            "previewImageUrl": IMAGE,
            "area": AREA,
            "externalLink": {"linkUri": f"{SHOP}more", "label": "もっと"},
        },
        "actions": [
            {"type": "uri", "linkUri": SHOP, "area": AREA},
            {"type": "message", "text": SHOP, "area": AREA},
            {"type": "clipboard", "clipboardText": SHOP, "area": AREA},
        ],
    },
    {
        "type": "template",
        "altText": SHOP,
        "template": {
            "type": "buttons",
            "thumbnailImageUrl": IMAGE,
            "text": SHOP,
            "defaultAction": URI,
            "actions": [URI, POSTBACK, {"type": "message", "label": "x", "text": SHOP}],
        },
    },
    {
        "type": "template",
        "altText": "確認",
        "template": {"type": "confirm", "text": "?", "actions": [URI, {**POSTBACK, "data": "no"}]},
    },
    {
        "type": "template",
        "altText": "一覧",
        "template": {
            "type": "carousel",
            "columns": [{"text": "1", "thumbnailImageUrl": IMAGE, "actions": [URI, PICKER]}],
        },
    },
    {
        "type": "template",
        "altText": "写真",
        "template": {"type": "image_carousel", "columns": [{"imageUrl": IMAGE, "action": URI}]},
    },
    {"type": "flex", "altText": SHOP, "contents": BUBBLE, "sender": {"iconUrl": IMAGE}},
    {"type": "flex", "altText": "x", "contents": {"type": "carousel", "contents": [BUBBLE]}},
    {"type": "coupon", "couponId": "01"},
    {"type": "flex", "altText": "x", "contents": FILM},
]
#: Which of their fields are rewritten.
LINK_PATHS = [
    "0.quickReply.items.1.action.uri",
    "0.text",
    "1.text",
    "2.quickReply.items.1.action.uri",
    "7.actions.0.linkUri",
    "7.video.externalLink.linkUri",
    "8.template.actions.0.uri",
    "8.template.defaultAction.uri",
    "9.template.actions.0.uri",
    "10.template.columns.0.actions.0.uri",
    "11.template.columns.0.action.uri",
    *(
        f"{bubble}.{field}"
        for bubble in ("12.contents", "13.contents.contents.0")
        for field in (
            "body.action.altUri.desktop",
            "body.action.uri",
            "body.contents.0.action.uri",
            "body.contents.3.contents.0.action.uri",
            "hero.action.uri",
        )
    ),
]
IMAGE_PATHS = [
    "3.originalContentUrl",
    "3.previewImageUrl",
    "8.template.thumbnailImageUrl",
    "10.template.columns.0.thumbnailImageUrl",
    "11.template.columns.0.imageUrl",
    "12.contents.header.contents.0.url",
    "12.contents.hero.url",
    "13.contents.contents.0.header.contents.0.url",
    "13.contents.contents.0.hero.url",
    "15.contents.hero.altContent.url",
]


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every value of a message by its path."""
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        found: dict[str, Any] = {}
        for name, part in parts:
            found |= leaves(part, f"{path}.{name}" if path else str(name))
        return found
    return {path: value}


@pytest.mark.parametrize(
    ("tracked", "changed"),
    [
        ({}, LINK_PATHS),
        ({"images": True}, LINK_PATHS + IMAGE_PATHS),
        ({"links": False, "images": True}, IMAGE_PATHS),
        ({"links": False}, []),
    ],
)
def test_messages_of_every_type(tracked: dict[str, bool], changed: list[str]) -> None:
    before = copy.deepcopy(MESSAGES_OF_ALL_TYPES)
    details: list[Any] = []
    for message in before:
        MESSAGES([message], "messages", details)
    assert details == []  # LINE would take them.
    tracking = Tracked(public_url=OURS, **tracked)
    after = tracking.rewritten(before, address_of)
    assert before == MESSAGES_OF_ALL_TYPES
    was, now = leaves(before), leaves(after)
    assert was.keys() == now.keys()
    assert {path for path in was if was[path] != now[path]} == set(changed)
    for path in changed:
        kind = "i" if path in IMAGE_PATHS else "l"
        assert now[path].startswith(f"{OURS}/{kind}/") or path.endswith(".text"), path
        if not path.endswith(".text"):
            assert _read_back(now[path]) == f"<{was[path]}>"
    for message in after:
        MESSAGES([message], "messages", details)
    assert details == []  # And takes them still.
    assert tracking.rewritten(before, address_of) == after
    assert tracking.rewritten(after, address_of) == after  # Ours are left alone.
    assert len(tracking.links_of(before)) == len(set(tracking.links_of(before)))


def test_a_bubble_that_would_grow_too_large_stays_as_it_is() -> None:
    def bubble(filled: int) -> dict[str, Any]:
        buttons = [{"type": "button", "action": {"type": "uri", "uri": "https://a.example"}}] * 3
        contents = [*buttons, {"type": "text", "text": "x" * filled}]
        return {"type": "bubble", "body": {"type": "box", "contents": contents}}

    tracked = Tracked(public_url=OURS)

    def size(contents: dict[str, Any]) -> int:
        (done,) = tracked.rewritten([{"type": "flex", "contents": contents}], address_of)
        return len(json.dumps(done["contents"], ensure_ascii=False).encode())

    full = MAX_BUBBLE_BYTES - size(bubble(0))
    assert size(bubble(full)) == MAX_BUBBLE_BYTES
    small = len(json.dumps(bubble(full + 1)).encode())
    assert size(bubble(full + 1)) == small  # As it was.
    large = len(json.dumps(bubble(MAX_BUBBLE_BYTES)).encode())
    assert size(bubble(MAX_BUBBLE_BYTES)) == large  # LINE took it at publishing, so it may.


def test_a_carousel_that_would_grow_too_large_stays_as_it_is() -> None:
    bubble = {
        "type": "bubble",
        "footer": {"type": "text", "text": "x" * 23_000},
        "action": {"type": "uri", "uri": "https://a.example"},
    }
    message = {"type": "flex", "contents": {"type": "carousel", "contents": [bubble] * 2}}
    (done,) = Tracked(public_url=OURS).rewritten([message], lambda link: "https://x/" * 99)
    assert done["contents"]["contents"][0]["action"]["uri"] == "https://x/" * 99
    (done,) = Tracked(public_url=OURS).rewritten(
        [{"type": "flex", "contents": {"type": "carousel", "contents": [bubble] * 3}}],
        lambda link: "https://x/" * 99,
    )
    assert done["contents"]["contents"][0]["action"]["uri"] == "https://a.example"


def test_images_need_https_on_both_sides() -> None:
    """LINE fetches no other."""
    message = {"type": "image", "originalContentUrl": IMAGE, "previewImageUrl": "http://a.example/"}
    assert Tracked(public_url=OURS, images=True).links_of([message]) == [Link("image", IMAGE)]
    assert Tracked(public_url="http://127.0.0.1:8000", images=True).links_of([message]) == []


def test_links_of_a_message_are_told_once_in_order() -> None:
    messages = [{"type": "text", "text": "https://b.example https://a.example https://b.example"}]
    found = Tracked(public_url=OURS).links_of(messages)
    assert found == [Link("link", "https://b.example"), Link("link", "https://a.example")]


def test_what_a_template_filled_in_is_rewritten_as_it_came_out() -> None:
    messages: list[dict[str, Any]] = [
        {"type": "text", "text": "https://a.example/?n={{ friend.display_name | url_encode }} ok"},
        {"type": "text", "text": "https://a.example/?n={{ friend.display_name }} ok"},
        {"type": "textV2", "text": "https://a.example/?n={{ friend.display_name }} ok"},
        {
            "type": "template",
            "template": {
                "actions": [{"type": "uri", "uri": "https://a.example/{{ friend.region }}"}]
            },
        },
    ]
    filled = render(messages, {"display_name": "花 {子}", "region": "東京都"})
    done = [rewritten(message) for message in filled]
    assert done[0]["text"] == "<https://a.example/?n=%E8%8A%B1+%7B%E5%AD%90%7D> ok"
    assert done[1]["text"] == "https://a.example/?n=花 {子} ok"
    assert done[2]["text"] == "https://a.example/?n=花 {{子}} ok"
    assert done[3]["template"]["actions"][0]["uri"] == (
        "<https://a.example/%E6%9D%B1%E4%BA%AC%E9%83%BD>"
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://a.example/", ""),
        ("https://a.example/?openExternalBrowser=1", "?openExternalBrowser=1"),
        ("https://a.example/?a=1&openInAppBrowser=0&b=2#x", "?openInAppBrowser=0"),
        ("https://a.example/#openExternalBrowser=1", ""),
        ("https://a.example/?openExternalBrowser=1%26x", "?openExternalBrowser=1%26x"),
        ("https://a.example/?xopenExternalBrowser=1", ""),
    ],
)
def test_what_line_reads_in_an_address_is_said_in_ours_too(url: str, said: str) -> None:
    assert parameters_for_line(url) == said


def test_what_answers_tell_of_every_type() -> None:
    assert postbacks_of(MESSAGES_OF_ALL_TYPES) == ["quick", "yes", "no", "day"]


def test_only_what_postgres_keeps_is_told() -> None:
    actions = [
        {"type": "postback", "data": data} for data in ("a\0", "a\ud83d", 1, None, "🎁", "", "🎁")
    ]
    assert postbacks_of([{"type": "template", "template": {"actions": actions}}]) == ["🎁", ""]
    assert [is_keepable(text) for text in ("", "石🎁", "\0", "\udc00")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_video_without_an_id_gets_one_that_stays() -> None:
    videos: list[dict[str, Any]] = [
        {"type": "video", "originalContentUrl": "x"},
        {"type": "video", "trackingId": "mine"},
        {"type": "video", "trackingId": None},
        {"type": "text", "text": "x"},
        {"type": "flex", "contents": {"type": "bubble", "hero": {"type": "video", "url": "x"}}},
    ]
    done = with_tracking_ids(videos, KEY)
    assert [message.get("trackingId") for message in done] == [
        str(KEY),
        "mine",
        str(KEY),
        None,
        None,
    ]
    assert "trackingId" not in json.dumps(done[4])
    assert videos_of(done) == [str(KEY), "mine"]
    assert with_tracking_ids(videos, KEY) == done
    assert videos[0] == {"type": "video", "originalContentUrl": "x"}
