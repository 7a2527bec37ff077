"""Messages: what is checked of them, and how a friend's fields are filled in."""

from __future__ import annotations

import random
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tobiishi.scenario import FRIEND_FIELDS, empty_texts, own_fields, render, uses_profile
from tobiishi.scenario.messages import FILTERS, REQUIRED, TAGS, MessageProblems, check_messages

HANAKO = {"display_name": "花子", "language": "ja", "gender": "female", "region": "東京都"}
NAME = "{{ friend.display_name }}"
NAME_OR = '{{ friend.display_name | default: "お客様" }}さん'

#: One message of each type, with all that it must have.
COMPLETE: dict[str, dict[str, Any]] = {
    "text": {"text": "hi"},
    "textV2": {"text": "hi"},
    "sticker": {"packageId": "446", "stickerId": "1988"},
    "image": {"originalContentUrl": "https://a.example", "previewImageUrl": "https://a.example"},
    "video": {"originalContentUrl": "https://a.example", "previewImageUrl": "https://a.example"},
    "audio": {"originalContentUrl": "https://a.example", "duration": 1000},
    "location": {"title": "店", "address": "東京都", "latitude": 35.6, "longitude": 139.7},
    "imagemap": {
        "baseUrl": "https://a.example",
        "altText": "hi",
        "baseSize": {"width": 1040, "height": 1040},
        "actions": [],
    },
    "template": {"altText": "hi", "template": {"type": "confirm"}},
    "flex": {"altText": "hi", "contents": {"type": "bubble"}},
    "coupon": {"couponId": "01"},
}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def problems(*messages: dict[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
    try:
        check_messages(messages)
    except MessageProblems as error:
        return list(error.problems)
    return []


def rendered(said: str, **friend: str | None) -> str:
    assert problems(text(said)) == []
    [message] = render([text(said)], friend)
    return str(message["text"])


def test_every_type_has_its_example_here() -> None:
    assert COMPLETE.keys() == REQUIRED.keys()


@pytest.mark.parametrize("kind", REQUIRED)
def test_a_complete_message_is_taken(kind: str) -> None:
    assert problems({"type": kind, **COMPLETE[kind]}) == []


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, fields in REQUIRED.items() for field in fields]
)
def test_a_message_without_a_field_it_needs_is_refused(kind: str, field: str) -> None:
    message = {"type": kind, **COMPLETE[kind]}
    del message[field]
    assert problems(message) == [((0,), f"a message of type {kind} needs {field}")]


@pytest.mark.parametrize(
    ("message", "path", "said"),
    [
        ({}, (0,), "a LINE message has a type, such as text"),
        ({"type": "txt"}, (0, "type"), "'txt' is not a type of LINE message; use one of text, "),
        ({"type": None}, (0, "type"), "None is not a type of LINE message; use one of text, "),
        ({"type": ["text"]}, (0, "type"), "['text'] is not a type of LINE message; use one of "),
        (
            {"type": "bubble", "body": {}},
            (0, "type"),
            "a bubble is what a flex message holds; write "
            "{type: flex, altText: …, contents: {type: bubble, …}}",
        ),
        (
            {"type": "carousel", "contents": []},
            (0, "type"),
            "a carousel is what a flex message holds; write {type: flex, ",
        ),
        (
            {"type": "carousel", "columns": []},
            (0, "type"),
            "carousel is a kind of template; write "
            "{type: template, altText: …, template: {type: carousel, …}}",
        ),
        ({"type": "buttons"}, (0, "type"), "buttons is a kind of template; write {type: template"),
        ({"type": "box"}, (0, "type"), "a box is a part of a bubble; write {type: flex, altText: "),
        (
            {
                "type": "textV2",
                "text": "{a}",
                "substitution": {"a": {"type": "mention", "mentionee": {"type": "all"}}},
            },
            (0, "substitution", "a"),
            "LINE takes mentions in groups only, and this goes to a friend; take it out",
        ),
        ({"type": "text", "text": ""}, (0,), "a message of type text needs text"),
        ({"type": "text", "text": 10}, (0, "text"), '10 is not text; put it in "quotes"'),
        (
            {"type": "sticker", "packageId": 446, "stickerId": "1988"},
            (0, "packageId"),
            '446 is not text; put it in "quotes"',
        ),
        ({"type": "text", "text": "hi", "x": float("nan")}, (0,), "a value is neither text, "),
    ],
)
def test_a_wrong_message_is_refused(
    message: dict[str, Any], path: tuple[str | int, ...], said: str
) -> None:
    [(where, why)] = problems(message)
    assert where == path
    assert why.startswith(said)


