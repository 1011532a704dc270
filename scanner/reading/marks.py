"""The ink at each target. This room measures and decides nothing.

What counts is ink that was *added*: the page is compared with the blank at the same place, with
a little slack around the blank's own print, so that neither the outline nor a number printed
inside a box is taken for a mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.ballot import TargetMeasures
from scanner.reading.align import AlignedPage, nodes_over
from scanner.reading.blank import BlankPage
from scanner.reading.ink import Tone, darkness
from scanner.reading.label_marks import measure_words
from scanner.reading.places import Places, TargetPlace, TargetStack, find_places
from scanner.reading.print_match import PRESENT, match_prints
from scanner.reading.print_places import PrintPlace
from scanner.reading.residual import bound_residuals
from scanner.reading.spots import Spots
from scanner.reading.stray import comes_from_elsewhere, find_streaks, is_line_through

INKED = 80
"""Added darkness, of 255, from which a pixel counts as ink wherever it is."""
_LIGHT_INK = 55
"""A thinner or lighter line counts from here, if it stands out from what is around it: grey
that fills the whole inside evenly is the other side showing through, or a shadow."""
_STANDS_OUT = 30
_FAINTLY_STANDS_OUT = 15
_SOME_SHADE = 0.01
"""Weight that is looked into: less of it is nobody's mark, however light."""
_PRINT_GAIN = 1.3
"""So much darker than is usual on its page, a number in a box may be without a mark on it."""
_MOST_SWEPT = 0.7
"""Share of the inside that streaks may hide: one, with its soft edges, hides half of a box."""
_STREAK_GAIN, _STREAK_MORE = 3.0, 20.0
"""A thin streak is so many times as dark as it is on average, and so many levels more."""
_CLEAR_OF_STREAKS = 0.2
"""So much of the inside under ink beside them is a mark all the same."""
_WHOLE_OUTLINE = 0.7
"""An outline is thin: a poor scan breaks it, and so much of it is as good as all."""
_FEW_PX = 1 << 18
"""In fewer pixels there are fewer pieces of ink than 16 bits can number, which is twice as fast."""
_FOUND_AGAIN = 0.5
"""Correlation below which the print at a target says nothing about where it lies."""


@dataclass(frozen=True, slots=True)
class MeasuredPage:
    """All targets of one page, measured."""

    targets: tuple[TargetMeasures, ...]
    """In the order of ``BlankPage.targets``."""
    covered: tuple[bool, ...]
    """Whether the scan has paper at each target."""
    centers: NDArray[np.float64]
    """Where the middle of each target was measured, in pixels of the scan, shape (n, 2)."""
    streaks: NDArray[np.uint8] | None
    """From :func:`~scanner.reading.stray.find_streaks`: shape as ``AlignedPage.small``."""
    surroundings: Mapping[int, tuple[NDArray[np.uint8], tuple[int, int]]] = field(
        default_factory=dict
    )
    """By number of the target: the darkness added in its ring, and how far that lay off its place,
    x and y in working pixels."""


def find_tone(aligned: AlignedPage) -> Tone:
    """How bright paper and print are on an aligned page."""
    points = aligned.to_small(_find_print(aligned.blank))
    return Tone.of_scan(aligned.small, points[:4], points[4:])


@lru_cache(maxsize=512)
def _find_print(blank: BlankPage) -> Spots:
    """The corners of a page and some of its solid print."""
    right, bottom = blank.width_px - 1.0, blank.height_px - 1.0
    page = np.array([(0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom)])
    return Spots.of(np.vstack([page, blank.print_points]), nodes_over(blank))


