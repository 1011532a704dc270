"""A closer look at targets in doubt: how long the strokes in them are, and what made the ink.

The first look sees a target and its surroundings; this one sees the whole page, and costs as much
again, so it is kept for the few pages with a doubt that it may settle. Ink is taken off a target
where the page shows that it has another cause: a fold that runs on across the paper, a mark in
another target of which it is the tail, the grey of the other side where the voter's other marks
are of ink. What is left is measured as before, and the strokes by their length, which is alike for
a fine pen and a broad one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.ballot import TargetMeasures
from scanner.geometry import Box
from scanner.reading.align import AlignedPage, lay_whole
from scanner.reading.decide import LITTLE
from scanner.reading.ink import Tone, darkness
from scanner.reading.marks import MeasuredPage, measure_again
from scanner.reading.places import TargetPlace, find_known, find_places

_INK = 60
"""Added darkness, of 255, from which a pixel may be part of a stroke."""
_DARK_INK = 105
"""Strokes of which a quarter is this dark are a pen's or a pencil's, and no seal's or stamp's."""
_LEAST_PIECE_MM = 0.4
_LEAST_STROKE_MM = 1.1
"""Shorter pieces, however many, are specks, unless one of them is a stroke."""
_BARE = 60
"""Darkness of the blank, with slack, up to which ink is seen there."""

_STRIPS = 12
"""A fold is looked for in so many strips of the page."""
_FEWEST_STRIPS = 6
_FOLDED = 0.8
"""Share of the strips in which there is a ridge where the line of a fold meets them."""
_RIDGE = 3.0
"""Levels, of 255, by which a fold is darker than what is beside it."""
_DEEPEST = 60.0
_SLOPES = np.linspace(-0.02, 0.02, 17)
"""A fold may run aslant by so much of its length."""
_NOT_FOLD = 120
"""Ink so dark is no part of a fold."""
_BESIDE_FOLD_MM = 1.5
_FOLD_MM = 0.7
"""Half the width of what a fold makes darker."""
_UNEVEN = 1.8
_LEAST_FOLD = 15
"""A fold may be so many times as dark at a target as it usually is, and so much more."""

_JOIN_MM = 1.3
"""A stroke goes on behind a ruled line so wide."""
_IS_MAIN, _IS_OWN = 0.85, 0.8
"""Shares of a target's ink in its largest piece, and of that piece's in the target, from which it
is one mark."""
_SEEN_AROUND_MM = 12.0
_TAIL_MM = 2.0
"""A mark reaches so far beyond its target."""
_IS_TAIL = 0.6
"""Share of a piece of ink that lies in one other target, of which it is the mark."""

_TRACE = 40
"""Darkness, of 255, from which a pixel is a trace of ink."""
_NOTHING_LEFT = 0.01
"""Share of the inside with traces of ink, up to which there is nothing in it."""
_WIDE, _HIGH, _IN_A_ROW = 0.8, 0.3, 0.15
"""A bar has ink in that share of the columns; the rows that have some lie within that share."""
_MOST_OF_BAR = 0.4
_WEAK = 0.25
_MUCH_AROUND_MM = 8.0
_DEEPEST_BAR = 120.0

_TOUCH = 0.07
"""Share of the inside up to which ink without a stroke is no second mark."""
_SOFT_MM = 1.3
"""What is narrower is a stroke, what is wider is shade."""
_NO_STROKE = 0.02
"""Share of the inside, or mean darkness of it, up to which there is no stroke in it."""
_FAINT_STROKE = 25
"""Darkness, of 255, up to which what is narrow is no stroke of the pen that made the other mark."""
_PALE_SHADE, _DARKEST_SHADE = 18.0, 26.0
"""Mean and greatest darkness of the inside, of 255, up to which the other side may show through: a
highlighter is darker."""


class PageInk:
    """The ink that was added to a page, in the form's own frame.

    Args:
        aligned: The page.
        tone: How bright paper and print are on it.
    """

    def __init__(self, aligned: AlignedPage, tone: Tone) -> None:
        blank = aligned.blank
        known = find_known(blank)
        ink = darkness(lay_whole(aligned), _lay_paper(aligned, tone), tone.black)
        self.added = cv2.subtract(ink, known).astype(np.uint8, copy=False)
        self.free = known < _BARE
        self._px_per_mm = blank.px_per_mm
        self._boxes = blank.target_boxes
        self._owners: tuple[NDArray[np.int32], NDArray[np.bool_]] | None = None

    def explain(
        self,
        number: int,
        place: TargetPlace,
        shift: tuple[int, int],
        deepest: float = _DEEPEST,
    ) -> NDArray[np.bool_]:
        """Where the ink around a target has another cause than a mark in it, shape as its ring.

        Args:
            number: The target.
            place: Its place.
            shift: How far it lies off that, x and y in working pixels.
            deepest: Darkness, of 255, up to which a ridge across the page may be a fold.
        """
        height, width = place.known.shape
        x0, y0 = place.ring[0] + shift[0], place.ring[1] + shift[1]
        rows, columns = self.added.shape
        found = np.zeros((height, width), bool)
        # The ring of a target at the edge, moved, may lie partly beyond it.
        left, top, right, bottom = (
            max(x0, 0),
            max(y0, 0),
            min(x0 + width, columns),
            min(y0 + height, rows),
        )
        window = left, top, right, bottom
        seen = self.under_folds(*window, deepest) | self.of_others(number, *window)
        found[top - y0 : bottom - y0, left - x0 : right - x0] = seen
        return found

    def under_folds(
        self, x0: int, y0: int, x1: int, y1: int, deepest: float = _DEEPEST
    ) -> NDArray[np.bool_]:
        """Where the faint ink of folds lies in a window of the form, shape as it."""
        added = self.added[y0:y1, x0:x1]
        found = np.zeros(added.shape, bool)
        across = _find_fold(self.added, self.free, (x0, y0, x1, y1), self._px_per_mm, deepest)
        down = _find_fold(self.added.T, self.free.T, (y0, x0, y1, x1), self._px_per_mm, deepest)
        for fold, mask, ink in ((across, found, added), (down, found.T, added.T)):
            if fold is not None:
                rows, columns = np.indices(mask.shape)
                near = np.abs(rows - fold.at - fold.slope * columns) <= _FOLD_MM * self._px_per_mm
                mask |= near & (ink <= _UNEVEN * fold.level + _LEAST_FOLD)
        return found

    def of_others(self, number: int, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.bool_]:
        """Where ink in a window of the form is the tail of a mark in another target."""
        pieces, tails = self._find_owners()
        tail = tails[pieces[y0:y1, x0:x1], number].astype(np.uint8)
        # With the soft edge of its stroke.
        return np.asarray(cv2.dilate(tail, np.ones((3, 3), np.uint8)) > 0)

    def is_whole(self, number: int) -> bool:
        """Whether the ink in a target is one piece, and that is nowhere else.

        A cross of a soft pencil is, however pale; the letters and rings of a stamp are several
        pieces, or run on.
        """
        box, scale = self._boxes[number], self._px_per_mm
        window = _window_of(box.grown(_SEEN_AROUND_MM * scale))
        ink = self.added[window] >= _TRACE
        count, pieces = _join(ink, self.free[window], scale)
        y0, x0 = (side.start for side in window)
        inside, near = (
            np.bincount(pieces[here][ink[here]], minlength=count)
            for beyond_mm in (0.0, _TAIL_MM)
            for here in [_window_of(_moved(box.grown(beyond_mm * scale), -x0, -y0))]
        )
        main = int(inside.argmax())
        of_all = int((ink & (pieces == main)).sum())
        is_main = inside[main] >= max(_IS_MAIN * inside.sum(), 1)
        return bool(is_main and near[main] >= _IS_OWN * of_all)

    def _find_owners(self) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """The pieces of ink, and for each and each target whether it is another one's there."""
        if self._owners is None:
            ink = self.added >= _INK
            count, pieces = _join(ink, self.free, self._px_per_mm)
            shares = np.zeros((count, len(self._boxes)))
            for number, box in enumerate(self._boxes):
                x0, y0 = max(round(box.x), 0), max(round(box.y), 0)
                here = slice(y0, round(box.bottom)), slice(x0, round(box.right))
                shares[:, number] = np.bincount(pieces[here][ink[here]], minlength=count)
            shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
            main = shares.argmax(axis=1)
            is_tail = shares.max(axis=1) >= _IS_TAIL
            tails = is_tail[:, None] & (main[:, None] != np.arange(len(self._boxes)))
            tails[0] = False
            self._owners = np.asarray(pieces, np.int32), tails
        return self._owners


