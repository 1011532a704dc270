"""Places of a form that each of its scans is asked for: what is alike for all, worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

GRID_PX = 64
"""Working pixels between the nodes of a field over a page."""
_STRIP_PX = 128
"""A line of print longer than this is cut out in strips, so that it may be bent."""


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Points of a form, and where each lies between the nodes of a field over it."""

    points: NDArray[np.float64]
    """Shape (n, 2), working pixels."""
    node: NDArray[np.intp]
    """The node above and to the left of each, shape (n,)."""
    columns: int
    """Nodes in a row."""
    across: NDArray[np.float64]
    """The share of the way to the next node, 0..1, shape (n,); as the next."""
    down: NDArray[np.float64]

    @classmethod
    def of(cls, points: NDArray[np.float64], nodes: tuple[int, ...]) -> Self:
        """Place points on a field of so many rows and columns of nodes."""
        rows, columns = nodes[:2]
        grid = np.minimum(np.maximum(points / GRID_PX, 0.0), (columns - 1.001, rows - 1.001))
        node = grid.astype(np.intp)
        across, down = np.ascontiguousarray((grid - node).T)
        return cls(points, node[:, 1] * columns + node[:, 0], columns, across, down)

    def between(self, field: NDArray[np.float64]) -> NDArray[np.float64]:
        """A field of vectors, shape (rows, columns, 2), at each point: bilinear, shape (n, 2)."""
        # Each of x and y in a row of its own: numpy is slow at rows of two.
        rows = np.ascontiguousarray(field.reshape(-1, 2).T)
        at, below = self.node, self.node + self.columns
        before, above = 1 - self.across, 1 - self.down
        upper = rows.take(at, axis=1) * before + rows.take(at + 1, axis=1) * self.across
        lower = rows.take(below, axis=1) * before + rows.take(below + 1, axis=1) * self.across
        vectors: NDArray[np.float64] = (upper * above + lower * self.down).T
        return vectors


@dataclass(frozen=True, slots=True, eq=False)
class EvenWindows:
    """Windows of one size, cut out together."""

    size: tuple[int, int]
    """Width and height in working pixels."""
    corners: Spots
    """Three of each window, as :func:`corners_of` gives them."""

    @classmethod
    def of(cls, windows: NDArray[np.intp], nodes: tuple[int, ...]) -> Self:
        """Windows of shape (n, 4), on a field of so many rows and columns of nodes."""
        x0, y0, x1, y1 = windows[0].tolist()
        return cls((x1 - x0, y1 - y0), Spots.of(corners_of(windows), nodes))


@dataclass(frozen=True, slots=True, eq=False)
class HalfWindows:
    """Windows of a half-size form, cut into strips short enough to be bent with the page."""

    sizes: tuple[tuple[int, int], ...]
    """Width and height of each window."""
    strips: tuple[tuple[int, int, int], ...]
    """For each strip the number of its window, and its columns in it, from and to."""
    corners: Spots
    """Three of each strip, in working pixels of the form."""
    strip_sizes: NDArray[np.float64]
    """Shape (strips, 2)."""

    @classmethod
    def of(cls, windows: Sequence[tuple[int, int, int, int]], nodes: tuple[int, ...]) -> Self:
        """Windows in pixels of the half-size form, on a field of so many nodes."""
        strips = [
            (number, left, min(left + _STRIP_PX, x1 - x0))
            for number, (x0, _, x1, _) in enumerate(windows)
            for left in range(0, x1 - x0, _STRIP_PX)
        ]
        inner = np.array(
            [
                (windows[n][0] + a, windows[n][1], windows[n][0] + b, windows[n][3])
                for n, a, b in strips
            ],
            np.float64,
        ).reshape(-1, 4)
        return cls(
            sizes=tuple((x1 - x0, y1 - y0) for x0, y0, x1, y1 in windows),
            strips=tuple(strips),
            # A half-size pixel is the mean of two working pixels: its centre lies between them.
            corners=Spots.of(2 * corners_of(inner) + 0.5, nodes),
            strip_sizes=inner[:, 2:] - inner[:, :2],
        )


def corners_of(windows: Sequence[tuple[int, ...]] | NDArray[np.number]) -> NDArray[np.float64]:
    """Three corners of each window, from which the fourth follows; shape (3 n, 2)."""
    corners: NDArray[np.float64] = np.asarray(windows, np.float64).reshape(-1, 4)[:, _THREE]
    return corners.reshape(-1, 2)


_THREE = [0, 1, 2, 1, 0, 3]


def ways_of(corners: NDArray[np.float64], sizes: NDArray[np.number]) -> NDArray[np.float64]:
    """For each window the affine way from its pixels onto a picture, shape (n, 2, 3).

    Over so small a window the way onto the scan is as good as affine.

    Args:
        corners: Where its corners lie on the picture, as :func:`corners_of` has them.
        sizes: Width and height, shape (n, 2) or (1, 2).
    """
    three = corners.reshape(-1, 3, 2)
    origin = three[:, 0]
    ways = np.empty((len(three), 2, 3))
    ways[:, :, 0] = (three[:, 1] - origin) / sizes[:, :1]
    ways[:, :, 1] = (three[:, 2] - origin) / sizes[:, 1:]
    ways[:, :, 2] = origin
    return ways