def measure_marks(aligned: AlignedPage, tone: Tone) -> MeasuredPage:
    """Measure every target of an aligned page."""
    blank = aligned.blank
    places = find_places(blank)
    streaks = find_streaks(aligned.small)
    if not places.targets:
        return MeasuredPage((), (), np.empty((0, 2)), streaks)
    papers = tone.paper_at(aligned.to_small(places.centers))
    shifts = np.zeros((len(places.targets), 2), np.intp)
    found_at = np.zeros(len(places.targets), bool)
    side = 2 * places.stacks[0].outlines.reach + 1
    fits = np.zeros((len(places.targets), side, side), np.float32)
    print_inside = np.zeros(len(places.targets))
    measured: dict[int, TargetMeasures] = {}
    surroundings: dict[int, tuple[NDArray[np.uint8], tuple[int, int]]] = {}
    for stack in places.stacks:
        found = _settle(aligned, stack, papers[stack.members], tone.black)
        shifts[stack.members] = found.shifts
        fits[stack.members], found_at[stack.members] = found.scores, found.is_found
        print_inside[stack.members] = list(map(_print_inside, found.ink, stack.places))
        hidden_by = {} if streaks is None else _sweep(aligned, streaks, stack, found)
        for number, added, shift in zip(stack.members, found.added, found.shifts, strict=True):
            surroundings[int(number)] = added, (int(shift[0]), int(shift[1]))
        measures = list(_measure(stack, found, blank.px_per_mm))
        for place, whole in hidden_by.items():
            if measures[place].inside < _CLEAR_OF_STREAKS:
                again = measure_again(whole, stack.places[place], measures[place], blank.px_per_mm)
                measures[place] = replace(again, through=float(again.inside > 0))
        measured |= zip(stack.members.tolist(), measures, strict=True)
    half = darkness(aligned.small, tone.paper, tone.black)
    around = aligned.half_crops(half, places.around)
    match = match_prints(aligned, tone, around, shifts)
    hidden = _ink_on_print(print_inside, places.targets).tolist()
    residuals = bound_residuals(fits, shifts, found_at, places.centers.points, aligned.spread_px)
    written = _find_writing(around, places)
    targets = tuple(
        replace(
            measured[number],
            weight=max(measured[number].weight, hidden[number]),
            label_mm=written[number][0] / (blank.px_per_mm / 2),
            residual_mm=float(residuals[number]) / blank.px_per_mm,
            print_match=max(min(match[number], measured[number].print_match), 0.0),
        )
        for number in range(len(places.labels))
    )
    centers = np.array([box.center for box in blank.target_boxes]) - 0.5
    targets = measure_words(aligned, tone, targets, [share for _, share in written])
    measured_at = aligned.to_scan(centers + shifts)
    return MeasuredPage(targets, _covered(aligned), measured_at, streaks, surroundings)


def measure_again(
    added: NDArray[np.uint8], place: TargetPlace, first: TargetMeasures, px_per_mm: float
) -> TargetMeasures:
    """The measures of a target when some of the ink around it is left out.

    Args:
        added: The darkness added in its ring, without that ink.
        place: The target's place.
        first: Its measures with that ink.
        px_per_mm: Pixels of the ring in a millimetre.
    """
    mean = _share(added, place.inside) / 255.0
    weight = _weight(added, place, mean, px_per_mm) if place.roominess > 1.0 else mean
    if place.has_print:
        # A dot on a number shows in its weight alone, compared with the other numbers.
        weight = first.weight
    bare = replace(first, inside=0.0, outline=0.0, outside=0.0, extent_mm=0.0, through=0.0)
    return _measure_ink(added, place, replace(bare, weight=weight), px_per_mm)


@dataclass(frozen=True, slots=True, eq=False)
class _Settled:
    """The surroundings of the targets of one stack, as they were found on the scan."""

    ink: NDArray[np.uint8]
    """Darkness, shape (n, h, w)."""
    added: NDArray[np.uint8]
    """The darkness that the blank does not have there, shape (n, h, w)."""
    shifts: NDArray[np.intp]
    """How far each lay off its place, x and y in pixels, shape (n, 2)."""
    scores: NDArray[np.floating]
    """How well each outline fits around its place, shape (n, 2 r + 1, 2 r + 1)."""
    is_found: NDArray[np.bool_]
    """Whether the outline was found, shape (n,)."""


def _settle(
    aligned: AlignedPage, stack: TargetStack, papers: NDArray[np.float64], black: float
) -> _Settled:
    """The ink around targets, each where it lies: the alignment is good, but not to a pixel.

    The outline and the print next to it are looked for around their place; what is inside the
    outline is left out on both sides, since that is where voters write.

    Args:
        aligned: The page.
        stack: Targets of one size.
        papers: The brightness of paper at each.
        black: The brightness of print.
    """
    reach = stack.outlines.reach
    count, height, width = stack.known.shape
    wide = aligned.even_crops(stack.searched)
    for gray, paper in zip(wide, papers.tolist(), strict=True):
        darkness(gray, paper, black, into=gray)
    hollow = wide.copy()
    hollow.ravel()[stack.hollow] = 0
    fits = stack.outlines.find(hollow)
    scores = fits.reshape(count, -1)
    best = scores.argmax(axis=1)
    y, x = np.divmod(best, 2 * reach + 1)
    is_found = scores[np.arange(count), best] >= _FOUND_AGAIN
    x, y = np.where(is_found, x, reach), np.where(is_found, y, reach)
    ink = np.empty_like(stack.known)
    for number, (left, top) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
        ink[number] = wide[number, top : top + height, left : left + width]
    added = cv2.subtract(ink.reshape(-1, width), stack.known.reshape(-1, width))
    shifts = np.stack([x, y], axis=1) - reach
    bare = added.reshape(ink.shape).astype(np.uint8, copy=False)
    return _Settled(ink, bare, shifts, fits, np.asarray(is_found))


