"""A closer look at targets in doubt: how long the strokes in them are, and what made the ink.

The first look sees a target and its surroundings; this one sees the whole page, and costs as much
again, so it is kept for the few pages with a doubt that it may settle. Ink is taken off a target
where the page shows that it has another cause: a fold that runs on across the paper, a mark in
another target of which it is the tail, the grey of the other side where the voter's other marks
are of ink. What is left is measured as before, and the strokes by their length, which is alike for
a fine pen and a broad one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.ballot import TargetMeasures
from scanner.reading.decide import LITTLE, PALER, probability_of_mark
from scanner.reading.marks import MeasuredPage, measure_again
from scanner.reading.page_ink import BARE, INK, TRACE, PageInk
from scanner.reading.places import TargetPlace, find_places
from scanner.reading.strokes import disc, join_strokes

_DARK_INK = 105
"""Strokes of which a quarter is this dark are a pen's or a pencil's, and no seal's or stamp's."""
_LEAST_PIECE_MM = 0.4
_LEAST_STROKE_MM = 1.1
"""Shorter pieces, however many, are specks, unless one of them is a stroke."""
_NOTHING_LEFT = 0.01
"""Share of the inside with traces of ink, up to which there is nothing in it."""
_WIDE, _HIGH, _IN_A_ROW = 0.8, 0.3, 0.15
"""A bar has ink in that share of the columns; the rows that have some lie within that share."""
_WIDE_LINE, _THIN = 0.5, 0.16
"""A crease may be seen in no more: a line so wide, and no higher, is no more of a mark by its
length."""
_MOST_OF_BAR = 0.4
_DEEPEST_BAR = 120.0
"""Share of a bar that a fold explains, however dark up to this, from which it may be that fold."""
_MOST_OF_ENDS = 0.4
"""Share of the ink inside from which it may be nothing but ends of marks in other targets."""
_MUCH_AROUND_MM = 8.0
"""A piece of ink around a label so long is more than the tail of a mark."""
_SOME_AROUND, _SOME_AROUND_MM = 0.01, 0.5
"""Where that share of the surroundings is covered, or a piece of ink so long lies around the label,
there may be so much of other ink on the page around: a line of writing, or a part of a stamp."""
_FILLED = 0.5
"""Share of the inside covered that is more than a letter's."""
_IS_ONE = 0.85
"""Share of the ink inside in its largest piece from which it hangs together."""
_EVEN_ODDS = 0.5
_LINE_MM, _SLIM, _SLIM_PIECE = 1.5, 4.0, 2.5
"""A line along the page or across it, so long and so many times as long as wide, may be a fold;
among other pieces it may be a part of a stamp's ring, which bends."""
_LITTLE_INK = 0.25
"""Share of the inside of a box that such a line may cover."""
_LONG_MM = 9.0
"""Few marks are so long; what is, and is not one piece of ink in its target, may be none."""
_TOUCH = 0.07
"""Share of the inside up to which ink without a stroke is no second mark."""
_SKIP_MM = 1.0
"""A pen that runs dry skips so far."""
_SOFT_MM = 1.3
"""What is narrower is a stroke, what is wider is shade."""
_NO_STROKE = 0.02
"""Share of the inside, or mean darkness of it, up to which there is no stroke in it."""
_FAINT_STROKE = 25
"""Darkness, of 255, up to which what is narrow is no stroke of the pen that made the other mark."""
_FILL = 0.5
"""Share of ink that is wider than strokes from which it is a fill."""
_PALE_SHADE, _DARKEST_SHADE = 18.0, 26.0
"""Mean and greatest darkness of the inside, of 255, up to which the other side may show through: a
highlighter is darker."""


@dataclass(frozen=True, slots=True)
class Voter:
    """What the clear marks of a page tell about the one who made them."""

    is_known: bool
    """Whether it is known that they were made with ink, so that pale grey is not by the same."""
    has_chosen: Collection[int]
    """Targets in questions with as many marks of others as may be made."""


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A target as the first look saw it."""

    number: int
    place: TargetPlace
    measures: TargetMeasures
    added: NDArray[np.uint8]
    """The darkness added in its ring."""
    shift: tuple[int, int]
    """How far that lay off its place, x and y in working pixels."""
    traces: NDArray[np.bool_]
    """Where there are traces of ink inside."""

    @property
    def core(self) -> tuple[slice, slice]:
        """The rows and columns of ``added`` that are the target's inside."""
        x0, y0, x1, y1 = self.place.core
        return slice(y0, y1), slice(x0, x1)


