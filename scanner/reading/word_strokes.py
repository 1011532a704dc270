"""Strokes on words, from ink and from where ink can be seen: through them, around them, under them.

Arrays in, shares of the words out.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.reading.word_places import Words

_OVER_MM = 0.7
"""A stroke that strikes words out runs no further above or below them."""
_LEAST_SEEN = 0.06
"""Share of the words' length in which the paper must show between the letters."""
_STEEP = 0.12
"""What it costs to follow a stroke one pixel up or down."""
_THROUGH_BODY = 0.3
"""Share of a stroke's length within that body from which it goes through the words."""
_BEYOND_MM = 1.0
"""A stroke is followed so far beyond the words: there it is seen whether it goes on."""
_HIDDEN_MM = 1.2
_BREAK_MM = 0.7
"""A stroke may fail so far, as a dry pen does, and is still one stroke."""
_UNDERLINE_MM = 5.0
_JOIN_MM = 0.8
_SPECK_MM = 1.0
_SLICE_MM = 1.6
_DENSE = 0.2
"""Share of the body's paper under ink from which a slice of it is scribbled over."""
_SECTORS = 36
_SECTOR_PX = 2


def follow_words(
    inked: NDArray[np.bool_], seen: NDArray[np.bool_], words: Words, px_per_mm: float
) -> tuple[float, float]:
    """How far a stroke runs through the words, and how far through or close by: shares."""
    x0, y0, x1, y1 = words.text
    over, beyond = round(_OVER_MM * px_per_mm), round(_BEYOND_MM * px_per_mm)
    top, bottom = max(y0 - over, 0), min(y1 + over, len(inked))
    left, right = max(x0 - beyond, 0), min(x1 + beyond, inked.shape[1])
    ink, free = inked[top:bottom, left:right], seen[top:bottom, left:right]
    if (ink & free)[:, x0 - left : x1 - left].sum() < px_per_mm:
        return 0.0, 0.0
    rows = follow_stroke(np.where(free, np.where(ink, 1.0, -1.0), 0.0))
    at = np.arange(right - left)
    shown = free[rows, at]
    crossed = shown & _close(ink[rows, at] & shown, round(_BREAK_MM * px_per_mm))
    if shown.sum() < _LEAST_SEEN * len(at):
        return 0.0, 0.0
    crossed = _fill_hidden(crossed, shown, round(_HIDDEN_MM * px_per_mm))[x0 - left : x1 - left]
    rows, whole = rows[x0 - left : x1 - left], x1 - x0
    ink, free = ink[:, x0 - left : x1 - left], free[:, x0 - left : x1 - left]
    b0, b1 = words.body[0] - top, words.body[1] - top
    in_body = crossed & (rows >= b0) & (rows < b1)
    close_by = float(crossed.sum()) / whole
    share = float(in_body.sum()) / max(int(crossed.sum()), 1)
    through = close_by * min(share / _THROUGH_BODY, 1.0)
    return max(through, _scribbled(ink[b0:b1], free[b0:b1], px_per_mm)), close_by


def _fill_hidden(
    crossed: NDArray[np.bool_], shown: NDArray[np.bool_], reach: int
) -> NDArray[np.bool_]:
    """The same with columns where print hides the way, as the paper on both sides of them tells.

    A stroke that is seen on both sides runs between them; one that is seen on one side only runs
    ``reach`` columns further at most.
    """
    at = np.arange(len(shown))
    before = np.maximum.accumulate(np.where(shown, at, -1))
    after = np.minimum.accumulate(np.where(shown, at, len(at))[::-1])[::-1]
    comes = (before >= 0) & crossed[np.maximum(before, 0)]
    goes = (after < len(at)) & crossed[np.minimum(after, len(at) - 1)]
    near = (comes & (at - before <= reach)) | (goes & (after - at <= reach))
    return np.where(shown, crossed, (comes & goes) | near)


