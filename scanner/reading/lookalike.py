"""Two forms that differ only in a title, a footer or the order of names, told apart.

A count of matching features cannot do it: nearly everything matches. So the two blanks are
laid on each other, and a scan is asked only where they differ: is the ink there that only the
one has, or the ink that only the other has? Where the picture leaves it open, the words printed
there give a second opinion; where that leaves it open too, a person is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.reading.align import AlignedPage, align_page
from scanner.reading.blank import BlankPage
from scanner.reading.features import Match
from scanner.reading.ink import darkness, paper_level, print_level
from scanner.reading.text import read_words

_SOLID = 140
_SLACK_PX = 5
_JOIN_PX = 9
"""Differences nearer to each other than this are looked at together."""
_MIN_DIFFERENT_PX = 12
"""A spot with fewer pixels of different print than this says nothing."""
_MAX_SPOTS = 24
_SEARCH_PX = 4
_SOME_PRINT = 0.12
"""Share of a place covered with ink from which it is not bare."""
_CLEAR_LEAD = 0.15
_MIN_SAY = 0.5
_TELLING_LETTERS = 4
"""Shorter words than this are as often specks as words."""
_MOST_WORDS = 0.6
_ZONE_MARGIN_MM = (30.0, 3.0)
_TARGET_MARGIN_MM = 2.5


class Verdict(Enum):
    """Which of two forms a page is."""

    THIS = "this"
    OTHER = "other"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Spot:
    """One place where two pages differ, in working pixels of the first, with both prints."""

    x: int
    y: int
    this: NDArray[np.uint8]
    other: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a page of a form differs from a look-alike."""

    spots: tuple[Spot, ...]
    """The largest differences first."""
    zone: tuple[int, int, int, int]
    """x0, y0, x1, y1 around all differences, in working pixels of the first."""
    other_gray: NDArray[np.uint8]
    """The look-alike's blank laid on this one."""


def find_difference(this: BlankPage, other: BlankPage, match: Match) -> Difference:
    """Lay ``other`` on ``this`` and note where their print differs.

    Args:
        this: A page of a form.
        other: A page that looks like it.
        match: How the working pixels of ``other`` lie on those of ``this``.
    """
    laid = align_page(other.gray, this, match.homography)
    paper = paper_level(laid.gray)
    theirs = darkness(laid.gray, paper, print_level(laid.gray, this.darkness))
    kernel = np.ones((_SLACK_PX, _SLACK_PX), np.uint8)
    only_this = (this.darkness >= _SOLID) & (cv2.dilate(theirs, kernel) < _SOLID // 2)
    only_other = (theirs >= _SOLID) & (cv2.dilate(this.darkness, kernel) < _SOLID // 2)
    differs = (only_this | only_other) & _away_from_targets(this) & (laid.covered > 0)
    joined = cv2.dilate(differs.astype(np.uint8), np.ones((_JOIN_PX, _JOIN_PX), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    ink = np.bincount(labels.ravel(), weights=differs.ravel(), minlength=count)
    worth = [n for n in np.argsort(-ink) if n > 0 and ink[n] >= _MIN_DIFFERENT_PX][:_MAX_SPOTS]
    spots = []
    for number in worth:
        x, y, w, h = stats[number][:4]
        rows, columns = slice(y, y + h), slice(x, x + w)
        spots.append(Spot(int(x), int(y), this.darkness[rows, columns], theirs[rows, columns]))
    x, y, w, h = cv2.boundingRect(differs.astype(np.uint8))
    return Difference(tuple(spots), (x, y, x + w, y + h), laid.gray)


def _away_from_targets(blank: BlankPage) -> NDArray[np.bool_]:
    """Where voters do not write: not in a target nor right beside it."""
    mask = np.ones(blank.darkness.shape, bool)
    for box in blank.target_boxes:
        grown = box.grown(_TARGET_MARGIN_MM * blank.px_per_mm)
        rows = slice(max(round(grown.y), 0), max(round(grown.bottom), 0))
        mask[rows, max(round(grown.x), 0) : max(round(grown.right), 0)] = False
    return mask


def compare(ink: NDArray[np.uint8], difference: Difference) -> Verdict:
    """Which of the two the page is, by the ink at the places where they differ.

    Every spot says how much more it looks like the one print than like the other; a spot that
    looks like neither, because a voter wrote across it, says little.

    Args:
        ink: The darkness of the scan laid on this form's page.
        difference: From :func:`find_difference` for the same page.
    """
    reach = _SEARCH_PX
    wide = cv2.copyMakeBorder(ink, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
    lead, weight = 0.0, 0.0
    for spot in difference.spots:
        height, width = spot.this.shape
        window = wide[spot.y : spot.y + height + 2 * reach, spot.x : spot.x + width + 2 * reach]
        this, other = _likeness(window, spot.this), _likeness(window, spot.other)
        says = max(this, other, 0.0)
        lead += says * (this - other)
        weight += says
    if weight == 0.0 or max(abs(lead) / weight, 0.0) < _CLEAR_LEAD or weight < _MIN_SAY:
        return Verdict.OPEN
    return Verdict.THIS if lead > 0 else Verdict.OTHER


def _likeness(window: NDArray[np.uint8], print_: NDArray[np.uint8]) -> float:
    """How alike a place of the page is to a print, 0..1; bare paper is alike to bare paper."""
    if print_.max() < _SOLID:
        bare = window[_SEARCH_PX:-_SEARCH_PX, _SEARCH_PX:-_SEARCH_PX]
        return 1.0 - float((bare >= _SOLID // 2).mean()) / _SOME_PRINT
    score = cv2.matchTemplate(window, print_, cv2.TM_CCOEFF_NORMED)
    best = float(score.max())
    return best if np.isfinite(best) else 0.0


def compare_words(aligned: AlignedPage, difference: Difference) -> Verdict:
    """Which of the two the page is, by the words printed around the differences."""
    if not difference.spots:
        return Verdict.OPEN
    blank = aligned.blank
    dx, dy = (round(margin * blank.px_per_mm) for margin in _ZONE_MARGIN_MM)
    x0, y0, x1, y1 = difference.zone
    rows, columns = slice(max(y0 - dy, 0), y1 + dy), slice(max(x0 - dx, 0), x1 + dx)
    read = [
        read_words(picture[rows, columns], dpi=blank.dpi)
        for picture in (blank.gray, difference.other_gray, aligned.gray)
    ]
    this, other, page = read
    if this is None or other is None or page is None:
        return Verdict.OPEN
    for_this, for_other = _found(this - other, page), _found(other - this, page)
    if for_this >= _MOST_WORDS and for_other == 0.0:
        return Verdict.THIS
    if for_other >= _MOST_WORDS and for_this == 0.0:
        return Verdict.OTHER
    return Verdict.OPEN


def _found(telling: frozenset[str], page: frozenset[str]) -> float:
    """The share of the telling words that the page has, also where they were read as one."""
    words = [word for word in telling if len(word) >= _TELLING_LETTERS]
    run_together = "\n".join(page)
    return sum(word in run_together for word in words) / len(words) if words else 0.0
