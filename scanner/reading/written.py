"""How much was written in the comment zones of a page: a cheap measure that decides no vote.

The zone as the scan shows it is compared with the same place on the blank: ink that the blank has
not, but for specks and for streaks of the scanner, was added by somebody.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.forms.template import Comment, Page
from scanner.geometry import Box
from scanner.reading.raster import PageImage

Gray = NDArray[np.uint8]
Mask = NDArray[np.uint8]

PX_PER_MM = 3.5
"""Fine enough for a stroke of a pen, and coarse enough for a scan to be decoded at half size."""
_AROUND_MM = 3.0
"""Seen around the zone, to find where the blank's print lies."""
_SHIFT_MM = 1.7
"""So far the print may lie from where the page as a whole puts it."""
_SLACK_MM = 0.6
"""Ink this near the blank's own print is left out."""
_LEAST_DARKER = 38
"""Grey levels by which ink is darker than the paper around it."""
_PAPER_MM = 7.0
_SPECK_MM = 1.2
"""Pieces of ink that are smaller in both directions are dust."""
_STREAK = 0.85
"""A line that has ink on so much of the height, or of the width, is a streak, a fold or a rule."""


def measure_written(
    image: PageImage,
    homography: Sequence[float],
    blank: Gray,
    page: Page,
    comments: Sequence[Comment],
) -> dict[str, float]:
    """How much ink was added in each comment zone.

    Args:
        image: The scanned page, full or reduced.
        homography: As ``PageReading.homography``.
        blank: The blank of the page, grey.
        page: The page of the form.
        comments: Its comment zones.

    Returns:
        By the id of the zone how much of it is covered, in square millimetres.
    """
    return {
        one.id: _added_mm2(*_lay_both(image, homography, blank, page, one.box, PX_PER_MM))
        for one in comments
    }


def cut_written(
    image: PageImage,
    homography: Sequence[float],
    blank: Gray,
    page: Page,
    comment: Comment,
    *,
    px_per_mm: float,
) -> Gray:
    """A comment zone with the blank's own print painted over, so that only what was added stays.

    Args:
        image: The scanned page, full or reduced.
        homography: As ``PageReading.homography``.
        blank: The blank of the page, grey.
        page: The page of the form.
        comment: The zone.
        px_per_mm: How fine the result is.
    """
    scan, empty = _lay_both(image, homography, blank, page, comment.box, px_per_mm)
    print_ = _place_print(_find_ink(scan, px_per_mm), _find_ink(empty, px_per_mm), px_per_mm)
    paper = float(np.percentile(scan, 80))
    cleaned = scan.copy()
    cleaned[print_ > 0] = round(paper)
    return cleaned


def _lay_both(
    image: PageImage,
    homography: Sequence[float],
    blank: Gray,
    page: Page,
    box: Box,
    px_per_mm: float,
) -> tuple[Gray, Gray]:
    """A zone and what is around it, as scanned and on the blank."""
    step, around = image.reduction, box.grown(_AROUND_MM)
    to_form = np.array(homography, np.float64).reshape(3, 3) @ np.diag([step, step, 1.0])
    of_blank = np.diag([page.width_mm / blank.shape[1], page.height_mm / blank.shape[0], 1.0])
    return _lay(image.gray, to_form, around, px_per_mm), _lay(blank, of_blank, around, px_per_mm)


def _lay(gray: Gray, to_form: NDArray[np.float64], box: Box, scale: float) -> Gray:
    """A part of the form's page, as a picture of it shows it.

    Args:
        gray: The picture.
        to_form: Its pixels to millimetres on the form, 3 × 3.
        box: The part, in millimetres.
        scale: Pixels a millimetre of the result.
    """
    size = max(1, round(box.w * scale)), max(1, round(box.h * scale))
    to_part = np.array([[scale, 0, -box.x * scale], [0, scale, -box.y * scale], [0, 0, 1.0]])
    laid = cv2.warpPerspective(
        gray, to_part @ to_form, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(laid, np.uint8)


def _added_mm2(scan: Gray, blank: Gray) -> float:
    ink = _find_ink(scan, PX_PER_MM)
    print_ = _place_print(ink, _find_ink(blank, PX_PER_MM), PX_PER_MM)
    added = cv2.bitwise_and(_without_streaks(ink), cv2.bitwise_not(print_))
    margin = round(_AROUND_MM * PX_PER_MM)
    inside = np.ascontiguousarray(added[margin:-margin, margin:-margin]).astype(np.uint8)
    if not inside.size:
        return 0.0
    return _without_specks(inside) / PX_PER_MM**2


def _find_ink(gray: Gray, px_per_mm: float) -> Mask:
    """255 where it is clearly darker than the paper around."""
    side = round(_PAPER_MM * px_per_mm) | 1
    small = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side // 2, side // 2), np.uint8))
    paper = cv2.resize(paper, gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
    darker = cv2.subtract(paper, gray)
    return np.asarray(cv2.threshold(darker, _LEAST_DARKER, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _place_print(ink: Mask, print_: Mask, px_per_mm: float) -> Mask:
    """The blank's print, moved to where the scan has it, and made a little thicker."""
    reach = round(_SHIFT_MM * px_per_mm)
    if min(print_.shape) > 4 * reach and print_.any():
        core = print_[reach:-reach, reach:-reach]
        found = cv2.matchTemplate(ink, core, cv2.TM_CCORR)
        _least, _most, _where, (x, y) = cv2.minMaxLoc(found)
        moved = np.array([[1, 0, x - reach], [0, 1, y - reach]], np.float64)
        print_ = np.asarray(cv2.warpAffine(print_, moved, print_.shape[::-1]), np.uint8)
    side = 2 * round(_SLACK_MM * px_per_mm) + 1
    return np.asarray(cv2.dilate(print_, np.ones((side, side), np.uint8)), np.uint8)


def _without_streaks(ink: Mask) -> Mask:
    """The ink without the lines that go right across."""
    soft = cv2.dilate(ink, np.ones((3, 3), np.uint8)) > 0
    clean = ink.copy()
    clean[:, soft.mean(axis=0) > _STREAK] = 0
    clean[soft.mean(axis=1) > _STREAK, :] = 0
    return clean


def _without_specks(added: Mask) -> int:
    """How many pixels of added ink are no dust."""
    _count, _labels, stats, _centers = cv2.connectedComponentsWithStats(added, connectivity=8)
    longer_side = np.maximum(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    return int(stats[1:, cv2.CC_STAT_AREA][longer_side >= _SPECK_MM * PX_PER_MM].sum())
