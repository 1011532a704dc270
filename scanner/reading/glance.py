"""A first guess at the page and its place, from a picture of 25 dots per inch.

Most sheets of a pile lie as they should: upright or upside down, nearly straight, filling the
scan. For these a thousand grains of the picture tell which page it may be, and some pieces of the
blank's print, looked for around where they belong, make sure of it and tell where it lies to half
a millimetre. The guess never depends on the pages before. Where it is not clear, nothing is said,
and the features of the page have to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Homography, fit_affine
from scanner.reading.pieces import PieceStack, find_peaks
from scanner.reading.small import Halves, SmallPicture, make_small

_WIDTH_PX, _HEIGHT_PX = 24, 16
"""Size of a piece of print that is looked for."""
_REACH_PX = 14
_COLUMNS, _ROWS = 4, 6
_LEAST_CORNERS = 0.03
"""Share of the strongest piece's corners below which a place has too little print to be found."""
_GRAINS = 32
"""Side of the grained picture that is compared with all pages at once."""
_TRIED = 3
_FOUND = 0.5
"""Correlation from which a piece counts as found."""
_TOLERANCE_PX = 1.2
_CLEARLY_AGREE_PX = 0.4
"""Where all pieces lie so near to one transform, none of them draws it away from the others."""
_AGREE = 0.7
"""Share of the pieces that must be found where one transform puts them."""
_FEWEST = 8
_MOST_SKEW = 0.06
"""Radians; more skewed than that, pieces are no longer alike."""
_SAME_SIZE = 1.06
_SAME_SHAPE = 1.1
_COMPLEX = np.array([1.0, 1.0j])


@dataclass(frozen=True, slots=True)
class Guess:
    """The page that a scan seems to be, and how it lies."""

    number: int
    """The page, in the order in which they were given."""
    homography: Homography
    """Pixels of the scan to pixels of the page's own picture."""
    agree: int
    """Pieces of print that were found where the transform puts them."""


class Glance:
    """Knows some pages at a glance.

    Args:
        pages: Their pictures, made small.
    """

    def __init__(self, pages: Sequence[SmallPicture]) -> None:
        self._pages = [_KnownPage(page.picture, page.scale) for page in pages]
        self._grains = np.array([_grains(page.picture) for page in pages], np.float32)

    def guess(self, halves: Halves) -> Guess | None:
        """Which page a scan is and where it lies; None where that cannot be told at a glance.

        Args:
            halves: The scan, upright or upside down.
        """
        if not self._pages:
            return None
        small = make_small(halves)
        picture = small.picture
        grains = _grains(picture)
        alike = np.concatenate([self._grains @ grains, self._grains @ grains[::-1]])
        for choice in np.argsort(-alike, kind="stable")[:_TRIED].tolist():
            is_turned, number = divmod(choice, len(self._pages))
            page = self._pages[number]
            upright = np.ascontiguousarray(picture[::-1, ::-1]) if is_turned else picture
            found = page.lay(upright)
            if found is None:
                continue
            laid, agree = found
            if is_turned:
                height, width = picture.shape
                laid = laid @ np.array([[-1.0, 0, width - 1], [0, -1.0, height - 1], [0, 0, 1]])
            homography = _resized(1 / page.scale) @ laid @ _resized(small.scale)
            return Guess(number, np.asarray(homography, np.float64), agree)
        return None


class _KnownPage:
    """The small picture of a page, and the pieces of its print."""

    def __init__(self, picture: NDArray[np.uint8], scale: NDArray[np.float64]) -> None:
        self.picture = picture
        self.scale = scale
        self._corners = _choose_pieces(picture)
        windows = [picture[y : y + _HEIGHT_PX, x : x + _WIDTH_PX] for x, y in self._corners]
        self._pieces = PieceStack(windows, _REACH_PX) if len(windows) >= _FEWEST else None

    def lay(self, picture: NDArray[np.uint8]) -> tuple[Homography, int] | None:
        """How a small picture lies on this page, and how many of its pieces say so."""
        height, width = self.picture.shape
        shape = picture.shape[0] / picture.shape[1] * width / height
        if self._pieces is None or not 1 / _SAME_SHAPE <= shape <= _SAME_SHAPE:
            return None
        below, beside = (
            _REACH_PX + max(ours - theirs, 0)
            for ours, theirs in zip((height, width), picture.shape, strict=True)
        )
        framed = cv2.copyMakeBorder(
            picture, _REACH_PX, below, _REACH_PX, beside, cv2.BORDER_REPLICATE
        )
        rows, columns = _HEIGHT_PX + 2 * _REACH_PX, _WIDTH_PX + 2 * _REACH_PX
        windows = np.empty((len(self._corners), rows, columns), np.uint8)
        for window, (x, y) in zip(windows, self._corners.tolist(), strict=True):
            window[:] = framed[y : y + rows, x : x + columns]
        shifts, scores, within = find_peaks(self._pieces.find(windows))
        good = (scores >= _FOUND) & within
        fewest = max(_FEWEST, _AGREE * len(self._corners))
        if good.sum() < fewest:
            return None
        return _fit((self._corners + shifts)[good], self._corners[good], fewest)