def test_the_problems_of_all_messages_are_told() -> None:
    found = problems(text("{{ nobody }}"), {"type": "image"}, {"type": "nothing"})
    assert [path for path, _ in found] == [(0, "text"), (1,), (1,), (2, "type")]


@pytest.mark.parametrize(
    ("said", "units"),
    [("あ" * 5000, 5000), ("😀" * 2500, 5000), ("あ" * 5001, 5001), ("😀" * 2501, 5002)],
)
def test_a_text_has_up_to_5000_utf_16_units(said: str, units: int) -> None:
    too_long = [((0, "text"), f"the text has {units} characters; LINE takes 5000")]
    assert problems(text(said)) == (too_long if units > 5000 else [])


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ name }}", "'name' is not a field of the friend; use friend.display_name, "),
        ("{{ friend.name }}", "'name' is not a field of the friend; use friend.display_name, "),
        ("{{ friend }}", "'friend' is not a field of the friend"),
        ("{{ friend.__class__ }}", "'__class__' is not a field of the friend"),
        ("{{ friend.display_name.__class__ }}", "'friend.display_name.__class__' is not a field"),
        ("{{ friend[friend.gender] }}", "\"['friend', 'gender']\" is not a field of the friend"),
        ("{{ friend.gender | default: 女性 }}", "'女性' is not a field of the friend"),
        ("{% if age > 3 %}a{% endif %}", "'age' is not a field of the friend"),
        ("{{ friend.gender", "the template can't be read: expected '}}', found end of file"),
        ("{{ }}", "the template can't be read: expected a primitive expression"),
        ("{% if friend.gender %}", "the template can't be read: expected tag endif"),
        ("{% endif %}", "the template can't be read: unexpected tag 'endif'"),
        ("{{ friend.gender | shout }}", "unknown filter 'shout'; the filters are default, "),
        ("{{ friend.gender | append }}", "the template can't be read: append() missing 1 "),
        ("{{ friend.gender | truncate: 'x' }}", "the template can't be read: truncate expected"),
        ("{% if friend.gender > 3 %}a{% endif %}", "the template can't be read: '<' and '>' are"),
        (f"{{{{ {'9' * 5000} }}}}", "the template can't be read: integer string conversion"),
        ("{% if 1 %}" * 90 + "{% endif %}" * 90, "the template can't be read: block nesting"),
        # What could take long or grow large.
        ("{% for i in (1..1000000000) %}a{% endfor %}", "the template can't be read: unexpected"),
        ("{% tablerow i in (1..9) %}a{% endtablerow %}", "the template can't be read: unexpected"),
        ("{% assign x = 'a' %}{{ x }}", "the template can't be read: unexpected tag 'assign'"),
        ("{% capture x %}a{% endcapture %}", "the template can't be read: unexpected tag"),
        ("{% include 'x' %}", "the template can't be read: unexpected tag 'include'; the tags "),
        ("{{ 'x' | times: 1000000000 }}", "unknown filter 'times'"),
        ("{{ 'x' | replace: '', 'xxxxxxxxx' }}", "unknown filter 'replace'"),
        ("{{ (1..1000000000) | join }}", "unknown filter 'join'"),
    ],
)
def test_a_wrong_template_is_refused_at_once(template: str, why: str) -> None:
    begun = monotonic()
    [(path, said)] = problems({**text("hi"), "altText": template})
    assert path == (0, "altText")
    assert said.startswith(why)
    assert "\n" not in said
    assert len(said) < 300
    assert monotonic() - begun < 10


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (NAME, "花子"),
        (NAME_OR, "花子さん"),
        ("{{ friend['display_name'] }}", "花子"),
        ("{{ friend.region }} {{ friend.gender }} {{ friend.language }}", "東京都 female ja"),
        ("{{ friend.language | upcase | append: '!' }}", "JA!"),
        ("{{ friend.display_name | truncate: 1, '' }}", "花"),
        ("?n={{ friend.display_name | url_encode }}", "?n=%E8%8A%B1%E5%AD%90"),
        ("{% if friend.gender == 'female' %}A{% else %}B{% endif %}", "A"),
        ("{% unless friend.region %}A{% else %}B{% endunless %}", "B"),
        ("{% case friend.language %}{% when 'ja' %}はい{% else %}Yes{% endcase %}", "はい"),
        ("{% comment %}not sent{% endcomment %}a", "a"),
        ("{% raw %}{{ friend.age }}{% endraw %}", "{{ friend.age }}"),
        ("{name} 100% }} {", "{name} 100% }} {"),
    ],
)
def test_a_template_is_filled_in(template: str, expected: str) -> None:
    assert rendered(template, **HANAKO) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (NAME, ""),
        (NAME_OR, "お客様さん"),
        ("{{ friend.region | upcase }}!", "!"),
        ("{{ friend.region | truncate: 3 }}", ""),
        ("{% if friend.gender %}A{% else %}B{% endif %}", "B"),
    ],
)
@pytest.mark.parametrize("unknown", [{}, {"display_name": None}, {"display_name": ""}])
def test_a_field_that_is_not_known_is_nothing(
    template: str, expected: str, unknown: dict[str, str | None]
) -> None:
    assert rendered(template, **unknown) == expected


