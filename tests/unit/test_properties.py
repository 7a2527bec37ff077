"""What holds of anything: of any moment, any message, any file in whatever pieces it comes."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tobiishi.errors import Invalid
from tobiishi.people.member_lists import IdReader
from tobiishi.scenario import clock
from tobiishi.scenario.model import Wait, Window
from tobiishi.tracking.messages import MAX_TEXT_UNITS, MAX_URI_CHARS, Link, Tracked

# The same examples every time: what fails here fails for whoever looks into it, too.
quickly = settings(max_examples=70, deadline=None, database=None, derandomize=True)

# --- Clocks -------------------------------------------------------------------------------------

STEADY = ["Asia/Tokyo", "UTC", "Asia/Kolkata"]
#: Those that change their clocks: at night, at midnight, back into the day before, by half an hour,
#: during Ramadan, over the date line.
CHANGING = [
    "America/New_York",
    "Europe/London",
    "America/Havana",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Africa/Casablanca",
    "America/St_Johns",
    "Pacific/Apia",
]
zones = st.sampled_from([*STEADY, *CHANGING])
#: As strategies of moments want them, without a time zone.
FIRST, LAST = datetime(2020, 1, 1), datetime(2036, 1, 1)  # noqa: DTZ001
#: When the clocks above change, about: in a year's spring and autumn.
CHANGES = [
    datetime(2024, month, day, tzinfo=UTC)
    for month, day in [(3, 10), (3, 31), (4, 6), (4, 14), (9, 28), (10, 5), (10, 27), (11, 3)]
] + [datetime(2010, 3, 14, tzinfo=UTC), datetime(2010, 11, 7, tzinfo=UTC)]
CHANGES.append(datetime(2011, 12, 30, tzinfo=UTC))
moments = st.datetimes(FIRST, LAST, timezones=st.just(UTC)) | st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from(CHANGES),
    st.integers(-36 * 60, 36 * 60),
)
minutes = st.builds(time, st.integers(0, 23), st.integers(0, 59))
windows = (
    st.tuples(minutes, minutes)
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: Window.model_construct(from_=pair[0], to=pair[1]))
)
OPENS, CLOSES = clock.opening_after, clock.closing_after
small = st.none() | st.integers(1, 400)
lengths = st.builds(
    lambda minutes, hours, days: Wait.model_construct(minutes=minutes, hours=hours, days=days),
    small,
    small,
    small,
)
clocks = st.builds(
    lambda days, at: Wait.model_construct(days=days, at=at), st.integers(0, 9), minutes
)
since_start = st.builds(
    lambda days, at: Wait.model_construct(days_after_start=days, at=at), st.integers(0, 9), minutes
)
untils = st.builds(
    lambda until: Wait.model_construct(until=until),
    st.datetimes(FIRST, LAST),
)


@quickly
@given(lengths | clocks | since_start | untils, moments, st.integers(0, 400), zones)
def test_no_wait_is_over_before_it_begins(wait: Wait, now: datetime, hours: int, zone: str) -> None:
    started = now - timedelta(hours=hours)
    due = clock.due_after(wait, now=now, started_at=started, timezone=zone)
    assert due >= now
    assert due.utcoffset() == timedelta(0)
    # However the moment is written.
    local = now.astimezone(ZoneInfo(zone))
    assert due == clock.due_after(wait, now=local, started_at=started, timezone=zone)


@quickly
@given(st.integers(0, 10_000), st.integers(0, 500), moments, zones)
def test_hours_and_minutes_are_as_long_as_they_are(
    minutes: int, hours: int, now: datetime, zone: str
) -> None:
    wait = Wait.model_construct(minutes=minutes, hours=hours)
    due = clock.due_after(wait, now=now, started_at=now, timezone=zone)
    assert due - now == timedelta(hours=hours, minutes=minutes)


@quickly
@given(clocks, moments, zones)
def test_a_wait_until_a_time_of_day_ends_when_the_clock_shows_it(
    wait: Wait, now: datetime, zone: str
) -> None:
    due = clock.due_after(wait, now=now, started_at=now, timezone=zone).astimezone(ZoneInfo(zone))
    assert wait.at is not None
    late = datetime.combine(due, due.time()) - datetime.combine(due, wait.at)
    # By as much as the clock skipped, where it skipped that time.
    assert late in {timedelta(0), timedelta(minutes=30), timedelta(hours=1)}
    days = due.date() - now.astimezone(ZoneInfo(zone)).date()
    assert days.days - (wait.days or 0) in ((0, 1) if not wait.days else (0,))


#: Half of them at the hours at which clocks change.
narrow = (
    st.tuples(
        st.builds(time, st.sampled_from([0, 1, 2, 3, 23]), st.integers(0, 59)),
        st.integers(1, 90) | st.integers(-90, -1),
    )
    .map(lambda pair: (pair[0], _later(*pair)))
    .map(lambda pair: Window.model_construct(from_=pair[0], to=pair[1]))
)


def _later(clock: time, minutes: int) -> time:
    return (datetime.combine(FIRST, clock) + timedelta(minutes=minutes)).time()


@settings(quickly, max_examples=400)
@given(windows | narrow, moments, zones)
def test_a_window_opens_and_closes_after_now_and_soon(
    window: Window, now: datetime, zone: str
) -> None:
    opening, closing = (turn(window, now, zone) for turn in (OPENS, CLOSES))
    for turn in (opening, closing):
        # Two, but where the clocks skip the window, or the whole day.
        assert now < turn <= now + timedelta(days=3)
    for turn, is_open in ((opening, True), (closing, False)):
        assert clock.is_within(window, turn, zone) is is_open
        assert clock.is_within(window, turn - timedelta.resolution, zone) is not is_open


@settings(quickly, max_examples=400)
@given(windows | narrow, moments, zones, st.floats(0, 1, exclude_max=True))
def test_a_window_is_open_at_its_next_opening_and_at_no_time_before(
    window: Window, now: datetime, zone: str, part: float
) -> None:
    opening = clock.next_opening(window, now, zone)
    assert clock.is_within(window, opening, zone)
    between = now + (opening - now) * part
    assert clock.is_within(window, between, zone) == (between >= opening)
    # Up to the next turn, whichever it is, it stays as it is.
    turn = min(OPENS(window, now, zone), CLOSES(window, now, zone))
    before = min(now + (turn - now) * part, turn - timedelta.resolution)
    assert clock.is_within(window, before, zone) == clock.is_within(window, now, zone)


# --- Links --------------------------------------------------------------------------------------

OURS = "https://l.example.com"
urls = st.builds(
    "{}://{}{}".format,
    st.sampled_from(["https", "http", "HTTPS", "ftp"]),
    st.sampled_from(
        ["a.example", "shop.example:8443", "line.me", "l.example.com", "[::1]", "x", ""]
    ),
    st.sampled_from(["", "/", "/b?c=1&d=[2]#e", "/(x)", "/飛び石", "/" + "y" * 900]),
)
texts = st.lists(
    urls
    | st.sampled_from(["$", " ", "を見る", "。", "🎁", "(", ")", ",", "\n", "a", "あ" * 1600])
    | st.text(max_size=5),
    max_size=8,
).map("".join)


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@st.composite
def text_messages(draw: st.DrawFn) -> dict[str, Any]:
    text = draw(texts.filter(lambda text: units(text) <= MAX_TEXT_UNITS))
    message: dict[str, Any] = {"type": draw(st.sampled_from(["text", "textV2"])), "text": text}
    places = [units(text[:at]) for at, letter in enumerate(text) if letter == "$"]
    if draw(st.booleans()) and places:
        message["emojis"] = [{"index": place, "emojiId": "1"} for place in places]
    return message


actions = st.builds(lambda uri: {"type": "uri", "label": "x", "uri": uri}, urls | texts)
images = st.builds(lambda url: {"type": "image", "url": url}, urls)
boxes = st.recursive(
    actions | images | st.builds(lambda text: {"type": "text", "text": text}, texts),
    lambda parts: st.lists(parts, max_size=3).map(
        lambda contents: {"type": "box", "contents": contents}
    ),
    max_leaves=4,
)
flexes = st.builds(
    lambda body, filled: {
        "type": "flex",
        "contents": {"type": "bubble", "body": body, "filled": "z" * filled},
    },
    boxes,
    st.sampled_from([0, 29_000]),
)
some_messages = st.lists(text_messages() | flexes, min_size=1, max_size=3)
trackings = st.builds(
    lambda links, images: Tracked(public_url=OURS, links=links, images=images),
    st.booleans(),
    st.booleans(),
)


@quickly
@given(some_messages, trackings)
def test_links_in_the_place_of_themselves_change_nothing(
    messages: list[dict[str, Any]], tracked: Tracked
) -> None:
    assert tracked.rewritten(messages, lambda link: link.url) == messages


@quickly
@given(some_messages, trackings, st.sampled_from([1, 30, 990, 2000]))
def test_the_links_told_are_those_that_an_address_is_asked_for(
    messages: list[dict[str, Any]], tracked: Tracked, length: int
) -> None:
    asked: dict[Link, None] = {}

    def address_of(link: Link) -> str:
        asked[link] = None
        return f"{OURS}/{'x' * length}"

    tracked.rewritten(messages, address_of)
    assert list(asked) == tracked.links_of(messages)


@quickly
@given(some_messages, trackings, st.sampled_from([1, 30, 990, 2000]))
def test_no_message_grows_over_what_line_takes(
    messages: list[dict[str, Any]], tracked: Tracked, length: int
) -> None:
    done = tracked.rewritten(messages, lambda link: f"{OURS}/{'x' * length}")
    for before, after in zip(messages, done, strict=True):
        _check_lengths(before, after)
        if "emojis" in before:
            letters = after["text"].encode("utf-16-le")
            assert all(
                letters[2 * emoji["index"] :][:2] == "$".encode("utf-16-le")
                for emoji in after["emojis"]
            )


def _check_lengths(before: Any, after: Any) -> None:
    if isinstance(before, list):
        for pair in zip(before, after, strict=True):
            _check_lengths(*pair)
    elif isinstance(before, dict):
        assert list(before) == list(after)
        for name, value in before.items():
            _check_lengths(value, after[name])
            if name == "text":
                assert units(after[name]) <= MAX_TEXT_UNITS
            if name == "uri":
                assert len(after[name]) <= max(MAX_URI_CHARS, len(value))
    else:
        assert type(before) is type(after)


@quickly
@given(some_messages, trackings)
def test_what_is_rewritten_is_the_links_and_nothing_else(
    messages: list[dict[str, Any]], tracked: Tracked
) -> None:
    links: list[Link] = []

    def address_of(link: Link) -> str:
        links.append(link)
        return f"<{len(links) - 1}\N{BLACK STAR}>"

    def read_back(part: Any) -> Any:
        if isinstance(part, list):
            return [read_back(each) for each in part]
        if isinstance(part, dict):
            # Emojis move with the text.
            return {name: read_back(value) for name, value in part.items() if name != "emojis"}
        if isinstance(part, str):
            for number, link in enumerate(links):
                part = part.replace(f"<{number}\N{BLACK STAR}>", link.url)
        return part

    assume("\N{BLACK STAR}" not in str(messages))
    done = tracked.rewritten(messages, address_of)
    assert read_back(done) == read_back(messages)


# --- Lists of ids -------------------------------------------------------------------------------

A, B = b"U" + b"a" * 32, b"U" + b"0" * 32
STRANGE = [b"\xef\xbb\xbf", "花子".encode(), "花子".encode("cp932"), b"\xff\xfe", b"PK\x03\x04"]
# Without NUL: a file is no text because of one only where it comes early enough to be seen.
files = st.lists(
    st.sampled_from(
        [A, B, A[:-1], b"\n", b"\r\n", b"\r", b",", b'"', b";", b"\t", b" ", b"userId", *STRANGE]
    )
    | st.binary(max_size=3).map(lambda some: some.replace(b"\0", b"")),
    max_size=20,
).map(b"".join)


def read(pieces: list[bytes]) -> tuple[object, ...]:
    reader = IdReader()
    found = []
    try:
        for piece in pieces:
            found += reader.feed(piece)
        found += reader.end()
    except Invalid as refusal:
        return (str(refusal),)
    assert reader.ids == len(found)
    return found, reader.wrong, reader.wrong_lines, reader.header


@quickly
@given(files, st.data())
def test_a_file_says_the_same_in_whatever_pieces_it_comes(file: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(file)), max_size=10).map(sorted))
    pieces = [file[a:b] for a, b in itertools.pairwise([0, *cuts, len(file)])]
    assert read(pieces) == read([file])
    assert read([bytes([byte]) for byte in file]) == read([file])
