"""The text of the QR code by which a printed page names its form, its page and its sheet.

``KP1:<form>:<page>:<serial>:<check>``; the check is the CRC-32 of what stands before it, so
that a foreign code, or one misread, is not taken for ours.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache

import segno

PREFIX = "KP1"
CODE_MM = 10.0
HIGHEST_SERIAL = 999_999

_LEAST_MODULE_MM = 0.3
"""A square of the code at 200 dpi is then more than two pixels wide."""
_HIGHEST_PAGE = 99


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


def format_serial(number: int) -> str:
    """A serial number as it is printed and written into codes: six digits."""
    return f"{number:06d}"


def draw_code(code: PageCode) -> list[list[bool]]:
    """The squares of a page's code without its quiet zone, row by row; True is black.

    Level M. All codes of a form have as many squares, so that a copy with a serial number and
    the blank without one look alike.
    """
    version = _version(code.form)
    drawn = segno.make(encode_code(code), error="m", version=version, boost_error=False)
    return [[bool(square) for square in row] for row in drawn.matrix]


def code_side_mm(form_id: str) -> float:
    """Side of a form's codes: 10 mm, and more for a long id so that it stays readable."""
    return max(CODE_MM, round(_LEAST_MODULE_MM * (17 + 4 * _version(form_id)), 1))


@lru_cache(maxsize=64)
def _version(form_id: str) -> int:
    """Size of the form's codes, 1..40, that holds the longest text it can have."""
    longest = encode_code(PageCode(form_id, _HIGHEST_PAGE, format_serial(HIGHEST_SERIAL)))
    version = segno.make(longest, error="m", micro=False, boost_error=False).version
    return int(version)


def _check(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
