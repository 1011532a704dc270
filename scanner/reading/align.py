"""The scan laid onto the form: first as a whole, then locally, with what is left over measured.

A feeder stretches paper, and a copier bends it: one transform for the whole page leaves errors
of up to a box. So pieces of the blank's own print are looked for on the page, and a smooth
field through what they say bends the page into place: a polynomial surface, fitted with weights
that drop outliers, and a kernel mean (Nadaraya and Watson, 1964) of what it leaves over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Homography, apply_homography
from scanner.reading.blank import PATCH_BLUR_PX, BlankPage
from scanner.reading.pieces import PieceStack, find_peaks
from scanner.reading.small import Halves
from scanner.reading.spots import (
    GRID_PX,
    EvenWindows,
    HalfWindows,
    Spots,
    corners_of,
    ways_of,
)

_SEARCHES_MM = (1.0, 2.4)
"""How far a patch may lie from where the whole-page transform puts it: most lie near, and only
where they do not is there a wider search."""
_NEARLY_ALL_FOUND = 0.9
_MIN_PATCH_SCORE = 0.55
_STRAIGHTEN = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
_BLOCK_PX = 128
"""Over so small a part of a page the way onto the scan is as good as affine."""
_NEARLY = 0.25
"""A scan this much too coarse, in its own pixels, is still averaged over one pixel more."""
_REACH_MM = 14.0
"""Width of the weight with which a patch speaks for its surroundings: wider smooths away what
an uneven feed does to the page, narrower follows the noise of single patches."""
_DOUBT = 0.2
"""Weight of the surface against the patches nearby, in patches."""
_FEWEST_PATCHES = 4
_MOST_TERMS = 7
_PATCHES_FOR_BENDS = 16
"""With fewer patches than this, the surface is a plane."""

Window = tuple[int, int, int, int]
"""x0, y0, x1, y1 in working pixels of the form."""


@dataclass(frozen=True, slots=True, eq=False)
class AlignedPage:
    """A scan laid on a page of a form."""

    blank: BlankPage
    scan: NDArray[np.uint8]
    """The decoded scan as it came, shape (h, w)."""
    small: NDArray[np.uint8]
    """The scan with each ``step`` × ``step`` pixels made one, about as fine as ``blank.half``."""
    step: int
    homography: Homography
    """Pixels of the decoded scan to working pixels; the whole-page transform."""
    inverse: Homography
    """Working pixels to pixels of the decoded scan."""
    field: NDArray[np.float64]
    """Shape (rows, columns, 2): how far the print lies from there, every 64 working pixels."""
    patches_tried: int
    patches_found: int
    spread_px: float
    """Median distance between the patches found and the field, in working pixels."""

    def to_scan(self, points: NDArray[np.float64] | Spots) -> NDArray[np.float64]:
        """Where working pixels of the form, shape (n, 2), lie on the decoded scan."""
        spots = points if isinstance(points, Spots) else Spots.of(points, self.field.shape)
        return apply_homography(self.inverse, spots.points + spots.between(self.field))

    def to_small(self, points: NDArray[np.float64] | Spots) -> NDArray[np.float64]:
        """Where working pixels of the form, shape (n, 2), lie on ``small``."""
        return _to_small(self.to_scan(points), self.step)

    def crop(self, window: Window) -> NDArray[np.uint8]:
        """A window of the form as the scan shows it, grey, at working resolution."""
        return self.crops([window])[0]

    def crops(self, windows: Sequence[Window]) -> list[NDArray[np.uint8]]:
        """Windows of the form as the scan shows them, grey, at working resolution."""
        on_scan = self.to_scan(corners_of(windows))
        return _cut(self.scan, windows, on_scan, beyond=255)

    def even_crops(self, windows: NDArray[np.intp] | EvenWindows) -> NDArray[np.uint8]:
        """As :meth:`crops`, for windows of one size, shape (n, 4), all at once."""
        if not isinstance(windows, EvenWindows):
            windows = EvenWindows.of(windows, self.field.shape)
        return _cut_evenly(self.scan, *windows.size, self.to_scan(windows.corners), beyond=255)

    def half_crops(
        self, picture: NDArray[np.uint8], windows: Sequence[Window] | HalfWindows
    ) -> list[NDArray[np.uint8]]:
        """Windows of the half-size form, cut from a picture that lies as ``small`` does.

        Args:
            picture: Shape as ``small``; taken to be 0 beyond its edges.
            windows: In pixels of ``blank.half``.
        """
        if not isinstance(windows, HalfWindows):
            windows = HalfWindows.of(windows, self.field.shape)
        crops = [np.empty((height, width), np.uint8) for width, height in windows.sizes]
        ways = ways_of(self.to_small(windows.corners), windows.strip_sizes)
        for (number, left, right), way in zip(windows.strips, ways, strict=True):
            strip = crops[number][:, left:right]
            size = strip.shape[::-1]
            cv2.warpAffine(picture, way, size, strip, _STRAIGHTEN, cv2.BORDER_CONSTANT, 0)
        return crops

    def covers(self, points: NDArray[np.float64] | Spots) -> NDArray[np.bool_]:
        """For each working pixel, shape (n, 2), whether the scan has paper there."""
        height, width = self.scan.shape
        x, y = self.to_scan(points).T
        covered: NDArray[np.bool_] = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
        return covered


def _cut(
    picture: NDArray[np.uint8],
    windows: Sequence[Window],
    corners: NDArray[np.float64],
    *,
    beyond: int,
) -> list[NDArray[np.uint8]]:
    """Each window, straightened, from where its three corners lie on a picture."""
    sizes = np.array([(x1 - x0, y1 - y0) for x0, y0, x1, y1 in windows], np.float64)
    ways = ways_of(corners, sizes.reshape(-1, 2))
    pieces = []
    for (x0, y0, x1, y1), way in zip(windows, ways, strict=True):
        size = (x1 - x0, y1 - y0)
        piece = cv2.warpAffine(picture, way, size, None, _STRAIGHTEN, cv2.BORDER_CONSTANT, beyond)
        pieces.append(piece.astype(np.uint8, copy=False))
    return pieces


def _cut_evenly(
    picture: NDArray[np.uint8],
    width: int,
    height: int,
    corners: NDArray[np.float64],
    *,
    beyond: int,
) -> NDArray[np.uint8]:
    """Windows of one size, straightened, all at once; shape (n, height, width).

    Args:
        picture: Shape (h, w).
        width: Of each window, in pixels.
        height: Of each window, in pixels.
        corners: Where three corners of each lie on the picture, shape (3 n, 2).
        beyond: What there is beyond its edges.
    """
    ways = ways_of(corners, np.array([[width, height]], np.float64))
    cut = np.empty((len(ways), height, width), np.uint8)
    for way, piece in zip(ways, cut, strict=True):
        cv2.warpAffine(
            picture, way, (width, height), piece, _STRAIGHTEN, cv2.BORDER_CONSTANT, beyond
        )
    return cut


def _to_small(points: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """Pixels of a scan as pixels of it with each ``step`` × ``step`` of them made one."""
    small: NDArray[np.float64] = (points - (step - 1) / 2) / step
    return small


def align_page(
    scan: NDArray[np.uint8] | Halves, blank: BlankPage, homography: Homography
) -> AlignedPage:
    """Lay a scan onto a page of a form.

    Args:
        scan: The decoded scan, shape (h, w), or with what was made of it already.
        blank: The page it was identified as.
        homography: Pixels of ``scan`` to working pixels, from identification.
    """
    halves = scan if isinstance(scan, Halves) else Halves(scan)
    inverse = np.asarray(np.linalg.inv(homography), np.float64)
    small, step = _make_small(halves, blank, inverse)
    centers, shifts, scores = _find_patches(small, step, blank, inverse)
    field, found, spread = _fit_field(blank, centers, shifts, scores)
    return AlignedPage(
        blank=blank,
        scan=halves.halved(0),
        small=small,
        step=step,
        homography=homography,
        inverse=inverse,
        field=field,
        patches_tried=len(centers),
        patches_found=found,
        spread_px=spread,
    )


def _make_small(
    halves: Halves, blank: BlankPage, inverse: Homography
) -> tuple[NDArray[np.uint8], int]:
    """The scan about as fine as the half-size blank: averaged, so that no pixel is skipped."""
    across = np.array([[0.0, 0.0], [blank.width_px, blank.height_px]])
    start, end = apply_homography(inverse, across)
    fineness = 2 * np.linalg.norm(end - start) / np.linalg.norm(across[1])
    step = max(int(fineness + _NEARLY), 1)
    return halves.reduced(step), step


def lay_whole(aligned: AlignedPage) -> NDArray[np.uint8]:
    """The whole scan bent into place at working resolution, shape (height_px, width_px)."""
    return lay_window(aligned, (0, 0, aligned.blank.width_px, aligned.blank.height_px))


def lay_window(
    aligned: AlignedPage, window: Window, every: tuple[int, int] = (1, 1)
) -> NDArray[np.uint8]:
    """A window of the form, of any size, as :func:`lay_whole` has it.

    Args:
        aligned: The page.
        window: The window; where pixels are joined, of whole multiples of them.
        every: How many pixels across and down become one: 1 or 2. Halfway between two pixels lies
            the mean of both.
    """
    x0, y0, x1, y1 = window
    across, down = every
    blocks = np.array(
        [
            (x, y, min(x + _BLOCK_PX, x1), min(y + _BLOCK_PX, y1))
            for y in range(y0, y1, _BLOCK_PX)
            for x in range(x0, x1, _BLOCK_PX)
        ]
    )
    middle = (across - 1) / 2, (down - 1) / 2
    ends = (blocks - (x0, y0, x0, y0)) // (across, down, across, down)
    ways = ways_of(aligned.to_scan(corners_of(blocks) + middle), ends[:, 2:] - ends[:, :2])
    laid = np.empty(((y1 - y0) // down, (x1 - x0) // across), np.uint8)
    for way, (left, top, right, bottom) in zip(ways, ends.tolist(), strict=True):
        size, piece = (right - left, bottom - top), laid[top:bottom, left:right]
        cv2.warpAffine(aligned.scan, way, size, piece, _STRAIGHTEN, cv2.BORDER_CONSTANT, 255)
    return laid


def _find_patches(
    small: NDArray[np.uint8], step: int, blank: BlankPage, inverse: Homography
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Where each patch of the blank lies on the page: centres, shifts (working px), scores."""
    count = len(blank.patches)
    centers, shifts, scores = np.zeros((count, 2)), np.zeros((count, 2)), np.zeros(count)
    for search_mm in _SEARCHES_MM if count else ():
        stack, corners, centers = _stack_patches(blank, round(search_mm * blank.px_per_mm / 2))
        size = blank.patches[0].picture.shape[0] + 2 * stack.reach
        on_scan = apply_homography(inverse, corners)
        pictures = _cut_evenly(small, size, size, _to_small(on_scan, step), beyond=255)
        # Slightly blurred, as the patch is: a sharp peak pulls the parabola to whole pixels.
        # Lying on its side the stack has few long rows, which are blurred five times as fast.
        tall = pictures.reshape(-1, size)
        soft = cv2.GaussianBlur(cv2.transpose(tall), (5, 5), PATCH_BLUR_PX)
        cv2.transpose(soft, dst=tall)
        shifts, scores, within = find_peaks(stack.find(pictures))
        scores = np.where(within, scores, 0.0)
        if (scores >= _MIN_PATCH_SCORE).sum() >= _NEARLY_ALL_FOUND * count:
            break
    return centers, 2 * shifts, scores