@pytest.mark.parametrize(
    "name",
    [
        "{{ friend.region }}",
        "{% raw %}",
        "}}",
        "😀👨‍👩‍👧",
        "\"quoted\" 'name' \\ <b>&amp;",
        "a\nb\u2028\u202e",
        "あ" * 2000,
        "\0",
    ],
)
def test_a_name_stands_as_it_is_whatever_it_holds(name: str) -> None:
    assert rendered(NAME_OR, display_name=name) == f"{name}さん"


@pytest.mark.parametrize(("name", "shown"), [("a\ud83d", "a\ufffd"), ("\ud83d\ude00", "😀")])
def test_half_a_character_never_reaches_line(name: str, shown: str) -> None:
    assert rendered(NAME, display_name=name) == shown
    rendered("{{ friend.display_name | url_encode }}", display_name=name).encode()


@pytest.mark.parametrize(
    ("template", "friend", "expected"),
    [
        # Of the two friends that every template is tried with, neither is like these.
        (
            "{% if friend.display_name == '太郎' and friend.region > 3 %}A{% else %}B{% endif %}",
            {"display_name": "太郎", "region": "x"},
            "B",
        ),
        (NAME_OR, {"display_name": "あ" * 200_000}, "お客様さん"),
    ],
)
def test_where_a_friends_fields_break_a_template_they_count_as_not_known(
    template: str, friend: dict[str, str | None], expected: str
) -> None:
    assert rendered(template, **friend) == expected


def test_no_friend_whatever_breaks_a_message() -> None:
    chance = random.Random("friends")
    templates = [
        f"{{{{ friend.display_name | {use} }}}}"
        for use in (
            "default: friend.region",
            "truncate: 5, friend.region",
            "slice: -2, 2",
            "remove: friend.gender",
            "append: friend.region | prepend: friend.gender | size",
            "url_encode | capitalize | strip | lstrip | rstrip | downcase",
        )
    ]
    kinds = [*(text(one) for one in templates), {"type": "textV2", "text": " ".join(templates)}]
    assert problems(*kinds) == []
    alphabet = "a花😀{}%|'\"\\\n\0\ud83d\ufdd0 0"
    for _ in range(500):
        friend = {
            field: chance.choice(
                [None, "", "".join(chance.choices(alphabet, k=chance.randrange(30)))]
            )
            for field in FRIEND_FIELDS
        }
        for message in render(kinds, friend):
            message["text"].encode()


@pytest.mark.parametrize(
    ("template", "name", "expected"),
    [
        (f"{{user}} {NAME}", "花子", "{user} 花子"),
        (NAME, "a{b}c", "a{{b}}c"),
        (NAME, "{{x}}", "{{{{x}}}}"),
        ("{{ friend.display_name | truncate: 2, '' }}", "a{b}", "a{{"),
        ("{{ friend.display_name | size }}", "{}", "2"),
    ],
)
def test_in_a_text_v2_the_braces_of_a_name_are_plain_braces(
    template: str, name: str, expected: str
) -> None:
    message = {"type": "textV2", "text": template, "substitution": {"user": {"type": "emoji"}}}
    assert problems(message) == []
    assert render([message], {"display_name": name})[0]["text"] == expected


ADDRESS = "https://a.example/?n="


