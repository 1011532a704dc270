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


class Halves:
    """A grey picture, and what is left of it when each 2 × 2 pixels become one, time and again.

    Args:
        gray: Shape (h, w).
    """

    def __init__(self, gray: NDArray[np.uint8]) -> None:
        self._made = [gray]

    def halved(self, times: int) -> NDArray[np.uint8]:
        """The picture so many times halved; worked out once and kept."""
        while len(self._made) <= times:
            self._made.append(reduce_gray(self._made[-1], 2))
        return self._made[times]

    def reduced(self, step: int) -> NDArray[np.uint8]:
        """The picture with each ``step`` × ``step`` of its pixels made one."""
        is_halved = step & (step - 1) == 0
        return self.halved(step.bit_length() - 1) if is_halved else reduce_gray(self._made[0], step)


def make_small(halves: Halves) -> SmallPicture:
    """Make a picture of any resolution as small as all others."""
    gray = halves.halved(0)
    scale = _SIDE_PX / gray.size**0.5
    height, width = (max(round(side * scale), 1) for side in gray.shape)
    halvings = 0
    while min(gray.shape[0] / height, gray.shape[1] / width) >= 2:
        halvings += 1
        gray = halves.halved(halvings)
    small = cv2.resize(gray, (width, height), interpolation=cv2.INTER_LINEAR)
    share = np.array([width / gray.shape[1], height / gray.shape[0]]) / 2**halvings
    return SmallPicture(small.astype(np.uint8, copy=False), share)