def look_closer(
    measured: MeasuredPage, page: PageInk, unclear: Sequence[int], voter: Voter
) -> dict[int, TargetMeasures]:
    """The measures of some targets, when the whole page is looked at.

    Args:
        measured: What the first look measured.
        page: The ink of the page.
        unclear: Numbers of the targets.
        voter: What the clear marks of the page tell.
    """
    return {
        seen.number: _measure_closer(seen, page, voter) for seen in _see(measured, page, unclear)
    }


def doubt_marks(
    measured: MeasuredPage, page: PageInk, marked: Sequence[int]
) -> dict[int, TargetMeasures]:
    """Of marked targets those that may be marked by something else alone: with ``through`` 1.

    Args:
        measured: What the first look measured.
        page: The ink of the page.
        marked: Numbers of the targets.
    """
    return {
        seen.number: replace(seen.measures, through=1.0)
        for seen in _see(measured, page, marked)
        if _is_doubtful(seen, page)
    }


def take_off_tails(
    measured: MeasuredPage, page: PageInk, bare: Sequence[int], marked: Collection[int]
) -> dict[int, TargetMeasures]:
    """The measures of unmarked cells without the tails of sure marks in other cells.

    What a target was decided to be stays: only whether the ink at it may be meant as a mark in a
    question that has none depends on this.

    Args:
        measured: What the first look measured.
        page: The ink of the page.
        bare: Numbers of unmarked targets.
        marked: Numbers of the targets that are marked without a doubt.
    """
    found = {}
    for seen in _see(measured, page, bare):
        if seen.place.next_targets is None:
            continue
        tails = page.tails_at(seen.number, seen.place, seen.shift, marked)
        left = seen.added.copy()
        left[tails] = 0
        again = measure_again(left, seen.place, seen.measures, page.blank.px_per_mm)
        found[seen.number] = replace(
            seen.measures,
            inside=min(again.inside, seen.measures.inside),
            outline=min(again.outline, seen.measures.outline),
            outside=min(again.outside, seen.measures.outside),
        )
    return found


def _see(measured: MeasuredPage, page: PageInk, numbers: Sequence[int]) -> Iterator[_Seen]:
    places = find_places(page.blank).targets
    for number in numbers:
        added, shift = measured.surroundings[number]
        x0, y0, x1, y1 = places[number].core
        traces = added[y0:y1, x0:x1] >= TRACE
        yield _Seen(number, places[number], measured.targets[number], added, shift, traces)


def _measure_closer(seen: _Seen, page: PageInk, voter: Voter) -> TargetMeasures:
    """The measures of a target without the ink that has another cause."""
    place, px_per_mm = seen.place, page.blank.px_per_mm
    explained = page.explain(seen.number, place, seen.shift)
    left, through = _take_off(seen, explained, px_per_mm)
    again = measure_again(left, place, seen.measures, px_per_mm)
    # A pale fill among marks of ink may be a filled box of the other side.
    is_pale = voter.is_known and again.weight < PALER * again.inside
    is_mark = (
        again.inside >= LITTLE
        and not (is_pale and _is_fill(left[seen.core] >= TRACE, px_per_mm))
        and not _is_fold(seen, page)
        and page.is_whole(seen.number)
    )
    darkest = 0 if is_mark else _DARK_INK
    ink = _without_specks(left[seen.core] >= INK, px_per_mm)
    is_line = not is_mark and (_is_level(ink) or _is_slim(ink, px_per_mm))
    is_stroke = again.extent_mm >= _LEAST_STROKE_MM and not is_line
    strokes_mm = 0.0
    if is_stroke and page.is_one_piece(seen.number):
        strokes_mm = _measure_strokes(left[seen.core], darkest, px_per_mm)
    through = max(again.through, through * seen.measures.through)
    again = replace(again, stroke_mm=strokes_mm, through=through)
    is_marked = probability_of_mark(again) >= _EVEN_ODDS
    if through < 1.0 and (_is_doubtful(seen, page) if is_marked else _is_tail(seen, page)):
        again = replace(again, through=1.0)
    if voter.is_known and _is_shade(again, left, place, px_per_mm):
        again = replace(again, weight=0.0)
    if seen.number in voter.has_chosen and _is_touch(again, left, seen, px_per_mm):
        again = replace(again, inside=0.0, weight=0.0)
    return again


