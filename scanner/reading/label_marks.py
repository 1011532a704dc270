"""Ink on printed words: a name struck out, a label circled or underlined.

The words of a target are laid exactly onto the page's, their print is taken off with as much
slack as the page's own print needs, and what is left is followed with a pen's eye: along the
words for a stroke that strikes them out, around them for a ring. This room decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.ballot import TargetMeasures
from scanner.forms.template import TEXT_SHAPES
from scanner.reading.align import AlignedPage, Window
from scanner.reading.blank import BlankPage
from scanner.reading.ink import Tone, darkness
from scanner.reading.word_places import (
    HIDDEN,
    PIECE_MM,
    Words,
    find_labels,
    find_words,
    quiet_print,
)
from scanner.reading.word_strokes import (
    follow_stroke,
    follow_words,
    join_dots,
    longest_piece,
    look_around,
)

_SEARCH_MM = 1.2
"""How far words are looked for around their place."""
_INKED = 80
"""Added darkness, of 255, from which a pixel counts as ink."""
_FAINT = {"strike": (1, 36), "label": (2, 24)}
"""By so many pixels more of paper next to print, and from such a darkness, light ink is told:
next to letters compression leaves as much, so between them more is asked than around them."""
_STANDS_OUT = 18
_PAPER_PERCENT = 20
_MOST_SHADE = 12
"""Paper may be as much darker around words; what is darker still may be a highlighter's."""
_LIGHT = 36
"""The darkness of a line beside words, from which it may be a fold."""
_LEAST_TOLD = 0.15
"""Share of a name's length in which paper must show between the letters for a stroke to be seen."""
_UNTOLD = 0.5
"""What is said to be struck out of a name of which that cannot be told."""
_SLACKS_PX = (1, 2, 3)
_SWOLLEN = 0.10
"""Share of the pixels next to print, dark, from which print has swollen so far."""
_MARKED = 0.05
"""Share of the inside of a box covered from which it may be marked."""
_WRITTEN_ON = 0.05
"""Share of the columns of a label's window with ink beside its letters, from which it is looked
at whether a stroke runs through it."""
_FOUND = 0.5
_PRESENT = 90
_ALL_FOUND = 0.96
_FAR_MM = (4.0, 18.0)
_RUNS_ON = 0.45
"""Share of the paper beside words, from and up to so far away, on which a line runs on."""


def measure_words(
    aligned: AlignedPage,
    tone: Tone,
    targets: tuple[TargetMeasures, ...],
    written_on: Sequence[float],
) -> tuple[TargetMeasures, ...]:
    """The measures of a page's targets, with what is on printed words measured here.

    That is on words which are targets themselves, and on the labels of marked boxes.

    Args:
        aligned: The page.
        tone: How bright paper and print are on it.
        targets: All its targets, measured as boxes.
        written_on: For each the share of its label's columns that have ink: a label of which few
            have it is not struck out.
    """
    blank = aligned.blank
    words = {
        number for number, (_, option) in enumerate(blank.targets) if option.shape in TEXT_SHAPES
    }
    labels = {
        number: label
        for number, as_box in enumerate(targets)
        if number not in words and as_box.inside >= _MARKED and written_on[number] >= _WRITTEN_ON
        for label in [find_labels(blank)[number]]
        if label is not None
    }
    if not words and not labels:
        return targets
    slack_px = find_slack(aligned, tone)
    measured = list(targets)
    for number in words:
        measured[number] = measure_text_target(aligned, tone, number, slack_px)
    for number, label in labels.items():
        added, seen, _, _ = _added(aligned, tone, label, slack_px)
        struck, _ = follow_words(added >= _INKED, seen, label, blank.px_per_mm)
        measured[number] = replace(targets[number], label_struck=struck)
    return tuple(measured)


