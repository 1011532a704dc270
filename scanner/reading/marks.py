"""The ink at each target. This room measures and decides nothing.

What counts is ink that was *added*: the page is compared with the blank at the same place, with
a little slack around the blank's own print, so that neither the outline nor a number printed
inside a box is taken for a mark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.ballot import TargetMeasures
from scanner.reading.align import AlignedPage, Window
from scanner.reading.ink import Tone, darkness
from scanner.reading.places import ENOUGH_PRINT_PX, SEARCH_MM, PrintPlace, TargetPlace, find_places
from scanner.reading.stray import comes_from_elsewhere, find_streaks, is_line_through

INKED = 80
"""Added darkness, of 255, from which a pixel counts as ink wherever it is."""
_LIGHT_INK = 55
"""A thinner or lighter line counts from here, if it stands out from what is around it: grey
that fills the whole inside evenly is the other side showing through, or a shadow."""
_STANDS_OUT = 30
_FAINTLY_STANDS_OUT = 15
_SOME_PRINT_INSIDE = 6.0
"""Mean darkness of the inside of a blank's target, of 255, from which it holds print."""
_PRINT_GAIN = 1.3
"""So much darker than is usual on its page, a number in a box may be without a mark on it."""
_PRESENT = 90
"""Darkness of the page, of 255, from which a piece of the blank's print counts as found."""
_ALL_FOUND = 0.96
"""Share of the blank's print from which all of it counts as found."""
_CLEARLY_ALIKE = 0.88
"""Correlation from which print is alike without a closer look."""
_STILL_ALIKE = 0.35
"""Less correlation than this, and the place is covered rather than written over."""
_WHOLE_OUTLINE = 0.7
"""An outline is thin: a poor scan breaks it, and so much of it is as good as all."""
_FOUND_AGAIN = 0.5
"""Correlation below which the print at a target says nothing about where it lies."""
_LABEL_SEARCH_PX = 2


@dataclass(frozen=True, slots=True)
class MeasuredPage:
    """All targets of one page, measured."""

    targets: tuple[TargetMeasures, ...]
    """In the order of ``BlankPage.targets``."""
    covered: tuple[bool, ...]
    """Whether the scan has paper at each target."""


def find_tone(aligned: AlignedPage) -> Tone:
    """How bright paper and print are on an aligned page."""
    blank = aligned.blank
    right, bottom = blank.width_px - 1.0, blank.height_px - 1.0
    page = np.array([(0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom)])
    points = aligned.to_small(np.vstack([page, blank.print_points]))
    return Tone.of_scan(aligned.small, points[:4], points[4:])


