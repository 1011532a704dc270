"""A fold across a page, found by the faint ridge that it is all along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_STRIPS = 12
"""A fold is looked for in so many strips of the page."""
_FEWEST_STRIPS = 6
_SEEN = 0.3
"""Share of a strip's paper that must be free of print for its darkness to be known."""
_FOLDED = 0.8
"""Share of the strips in which there is a ridge where the line of a fold meets them."""
_RIDGE = 3.0
"""Levels, of 255, by which a fold is darker than what is beside it."""
_SLOPES = np.linspace(-0.02, 0.02, 17)
"""A fold may run aslant by so much of its length."""
_NOT_FOLD = 120
"""Ink so dark is no part of a fold."""
_BESIDE_FOLD_MM = 1.5


@dataclass(frozen=True, slots=True)
class Fold:
    """A line across the paper, as it passes through a window."""

    at: float
    """The row, counted from the window's first, at its first column."""
    slope: float
    level: float
    """How dark it usually is, of 255."""


def look_beyond(width: int, px_per_mm: float) -> int:
    """How far above and below a window of a page so wide a fold through it is looked for, in px."""
    return round(float(_SLOPES[-1]) * width) + round(_BESIDE_FOLD_MM * px_per_mm) + 2


def measure_strips(added: NDArray[np.uint8], free: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How dark the paper of some rows of a page is, in each of its strips.

    Args:
        added: The darkness added to the rows, shape (h, w).
        free: Where the blank has no print, shape as ``added``.

    Returns:
        Shape (h, 12): the mean darkness, of 255; NaN where too little paper is seen.
    """
    width = added.shape[1]
    edges = np.linspace(0, width, _STRIPS + 1).astype(int)
    seen = free & (added < _NOT_FOLD)
    # Sums over strips as products: exact in these numbers, and many times as fast.
    at = np.arange(width)[:, None]
    strips = ((at >= edges[:-1]) & (at < edges[1:])).astype(np.float32)
    counts, sums = (levels.astype(np.float32) @ strips for levels in (seen, added * seen))
    is_seen = counts > _SEEN * np.diff(edges)
    return np.where(is_seen, sums / np.maximum(counts, 1), np.float32(np.nan))


def find_fold(
    level: NDArray[np.float32],
    window: tuple[int, int, int, int],
    width: int,
    px_per_mm: float,
    deepest: float,
) -> Fold | None:
    """The fold that runs across the page through a window, if there is one.

    The page is cut into strips; in each, the rows that are darker than those a little above and
    below are ridges. A fold has a ridge in nearly every strip, on one straight line. One that runs
    down is found with x and y exchanged.

    Args:
        level: From :func:`measure_strips`, of the rows of the page from :func:`look_beyond` above
            the window to so far below it, shape (h, 12).
        window: x0, y0, x1, y1: pixels, counted from the first of these rows.
        width: Of the page, in pixels.
        px_per_mm: Pixels in a millimetre.
        deepest: Darkness, of 255, up to which a ridge may be a fold.
    """
    x0, y0, x1, y1 = window
    edges = np.linspace(0, width, _STRIPS + 1).astype(int)
    middles = (edges[:-1] + edges[1:]) / 2
    beside = round(_BESIDE_FOLD_MM * px_per_mm)
    reach = look_beyond(width, px_per_mm)
    around = np.full_like(level, np.nan)
    around[beside:-beside] = np.fmax(level[: -2 * beside], level[2 * beside :])
    ridges = np.where(np.isnan(level - around), -np.inf, level - around)
    # A ridge may lie a pixel off the line.
    ridges[1:-1] = np.maximum(np.maximum(ridges[:-2], ridges[2:]), ridges[1:-1])
    rows = np.arange(max(y0, reach), min(y1, len(level) - reach), 2)
    if not len(rows):
        return None
    # Every slope with every row at the middle of the window: where its line meets the strips.
    offsets = np.rint(_SLOPES[:, None] * (middles - (x0 + x1) / 2)).astype(int)
    here = ridges[rows[None, :, None] + offsets[:, None, :], np.arange(_STRIPS)]
    is_here = np.isfinite(here)
    enough = is_here.sum(axis=2)
    share = (here >= _RIDGE).sum(axis=2) / np.maximum(enough, 1)
    levels = np.median(np.where(is_here, here, 0.0), axis=2)
    fits = (enough >= _FEWEST_STRIPS) & (share >= _FOLDED) & (levels <= deepest)
    if not fits.any():
        return None
    slope, row = np.unravel_index(int(np.argmax(np.where(fits, levels, -1.0))), fits.shape)
    at = float(rows[row]) - y0 - float(_SLOPES[slope]) * (x1 - x0) / 2
    return Fold(at, float(_SLOPES[slope]), float(levels[slope, row]))
