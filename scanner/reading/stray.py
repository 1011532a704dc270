"""Ink that was not made for the target where it is found: streaks, stamps, tails, shadow.

What is found at a target never makes a mark: it keeps the target before a person. Streaks run
over the whole page and are the scanner's own, so they are taken off before anything is measured.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.reading.places import TargetPlace
from scanner.reading.print_places import SOLID

_BANDS = 48
"""A streak runs through all of a page, so it is looked for in this many bands of it."""
_STREAK_LEVELS = 6
"""Grey levels by which a streak is darker than what is beside it, on average over a band."""
_NEARLY_ALL_BANDS = 0.94
_PROBED = 4
"""So many bands at either end are looked at first: what is printed hardly reaches there."""
_MOST_STREAKS = 0.06
"""Share of a page's columns, or rows, that streaks may run along."""
_WIDEST_STREAK_PX = 4
"""At half resolution: a wider bar is no streak of dust on the glass."""
_THIN_MM = 1.2
"""Ink that lies within a band of this width is one line."""
_NEARLY_ALL = 0.92
_SOME_INK_PX = 20
_STRONG = 0.45
"""Share of the inside covered from which the box is filled, whatever lies around it."""
_WEAK = 0.25
"""A cross covers more than this, a tick may cover less."""
_STRAY_INK = (0.03, 0.08)
"""Share of the ring around a target covered with ink that has no part in it, from which a weak mark
and one that is not are in doubt."""
_JOIN_MM = 1.2
"""Pieces of ink nearer to each other are one."""
_RIM_PX = 3
"""Ink so near the edge of the surroundings runs on beyond it."""
_BEFORE_PX = 2
"""Print so near the end of a line hides what comes after it."""
_WIDE_APART = 0.6
"""Share of the ring's longer side."""


