"""Printed QR codes of a page, read by ZXing."""

from __future__ import annotations

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from scanner.forms.codes import PageCode, decode_code


def read_page_code(gray: NDArray[np.uint8]) -> PageCode | None:
    """What the page's own code says; None where it has none of ours, or two that disagree."""
    only_qr = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    found = zxingcpp.read_barcodes(gray, formats=only_qr)
    codes = {code for barcode in found if (code := decode_code(barcode.text)) is not None}
    return codes.pop() if len(codes) == 1 else None
