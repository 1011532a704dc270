"""Strokes that go on behind the print of a form, as a cross does that is larger than its cell."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

_JOIN_MM = 1.3
"""A stroke goes on behind a ruled line so wide."""
_JOIN_FLAT_MM = 2.6
"""A flat one, 20° to a ruled line, is hidden by it for so long; ends of others may meet there."""
_HIDDEN_MM, _STRAIGHT, _SAME_LINE = 6.0, 0.92, 0.7
"""A straight one is followed so far behind print: in low rows flatter ones are hidden, and so are
those that meet a crossing of two lines. What lies there is on its line, and goes on, up to angles
of these cosines."""
_GAP_MM = 0.5
"""At both ends of what is hidden so much may be too pale to be ink, in all."""
_LEAST_STROKE_MM2 = 0.3
"""Less ink than this has no direction."""
_MOST_PARTS = 12
"""Where more pieces of ink meet behind print, as writing over a table, they are left together."""
_END_MM = 2.4
"""So much of the end of a stroke tells its direction."""
_ENDS = 0.25
"""The middle of that end is at least so far from the tip, as a share of its length."""
_SAME_WAY, _PERHAPS = 0.4, 0.3
"""Cosine of the angle up to which a stroke turns behind print; and may turn there."""
_ARM, _ABOUT, _ASIDE = 0.25, 0.15, 0.25
"""Strokes that cross in the middle of a cell reach so far up and down from there, as a share of its
height; and the middle goes so far, in heights and in widths. Ends of other marks would reach 0.6 of
the height at least to do so."""
_REACH = 1.2
"""Ends bring no more ink into a cell than through its border goes straight so far, in heights or
widths of it: they reach up to 0.6, and an end that turns, as a tick's foot, goes back as far."""
_BORDER_MM = 0.35
"""The border of a cell."""


def join_ink(
    ink: NDArray[np.bool_], free: NDArray[np.bool_], px_per_mm: float, join_mm: float = _JOIN_MM
) -> tuple[int, NDArray[np.int32]]:
    """Pieces of ink, each with what of it the blank's print hides; their count, and labels."""
    # Both ends of a stroke that a ruled line hides spread into it, and meet there.
    spread = cv2.dilate(ink.astype(np.uint8), disc(join_mm * px_per_mm)) > 0
    joined = ink | (spread & ~free)
    count, pieces = cv2.connectedComponents(joined.astype(np.uint8), connectivity=8)
    return count, np.asarray(pieces, np.int32)


def join_strokes(
    ink: NDArray[np.bool_], free: NDArray[np.bool_], px_per_mm: float, *, liberal: bool = False
) -> tuple[int, NDArray[np.int32]]:
    """As :func:`join_ink`, but ink on both sides of print is one piece only if strokes go on there.

    The tips of two crosses, one below the other, meet at the ruled line between them; a stroke
    that crosses the line has one direction before it and behind it.

    Args:
        ink: Where ink is, shape (h, w).
        free: Where there is no print.
        px_per_mm: Pixels in a millimetre.
        liberal: Whether what only may go on is joined as well.

    Returns:
        The count of pieces, and which of them is where.
    """
    join_mm, same_way = (_JOIN_FLAT_MM, _PERHAPS) if liberal else (_JOIN_MM, _SAME_WAY)
    count, joined = join_ink(ink, free, px_per_mm, join_mm)
    cuts, pieces = cv2.connectedComponents(ink.astype(np.uint8), connectivity=8)
    names = np.zeros(cuts, np.int32)
    names[pieces] = joined
    is_stroke = np.bincount(pieces.ravel()) >= _LEAST_STROKE_MM2 * px_per_mm**2
    is_stroke[0] = False
    for name in np.flatnonzero(np.bincount(names[is_stroke]) > 1):
        parts = np.flatnonzero((names == name) & is_stroke)
        if len(parts) > _MOST_PARTS:
            continue
        points = [np.argwhere(pieces == part) for part in parts]
        links = np.zeros((len(parts), len(parts)), bool)
        for one, other in combinations(range(len(parts)), 2):
            links[one, other] = _goes_on(points[one], points[other], px_per_mm, join_mm, same_way)
        groups, group_of = connected_components(links, directed=False)
        names[parts] = np.where(group_of == 0, name, count - 1 + group_of)
        count += groups - 1
    return count, np.asarray(names[pieces], np.int32)


def _goes_on(
    one: NDArray[np.intp],
    other: NDArray[np.intp],
    px_per_mm: float,
    join_mm: float,
    same_way: float,
) -> bool:
    """Whether a stroke of one piece of ink goes on in another, wherever they come near.

    Args:
        one: Rows and columns of its pixels, shape (n, 2).
        other: Of the other.
        px_per_mm: Pixels in a millimetre.
        join_mm: How near.
        same_way: Least cosine of the angle between both directions.
    """
    near = join_px(px_per_mm, join_mm) + 2
    away, nearest = cKDTree(other).query(one, distance_upper_bound=near)
    reach = _END_MM * px_per_mm
    while np.isfinite(away).any():
        at = int(away.argmin())
        tip, start = one[at], other[nearest[at]]
        is_end = np.hypot(*(one - tip).T) <= reach
        is_start = np.hypot(*(other - start).T) <= reach
        if is_end.all() or is_start.all():
            return True
        before, behind = tip - one[is_end].mean(axis=0), other[is_start].mean(axis=0) - start
        lengths = np.linalg.norm(before), np.linalg.norm(behind)
        # Where a stroke only passes by, its ink lies on both sides of the place.
        if min(lengths) >= _ENDS * reach and before @ behind >= same_way * lengths[0] * lengths[1]:
            return True
        # The rest of this end is no other one.
        away[is_end | np.append(is_start, True)[nearest]] = np.inf
    return False


