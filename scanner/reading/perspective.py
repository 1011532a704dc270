"""Photographs: a page taken from the side is laid flat, and looked at again.

From a slant of some fifteen degrees on, few features of a picture look like those of the blank.
So a first guess, however rough, lays the page flat; there the features are found anew, and each
is compared only with those of the blank that are near it, which leaves out most chance
resemblances. The first guess is what the flat looks found, or the four edges of the paper, or
what many more features say. A guess that was wrong leads to few features in agreement, and to
little of the blank's print found when the page is aligned: nothing here is taken on trust.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Homography, apply_homography
from scanner.reading.blank import BlankPage
from scanner.reading.features import Features, Match, find_features

Recognise = Callable[[Features], tuple[BlankPage, Match] | None]
"""The page with which most of some features agree."""

_FEW_FEATURES = (400, 2)
_MANY_FEATURES = (1000, 4)
"""How many, and in how many sizes the picture is looked at."""
_NEAR_MM = (20.0, 10.0, 6.0)
"""How far from its place a feature may lie, at each new look: the page lies better each time."""
_TOLERANCE_MM = 1.2
"""From the plane; paper on a table bulges, and the alignment follows that later."""
_MAX_DISTANCE = 64
"""Bits of 256 in which descriptors of the same place differ at the most."""
_FEWEST = 12
_LEAST_LAID = 0.15
"""Share of the features that must agree: compared with those nearby alone, some always do."""
_CLEARLY_LAID = 0.25
"""Share of the features in agreement from which no other first guess is tried."""
_SMALL_SIDE_PX = 480
"""Long side of the picture on which edges are looked for: print is gone from it, paper is not."""
_UPRIGHT_SIDE_PX = 1400
_LEVELS = 7
"""At how many brightnesses the picture is cut: a shadow may split the sheet at some of them."""
_LEAST_AREA = 0.12
_MOST_AREA = 0.995
"""Share of the photograph that a sheet fills."""
_SAMPLES = 40
"""Places along each edge at which it is looked for."""
_REACH_PX = 7
"""How far an edge may lie from the rough outline."""
_STEP_LEVELS = 5.0
"""Grey levels by which paper is brighter than the table at an edge."""
_LEAST_EDGE = 0.5
"""Share of each side of a sheet along which its edge is seen."""
_PAPER_RATIO = 2**0.5
"""Long side of a sheet to its short one (ISO 216)."""
_NEAR_PAPER = 1.3
"""By what factor a slant changes that ratio at the most; beyond, it is another format."""

_Corners = NDArray[np.float64]
"""Shape (4, 2), clockwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Rectified:
    """A photograph laid flat onto a page."""

    blank: BlankPage
    match: Match
    """Pixels of the photograph to working pixels of the page."""
    features: Features
    """Found where the page lies flat, in pixels of the photograph."""


def rectify(
    gray: NDArray[np.uint8], first: tuple[BlankPage, Match] | None, recognise: Recognise
) -> Rectified | None:
    """The page on a photograph taken from the side, and how it lies.

    Args:
        gray: The photograph, shape (h, w).
        first: What the flat looks found, if anything.
        recognise: Tells the page of some features.

    Returns:
        What most features agree on; None where next to none do.
    """
    best: Rectified | None = None
    for blank, homography in _guesses(gray, first, recognise):
        laid = _lay_flat(gray, blank, homography)
        if laid is None or (best is not None and laid.match.inliers <= best.match.inliers):
            continue
        best = laid
        if best.match.inliers >= _CLEARLY_LAID * len(best.features.points):
            break
    return best


def _guesses(
    gray: NDArray[np.uint8], first: tuple[BlankPage, Match] | None, recognise: Recognise
) -> Iterator[tuple[BlankPage, Homography]]:
    """First guesses at the page and how it lies; the cheapest first."""
    if first is not None:
        yield first[0], first[1].homography
    sheet = find_sheet(gray)
    if sheet is not None:
        count, levels = _FEW_FEATURES
        found = recognise(find_features(sheet.gray, count=count, levels=levels))
        if found is not None:
            yield found[0], np.asarray(found[1].homography @ sheet.homography, np.float64)
    count, levels = _MANY_FEATURES
    found = recognise(find_features(gray, count=count, levels=levels))
    if found is not None:
        yield found[0], found[1].homography


