"""Grey levels become ink: 0 where the paper is bare, 255 where it is as dark as the print."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.reading.raster import reduce_gray

_BLOCK_PX = 8
_PAPER_REACH = 9
"""Blocks over which the brightest one is taken for paper: wider than any printed bar is high."""
_DARKEST_PAPER = 0.65
"""Paper is never taken for darker than this share of the page's own white."""
_LEAST_CONTRAST = 24.0
"""Grey levels between paper and print below which noise would be taken for ink."""
_BLACK_SHARE, _BLACKEST_SHARE, _WHITE_SHARE = 0.3, 0.1, 0.9
"""Shares of the print of a scan and of a blank that are darker than black, and of the blocks of a
page that are darker than its white."""
_ENOUGH_PRINT = 50
"""Pixels of print from which its brightness is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Tone:
    """How bright bare paper and solid print are on one scan."""

    paper: NDArray[np.uint8]
    """The brightness of bare paper at each pixel of the scan."""
    black: float
    """The brightness of what is solid print on the blank, 0..255."""

    @classmethod
    def of_scan(
        cls,
        gray: NDArray[np.uint8],
        page: NDArray[np.float64],
        solid: NDArray[np.float64],
    ) -> Self:
        """The tone of a scan.

        Args:
            gray: The scan.
            page: The corners of the form's page on it, shape (4, 2): the glass around a small
                sheet may be brighter than paper.
            solid: Some pixels of it, shape (n, 2), that are solid print on the blank.
        """
        height, width = gray.shape
        x, y = np.rint(solid).astype(int).T
        there = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        print_ = gray[y[there], x[there]]
        black = _quantile(print_, _BLACK_SHARE) if print_.size > _ENOUGH_PRINT else 0.0
        return cls(paper_level(gray, page), black)

    def paper_at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The brightness of bare paper at pixels of the scan, shape (n, 2)."""
        height, width = self.paper.shape
        x, y = np.minimum(np.maximum(points, 0), (width - 1, height - 1)).astype(int).T
        return np.asarray(self.paper[y, x], np.float64)


def paper_level(
    gray: NDArray[np.uint8], page: NDArray[np.float64] | None = None
) -> NDArray[np.uint8]:
    """How bright the bare paper is at each place, shape as ``gray``.

    The brightest block nearby, smoothed: follows uneven light and shadows at the spine, and
    is not drawn down by print.

    Args:
        gray: Shape (h, w).
        page: Corners of the paper, shape (4, 2), where it does not fill the picture.
    """
    height, width = gray.shape
    even = gray[: height // _BLOCK_PX * _BLOCK_PX, : width // _BLOCK_PX * _BLOCK_PX]
    # In two steps, of which the mean of four is the fast one.
    small = reduce_gray(reduce_gray(even, 2), _BLOCK_PX // 2)
    paper = np.full_like(small, 255)
    if page is not None:
        paper[:] = 0
        cv2.fillConvexPoly(paper, np.rint(page / _BLOCK_PX - 0.5).astype(np.int32), 255)
        # A block across the edge is partly glass.
        paper = cv2.erode(paper, np.ones((3, 3), np.uint8)).astype(np.uint8, copy=False)
        small = np.asarray(cv2.bitwise_and(small, paper), np.uint8)
    kernel = np.ones((_PAPER_REACH, _PAPER_REACH), np.uint8)
    white = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel)
    # Beyond the page its edge goes on, so that the smoothing draws nothing else in.
    cv2.copyTo(cv2.dilate(white, kernel, iterations=2), cv2.bitwise_not(paper), white)
    seen = small[small > 0]
    floor = _DARKEST_PAPER * _quantile(seen, _WHITE_SHARE) if seen.size else 0.0
    soft = cv2.GaussianBlur(np.maximum(white, np.uint8(floor)), (0, 0), 2.0)
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR).astype(
        np.uint8, copy=False
    )


def darkness(
    gray: NDArray[np.uint8],
    paper: NDArray[np.uint8] | float,
    black: float,
    into: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Ink between bare paper (0) and print (255).

    Args:
        gray: Shape (h, w), 0..255.
        paper: Brightness of bare paper, one for all or shape (h, w).
        black: Brightness of solid print, 0..255.
        into: Where it goes, may be ``gray`` itself; only where paper is one for all.
    """
    if isinstance(paper, float):
        table = _darkness_table(round(paper), black)
        return cv2.LUT(gray, table, into).astype(np.uint8, copy=False)
    return darkness_on(gray, paper, cv2.mean(paper)[0] - black)


def darkness_on(
    gray: NDArray[np.uint8], paper: NDArray[np.uint8], contrast: float
) -> NDArray[np.uint8]:
    """Ink between bare paper (0) and print (255), which is darker by ``contrast`` grey levels.

    Args:
        gray: Shape (h, w), 0..255.
        paper: Brightness of bare paper, shape (h, w).
        contrast: In grey levels.
    """
    lost = cv2.subtract(paper, gray)
    full = max(contrast, _LEAST_CONTRAST)
    return cv2.convertScaleAbs(lost, alpha=255.0 / full).astype(np.uint8, copy=False)


def _quantile(levels: NDArray[np.uint8], share: float) -> float:
    """The level below which a share of them lies."""
    place = int(share * (levels.size - 1))
    return float(np.partition(levels, place, axis=None)[place])


@lru_cache(maxsize=1024)
def _darkness_table(paper: int, black: float) -> NDArray[np.uint8]:
    """The darkness of each of the 256 grey levels on paper of one brightness."""
    full = max(paper - black, _LEAST_CONTRAST)
    lost = np.maximum(paper - np.arange(256), 0).astype(np.uint8)
    return np.asarray(cv2.convertScaleAbs(lost, alpha=255.0 / full), np.uint8).ravel()


def darkness_of_blank(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ink of a blank, whose print level has to be found on itself."""
    paper = paper_level(gray)
    inked = gray[cv2.subtract(paper, gray) > 64]
    black = _quantile(inked, _BLACKEST_SHARE) if inked.size > _ENOUGH_PRINT else 0.0
    return darkness(gray, paper, black)
