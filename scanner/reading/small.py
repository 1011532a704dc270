"""A page made so small that a glance takes all of it in."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.reading.raster import reduce_gray

_SIDE_PX = 250.0
"""Side of the square as large as the small picture: a pixel of an A4 page is a millimetre."""
SMALL_RECIPE = f"small{_SIDE_PX:.0f}"
"""Names the way a picture is made small: kept ones of another recipe are of no use."""


@dataclass(frozen=True, slots=True, eq=False)
class SmallPicture:
    """A picture made small."""

    picture: NDArray[np.uint8]
    """Shape (h, w)."""
    scale: NDArray[np.float64]
    """Its pixels to one of the whole picture, x and y."""


def make_small(gray: NDArray[np.uint8]) -> SmallPicture:
    """Make a grey picture of any resolution, shape (h, w), as small as all others."""
    scale = _SIDE_PX / gray.size**0.5
    height, width = (max(round(side * scale), 1) for side in gray.shape)
    halvings = 0
    while min(gray.shape[0] / height, gray.shape[1] / width) >= 2:
        # The mean of four, for which averaging is many times as fast.
        gray, halvings = reduce_gray(gray, 2), halvings + 1
    small = cv2.resize(gray, (width, height), interpolation=cv2.INTER_LINEAR)
    share = np.array([width / gray.shape[1], height / gray.shape[0]]) / 2**halvings
    return SmallPicture(small.astype(np.uint8, copy=False), share)