def _measure(stack: TargetStack, found: _Settled, px_per_mm: float) -> Iterator[TargetMeasures]:
    """What is measured at each target of a stack, but for its label and its print."""
    count = len(stack.members)
    values = found.added.ravel()[stack.inside]
    means = np.bincount(stack.inside_of, values, minlength=count) / stack.inside_px
    values[values < _FAINTLY_STANDS_OUT] = 0
    shades = np.bincount(stack.inside_of, values, minlength=count) / stack.inside_px
    is_shaded = (stack.roominess > 1.0) & (shades * stack.roominess >= _SOME_SHADE * 255.0)
    is_there = found.ink.ravel()[stack.edge] >= PRESENT
    there = np.bincount(stack.edge_of, is_there, minlength=count)
    outline = np.where(stack.edge_px > 0, there / np.maximum(stack.edge_px, 1), 1.0)
    whole = np.minimum(outline / _WHOLE_OUTLINE, 1.0).tolist()
    weights = (means / 255.0).tolist()
    has_ink = (found.added.reshape(count, -1).max(axis=1) >= _LIGHT_INK).tolist()
    for number, place in enumerate(stack.places):
        here: NDArray[np.uint8] = found.added[number]
        weight = weights[number]
        if is_shaded[number]:
            weight = _weight(here, place, weight, px_per_mm)
        bare = TargetMeasures(
            inside=0.0,
            weight=weight,
            outline=0.0,
            outside=0.0,
            label_mm=0.0,
            extent_mm=0.0,
            through=0.0,
            residual_mm=0.0,
            print_match=whole[number],
        )
        yield _measure_ink(here, place, bare, px_per_mm) if has_ink[number] else bare


def _measure_ink(
    added: NDArray[np.uint8], place: TargetPlace, bare: TargetMeasures, px_per_mm: float
) -> TargetMeasures:
    """The measures of a target around which there is ink, given those without it."""
    values = added.ravel()[place.inside]
    limit = _stroke_limit(values)
    strokes = (added >= limit).view(np.uint8)
    inside = _share_of_strokes(values, place, limit)
    if inside > 1.0:
        # More than an ordinary box is full of them: their weight is how dark they are.
        inside, weight = 1.0, float(values[values >= limit].mean()) / 255.0
        bare = replace(bare, weight=min(weight, bare.weight))
    is_stray = inside > 0 and comes_from_elsewhere(strokes, place, inside, px_per_mm)
    return replace(
        bare,
        inside=inside,
        outline=_share(strokes, place.near),
        outside=_share(strokes, place.outside),
        extent_mm=_extent(strokes, place) / px_per_mm if inside > 0 else 0.0,
        through=float(is_stray),
    )


def _sweep(
    aligned: AlignedPage, streaks: NDArray[np.uint8], stack: TargetStack, found: _Settled
) -> dict[int, NDArray[np.uint8]]:
    """Take off the ink that lies under streaks and is not clearly darker than they are.

    Where only shade is left inside, as a highlighter's, it goes on under the streak as beside it.

    Returns:
        For the targets of the stack of which they hide so much that a mark may be lost with them,
        the ink before.
    """
    height, width = stack.known.shape[1:]
    windows = stack.rings + np.tile(found.shifts, 2)
    halves = windows // 2 + (0, 0, 2, 2)
    pieces = aligned.half_crops(streaks, [(a, b, c, d) for a, b, c, d in halves.tolist()])
    hidden = {}
    for number, (place, added, piece, (left, top, *_)) in enumerate(
        zip(stack.places, found.added, pieces, windows % 2, strict=True)
    ):
        whole = np.repeat(np.repeat(piece, 2, axis=0), 2, axis=1)
        levels = whole[top : top + height, left : left + width].astype(np.float32)
        swept = (levels > 0) & (added <= _STREAK_GAIN * levels + _STREAK_MORE)
        is_hidden = swept.ravel()[place.inside]
        if is_hidden.mean() > _MOST_SWEPT:
            hidden[number] = added.copy()
        added[swept] = 0
        seen = added.ravel()[place.inside[~is_hidden]]
        if seen.size and seen.max() < _LIGHT_INK:
            added.ravel()[place.inside[is_hidden]] = round(float(seen.mean()))
    return hidden