def find_streaks(gray: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Where lines of dust on the scanner's glass run down a scan, or across it.

    Args:
        gray: The scan at about half the working resolution, shape (h, w).

    Returns:
        By how many grey levels streaks make pixels darker, on average, shape as ``gray``, 0 beside
        them; None where there are none.
    """
    height, width = gray.shape
    rows, columns = max(height // _BANDS, 1), max(width // _BANDS, 1)
    # Whole steps only, for which averaging is several times as fast.
    whole = gray[: height // rows * rows, : width // columns * columns]
    down, across = _find_lines(whole, rows, down=True), _find_lines(whole, columns, down=False)
    down, across = np.pad(down, (0, width - len(down))), np.pad(across, (0, height - len(across)))
    if not down.any() and not across.any():
        return None
    if max((down > 0).mean(), (across > 0).mean()) > _MOST_STREAKS:
        # So many lines are no dust: the ruled table of the other side may show through.
        return None
    return np.maximum(down[None, :], across[:, None])


def _find_lines(gray: NDArray[np.uint8], size_px: int, *, down: bool) -> NDArray[np.uint8]:
    """By how much streaks make each column darker; or each row, where they do not run down.

    The bands at both ends tell of nearly all pages that there are none.

    Args:
        gray: Shape (h, w).
        size_px: Breadth of the bands, of which a whole number makes the picture.
        down: Whether the streaks run down.
    """
    axis, reach = (0 if down else 1), _PROBED * size_px
    ends = (gray[:reach], gray[-reach:]) if down else (gray[:, :reach], gray[:, -reach:])
    probes = _darker_than_beside(np.concatenate(ends, axis=axis), size_px, down=down)
    count = gray.shape[axis] // size_px
    missing = np.count_nonzero(probes < _STREAK_LEVELS, axis=0).min()
    if count - missing < _NEARLY_ALL_BANDS * count:
        return np.zeros(probes.shape[1], np.uint8)
    dark = _darker_than_beside(gray, size_px, down=down)
    found = (dark >= _STREAK_LEVELS).mean(axis=0) >= _NEARLY_ALL_BANDS
    levels = np.where(found, np.percentile(dark, 75, axis=0) if found.any() else 0, 0)
    widened = cv2.dilate(levels.astype(np.uint8)[None, :], np.ones((1, 3), np.uint8))
    return np.asarray(widened[0], np.uint8)


def _darker_than_beside(gray: NDArray[np.uint8], size_px: int, *, down: bool) -> NDArray[np.uint8]:
    """In each band across the streaks, how much darker each column is than those beside it."""
    height, width = gray.shape
    if down:
        bands = cv2.resize(gray, (width, height // size_px), interpolation=cv2.INTER_AREA)
    else:
        bands = cv2.resize(gray, (width // size_px, height), interpolation=cv2.INTER_AREA).T
    kernel = np.ones((1, 2 * _WIDEST_STREAK_PX + 1), np.uint8)
    dark = cv2.morphologyEx(np.ascontiguousarray(bands), cv2.MORPH_BLACKHAT, kernel)
    return np.asarray(dark, np.uint8)


def comes_from_elsewhere(
    inked: NDArray[np.uint8], place: TargetPlace, inside: float, px_per_mm: float
) -> bool:
    """True where the ink inside a target seems to be part of something that is not its mark.

    Args:
        inked: 1 where there is added ink, shape as the place's ring.
        place: The target's place.
        inside: Share of the inside that is covered.
        px_per_mm: Pixels of the ring in a millimetre.
    """
    points = cv2.findNonZero(inked)
    if points is None or len(points) < _SOME_INK_PX:
        return False
    if _is_line(np.asarray(points)[:, 0].astype(int), place, px_per_mm):
        return True
    return inside < _STRONG and _is_part_of_more(inked, place, inside, px_per_mm)


def is_line_through(inked: NDArray[np.bool_], place: TargetPlace, px_per_mm: float) -> bool:
    """True where all ink inside, however faint, is one straight line from edge to edge.

    A fold, say; whatever else there is around the target. A line that ends here is none: it
    may be a voter's.
    """
    points = np.argwhere(inked)[:, ::-1]
    x0, y0, x1, y1 = place.core
    within = ((points >= (x0, y0)) & (points < (x1, y1))).all(axis=1)
    if within.sum() < _SOME_INK_PX:
        return False
    near = _near_line(points, points[within], px_per_mm)
    return bool(near[within].mean() >= _NEARLY_ALL) and _spans(points[near], place)


def _is_line(points: NDArray[np.integer], place: TargetPlace, px_per_mm: float) -> bool:
    """True where nearly all ink of a target's surroundings is one straight line that comes in.

    From one side of them to the opposite one, as a stroke across the page does, or out of the next
    target, as the tail of a tick there. The ink need not hang together: where a stroke crosses
    the outline it is not counted.
    """
    if not _comes_in(points, place):
        return False
    line = points[_near_line(points, points, px_per_mm)]
    # Of itself, without what little there is beside it.
    return len(line) >= _NEARLY_ALL * len(points) and _comes_in(line, place)


def _near_line(
    points: NDArray[np.integer], fitted: NDArray[np.integer], px_per_mm: float
) -> NDArray[np.bool_]:
    """Which points lie within the breadth of a line from the one through ``fitted``."""
    dx, dy, x, y = cv2.fitLine(fitted, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
    away = np.abs((points[:, 0] - x) * dy - (points[:, 1] - y) * dx)
    return np.asarray(away <= _THIN_MM / 2 * px_per_mm)


def _comes_in(points: NDArray[np.integer], place: TargetPlace) -> bool:
    """True where ink runs from one edge of the surroundings to another, or out of a target."""
    if _spans(points, place) or _runs_behind_print(points, place):
        return True
    if place.next_targets is None:
        return False
    height, width = place.outline.shape
    x, y = points.T
    at_edge = (x == 0) | (y == 0) | (x == width - 1) | (y == height - 1)
    return bool((at_edge & place.next_targets[y, x]).any())


def _spans(points: NDArray[np.integer], place: TargetPlace) -> bool:
    """True where ink runs from one edge of the surroundings to the opposite one."""
    height, width = place.outline.shape
    across, down = np.ptp(points, axis=0)
    return bool(across >= width - _RIM_PX or down >= height - _RIM_PX)


def _runs_behind_print(points: NDArray[np.integer], place: TargetPlace) -> bool:
    """True where ink comes in at one edge and ends at print beside the target, which hides more."""
    shape = place.outline.shape
    for axis, length in enumerate(shape[::-1]):
        along = points[:, axis]
        low, high = int(along.argmin()), int(along.argmax())
        if along[low] < _RIM_PX and _ends_at_print(points[high], axis, 1, place):
            return True
        if along[high] >= length - _RIM_PX and _ends_at_print(points[low], axis, -1, place):
            return True
    return False


def _ends_at_print(end: NDArray[np.integer], axis: int, way: int, place: TargetPlace) -> bool:
    """Whether print other than the target's own outline lies right before the end of a line."""
    height, width = place.known.shape
    if not np.isin(end[1] * width + end[0], place.outside):
        return False
    ahead = end.copy()
    ahead[axis] += way * _BEFORE_PX
    x, y = np.clip(ahead, 0, (width - 1, height - 1))
    return bool(place.known[y, x] >= SOLID)


def _is_part_of_more(
    inked: NDArray[np.uint8], place: TargetPlace, inside: float, px_per_mm: float
) -> bool:
    """True where a little ink inside goes with ink around that no mark in a box would have.

    Letters of a stamp stand around the box as well, each by itself; the ring of a seal comes in
    on one side and goes out on another. A tick has one tail, and hangs together.
    """
    most = _STRAY_INK[0] if inside < _WEAK else _STRAY_INK[1]
    around = float(inked.ravel()[place.outside].mean()) if place.outside.size else 0.0
    rim = np.ones(inked.shape, bool)
    rim[_RIM_PX:-_RIM_PX, _RIM_PX:-_RIM_PX] = False
    if around < most and not inked[rim].any():
        return False
    side = 2 * round(_JOIN_MM * px_per_mm / 2) + 1
    joined = inked.copy()
    # A stroke is cut where it crosses the outline, which joins what touches it.
    joined.ravel()[place.edge] = 1
    joined = cv2.morphologyEx(joined, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)).astype(
        np.uint8, copy=False
    )
    count, pieces = cv2.connectedComponents(joined, connectivity=8)
    x0, y0, x1, y1 = place.core
    is_own = np.zeros(count, bool)
    is_own[pieces[y0:y1, x0:x1]] = True
    is_own[pieces.ravel()[place.edge]] = True
    is_own[0] = False
    own = is_own[pieces]
    stray = inked.astype(bool) & ~own
    if place.outside.size and stray.ravel()[place.outside].mean() >= most:
        return True
    ends = np.argwhere(rim & own)
    if not len(ends) or np.ptp(ends, axis=0).max() < _WIDE_APART * max(inked.shape):
        return False
    # The strokes of a cross that reach as far meet inside; two rings of a seal do not.
    return inside < _WEAK or cv2.connectedComponents(inked[y0:y1, x0:x1])[0] > 2