def _grains(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A picture in a few grains, mean 0 and length 1: shape (``_GRAINS`` ** 2,)."""
    grains = cv2.resize(picture, (_GRAINS, _GRAINS), interpolation=cv2.INTER_AREA)
    flat = grains.astype(np.float32).ravel()
    flat -= flat.mean()
    return np.asarray(flat / max(float(np.linalg.norm(flat)), 1e-6), np.float32)


def _choose_pieces(picture: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The top left corners, shape (n, 2), of pieces that can be placed both ways, evenly spread."""
    corners = cv2.cornerMinEigenVal(picture, 3)
    corners = np.minimum(corners, float(np.percentile(corners, 99)) + 1e-12)
    strength = cv2.boxFilter(corners, -1, (_WIDTH_PX, _HEIGHT_PX), anchor=(0, 0))
    strength = strength[: 1 - _HEIGHT_PX, : 1 - _WIDTH_PX]
    found = []
    for top, bottom in _cut_evenly(strength.shape[0], _ROWS):
        for left, right in _cut_evenly(strength.shape[1], _COLUMNS):
            cell = strength[top:bottom, left:right]
            if cell.size:
                y, x = np.unravel_index(int(np.argmax(cell)), cell.shape)
                found.append((float(cell[y, x]), left + int(x), top + int(y)))
    floor = _LEAST_CORNERS * max((strong for strong, _, _ in found), default=0.0)
    return np.array([(x, y) for strong, x, y in found if strong > floor], np.intp).reshape(-1, 2)


def _cut_evenly(length: int, count: int) -> list[tuple[int, int]]:
    edges = np.linspace(0, length, count + 1).astype(int).tolist()
    return list(pairwise(edges))


def _fit(
    start: NDArray[np.float64], end: NDArray[np.intp], fewest: float
) -> tuple[Homography, int] | None:
    """The affine transform on which enough pieces agree, if it is nearly the identity."""
    similarity, good = _fit_similarity(start, end.astype(np.float64))
    if similarity is None:
        return None
    skew, size = np.arctan2(similarity[1, 0], similarity[0, 0]), np.hypot(*similarity[:, 0])
    if good.sum() < fewest or abs(skew) > _MOST_SKEW or not 1 / _SAME_SIZE <= size <= _SAME_SIZE:
        return None
    affine = fit_affine(start[good], end[good].astype(np.float64))
    return np.vstack([affine, [0.0, 0.0, 1.0]]), int(good.sum())


def _fit_similarity(
    start: NDArray[np.float64], end: NDArray[np.float64]
) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_]]:
    """The similarity on which most pieces agree, and which of them do."""
    # As complex numbers a similarity is a product and a sum.
    z, w = start @ _COMPLEX, end @ _COMPLEX
    from_middle = z - z.mean()
    turn = (from_middle.conj() @ w) / max(float((abs(from_middle) ** 2).sum()), 1e-9)
    move = w.mean() - turn * z.mean()
    agree = abs(turn * z + move - w) <= _CLEARLY_AGREE_PX
    if agree.all():
        # Usually: where none of them strays, no choice of them is to be tried.
        matrix = [[turn.real, -turn.imag, move.real], [turn.imag, turn.real, move.imag]]
        return np.array(matrix), agree
    similarity, chosen = cv2.estimateAffinePartial2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=_TOLERANCE_PX
    )
    if similarity is None:
        return None, agree
    return np.asarray(similarity, np.float64), np.asarray(chosen.ravel() > 0)


def _resized(scale: NDArray[np.float64]) -> Homography:
    """Pixels of a picture to those of it at another size, x and y; middles stay middles."""
    x, y = scale
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1.0]])
