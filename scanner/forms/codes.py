"""The text of the QR code by which a printed page names its form, its page and its sheet.

``KP1:<form>:<page>:<serial>:<check>``; the check is the CRC-32 of what stands before it, so
that a foreign code, or one misread, is not taken for ours.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

PREFIX = "KP1"


@dataclass(frozen=True, slots=True)
class PageCode:
    """What a page says of itself."""

    form: str
    page: int
    serial: str = ""
    """The sheet's serial number; empty where sheets are not numbered."""


def encode_code(code: PageCode) -> str:
    """The text to print.

    Raises:
        ValueError: The form's id or the serial holds a colon.
    """
    if ":" in code.form + code.serial:
        raise ValueError("a form's id and a serial number cannot hold a colon")
    body = f"{PREFIX}:{code.form}:{code.page}:{code.serial}"
    return f"{body}:{_check(body)}"


def decode_code(text: str) -> PageCode | None:
    """What a code read from a page says, or None where it is not one of ours."""
    body, _, check = text.rpartition(":")
    parts = body.split(":")
    if len(parts) != 4 or parts[0] != PREFIX or _check(body) != check or not parts[2].isdigit():
        return None
    return PageCode(parts[1], int(parts[2]), parts[3])


def _check(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
