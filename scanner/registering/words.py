"""The words printed on a blank: the PDF's own, or those that Tesseract reads off the picture.

Without Tesseract there are none, and everything goes on with bare numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytesseract
from numpy.typing import NDArray

from scanner.geometry import Box, mm_to_px, px_to_mm
from scanner.reading.text import available_languages
from scanner.registering.found import BlankSide, FoundTarget, PrintedWord
from scanner.registering.rulings import (
    Rulings,
    erase,
    erase_rulings,
    find_level,
    find_rulings,
    turn_level,
)

Gray = NDArray[np.uint8]

READING_DPI = 150.0
"""At which Tesseract makes the fewest errors on forms in 10 to 13 point: with 140 a few
more, with 200 three times as many."""
_PAGE_MODE = 11
"""Sparse text: a form is labels here and there. Modes 4 and 6 miss what stands in columns."""
_TIMEOUT_S = 120
_FRAME_PX = 16
_LEAST_SURE = 0.15
_BOX_SHARE = 0.5
"""A word of which so much lies on a target is the target's own outline, taken for a letter."""
_TALLEST_WORD_MM = 25.0
_STROKES = re.compile(r"^[|¦\[\]_~=]*$")
"""What is left of frames, taken for letters."""
_EDGE_MM = 6.0
_ROOM_MM = 6.0
_CUT_REACH_MM = 1.5
_INK_LEVELS = 45
_SPECK_PX = 2


def read_side(side: BlankSide, targets: Sequence[FoundTarget] = ()) -> tuple[PrintedWord, ...]:
    """The words of one page.

    Args:
        side: The page. Its own words are taken where it has any.
        targets: What was found on the page; outlines are painted over before it is read, since
            Tesseract takes them for letters.

    Returns:
        In millimetres from the page's top left, top to bottom and left to right. Empty where a
        picture cannot be read, as Tesseract is not installed or gave up.
    """
    boxes = [target.box for target in targets if target.page == side.number]
    words = side.words or _read_picture(side, boxes)
    kept = [word for word in words if word.text and not _is_an_outline(word, boxes)]
    return tuple(sorted(kept, key=lambda word: (round(word.box.center[1]), word.box.x)))


def _is_an_outline(word: PrintedWord, boxes: Sequence[Box]) -> bool:
    area = max(word.box.w * word.box.h, 0.01)
    return any(_shared(word.box, box) >= _BOX_SHARE * area for box in boxes)


def _shared(one: Box, other: Box) -> float:
    width = min(one.right, other.right) - max(one.x, other.x)
    height = min(one.bottom, other.bottom) - max(one.y, other.y)
    return max(width, 0.0) * max(height, 0.0)


def _read_picture(side: BlankSide, boxes: Sequence[Box]) -> list[PrintedWord]:
    languages = available_languages()
    if not languages:
        return []
    level = find_level(side)
    flat = turn_level(side.gray, level)
    clean = erase_rulings(flat, side.dpi)
    clean = erase(clean, [level.turn(box) for box in boxes], side.dpi, margin_mm=0.3)
    lines = _dividing_lines(clean, find_rulings(flat, side.dpi), side)
    spread = _draw_apart(clean, lines, side.dpi)
    words = _recognise(spread, side.dpi, "+".join(languages))
    return [replace(word, box=level.turn_back(_push_together(word.box, lines))) for word in words]


def _dividing_lines(clean: Gray, rulings: Rulings, side: BlankSide) -> list[Box]:
    """Ruled lines down the page that stand between columns, from left to right.

    Each begins and ends at a height where nothing is printed on its right, so that a cut there
    goes through no line of text; a line for which there is no such height is left out.
    """
    ink = clean < int(np.percentile(clean, 75)) - _INK_LEVELS
    lines = []
    for line in rulings.down:
        if not _EDGE_MM < line.center[0] < side.width_mm - _EDGE_MM:
            continue
        right = ink[:, round(mm_to_px(line.center[0], side.dpi)) :].sum(axis=1) <= _SPECK_PX
        top = _nearest_true(right, line.y, side.dpi)
        bottom = _nearest_true(right, line.bottom, side.dpi)
        if top is not None and bottom is not None and top < bottom:
            lines.append(replace(line, y=top, h=bottom - top))
    return sorted(lines, key=lambda line: line.center[0])


def _nearest_true(rows: NDArray[np.bool_], y_mm: float, dpi: float) -> float | None:
    """The height nearest to another at which a row is free, in millimetres; None if far off."""
    at, reach = round(mm_to_px(y_mm, dpi)), round(mm_to_px(_CUT_REACH_MM, dpi))
    start = max(at - reach, 0)
    free = np.flatnonzero(rows[start : at + reach + 1]) + start
    if not free.size:
        return None
    return px_to_mm(float(free[np.abs(free - at).argmin()]), dpi)


def _draw_apart(gray: Gray, lines: Sequence[Box], dpi: float) -> Gray:
    """The picture with more room between the columns of its tables.

    Tesseract's line finder runs lines of narrow columns together. Along each ruled line, and only
    there, everything on its right is moved to the right.
    """
    step = round(mm_to_px(_ROOM_MM, dpi))
    height, width = gray.shape
    paper = int(np.percentile(gray, 75))
    wide = np.full((height, width + step * len(lines)), paper, np.uint8)
    wide[:, :width] = gray
    for line in reversed(lines):
        x = round(mm_to_px(line.center[0], dpi))
        top, bottom = round(mm_to_px(line.y, dpi)), round(mm_to_px(line.bottom, dpi))
        rows = wide[top:bottom]
        rows[:, x + step :] = rows[:, x:-step].copy()
        rows[:, x : x + step] = paper
    return wide


def _push_together(box: Box, lines: Sequence[Box]) -> Box:
    """Where a box of the drawn-apart picture stood before."""
    x, y = box.center
    for line in lines:
        if line.y < y < line.bottom and x > line.center[0] + _ROOM_MM / 2:
            x -= _ROOM_MM
    return Box(x - box.w / 2, box.y, box.w, box.h)


def _recognise(gray: Gray, dpi: float, languages: str) -> list[PrintedWord]:
    """One call of Tesseract for the whole page."""
    scale = READING_DPI / dpi
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    sized = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=method)
    paper = int(np.percentile(sized, 75))
    margin = _FRAME_PX
    framed = cv2.copyMakeBorder(
        sized, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=paper
    )
    try:
        found = pytesseract.image_to_data(
            framed,
            lang=languages,
            config=f"--psm {_PAGE_MODE} --dpi {READING_DPI:.0f}",
            timeout=_TIMEOUT_S,
            output_type=pytesseract.Output.DICT,
        )
    except (pytesseract.TesseractError, OSError, RuntimeError):
        return []
    mm = px_to_mm(1.0, READING_DPI)
    lines: dict[tuple[int, int, int], int] = {}
    words = []
    for index, text in enumerate(found["text"]):
        sure = float(found["conf"][index]) / 100
        text = unicodedata.normalize("NFC", text).strip()
        place = tuple(found[name][index] for name in ("left", "top", "width", "height"))
        key = tuple(found[name][index] for name in ("block_num", "par_num", "line_num"))
        line = lines.setdefault(key, len(lines))
        x, y, w, h = (value * mm for value in place)
        if sure >= _LEAST_SURE and h <= _TALLEST_WORD_MM and not _STROKES.match(text):
            frame = _FRAME_PX * mm
            words.append(PrintedWord(text, Box(x - frame, y - frame, w, h), sure, line))
    return words