def _is_doubtful(seen: _Seen, page: PageInk) -> bool:
    """Whether what looks like a mark may be something else, as the whole page shows."""
    px_per_mm = page.blank.px_per_mm
    pieces = _without_specks(seen.traces, px_per_mm)
    largest = _largest_of(pieces)
    is_one = np.count_nonzero(largest) >= _IS_ONE * np.count_nonzero(seen.traces)
    is_little = np.count_nonzero(seen.traces) <= _LITTLE_INK * seen.traces.size
    return (
        _is_slim(pieces, px_per_mm)
        or (is_little and not is_one and _is_slim(largest, px_per_mm, _SLIM_PIECE))
        or (not is_one and not page.is_one_piece(seen.number))
        or _is_amid_ink(seen, page)
        or _is_fold(seen, page)
        or _is_tail(seen, page)
        or _is_part_of_more(seen, page)
    )


def _largest_of(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest piece of the ink inside a target, alone."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(ink.view(np.uint8), connectivity=8)
    stats[0, cv2.CC_STAT_AREA] = 0
    return np.asarray(ink & (pieces == stats[:, cv2.CC_STAT_AREA].argmax()))


def _is_amid_ink(seen: _Seen, page: PageInk) -> bool:
    """Whether a mark may be a letter or a line of a stamp, a seal or a comment around it."""
    first = seen.measures
    is_alone = first.outside < _SOME_AROUND and first.label_mm < _SOME_AROUND_MM
    if is_alone or first.inside >= _FILLED:
        return False
    return page.is_amid_ink(seen.number)


def _is_fold(seen: _Seen, page: PageInk) -> bool:
    """Whether the ink inside is a bar across it that a fold, however dark, explains."""
    if not _is_bar(seen.traces):
        return False
    explained = page.explain(seen.number, seen.place, seen.shift, _DEEPEST_BAR)[seen.core]
    return bool(explained[seen.traces].mean() >= _MOST_OF_BAR)


def _is_part_of_more(seen: _Seen, page: PageInk) -> bool:
    """Whether the ink inside belongs to something large around it, as a seal or a comment."""
    first = seen.measures
    is_large = first.label_mm >= _MUCH_AROUND_MM or first.extent_mm >= _LONG_MM
    return is_large and not page.is_whole(seen.number) and not page.is_cross(seen.number)


def _is_tail(seen: _Seen, page: PageInk) -> bool:
    """Whether the ink inside may be an end of a mark in another target: a tail, a cross's arm."""
    if seen.place.next_targets is None:
        return False
    ink = seen.traces
    if not ink.any() or not ((seen.added >= TRACE) & seen.place.next_targets).any():
        return False
    x0, y0, x1, y1 = seen.place.core
    left, top = seen.place.ring[0] + seen.shift[0], seen.place.ring[1] + seen.shift[1]
    core = max(left + x0, 0), max(top + y0, 0), left + x1, top + y1
    ends = page.ends_in(seen.number, core)
    return ends.shape == ink.shape and bool(ends[ink].mean() >= _MOST_OF_ENDS)


def _is_fill(ink: NDArray[np.bool_], px_per_mm: float) -> bool:
    """Whether most ink inside a target is no strokes but an area."""
    wide = cv2.morphologyEx(ink.view(np.uint8), cv2.MORPH_OPEN, disc(_SOFT_MM * px_per_mm))
    return bool(np.count_nonzero(wide) >= _FILL * np.count_nonzero(ink))


def _is_level(ink: NDArray[np.bool_]) -> bool:
    """Whether all ink inside a target lies in one thin line of some length, level or upright."""
    for across in (ink, ink.T):
        columns, rows = (np.flatnonzero(across.any(axis=axis)) for axis in (0, 1))
        height, width = across.shape
        if len(columns) > _WIDE_LINE * width and np.ptp(rows) <= _THIN * height:
            return True
    return False


def _is_slim(ink: NDArray[np.bool_], px_per_mm: float, times: float = _SLIM) -> bool:
    """Whether the ink inside a target is one straight line along the page or across it.

    A 1-bit scan shows a fold as dashes, as dark as a pen's; few strokes of a voter lie so.
    """
    short, long = sorted(cv2.boundingRect(ink.view(np.uint8))[2:])
    return long >= _LINE_MM * px_per_mm and long >= times * short


def _without_specks(ink: NDArray[np.bool_], px_per_mm: float) -> NDArray[np.bool_]:
    """The ink inside a target, where it is little, without what is too short for a stroke."""
    if np.count_nonzero(ink) > _LITTLE_INK * ink.size:
        return ink
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(ink.view(np.uint8), connectivity=8)
    sides = stats[:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1].max(axis=1)
    is_piece = sides >= _LEAST_PIECE_MM * px_per_mm
    is_piece[0] = False
    return np.asarray(is_piece[pieces])


def _is_bar(ink: NDArray[np.bool_]) -> bool:
    """Whether ink runs from one edge of a target's inside to the other, and is not high."""
    of_columns, of_rows = np.count_nonzero(ink, axis=0), np.count_nonzero(ink, axis=1)
    for along, across in ((of_columns, of_rows), (of_rows, of_columns)):
        if np.count_nonzero(along) <= _WIDE * len(along):
            continue
        rows = np.flatnonzero(across > _IN_A_ROW * len(along))
        if rows.size and rows[-1] - rows[0] <= _HIGH * len(across):
            return True
    return False


def _take_off(
    seen: _Seen, explained: NDArray[np.bool_], px_per_mm: float
) -> tuple[NDArray[np.uint8], float]:
    """The ink around a target without what has another cause.

    Inside it is taken off only where nothing is left there then: a part of what is inside proves
    nothing about the rest.

    Returns:
        What is left; and 1 where a part of the ink inside, or what it hangs together with, has
        another cause, else 0.
    """
    added, core = seen.added, seen.core
    left = added.copy()
    left[explained] = 0
    if (left[core] >= TRACE).mean() <= _NOTHING_LEFT:
        hidden = explained[core]
        if not hidden.all():
            # Shade, as a highlighter's, goes on under a fold as it is beside it.
            left[core][hidden] = round(float(left[core][~hidden].mean()))
        return left, 0.0
    ink = added >= TRACE
    count, pieces = join_strokes(ink, seen.place.known < BARE, px_per_mm)
    is_explained = np.zeros(count, bool)
    is_explained[pieces[explained & ink]] = True
    is_part = bool(is_explained[pieces[core][ink[core]]].any())
    left[core] = added[core]
    return left, float(is_part)


def _measure_strokes(inside: NDArray[np.uint8], least: int, px_per_mm: float) -> float:
    """The length of the strokes inside a target, in mm; 0 where they are paler than ``least``."""
    strokes = inside >= INK
    if not strokes.any() or np.percentile(inside[strokes], 75) < least:
        return 0.0
    # Loaded where it is needed, which is on few pages: it takes half a second and 40 MB.
    from skimage.morphology import skeletonize

    lines = skeletonize(strokes)  # type: ignore[no-untyped-call]
    _, pieces = cv2.connectedComponents(lines.astype(np.uint8), connectivity=8)
    lengths_mm = np.bincount(pieces.ravel())[1:] / px_per_mm
    return float(lengths_mm[lengths_mm >= _LEAST_PIECE_MM].sum())


def _is_touch(
    measures: TargetMeasures, added: NDArray[np.uint8], seen: _Seen, px_per_mm: float
) -> bool:
    """Whether all there is inside is a touch of the pen, or a speck.

    Not what is wide and pale, as a highlighter's mark; nor a dash of a stroke that skips.
    """
    is_small = measures.extent_mm < _LEAST_STROKE_MM and measures.inside < _TOUCH
    if not is_small or not measures.weight < min(_TOUCH, measures.inside + _NO_STROKE):
        return False
    ink = (added >= TRACE).astype(np.uint8)
    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, disc(_SKIP_MM * px_per_mm))
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    inside = np.unique(pieces[seen.core][ink[seen.core] > 0])
    sides = stats[inside[inside > 0], cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1]
    return not (sides >= _LEAST_STROKE_MM * px_per_mm).any()


def _is_shade(
    measures: TargetMeasures, added: NDArray[np.uint8], place: TargetPlace, px_per_mm: float
) -> bool:
    """Whether all there is inside is a little grey without a stroke."""
    if place.has_print or measures.inside >= _NO_STROKE:
        return False
    smooth = cv2.GaussianBlur(added, (0, 0), 0.8)
    opened = cv2.morphologyEx(smooth, cv2.MORPH_OPEN, disc(_SOFT_MM * px_per_mm))
    strokes = cv2.subtract(smooth, opened)
    x0, y0, x1, y1 = place.core
    shade = smooth[y0:y1, x0:x1]
    if shade.mean() > _PALE_SHADE or np.percentile(shade, 95) > _DARKEST_SHADE:
        return False
    inside = strokes[y0:y1, x0:x1].astype(np.float32)
    return float(np.where(inside >= _FAINT_STROKE, inside, 0).mean()) / 255.0 < _NO_STROKE