@pytest.mark.parametrize(
    ("template", "name", "expected"),
    [
        (ADDRESS + NAME, "花 子", "https://a.example/?n=%E8%8A%B1%20%E5%AD%90"),
        (ADDRESS + NAME, "A&b=#/?%41+", "https://a.example/?n=A%26b%3D%23%2F%3F%2541%2B"),
        (ADDRESS + NAME, "🌸", "https://a.example/?n=%F0%9F%8C%B8"),
        (ADDRESS + NAME + "&x=1", None, "https://a.example/?n=&x=1"),
        (ADDRESS + '{{ friend.display_name | default: "x y" }}', None, ADDRESS + "x%20y"),
        (ADDRESS + "{{ friend.display_name | url_encode }}", "a b", ADDRESS + "a+b"),
        (ADDRESS + "{{ friend.display_name | url_encode | append: '1' }}", "a b", ADDRESS + "a+b1"),
        (
            "{% if friend.region %}x{% else %}" + ADDRESS + NAME + "{% endif %}",
            "a b",
            ADDRESS + "a%20b",
        ),
        # A whole address of the shop's own.
        (NAME, "https://b.example/x?y=1&z=花", "https://b.example/x?y=1&z=%E8%8A%B1"),
        (ADDRESS + NAME, "https://b.example/", ADDRESS + "https%3A%2F%2Fb.example%2F"),
        ("https://a.example/飛び石", "花", "https://a.example/飛び石"),
    ],
)
@pytest.mark.parametrize("field", ["uri", "linkUri", "url", "originalContentUrl", "desktop"])
def test_what_is_filled_in_is_encoded_in_an_address(
    template: str, name: str | None, expected: str, field: str
) -> None:
    message = {**text("hi"), "x": [{field: template, "text": NAME}]}
    assert problems(message) == []
    [sent] = render([message], {"display_name": name})
    assert sent["x"] == [{field: expected, "text": name or ""}]


def test_what_line_refuses_where_it_is_empty_is_left_out() -> None:
    actions = [{"type": "uri", "label": "見る", "uri": "https://a.example/"}]
    contents = [{"type": "text", "text": NAME}, {"type": "text", "text": "はい"}]
    messages = [
        text(NAME),
        {"type": "template", "template": {"title": NAME, "text": "x", "actions": actions}},
        {"type": "flex", "altText": "x", "contents": {"body": {"contents": contents}}},
        {**text("x"), "sender": {"name": NAME, "iconUrl": NAME}},
        {"type": "location", "title": NAME},
    ]
    nobody = render(messages, {})
    assert nobody == [
        {"type": "template", "template": {"text": "x", "actions": actions}},
        {"type": "flex", "altText": "x", "contents": {"body": {"contents": contents[1:]}}},
        {**text("x"), "sender": {}},
        {"type": "location", "title": ""},
    ]
    assert len(render(messages, HANAKO)) == len(messages)
    assert render([text(NAME)], {}) == [text("")]  # LINE says what is wrong with it.
    # What is written empty is not ours to leave out.
    assert render([{"template": {"title": "", "actions": []}}], {}) == [
        {"template": {"title": "", "actions": []}}
    ]


def test_where_a_template_is_empty_that_must_not_be_is_known() -> None:
    messages = [
        text(NAME),
        text(NAME_OR),
        text(""),
        {"type": "template", "altText": NAME, "template": {"title": NAME, "actions": [NAME]}},
        {"type": "flex", "contents": {"contents": [{"type": "text", "text": NAME}], "x": [NAME]}},
    ]
    assert empty_texts(messages, HANAKO) == []
    assert empty_texts(messages, {"display_name": "花子", "region": None}) == []
    assert empty_texts(messages, {}) == [
        (0, "text"),
        (3, "altText"),
        (3, "template", "actions", 0),
        (4, "contents", "x", 0),
    ]


def test_the_shops_own_attributes_of_messages_are_known() -> None:
    uri = "{{ friend.fields.page }}?a={{ friend.fields.rank }}"
    assert own_fields([text("{{ friend.fields.rank }}" + NAME), {"a": [{"uri": uri}]}]) == {
        "fields.rank": False,
        "fields.page": True,
    }


def emojis(*places: int) -> list[dict[str, Any]]:
    return [{"index": place, "productId": "p", "emojiId": str(place)} for place in places]


