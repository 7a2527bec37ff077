"""Which visit somebody was added by, and whose login it was: decided without any I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from tobiishi.routes.logins import LOGIN_LIFETIME, Login
from tobiishi.routes.routes import RouteVisit, counts
from tobiishi.tokens import Signer
from tobiishi.tracking import sites

OPENED = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
#: Logging in took a minute.
RETURNED = OPENED + timedelta(minutes=1)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def visit(*, changed: bool | None, was_friend: bool = False) -> RouteVisit:
    return RouteVisit(
        channel="default",
        route="shop-front",
        login="1",
        friend="U1",
        opened_at=OPENED,
        returned_at=RETURNED,
        friendship_changed=changed,
        was_friend=was_friend,
    )


# What LINE Login said of the friendship, whether they were a friend already, when they were added
# as seen from the opening of the link; whether that was by this visit.
CASES: list[tuple[bool | None, bool, timedelta, bool]] = [
    # The usual case: they agree to add the account while they log in.
    (True, False, 30 * SECOND, True),
    (True, False, timedelta(0), True),
    (True, False, MINUTE, True),
    (None, False, 30 * SECOND, True),
    (None, True, 30 * SECOND, True),
    # LINE's clock is a little behind ours, or theirs behind LINE's.
    (True, False, -2 * SECOND, True),
    (True, False, MINUTE + 2 * SECOND, True),
    # They don't, and use the button that they are shown then.
    (False, False, 2 * MINUTE, True),
    (None, False, 2 * MINUTE, True),
    (False, False, MINUTE + 24 * HOUR, True),
    (False, False, MINUTE + 24 * HOUR + SECOND, False),
    # They were a friend already, and block and unblock the channel after the visit.
    (False, True, 2 * MINUTE, False),
    (None, True, 2 * MINUTE, False),
    # They were a friend already, for long or since just now, by another way.
    (False, True, -30 * 24 * HOUR, False),
    (False, True, -5 * MINUTE, False),
    (None, True, -30 * 24 * HOUR, False),
    (None, True, -10 * MINUTE - SECOND, False),
    # They were added in a first login, did not get back to us, and try again: LINE shows no
    # consent screen any more, and says nothing of the friendship.
    (None, True, -5 * MINUTE, True),
    (None, True, -10 * MINUTE, True),
    # LINE says that it changed now, and the adding that we know of is an old one.
    (True, False, -HOUR, False),
]


@pytest.mark.parametrize(("changed", "was_friend", "after", "expected"), CASES)
def test_which_visit_they_were_added_by(
    changed: bool | None, was_friend: bool, after: timedelta, expected: bool
) -> None:
    assert counts(visit(changed=changed, was_friend=was_friend), OPENED + after) is expected


# Logins.

BROWSER, OTHER = "b" * 22, "c" * 22


@pytest.fixture
def signer() -> Signer:
    return Signer(SecretStr(Fernet.generate_key().decode()))


def begun(**more: str) -> Login:
    said = {"channel": "default", "route": "shop-front", "browser": BROWSER, **more}
    return Login.begin(**said, at=OPENED)


def test_a_state_tells_its_login(signer: Signer) -> None:
    login = begun()
    assert Login.read(signer, login.state(signer)) == login


def test_the_longest_names_fit_into_a_state(signer: Signer) -> None:
    login = begun(channel="c" * 64, route="r" * 64)
    assert Login.read(signer, login.state(signer)) == login


def test_a_state_needs_no_encoding_in_an_address(signer: Signer) -> None:
    assert set(begun().state(signer)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


def test_each_login_is_another_one(signer: Signer) -> None:
    logins = [begun() for _ in range(100)]
    assert len({login.state(signer) for login in logins}) == 100
    assert len({login.nonce(BROWSER) for login in logins}) == 100
    assert len({login.code_verifier(BROWSER) for login in logins}) == 100


def test_an_altered_state_is_nobodys(signer: Signer) -> None:
    state = begun().state(signer)
    for place in range(len(state)):
        other = "A" if state[place] != "A" else "B"
        assert Login.read(signer, state[:place] + other + state[place + 1 :]) is None
    for wrong in ("", "x", state[:-1], state + "A", state * 2, "ト", "\0", "x" * 100_000):
        assert Login.read(signer, wrong) is None


def test_a_state_of_another_purpose_key_or_form_is_nobodys(signer: Signer) -> None:
    another = Signer(SecretStr(Fernet.generate_key().decode()))
    assert Login.read(signer, begun().state(another)) is None
    said = b"default shop-front 692d0000 number seal"
    assert Login.read(signer, signer.sign("visitor", said)) is None
    assert Login.read(signer, signer.sign("route", said)) is not None
    for former in (b"", b"default", b"a b c d", b"\xff a 1 b c", said + b" more"):
        assert Login.read(signer, signer.sign("route", former)) is None


@pytest.mark.parametrize("at", ["x", "f" * 15, "f" * 100, "-1" + "0" * 30])
def test_a_time_that_is_none_is_not_ours(signer: Signer, at: str) -> None:
    said = f"default shop-front {at} 1 2".encode()
    assert Login.read(signer, signer.sign("route", said)) is None
    token = signer.sign("visitor", f"1.{at}".encode())
    assert sites.number_of(signer, token, OPENED) is None


@pytest.mark.parametrize(
    ("browser", "after", "expected"),
    [
        (BROWSER, timedelta(0), True),
        (BROWSER, LOGIN_LIFETIME, True),
        (BROWSER, LOGIN_LIFETIME + SECOND, False),
        (OTHER, timedelta(0), False),
        ("", timedelta(0), False),
    ],
)
def test_a_login_is_of_the_browser_that_it_began_in_and_for_a_time(
    signer: Signer, browser: str, after: timedelta, expected: bool
) -> None:
    login = Login.read(signer, begun().state(signer))
    assert login is not None
    assert login.is_of(browser, OPENED + after) is expected


def test_what_line_is_shown_is_of_the_login_and_of_the_browser() -> None:
    login = begun()
    said = {login.nonce(BROWSER), login.code_verifier(BROWSER), login.code_challenge(BROWSER)}
    assert len(said) == 3
    assert not said & {login.nonce(OTHER), login.code_verifier(OTHER), login.code_challenge(OTHER)}
    # https://developers.line.biz/en/docs/line-login/integrate-pkce/: 43 to 128 characters
    assert len(login.code_verifier(BROWSER)) == 43


def test_the_challenge_is_as_the_standard_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    monkeypatch.setattr(Login, "code_verifier", lambda self, browser: verifier)
    assert begun().code_challenge(BROWSER) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