def _join(
    ink: NDArray[np.bool_], free: NDArray[np.bool_], px_per_mm: float
) -> tuple[int, NDArray[np.int32]]:
    """Pieces of ink, each with what of it the blank's print hides; their count, and labels."""
    side = 2 * round(_JOIN_MM * px_per_mm / 2) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    # Both ends of a stroke that a ruled line hides spread into it, and meet there.
    joined = ink | ((cv2.dilate(ink.astype(np.uint8), kernel) > 0) & ~free)
    count, pieces = cv2.connectedComponents(joined.astype(np.uint8), connectivity=8)
    return count, np.asarray(pieces, np.int32)


def _moved(box: Box, dx: float, dy: float) -> Box:
    return Box(box.x + dx, box.y + dy, box.w, box.h)


def _window_of(box: Box) -> tuple[slice, slice]:
    return (
        slice(max(round(box.y), 0), max(round(box.bottom), 0)),
        slice(max(round(box.x), 0), max(round(box.right), 0)),
    )


def _lay_paper(aligned: AlignedPage, tone: Tone) -> NDArray[np.uint8]:
    """The brightness of bare paper at each working pixel of the form."""
    blank, step = aligned.blank, 32
    rows, columns = blank.height_px // step + 2, blank.width_px // step + 2
    grid = step * np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)
    paper = tone.paper_at(aligned.to_small(grid.reshape(-1, 2).astype(np.float64)))
    wide = cv2.resize(
        paper.reshape(rows, columns).astype(np.uint8), None, fx=step, fy=step,
        interpolation=cv2.INTER_LINEAR,
    )  # fmt: skip
    middle = step // 2
    return np.ascontiguousarray(
        wide[middle : middle + blank.height_px, middle : middle + blank.width_px], np.uint8
    )