@pytest.mark.parametrize(
    ("template", "places", "name", "expected", "moved"),
    [
        ("$ " + NAME, [0], "花子", "$ 花子", [0]),
        (NAME + "$", [len(NAME)], "花子", "花子$", [2]),
        (NAME + "$", [len(NAME)], None, "$", [0]),
        (NAME + "$", [len(NAME)], "😀🌸", "😀🌸$", [4]),
        ("😀" + NAME + "$", [2 + len(NAME)], "花", "😀花$", [3]),
        # A `$` of the name's own is none of ours, nor is one that no emoji stands for.
        (NAME + "$", [len(NAME)], "$$", "$$$", [2]),
        ("$" + NAME + "$", [1 + len(NAME)], "花", "$花$", [2]),
        # Several, also in another order, also twice the same.
        ("$" + NAME + "$", [0, 1 + len(NAME)], "花", "$花$", [0, 2]),
        ("$" + NAME + "$", [1 + len(NAME), 0], "花", "$花$", [2, 0]),
        (NAME + "$", [len(NAME), len(NAME)], "花", "花$", [1, 1]),
        # In a part that only some get, in a filter, and behind blanks that are taken out.
        ("{% if friend.region %}$a{% else %}b{% endif %}", [22], None, "b", []),
        ("{% if friend.region %}a{% else %}$b{% endif %}", [33], None, "$b", [0]),
        ('{{ friend.region | default: "a$" }}', [30], None, "a$", [1]),
        ("  {{- friend.region -}}  $", [25], None, "$", [0]),
        # The noncharacters that stand for them meanwhile may be anybody's.
        (NAME + "\ufdd2$", [len(NAME) + 1], "\ufdd2花", "花\ufffd$", [2]),
    ],
)
def test_emojis_of_line_move_with_the_text_that_is_filled_in(
    template: str, places: list[int], name: str | None, expected: str, moved: list[int]
) -> None:
    message = {**text(template), "emojis": emojis(*places)}
    assert problems(message) == []
    [sent] = render([message], {"display_name": name})
    assert sent["text"] == expected
    assert [emoji["index"] for emoji in sent.get("emojis", [])] == moved
    units = sent["text"].encode("utf-16-le")
    assert all(units[2 * place :][:2] == b"$\0" for place in moved)
    assert message["emojis"] == emojis(*places)


def test_as_many_emojis_as_line_takes_move() -> None:
    template = (NAME + "$") * 20
    places = [(len(NAME) + 1) * number + len(NAME) for number in range(20)]
    [sent] = render([{**text(template), "emojis": emojis(*places)}], {"display_name": "花子さん"})
    assert [emoji["index"] for emoji in sent["emojis"]] == [5 * n + 4 for n in range(20)]


@pytest.mark.parametrize("given", ["x", [1], [{}], [{"index": "1"}], {"index": 1}, None])
def test_emojis_that_are_none_are_left_to_line(given: Any) -> None:
    message = {**text(NAME + "$"), "emojis": given}
    assert problems(message) == []
    assert render([message], HANAKO)[0] == {**text("花子$"), "emojis": given}


@pytest.mark.parametrize(
    ("template", "index", "why"),
    [
        (NAME + "$", 2, "2 is not where a $ stands in the text as it is written, with all of its "),
        (NAME + "$", 2, "(from 0, an emoji counts 2); a $ stands at 25"),
        (NAME, 2, "; it has no $"),
        (NAME + "$", -1, "-1 is not where a $ stands"),
    ],
)
def test_an_emoji_in_the_wrong_place_of_a_template_is_refused(
    template: str, index: int, why: str
) -> None:
    [(path, said)] = problems({**text(template), "emojis": emojis(index)})
    assert path == (0, "emojis", 0, "index")
    assert why in said


def test_texts_are_filled_in_at_any_depth_and_keys_never() -> None:
    message = {
        "type": "flex",
        "altText": NAME,
        "contents": {"body": {"contents": [{"type": "text", "text": NAME, NAME: 1, "n": 1.5}]}},
        "quickReply": None,
    }
    assert problems(message) == []
    assert render([message], HANAKO) == [
        {
            "type": "flex",
            "altText": "花子",
            "contents": {
                "body": {"contents": [{"type": "text", "text": "花子", NAME: 1, "n": 1.5}]}
            },
            "quickReply": None,
        }
    ]


def test_filling_in_leaves_the_scenarios_message_as_it_is() -> None:
    message = text(NAME)
    render([message], HANAKO)
    assert message == text(NAME)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("hi", False),
        (NAME, True),
        ("{{ friend.language }}", True),
        ("{{ friend.region }}{{ friend.gender }}", False),
        ("{% if friend.language == 'ja' %}a{% endif %}", True),
    ],
)
def test_line_is_asked_for_a_profile_only_where_a_text_needs_it(
    template: str, expected: bool
) -> None:
    message = {"type": "flex", "altText": "hi", "contents": {"body": {"text": template}}}
    assert uses_profile([message]) is expected


