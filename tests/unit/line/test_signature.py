from __future__ import annotations

import pytest

from tobiishi.line import is_signed_by, sign

# From https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
BODY = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
SIGNATURE = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="


def test_signs_as_line_does() -> None:
    assert sign(SECRET, BODY) == SIGNATURE


def test_takes_lines_signature() -> None:
    assert is_signed_by(SECRET, BODY, SIGNATURE)


@pytest.mark.parametrize(
    ("secret", "body", "signature"),
    [
        (SECRET, BODY, ""),
        (SECRET, BODY, SIGNATURE[:-1]),
        (SECRET, BODY, SIGNATURE.lower()),
        (SECRET, BODY, SIGNATURE + "\n"),
        (SECRET, BODY, "署名"),
        (SECRET, BODY, "\udcff"),
        (SECRET, BODY + b" ", SIGNATURE),
        (SECRET.upper(), BODY, SIGNATURE),
    ],
)
def test_takes_no_other(secret: str, body: bytes, signature: str) -> None:
    assert not is_signed_by(secret, body, signature)
