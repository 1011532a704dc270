"""What a printed page is laid out with besides its words: how level it lies, its ruled lines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Box, mm_to_px, px_to_mm
from scanner.registering.found import BlankSide

Gray = NDArray[np.uint8]

_SHORTEST_RULE_MM = 8.0
"""Longer than the stem of a capital and than the side of a box to mark."""
_WIDEST_RULE_MM = 1.7
_LIGHTEST_RULE = 45
"""Levels of grey by which a rule is darker than the paper; a fold is not."""
_COARSE_DPI = 75.0
_MOST_SKEW_DEG = 3.0
_LEVEL_ENOUGH_DEG = 0.06


@dataclass(frozen=True, slots=True)
class Level:
    """How a page has to be turned for its lines of text to run level."""

    degrees: float
    """Counter-clockwise, about ``middle``."""
    middle: tuple[float, float]
    """Millimetres."""

    def turn(self, box: Box) -> Box:
        """Where a box of the page lies on the level page; its size is kept."""
        return _turned(box, self.middle, self.degrees)

    def turn_back(self, box: Box) -> Box:
        """Where a box of the level page lies on the page as it is."""
        return _turned(box, self.middle, -self.degrees)


@dataclass(frozen=True, slots=True)
class Rulings:
    """The ruled lines of a page as thin boxes, in millimetres of the level page."""

    across: tuple[Box, ...] = ()
    down: tuple[Box, ...] = ()

    def parts_sideways(self, left: Box, right: Box, least_mm: float = 0.0) -> bool:
        """Whether a line of at least that length stands between two boxes beside each other."""
        y = (left.center[1] + right.center[1]) / 2
        x0, x1 = left.center[0] + left.w * 0.4, right.center[0] - right.w * 0.4
        return any(
            x0 <= line.center[0] <= x1 and line.y < y < line.bottom and line.h >= least_mm
            for line in self.down
        )

    def parts_down(self, upper: Box, lower: Box) -> bool:
        """Whether a line runs between two boxes, across the middle of both."""
        x0, x1 = sorted((upper.center[0], lower.center[0]))
        return any(
            upper.center[1] < line.center[1] < lower.center[1] and line.x < x0 and line.right > x1
            for line in self.across
        )

    def frame_of(self, box: Box) -> tuple[Box | None, Box | None, Box | None, Box | None]:
        """The nearest lines left of, above, right of and below a box; None where there is none."""
        x, y = box.center
        beside = [line for line in self.down if line.y < y < line.bottom]
        level = [line for line in self.across if line.x < x < line.right]
        left = [line for line in beside if line.center[0] < box.x]
        right = [line for line in beside if line.center[0] > box.right]
        above = [line for line in level if line.center[1] < box.y]
        below = [line for line in level if line.center[1] > box.bottom]
        return (
            max(left, key=lambda line: line.x, default=None),
            max(above, key=lambda line: line.y, default=None),
            min(right, key=lambda line: line.x, default=None),
            min(below, key=lambda line: line.y, default=None),
        )


def find_level(side: BlankSide) -> Level:
    """How far the page was laid down askew, from the sharpest profile of its rows.

    Postl's projection method: at the right angle the rows of pixels are most unlike each other.
    """
    middle = side.width_mm / 2, side.height_mm / 2
    scale = min(_COARSE_DPI / side.dpi, 1.0)
    small = cv2.resize(side.gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    # The edge of a scan is often black, and its end as sharp as any line of print.
    rim = round(mm_to_px(6.0, side.dpi * scale))
    ink = (255 - small)[rim:-rim, rim:-rim].astype(np.float32)
    if min(ink.shape) < 8 or float(ink.max()) < 30:
        return Level(0.0, middle)
    ink[ink < 40] = 0
    best = 0.0
    for step in (0.5, 0.1, 0.03):
        reach = _MOST_SKEW_DEG if step == 0.5 else 5 * step
        angles = np.arange(best - reach, best + reach + step / 2, step)
        best = float(max(angles, key=lambda angle: _sharpness(ink, float(angle))))
    if abs(best) < _LEVEL_ENOUGH_DEG:
        best = 0.0
    return Level(best, middle)


def turn_level(gray: Gray, level: Level) -> Gray:
    """The picture of the level page, of the same shape."""
    if level.degrees == 0:
        return gray
    height, width = gray.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), level.degrees, 1.0)
    paper = int(np.median(gray))
    turned = cv2.warpAffine(
        gray,
        matrix,
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=paper,
    )
    return turned.astype(np.uint8, copy=False)


def find_rulings(gray: Gray, dpi: float) -> Rulings:
    """The ruled lines of a level page.

    Args:
        gray: Shape (height, width).
        dpi: Its resolution.
    """
    ink = _find_ink(gray)
    across = [box for box, _mask in _runs(ink, dpi, is_across=True)]
    down = [box for box, _mask in _runs(ink, dpi, is_across=False)]
    return Rulings(tuple(across), tuple(down))


def erase_rulings(gray: Gray, dpi: float) -> Gray:
    """A copy of a level picture without its ruled lines, and with the letters beside them."""
    ink = _find_ink(gray)
    clean = gray.copy()
    paper = int(np.percentile(gray, 75))
    soft = np.ones((3, 3), np.uint8)
    scale = mm_to_px(1.0, dpi)
    for is_across in (True, False):
        for box, mask in _runs(ink, dpi, is_across=is_across):
            x, y = round(box.x * scale), round(box.y * scale)
            grown = cv2.dilate(cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT), soft)
            top, left = max(y - 1, 0), max(x - 1, 0)
            grown = grown[top - (y - 1) :, left - (x - 1) :]
            place = clean[top : top + grown.shape[0], left : left + grown.shape[1]]
            place[grown[: place.shape[0], : place.shape[1]] > 0] = paper
    return clean


def erase(gray: Gray, boxes: Iterable[Box], dpi: float, margin_mm: float) -> Gray:
    """A copy of a picture with places in millimetres painted in the colour of the paper."""
    clean = gray.copy()
    paper = int(np.percentile(gray, 75))
    scale = mm_to_px(1.0, dpi)
    for box in boxes:
        place = box.grown(margin_mm).scaled(scale, scale)
        top, left = max(math.floor(place.y), 0), max(math.floor(place.x), 0)
        clean[top : math.ceil(place.bottom) + 1, left : math.ceil(place.right) + 1] = paper
    return clean


def _turned(box: Box, middle: tuple[float, float], degrees: float) -> Box:
    if degrees == 0:
        return box
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    dx, dy = box.center[0] - middle[0], box.center[1] - middle[1]
    x, y = middle[0] + cos * dx + sin * dy, middle[1] - sin * dx + cos * dy
    return Box(x - box.w / 2, y - box.h / 2, box.w, box.h)


def _sharpness(ink: NDArray[np.float32], degrees: float) -> float:
    height, width = ink.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    rows = cv2.warpAffine(ink, matrix, (width, height)).sum(axis=1)
    return float(np.square(np.diff(rows)).sum())


def _find_ink(gray: Gray) -> Gray:
    # Frames are often grey: half-way between paper and ink would miss them.
    lightest = int(np.percentile(gray, 75)) - _LIGHTEST_RULE
    return cv2.threshold(gray, lightest, 255, cv2.THRESH_BINARY_INV)[1].astype(np.uint8, copy=False)


def _runs(ink: Gray, dpi: float, *, is_across: bool) -> Iterator[tuple[Box, Gray]]:
    """Thin runs of ink in one direction: their boxes in millimetres, and masks of that size."""
    length = round(mm_to_px(_SHORTEST_RULE_MM, dpi))
    thickest = mm_to_px(_WIDEST_RULE_MM, dpi)
    # A line that is a hair off the level steps from one row of pixels to the next.
    bridge, run = ((3, 1), (1, length)) if is_across else ((1, 3), (length, 1))
    opened = cv2.morphologyEx(
        cv2.dilate(ink, np.ones(bridge, np.uint8)), cv2.MORPH_OPEN, np.ones(run, np.uint8)
    )
    count, labels, stats, _centres = cv2.connectedComponentsWithStats(opened)
    scale = px_to_mm(1.0, dpi)
    for index in range(1, count):
        x, y, w, h = (int(value) for value in stats[index][:4])
        if (h if is_across else w) > thickest + 2:
            continue
        own = (labels[y : y + h, x : x + w] == index) & (ink[y : y + h, x : x + w] > 0)
        yield Box(x * scale, y * scale, w * scale, h * scale), own.astype(np.uint8) * 255
