"""Secrets at rest: channel secrets and tokens are encrypted before they reach the database."""

from __future__ import annotations

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from tobiishi.errors import SettingError


class Vault:
    """Encrypts with the newest of its keys, decrypts with any of them.

    `keys` is what `TOBIISHI_SECRET_KEY` holds: Fernet keys, comma-separated, newest first
    (https://cryptography.io/en/latest/fernet/#cryptography.fernet.MultiFernet).
    """

    def __init__(self, keys: SecretStr | None) -> None:
        if keys is None:
            raise SettingError(
                "TOBIISHI_SECRET_KEY is not set; make one with `tobiishi key` and keep it: "
                "without it the stored channel secrets can't be read"
            )
        try:
            self._fernet = MultiFernet(
                [Fernet(key.strip()) for key in keys.get_secret_value().split(",")]
            )
        except ValueError as error:
            raise SettingError(
                "TOBIISHI_SECRET_KEY is not a Fernet key; make one with `tobiishi key`"
            ) from error
        #: What was decrypted is asked for with each webhook again.
        self._decrypt = lru_cache(maxsize=1000)(self._fernet.decrypt)

    def seal(self, secret: str) -> bytes:
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt. Raises `SettingError` where none of the keys fits."""
        try:
            return self._decrypt(sealed).decode()
        except InvalidToken as error:
            raise SettingError(
                "a stored channel secret was encrypted with another key; add the former key to "
                "TOBIISHI_SECRET_KEY after the present one, or set the channel's secrets again"
            ) from error
