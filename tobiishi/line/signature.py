"""Verifying that a webhook is LINE's.

https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
"""

from __future__ import annotations

import base64
import hashlib
import hmac


def sign(secret: str, body: bytes) -> str:
    """The `x-line-signature` of a webhook body: base64 of HMAC-SHA256 with the channel secret."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def is_signed_by(secret: str, body: bytes, signature: str) -> bool:
    """Whether `signature` is that of the raw body, compared in constant time.

    Any text may be given for a signature. Check before parsing the body.
    """
    # Compared as bytes: `compare_digest` takes no text that is not ASCII.
    return hmac.compare_digest(
        sign(secret, body).encode(), signature.encode(errors="surrogatepass")
    )
