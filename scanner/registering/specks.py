"""Dust on a scanned blank, which is no print and must not be looked for on the voters' sheets."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import mm_to_px
from scanner.registering.outlines import find_ink

_LARGEST_MM = 1.0
"""Of a speck as it is scanned, with the blur around it."""
_ALONE_MM = 2.0
"""Print stands nearer to other print: a full stop to its word, a dot to the next of its line."""
_HALO_MM = 0.2
_FAINT_LEVEL = 0.9


def remove_specks(gray: NDArray[np.uint8], dpi: float) -> NDArray[np.uint8]:
    """The page without small dots that stand alone.

    Args:
        gray: Shape (height, width), 0 black .. 255 white.
        dpi: Pixels per inch.

    Returns:
        A new picture; where a speck was, the paper around it.
    """
    ink = (find_ink(gray, dpi, _FAINT_LEVEL) > 0).astype(np.uint8)
    count, labels, stats, _centers = cv2.connectedComponentsWithStats(ink)
    most = mm_to_px(_LARGEST_MM, dpi)
    reach, halo = (max(round(mm_to_px(mm, dpi)), 1) for mm in (_ALONE_MM, _HALO_MM))
    clean = gray.copy()
    for label in range(1, count):
        x, y, w, h = (int(value) for value in stats[label, :4])
        if max(w, h) > most:
            continue
        around = _window(ink, (x, y, w, h), reach)
        if np.any(ink[around] & (labels[around] != label)):
            continue
        paper = float(np.median(gray[around]))
        clean[_window(ink, (x, y, w, h), halo)] = round(paper)
    return clean


def _window(
    picture: NDArray[np.uint8], box: tuple[int, int, int, int], margin: int
) -> tuple[slice, slice]:
    """The rows and columns of a box with a margin, within the picture."""
    x, y, w, h = box
    height, width = picture.shape
    return (
        slice(max(y - margin, 0), min(y + h + margin, height)),
        slice(max(x - margin, 0), min(x + w + margin, width)),
    )