def follow(
    stroke: NDArray[np.intp],
    labels: NDArray[np.int32],
    free: NDArray[np.bool_],
    px_per_mm: float,
) -> list[int]:
    """Which other pieces of ink go on where a stroke is lost behind print, straight ahead.

    Args:
        stroke: Rows and columns of its pixels, shape (n, 2).
        labels: Which piece of ink is where, shape (h, w); 0 for none.
        free: Where there is no print.
        px_per_mm: Pixels in a millimetre.
    """
    if len(stroke) < _LEAST_STROKE_MM2 * px_per_mm**2:
        return []
    own, far, reach = labels[tuple(stroke[0])], _HIDDEN_MM * px_per_mm, _END_MM * px_per_mm
    found: list[int] = []
    along = (stroke - stroke.mean(axis=0)) @ _axis_of(stroke)
    for tip in (stroke[along.argmax()], stroke[along.argmin()]):
        end = stroke[np.hypot(*(stroke - tip).T) <= reach]
        way = _axis_of(end)
        way = way if (tip - end.mean(axis=0)) @ way > 0 else -way
        corner = np.maximum(tip - round(far), 0)
        top, left = corner
        bottom, right = tip + round(far) + 1
        near = labels[top:bottom, left:right]
        others = np.argwhere((near > 0) & (near != own)) + corner
        gaps = others - tip
        lengths = np.hypot(*gaps.T)
        is_ahead = (lengths <= far) & (gaps @ way >= _STRAIGHT * lengths)
        others, lengths = others[is_ahead], lengths[is_ahead]
        names = labels[tuple(others.T)]
        for name in np.unique(names):
            ink, away = others[names == name], lengths[names == name]
            start = ink[away.argmin()]
            gap = start - tip
            steps = np.linspace(0, 1, int(away.min()) + 2)[1:-1, None]
            between = tuple(np.round(tip + steps * gap).astype(np.intp).T)
            if (free[between] & (labels[between] == 0)).sum() > _GAP_MM * px_per_mm:
                continue
            behind = np.argwhere(near == name) + corner - start
            behind = behind[np.hypot(*behind.T) <= reach].mean(axis=0)
            if behind @ gap >= _SAME_LINE * np.linalg.norm(behind) * np.linalg.norm(gap):
                found.append(int(name))
    return found


def _axis_of(points: NDArray[np.intp]) -> NDArray[np.float64]:
    """The direction in which points lie."""
    around = points - points.mean(axis=0)
    return np.asarray(np.linalg.eigh(around.T @ around)[1][:, -1])


def join_px(px_per_mm: float, join_mm: float = _JOIN_MM) -> int:
    """The side, in pixels, of what joins ink that is so near; odd."""
    return _odd(join_mm * px_per_mm)


def disc(across_px: float) -> NDArray[np.uint8]:
    """A round kernel, about so many pixels across."""
    side = _odd(across_px)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _odd(px: float) -> int:
    return 2 * round(px / 2) + 1


def is_made_here(ink: NDArray[np.bool_], free: NDArray[np.bool_], px_per_mm: float) -> bool:
    """Whether a piece of ink in a cell cannot be ends of marks that reach in from beyond it.

    Two proofs, either will do. Two strokes cross in its middle, as a cross's do. Or there is too
    much of it: a stroke that comes straight in is, whatever its angle, as wide at the border as at
    each height behind it, so that its ink is its width there times how far it reaches.

    Args:
        ink: Where the piece is in the cell, shape (h, w).
        free: Where the cell has no print.
        px_per_mm: Pixels in a millimetre.
    """
    return is_cross(ink) or _is_too_much(ink, free, px_per_mm)


def is_cross(ink: NDArray[np.bool_]) -> bool:
    """Whether two strokes cross in the middle of a cell, and reach up and down from there.

    Args:
        ink: Where ink is in the cell, shape (h, w).
    """
    height, width = ink.shape
    arm, about = round(_ARM * height), round(_ABOUT * height)
    for y in range(height // 2 - about, height // 2 + about + 1):
        at = np.flatnonzero(ink[y])
        if _count_runs(ink[y]) != 1 or abs(at.mean() / width - 0.5) > _ASIDE:
            continue
        _, pieces = cv2.connectedComponents(ink[y - arm : y + arm + 1].astype(np.uint8))
        both = pieces == pieces[arm, at[0]]
        if min(_count_runs(both[0]), _count_runs(both[-1])) > 1:
            return True
    return False


def _count_runs(row: NDArray[np.bool_]) -> int:
    """How many times ink begins in a row."""
    return int(np.count_nonzero(row & ~np.append(False, row[:-1])))


def _is_too_much(ink: NDArray[np.bool_], free: NDArray[np.bool_], px_per_mm: float) -> bool:
    """Whether there is more ink in a cell than strokes could bring in through its border."""
    height, width = ink.shape
    depth = cv2.distanceTransform(np.pad(free, 1).astype(np.uint8), cv2.DIST_C, 3)[1:-1, 1:-1]
    y, x = np.nonzero(ink)
    is_side = np.abs(x / width - 0.5) > np.abs(y / height - 0.5)
    # Beside print, and where a pale stroke begins, some of its width may not be seen.
    most = round(_BORDER_MM * px_per_mm)
    at = np.minimum(depth[y, x].astype(np.intp), most + 1)
    level, side = (
        np.bincount(at[of], minlength=most + 2)[1:-1].max() for of in (~is_side, is_side)
    )
    return bool(len(y) >= _REACH * (level * height + side * width))
