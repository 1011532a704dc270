"""Points and boxes, in millimetres on the form and in pixels of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MM_PER_INCH = 25.4

Homography = NDArray[np.float64]
"""A 3 × 3 matrix that maps homogeneous points (x, y, 1)."""


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle: top-left corner and size, in one unit (mm or px)."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """The x of the right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """The y of the lower edge."""
        return self.y + self.h

    @property
    def center(self) -> tuple[float, float]:
        """The middle, (x, y)."""
        return self.x + self.w / 2, self.y + self.h / 2

    def scaled(self, sx: float, sy: float) -> Box:
        """This box in another unit: x by ``sx``, y by ``sy``."""
        return Box(self.x * sx, self.y * sy, self.w * sx, self.h * sy)

    def grown(self, dx: float, dy: float | None = None) -> Box:
        """This box with ``dx`` more on the left and right, ``dy`` above and below."""
        dy = dx if dy is None else dy
        return Box(self.x - dx, self.y - dy, self.w + 2 * dx, self.h + 2 * dy)

    def overlaps(self, other: Box) -> bool:
        """True where the two share an area, however small."""
        return (
            self.x < other.right
            and other.x < self.right
            and self.y < other.bottom
            and other.y < self.bottom
        )


def apply_homography(
    matrix: NDArray[np.floating], points: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Map points of shape (n, 2) through a 3 × 3 matrix."""
    if matrix[2].tolist() == [0.0, 0.0, 1.0]:
        # An affine one, as nearly all are: there is nothing to divide by.
        return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2], np.float64)
    homogeneous = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:], np.float64)


def fit_affine(start: NDArray[np.floating], end: NDArray[np.floating]) -> NDArray[np.float64]:
    """The affine transform, shape (2, 3), with the least squares between points, shape (n, 2)."""
    middle, to = start.mean(axis=0), end.mean(axis=0)
    apart = start - middle
    linear = (np.linalg.pinv(apart.T @ apart) @ (apart.T @ (end - to))).T
    return np.column_stack([linear, to - linear @ middle])


def px_to_mm(px: float, dpi: float) -> float:
    """Pixels at ``dpi`` dots per inch, in millimetres."""
    return px * MM_PER_INCH / dpi


def mm_to_px(mm: float, dpi: float) -> float:
    """Millimetres, in pixels at ``dpi`` dots per inch."""
    return mm * dpi / MM_PER_INCH