@lru_cache(maxsize=512)
def _stack_patches(
    blank: BlankPage, reach: int
) -> tuple[PieceStack, NDArray[np.float64], NDArray[np.float64]]:
    """The patches of a blank; three corners of the window of each, and its centre (working px)."""
    first = np.array([(patch.x, patch.y) for patch in blank.patches], np.float64)
    side = blank.patches[0].picture.shape[0]
    windows = np.hstack([first - reach, first + side + reach])
    stack = PieceStack([patch.picture for patch in blank.patches], reach)
    return stack, 2 * corners_of(windows) + 0.5, 2 * first + side


def _fit_field(
    blank: BlankPage,
    centers: NDArray[np.float64],
    shifts: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> tuple[NDArray[np.float64], int, float]:
    """A smooth field of shifts over a grid, through the patches that agree.

    A polynomial surface through all of them, and on it what the patches nearby still say: where
    there are none near, the surface alone speaks.

    Returns:
        The field, shape (rows, columns, 2), working pixels; how many patches it rests on; and
        the median distance between them and it.
    """
    nodes = _nodes(blank.width_px, blank.height_px)
    size = np.array([blank.width_px, blank.height_px], float)
    good, surface = _fit_surface(centers / size, shifts, scores, blank.px_per_mm)
    if good.sum() < _FEWEST_PATCHES:
        return np.zeros((nodes.rows, nodes.columns, 2)), int(good.sum()), float("inf")
    here = centers[good]
    ours = _terms(here / size, len(surface)) @ surface
    left = _Left(here, shifts[good] - ours, scores[good], _REACH_MM * blank.px_per_mm)
    rest = left.over_grid(nodes.columns, nodes.rows)
    field = (nodes.terms[:, : len(surface)] @ surface).reshape(rest.shape) + rest
    spread = _median(_lengths(left.at_centers() - left.values))
    return field, int(good.sum()), spread


def nodes_over(blank: BlankPage) -> tuple[int, int]:
    """How many rows and columns of nodes the field of shifts over a page has."""
    nodes = _nodes(blank.width_px, blank.height_px)
    return nodes.rows, nodes.columns


@dataclass(frozen=True, slots=True, eq=False)
class _Nodes:
    """The grid over a page on which the field of shifts is given."""

    rows: int
    columns: int
    points: NDArray[np.float64]
    """Shape (rows * columns, 2), working pixels."""
    terms: NDArray[np.float64]
    """Of the polynomial surface there."""


@lru_cache(maxsize=512)
def _nodes(width_px: int, height_px: int) -> _Nodes:
    rows, columns = (int(np.ceil(side / GRID_PX)) + 1 for side in (height_px, width_px))
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) * float(GRID_PX)
    points = np.asarray(grid.reshape(-1, 2), np.float64)
    return _Nodes(rows, columns, points, _terms(points / (width_px, height_px), _MOST_TERMS))


