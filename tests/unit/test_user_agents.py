"""Who asks: a person or a machine, on which phone, in what language."""

from __future__ import annotations

import pytest

from tobiishi.tracking.user_agents import is_for_somebody, language_of, os_of

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
#: What LINE's own browser says, on either phone.
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 Safari Line/14.9.1"
)
ANDROID = (
    f"Mozilla/5.0 (Linux; Android 14; SH-M26 Build/S4022; wv) {WEBKIT} Version/4.0 "
    "Chrome/125.0.6422.165 Mobile Safari/537.36 Line/14.9.1/IAB"
)
IPAD_AS_PC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Safari/605.1.15"
)
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/125.0.0.0 Safari/537.36"

PEOPLE = [
    (IPHONE, "ios"),
    (IPHONE.replace(" Line/14.9.1", "/605.1.15"), "ios"),
    (IPHONE.replace("iPhone; CPU iPhone OS", "iPad; CPU OS"), "ios"),
    (ANDROID, "android"),
    ("Mozilla/5.0 (Android 14; Mobile; rv:126.0) Gecko/126.0 Firefox/126.0", "android"),
    (f"Mozilla/5.0 (Linux; Android 11; CUBOT X30) {WEBKIT} Chrome/99 Mobile", "android"),
    (IPAD_AS_PC, None),
    (WINDOWS, None),
    (f"{WINDOWS} Edg/125.0.0.0", None),
    (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/125.0.0.0 Safari/537.36", None),
    (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/125.0 Safari/537.36", None),
    ("Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) Mobile", None),
]

MACHINES = [
    # LINE's preview, its crawler.
    "facebookexternalhit/1.1;line-poker/1.0",
    "Mozilla/5.0 (compatible; Linespider/1.1; +https://lin.ee/4dwXkTH)",
    f"Mozilla/5.0 {WEBKIT}; compatible; Linespider/1.1; +https://lin.ee/4dwXkTH) Chrome/1",
    # Other messengers, search engines, tools.
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984",
    IPAD_AS_PC + " facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "TelegramBot (like TwitterBot)",
    "WhatsApp/2.23.20.0",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@x.example",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    ANDROID.replace(
        "Line/14.9.1/IAB", "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    ),
    ANDROID.replace("Line/14.9.1/IAB", "(compatible; Google-InspectionTool/1.0;)"),
    ANDROID.replace("Line/14.9.1/IAB", "Chrome-Lighthouse"),
    ANDROID.replace("Line/14.9.1/IAB", "BingPreview/1.0b"),
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
]


@pytest.mark.parametrize(("agent", "os"), PEOPLE)
def test_people_and_their_phones(agent: str, os: str | None) -> None:
    assert is_for_somebody("GET", {"user-agent": agent})
    assert os_of(agent) == os


@pytest.mark.parametrize("agent", MACHINES)
def test_machines_are_no_people(agent: str) -> None:
    assert not is_for_somebody("GET", {"user-agent": agent})


def test_what_does_not_name_itself_counts() -> None:
    """LINE's app fetches images as it likes; its previews and the crawlers still don't count."""
    for agent in ("", "okhttp/4.12.0", "LINE/14.9.1 CFNetwork/1496 Darwin/23.5.0"):
        assert is_for_somebody("GET", {"user-agent": agent})
    assert not is_for_somebody("GET", {"user-agent": "facebookexternalhit/1.1;line-poker/1.0"})
    assert not is_for_somebody("HEAD", {"user-agent": "okhttp/4.12.0"})


@pytest.mark.parametrize(
    ("method", "headers", "counts"),
    [
        ("GET", {}, True),
        ("HEAD", {}, False),
        ("GET", {"sec-purpose": "prefetch"}, False),
        ("GET", {"sec-purpose": "prefetch;prerender"}, False),
        ("GET", {"sec-purpose": "Prefetch;anonymous-client-ip"}, False),
        ("GET", {"purpose": "prefetch"}, False),
        ("GET", {"x-purpose": "preview"}, False),
        ("GET", {"x-moz": "prefetch"}, False),
        ("GET", {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, True),
        ("GET", {"sec-purpose": ""}, True),
    ],
)
def test_what_is_fetched_ahead_is_no_tap(
    method: str, headers: dict[str, str], counts: bool
) -> None:
    assert is_for_somebody(method, {"user-agent": IPHONE, **headers}) is counts


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("ja", "ja"),
        ("ja-JP,ja;q=0.9,en-US;q=0.8", "ja-JP"),
        ("JA-jp;q=1.0, en", "ja-JP"),
        (" zh-hant-tw ,en", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("fil-PH", "fil-PH"),
        ("", None),
        ("*", None),
        ("*;q=0.5,ja", None),
        (",ja", None),
        ("japanese", None),
        ("ja_JP", None),
        ("j", None),
        ("ja-", None),
        ("ja\n", "ja"),
        ("ja-JP\0", None),
        ("ｊａ", None),
        ("日本語", None),
        ("x" * 10**6, None),
        ("ja" + "-x" * 10**5, None),
    ],
)
def test_the_first_language(accepted: str, language: str | None) -> None:
    assert language_of(accepted) == language