def _close(crossed: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """The same with breaks of up to ``length`` columns filled."""
    row = crossed.astype(np.uint8)[None, :]
    closed = cv2.morphologyEx(row, cv2.MORPH_CLOSE, np.ones((1, 2 * (length // 2) + 1), np.uint8))
    return np.asarray(closed[0] > 0)


def follow_stroke(gain: NDArray[np.float64]) -> NDArray[np.intp]:
    """The row in each column of the way from left to right that gains most (Viterbi, 1967).

    Args:
        gain: Shape (rows, columns). From one column to the next a way goes on in the same row or
            in one of the two next to it.
    """
    height, width = gain.shape
    total = gain[:, 0].copy()
    back = np.zeros((width, height), np.int8)
    rows = np.arange(height)
    for column in range(1, width):
        padded = np.pad(total, 1, constant_values=-np.inf)
        ways = np.stack([padded[:-2] - _STEEP, total, padded[2:] - _STEEP])
        best = ways.argmax(axis=0)
        back[column] = best - 1
        total = ways[best, rows] + gain[:, column]
    path = np.empty(width, np.intp)
    path[-1] = int(total.argmax())
    for column in range(width - 1, 0, -1):
        path[column - 1] = path[column] + back[column, path[column]]
    return path


def _scribbled(ink: NDArray[np.bool_], free: NDArray[np.bool_], px_per_mm: float) -> float:
    """Share of the words' length that is scribbled over, whichever way the strokes run."""
    starts = np.arange(0, ink.shape[1], max(round(_SLICE_MM * px_per_mm), 1))
    inked = np.add.reduceat((ink & free).sum(axis=0), starts)
    paper = np.add.reduceat(free.sum(axis=0), starts)
    told = paper >= px_per_mm
    if told.sum() < 0.3 * len(starts):
        return 0.0
    return float((inked[told] >= _DENSE * paper[told]).mean())


def look_around(
    inked: NDArray[np.bool_], seen: NDArray[np.bool_], words: Words, px_per_mm: float
) -> tuple[float, float]:
    """How whole a ring around the words or a line under them is; how far a stroke strikes them."""
    x0, y0, x1, y1 = words.text
    ink, from_elsewhere = _pen_strokes(inked & seen, px_per_mm)
    inset = round(0.3 * px_per_mm)
    y, x = np.nonzero(ink)
    outer = (x < x0 + inset) | (x >= x1 - inset) | (y < y0 + inset) | (y >= y1 - inset)
    x, y = x[outer], y[outer]
    across = (x - (x0 + x1) / 2) / max(x1 - x0, 1)
    down = (y - (y0 + y1) / 2) / max(y1 - y0, 1)
    sector = ((np.arctan2(down, across) / (2 * np.pi) + 0.5) * _SECTORS).astype(int) % _SECTORS
    around = float((np.bincount(sector, minlength=_SECTORS) >= _SECTOR_PX).mean())
    below = _long_pieces((ink & ~from_elsewhere)[words.body[1] :, x0:x1], px_per_mm)
    starts = np.arange(0, x1 - x0, max(round(px_per_mm), 1))
    under = float((np.add.reduceat(below.sum(axis=0), starts) >= _SECTOR_PX).mean())
    return max(around, under), follow_words(inked, seen, words, px_per_mm)[0]


def _pen_strokes(
    ink: NDArray[np.bool_], px_per_mm: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Ink without specks; and that of it which comes in from elsewhere, so that it is no underline.

    As the ring around the next words does from below, a fold or a stamp from the sides.
    """
    joined = join_dots(ink, px_per_mm).astype(np.uint8)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    sizes = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    is_stroke = sizes >= _SPECK_MM * px_per_mm
    is_stroke[0] = False
    left, top, width, height = stats[:, : cv2.CC_STAT_AREA].T
    at_edge = (left == 0) | (left + width >= ink.shape[1]) | (top + height >= ink.shape[0])
    comes_in = is_stroke & at_edge
    return ink & is_stroke[pieces], ink & comes_in[pieces]


def _long_pieces(ink: NDArray[np.bool_], px_per_mm: float) -> NDArray[np.bool_]:
    """Pieces as long as a line under words has, also where letters cut it; not those of letters."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(
        join_dots(ink, px_per_mm).astype(np.uint8), connectivity=8
    )
    is_long = stats[:, cv2.CC_STAT_WIDTH] >= min(_UNDERLINE_MM * px_per_mm, 0.3 * ink.shape[1])
    is_long[0] = False
    return np.asarray(ink & is_long[pieces])


def join_dots(ink: NDArray[np.bool_], px_per_mm: float) -> NDArray[np.bool_]:
    """The same with gaps filled: a scan in black and white leaves dots of a pencil's line."""
    side = 2 * round(_JOIN_MM * px_per_mm / 2) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0)


def longest_piece(ink: NDArray[np.bool_]) -> float:
    """Longer side, in pixels, of the largest piece of ink."""
    if not ink.any():
        return 0.0
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    return float(stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max())
