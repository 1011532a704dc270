"""Printed text of a page, read by Tesseract: a second opinion, never the only one."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import cv2
import numpy as np
import pytesseract
from numpy.typing import NDArray

_LANGUAGES = ("vie", "eng")
_TIMEOUT_S = 20


@lru_cache(maxsize=1)
def available_languages() -> tuple[str, ...]:
    """The languages of ours that the installed Tesseract has; empty without Tesseract."""
    try:
        installed = pytesseract.get_languages(config="")
    except (pytesseract.TesseractError, OSError, RuntimeError):
        return ()
    return tuple(language for language in _LANGUAGES if language in installed)


def read_words(gray: NDArray[np.uint8], *, dpi: float) -> frozenset[str] | None:
    """The words printed on a piece of a page, composed and in lower case.

    Args:
        gray: Shape (h, w).
        dpi: Its resolution; enlarged to what Tesseract was trained on.

    Returns:
        None where Tesseract is not installed or gave up.
    """
    languages = available_languages()
    if not languages or min(gray.shape) < 8:
        return None
    scale = max(300.0 / dpi, 1.0)
    enlarged = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(enlarged, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=255)
    try:
        text = pytesseract.image_to_string(
            framed, lang="+".join(languages), config="--psm 6", timeout=_TIMEOUT_S
        )
    except (pytesseract.TesseractError, OSError, RuntimeError):
        return None
    composed = unicodedata.normalize("NFC", text).lower()
    return frozenset(re.findall(r"\w+", composed))
