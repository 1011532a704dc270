"""Where printed words stand that are marked themselves, and the labels of boxes.

Worked out once for all scans of a blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Box
from scanner.reading.align import Window
from scanner.reading.blank import BlankPage
from scanner.reading.places import find_places

_MARGIN_MM = (3.2, 2.6)
"""Beside words, and above and below them: so far out a ring around them lies."""
_GAP_MM = 0.4
"""Left between the surroundings of words and those of the next."""
HIDDEN = 70
"""Darkness that is put down to print, of 255, from which ink over it cannot be seen."""
_BODY = 0.35
"""Rows with such a share of the print of the fullest are the body of the letters."""
_BESIDE_BOX_MM = 0.8
_LINE_MM = 3.4
"""The window of a label that stands on the line of its box is no more than so much higher."""
_LEAST_LABEL_MM = 4.0
PIECE_MM = 7.0


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one target on the blank, at working resolution."""

    window: Window
    """The words with their surroundings."""
    ours: NDArray[np.uint8]
    """The blank's ink in that window."""
    text: Window
    """The rectangle around the print, within the window."""
    body: tuple[int, int]
    """First and last row of the letters' body, within the window."""


@lru_cache(maxsize=64)
def quiet_print(blank: BlankPage) -> list[Window]:
    """Some pieces of print away from all targets."""
    side = round(PIECE_MM * blank.px_per_mm)
    near = [box.grown(6 * blank.px_per_mm) for box in blank.target_boxes]
    found = []
    for patch in blank.patches:
        box = Box(2 * patch.x, 2 * patch.y, side, side)
        on_page = box.right < blank.width_px and box.bottom < blank.height_px
        if on_page and not any(box.overlaps(other) for other in near):
            found.append((2 * patch.x, 2 * patch.y, 2 * patch.x + side, 2 * patch.y + side))
    return found[:12]


@lru_cache(maxsize=64)
def find_words(blank: BlankPage) -> list[Words]:
    """The words of each target, with their surroundings up to half-way to the next target."""
    return [
        _words(blank, box, [other for other in blank.target_boxes if other != box])
        for box in blank.target_boxes
    ]


@lru_cache(maxsize=64)
def find_labels(blank: BlankPage) -> list[Words | None]:
    """The label of each target on its own line, if it has one."""
    gap = _BESIDE_BOX_MM * blank.px_per_mm
    labels: list[Words | None] = []
    for box, place in zip(blank.target_boxes, find_places(blank).labels, strict=True):
        x0, y0, x1, y1 = (2.0 * at for at in place.window)
        right, left = x1 - box.right - gap, box.x - x0 - gap
        is_line = y1 - y0 <= box.h + _LINE_MM * blank.px_per_mm
        if not is_line or max(left, right) < _LEAST_LABEL_MM * blank.px_per_mm:
            labels.append(None)
            continue
        beside = Box(box.right + gap, y0, right, y1 - y0)
        labels.append(_words(blank, beside if right > left else Box(x0, y0, left, y1 - y0), []))
    return labels


def _words(blank: BlankPage, box: Box, others: Sequence[Box]) -> Words:
    scale = blank.px_per_mm
    across, down = (side * scale for side in _MARGIN_MM)
    left, right, top, bottom = across, across, down, down
    room = _GAP_MM * scale
    for other in others:
        if other.y < box.bottom and box.y < other.bottom:
            if other.x >= box.right:
                right = min(right, (other.x - box.right - room) / 2)
            elif other.right <= box.x:
                left = min(left, (box.x - other.right - room) / 2)
        elif other.x < box.right and box.x < other.right:
            if other.y >= box.bottom:
                bottom = min(bottom, (other.y - box.bottom - room) / 2)
            else:
                top = min(top, (box.y - other.bottom - room) / 2)
    x0, y0 = (max(round(at), 0) for at in (box.x - max(left, 0), box.y - max(top, 0)))
    x1 = min(round(box.right + max(right, 0)), blank.width_px)
    y1 = min(round(box.bottom + max(bottom, 0)), blank.height_px)
    ours = blank.darkness[y0:y1, x0:x1]
    a0, b0 = round(box.x) - x0, round(box.y) - y0
    inner = ours[b0 : round(box.bottom) - y0, a0 : round(box.right) - x0] >= HIDDEN
    rows, columns = np.flatnonzero(inner.any(axis=1)), np.flatnonzero(inner.any(axis=0))
    if not rows.size:
        text = (a0, b0, a0 + inner.shape[1], b0 + inner.shape[0])
        return Words((x0, y0, x1, y1), ours, text, (text[1], text[3]))
    text = (
        a0 + int(columns[0]),
        b0 + int(rows[0]),
        a0 + int(columns[-1]) + 1,
        b0 + int(rows[-1]) + 1,
    )
    full = inner.sum(axis=1)
    body = np.flatnonzero(full >= _BODY * full.max())
    return Words((x0, y0, x1, y1), ours, text, (b0 + int(body[0]), b0 + int(body[-1]) + 1))
