"""The simulator is no kinder than LINE: each rule of its reference, kept and broken.

Beside each rule stands where LINE's reference has it, below `REFERENCE`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tobiishi.simulator.answers import Rejection
from tobiishi.simulator.message_objects import MESSAGES
from tobiishi.simulator.schema import check

REFERENCE = "https://developers.line.biz/en/reference/messaging-api/"
LAYOUT = "https://developers.line.biz/en/docs/messaging-api/flex-message-layout/"

IMAGE = "https://example.com/a.jpg"
FILM = "https://example.com/a.mp4"
AREA = {"x": 0, "y": 0, "width": 100, "height": 100}


def action(kind: str = "message", **more: Any) -> dict[str, Any]:
    required: dict[str, dict[str, Any]] = {
        "message": {"text": "はい"},
        "postback": {"data": "a=1"},
        "uri": {"uri": "https://example.com/"},
        "datetimepicker": {"data": "when", "mode": "date"},
        "richmenuswitch": {"richMenuAliasId": "a", "data": "b"},
        "clipboard": {"clipboardText": "A-1"},
        "camera": {},
        "cameraRoll": {},
        "location": {},
    }
    made = {"type": kind, "label": "はい", **required[kind], **more}
    return {name: value for name, value in made.items() if value is not None}


def template(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "template", "altText": "a", "template": {"type": kind, **more}}


def buttons(**more: Any) -> dict[str, Any]:
    return template("buttons", **{"text": "a", "actions": [action()], **more})


def confirm(**more: Any) -> dict[str, Any]:
    return template("confirm", **{"text": "a", "actions": [action(), action()], **more})


def column(actions: int = 1, **more: Any) -> dict[str, Any]:
    return {"text": "a", "actions": [action()] * actions, **more}


def carousel(*columns: dict[str, Any], **more: Any) -> dict[str, Any]:
    return template("carousel", columns=list(columns), **more)


def image_carousel(*actions: dict[str, Any]) -> dict[str, Any]:
    return template("image_carousel", columns=[{"imageUrl": IMAGE, "action": a} for a in actions])


def quick(*actions: dict[str, Any]) -> dict[str, Any]:
    items = [{"type": "action", "action": each} for each in actions]
    return {"type": "text", "text": "a", "quickReply": {"items": items}}


def imagemap(**more: Any) -> dict[str, Any]:
    size = {"width": 1040, "height": 700}
    tap = {"type": "message", "text": "a", "area": AREA}
    return {
        **{"type": "imagemap", "baseUrl": "https://example.com/map", "altText": "a"},
        **{"baseSize": size, "actions": [tap], **more},
    }


def flex(contents: dict[str, Any]) -> dict[str, Any]:
    return {"type": "flex", "altText": "a", "contents": contents}


def box(*contents: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "box", "layout": "vertical", "contents": list(contents), **more}


def bubble(*contents: dict[str, Any], **more: Any) -> dict[str, Any]:
    return flex({"type": "bubble", "body": box(*contents), **more})


def words(**more: Any) -> dict[str, Any]:
    return {"type": "text", "text": "a", **more}


def picture(**more: Any) -> dict[str, Any]:
    return {"type": "image", "url": IMAGE, **more}


def icon(**more: Any) -> dict[str, Any]:
    return bubble(box({"type": "icon", "url": IMAGE, **more}, layout="baseline"))


def button(**more: Any) -> dict[str, Any]:
    return bubble({"type": "button", "action": action(), **more})


def film(**more: Any) -> dict[str, Any]:
    return {"type": "video", "url": FILM, "previewUrl": IMAGE, "altContent": picture(), **more}


def gradient(**more: Any) -> dict[str, Any]:
    given = {
        **{"type": "linearGradient", "angle": "90deg"},
        **{"startColor": "#000000", "endColor": "#FFFFFF80"},
        **more,
    }
    kept = {name: value for name, value in given.items() if value is not None}
    return bubble(box(background=kept))


def boxed(**more: Any) -> dict[str, Any]:
    return bubble(box(**more))


def sender(**more: Any) -> dict[str, Any]:
    return {"type": "text", "text": "a", "sender": more}


def picker(mode: str, **more: Any) -> dict[str, Any]:
    return buttons(actions=[action("datetimepicker", mode=mode, **more)])


def tapped(**more: Any) -> dict[str, Any]:
    return buttons(actions=[action(**more)])


def text_v2(text: str, **substitution: Any) -> dict[str, Any]:
    return {"type": "textV2", "text": text, "substitution": substitution}


EMOJI = {"type": "emoji", "productId": "p", "emojiId": "1"}
PLACED = {"productId": "p", "emojiId": "1"}
MENTION = {"type": "mention", "mentionee": {"type": "all"}}
VIDEO = {"originalContentUrl": FILM, "previewImageUrl": IMAGE}

#: Where the rule is written, what keeps it, and what breaks it.
RULES: list[tuple[str, list[dict[str, Any]], list[dict[str, Any]]]] = [
    (
        "#text-message",
        [{"type": "text", "text": "😀" * 2500}],
        [{"type": "text", "text": "😀" * 2500 + "a"}, {"type": "text", "text": ""}],
    ),
    (
        "#text-message",
        [{"type": "text", "text": "a$", "emojis": [{**PLACED, "index": 1}]}],
        [{"type": "text", "text": "a$", "emojis": [{**PLACED, "index": 0}]}],
    ),
    (
        "#text-message-v2",
        [
            text_v2("{a} {{b}}", a=EMOJI),
            text_v2("a", **{"k" * 20: EMOJI}),
            text_v2("a", **{f"e{n}": EMOJI for n in range(20)}),
        ],
        [
            text_v2("{a} {b}", a=EMOJI),
            text_v2("{a", a=EMOJI),
            text_v2("a", **{"k" * 21: EMOJI}),
            text_v2("a", **{"名前": EMOJI}),
            text_v2("a", a={"type": "text"}),
            text_v2("a", **{f"e{n}": EMOJI for n in range(21)}),
            text_v2("a", **{f"m{n}": MENTION for n in range(21)}),
        ],
    ),
    (
        "#sticker-message",
        [{"type": "sticker", "packageId": "446", "stickerId": "1988"}],
        [
            {"type": "sticker", "packageId": "446"},
            {"type": "sticker", "packageId": "brown", "stickerId": "1988"},
            {"type": "sticker", "packageId": 446, "stickerId": 1988},
        ],
    ),
    (
        "#image-message",
        [{"type": "image", "originalContentUrl": IMAGE, "previewImageUrl": IMAGE}],
        [
            {"type": "image", "originalContentUrl": IMAGE},
            {"type": "image", "originalContentUrl": IMAGE + "a" * 2000, "previewImageUrl": IMAGE},
        ],
    ),
    (
        "#video-message",
        [{"type": "video", **VIDEO, "trackingId": "a-b.=,+*()%$&;:@{}!?<>[]"}],
        [
            {"type": "video", **VIDEO, "trackingId": "a_b"},
            {"type": "video", **VIDEO, "trackingId": "動画"},
            {"type": "video", **VIDEO, "trackingId": "a" * 101},
        ],
    ),
    (
        "#audio-message",
        [{"type": "audio", "originalContentUrl": FILM, "duration": 60_000}],
        [
            {"type": "audio", "originalContentUrl": FILM, "duration": 0},
            {"type": "audio", "originalContentUrl": FILM, "duration": "60000"},
        ],
    ),
    (
        "#location-message",
        [{"type": "location", "title": "店", "address": "東", "latitude": 35, "longitude": 139.7}],
        [
            {"type": "location", "title": "店", "address": "東", "latitude": 91, "longitude": 0},
            {
                "type": "location",
                "title": "店" * 101,
                "address": "東",
                "latitude": 1,
                "longitude": 0,
            },
            {"type": "location", "title": "店", "latitude": 1, "longitude": 0},
        ],
    ),
    (
        "#coupon-message",
        [{"type": "coupon", "couponId": "c", "deliveryTag": "spring_2030"}],
        [
            {"type": "coupon"},
            {"type": "coupon", "couponId": "c", "deliveryTag": "a" * 31},
            {"type": "coupon", "couponId": "c", "deliveryTag": "spring-2030"},
        ],
    ),
    (
        "#icon-nickname-switch",
        [sender(name="花" * 20, iconUrl=IMAGE), sender(name="Online shop"), sender(name="Liner")],
        [
            sender(name="花" * 21),
            sender(name="LINE"),
            sender(name="LINE公式"),
            sender(name="My line"),
            sender(iconUrl="http://example.com/a.png"),
        ],
    ),
    (
        "#quick-reply",
        [quick(*[action()] * 13), quick(action("camera"), action("clipboard"))],
        [
            quick(*[action()] * 14),
            quick(action(label="字" * 21)),
            quick(action(label=None)),
            quick(action("camera", label="字" * 21)),
            quick(action("location", label=None)),
            quick(action("richmenuswitch")),
        ],
    ),
    (
        "#action-object-label-spec",
        [
            tapped(label="字" * 20),
            confirm(actions=[action(label="字" * 20)] * 2),
            image_carousel(action(label="字" * 12), action("uri", label=None)),
            button(action=action(label="字" * 40)),
            bubble(words(action=action(label=None))),
        ],
        [
            tapped(label="字" * 21),
            tapped(label="😀" * 11),
            tapped(label=None),
            tapped(label=""),
            confirm(actions=[action(label="字" * 21)] * 2),
            buttons(defaultAction=action(label="字" * 21)),
            carousel(column() | {"actions": [action(label="字" * 21)]}),
            image_carousel(action(label="字" * 13)),
            button(action=action(label="字" * 41)),
            button(action=action(label=None)),
            bubble(words(action=action(label="字" * 41))),
        ],
    ),
    (
        "#postback-action",
        [
            tapped(kind="postback", data="d" * 300, displayText="字" * 300),
            tapped(kind="postback", inputOption="openKeyboard", fillInText="a\nb"),
        ],
        [
            tapped(kind="postback", data="d" * 301),
            tapped(kind="postback", displayText="字" * 301),
            tapped(kind="postback", displayText="a", text="b"),
            tapped(kind="postback", inputOption="openDoor"),
            tapped(kind="postback", fillInText="a"),
            tapped(kind="postback", inputOption="openVoice", fillInText="a"),
        ],
    ),
    ("#message-action", [tapped(text="字" * 300)], [tapped(text="字" * 301), tapped(text="")]),
    (
        "#uri-action",
        [
            tapped(kind="uri", uri="tel:09001234567"),
            tapped(kind="uri", uri="https://line.me/R/oaMessage/x"),
            tapped(kind="uri", uri="line://nv/chat", altUri={"desktop": "http://example.com/"}),
            tapped(kind="uri", uri="https://example.com/" + "a" * 980),
        ],
        [
            tapped(kind="uri", uri="https://example.com/" + "a" * 981),
            tapped(kind="uri", uri="example.com"),
            tapped(kind="uri", uri="ftp://example.com/"),
            tapped(kind="uri", uri="mailto:a@example.com"),
            tapped(kind="uri", uri="tel:"),
            tapped(kind="uri", uri="https://"),
            tapped(kind="uri", uri="https://example.com/a b"),
            tapped(kind="uri", altUri={"desktop": "example.com"}),
        ],
    ),
    (
        "#date-and-time-format",
        [
            picker("date", initial="2030-02-28", min="1900-01-01", max="2100-12-31"),
            picker("time", initial="06:15", min="00:00", max="23:59"),
            picker("datetime", initial="2017-06-18t06:15", max="2100-12-31T23:59"),
        ],
        [
            picker("day"),
            picker("date", initial="2030/02/28"),
            picker("date", initial="2030-02-30"),
            picker("date", initial="2030-02-28T10:00"),
            picker("date", min="1899-12-31"),
            picker("date", max="2101-01-01"),
            picker("date", min="2030-01-02", max="2030-01-01"),
            picker("date", min="2030-01-01", max="2030-01-01"),
            picker("time", initial="24:00"),
            picker("time", initial="6:15"),
            picker("time", initial="06:15:00"),
            picker("datetime", initial="2017-06-18 06:15"),
            picker("datetime", initial="2017-06-18T06:15:00"),
            picker("datetime", min="2030-01-01t10:00", max="2030-01-01T09:00"),
        ],
    ),
    (
        "#clipboard-action",
        [tapped(kind="clipboard", clipboardText="字" * 1000)],
        [tapped(kind="clipboard", clipboardText="字" * 1001), tapped(kind="clipboard", text="a")],
    ),
    (
        "#richmenu-switch-action",
        [],
        [tapped(kind="richmenuswitch"), button(action=action("richmenuswitch"))],
    ),
    ("#camera-action", [], [tapped(kind="camera"), button(action=action("cameraRoll"))]),
    (
        "#imagemap-message",
        [
            imagemap(),
            imagemap(
                actions=[{"type": "uri", "linkUri": IMAGE, "area": AREA, "label": "字" * 100}]
            ),
            imagemap(actions=[{"type": "message", "text": "字" * 400, "area": AREA}] * 50),
        ],
        [
            imagemap(baseSize={"width": 1000, "height": 700}),
            imagemap(baseSize={"width": 1040, "height": 0}),
            imagemap(actions=[{"type": "message", "text": "a", "area": AREA}] * 51),
            imagemap(actions=[{"type": "message", "text": "字" * 401, "area": AREA}]),
            imagemap(actions=[{"type": "message", "text": "a", "area": {**AREA, "x": -1}}]),
            imagemap(actions=[{"type": "message", "text": "a", "area": {**AREA, "width": 0}}]),
            imagemap(actions=[{"type": "uri", "linkUri": "example.com", "area": AREA}]),
            imagemap(
                actions=[{"type": "uri", "linkUri": IMAGE, "area": AREA, "label": "字" * 101}]
            ),
            imagemap(actions=[{"type": "clipboard", "clipboardText": "字" * 1001, "area": AREA}]),
            imagemap(actions=[{"type": "postback", "data": "a", "area": AREA}]),
            imagemap(altText="字" * 1501),
        ],
    ),
    (
        "#imagemap-message",
        [
            imagemap(video={**VIDEO, "area": AREA}),
            imagemap(
                video={
                    **{**VIDEO, "area": AREA},
                    "externalLink": {"linkUri": IMAGE, "label": "字" * 30},
                }
            ),
        ],
        [
            imagemap(video=VIDEO),
            imagemap(video={**VIDEO, "area": AREA, "externalLink": {"linkUri": IMAGE}}),
            imagemap(
                video={
                    **{**VIDEO, "area": AREA},
                    "externalLink": {"linkUri": IMAGE, "label": "字" * 31},
                }
            ),
        ],
    ),
    (
        "#buttons",
        [
            buttons(text="字" * 160),
            buttons(text="字" * 60, title="題"),
            buttons(text="字" * 60, thumbnailImageUrl=IMAGE),
            buttons(actions=[action()] * 4, title="題" * 40),
            buttons(imageBackgroundColor="#FFFFFF", imageSize="contain", imageAspectRatio="square"),
        ],
        [
            buttons(text="字" * 161),
            buttons(text="字" * 61, title="題"),
            buttons(text="字" * 61, thumbnailImageUrl=IMAGE),
            buttons(actions=[action()] * 5),
            buttons(actions=[]),
            buttons(title="題" * 41),
            buttons(imageBackgroundColor="white"),
            buttons(imageSize="fit"),
            buttons(imageAspectRatio="1:1"),
        ],
    ),
    (
        "#confirm",
        [confirm(text="字" * 240)],
        [confirm(text="字" * 241), confirm(actions=[action()]), confirm(title="題")],
    ),
    (
        "#carousel",
        [
            carousel(*[column(3)] * 10),
            carousel(column(text="字" * 120)),
            carousel(column(title="題", text="字" * 60), column(title="題")),
            carousel(column(thumbnailImageUrl=IMAGE), column(thumbnailImageUrl=IMAGE)),
        ],
        [
            carousel(*[column()] * 11),
            carousel(),
            carousel(column(4)),
            carousel(column(text="字" * 121)),
            carousel(column(text="字" * 61, title="題")),
            carousel(column(text="字" * 61, thumbnailImageUrl=IMAGE)),
        ],
    ),
    (
        "#column-object-for-carousel",
        [],
        [
            carousel(column(1), column(2)),
            carousel(column(title="題"), column()),
            carousel(column(), column(thumbnailImageUrl=IMAGE)),
            carousel(column(title="題"), column(thumbnailImageUrl=IMAGE)),
        ],
    ),
    (
        "#image-carousel",
        [image_carousel(*[action()] * 10)],
        [image_carousel(*[action()] * 11), image_carousel()],
    ),
    (
        "#bubble",
        [bubble(size=size) for size in ["nano", "micro", "deca", "hecto", "kilo", "mega", "giga"]],
        [bubble(size="xl"), bubble(direction="up"), flex({"type": "bubble"}), bubble(title="a")],
    ),
    (
        "#bubble",
        [bubble(header=box(), hero=picture(), footer=box())],
        [bubble(header=picture()), bubble(hero=words()), flex({"type": "bubble", "body": words()})],
    ),
    (
        "#block-style",
        [bubble(styles={"body": {"backgroundColor": "#00FF00", "separator": True}})],
        [
            bubble(styles={"body": {"backgroundColor": "green"}}),
            bubble(styles={"side": {}}),
            bubble(styles={"body": {"separator": "yes"}}),
        ],
    ),
    (
        "#f-carousel",
        [flex({"type": "carousel", "contents": [bubble(size="kilo")["contents"]] * 12})],
        [
            flex({"type": "carousel", "contents": [bubble()["contents"]] * 13}),
            flex(
                {
                    "type": "carousel",
                    "contents": [bubble()["contents"], bubble(size="kilo")["contents"]],
                }
            ),
            flex({"type": "carousel", "contents": []}),
        ],
    ),
    (
        "#box",
        [
            bubble(
                *(box(), words(), picture(), {"type": "separator"}, {"type": "filler"}),
                {"type": "button", "action": action()},
            ),
            bubble(box(words(), {"type": "icon", "url": IMAGE}, layout="baseline")),
        ],
        [
            bubble({"type": "icon", "url": IMAGE}),
            bubble({"type": "span", "text": "a"}),
            bubble({"type": "spacer", "size": "md"}),
            bubble(film()),
            bubble(box(picture(), layout="baseline")),
            bubble(box(box(), layout="baseline")),
            bubble(box(layout="grid")),
        ],
    ),
    (
        "#box",
        [
            boxed(backgroundColor="#RRGGBB".replace("R", "1").replace("G", "a").replace("B", "F")),
            boxed(backgroundColor="#11223344", borderColor="#112233"),
            boxed(borderWidth="semi-bold", cornerRadius="xxl"),
            boxed(borderWidth="2px", cornerRadius="100px"),
            boxed(width="72px", maxWidth="50%", height="23.5%", maxHeight="0px"),
            boxed(justifyContent="space-evenly", alignItems="flex-end", flex=0),
        ],
        [
            boxed(backgroundColor="red"),
            boxed(backgroundColor="#abc"),
            boxed(backgroundColor="112233"),
            boxed(borderWidth="xs"),
            boxed(borderWidth="2"),
            boxed(cornerRadius="50%"),
            boxed(width="full"),
            boxed(width=72),
            boxed(height="10em"),
            boxed(justifyContent="left"),
            boxed(alignItems="stretch"),
            boxed(flex="1"),
            boxed(flex=-1),
            boxed(color="#112233"),
        ],
    ),
    (
        f"{LAYOUT}#padding-property",
        [boxed(paddingAll="md", paddingTop="10px", paddingStart="5%")],
        [boxed(paddingAll="3xl"), boxed(paddingTop="10"), boxed(paddingLeft="10px")],
    ),
    (
        f"{LAYOUT}#spacing-property",
        [boxed(spacing="none", margin="10px")],
        [boxed(spacing="5%"), boxed(margin="full"), bubble(words(margin="5%"))],
    ),
    (
        f"{LAYOUT}#component-offset",
        [bubble(words(position="absolute", offsetTop="10px", offsetStart="5%", offsetEnd="xxl"))],
        [bubble(words(position="fixed")), bubble(words(offsetTop="-10px"))],
    ),
    (
        f"{LAYOUT}#linear-gradient-bg",
        [gradient(), gradient(angle="23.5deg", centerColor="#123456", centerPosition="10.5%")],
        [
            gradient(angle=None),
            gradient(angle="360deg"),
            gradient(angle="90"),
            gradient(startColor=None),
            gradient(endColor="white"),
            gradient(centerPosition="101%"),
            gradient(type="radialGradient"),
        ],
    ),
    (
        f"{LAYOUT}#image-size",
        [bubble(picture(size=size)) for size in ("full", "5xl", "xxs", "50px", "23.5%")],
        [bubble(picture(size=size)) for size in ("cover", "6xl", "50", "auto")],
    ),
    (
        "#f-image",
        [
            bubble(picture(aspectRatio=ratio, aspectMode="cover"))
            for ratio in ("1:3", "100000:1", "20:13", "1.51:1")
        ],
        [
            *(
                bubble(picture(aspectRatio=ratio))
                for ratio in ("1:3.1", "1:4", "100001:1", "0:1", "20x13", "square", "1:")
            ),
            bubble(picture(aspectMode="fill")),
            bubble(picture(url="http://example.com/a.jpg")),
            bubble(picture(backgroundColor="none")),
            bubble(picture(animated="true")),
            bubble(picture(align="left")),
            bubble(picture(gravity="middle")),
        ],
    ),
    (
        "#f-image",
        [bubble(*[picture(animated=True)] * 10)],
        [bubble(*[picture(animated=True)] * 11)],
    ),
    (
        "#f-video",
        [
            bubble(hero=film()),
            bubble(hero=film(altContent=box(), aspectRatio="20:13"), size="kilo"),
            bubble(hero=film(action=action("uri"))),
        ],
        [
            bubble(hero={"type": "video", "url": FILM, "previewUrl": IMAGE}),
            bubble(hero=film(altContent=words())),
            bubble(hero=film(), size="micro"),
            bubble(hero=film(action=action("postback"))),
            bubble(hero=film(size="full")),
            bubble(hero=film(aspectRatio="1:4")),
            flex({"type": "carousel", "contents": [bubble(hero=film())["contents"]]}),
        ],
    ),
    (
        f"{LAYOUT}#other-component-size",
        [icon(size="xxs"), icon(size="23.5px"), icon(scaling=True, aspectRatio="2:1")],
        [icon(size="full"), icon(size="large"), icon(flex=1), icon(url="http://example.com/")],
    ),
    (
        "#f-text",
        [
            bubble(words(size="5xl", weight="bold", style="italic", decoration="underline")),
            bubble(words(size="12px", wrap=True, maxLines=0, lineSpacing="1.5px")),
            bubble({"type": "text", "contents": [{"type": "span", "text": "a", "size": "xs"}]}),
            bubble(words(align="start", gravity="center", adjustMode="shrink-to-fit")),
        ],
        [
            bubble(words(size="full")),
            bubble(words(size="50%")),
            bubble(words(size="large")),
            bubble(words(weight="heavy")),
            bubble(words(style="oblique")),
            bubble(words(decoration="overline")),
            bubble(words(color="#12345")),
            bubble(words(wrap="true")),
            bubble(words(maxLines="2")),
            bubble(words(lineSpacing="0px")),
            bubble(words(lineSpacing="10%")),
            bubble(words(adjustMode="shrink")),
            bubble({"type": "text"}),
            bubble({"type": "text", "text": ""}),
            bubble({"type": "text", "contents": [words()]}),
            bubble({"type": "text", "contents": [{"text": "a"}]}),
            bubble({"type": "text", "contents": [{"type": "span", "text": "a", "wrap": True}]}),
        ],
    ),
    (
        "#button",
        [button(style="primary", height="sm", color="#00B900"), button(gravity="bottom")],
        [
            button(style="danger"),
            button(height="lg"),
            button(color="green"),
            button(size="md"),
            bubble({"type": "button"}),
        ],
    ),
    (
        "#separator",
        [bubble({"type": "separator", "margin": "lg", "color": "#aabbcc"})],
        [bubble({"type": "separator", "color": "grey"}), bubble({"type": "separator", "size": 1})],
    ),
]


def refused(message: dict[str, Any]) -> str:
    try:
        return "; ".join(map(str, check([message], MESSAGES)))
    except Rejection as rejection:
        return str(rejection)


KEPT = [(f"{rule}-{n}", each) for rule, kept, _ in RULES for n, each in enumerate(kept)]
BROKEN = [(f"{rule}-{n}", each) for rule, _, broken in RULES for n, each in enumerate(broken)]


@pytest.mark.parametrize("message", [m for _, m in KEPT], ids=[name for name, _ in KEPT])
def test_what_line_takes_is_taken(message: dict[str, Any]) -> None:
    assert refused(message) == ""


@pytest.mark.parametrize("message", [m for _, m in BROKEN], ids=[name for name, _ in BROKEN])
def test_what_line_refuses_is_refused(message: dict[str, Any]) -> None:
    assert refused(message) != ""