def measure_text_target(
    aligned: AlignedPage, tone: Tone, number: int, slack_px: int
) -> TargetMeasures:
    """Measure one target of kind ``label`` or ``strike``.

    The fields mean: ``inside`` the share of the words' length through which a stroke runs, or
    how much of a ring around them or of a line under them is there; ``weight`` the same, counting
    faint ink as well; ``outline`` for a name the share of its length along which a stroke runs
    through it or close by, for a label the share through which one runs; ``outside`` the
    share of the surroundings under ink; ``label_mm`` the longest piece of ink in them;
    ``extent_mm`` the length of the words; ``through`` 1 where the line runs on across the page.

    Args:
        aligned: The page.
        tone: How bright paper and print are on it.
        number: Which of ``BlankPage.targets``.
        slack_px: By how much print swells, from :func:`find_slack`.
    """
    blank = aligned.blank
    words = find_words(blank)[number]
    added, seen, ink, shift = _added(aligned, tone, words, slack_px)
    is_struck = blank.targets[number][1].shape == "strike"
    measure = follow_words if is_struck else look_around
    found = measure(added >= _INKED, seen, words, blank.px_per_mm)
    clear, least = _FAINT[blank.targets[number][1].shape]
    apart = cv2.erode(seen.astype(np.uint8), np.ones((2 * clear + 1,) * 2, np.uint8)) > 0
    limit = _faint_limit(added, apart, least)
    dots = join_dots((added >= limit) & apart, blank.px_per_mm)
    faint = measure(dots, apart, words, blank.px_per_mm)
    around = np.ones(seen.shape, bool)
    x0, y0, x1, y1 = words.text
    around[y0:y1, x0:x1] = False
    outside = (added >= _INKED) & around & seen
    return TargetMeasures(
        inside=found[0],
        weight=max(faint[0], _UNTOLD if is_struck and _is_hidden(seen, words) else 0.0),
        outline=found[1],
        outside=float(outside.sum()) / max(int((around & seen).sum()), 1),
        label_mm=longest_piece(outside) / blank.px_per_mm,
        extent_mm=(x1 - x0) / blank.px_per_mm,
        through=float(faint[0] > 0 and _runs_on(aligned, tone, words, shift)),
        residual_mm=math.hypot(*shift) / blank.px_per_mm,
        print_match=_match(ink, words, blank.px_per_mm),
    )


def _is_hidden(seen: NDArray[np.bool_], words: Words) -> bool:
    """True where letters have swollen so far into each other that a stroke could not be seen."""
    x0, _, x1, _ = words.text
    first, last = words.body
    return float(seen[first:last, x0:x1].any(axis=0).mean()) < _LEAST_TOLD


def _faint_limit(added: NDArray[np.uint8], seen: NDArray[np.bool_], least: int) -> float:
    """Added darkness from which ink stands out, though it be light, from the paper around it."""
    usual = float(np.percentile(added[seen], _PAPER_PERCENT)) if seen.any() else 0.0
    return min(max(min(usual, _MOST_SHADE) + _STANDS_OUT, least), _INKED)


def _added(
    aligned: AlignedPage, tone: Tone, words: Words, slack_px: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.uint8], tuple[int, int]]:
    """What of the ink at words is not their print, where it could be seen; the ink; its shift."""
    ink, shift = _lay(aligned, tone, words)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * slack_px + 1,) * 2)
    known = cv2.convertScaleAbs(cv2.dilate(words.ours, kernel), alpha=1.5)
    added = cv2.subtract(ink, known).astype(np.uint8, copy=False)
    return added, known < HIDDEN, ink, shift


def find_slack(aligned: AlignedPage, tone: Tone) -> int:
    """By how many pixels print may swell on this page, told by print that nobody marks."""
    quiet = _find_quiet(aligned.blank)
    if not len(quiet.windows):
        return _SLACKS_PX[1]
    count = len(_SLACKS_PX) + 2
    dark = np.zeros(count)
    papers = tone.paper_at(aligned.to_small(quiet.windows.reshape(-1, 2, 2).mean(axis=1)))
    pieces = zip(aligned.even_crops(quiet.windows), papers.tolist(), quiet.print_, strict=True)
    for (gray, paper, ours), rings in zip(pieces, quiet.rings, strict=True):
        ink, _ = _best_shift(darkness(gray, paper, tone.black), ours, 2)
        dark += np.bincount(rings[ink >= _INKED], minlength=count)
    swollen = dark / np.maximum(quiet.ring_px, 1)
    return next((px for px in _SLACKS_PX if swollen[px + 1] < _SWOLLEN), _SLACKS_PX[-1])


@dataclass(frozen=True, slots=True, eq=False)
class _Quiet:
    """Some pieces of print that nobody marks."""

    windows: NDArray[np.intp]
    """Shape (n, 4)."""
    print_: list[NDArray[np.uint8]]
    """The blank's darkness there."""
    rings: NDArray[np.intp]
    """In the middle of each, without 2 pixels at every edge: k for the pixels that lie k pixels
    away from print, 0 in print and further away."""
    ring_px: NDArray[np.intp]
    """How many pixels of each number there are."""


@lru_cache(maxsize=64)
def _find_quiet(blank: BlankPage) -> _Quiet:
    windows = quiet_print(blank)
    print_ = [blank.darkness[y0:y1, x0:x1] for x0, y0, x1, y1 in windows]
    rings = np.array([_number_rings(ours[2:-2, 2:-2]) for ours in print_], np.intp)
    ring_px = np.bincount(rings.ravel(), minlength=len(_SLACKS_PX) + 2)
    return _Quiet(np.array(windows, np.intp).reshape(-1, 4), print_, rings, ring_px)