@dataclass(frozen=True, slots=True)
class _Fold:
    """A line across the paper, as it passes through a window."""

    at: float
    """The row, counted from the window's first, at its first column."""
    slope: float
    level: float
    """How dark it usually is, of 255."""


def _find_fold(
    added: NDArray[np.uint8],
    free: NDArray[np.bool_],
    window: tuple[int, int, int, int],
    px_per_mm: float,
    deepest: float,
) -> _Fold | None:
    """The fold that runs across the page through a window, if there is one.

    The page is cut into strips; in each, the rows that are darker than those a little above and
    below are ridges. A fold has a ridge in nearly every strip, on one straight line.
    """
    x0, y0, x1, y1 = window
    width = added.shape[1]
    edges = np.linspace(0, width, _STRIPS + 1).astype(int)
    middles = (edges[:-1] + edges[1:]) / 2
    beside = round(_BESIDE_FOLD_MM * px_per_mm)
    reach = round(float(_SLOPES[-1]) * width) + beside + 2
    top, bottom = max(y0 - reach, 0), min(y1 + reach, len(added))
    seen = free[top:bottom] & (added[top:bottom] < _NOT_FOLD)
    counts = np.add.reduceat(seen, edges[:-1], axis=1, dtype=np.float32)
    sums = np.add.reduceat(added[top:bottom] * seen, edges[:-1], axis=1, dtype=np.float32)
    is_seen = counts > 0.3 * np.diff(edges)
    level = np.where(is_seen, sums / np.maximum(counts, 1), np.nan)
    around = np.full_like(level, np.nan)
    around[beside:-beside] = np.fmax(level[: -2 * beside], level[2 * beside :])
    ridges = np.where(np.isnan(level - around), -np.inf, level - around)
    # A ridge may lie a pixel off the line.
    ridges[1:-1] = np.maximum(np.maximum(ridges[:-2], ridges[2:]), ridges[1:-1])
    rows = np.arange(max(y0, top + reach), min(y1, bottom - reach), 2)
    if not len(rows):
        return None
    # Every slope with every row at the middle of the window: where its line meets the strips.
    offsets = np.rint(_SLOPES[:, None] * (middles - (x0 + x1) / 2)).astype(int)
    here = ridges[rows[None, :, None] - top + offsets[:, None, :], np.arange(_STRIPS)]
    is_here = np.isfinite(here)
    enough = is_here.sum(axis=2)
    share = (here >= _RIDGE).sum(axis=2) / np.maximum(enough, 1)
    levels = np.median(np.where(is_here, here, 0.0), axis=2)
    fits = (enough >= _FEWEST_STRIPS) & (share >= _FOLDED) & (levels <= deepest)
    if not fits.any():
        return None
    slope, row = np.unravel_index(int(np.argmax(np.where(fits, levels, -1.0))), fits.shape)
    at = float(rows[row]) - y0 - float(_SLOPES[slope]) * (x1 - x0) / 2
    return _Fold(at, float(_SLOPES[slope]), float(levels[slope, row]))


