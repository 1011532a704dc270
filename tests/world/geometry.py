"""Where the scan shows each point of the sheet, and the sheet bent onto it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.world.canvas import Picture, Points

_NODE_PX = 32
_STRIP_NODES = 4
"""A strip of so many rows of nodes is bent at a time: its map fits into the processor's cache."""

Matrix = NDArray[np.float64]
"""3 × 3."""


@dataclass(frozen=True, slots=True, eq=False)
class Bend:
    """What a plane transform cannot say; millimetres on the sheet."""

    lag_mm: Points
    """Shape (n, 2): shift in x and y at n even steps from the top of the sheet to its foot."""
    curl_mm: float = 0.0
    """How far the corners are drawn in, as where paper rises from the glass."""

    def shift(self, places: Points) -> Points:
        """The shift at places on the sheet, 0..1 across and down."""
        steps = np.linspace(0, 1, len(self.lag_mm))
        x, y = np.clip(places, -0.2, 1.2).T
        shift = np.stack([np.interp(y, steps, lag) for lag in self.lag_mm.T], axis=1)
        rise = np.clip(1 - y / 0.22, 0, 1) ** 2
        shift[:, 0] += self.curl_mm * rise * (2 * x - 1)
        shift[:, 1] += self.curl_mm * rise
        return np.asarray(shift)


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """How a sheet lies on a scan."""

    to_scan_px: Matrix
    """Millimetres on the sheet to pixels of the scan, without the bend."""
    size: tuple[int, int]
    """Width and height of the scan in pixels."""
    sheet_mm: tuple[float, float]
    bend: Bend

    def to_scan(self, points: Points) -> Points:
        """Where the scan shows points of the sheet, in pixels; (0, 0) is a pixel's middle."""
        bare = np.asarray(points, np.float64)
        for _ in range(6):
            bare = np.asarray(points - self.bend.shift(bare / self.sheet_mm), np.float64)
        return _apply(self.to_scan_px, bare)

    def to_sheet(self, pixels: Points) -> Points:
        """What point of the sheet lies at pixels of the scan, in millimetres."""
        bare = _apply(np.linalg.inv(self.to_scan_px), pixels)
        return bare + self.bend.shift(bare / self.sheet_mm)

    def warp(self, picture: Picture, px_per_mm: float, beyond: Picture | int) -> Picture:
        """The sheet as it lies on the scan.

        Args:
            picture: The sheet.
            px_per_mm: Of that picture.
            beyond: What is seen around the sheet: a grey level, or a picture of the scan's size.
        """
        width, height = self.size
        columns, rows = -(-width // _NODE_PX) + 2, -(-height // _NODE_PX) + 2
        across = (np.arange(columns) - 0.5) * _NODE_PX - 0.5
        down = (np.arange(rows) - 0.5) * _NODE_PX - 0.5
        nodes = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
        source = self.to_sheet(nodes) * px_per_mm - 0.5
        coarse = source.astype(np.float32).reshape(rows, columns, 2)
        if isinstance(beyond, int):
            border, colour = cv2.BORDER_CONSTANT, (beyond,) * 3
            seen: Picture = np.empty((height, width, *picture.shape[2:]), np.uint8)
        else:
            border, colour = cv2.BORDER_TRANSPARENT, (0, 0, 0)
            seen = beyond.copy()
        for first in range(0, rows - 2, _STRIP_NODES):
            nodes_here = coarse[first : first + _STRIP_NODES + 2]
            maps = cv2.resize(
                nodes_here, None, fx=_NODE_PX, fy=_NODE_PX, interpolation=cv2.INTER_LINEAR
            )
            strip = seen[first * _NODE_PX : (first + _STRIP_NODES) * _NODE_PX]
            maps = maps[_NODE_PX : _NODE_PX + len(strip), _NODE_PX : _NODE_PX + width]
            cv2.remap(  # type: ignore[call-overload]
                picture, maps, None, cv2.INTER_LINEAR,
                dst=strip, borderMode=border, borderValue=colour,
            )  # fmt: skip
        return seen


def _apply(matrix: NDArray[np.floating], points: Points) -> Points:
    moved = np.hstack([points, np.ones((len(points), 1))]) @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:])


def flat(matrix: Matrix, size: tuple[int, int], sheet_mm: tuple[float, float]) -> Geometry:
    """A sheet that lies flat."""
    return Geometry(matrix, size, sheet_mm, Bend(np.zeros((2, 2))))