def _number_rings(ours: NDArray[np.uint8]) -> NDArray[np.intp]:
    rings = np.zeros(ours.shape, np.intp)
    inner = ours >= HIDDEN
    for number in range(1, len(_SLACKS_PX) + 2):
        outer = cv2.dilate(inner.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        rings[outer & ~inner] = number
        inner = outer
    return rings


def _lay(
    aligned: AlignedPage, tone: Tone, words: Words
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """The page's ink where the words are, and by how many pixels they lay off their place."""
    reach = round(_SEARCH_MM * aligned.blank.px_per_mm)
    x0, y0, x1, y1 = words.window
    gray = aligned.crop((x0 - reach, y0 - reach, x1 + reach, y1 + reach))
    center = np.array([[(x0 + x1) / 2, (y0 + y1) / 2]])
    paper = float(tone.paper_at(aligned.to_small(center))[0])
    ink = darkness(gray, paper, tone.black)
    a0, b0, a1, b1 = words.text
    score = cv2.matchTemplate(
        ink[b0 : b1 + 2 * reach, a0 : a1 + 2 * reach],
        words.ours[b0:b1, a0:a1],
        cv2.TM_CCOEFF_NORMED,
    )
    _, best, _, (x, y) = cv2.minMaxLoc(score)
    if not np.isfinite(best) or best < _FOUND:
        x, y = reach, reach
    return ink[y : y + y1 - y0, x : x + x1 - x0], (x - reach, y - reach)


def _best_shift(
    ink: NDArray[np.uint8], ours: NDArray[np.uint8], reach: int
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """The part of ``ink`` that is most like the middle of ``ours``, and where it lies."""
    middle = ours[reach:-reach, reach:-reach]
    _, _, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(ink, middle, cv2.TM_CCOEFF_NORMED))
    return ink[y : y + middle.shape[0], x : x + middle.shape[1]], (x - reach, y - reach)


def _match(ink: NDArray[np.uint8], words: Words, px_per_mm: float) -> float:
    """How alike the words are to the blank's: the least of their pieces, each about a word long.

    Ink over a piece spoils its correlation, but all of its print is still there.
    """
    x0, y0, x1, y1 = words.text
    ours, theirs = words.ours[y0:y1, x0:x1], ink[y0:y1, x0:x1]
    print_ = ours >= 140
    there = cv2.dilate(theirs, np.ones((3, 3), np.uint8)) >= _PRESENT
    count = max(round((x1 - x0) / (PIECE_MM * px_per_mm)), 1)
    worst = 1.0
    for piece in np.array_split(np.arange(x1 - x0), count):
        cut = slice(int(piece[0]), int(piece[-1]) + 1)
        printed = print_[:, cut]
        if printed.sum() < 10:
            continue
        found = float(there[:, cut][printed].mean())
        alike = float(
            cv2.matchTemplate(
                np.ascontiguousarray(theirs[:, cut]),
                np.ascontiguousarray(ours[:, cut]),
                cv2.TM_CCOEFF_NORMED,
            )[0, 0]
        )
        alike = alike if np.isfinite(alike) else 0.0
        worst = min(worst, found if found >= _ALL_FOUND else alike)
    return max(worst, 0.0)


def _runs_on(aligned: AlignedPage, tone: Tone, words: Words, shift: tuple[int, int]) -> bool:
    """True where a line through the words runs on across the page, as a fold or a streak does."""
    blank = aligned.blank
    near, far = (round(mm * blank.px_per_mm) for mm in _FAR_MM)
    x0, _, x1, _ = words.text
    left, top, _, bottom = words.window
    dx, dy = shift
    top, bottom = max(top + dy, 0), min(bottom + dy, blank.height_px)
    left += dx
    sides: list[Window] = [
        (max(left + x0 - far, 0), top, left + x0 - near, bottom),
        (left + x1 + near, top, min(left + x1 + far, blank.width_px), bottom),
    ]
    # At the edge of the paper the other side alone tells.
    sides = [side for side in sides if side[2] - side[0] >= near]
    for window, gray in zip(sides, aligned.crops(sides), strict=True):
        a0, b0, a1, b1 = window
        center = np.array([[(a0 + a1) / 2, (b0 + b1) / 2]])
        paper = float(tone.paper_at(aligned.to_small(center))[0])
        ink = darkness(gray, paper, tone.black)
        ours = blank.darkness[b0:b1, a0:a1]
        free = cv2.dilate(ours, np.ones((5, 5), np.uint8)) < HIDDEN
        rows = follow_stroke(np.where(free, np.where(ink >= _LIGHT, 1.0, -1.0), 0.0))
        at = np.arange(a1 - a0)
        shown = free[rows, at]
        if (shown & (ink[rows, at] >= _LIGHT)).sum() < _RUNS_ON * max(int(shown.sum()), 1):
            return False
    return bool(sides)