def measure_marks(aligned: AlignedPage, tone: Tone) -> MeasuredPage:
    """Measure every target of an aligned page."""
    blank = aligned.blank
    places = find_places(blank)
    if not places.targets:
        return MeasuredPage((), ())
    half = darkness(aligned.small, tone.paper, tone.black)
    prints = [*places.labels, *places.questions]
    around = aligned.half_crops(half, [place.around for place in prints])
    labels, questions = around[: len(places.labels)], around[len(places.labels) :]
    alike = [
        _likeness(aligned, tone, picture, place)
        for picture, place in zip(questions, places.questions, strict=True)
    ]
    targets: list[TargetMeasures] = []
    print_inside = np.zeros(len(places.targets))
    reach = round(SEARCH_MM * blank.px_per_mm)
    windows = [_grown(place.ring, reach) for place in places.targets]
    grays = aligned.crops(windows)
    papers = tone.paper_at(aligned.to_small(places.centers))
    streaks = find_streaks(aligned.small)
    swept = None if streaks is None else _under_streaks(aligned, streaks, windows)
    for number, (place, label) in enumerate(zip(places.targets, places.labels, strict=True)):
        ink = darkness(grays[number], float(papers[number]), tone.black)
        ink, shift = _settle(ink, place, reach)
        match = min(
            _likeness(aligned, tone, labels[number], label, shift),
            alike[places.question_of[number]],
        )
        added = cv2.subtract(ink, place.known).astype(np.uint8, copy=False)
        if swept is not None:
            (dx, dy), (height, width) = shift, added.shape
            under = swept[number][reach + dy : reach + dy + height, reach + dx :][:, :width]
            added[under > 0] = 0
        limit = _stroke_limit(added, place)
        inked = (added >= INKED).astype(np.uint8)
        strokes = (added >= limit).astype(np.uint8)
        outline = min(_share(ink >= _PRESENT, place.edge, empty=1.0) / _WHOLE_OUTLINE, 1.0)
        inside = _share_of_strokes(added, place, limit)
        print_inside[number] = _print_inside(ink, place)
        targets.append(
            TargetMeasures(
                inside=inside,
                weight=_weight(added, place, blank.px_per_mm),
                outline=_share(inked, place.near),
                outside=_share(inked, place.outside),
                label_mm=_written_on(labels[number], label) / (blank.px_per_mm / 2),
                extent_mm=_extent(strokes, place) / blank.px_per_mm if inside > 0 else 0.0,
                through=float(
                    inside > 0 and comes_from_elsewhere(strokes, place, inside, blank.px_per_mm)
                ),
                residual_mm=math.hypot(*shift) / blank.px_per_mm,
                print_match=max(min(match, outline), 0.0),
            )
        )
    hidden = _ink_on_print(print_inside, places.targets)
    return MeasuredPage(
        tuple(
            replace(measures, weight=max(measures.weight, float(share)))
            for measures, share in zip(targets, hidden, strict=True)
        ),
        _covered(aligned),
    )


