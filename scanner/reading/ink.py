"""Grey levels become ink: 0 where the paper is bare, 255 where it is as dark as the print."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_BLOCK_PX = 8
_PAPER_REACH = 9
"""Blocks over which the brightest one is taken for paper: wider than any printed bar is high."""
_DARKEST_PAPER = 0.65
"""Paper is never taken for darker than this share of the page's own white."""


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
    return cv2.resize(white, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def darkness(
    gray: NDArray[np.uint8], paper: NDArray[np.uint8], black: float
) -> NDArray[np.uint8]:
    """Ink between bare paper (0) and print (255).

    Args:
        gray: Shape (h, w), 0..255.
        paper: Brightness of bare paper, shape (h, w).
        black: Brightness of solid print, 0..255.
    """
    lost = cv2.subtract(paper, gray)
    full = max(float(np.median(paper)) - black, 24.0)
    return cv2.convertScaleAbs(lost, alpha=255.0 / full).astype(np.uint8, copy=False)


def darkness_of_blank(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ink of a blank, whose print level has to be found on itself."""
    paper = paper_level(gray)
    lost = cv2.subtract(paper, gray)
    inked = gray[lost > 64]
    black = float(np.percentile(inked, 10)) if inked.size > 50 else 0.0
    return darkness(gray, paper, black)


def print_level(gray: NDArray[np.uint8], blank_darkness: NDArray[np.uint8]) -> float:
    """How dark this scan shows what is solid print on the blank, 0..255.

    Args:
        gray: The scan laid on the form, shape (h, w).
        blank_darkness: The blank's ink, same shape.
    """
    solid = gray[blank_darkness > 200]
    return float(np.percentile(solid, 30)) if solid.size > 50 else 0.0