def _stroke_limit(values: NDArray[np.uint8]) -> float:
    """Added darkness from which ink is a stroke of a pen: dark, or light but standing out.

    Args:
        values: The darkness added inside the target.
    """
    if not values.size:
        return float(INKED)
    around = float(np.partition(values, values.size // 2)[values.size // 2])
    return min(max(around + _STANDS_OUT, _LIGHT_INK), INKED)


def _share_of_strokes(values: NDArray[np.uint8], place: TargetPlace, limit: float) -> float:
    """Share of the inside of an ordinary box that strokes of a pen cover; more in a roomy cell."""
    if not values.size:
        return 0.0
    return float(np.count_nonzero(values >= limit)) / values.size * place.roominess


def _weight(added: NDArray[np.uint8], place: TargetPlace, mean: float, px_per_mm: float) -> float:
    """The weight of a roomy target: that of what stands out from the rest of its inside.

    A fold along a row of a table stands out in each of its cells, but runs through them.
    """
    values = added.ravel()[place.inside]
    limit = float(np.partition(values, values.size // 2)[values.size // 2]) + _FAINTLY_STANDS_OUT
    stands_out = float(values[values >= limit].sum()) / values.size / 255.0
    if stands_out * place.roominess <= mean or is_line_through(added >= limit, place, px_per_mm):
        return mean
    return min(stands_out * place.roominess, 1.0)


def _print_inside(ink: NDArray[np.uint8], place: TargetPlace) -> float:
    """Mean darkness inside the outline where the blank has print there, else 0."""
    if not place.has_print:
        return 0.0
    x0, y0, x1, y1 = place.core
    return float(ink[y0:y1, x0:x1].mean())


def _ink_on_print(found: NDArray[np.float64], places: Sequence[TargetPlace]) -> NDArray[np.float64]:
    """How much darker than the print in it each inside is, 0..1; 0 where there is none.

    A dot on a number leaves no ink beside it that could be told from the number's own edge, but
    makes it darker as a whole, which neither blur nor a small shift does. Ink spreads alike in
    all numbers of a page, so what is usual on it is no mark.
    """
    own = np.array([place.print_inside for place in places])
    has_print = np.array([place.has_print for place in places])
    if not has_print.any():
        return np.zeros(len(places))
    gain = max(float(np.median(found[has_print] / own[has_print])), 1.0)
    more = found - _PRINT_GAIN * gain * own
    return np.where(has_print, np.maximum(more, 0.0) / 255.0, 0.0)


def _share(ink: NDArray[np.uint8], where: NDArray[np.intp]) -> float:
    """Mean of ``ink`` at flat indices; 0 where there are none."""
    return float(ink.ravel()[where].sum()) / where.size if where.size else 0.0


def _extent(strokes: NDArray[np.uint8], place: TargetPlace) -> float:
    """Longer side, in pixels, of the largest piece of ink that touches the inside."""
    kind = cv2.CV_16U if strokes.size < _FEW_PX else cv2.CV_32S
    count, labels, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8, ltype=kind)
    x0, y0, x1, y1 = place.core
    touches = np.zeros(count, bool)
    touches[labels[y0:y1, x0:x1]] = True
    touches[0] = False
    sides = stats[touches][:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    return float(sides.max(initial=0))


def _find_writing(around: Sequence[NDArray[np.uint8]], places: Places) -> list[tuple[float, float]]:
    """The ink around each label, as :func:`_written_on` gives it."""
    count = len(places.labels)
    inked = np.concatenate([picture.ravel() for picture in around[:count]]) >= INKED
    inked &= places.bare
    has_ink = np.logical_or.reduceat(inked, places.bare_starts).tolist()
    starts = places.bare_starts.tolist()
    return [
        _written_on(inked[start : start + place.bare.size].reshape(place.bare.shape), place)
        if has_some
        else (0.0, 0.0)
        for place, start, has_some in zip(places.labels, starts, has_ink, strict=True)
    ]


def _written_on(inked: NDArray[np.bool_], place: PrintPlace) -> tuple[float, float]:
    """The ink around a label.

    Returns:
        The longer side of its largest piece, in half-size pixels; and the share of the columns of
        the label's window that have ink.
    """
    left, top, width, height = cv2.boundingRect(inked.view(np.uint8))
    written = inked[top : top + height, left : left + width].astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(written, connectivity=8)
    longest = float(stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max())
    line = inked[place.margin : -place.margin, place.margin : -place.margin]
    return longest, float(line.any(axis=0).mean())


def _covered(aligned: AlignedPage) -> tuple[bool, ...]:
    """Whether the scan has paper at all four corners of each target."""
    corners = find_places(aligned.blank).corners
    covered = np.asarray(aligned.covers(corners).reshape(-1, 4).all(axis=1))
    return tuple(covered.tolist())
