"""Tokens: short signed words in addresses that the public sees, such as a friend's own link.

Nobody without the key can make one or alter one, and one that was made for a purpose is good for
no other. The key is derived from `TOBIISHI_SECRET_KEY`, so tokens outlive a change of it as long
as the former key is kept beside the new one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

#: Bytes of the signature that are kept: 2^96 guesses are enough for a link.
_SIGNATURE_BYTES = 12
#: Characters. None of ours is that long.
_MAX_TOKEN_CHARS = 256


class Signer:
    """Signs with the newest of its keys, and accepts what any of them signed.

    `keys` is what `TOBIISHI_SECRET_KEY` holds: Fernet keys, comma-separated, newest first.
    Raises `ValueError` where one is not a key.
    """

    def __init__(self, keys: SecretStr) -> None:
        self._keys = [_derived(key.strip()) for key in keys.get_secret_value().split(",")]

    def sign(self, purpose: str, payload: bytes) -> str:
        """The bytes as a word for an address, that can be read and not altered."""
        return _word(payload + _signature(self._keys[0], purpose, payload))

    def read(self, purpose: str, token: str) -> bytes | None:
        """Return what was signed for this purpose; None where the token is not ours."""
        if len(token) > _MAX_TOKEN_CHARS or not token.isascii():
            return None
        try:
            data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        payload, signature = data[:-_SIGNATURE_BYTES], data[-_SIGNATURE_BYTES:]
        # A word has one form only: its last character may hold bits that mean nothing.
        if len(signature) < _SIGNATURE_BYTES or _word(data) != token:
            return None
        signed = [
            hmac.compare_digest(_signature(key, purpose, payload), signature) for key in self._keys
        ]
        return payload if any(signed) else None


def _signature(key: bytes, purpose: str, payload: bytes) -> bytes:
    message = purpose.encode() + b"\0" + payload
    return hmac.new(key, message, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def _derived(key: str) -> bytes:
    Fernet(key)  # An empty or short key would be anybody's.
    return HKDF(SHA256(), 32, salt=None, info=b"tobiishi tokens").derive(
        base64.urlsafe_b64decode(key)
    )


def _word(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
