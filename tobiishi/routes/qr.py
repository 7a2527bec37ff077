"""QR codes: an address to print."""

from __future__ import annotations

import io
from typing import Literal

import segno


def drawn(address: str, kind: Literal["svg", "png"]) -> bytes:
    """The address as a picture to print.

    It can be read with a seventh of it dirty or torn off (level M), and has the quiet zone around
    it that the standard (ISO/IEC 18004) asks for, on white whatever it is printed on.
    """
    picture = io.BytesIO()
    segno.make_qr(address, error="m").save(picture, kind=kind, scale=10, border=4, light="white")
    return picture.getvalue()
