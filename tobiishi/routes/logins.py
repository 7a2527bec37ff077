"""Logins: somebody's way through LINE Login, from the link of a route and back to us.

https://developers.line.biz/en/docs/line-login/security-checklist/
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tobiishi.tokens import Signer

#: How long one may take.
LOGIN_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Login:
    """One way through LINE Login.

    It is recognised by two words: the `state`, signed, which LINE hands back, and a secret that
    only the visitor's own browser has. So nobody is sent through somebody else's login.
    """

    channel: str
    route: str
    #: When the link was opened, to the second.
    opened_at: datetime
    #: Made up, another one each time.
    number: str
    #: Of the browser that it began in.
    seal: str = field(repr=False)

    @classmethod
    def begin(cls, channel: str, route: str, browser: str, *, at: datetime) -> Login:
        number = secrets.token_urlsafe(12)
        return cls(
            channel=channel,
            route=route,
            opened_at=at.replace(microsecond=0),
            number=number,
            seal=_digest("seal", number, browser)[:16],
        )

    def state(self, signer: Signer) -> str:
        payload = f"{self.channel} {self.route} {int(self.opened_at.timestamp()):x}"
        return signer.sign("route", f"{payload} {self.number} {self.seal}".encode())

    @classmethod
    def read(cls, signer: Signer, state: str) -> Login | None:
        """The login that a state of ours tells, however old and whoever brings it."""
        payload = signer.read("route", state)
        if payload is None:
            return None
        try:
            channel, route, at, number, seal = payload.decode().split(" ")
            opened_at = datetime.fromtimestamp(int(at, 16), UTC)
        except (ValueError, OverflowError, OSError):  # Of another version of ours.
            return None
        return cls(channel=channel, route=route, opened_at=opened_at, number=number, seal=seal)

    def is_of(self, browser: str, now: datetime) -> bool:
        """Whether it began in this browser, and not too long ago."""
        seal = _digest("seal", self.number, browser)[:16]
        return hmac.compare_digest(seal, self.seal) and now - self.opened_at <= LOGIN_LIFETIME

    def nonce(self, browser: str) -> str:
        """What LINE puts into the ID token of this login, and into no other."""
        return _digest("nonce", self.number, browser)

    def code_verifier(self, browser: str) -> str:
        """What shows LINE that the login's code came back to where it began."""
        return _digest("verifier", self.number, browser)

    def code_challenge(self, browser: str) -> str:
        return _word(self.code_verifier(browser).encode())


def _digest(*words: str) -> str:
    return _word(" ".join(words).encode())


def _word(data: bytes) -> str:
    """The SHA-256 as 43 letters."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