@dataclass(frozen=True, slots=True)
class Voter:
    """What the clear marks of a page tell about the one who made them."""

    is_known: bool
    """Whether it is known that they were made with ink, so that pale grey is not by the same."""
    has_chosen: Collection[int]
    """Targets in questions with as many marks of others as may be made."""


def look_closer(
    measured: MeasuredPage,
    page: PageInk,
    aligned: AlignedPage,
    unclear: Sequence[int],
    voter: Voter,
) -> dict[int, TargetMeasures]:
    """The measures of some targets, when the whole page is looked at.

    Args:
        measured: What the first look measured.
        page: The ink of the page.
        aligned: The page.
        unclear: Numbers of the targets.
        voter: What the clear marks of the page tell.
    """
    blank, found = aligned.blank, {}
    places = find_places(blank)
    for number in unclear:
        place = places.targets[number]
        if number not in measured.surroundings:
            continue
        added, shift = measured.surroundings[number]
        explained = page.explain(number, place, shift)
        left, through = _take_off(added, explained, place)
        first = measured.targets[number]
        again = measure_again(left, place, first, blank.px_per_mm)
        is_mark = (
            again.inside >= LITTLE
            and not _is_fold(added, place, shift, number, lambda: page)
            and page.is_whole(number)
        )
        darkest = 0 if is_mark else _DARK_INK
        is_stroke = again.extent_mm >= _LEAST_STROKE_MM
        strokes_mm = _measure_strokes(left, place, darkest, blank.px_per_mm) if is_stroke else 0.0
        again = replace(
            again, stroke_mm=strokes_mm, through=max(again.through, through * first.through)
        )
        if voter.is_known and _is_shade(again, left, place, blank.px_per_mm):
            again = replace(again, weight=0.0)
        if number in voter.has_chosen and _is_touch(again):
            again = replace(again, inside=0.0, weight=0.0)
        found[number] = again
    return found


def doubt_bars(
    measured: MeasuredPage, page: Callable[[], PageInk], aligned: AlignedPage, marked: Sequence[int]
) -> dict[int, TargetMeasures]:
    """Of marked targets those that may be marked by a fold alone: with ``through`` 1.

    Args:
        measured: What the first look measured.
        page: Gives the ink of the page, where it is needed.
        aligned: The page.
        marked: Numbers of the targets.
    """
    found = {}
    places = find_places(aligned.blank)
    for number in marked:
        if number not in measured.surroundings:
            continue
        added, shift = measured.surroundings[number]
        if _is_fold(added, places.targets[number], shift, number, page):
            found[number] = replace(measured.targets[number], through=1.0)
    return found


def doubt_amid_ink(
    measured: Sequence[TargetMeasures], marked: Sequence[int]
) -> dict[int, TargetMeasures]:
    """Of marked targets those that may be marked by a stamp's border alone: with ``through`` 1.

    Where there is much ink around the label of a weak mark, both may be of a stamp.

    Args:
        measured: What was measured at the targets of a page.
        marked: Numbers of those that are marked.
    """
    return {
        number: replace(one, through=1.0)
        for number in marked
        for one in [measured[number]]
        if one.inside < _WEAK and one.label_mm >= _MUCH_AROUND_MM
    }


