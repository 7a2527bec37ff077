"""Tokens: made by us, for one purpose, or not read at all."""

import string

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from tobiishi.tokens import Signer

KEY = "Zm9yIHRlc3RzIG9ubHk6IDMyIGJ5dGVzLCBub3QgMzE="
ALPHABET = string.ascii_letters + string.digits + "-_"


@pytest.fixture
def signer() -> Signer:
    return Signer(SecretStr(KEY))


@pytest.mark.parametrize("said", [b"", b"\0", b"hanako", "花子".encode(), bytes(range(100))])
def test_what_was_signed_is_read_again(signer: Signer, said: bytes) -> None:
    token = signer.sign("link", said)
    assert signer.read("link", token) == said
    assert set(token) <= set(ALPHABET)


def test_it_is_the_same_each_time_and_in_each_process(signer: Signer) -> None:
    assert signer.sign("link", b"hanako") == "aGFuYWtv5GRIvZIVyBurJmW4"
    assert Signer(SecretStr(f" {KEY} ")).sign("link", b"hanako") == signer.sign("link", b"hanako")


def test_every_alteration_of_a_single_character_is_noticed(signer: Signer) -> None:
    """All lengths modulo 3: the last character of some holds bits that mean nothing."""
    for said in (b"\x01\x01", b"\x01\x01\x01", b"\xff\xff\x01\x01"):
        token = signer.sign("link", said)
        odd = [*ALPHABET, "=", "+", "/", ".", " ", "\n", "\0", "%", "を", "\ud83d"]
        altered = {token[:at] + new + token[at + 1 :] for at in range(len(token)) for new in odd}
        altered |= {token[:at] + new + token[at:] for at in range(len(token) + 1) for new in odd}
        altered |= {token[:at] + token[at + 1 :] for at in range(len(token))}
        altered |= {token[:at] for at in range(len(token))}
        altered |= {token[at:] for at in range(1, len(token))}
        altered |= {token.swapcase(), token[::-1], token * 2, f"{token}==", token.upper()}
        taken = [word for word in altered - {token} if signer.read("link", word) is not None]
        assert taken == []


@pytest.mark.parametrize("purpose", ["image", "", "lin", "link ", "LINK", "link\0"])
def test_a_token_is_good_for_its_purpose_only(signer: Signer, purpose: str) -> None:
    assert signer.read(purpose, signer.sign("link", b"hanako")) is None


def test_purpose_and_what_is_said_do_not_run_into_each_other(signer: Signer) -> None:
    ends = [signer.sign("a", b"bc")[-16:], signer.sign("ab", b"c")[-16:]]
    assert ends[0] != ends[1]


def test_another_key_reads_nothing(signer: Signer) -> None:
    other = Signer(SecretStr(Fernet.generate_key().decode()))
    assert other.read("link", signer.sign("link", b"hanako")) is None


def test_the_newest_key_signs_and_former_ones_are_still_read(signer: Signer) -> None:
    new = Fernet.generate_key().decode()
    both = Signer(SecretStr(f"{new}, {KEY}"))
    assert both.read("link", signer.sign("link", b"hanako")) == b"hanako"
    assert both.sign("link", b"hanako") == Signer(SecretStr(new)).sign("link", b"hanako")
    assert signer.read("link", both.sign("link", b"hanako")) is None


@pytest.mark.parametrize("token", ["", "a", "=", "A" * 15, "A" * 16, "A" * 256, "A" * 10**6])
def test_what_is_no_token_is_read_as_nothing(signer: Signer, token: str) -> None:
    assert signer.read("link", token) is None


@pytest.mark.parametrize("keys", ["", ",", f"{KEY},", f",{KEY}"])
def test_an_empty_key_signs_nothing(keys: str) -> None:
    """It would be everybody's."""
    with pytest.raises(ValueError, match="key"):
        Signer(SecretStr(keys))
