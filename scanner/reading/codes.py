"""Printed QR codes of a page, read by ZXing."""

from __future__ import annotations

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from scanner.forms.codes import PageCode, decode_code
from scanner.geometry import Box


def read_page_code(gray: NDArray[np.uint8]) -> PageCode | None:
    """What the page's own code says; None where it has none of ours, or two that disagree."""
    codes = {
        code for barcode in _read_codes(gray) if (code := decode_code(barcode.text)) is not None
    }
    return codes.pop() if len(codes) == 1 else None


def _read_codes(gray: NDArray[np.uint8]) -> list[zxingcpp.Barcode]:
    only_qr = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return list(zxingcpp.read_barcodes(gray, formats=only_qr))


def find_code_box(gray: NDArray[np.uint8]) -> Box | None:
    """The upright box around a picture's first QR code, in its pixels; None without one."""
    for found in _read_codes(gray):
        place = found.position
        corners = (place.top_left, place.top_right, place.bottom_left, place.bottom_right)
        x, y = [corner.x for corner in corners], [corner.y for corner in corners]
        return Box(min(x), min(y), max(x) - min(x), max(y) - min(y))
    return None
