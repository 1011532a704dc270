"""The scan laid onto the form: first as a whole, then locally, with what is left over measured.

A feeder stretches paper, and a copier bends it: one transform for the whole page leaves errors
of up to a box. So pieces of the blank's own print are looked for on the page, and a smooth
field through what they say bends the page into place (local regression after Cleveland, 1979;
outliers are dropped by their distance to a quadratic fit).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Homography, apply_homography
from scanner.reading.blank import BlankPage

SEARCH_MM = 2.6
"""How far a patch may lie from where the whole-page transform puts it."""
_MIN_PATCH_SCORE = 0.45
_GRID_PX = 32
_REACH_MM = 35.0
"""Width of the weight with which a patch speaks for its surroundings."""


@dataclass(frozen=True, slots=True)
class AlignedPage:
    """A scan laid on a page of a form."""

    blank: BlankPage
    gray: NDArray[np.uint8]
    """The scan at the form's working resolution, shape as ``blank.gray``."""
    covered: NDArray[np.uint8]
    """255 where the scan has paper for this place, 0 where the page lies outside the scan."""
    homography: Homography
    """Pixels of the decoded scan to working pixels; the whole-page transform."""
    patches_tried: int
    patches_found: int
    spread_px: float
    """Median distance between the patches found and the field, in working pixels."""


def align_page(gray: NDArray[np.uint8], blank: BlankPage, homography: Homography) -> AlignedPage:
    """Lay a scan onto a page of a form.

    Args:
        gray: The decoded scan, shape (h, w).
        blank: The page it was identified as.
        homography: Pixels of ``gray`` to working pixels, from identification.
    """
    centers, shifts, scores = _find_patches(gray, blank, homography)
    field, found, spread = _fit_field(blank, centers, shifts, scores)
    laid, covered = _lay(gray, blank, homography, field)
    return AlignedPage(blank, laid, covered, homography, len(centers), found, spread)


def _find_patches(
    gray: NDArray[np.uint8], blank: BlankPage, homography: Homography
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Where each patch of the blank lies on the page: centres, shifts (working px), scores."""
    height, width = blank.half.shape
    to_half = np.diag([0.5, 0.5, 1.0]) @ homography
    page = cv2.warpPerspective(
        gray, to_half, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    reach = round(SEARCH_MM * blank.px_per_mm / 2)
    page = cv2.copyMakeBorder(page, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    centers = np.zeros((len(blank.patches), 2))
    shifts = np.zeros((len(blank.patches), 2))
    scores = np.zeros(len(blank.patches))
    for index, patch in enumerate(blank.patches):
        side_y, side_x = patch.picture.shape
        window = page[patch.y : patch.y + side_y + 2 * reach, patch.x : patch.x + side_x + 2 * reach]
        score = cv2.matchTemplate(window, patch.picture, cv2.TM_CCOEFF_NORMED)
        _, best, _, (x, y) = cv2.minMaxLoc(score)
        dx, dy = _peak(score, x, y)
        centers[index] = 2 * patch.x + side_x, 2 * patch.y + side_y
        shifts[index] = 2 * (x + dx - reach), 2 * (y + dy - reach)
        at_edge = x in (0, 2 * reach) or y in (0, 2 * reach)
        scores[index] = 0.0 if at_edge or not np.isfinite(best) else best
    return centers, shifts, scores


def _peak(score: NDArray[np.float32], x: int, y: int) -> tuple[float, float]:
    """The top of a score's peak between the pixels, by a parabola in each direction."""
    return (
        _vertex(score[y, max(x - 1, 0) : x + 2]),
        _vertex(score[max(y - 1, 0) : y + 2, x]),
    )


def _vertex(three: NDArray[np.float32]) -> float:
    if len(three) < 3:
        return 0.0
    left, middle, right = (float(value) for value in three)
    bend = left - 2 * middle + right
    return 0.5 * (left - right) / bend if bend < -1e-9 else 0.0


def _fit_field(
    blank: BlankPage,
    centers: NDArray[np.float64],
    shifts: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> tuple[NDArray[np.float64], int, float]:
    """A smooth field of shifts over a grid, through the patches that agree.

    Returns:
        The field, shape (rows, columns, 2), working pixels; how many patches it rests on; and
        the median distance between them and it.
    """
    size = np.array([blank.width_px, blank.height_px], float)
    rows, columns = (int(np.ceil(side / _GRID_PX)) + 1 for side in (size[1], size[0]))
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) * float(_GRID_PX)
    good = scores >= _MIN_PATCH_SCORE
    good = _agreeing(centers / size, shifts, scores, good, blank.px_per_mm)
    if good.sum() < 4:
        return np.zeros((rows, columns, 2)), int(good.sum()), float("inf")
    nodes = grid.reshape(-1, 2)
    values = _regress(nodes, centers[good], shifts[good], scores[good], _REACH_MM * blank.px_per_mm)
    at_patches = _regress(
        centers[good], centers[good], shifts[good], scores[good], _REACH_MM * blank.px_per_mm
    )
    spread = float(np.median(np.linalg.norm(at_patches - shifts[good], axis=1)))
    return values.reshape(rows, columns, 2), int(good.sum()), spread


def _agreeing(
    centers: NDArray[np.float64],
    shifts: NDArray[np.float64],
    scores: NDArray[np.float64],
    good: NDArray[np.bool_],
    px_per_mm: float,
) -> NDArray[np.bool_]:
    """The patches that lie near a quadratic surface through most of them."""
    x, y = centers[:, 0], centers[:, 1]
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y, y**3], axis=1)
    terms = terms[:, :3] if good.sum() < 16 else terms
    weights = scores * good
    for _ in range(8):
        if (weights > 1e-6).sum() <= terms.shape[1]:
            break
        root = np.sqrt(weights)[:, None]
        fit, *_ = np.linalg.lstsq(terms * root, shifts * root, rcond=None)
        error = np.linalg.norm(shifts - terms @ fit, axis=1)
        scale = max(2.0 * float(np.median(error[good])), 0.12 * px_per_mm)
        weights = scores * good / (1.0 + (error / scale) ** 4)
    else:
        good = good & (error < max(3.0 * scale, 0.35 * px_per_mm))
    return good