def test_the_longest_chain_of_filters_stays_small() -> None:
    sizes = {}
    for links in (4, 8, 15):
        chain = "{{ friend.display_name" + " | url_encode | append: friend.region" * links + " }}"
        assert problems(text(chain)) == []
        (filled,) = render([text(chain)], HANAKO)
        sizes[links] = len(filled["text"])
    # Twice the links make four times the text, not the square of it.
    assert sizes[8] < 5 * sizes[4]
    assert sizes[15] < 5 * sizes[8]


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{" * 30_000, "the template has 60,000 characters; at most 10,000 are taken: "),
        ("{{ 'a' }}" + "あ" * 10_000, "the template has 10,009 characters; at most 10,000 are "),
        ("{{" * 201, "the template has 201 times {{ or {%; at most 200 are taken: "),
        ("{% if 1 %}{% endif %}" * 101, "the template has 202 times {{ or {%; at most 200 are "),
        ("{{ 'a'" + " | upcase" * 31 + " }}", "31 filters in a row; at most 30 are taken"),
        ("{% if 'a'" + " | upcase" * 31 + " %}{% endif %}", "31 filters in a row; at most 30 "),
        ("{{" + " " * 201 + "}}", "over 200 blanks in a row; take some out"),
        ("{{ 'a' }}" + "\n" * 201, "over 200 blanks in a row; take some out"),
    ],
)
def test_a_template_that_would_take_long_is_not_even_read(
    template: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_: str) -> None:
        raise AssertionError("it was read")

    monkeypatch.setattr("tobiishi.scenario.messages._template", read)
    [(path, found)] = problems({**text("hi"), "altText": template})
    assert path == (0, "altText")
    assert found.startswith(why)


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'a' }}" * 200,
        "{{ 'a'" + " | upcase" * 30 + " }}" + "|" * 100,
        "{{" + " " * 199 + "'a' }}",
        "{{ 'a' }}" + "あ" * 4900,
        "a" * 4900 + "{ { }" + " " * 50,
        " " * 4900 + "no template",
    ],
)
def test_what_is_large_but_soon_read_is_taken(template: str) -> None:
    assert problems(text(template)) == []


def test_what_was_published_before_there_were_limits_is_still_filled_in() -> None:
    long = "{{ friend.region }}" + "あ" * 11_000
    assert problems(text(long)) != []
    assert render([text(long)], HANAKO)[0]["text"].startswith("東京都あ")


def test_what_templates_may_use_is_in_the_manual() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text()
    for name in (*TAGS, *FILTERS, *(f"friend.{field}" for field in FRIEND_FIELDS)):
        assert f"`{name}`" in manual


def test_a_text_says_the_shops_own_attributes() -> None:
    message = {"type": "text", "text": "{{ friend.fields.rank | default: '一般' }}会員の方へ"}
    check_messages([message])
    for friend, said in (({"fields.rank": "金"}, "金会員の方へ"), ({}, "一般会員の方へ")):
        assert render([message], friend)[0]["text"] == said


@pytest.mark.parametrize(
    "text",
    [
        "{{ friend.fields }}",
        "{{ friend.fields.Rank }}",
        "{{ friend.fields.rank.size }}",
        "{{ friend.fields.__class__ }}",
        "{{ friend.fields[friend.gender] }}",
        "{{ fields.rank }}",
    ],
)
def test_nothing_else_is_reached_through_the_shops_own_attributes(text: str) -> None:
    with pytest.raises(MessageProblems, match="is not a field of the friend"):
        check_messages([{"type": "text", "text": text}])


@pytest.mark.parametrize(
    "name", [" ", "\u3000\u3000", "\u00a0", "\u200b", "\u2060\ufeff", "\u3164", "\u2800", "\ufe0f"]
)
def test_a_name_that_nobody_sees_counts_as_not_known(name: str) -> None:
    assert render([text(NAME_OR)], {"display_name": name})[0]["text"] == "お客様さん"
    own = text("{{ friend.fields.rank | default: '一般' }}")
    assert render([own], {"fields.rank": name})[0]["text"] == "一般"


@pytest.mark.parametrize("word", ["name", "Nickname", "お名前", "display_name", "friend.nickname"])
def test_who_means_the_friends_name_learns_how_to_write_it(word: str) -> None:
    ((_, why),) = problems(text(f"{{{{ {word} }}}}さん"))
    assert why.endswith("for the friend's name write {{ friend.display_name | default: 'お客様' }}")
    assert "for the friend's name" not in problems(text("{{ age }}"))[0][1]
