"""The shape of the ink on a page, kept small: by it a paper is known when it is scanned again.

Two voters who choose the same put their marks into the same boxes, but never lay the strokes to
within a third of a millimetre. So each mark is kept as a coarse picture of the ink that was added,
in the form's own frame: whatever scanner made the scan, at whatever resolution and whichever way
up, the same mark gives nearly the same picture.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.ballot import MarkState, Reason, TargetReading
from scanner.reading.align import AlignedPage, Window
from scanner.reading.blank import BlankPage
from scanner.reading.ink import Tone, darkness

GRAY_LEVELS = 16
"""Levels of ink in a picture: two cells fit into a byte."""
_MARGIN_MM = 1.1
"""A mark reaches so far over its target and is still of that target alone."""
_CELL_MM = 0.68
_MOST_CELLS = 150
"""Larger targets have larger cells."""
_SLACK_MM = 0.34
"""Ink this near the blank's own print is left out: edges never lie exactly alike."""
_LEAST_INK = 40
"""Added darkness, of 255, that is taken for the paper's own unevenness."""
_MOST_INK = 200
"""More is not told apart: where ink is darkest says more of the scanner than of the stroke."""
_FAINTEST_MARK = 8
"""A picture whose darkest cell has no more ink than this shows no mark."""
FILLED = 0.75
"""Share of the inside covered from which a mark is left out: filled boxes all look alike."""
_NOT_SEEN = frozenset({Reason.OUTSIDE_SCAN, Reason.PRINT_MISMATCH, Reason.MISALIGNED})


def describe_added_ink(aligned: AlignedPage, tone: Tone, targets: Sequence[TargetReading]) -> str:
    """The marks of a page as small pictures of the ink added there.

    Args:
        aligned: The page.
        tone: How bright paper and print are on it.
        targets: Its targets as read, in the order of ``BlankPage.targets``.

    Returns:
        For each mark ``index:picture``, separated by spaces: the target's index, and in Base64
        its cells row by row, two to a byte, each 0..15 of the darkest; empty without marks.
    """
    places = [number for number, target in enumerate(targets) if _is_told_apart(target)]
    if not places:
        return ""
    grids = _grids(aligned.blank)
    windows = [grids[number][0] for number in places]
    centers = np.array([[a + c, b + d] for a, b, c, d in windows], np.float64)
    papers = tone.paper_at(aligned.to_small(centers))
    marks = []
    for number, gray, paper in zip(
        places, aligned.half_crops(aligned.small, windows), papers, strict=True
    ):
        _window, known, cells = grids[number]
        ink = cv2.subtract(darkness(gray, float(paper), tone.black), known)
        soft = cv2.GaussianBlur(np.minimum(ink, _MOST_INK), (3, 3), 0)
        picture = np.asarray(cv2.resize(soft, cells, interpolation=cv2.INTER_AREA), np.uint16)
        most = int(picture.max())
        if most > _FAINTEST_MARK:
            marks.append(f"{number}:{_pack(picture, most)}")
    return " ".join(marks)


def _is_told_apart(target: TargetReading) -> bool:
    """Whether there is a mark whose shape can be told from those of others."""
    is_marked = target.state is not MarkState.UNMARKED and target.measures.inside < FILLED
    return is_marked and _NOT_SEEN.isdisjoint(target.reasons)


def _pack(picture: NDArray[np.uint16], most: int) -> str:
    even = np.zeros((picture.size + 1) // 2 * 2, np.uint8)
    even[: picture.size] = (picture.ravel() * (GRAY_LEVELS - 1) + most // 2) // most
    return b64encode((even[::2] << 4 | even[1::2]).tobytes()).decode("ascii")


@lru_cache(maxsize=512)
def _grids(blank: BlankPage) -> list[tuple[Window, NDArray[np.uint8], tuple[int, int]]]:
    """For each target the window of the half-size form, the print in it, and its cells.

    The print is as dark as it can be within the slack, and all of it as dark as unevenness is.
    """
    scale = blank.px_per_mm / 2
    half = cv2.resize(blank.darkness, blank.half.shape[::-1], interpolation=cv2.INTER_AREA)
    side = 2 * max(round(_SLACK_MM * scale), 1) + 1
    print_ = np.asarray(cv2.dilate(half, np.ones((side, side), np.uint8)), np.uint16)
    reach = max(half.shape)
    known = np.pad(np.minimum(print_ + _LEAST_INK, 255), reach, constant_values=_LEAST_INK)
    known = known.astype(np.uint8)
    grids = []
    for box in blank.target_boxes:
        width, height = (side_px / 2 / scale + 2 * _MARGIN_MM for side_px in (box.w, box.h))
        cell = max(_CELL_MM, (width * height / _MOST_CELLS) ** 0.5)
        cells = max(round(width / cell), 2), max(round(height / cell), 2)
        x, y = (middle / 2 for middle in box.center)
        x0, y0 = round(x - cells[0] * cell * scale / 2), round(y - cells[1] * cell * scale / 2)
        x1, y1 = x0 + round(cells[0] * cell * scale), y0 + round(cells[1] * cell * scale)
        around = known[reach + y0 : reach + y1, reach + x0 : reach + x1]
        grids.append(((x0, y0, x1, y1), around, cells))
    return grids
