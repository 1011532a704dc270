"""How far at most a target lies from where it was measured.

Two witnesses say where a target is: the page as a whole, bent into place by its print, and the
outline of the target itself with what stands beside it. Neither is believed alone. The bound is
the distance between the two, or where it is larger, that to the farthest place that both of
them allow.

* **The outline** allows every place at which it fits nearly as well as at the best one. The
  share of the picture's variance that a correlation r leaves unexplained is 1 - r². Of a place
  at which it is larger by more than a factor, the likelihood is so small that the place is ruled
  out (likelihood ratio: n / 2 · ln of that factor, with n the independent pixels of an outline).
* **The page** allows every place within a few times the distance by which its pieces of print
  miss the field through them, around where the targets nearby say that it is off, and farther
  the farther away these are: paper stretches.
* **Pixels**: an outline is found on a whole one, and is drawn on whole ones itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_UNEXPLAINED = 1.5
"""Factor of unexplained variance from which a place is ruled out: at some 34 independent pixels,
those along two sides of a box, the 99.9 % region of two coordinates (13.8 / 34 = ln 1.5)."""
_SPREADS = 3.0
"""Medians of the distance between the page's pieces and the field: beyond 3 of them lies less
than one in a thousand, where the distances are normal in both directions (3 × 1.18 = 3.5 σ)."""
_LEAST_SLACK_PX = 1.0
"""The field is never known better than that."""
_STRETCH = 0.02
"""Share of a distance by which paper stretches or shrinks between two places, in a feeder or
where it is curled."""
_NEIGHBOURS = 5
"""Odd, so that one of them is the median."""
_RASTER_PX = 0.5 * 2**0.5 + 0.5
"""From the middle of a pixel to its corner, as an outline is found on a whole one; and half of one
for the rasters of blank and scan, which never lie alike."""


def bound_residuals(
    scores: NDArray[np.floating],
    shifts: NDArray[np.number],
    is_found: NDArray[np.bool_],
    places: NDArray[np.floating],
    spread_px: float,
) -> NDArray[np.float64]:
    """How far each target lies at most from where it was measured, but for one in a thousand.

    Args:
        scores: How well the outline of each fits at each offset from where the page puts it:
            correlations, shape (n, 2 r + 1, 2 r + 1), rows down and columns across.
        shifts: The offset in x and y at which each was measured, in pixels, shape (n, 2).
        is_found: Whether the outline was found there, and not only put where the page puts it.
        places: Where the targets lie on the page, in pixels, shape (n, 2).
        spread_px: Median distance between the page's pieces of print and the field through them;
            infinite where there is no field.

    Returns:
        Distances in pixels, shape (n,).
    """
    reach = scores.shape[1] // 2
    if not len(scores):
        return np.zeros(0)
    expected, away_px = _offsets_nearby(shifts, is_found, places)
    slack = _SPREADS * spread_px + _LEAST_SLACK_PX + _STRETCH * away_px
    # A window as far as was searched is all that can be said where there is no field.
    slack = np.minimum(slack, reach * 2**0.5)
    contradiction = _lengths(shifts - expected)
    farthest = np.zeros(len(scores))
    number, offsets = _allowed_by_outline(scores)
    by_page = _lengths(offsets - expected[number]) <= slack[number]
    np.maximum.at(farthest, number, np.where(by_page, _lengths(offsets - shifts[number]), 0.0))
    bound = np.where(is_found, np.maximum(farthest, contradiction), contradiction + slack)
    return np.asarray(bound + _RASTER_PX, np.float64)


def _allowed_by_outline(
    scores: NDArray[np.floating],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where outlines fit nearly as well as at their best places.

    Returns:
        For each such place the number of the target, shape (m,), and the offset, shape (m, 2).
    """
    reach = scores.shape[1] // 2
    unexplained = 1.0 - np.clip(scores, 0.0, 0.9999) ** 2
    least = unexplained.min(axis=(1, 2), keepdims=True)
    number, row, column = np.nonzero(unexplained <= _UNEXPLAINED * least)
    return number, np.stack([column, row], axis=1) - reach


def _lengths(vectors: NDArray[np.number]) -> NDArray[np.float64]:
    return np.asarray(np.hypot(vectors[:, 0], vectors[:, 1]), np.float64)


def _offsets_nearby(
    shifts: NDArray[np.number], is_found: NDArray[np.bool_], places: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By how much the nearest other targets found say that the field is off, and from how far.

    Returns:
        The median of their offsets, shape (n, 2), and that of their distances, shape (n,), in
        pixels; no offset, from infinitely far, where there are too few.
    """
    known = np.flatnonzero(is_found)
    if len(known) <= _NEIGHBOURS:
        return np.zeros((len(places), 2)), np.full(len(places), np.inf)
    apart = places[:, None] - places[known]
    distances = np.hypot(apart[..., 0], apart[..., 1])
    distances[np.arange(len(places))[:, None] == known] = np.inf
    nearest = np.argpartition(distances, _NEIGHBOURS - 1, axis=1)[:, :_NEIGHBOURS]
    middle = _NEIGHBOURS // 2
    away = np.sort(np.take_along_axis(distances, nearest, axis=1), axis=1)[:, middle]
    offsets = np.sort(shifts[known[nearest]], axis=1)[:, middle]
    return offsets.astype(np.float64), away
