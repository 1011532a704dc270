"""Closed outlines in a picture: the holes that the ink leaves open, and how they are framed.

Everything here is in pixels and says nothing about what an outline is for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Box, mm_to_px

Gray = NDArray[np.uint8]
Mask = NDArray[np.uint8]
"""0 paper, 255 ink."""

INK_LEVEL = 0.72
"""Share of the paper's brightness below which a pixel is ink."""

_PAPER_MM = 5.0
"""Wider than any stroke, narrower than the shades of a scan."""
_DARKEST_PAPER = 0.62
"""Share of the page's own paper; what is darker over a wide area is a printed surface."""
_COARSE_DPI = 50.0
_SIDE_SAMPLES = (0.3, 0.4, 0.5, 0.6, 0.7)
_RUNS_ON = 0.65
_SQUARE_SHARE = 0.12


@dataclass(frozen=True, slots=True)
class Outline:
    """A hole in the ink and the line around it, in pixels."""

    box: Box
    """Tight around the outside of the line."""
    hole: Box
    """Tight around the inside of the line."""
    shape: Literal["box", "oval", "circle"]
    """What it looks like most."""
    fit: float
    """0..1: how much of the hole and of that shape coincide."""
    lines: tuple[float, float, float, float]
    """How thick the line is on the left, at the top, on the right, below."""
    inner_ink: float
    """Share of the hole that islands of ink cover."""

    @property
    def line(self) -> float:
        """How thick the line is; the thinner ones of four count, as neighbours may touch."""
        return sum(sorted(self.lines)[:3]) / 3


def find_ink(gray: Gray, dpi: float, level: float = INK_LEVEL) -> Mask:
    """The pixels that are darker than the paper around them.

    Args:
        gray: Shape (height, width), 0 black .. 255 white.
        dpi: Pixels per inch.
        level: Share of the paper's brightness below which a pixel is ink, 0..1.
    """
    paper = _paper_of(gray, dpi)
    return np.where(gray < paper * np.float32(level), 255, 0).astype(np.uint8)


def find_outlines(ink: Mask, smallest_px: float, widest_px: float) -> list[Outline]:
    """Every hole whose sides lie between two lengths.

    Holes that are neither upright rectangles nor ovals come with a low ``fit``.
    """
    found = cv2.findContours(ink, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    contours, tree = found[0], found[1]
    if tree is None:
        return []
    outlines = []
    for contour, (_next, _previous, _child, parent) in zip(contours, tree[0], strict=True):
        if parent < 0:
            continue
        x, y, w, h = cv2.boundingRect(contour)
        # The contour of a hole runs through the ink around it.
        hole = Box(x + 1, y + 1, w - 2, h - 2)
        if min(hole.w, hole.h) >= smallest_px and max(hole.w, hole.h) <= widest_px:
            outlines.append(_measure(ink, np.asarray(contour, np.int32), hole))
    return outlines


def runs_on(ink: Mask, outline: Outline) -> bool:
    """Whether its lines go on beyond its corners, on both sides of it: a cell, not a box."""
    if outline.shape != "box":
        return False
    box, hole = outline.box, outline.hole
    left, top, right, bottom = (int(v) for v in (box.x, box.y, box.right, box.bottom))
    over, under = _beyond(ink, slice(top - 1, int(hole.y) + 1), (left, right))
    over_low, under_low = _beyond(ink, slice(int(hole.bottom) - 1, bottom + 1), (left, right))
    before, after = _beyond(ink.T, slice(left - 1, int(hole.x) + 1), (top, bottom))
    before_far, after_far = _beyond(ink.T, slice(int(hole.right) - 1, right + 1), (top, bottom))
    pairs = ((over, over_low), (under, under_low), (before, before_far), (after, after_far))
    return any(min(pair) >= _RUNS_ON for pair in pairs)


def close_gaps(ink: Mask, gap_px: int) -> Mask:
    """The ink with gaps in its lines filled, up and down and from left to right."""
    across = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, gap_px + 1), np.uint8))
    down = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((gap_px + 1, 1), np.uint8))
    return np.maximum(across, down).astype(np.uint8)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0..1."""
    w = min(one.right, other.right) - max(one.x, other.x)
    h = min(one.bottom, other.bottom) - max(one.y, other.y)
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / (one.w * one.h + other.w * other.h - w * h)


def overlaps(box: Box, others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union with each of many boxes, shape (n, 4): x, y, width, height."""
    x, y, w, h = np.asarray(others, np.float64).reshape(-1, 4).T
    across = np.minimum(x + w, box.right) - np.maximum(x, box.x)
    down = np.minimum(y + h, box.bottom) - np.maximum(y, box.y)
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    return np.asarray(shared / (w * h + box.w * box.h - shared))


def as_rows(boxes: Iterable[Box]) -> NDArray[np.float64]:
    """Boxes as an array of shape (n, 4): x, y, width, height."""
    return np.array([(box.x, box.y, box.w, box.h) for box in boxes], np.float64).reshape(-1, 4)