def _terms(places: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The first terms of a polynomial in x and y, 0..1 over the page; shape (n, count)."""
    x, y = places.T
    return np.stack([x**0, x, y, x * y, x * x, y * y, y**3], axis=1)[:, :count]


def _fit_surface(
    places: NDArray[np.float64],
    shifts: NDArray[np.float64],
    scores: NDArray[np.float64],
    px_per_mm: float,
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """The patches that agree on a polynomial surface of shifts, and its coefficients."""
    good = scores >= _MIN_PATCH_SCORE
    count = _MOST_TERMS if good.sum() >= _PATCHES_FOR_BENDS else 3
    if good.sum() < _FEWEST_PATCHES:
        return good, np.zeros((count, 2))
    terms = _terms(places, count)
    error, scale = np.zeros(len(places)), np.inf
    fit: NDArray[np.floating] = np.zeros((count, 2))
    hold = 1e-9 * np.eye(count)
    for _ in range(6):
        weight = scores * good / (1.0 + (error / scale) ** 4)
        weighted = terms * weight[:, None]
        within = np.linalg.inv(weighted.T @ terms + hold)
        fit = within @ (weighted.T @ shifts)
        # A patch far from all others bends the surface to itself: what counts is how far it
        # lies from the surface through the rest, which its leverage tells.
        leverage = ((weighted @ within) * terms).sum(axis=1)
        left = _lengths(shifts - terms @ fit)
        error = left / (1.0 - np.minimum(leverage, 0.9))
        scale = max(2.0 * _median(left[good]), 0.12 * px_per_mm)
    agree = good & (error < max(3.0 * scale, 0.35 * px_per_mm))
    return np.asarray(agree), np.asarray(fit, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Left:
    """What patches say that the surface leaves over, each weighing on its surroundings."""

    centers: NDArray[np.float64]
    """Shape (n, 2), working pixels."""
    values: NDArray[np.float64]
    """Shape (n, 2)."""
    scores: NDArray[np.float64]
    """Shape (n,)."""
    reach_px: float

    def over_grid(self, columns: int, rows: int) -> NDArray[np.float64]:
        """Their mean near each node of the grid over a page, shape (rows, columns, 2).

        The weight of a distance is that of its part across times that of its part down.
        """
        across, down = (
            np.exp(-0.5 * ((np.arange(count)[:, None] * GRID_PX - at) / self.reach_px) ** 2)
            for count, at in zip((columns, rows), self.centers.T, strict=True)
        )
        # Shape (rows, 3, n): what each patch says along a row.
        said = down[:, None] * self._said().T
        return self._mean(np.moveaxis(said @ across.T, 1, 2))

    def at_centers(self) -> NDArray[np.float64]:
        """Their mean near each patch itself, shape (n, 2)."""
        x, y = self.centers.T / self.reach_px
        weight = np.exp(-0.5 * ((x[:, None] - x) ** 2 + (y[:, None] - y) ** 2))
        return self._mean(weight @ self._said())

    def _said(self) -> NDArray[np.float64]:
        """Values and 1, each times its patch's weight, shape (n, 3)."""
        said: NDArray[np.float64] = np.column_stack([self.values, np.ones(len(self.values))])
        return said * self.scores[:, None] ** 2

    @staticmethod
    def _mean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Means from sums of values and weights, drawn towards zero where these are few."""
        mean: NDArray[np.float64] = sums[..., :2] / (sums[..., 2:] + _DOUBT)
        return mean


def _lengths(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(np.hypot(vectors[:, 0], vectors[:, 1]), np.float64)


def _median(values: NDArray[np.float64]) -> float:
    """The median; of a few numbers many times as fast as numpy's."""
    ranked, middle = np.sort(values), len(values) // 2
    return float(ranked[middle] if len(values) % 2 else (ranked[middle - 1] + ranked[middle]) / 2)