def _under_streaks(
    aligned: AlignedPage, streaks: NDArray[np.bool_], windows: Sequence[Window]
) -> list[NDArray[np.uint8]]:
    """Where streaks run over windows of the form; at working resolution."""
    mask = streaks.astype(np.uint8) * np.uint8(255)
    halves = [(a // 2, b // 2, (c + 1) // 2 + 1, (d + 1) // 2 + 1) for a, b, c, d in windows]
    swept = []
    for (x0, y0, x1, y1), half, piece in zip(
        windows, halves, aligned.half_crops(mask, halves), strict=True
    ):
        whole = np.repeat(np.repeat(piece, 2, axis=0), 2, axis=1)
        left, top = x0 - 2 * half[0], y0 - 2 * half[1]
        swept.append(whole[top : top + y1 - y0, left : left + x1 - x0])
    return swept


def _grown(window: Window, reach: int) -> Window:
    x0, y0, x1, y1 = window
    return x0 - reach, y0 - reach, x1 + reach, y1 + reach


def _settle(
    ink: NDArray[np.uint8], place: TargetPlace, reach: int
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """The ink around one target, and by how many pixels it lay off its place, in x and y.

    The outline and the print next to it are looked for around their place; what is inside the
    outline is left out on both sides, since that is where voters write.

    Args:
        ink: The ring around the target with a margin, from the scan.
        place: The target's place.
        reach: Width of the margin in pixels.
    """
    x0, y0, x1, y1 = place.ring
    hollow = ink.copy()
    a0, b0, a1, b1 = place.core
    hollow[b0 + reach : b1 + reach, a0 + reach : a1 + reach] = 0
    score = cv2.matchTemplate(hollow, place.outline, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(score)
    if not np.isfinite(best) or best < _FOUND_AGAIN:
        x, y = reach, reach
    return ink[y : y + y1 - y0, x : x + x1 - x0], (x - reach, y - reach)


def _stroke_limit(added: NDArray[np.uint8], place: TargetPlace) -> float:
    """Added darkness from which ink is a stroke of a pen: dark, or light but standing out."""
    if not place.inside.size:
        return float(INKED)
    values = added.ravel()[place.inside]
    around = float(np.partition(values, values.size // 2)[values.size // 2])
    return min(max(around + _STANDS_OUT, _LIGHT_INK), INKED)


def _share_of_strokes(added: NDArray[np.uint8], place: TargetPlace, limit: float) -> float:
    """Share of the inside under a stroke of a pen."""
    if not place.inside.size:
        return 0.0
    values = added.ravel()[place.inside]
    share = float(np.count_nonzero(values >= limit)) / values.size
    return min(share * place.roominess, 1.0)


def _weight(added: NDArray[np.uint8], place: TargetPlace, px_per_mm: float) -> float:
    """Mean darkness of the inside; in a roomy one, that of what stands out from the rest.

    A fold along a row of a table stands out in each of its cells, but runs through them.
    """
    mean = _share(added, place.inside) / 255.0
    if place.roominess == 1.0 or not place.inside.size:
        return mean
    values = added.ravel()[place.inside]
    limit = float(np.partition(values, values.size // 2)[values.size // 2]) + _FAINTLY_STANDS_OUT
    stands_out = float(values[values >= limit].sum()) / values.size / 255.0
    if stands_out * place.roominess <= mean or is_line_through(added >= limit, place, px_per_mm):
        return mean
    return min(stands_out * place.roominess, 1.0)


def _print_inside(ink: NDArray[np.uint8], place: TargetPlace) -> float:
    """Mean darkness inside the outline where the blank has print there, else 0."""
    if place.print_inside < _SOME_PRINT_INSIDE:
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
    has_print = own >= _SOME_PRINT_INSIDE
    if not has_print.any():
        return np.zeros(len(places))
    gain = max(float(np.median(found[has_print] / own[has_print])), 1.0)
    more = found - _PRINT_GAIN * gain * own
    return np.where(has_print, np.maximum(more, 0.0) / 255.0, 0.0)


def _share(
    ink: NDArray[np.uint8] | NDArray[np.bool_], where: NDArray[np.intp], *, empty: float = 0.0
) -> float:
    """Mean of ``ink`` at flat indices; ``empty`` where there are none."""
    return float(ink.ravel()[where].sum()) / where.size if where.size else empty


def _extent(strokes: NDArray[np.uint8], place: TargetPlace) -> float:
    """Longer side, in pixels, of the largest piece of ink that touches the inside."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8)
    x0, y0, x1, y1 = place.core
    touching = np.unique(labels[y0:y1, x0:x1])
    touching = touching[touching > 0]
    if touching.size == 0:
        return 0.0
    return float(stats[touching][:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max())


def _likeness(
    aligned: AlignedPage,
    tone: Tone,
    around: NDArray[np.uint8],
    place: PrintPlace,
    shift: tuple[int, int] = (0, 0),
) -> float:
    """How alike the print of a place is to the blank's: correlation, -1..1; 1 where none is.

    Writing across a label spoils the correlation, but leaves all of the blank's print where it
    was; other print does not. So where all of it is found, that counts as alike.

    Args:
        aligned: The page.
        tone: How bright paper and print are on it.
        around: Its darkness in ``place.around``.
        place: Where to look.
        shift: How far the target that the print belongs to lies off, in working pixels.
    """
    if place.print_px < ENOUGH_PRINT_PX:
        return 1.0
    height, width = place.picture.shape
    left, top = (place.margin + round(off / 2) - _LABEL_SEARCH_PX for off in shift)
    reach = 2 * _LABEL_SEARCH_PX
    page = around[top : top + height + reach, left : left + width + reach].copy()
    page[
        _LABEL_SEARCH_PX : _LABEL_SEARCH_PX + height, _LABEL_SEARCH_PX : _LABEL_SEARCH_PX + width
    ] *= place.telling
    x = y = _LABEL_SEARCH_PX
    alike = _correlation(page[y : y + height, x : x + width], place.ours)
    if alike < _CLEARLY_ALIKE:
        score = cv2.matchTemplate(page, place.picture, cv2.TM_CCOEFF_NORMED)
        _, alike, _, (x, y) = cv2.minMaxLoc(score)
    if not np.isfinite(alike) or alike < _STILL_ALIKE:
        return 0.0
    pieces = np.array([alike])
    if len(place.pieces) > 1:
        pieces = _alike_by_piece(page[y : y + height, x : x + width], place)
        for index in np.flatnonzero(pieces < _CLEARLY_ALIKE):
            pieces[index] = _search_piece(page, place, int(index))
    if pieces.min() < _CLEARLY_ALIKE:
        found = _found_by_piece(aligned, tone, place, shift)
        pieces = np.where(found >= _ALL_FOUND, np.maximum(pieces, found), pieces)
    return float(pieces.min())


def _correlation(theirs: NDArray[np.uint8], ours: NDArray[np.float32]) -> float:
    """The correlation of two pictures of one shape; 0 where one of them is even."""
    a, b = theirs.ravel().astype(np.float32), ours.ravel()
    count, total, whole = a.size, float(a.sum()), float(b.sum())
    spread = (float(a @ a) - total * total / count) * (float(b @ b) - whole * whole / count)
    return (float(a @ b) - total * whole / count) / math.sqrt(spread) if spread > 1.0 else 0.0


def _alike_by_piece(page: NDArray[np.uint8], place: PrintPlace) -> NDArray[np.float64]:
    """The correlation of each piece of a line of print, about a word long.

    Two names that begin alike are alike as a whole: the piece where they differ tells.
    """
    theirs = page.astype(np.float32)
    columns = np.stack([theirs, theirs * theirs, theirs * place.ours]).sum(axis=1)
    b, bb, ab = np.add.reduceat(columns, place.pieces, axis=1) / place.piece_sizes
    a, spread = place.piece_means, place.piece_spreads
    alike = (ab - a * b) / (spread * np.sqrt(np.maximum(bb - b * b, 1.0)))
    return np.asarray(alike, np.float64)


def _search_piece(page: NDArray[np.uint8], place: PrintPlace, index: int) -> float:
    """The correlation of one piece where it is best, within the margin around the line."""
    margin = page.shape[1] - place.picture.shape[1]
    edges = [*place.pieces, place.picture.shape[1]]
    start, end = edges[index], edges[index + 1]
    score = cv2.matchTemplate(
        page[:, start : end + margin], place.picture[:, start:end], cv2.TM_CCOEFF_NORMED
    ).max()
    return float(score) if np.isfinite(score) else 0.0


def _found_by_piece(
    aligned: AlignedPage, tone: Tone, place: PrintPlace, shift: tuple[int, int]
) -> NDArray[np.float64]:
    """The share of the blank's print in each piece that is on the page, to within a pixel."""
    x0, y0, x1, y1 = place.fine_window
    dx, dy = shift
    gray = aligned.crop((x0 + dx, y0 + dy, x1 + dx, y1 + dy))
    center = np.array([[(x0 + x1) / 2, (y0 + y1) / 2]])
    paper = float(tone.paper_at(aligned.to_small(center))[0])
    ink = darkness(gray, paper, tone.black)
    there = (cv2.dilate(ink, np.ones((3, 3), np.uint8)) >= _PRESENT) & place.fine_print
    edges = 2 * place.pieces
    found = np.add.reduceat(there.sum(axis=0), edges)
    whole = np.add.reduceat(place.fine_print.sum(axis=0), edges)
    return np.asarray(found / np.maximum(whole, 1))


def _written_on(around: NDArray[np.uint8], place: PrintPlace) -> float:
    """Longer side, in half-size pixels, of the largest piece of ink around a label."""
    inked = (around >= INKED) & place.bare
    if not inked.any():
        return 0.0
    _, _, stats, _ = cv2.connectedComponentsWithStats(inked.astype(np.uint8), connectivity=8)
    return float(stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max())


def _covered(aligned: AlignedPage) -> tuple[bool, ...]:
    """Whether the scan has paper at all four corners of each target."""
    windows: list[Window] = [place.ring for place in find_places(aligned.blank).targets]
    if not windows:
        return ()
    corners = np.array([[(a, b), (c, b), (a, d), (c, d)] for a, b, c, d in windows], float)
    covered = aligned.covers(corners.reshape(-1, 2)).reshape(-1, 4)
    return tuple(bool(four.all()) for four in covered)