def _paper_of(gray: Gray, dpi: float) -> NDArray[np.float32]:
    """How bright the paper is at every pixel."""
    height, width = gray.shape
    scale = min(1.0, _COARSE_DPI / dpi)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    coarse = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    side = 2 * round(mm_to_px(_PAPER_MM, dpi * scale) / 2) + 1
    bright = cv2.dilate(coarse, np.ones((side, side), np.uint8))
    bright = cv2.blur(bright, (side, side)).astype(np.float32)
    floor = float(np.percentile(coarse, 90)) * _DARKEST_PAPER
    bright = np.maximum(bright, floor)
    return cv2.resize(bright, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def _measure(ink: Mask, contour: NDArray[np.int32], hole: Box) -> Outline:
    x, y, w, h = (int(v) for v in (hole.x, hole.y, hole.w, hole.h))
    filled = np.zeros((h + 2, w + 2), np.uint8)
    cv2.drawContours(filled, [contour - [x - 1, y - 1]], -1, 255, -1)
    # Without the contour itself, which is ink.
    cv2.drawContours(filled, [contour - [x - 1, y - 1]], -1, 0, 1)
    inside = filled[1:-1, 1:-1] > 0
    area = max(1, int(inside.sum()))
    inner = float((ink[y : y + h, x : x + w][inside] > 0).mean()) if inside.any() else 0.0
    shape, fit = _best_shape(inside, area)
    lines = _measure_lines(ink, hole)
    left, top, right, below = lines
    box = Box(hole.x - left, hole.y - top, hole.w + left + right, hole.h + top + below)
    return Outline(box=box, hole=hole, shape=shape, fit=fit, lines=lines, inner_ink=inner)


def _best_shape(
    inside: NDArray[np.bool_], area: int
) -> tuple[Literal["box", "oval", "circle"], float]:
    """What the hole looks like most, and how much of both coincide."""
    h, w = inside.shape
    down = (np.arange(h, dtype=np.float32)[:, None] + 0.5 - h / 2) / (h / 2)
    across = (np.arange(w, dtype=np.float32)[None, :] + 0.5 - w / 2) / (w / 2)
    radius = min(w, h) / 2
    to_axis_x = np.maximum(np.abs(across) * w / 2 - (w / 2 - radius), 0)
    to_axis_y = np.maximum(np.abs(down) * h / 2 - (h / 2 - radius), 0)
    is_square = abs(w - h) <= _SQUARE_SHARE * max(w, h) + 1
    round_name: Literal["oval", "circle"] = "circle" if is_square else "oval"
    upright = _agreement(inside, np.ones_like(inside), area)
    ellipse = _agreement(inside, across**2 + down**2 <= 1, area)
    stadium = _agreement(inside, to_axis_x**2 + to_axis_y**2 <= radius**2, area)
    rounded = max(ellipse, stadium)
    return ("box", upright) if upright >= rounded else (round_name, rounded)


def _agreement(inside: NDArray[np.bool_], ideal: NDArray[np.bool_], area: int) -> float:
    both = int((inside & ideal).sum())
    return both / max(1, area + int(ideal.sum()) - both)


def _beyond(ink: Mask, line: slice, ends: tuple[int, int]) -> tuple[float, float]:
    """Share of ink along a line's rows before its one end and after its other, 0..1."""
    start, end = ends
    near, far = round(0.15 * (end - start)), round(0.6 * (end - start))
    rows = ink[max(0, line.start) : line.stop]
    before, after = (
        rows[:, max(0, start - far) : max(0, start - near)],
        rows[:, end + near : end + far],
    )
    return _inked_columns(before), _inked_columns(after)


def _inked_columns(rows: Mask) -> float:
    return float((rows > 0).any(axis=0).mean()) if rows.size else 0.0


def _measure_lines(ink: Mask, hole: Box) -> tuple[float, float, float, float]:
    """How thick the line is on the left, at the top, on the right and below the hole."""
    x, y, w, h = (int(v) for v in (hole.x, hole.y, hole.w, hole.h))
    most = max(3, int(0.5 * min(w, h)))
    rows = [y + int(share * h) for share in _SIDE_SAMPLES]
    columns = [x + int(share * w) for share in _SIDE_SAMPLES]
    return (
        float(np.median([_run(ink[r, max(0, x - most) : x + w // 3][::-1], w // 3) for r in rows])),
        float(
            np.median([_run(ink[max(0, y - most) : y + h // 3, c][::-1], h // 3) for c in columns])
        ),
        float(np.median([_run(ink[r, x + w - w // 3 : x + w + most], w // 3) for r in rows])),
        float(np.median([_run(ink[y + h - h // 3 : y + h + most, c], h // 3) for c in columns])),
    )


def _run(pixels: Mask, before_edge: int) -> int:
    """How far beyond the hole's edge the line reaches on the way from the inside out.

    The first ``before_edge`` pixels lie within the hole's box; the line may begin among them
    where the outline is round.
    """
    dark = pixels > 0
    outside = dark[before_edge:]
    if outside.size == 0:
        return 0
    if not outside[0]:
        # The line begins later where the outline leans or is round.
        first = int(np.argmax(outside)) if outside.any() else 0
        return first + _length(outside[first:])
    return _length(outside)


def _length(dark: NDArray[np.bool_]) -> int:
    return int(dark.size if dark.all() else np.argmin(dark))
