"""The QR code of a seal: as a picture, and as dark squares."""

from __future__ import annotations

import io

import segno

QR_MM = 28.0
"""Side of the printed code, quiet zone included."""
QUIET = 4
"""Modules around the code that stay white (ISO/IEC 18004)."""


def qr_modules(text: str) -> list[list[bool]]:
    """The code row by row, dark modules true, with its quiet zone."""
    code = segno.make(text, error="m", micro=False)
    return [[bool(module) for module in row] for row in code.matrix_iter(border=QUIET)]


def qr_png(text: str) -> bytes:
    """The code as a PNG picture."""
    buffer = io.BytesIO()
    segno.make(text, error="m", micro=False).save(buffer, kind="png", scale=8, border=QUIET)
    return buffer.getvalue()
