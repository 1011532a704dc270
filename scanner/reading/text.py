"""Printed text of a page, read by Tesseract: a second opinion, never the only one."""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

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


def read_lines(pictures: Sequence[NDArray[np.uint8]], *, sure: float = SURE) -> list[str]:
    """The printed text on many small pictures, all read by one call of Tesseract.

    Args:
        pictures: Each of shape (h, w), at 200 dpi or more.
        sure: Tesseract's mean confidence in a text, 0..100, from which it is taken for read.

    Returns:
        A text for each picture, line by line, composed (NFC); empty where nothing was read, and
        everywhere where Tesseract is not installed or gave up.
    """
    languages = available_languages()
    if not languages or not pictures:
        return [""] * len(pictures)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, picture in enumerate(pictures):
            path = Path(folder) / f"{number}.png"
            path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
            paths.append(str(path))
        listed = Path(folder) / "pictures.txt"
        listed.write_text("\n".join(paths), encoding="utf-8")
        try:
            found = pytesseract.image_to_data(
                str(listed),
                lang="+".join(languages),
                config="--psm 6",
                timeout=_TIMEOUT_S,
                output_type=pytesseract.Output.DICT,
            )
        except (pytesseract.TesseractError, OSError, RuntimeError):
            return [""] * len(pictures)
    return [_text_of(found, number, sure) for number in range(1, len(pictures) + 1)]


def _text_of(found: Mapping[str, Sequence[Any]], page: int, sure: float) -> str:
    columns = ("page_num", "block_num", "par_num", "line_num", "conf", "text")
    lines: dict[tuple[int, ...], list[str]] = {}
    confidences = []
    for number, *place, confidence, word in zip(*(found[name] for name in columns), strict=True):
        if number == page and word.strip():
            lines.setdefault(tuple(place), []).append(word.strip())
            confidences.append(float(confidence))
    if not confidences or sum(confidences) / len(confidences) < sure:
        return ""
    return unicodedata.normalize("NFC", "\n".join(" ".join(words) for words in lines.values()))
