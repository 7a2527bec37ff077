"""What Temporal's histories hold is readable with the keys, and with nothing else."""

from __future__ import annotations

import base64
from base64 import urlsafe_b64encode

import pytest
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload

from tobiishi.codec import Codec, is_path_of, path_of
from tobiishi.errors import SettingError
from tobiishi.tokens import Signer

OLD, NEW, OTHER = (urlsafe_b64encode(32 * byte).decode() for byte in (b"o", b"n", b"x"))
SAID = Payload(metadata={"encoding": b"json/plain"}, data='"山田花子"'.encode())


def codec(*keys: str) -> Codec:
    return Codec(SecretStr(",".join(keys)))


async def test_nothing_of_a_payload_is_in_clear() -> None:
    (sealed,) = await codec(NEW).encode([SAID])
    written = sealed.SerializeToString()
    assert SAID.data not in written
    assert b"json/plain" not in written
    assert base64.urlsafe_b64decode(NEW) not in written
    assert await codec(NEW).decode([sealed]) == [SAID]


async def test_the_same_twice_looks_different() -> None:
    first, second = await codec(NEW).encode([SAID, SAID])
    assert first.data != second.data


async def test_a_key_is_replaced_while_journeys_sleep() -> None:
    (before,) = await codec(OLD).encode([SAID])
    both = codec(NEW, OLD)
    (after,) = await both.encode([SAID])
    assert await both.decode([before, after, SAID]) == [SAID, SAID, SAID]
    assert await codec(NEW).decode([after]) == [SAID]
    with pytest.raises(SettingError, match="add that key after the present one"):
        await codec(NEW).decode([before])


@pytest.mark.parametrize("at", [0, 11, 12, -1])
async def test_an_altered_payload_is_nobodys(at: int) -> None:
    (sealed,) = await codec(NEW).encode([SAID])
    data = bytearray(sealed.data)
    data[at] ^= 1
    sealed.data = bytes(data)
    with pytest.raises(SettingError):
        await codec(NEW).decode([sealed])


async def test_a_payload_of_another_key_does_not_pass_for_ours() -> None:
    (sealed,) = await codec(OTHER).encode([SAID])
    (own,) = await codec(NEW).encode([SAID])
    sealed.metadata["encryption-key-id"] = own.metadata["encryption-key-id"]
    with pytest.raises(SettingError):
        await codec(NEW).decode([sealed])


@pytest.mark.parametrize("keys", ["", "short", NEW + ",", NEW + ",鍵", NEW[:-5]])
def test_what_is_no_key_is_refused(keys: str) -> None:
    with pytest.raises(SettingError, match="TOBIISHI_PAYLOAD_KEYS") as refused:
        codec(keys)
    assert NEW not in str(refused.value)


def test_the_endpoint_is_found_by_those_who_hold_its_address() -> None:
    signer, other = (Signer(SecretStr(key)) for key in (NEW, OTHER))
    token = path_of(signer).rpartition("/")[2]
    assert is_path_of(signer, token)
    assert not is_path_of(other, token)
    assert not is_path_of(signer, signer.sign("link", b"ui"))
