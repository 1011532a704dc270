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

FEATURE_LONG_SIDE_PX = 1000
FEATURE_COUNT = 1400
INLIER_PX = 3.0
"""Reprojection error, in pixels of the feature picture, below which two points agree."""

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


@lru_cache(maxsize=1)
def _detector() -> cv2.ORB:
    return cv2.ORB.create(
        nfeatures=3 * FEATURE_COUNT, nlevels=4, scaleFactor=1.25, fastThreshold=12, edgeThreshold=20
    )


def find_features(gray: NDArray[np.uint8], *, count: int = FEATURE_COUNT) -> Features:
    """At most ``count`` features of a grey picture of any size, in that picture's own pixels."""
    scale = FEATURE_LONG_SIDE_PX / max(gray.shape)
    small = gray
    if scale < 1:
        small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    scale = min(scale, 1.0)
    detector = _detector()
    keypoints = _spread(detector.detect(small, None), small.shape, count)
    keypoints, descriptors = detector.compute(small, keypoints)
    if descriptors is None or not keypoints:
        return Features(np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8))
    points = cv2.KeyPoint.convert(keypoints)
    return Features((points / scale).astype(np.float32), descriptors.astype(np.uint8))


def _spread(
    keypoints: Sequence[cv2.KeyPoint], shape: tuple[int, ...], count: int
) -> list[cv2.KeyPoint]:
    """The strongest keypoints, but no more than a fair share from each cell of a grid."""
    if len(keypoints) <= count:
        return list(keypoints)
    points = cv2.KeyPoint.convert(keypoints)
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
    if len(source.points) < 8 or len(target.points) < 8:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(
        source.descriptors, target.descriptors
    )
    pairs = [pair for pair in pairs if pair.distance <= 64]
    if len(pairs) < 8:
        return None
    start = source.points[[pair.queryIdx for pair in pairs]]
    end = target.points[[pair.trainIdx for pair in pairs]]
    tolerance = INLIER_PX * float(np.ptp(target.points, axis=0).max()) / FEATURE_LONG_SIDE_PX
    similarity, mask = cv2.estimateAffinePartial2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=2 * tolerance, maxIters=3000
    )
    if similarity is None or int(mask.sum()) < 8:
        return None
    chosen = mask.ravel().astype(bool)
    affine, mask = cv2.estimateAffine2D(
        start[chosen],
        end[chosen],
        method=cv2.LMEDS if chosen.sum() < 8 else cv2.RANSAC,
        ransacReprojThreshold=tolerance,
    )
    if affine is None or int(mask.sum()) < 8:
        return None
    return Match(np.vstack([affine, [0.0, 0.0, 1.0]]), int(mask.sum()))
