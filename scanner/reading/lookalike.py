"""Two forms that differ only in a title, a footer or the order of names, told apart.

A count of matching features cannot do it: nearly everything matches. So the two blanks are
laid on each other, and a scan is asked only where they differ: is the ink there that only the
one has, or the ink that only the other has? Where the picture leaves it open, the words printed
there give a second opinion; where that leaves it open too, a person is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.forms.template import TEXT_SHAPES
from scanner.geometry import Box
from scanner.reading.align import AlignedPage, Window, align_page, lay_whole
from scanner.reading.blank import BlankPage
from scanner.reading.features import Match
from scanner.reading.ink import Tone, darkness, darkness_of_blank
from scanner.reading.text import available_languages, read_words

_SOLID = 140
_SLACK_PX = 5
_JOIN_PX = 9
"""Differences nearer to each other than this are looked at together."""
_BLUR_PX = 1.2
_DIFFERENT = 60
"""Darkness, of 255, on one page and not near it on the other, that is different print."""
_EDGE_MM = 4.0
_MIN_DIFFERENT_PX = 20
"""A spot with fewer pixels of different print than this says nothing."""
_MIN_THICKNESS_PX = 4
_MAX_SPOTS = 24
_SEARCH_PX = 4
_SOME_PRINT = 0.12
"""Share of a place covered with ink from which it is not bare."""
_CLEAR_LEAD = 0.15
_STRONG_LEAD = 0.35
"""A spot that speaks so clearly against all others leaves the question open."""
_MIN_SAY = 10.0
"""Pixels of different print, weighed by how well they were recognised, that must have a say."""
_TELLING_LETTERS = 4
"""Shorter words than this are as often specks as words."""
_ENOUGH_WORDS = 0.4
_HESITANT = 20.0
_BETWEEN_PX = 24
"""White between the pieces of a page that are read together."""
_STRIP_MARGIN_MM = (30.0, 3.0)
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
    ink: float
    """Pixels of different print."""

    @property
    def box(self) -> Box:
        """Its place on the page."""
        return Box(self.x, self.y, self.this.shape[1], self.this.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Where a page of a form differs from a look-alike."""

    blank: BlankPage
    """The page."""
    spots: tuple[Spot, ...]
    """The largest differences first."""


