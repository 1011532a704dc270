"""Printed text of a page, read by Tesseract: a second opinion, never the only one."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import pytesseract
from numpy.typing import NDArray

from scanner.geometry import Box

_LANGUAGES = ("vie", "eng")
_TIMEOUT_S = 20
_FRAME_PX = 20
_READING_DPI = 450.0
SURE = 70.0
"""Confidence from which a word that was not expected is taken for read."""


@lru_cache(maxsize=1)
def available_languages() -> tuple[str, ...]:
    """The languages of ours that the installed Tesseract has; empty without Tesseract."""
    try:
        installed = pytesseract.get_languages(config="")
    except (pytesseract.TesseractError, OSError, RuntimeError):
        return ()
    return tuple(language for language in _LANGUAGES if language in installed)


@dataclass(frozen=True, slots=True)
class Word:
    """A printed word and where it stands, in pixels of the picture it was read from."""

    text: str
    """Composed (NFC) and in lower case."""
    box: Box


def read_words(gray: NDArray[np.uint8], *, dpi: float, sure: float = SURE) -> list[Word]:
    """The words printed on a piece of a page.

    Args:
        gray: Shape (h, w).
        dpi: Its resolution; enlarged to what Tesseract was trained on.
        sure: Tesseract's confidence, 0..100, from which a word is taken.

    Returns:
        None at all where Tesseract is not installed or gave up.
    """
    languages = available_languages()
    if not languages or min(gray.shape) < 8:
        return []
    scale = max(_READING_DPI / dpi, 1.0)
    enlarged = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(
        enlarged, _FRAME_PX, _FRAME_PX, _FRAME_PX, _FRAME_PX, cv2.BORDER_CONSTANT, value=255
    )
    try:
        found = pytesseract.image_to_data(
            framed,
            lang="+".join(languages),
            config="--psm 11",
            timeout=_TIMEOUT_S,
            output_type=pytesseract.Output.DICT,
        )
    except (pytesseract.TesseractError, OSError, RuntimeError):
        return []
    columns = (found[name] for name in ("text", "conf", "left", "top", "width", "height"))
    return [
        Word(part, Box((x - _FRAME_PX) / scale, (y - _FRAME_PX) / scale, w / scale, h / scale))
        for text, confidence, x, y, w, h in zip(*columns, strict=True)
        if float(confidence) >= sure
        for part in re.findall(r"\w+", unicodedata.normalize("NFC", text).lower())
    ]
