"""Letters that look like targets: O, D, 0, Q, ロ.

A letter stands on a line with others that are as high as it is, or that share its base line. A
target stands beside its label as it happens to.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Box
from scanner.registering.found import Shape
from scanner.registering.outlines import as_rows, overlaps
from scanner.registering.view import SideView

_ALIGNED = 0.07
"""Share of the height by which round letters reach beyond flat ones, and a little more."""
_ALIGNED_PX = 1.5
_REACH = 5.0
_SHORT_REACH = 2.6
"""How far the neighbours stand, in heights of the letter."""
_SMALL_LETTERS = (0.6, 0.8)
"""How high small letters are beside capitals, in most typefaces."""
_ROUND_LETTERS = (0.4, 1.15)
"""Width of O, D, 0 and Q by their height; a wide oval is no letter."""
_LEAST_NEIGHBOURS = 2
_CLOSE = 0.3
_SAME_THING = 0.3
_WORD_LETTERS = 3
_WORD_HEIGHT = 1.7


def share_of_letters(view: SideView, boxes: Sequence[Box], shape: Shape) -> float:
    """Which share of like boxes, 0..1, are letters by what stands around them."""
    return float(np.mean([is_letter(view, box, shape, boxes) for box in boxes]))


def is_letter(view: SideView, box: Box, shape: Shape, like: Sequence[Box] = ()) -> bool:
    """Whether what is printed in the box is a letter of a word.

    Args:
        view: The side.
        box: Tight around the outline, in pixels of the view.
        shape: What the outline looks like.
        like: Others of its kind, which do not count as its neighbours.
    """
    if _is_in_word(view, box):
        return True
    low, high = _ROUND_LETTERS
    if not low <= box.w / box.h <= high:
        return False
    pieces = _neighbours(view, box, like)
    slack = max(_ALIGNED * box.h, _ALIGNED_PX)
    gaps = np.maximum(pieces[:, 0] - box.right, box.x - pieces[:, 0] - pieces[:, 2])
    level = np.abs(pieces[:, 1] + pieces[:, 3] - box.bottom) <= slack
    as_high = level & (np.abs(pieces[:, 1] - box.y) <= slack)
    if shape == "box":
        # Only signs as square as ロ and 口 come close to a box; their like stand side by side.
        return bool((as_high & (gaps <= _CLOSE * box.h)).any())
    share = pieces[:, 3] / box.h
    small = level & (share >= _SMALL_LETTERS[0]) & (share <= _SMALL_LETTERS[1])
    close = (small | as_high) & (gaps <= _SHORT_REACH * box.h)
    return bool(max(as_high.sum(), close.sum()) >= _LEAST_NEIGHBOURS)


def _neighbours(view: SideView, box: Box, like: Sequence[Box]) -> NDArray[np.float64]:
    """Pieces of ink as narrow as letters, left and right of the box; (n, 4): x, y, w, h."""
    pieces = view.components.astype(np.float64)
    x, y, w, h = pieces.T
    beside = (y < box.bottom) & (y + h > box.y)
    near = np.maximum(x - box.right, box.x - x - w) <= _REACH * box.h
    apart = (x >= box.right - 1) | (x + w <= box.x + 1)
    narrow = (w <= 1.8 * box.h) & (h >= 0.4 * box.h) & (h <= 1.4 * box.h)
    chosen = pieces[beside & near & apart & narrow]
    rows = as_rows(like)
    alone = [not (overlaps(Box(*piece), rows) > _SAME_THING).any() for piece in chosen]
    return np.asarray(chosen[np.array(alone, np.bool_)])


def _is_in_word(view: SideView, box: Box) -> bool:
    """Whether the text of the file has a word there."""
    x, y = box.center
    for word in view.side.words:
        there = view.from_mm(word.box)
        inside = there.x <= x <= there.right and there.y <= y <= there.bottom
        if inside and there.h <= _WORD_HEIGHT * box.h and _letters_in(word.text) >= _WORD_LETTERS:
            return True
    return False


def _letters_in(text: str) -> int:
    return sum(char.isalnum() for char in text)
