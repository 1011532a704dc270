"""Printed QR codes of a page, read by ZXing."""

from __future__ import annotations

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from scanner.forms.codes import PageCode, decode_code
from scanner.geometry import Box

_QR_ONLY = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


def read_page_code(gray: NDArray[np.uint8]) -> PageCode | None:
    """What the page's own code says; None where it has none of ours, or two that disagree."""
    found = zxingcpp.read_barcodes(gray, formats=_QR_ONLY)
    codes = {code for barcode in found if (code := decode_code(barcode.text)) is not None}
    return codes.pop() if len(codes) == 1 else None


def find_code_box(gray: NDArray[np.uint8]) -> Box | None:
    """The upright box around a picture's first QR code, in its pixels; None without one."""
    for found in zxingcpp.read_barcodes(gray, formats=_QR_ONLY):
        place = found.position
        corners = (place.top_left, place.top_right, place.bottom_left, place.bottom_right)
        x, y = [corner.x for corner in corners], [corner.y for corner in corners]
        return Box(min(x), min(y), max(x) - min(x), max(y) - min(y))
    return None