def _lay_flat(
    gray: NDArray[np.uint8], blank: BlankPage, homography: Homography
) -> Rectified | None:
    """The page laid flat by a guess, which each new look at it makes better."""
    laid: Rectified | None = None
    count, levels = _FEW_FEATURES
    size = blank.width_px, blank.height_px
    for near_mm in _NEAR_MM:
        flat = cv2.warpPerspective(gray, homography, size, borderValue=255)
        features = find_features(flat.astype(np.uint8, copy=False), count=count, levels=levels)
        start, end = _pair_nearby(features, blank.features, near_mm * blank.px_per_mm)
        if len(start) < _FEWEST:
            return None
        tolerance = _TOLERANCE_MM * blank.px_per_mm
        better, agree = cv2.findHomography(start, end, cv2.RANSAC, tolerance, maxIters=2000)
        if better is None or int(agree.sum()) < _FEWEST:
            return None
        back = apply_homography(np.linalg.inv(homography), features.points)
        homography = np.asarray(better @ homography, np.float64)
        laid = Rectified(
            blank,
            Match(homography, int(agree.sum())),
            Features(back.astype(np.float32), features.descriptors),
        )
    if laid is None or laid.match.inliers < _LEAST_LAID * len(laid.features.points):
        return None
    return laid


def _pair_nearby(
    source: Features, target: Features, near_px: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points of both, shape (n, 2), that look alike and lie near each other; each used once."""
    none = np.empty((0, 2), np.float32)
    if not len(source.points):
        return none, none
    apart = source.points[:, None] - target.points
    near = (np.einsum("ijk,ijk->ij", apart, apart) < near_px**2).astype(np.uint8)
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).match(source.descriptors, target.descriptors, near)
    found = np.array([(pair.distance, pair.queryIdx, pair.trainIdx) for pair in pairs])
    found = found.reshape(-1, 3)
    found = found[found[:, 0] <= _MAX_DISTANCE]
    found = found[np.argsort(found[:, 0], kind="stable")]
    _, nearest = np.unique(found[:, 2], return_index=True)
    chosen = found[nearest].astype(np.intp)
    return source.points[chosen[:, 1]], target.points[chosen[:, 2]]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A sheet as if photographed from straight above; it may lie turned by quarters."""

    gray: NDArray[np.uint8]
    homography: Homography
    """Pixels of the photograph to pixels of ``gray``."""


def find_sheet(gray: NDArray[np.uint8]) -> Sheet | None:
    """The sheet on a photograph, by the four edges of the paper.

    The paper must be brighter than what it lies on, and most of each of its edges must be seen.

    Args:
        gray: The photograph, shape (h, w).

    Returns:
        None where no such sheet is found.
    """
    shrink = min(_SMALL_SIDE_PX / max(gray.shape), 1.0)
    small = cv2.resize(gray, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    found = _find_corners(cv2.medianBlur(small, 5).astype(np.uint8, copy=False))
    if found is None:
        return None
    # The middle of a pixel stays the middle of what it stands for.
    return _straighten(gray, (found + 0.5) / shrink - 0.5)


def _find_corners(small: NDArray[np.uint8]) -> _Corners | None:
    """The corners of the outline of which most is seen as an edge of paper."""
    soft = cv2.GaussianBlur(small, (0, 0), 1.0).astype(np.float32)
    best, most = None, 0.0
    for rough in _outlines(small):
        corners, seen = _refine(soft, rough)
        if seen > most:
            best, most = corners, seen
    return best


def _outlines(small: NDArray[np.uint8]) -> Iterator[_Corners]:
    """Four-sided outlines of what is brighter than its surroundings, roughly."""
    low, high = np.percentile(small, (5, 95))
    kernel = np.ones((5, 5), np.uint8)
    for level in np.linspace(low, high, _LEVELS + 2)[1:-1]:
        bright = (small > level).astype(np.uint8)
        bright = cv2.morphologyEx(bright, cv2.MORPH_OPEN, kernel).astype(np.uint8, copy=False)
        yield from _four_sided(bright)
    edges = cv2.dilate(cv2.Canny(small, 20, 60), np.ones((3, 3), np.uint8))
    yield from _four_sided((edges == 0).astype(np.uint8))


def _four_sided(mask: NDArray[np.uint8]) -> Iterator[_Corners]:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        if not _LEAST_AREA <= cv2.contourArea(contour) / mask.size <= _MOST_AREA:
            continue
        hull = cv2.convexHull(contour)
        round_ = cv2.arcLength(hull, closed=True)
        for tolerance in (0.02, 0.035, 0.05, 0.07):
            corners = cv2.approxPolyDP(hull, tolerance * round_, closed=True)
            if len(corners) == 4:
                yield np.asarray(corners.reshape(4, 2), np.float64)
                break


def _refine(soft: NDArray[np.float32], rough: _Corners) -> tuple[_Corners, float]:
    """The outline moved onto the edges nearby, and the share of its worst side that is seen."""
    middle = rough.mean(axis=0)
    lines, worst = [], 1.0
    for start, end in zip(rough, np.roll(rough, -1, axis=0), strict=True):
        points, seen = _edge_along(soft, start, end, middle)
        worst = min(worst, seen)
        if worst < _LEAST_EDGE:
            return rough, 0.0
        vx, vy, x, y = cv2.fitLine(points.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        lines.append(np.array([vy, -vx, vx * y - vy * x], np.float64))
    crossings = np.array([np.cross(lines[side - 1], lines[side]) for side in range(4)])
    if np.abs(crossings[:, 2]).min() < 1e-3:
        return rough, 0.0
    return crossings[:, :2] / crossings[:, 2:], worst


def _edge_along(
    soft: NDArray[np.float32],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    middle: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """Places of the steepest step from table to paper along one side, and how many there are."""
    along = end - start
    normal = np.array([along[1], -along[0]]) / max(float(np.linalg.norm(along)), 1e-6)
    if normal @ (middle - start) > 0:
        normal = -normal
    places = start + np.linspace(0.04, 0.96, _SAMPLES)[:, None] * along
    offsets = np.arange(-_REACH_PX - 1, _REACH_PX + 2)
    rays = (places[:, None] + offsets[:, None] * normal).astype(np.float32)
    values = cv2.remap(
        soft, rays[..., 0], rays[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    steps = values[:, :-2] - values[:, 2:]
    strongest = steps.argmax(axis=1)
    clear = steps[np.arange(_SAMPLES), strongest] >= _STEP_LEVELS
    found = places + (strongest - _REACH_PX)[:, None] * normal
    return found[clear], float(clear.mean())


def _straighten(gray: NDArray[np.uint8], corners: _Corners) -> Sheet | None:
    """The four corners made a rectangle of a sheet's proportions."""
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    across, down = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    if min(across, down) < 8:
        return None
    ratio = float(max(across, down) / min(across, down))
    if _PAPER_RATIO / _NEAR_PAPER <= ratio <= _PAPER_RATIO * _NEAR_PAPER:
        ratio = _PAPER_RATIO
    long, short = _UPRIGHT_SIDE_PX, round(_UPRIGHT_SIDE_PX / ratio)
    width, height = (long, short) if across > down else (short, long)
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    source, step = gray, 1
    while max(across, down) / step > 1.6 * _UPRIGHT_SIDE_PX:
        source, step = cv2.pyrDown(source).astype(np.uint8, copy=False), 2 * step
    way = cv2.getPerspectiveTransform(corners.astype(np.float32), flat.astype(np.float32))
    # Each pixel of the smaller picture stands for the one at twice its place.
    from_source = way @ np.diag([step, step, 1.0])
    laid = cv2.warpPerspective(source, from_source, (width, height), flags=cv2.INTER_LINEAR)
    return Sheet(laid.astype(np.uint8, copy=False), np.asarray(way, np.float64))