def find_difference(this: BlankPage, other: BlankPage, match: Match) -> Difference:
    """Lay ``other`` on ``this`` and note where their print differs.

    Args:
        this: A page of a form.
        other: A page that looks like it.
        match: How the working pixels of ``other`` lie on those of ``this``.
    """
    laid = lay_whole(align_page(other.gray, this, match.homography))
    theirs = darkness_of_blank(laid)
    differs = (_missing(this.darkness, theirs) | _missing(theirs, this.darkness)) & _comparable(
        this
    )
    joined = cv2.dilate(differs.astype(np.uint8), np.ones((_JOIN_PX, _JOIN_PX), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    ink = np.bincount(labels.ravel(), weights=differs.ravel(), minlength=count)
    # The sliver of a line that lies a little off is long and thin; a letter is not.
    thickness = np.minimum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) - _JOIN_PX
    worth = (ink >= _MIN_DIFFERENT_PX) & (thickness >= _MIN_THICKNESS_PX)
    worth[0] = False
    spots = []
    for number in sorted(np.flatnonzero(worth), key=lambda n: -ink[n])[:_MAX_SPOTS]:
        x, y, w, h = (int(value) for value in stats[number][:4])
        rows, columns = slice(y, y + h), slice(x, x + w)
        spots.append(
            Spot(x, y, this.darkness[rows, columns], theirs[rows, columns], float(ink[number]))
        )
    return Difference(this, tuple(spots))


def _missing(ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where there is print on the one page and none near it on the other.

    Blurred, so that a thin line that lies between two pixels on one of them is no difference.
    """
    mine = cv2.GaussianBlur(ours, (0, 0), _BLUR_PX)
    near = cv2.dilate(
        cv2.GaussianBlur(theirs, (0, 0), _BLUR_PX), np.ones((_SLACK_PX, _SLACK_PX), np.uint8)
    )
    missing: NDArray[np.bool_] = cv2.subtract(mine, near) >= _DIFFERENT
    return missing


def _comparable(blank: BlankPage) -> NDArray[np.bool_]:
    """Where pages are compared: not at the paper's edge, nor where voters write."""
    mask = np.zeros(blank.darkness.shape, bool)
    edge = round(_EDGE_MM * blank.px_per_mm)
    mask[edge:-edge, edge:-edge] = True
    # Each sheet's code has a serial number of its own.
    codes = [blank.code_box] if blank.code_box is not None else []
    # Printed words tell forms apart, also where they are targets themselves.
    boxes = [
        box
        for box, (_, option) in zip(blank.target_boxes, blank.targets, strict=True)
        if option.shape not in TEXT_SHAPES
    ]
    for box in [*boxes, *codes]:
        grown = box.grown(_TARGET_MARGIN_MM * blank.px_per_mm)
        rows = slice(max(round(grown.y), 0), max(round(grown.bottom), 0))
        mask[rows, max(round(grown.x), 0) : max(round(grown.right), 0)] = False
    return mask


def compare(aligned: AlignedPage, tone: Tone, difference: Difference) -> Verdict:
    """Which of the two the page is, by the ink at the places where they differ.

    Every spot says how much more it looks like the one print than like the other; a spot that
    looks like neither, because a voter wrote across it, says little.

    Args:
        aligned: The scan laid on this form's page.
        tone: How bright paper and print are on it.
        difference: From :func:`find_difference` for the same page.
    """
    reach = _SEARCH_PX
    leads, weights = [], []
    centers = [(s.box.x + s.box.w / 2, s.box.y + s.box.h / 2) for s in difference.spots]
    papers = tone.paper_at(aligned.to_small(np.array(centers, np.float64).reshape(-1, 2)))
    for spot, paper in zip(difference.spots, papers, strict=True):
        height, width = spot.this.shape
        x0, y0, x1, y1 = spot.x, spot.y, spot.x + width, spot.y + height
        gray = aligned.crop((x0 - reach, y0 - reach, x1 + reach, y1 + reach))
        window = darkness(gray, float(paper), tone.black)
        this, other = _likeness(window, spot.this), _likeness(window, spot.other)
        leads.append(this - other)
        weights.append(max(this, other) * spot.ink)
    if sum(weights) < _MIN_SAY:
        return Verdict.OPEN
    lead = float(np.average(leads, weights=weights))
    contradicted = any(
        lead * one < 0 and abs(one) >= _STRONG_LEAD and weight >= _MIN_SAY
        for one, weight in zip(leads, weights, strict=True)
    )
    if contradicted or abs(lead) < _CLEAR_LEAD:
        return Verdict.OPEN
    return Verdict.THIS if lead > 0 else Verdict.OTHER


def _likeness(window: NDArray[np.uint8], print_: NDArray[np.uint8]) -> float:
    """How alike a place of the page is to a print, 0..1; bare paper is alike to bare paper."""
    if print_.max() < _SOLID:
        bare = window[_SEARCH_PX:-_SEARCH_PX, _SEARCH_PX:-_SEARCH_PX]
        return max(1.0 - float((bare >= _SOLID // 2).mean()) / _SOME_PRINT, 0.0)
    score = cv2.matchTemplate(window, print_, cv2.TM_CCOEFF_NORMED)
    best = float(score.max())
    return max(best, 0.0) if np.isfinite(best) else 0.0


def compare_words(aligned: AlignedPage, there: Difference, back: Difference) -> Verdict:
    """Which of the two the page is, by the words printed around the differences.

    Args:
        aligned: The scan laid on this form's page.
        there: Where this page differs from the look-alike.
        back: Where the look-alike differs from this page.
    """
    if not there.spots or not available_languages():
        return Verdict.OPEN
    (this, all_this), (other, all_other) = _words(there), _words(back)
    strips = [aligned.crop(window) for window in _strips(there)]
    # The words looked for are known, so a hesitant reading of one of them counts.
    found = read_words(_stack(strips), dpi=aligned.blank.dpi, sure=_HESITANT)
    page = frozenset(word.text for word in found)
    for_this, for_other = _found(this - all_other, page), _found(other - all_this, page)
    if for_this >= _ENOUGH_WORDS and for_other == 0.0:
        return Verdict.THIS
    if for_other >= _ENOUGH_WORDS and for_this == 0.0:
        return Verdict.OTHER
    return Verdict.OPEN


@lru_cache(maxsize=256)
def _words(difference: Difference) -> tuple[frozenset[str], frozenset[str]]:
    """The words of a blank that stand where it differs, and all words around there.

    Only the first can tell it from the look-alike: others, misread on one, could mislead.
    """
    blank = difference.blank
    strips = _strips(difference)
    pictures = [blank.gray[y0:y1, x0:x1] for x0, y0, x1, y1 in strips]
    own, around = set(), set()
    for word in read_words(_stack(pictures), dpi=blank.dpi):
        around.add(word.text)
        strip, y = 0, word.box.y
        while strip + 1 < len(strips) and y >= len(pictures[strip]) + _BETWEEN_PX:
            y -= len(pictures[strip]) + _BETWEEN_PX
            strip += 1
        x0, y0 = strips[strip][:2]
        box = Box(word.box.x + x0, y + y0, word.box.w, word.box.h)
        if len(word.text) >= _TELLING_LETTERS and any(
            box.overlaps(s.box) for s in difference.spots
        ):
            own.add(word.text)
    return frozenset(own), frozenset(around)


def _strips(difference: Difference) -> list[Window]:
    """Windows around the differences with the words on their lines, from top to bottom."""
    blank = difference.blank
    dx, dy = (margin * blank.px_per_mm for margin in _STRIP_MARGIN_MM)
    strips: list[Box] = []
    for spot in sorted(difference.spots, key=lambda one: one.y):
        box = spot.box.grown(dx, dy)
        if strips and box.y < strips[-1].bottom:
            last = strips.pop()
            x, y = min(last.x, box.x), min(last.y, box.y)
            box = Box(x, y, max(last.right, box.right) - x, max(last.bottom, box.bottom) - y)
        strips.append(box)
    return [
        (
            max(round(box.x), 0),
            max(round(box.y), 0),
            min(round(box.right), blank.width_px),
            min(round(box.bottom), blank.height_px),
        )
        for box in strips
    ]


def _stack(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pieces of a page below each other, so that one start of Tesseract reads them all."""
    width = max(picture.shape[1] for picture in pictures)
    framed = [
        cv2.copyMakeBorder(
            picture,
            0,
            _BETWEEN_PX,
            0,
            width - picture.shape[1],
            cv2.BORDER_CONSTANT,
            value=255,
        )
        for picture in pictures
    ]
    return np.asarray(np.vstack(framed), np.uint8)


def _found(telling: frozenset[str], page: frozenset[str]) -> float:
    """The share of the telling words that the page has, also where two were read as one."""
    joined = {one + two: (one, two) for one in telling for two in telling if one + two in page}
    found = (telling & page).union(*joined.values())
    return len(found) / len(telling) if telling else 0.0
