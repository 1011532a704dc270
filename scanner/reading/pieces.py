"""Many pieces of print looked for at once, each in a window of its own.

The normalised correlation of every piece with every place of its window (Lewis, Fast Normalized
Cross-Correlation, 1995): products by the fast Fourier transform of all windows together, means
and spreads by sums over the places. One call for a page costs a tenth of a call for each piece.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft

_FLAT = 4.0
"""Grey levels squared: a place that varies less has no print on it."""


class PieceStack:
    """Pictures of one shape, found again in windows that are ``reach`` pixels wider all around.

    Args:
        pictures: Shape (n, h, w), 0..255.
        reach: How far a piece is looked for from the middle of its window, in pixels.
    """

    def __init__(self, pictures: Sequence[NDArray[np.uint8]], reach: int) -> None:
        stack = np.asarray(pictures, np.float32)
        self.reach = reach
        self._shape = stack.shape[1:]
        self._sides = [fft.next_fast_len(side + 2 * reach, real=True) for side in self._shape]
        stack -= stack.mean(axis=(1, 2), keepdims=True)
        lengths = np.sqrt((stack.astype(np.float64) ** 2).sum(axis=(1, 2), keepdims=True))
        self._has_print = lengths > np.sqrt(_FLAT * stack[0].size)
        stack /= np.maximum(lengths, 1.0).astype(np.float32)
        self._spectra = fft.rfft2(stack, self._sides).conj()
        height, width = self._shape
        self._rows = _running(height, reach)
        self._columns = np.ascontiguousarray(_running(width, reach).T)

    def find(self, windows: NDArray[np.uint8]) -> NDArray[np.float32]:
        """How alike each piece is to each place of its window: correlations, -1..1.

        Args:
            windows: Shape (n, h + 2 reach, w + 2 reach), in the order of the pieces.

        Returns:
            Shape (n, 2 reach + 1, 2 reach + 1); 0 where there is nothing to compare.
        """
        side, size = 2 * self.reach + 1, self._shape[0] * self._shape[1]
        levels = windows.astype(np.float32)
        spectra = fft.rfft2(levels, self._sides)
        spectra *= self._spectra
        # Only the rows that are asked for are brought back.
        rows = fft.ifft(spectra, axis=1, overwrite_x=True)[:, :side]
        products = fft.irfft(rows, self._sides[1], axis=2)[:, :, :side]
        totals = self._over_places(levels)
        levels *= levels
        spread = self._over_places(levels) - totals * totals / size
        is_even = (spread <= _FLAT * size) | ~self._has_print
        np.copyto(spread, 1.0, where=is_even)
        scores: NDArray[np.float32] = np.divide(products, np.sqrt(spread), out=spread)
        np.copyto(scores, 0.0, where=is_even)
        return scores

    def _over_places(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """The sum over each place of each window, shape (n, 2 reach + 1, 2 reach + 1)."""
        return np.asarray(self._rows @ (levels @ self._columns), np.float32)


def _running(length: int, reach: int) -> NDArray[np.float32]:
    """Which pixels of a line each place of a piece on it covers; shape (2 reach + 1, line)."""
    start = np.arange(2 * reach + 1)[:, None]
    at = np.arange(length + 2 * reach)
    return ((at >= start) & (at < start + length)).astype(np.float32)


def find_peaks(
    scores: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Where each piece is most alike.

    Args:
        scores: As :meth:`PieceStack.find` gives them.

    Returns:
        Shifts from the middle, shape (n, 2), x and y, to a fraction of a pixel; the correlations
        there, shape (n,); and whether the place lies within the window rather than at its edge.
    """
    count, side = len(scores), scores.shape[1]
    first, flat = np.arange(count) * side * side, scores.reshape(-1)
    best = scores.reshape(count, -1).argmax(axis=1)
    places = np.stack(np.divmod(best, side)[::-1], axis=1)
    within = np.asarray(((places > 0) & (places < side - 1)).all(axis=1))
    x, y = np.minimum(np.maximum(places, 1), side - 2).T
    middle, steps = first + y * side + x, np.array([[1], [side]])
    top = _vertex(flat[middle - steps], flat[middle], flat[middle + steps]).T
    shifts = places + np.where(within[:, None], top, 0.0) - side // 2
    return shifts, flat[first + best].astype(np.float64), within


def _vertex(
    left: NDArray[np.float32], middle: NDArray[np.float32], right: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The top of a peak between three pixels, by a parabola: -0.5 .. 0.5."""
    bend = (left - 2 * middle + right).astype(np.float64)
    top = np.where(bend < -1e-9, 0.5 * (left - right) / np.where(bend < -1e-9, bend, 1.0), 0.0)
    return np.clip(top, -0.5, 0.5)
