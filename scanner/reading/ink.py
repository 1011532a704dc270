"""Grey levels become ink: 0 where the paper is bare, 255 where it is as dark as the print."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

_BLOCK_PX = 8
_PAPER_REACH = 9
"""Blocks over which the brightest one is taken for paper: wider than any printed bar is high."""
_DARKEST_PAPER = 0.65
"""Paper is never taken for darker than this share of the page's own white."""
_LEAST_CONTRAST = 24.0
"""Grey levels between paper and print below which noise would be taken for ink."""


@dataclass(frozen=True, slots=True, eq=False)
class Tone:
    """How bright bare paper and solid print are on one scan."""

    paper: NDArray[np.uint8]
    """The brightness of bare paper at each pixel of the half-size page."""
    black: float
    """The brightness of what is solid print on the blank, 0..255."""

    @classmethod
    def of_page(cls, half: NDArray[np.uint8], print_pixels: NDArray[np.intp]) -> Self:
        """The tone of a page laid on its form.

        Args:
            half: The page at half the working resolution.
            print_pixels: Flat indices of pixels that are solid print on the blank.
        """
        solid = half.ravel()[print_pixels]
        black = float(np.percentile(solid, 30)) if solid.size > 50 else 0.0
        return cls(paper_level(half), black)

    def paper_at(self, x: float, y: float) -> float:
        """The brightness of bare paper at a working pixel."""
        height, width = self.paper.shape
        row = min(max(int(y / 2), 0), height - 1)
        return float(self.paper[row, min(max(int(x / 2), 0), width - 1)])


def paper_level(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How bright the bare paper is at each place, shape as ``gray``.

    The brightest block nearby, smoothed: follows uneven light and shadows at the spine, and
    is not drawn down by print.
    """
    height, width = gray.shape
    small_size = (max(width // _BLOCK_PX, 1), max(height // _BLOCK_PX, 1))
    small = cv2.resize(gray, small_size, interpolation=cv2.INTER_AREA)
    kernel = np.ones((_PAPER_REACH, _PAPER_REACH), np.uint8)
    white = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel)
    floor = _DARKEST_PAPER * float(np.percentile(small, 90))
    white = cv2.GaussianBlur(np.maximum(white, np.uint8(floor)), (0, 0), 2.0)
    return cv2.resize(white, (width, height), interpolation=cv2.INTER_LINEAR).astype(
        np.uint8, copy=False
    )


def darkness(
    gray: NDArray[np.uint8], paper: NDArray[np.uint8] | float, black: float
) -> NDArray[np.uint8]:
    """Ink between bare paper (0) and print (255).

    Args:
        gray: Shape (h, w), 0..255.
        paper: Brightness of bare paper, one for all or shape (h, w).
        black: Brightness of solid print, 0..255.
    """
    if isinstance(paper, float):
        return cv2.LUT(gray, _darkness_table(round(paper), black)).astype(np.uint8, copy=False)
    full = max(float(paper.mean()) - black, _LEAST_CONTRAST)
    lost = cv2.subtract(paper, gray)
    return cv2.convertScaleAbs(lost, alpha=255.0 / full).astype(np.uint8, copy=False)


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
    black = float(np.percentile(inked, 10)) if inked.size > 50 else 0.0
    return darkness(gray, paper, black)
