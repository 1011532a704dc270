"""Points of a picture that can be found again on another picture of the same print.

Oriented FAST and rotated BRIEF (Rublee et al., ORB, ICCV 2011) on a picture of a fixed long
side, so that it does not matter at which resolution a page was scanned; the geometry is
estimated by RANSAC (Fischler and Bolles, 1981) as OpenCV offers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Homography

FEATURE_SIDE_PX = 715
"""Side of the square as large as the picture that features are looked for on. By its area and
not by its longer side, a page of which a part is missing is shown at nearly the same size."""
FEATURE_COUNT = 1000
FEATURE_LEVELS = 4
"""A blank is looked at in this many sizes, each 0.8 of the one before, so that a scan may show
its form at another size: a margin around it, or a small sheet on a large glass."""
_FAST_THRESHOLD = 15
_LEVEL_STEP = 1.25
RECIPE = f"orb{FEATURE_SIDE_PX}-{FEATURE_COUNT}-{FEATURE_LEVELS}-{_FAST_THRESHOLD}"
"""Names the way features are found: kept features of another recipe are of no use."""
_MAX_DISTANCE = 64
"""Descriptors of 256 bits that differ in more of them are not of the same place."""
INLIER_PX = 3.0
"""Reprojection error, in pixels of the feature picture, below which two points agree."""

_FEWEST = 8
_FLAT_SHARE = 0.2
"""Share of the features that agree from which a page lies flat on the glass."""
_PERSPECTIVE_GAIN = 1.5
_CELLS = 12
"""Features are kept evenly over a grid of this many cells a side, not only in dense text."""


@dataclass(frozen=True, slots=True)
class Features:
    """Keypoints and descriptors of one picture."""

    points: NDArray[np.float32]
    """Shape (n, 2): x, y in pixels of the picture they were found on."""
    descriptors: NDArray[np.uint8]
    """Shape (n, 32)."""


@dataclass(frozen=True, slots=True)
class Match:
    """How one picture lies on another."""

    homography: Homography
    """Pixels of the first picture to pixels of the second."""
    inliers: int
    """Feature pairs that agree with it."""


@lru_cache(maxsize=4)
def _detector(count: int, levels: int) -> cv2.ORB:
    # Three times as many as are kept, so that there is a choice in every part of the page.
    return cv2.ORB.create(
        nfeatures=3 * count,
        nlevels=levels,
        scaleFactor=_LEVEL_STEP,
        fastThreshold=_FAST_THRESHOLD,
        edgeThreshold=20,
    )


def find_features(
    gray: NDArray[np.uint8], *, count: int = FEATURE_COUNT, levels: int = FEATURE_LEVELS
) -> Features:
    """Features of a grey picture of any size, in that picture's own pixels.

    Args:
        gray: Shape (h, w).
        count: How many at the most.
        levels: In how many sizes the picture is looked at.
    """
    scale = min(FEATURE_SIDE_PX / gray.size**0.5, 1.0)
    small = gray
    if scale < 1:
        # Halving by the mean of four first keeps what comes next from skipping pixels.
        while scale <= 0.5:
            small, scale = cv2.pyrDown(small).astype(np.uint8, copy=False), scale * 2
        shrunk = cv2.resize(small, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        small = shrunk.astype(np.uint8, copy=False)
    scale = small.shape[0] / gray.shape[0]
    detector = _detector(count, levels)
    keypoints = _spread(detector.detect(small, None), small.shape, count)
    kept, descriptors = detector.compute(small, keypoints)
    if descriptors is None or not kept:
        return Features(np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8))
    points = np.asarray(cv2.KeyPoint.convert(kept), np.float32)
    # The middle of a pixel stays the middle of what it stands for.
    points = (points + 0.5) / scale - 0.5
    return Features(points.astype(np.float32), descriptors.astype(np.uint8))


def _spread(
    keypoints: Sequence[cv2.KeyPoint], shape: tuple[int, ...], count: int
) -> list[cv2.KeyPoint]:
    """The strongest keypoints, but no more than a fair share from each cell of a grid."""
    if len(keypoints) <= count:
        return list(keypoints)
    points = np.asarray(cv2.KeyPoint.convert(keypoints), np.float32)
    response = np.array([keypoint.response for keypoint in keypoints])
    column = (points[:, 0] * _CELLS / shape[1]).astype(int)
    cell = (points[:, 1] * _CELLS / shape[0]).astype(int) * _CELLS + column
    order = np.lexsort((-response, cell))
    starts = np.searchsorted(cell[order], cell[order])
    rank = np.arange(len(order)) - starts
    best = order[np.lexsort((-response[order], rank))[:count]]
    return [keypoints[index] for index in best]


def match_features(source: Features, target: Features) -> Match | None:
    """The transform under which most of the ``source`` features lie on those of ``target``.

    Returns:
        None where fewer than eight pairs agree on any transform.
    """
    first, second = _pair(source, target)
    if len(first) < _FEWEST:
        return None
    start, end = source.points[first], target.points[second]
    width, height = np.ptp(target.points, axis=0)
    tolerance = INLIER_PX * float(max(width * height, 1.0)) ** 0.5 / FEATURE_SIDE_PX
    similarity, agree = cv2.estimateAffinePartial2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=2 * tolerance, maxIters=3000
    )
    if similarity is None or int(agree.sum()) < _FEWEST:
        return None
    chosen = agree.ravel() > 0
    affine, agree = cv2.estimateAffine2D(
        start[chosen], end[chosen], method=cv2.RANSAC, ransacReprojThreshold=tolerance
    )
    if affine is None or int(agree.sum()) < _FEWEST:
        return None
    flat = Match(np.vstack([affine, [0.0, 0.0, 1.0]]), int(agree.sum()))
    if flat.inliers >= _FLAT_SHARE * len(source.points):
        return flat
    return _match_in_perspective(start, end, tolerance, flat)


def _match_in_perspective(
    start: NDArray[np.float32], end: NDArray[np.float32], tolerance: float, flat: Match
) -> Match:
    """As a camera sees it from the side, where clearly more pairs agree with that."""
    homography, agree = cv2.findHomography(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=tolerance, maxIters=3000
    )
    if homography is None or int(agree.sum()) < _PERSPECTIVE_GAIN * flat.inliers:
        return flat
    return Match(np.asarray(homography, np.float64), int(agree.sum()))


def _pair(source: Features, target: Features) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of the features of both that look most alike, each used once."""
    none = np.empty(0, np.intp)
    if len(source.points) < _FEWEST or len(target.points) < _FEWEST:
        return none, none
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).match(source.descriptors, target.descriptors)
    found = np.array([(pair.distance, pair.queryIdx, pair.trainIdx) for pair in pairs])
    found = found[found[:, 0] <= _MAX_DISTANCE]
    found = found[np.argsort(found[:, 0], kind="stable")]
    _, nearest = np.unique(found[:, 2], return_index=True)
    return found[nearest, 1].astype(np.intp), found[nearest, 2].astype(np.intp)
