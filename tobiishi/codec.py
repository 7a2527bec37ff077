"""The payload codec: encrypts what Temporal's histories hold before it leaves us.

Optional: on where `TOBIISHI_PAYLOAD_KEYS` is set. Inputs, results, failures, memos, summaries and
details are AES-256-GCM under the newest key; what was written under an older one, or before there
was any, is read all the same. Search attributes stay as they are, since Temporal searches by them.
https://docs.temporal.io/payload-codec
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)

from tobiishi.errors import SettingError
from tobiishi.tokens import Signer

#: As Temporal's own samples name it, so that tools know it.
_ENCODING, _CIPHER = b"binary/encrypted", b"AES-GCM"
#: Bytes of a nonce; a fresh one for each payload.
_NONCE_BYTES = 12


class Codec(PayloadCodec):
    """Encrypts with the newest of its keys, decrypts with any of them.

    `keys` is what `TOBIISHI_PAYLOAD_KEYS` holds: keys as `tobiishi key` makes them,
    comma-separated, newest first.
    """

    def __init__(self, keys: SecretStr) -> None:
        read = [_key(key.strip()) for key in keys.get_secret_value().split(",")]
        self._newest = _id_of(read[0])
        self._keys = {_id_of(key): AESGCM(key) for key in read}

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._encrypted(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Leave what is not encrypted as it is. Raises `SettingError` where a key is missing."""
        return [
            self._decrypted(payload) if payload.metadata.get("encoding") == _ENCODING else payload
            for payload in payloads
        ]

    def _encrypted(self, payload: Payload) -> Payload:
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._keys[self._newest]
        return Payload(
            metadata={
                "encoding": _ENCODING,
                "encryption-cipher": _CIPHER,
                "encryption-key-id": self._newest,
            },
            data=nonce + cipher.encrypt(nonce, payload.SerializeToString(), self._newest),
        )

    def _decrypted(self, payload: Payload) -> Payload:
        key_id = payload.metadata.get("encryption-key-id", b"")
        try:
            cipher = self._keys[key_id]
            serialized = cipher.decrypt(
                payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:], key_id
            )
        except (KeyError, InvalidTag):
            raise SettingError(
                "a payload was encrypted with a key that is not among TOBIISHI_PAYLOAD_KEYS "
                f"({key_id.decode(errors='replace')!r}); add that key after the present one"
            ) from None
        return Payload.FromString(serialized)


def data_converter(keys: SecretStr | None) -> DataConverter:
    """How payloads are written: as JSON, and encrypted where there are keys."""
    if keys is None:
        return pydantic_data_converter
    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=Codec(keys),
        # A failure may quote what somebody wrote.
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def path_of(signer: Signer) -> str:
    """The codec endpoint's path. It can't be guessed, and it changes with TOBIISHI_SECRET_KEY."""
    return f"/codec/{signer.sign('codec', b'ui')}"


def is_path_of(signer: Signer, token: str) -> bool:
    """Whether a path of this token is the codec endpoint's."""
    return signer.read("codec", token) == b"ui"


def _key(text: str) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise SettingError(
            "TOBIISHI_PAYLOAD_KEYS holds what is not a key; make one with `tobiishi key`"
        )
    return key


def _id_of(key: bytes) -> bytes:
    """A name for the key that reveals nothing of it."""
    return hashlib.sha256(b"tobiishi payload key " + key).hexdigest()[:12].encode()