def _regress(
    at: NDArray[np.float64],
    centers: NDArray[np.float64],
    shifts: NDArray[np.float64],
    scores: NDArray[np.float64],
    reach_px: float,
) -> NDArray[np.float64]:
    """A plane through the patches around each point, near ones weighing more."""
    offset = (centers[None, :, :] - at[:, None, :]) / reach_px
    distance = (offset**2).sum(axis=2)
    # Far from any patch every weight would vanish; the nearest always keeps its say.
    nearest = distance.min(axis=1, keepdims=True)
    weight = np.exp(-0.5 * (distance - nearest)) * scores**2
    terms = np.concatenate([np.ones((*offset.shape[:2], 1)), offset], axis=2)
    weighted = terms * weight[:, :, None]
    left = np.einsum("nki,nkj->nij", weighted, terms) + np.diag([1e-9, 0.05, 0.05])
    right = np.einsum("nki,kj->nij", weighted, shifts)
    fitted: NDArray[np.float64] = np.linalg.solve(left, right)[:, 0, :]
    return fitted


def _lay(
    gray: NDArray[np.uint8],
    blank: BlankPage,
    homography: Homography,
    field: NDArray[np.float64],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The scan bent into place, and where it has paper."""
    rows, columns = field.shape[:2]
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) * float(_GRID_PX)
    inverse = np.linalg.inv(homography)
    source = apply_homography(inverse, (grid + field).reshape(-1, 2))
    coarse = source.reshape(rows, columns, 2).astype(np.float32)
    maps = _upsample(coarse, blank.width_px, blank.height_px)
    laid = cv2.remap(gray, maps, None, cv2.INTER_LINEAR, borderValue=255)
    height, width = gray.shape
    inside = (
        (maps[..., 0] >= 0) & (maps[..., 0] <= width - 1) & (maps[..., 1] >= 0)
        & (maps[..., 1] <= height - 1)
    )
    return laid.astype(np.uint8, copy=False), inside.astype(np.uint8) * 255


def _upsample(coarse: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Values at grid nodes (0, 32, 64 … px) interpolated at every pixel."""
    rows, columns = coarse.shape[:2]
    affine = np.array([[1 / _GRID_PX, 0, 0], [0, 1 / _GRID_PX, 0]], np.float64)
    del rows, columns
    return cv2.warpAffine(
        coarse, affine, (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32, copy=False)