def _is_bar(ink: NDArray[np.bool_]) -> bool:
    """Whether ink runs from one edge of a target's inside to the other, and is not high."""
    for across in (ink, ink.T):
        columns = np.flatnonzero(across.any(axis=0))
        rows = np.flatnonzero(across.mean(axis=1) > _IN_A_ROW)
        height, width = across.shape
        is_wide = len(columns) > _WIDE * width
        if is_wide and len(rows) > 0 and np.ptp(rows) <= _HIGH * height:
            return True
    return False


def _take_off(
    added: NDArray[np.uint8], explained: NDArray[np.bool_], place: TargetPlace
) -> tuple[NDArray[np.uint8], float]:
    """The ink around a target without what has another cause.

    Inside it is taken off only where nothing is left there then: a part of what is inside proves
    nothing about the rest.

    Returns:
        What is left; and 1 where a part of the ink inside has another cause, else 0.
    """
    x0, y0, x1, y1 = place.core
    core = slice(y0, y1), slice(x0, x1)
    left = added.copy()
    left[explained] = 0
    if (left[core] >= _TRACE).mean() <= _NOTHING_LEFT:
        return left, 0.0
    is_part = bool((explained[core] & (added[core] >= _TRACE)).any())
    left[core] = added[core]
    return left, float(is_part)


def _is_fold(
    added: NDArray[np.uint8],
    place: TargetPlace,
    shift: tuple[int, int],
    number: int,
    page: Callable[[], PageInk],
) -> bool:
    """Whether the ink inside is a bar across it that a fold, however dark, explains."""
    x0, y0, x1, y1 = place.core
    ink = added[y0:y1, x0:x1] >= _TRACE
    if not _is_bar(ink):
        return False
    explained = page().explain(number, place, shift, _DEEPEST_BAR)[y0:y1, x0:x1]
    return bool(explained[ink].mean() >= _MOST_OF_BAR)


def _measure_strokes(
    added: NDArray[np.uint8], place: TargetPlace, least: int, px_per_mm: float
) -> float:
    """The length of the strokes inside a target, in mm; 0 where they are paler than ``least``."""
    x0, y0, x1, y1 = place.core
    inside = added[y0:y1, x0:x1]
    strokes = inside >= _INK
    if not strokes.any() or np.percentile(inside[strokes], 75) < least:
        return 0.0
    # Loaded where it is needed, which is on few pages: it takes half a second and 40 MB.
    from skimage.morphology import skeletonize

    lines = skeletonize(strokes)  # type: ignore[no-untyped-call]
    _, pieces = cv2.connectedComponents(lines.astype(np.uint8), connectivity=8)
    lengths_mm = np.bincount(pieces.ravel())[1:] / px_per_mm
    return float(lengths_mm[lengths_mm >= _LEAST_PIECE_MM].sum())


def _is_touch(measures: TargetMeasures) -> bool:
    """Whether all there is inside is a touch of the pen, or a speck."""
    is_small = measures.extent_mm < _LEAST_STROKE_MM and measures.inside < _TOUCH
    return is_small and measures.weight < _TOUCH


def _is_shade(
    measures: TargetMeasures, added: NDArray[np.uint8], place: TargetPlace, px_per_mm: float
) -> bool:
    """Whether all there is inside is a little grey without a stroke."""
    if place.has_print or measures.inside >= _NO_STROKE:
        return False
    side = 2 * round(_SOFT_MM * px_per_mm / 2) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    smooth = cv2.GaussianBlur(added, (0, 0), 0.8)
    strokes = cv2.subtract(smooth, cv2.morphologyEx(smooth, cv2.MORPH_OPEN, kernel))
    x0, y0, x1, y1 = place.core
    shade = smooth[y0:y1, x0:x1]
    if shade.mean() > _PALE_SHADE or np.percentile(shade, 95) > _DARKEST_SHADE:
        return False
    inside = strokes[y0:y1, x0:x1].astype(np.float32)
    return float(np.where(inside >= _FAINT_STROKE, inside, 0).mean()) / 255.0 < _NO_STROKE
