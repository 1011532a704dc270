"""A side made ready for looking for outlines: stood upright, its ink, its outlines, its letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Box, mm_to_px, px_to_mm
from scanner.registering.found import BlankSide
from scanner.registering.outlines import (
    INK_LEVEL,
    Gray,
    Mask,
    Outline,
    as_rows,
    close_gaps,
    find_ink,
    find_outlines,
    overlaps,
)

_SMALLEST_MM = 1.5
_WIDEST_MM = 130.0
_SAME_PLACE = 0.6
_FAINT_LEVEL = 0.86
_WIDE_GAP_MM = 0.8
_STEEPEST_DEG = 4.0
_LEAST_SKEW_DEG = 0.12
_SKEW_DPI = 60.0
_LEAST_COMPONENT_MM = 0.15


@dataclass(frozen=True)
class SideView:
    """One side, turned so that its print stands upright; pixels are those of the turned picture."""

    side: BlankSide
    gray: Gray
    back: NDArray[np.float64]
    """2 × 3: pixels of the turned picture to pixels of the side's own."""
    level: float = INK_LEVEL
    """Share of the paper's brightness below which a pixel is ink."""
    gap_mm: float = 0.35
    """How wide a gap in a line is that is overlooked."""

    @property
    def dpi(self) -> float:
        """Pixels per inch."""
        return self.side.dpi

    @cached_property
    def ink(self) -> Mask:
        """0 paper, 255 ink."""
        return find_ink(self.gray, self.dpi, self.level)

    @cached_property
    def outlines(self) -> tuple[Outline, ...]:
        """Every hole in the ink; where a line has a gap, as if it had none."""
        smallest, widest = self.px(_SMALLEST_MM), self.px(_WIDEST_MM)
        whole = find_outlines(self.ink, smallest, widest)
        closed = close_gaps(self.ink, max(2, round(self.px(self.gap_mm))))
        known = as_rows(outline.hole for outline in whole)
        added = [
            mended
            for mended in find_outlines(closed, smallest, widest)
            if not (overlaps(mended.hole, known) > _SAME_PLACE).any()
        ]
        return (*whole, *added)

    @cached_property
    def components(self) -> NDArray[np.int32]:
        """Connected pieces of ink, shape (n, 4): x, y, width, height; specks left out."""
        _count, _labels, stats, _centers = cv2.connectedComponentsWithStats(self.ink)
        boxes = np.asarray(stats[1:, :4], np.int32)
        least = self.px(_LEAST_COMPONENT_MM)
        return boxes[np.maximum(boxes[:, 2], boxes[:, 3]) >= least]

    def harder_looks(self) -> Iterator[SideView]:
        """The same side with a sharper eye for faint lines, then for broken ones."""
        yield replace(self, level=_FAINT_LEVEL)
        yield replace(self, level=_FAINT_LEVEL, gap_mm=_WIDE_GAP_MM)

    def px(self, mm: float) -> float:
        """Millimetres in pixels of this side."""
        return mm_to_px(mm, self.dpi)

    def to_mm(self, box: Box) -> Box:
        """A box of the turned picture as millimetres on the side as it was given."""
        (x, y), scale = box.center, px_to_mm(1.0, self.dpi)
        # The centre of the pixel 0 lies half a pixel from the edge of the picture.
        across, down = self.back @ np.array([x - 0.5, y - 0.5, 1.0]) + 0.5
        return Box(float(across) - box.w / 2, float(down) - box.h / 2, box.w, box.h).scaled(
            scale, scale
        )

    def from_mm(self, box: Box) -> Box:
        """A box in millimetres on the side as pixels of the turned picture."""
        scale = mm_to_px(1.0, self.dpi)
        own = box.scaled(scale, scale)
        forth = np.linalg.inv(np.vstack([self.back, [0, 0, 1]]))
        x, y = (forth @ np.array([own.center[0] - 0.5, own.center[1] - 0.5, 1.0]))[:2] + 0.5
        return Box(float(x) - own.w / 2, float(y) - own.h / 2, own.w, own.h)


def look_at(side: BlankSide) -> SideView:
    """The side, stood upright where it lies askew by up to 4°."""
    angle = find_skew(side.gray, side.dpi)
    if abs(angle) < _LEAST_SKEW_DEG:
        return SideView(side, side.gray, np.eye(2, 3))
    height, width = side.gray.shape
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
    paper = float(np.percentile(side.gray[::7, ::7], 90))
    upright = cv2.warpAffine(
        side.gray,
        turn,
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=paper,
    )
    back = np.asarray(cv2.invertAffineTransform(turn), np.float64)
    return SideView(side, np.asarray(upright, np.uint8), back)


def find_skew(gray: Gray, dpi: float) -> float:
    """By how many degrees the print must be turned counter-clockwise to stand upright.

    The rows of print are sharpest where they lie level: the turn is sought that makes the sums of
    the ink along the rows differ most from row to row.
    """
    scale = min(1.0, _SKEW_DPI / dpi)
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    ink = (find_ink(np.asarray(small, np.uint8), dpi * scale, 0.8) > 0).astype(np.float32)
    if not ink.any():
        return 0.0
    best = _sharpest(ink, np.arange(-_STEEPEST_DEG, _STEEPEST_DEG + 0.01, 0.5))
    best = _sharpest(ink, np.arange(best - 0.4, best + 0.41, 0.1))
    return _sharpest(ink, np.arange(best - 0.08, best + 0.081, 0.04))


def _sharpest(ink: NDArray[np.float32], angles: NDArray[np.float64]) -> float:
    height, width = ink.shape
    middle = ((width - 1) / 2, (height - 1) / 2)

    def sharpness(angle: float) -> float:
        turn = cv2.getRotationMatrix2D(middle, angle, 1.0)
        rows = cv2.warpAffine(ink, turn, (width, height)).sum(axis=1)
        return float((np.diff(rows) ** 2).sum())

    return float(max(angles, key=sharpness))
