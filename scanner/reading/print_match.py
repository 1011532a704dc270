"""How alike the print at a target is to the blank's: its label, and its contest's question.

All lines of a page are compared at once, each where it should be, and nearly all are clearly alike
there. The rest is looked for around its place; and since writing across a label spoils the
correlation but leaves all of the blank's print where it was, a line of which all print is found
counts as alike as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from scanner.reading.align import AlignedPage
from scanner.reading.ink import Tone, darkness
from scanner.reading.places import Places, find_places
from scanner.reading.print_places import ENOUGH_PRINT_PX, PrintPlace, PrintSums

PRESENT = 90
"""Darkness of the page, of 255, from which a piece of the blank's print counts as found."""
_ALL_FOUND = 0.96
"""Share of the blank's print from which all of it counts as found."""
_CLEARLY_ALIKE = 0.80
"""Correlation from which print is alike without a closer look."""
_STILL_ALIKE = 0.35
"""Less correlation than this, and the place is covered rather than written over."""
_SEARCH_PX = 2


def match_prints(
    aligned: AlignedPage,
    tone: Tone,
    around: Sequence[NDArray[np.uint8]],
    shifts: NDArray[np.intp],
) -> list[float]:
    """For each target, how alike the print of its label and of its question is, -1..1.

    Args:
        aligned: The page.
        tone: How bright paper and print are on it.
        around: Its darkness in ``PrintPlace.around`` of each of ``Places.prints``.
        shifts: How far each target lies off its place, in working pixels, shape (n, 2).
    """
    places = find_places(aligned.blank)
    offsets = [(int(x), int(y)) for x, y in shifts.tolist()] + [(0, 0)] * len(places.questions)
    quick = _compare_all(places, around, offsets).tolist()
    alike = [
        one if one >= _CLEARLY_ALIKE else _likeness(aligned, tone, picture, place, offset)
        for one, picture, place, offset in zip(quick, around, places.prints, offsets, strict=True)
    ]
    questions = alike[len(places.labels) :]
    return [
        min(label, questions[question])
        for label, question in zip(alike, places.question_of, strict=False)
    ]


def _compare_all(
    places: Places, around: Sequence[NDArray[np.uint8]], shifts: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """The smaller of how alike each print is as a whole and in its pieces, where it should be."""
    lines, end = places.lines, 0
    cut = np.empty(lines.telling.shape, np.uint8)
    for picture, place, (dx, dy) in zip(around, places.prints, shifts, strict=True):
        height, width = place.picture.shape
        top, left = place.margin + round(dy / 2), place.margin + round(dx / 2)
        start, end = end, end + width * height
        line = picture[top : top + height, left : left + width]
        cut[start:end].reshape(width, height)[:] = line.T
    cut *= lines.telling
    theirs = cut.astype(np.float32)
    ab, b, bb = (
        np.add.reduceat(values, lines.starts)
        for values in (theirs * lines.ours, theirs, theirs * theirs)
    )
    pieces = _correlate(lines.of_pieces, b, bb, ab)
    whole = _correlate(
        lines.of_whole, *(np.add.reduceat(sums, lines.first) for sums in (b, bb, ab))
    )
    return np.minimum(np.minimum.reduceat(pieces, lines.first), whole)


def _correlate(
    ours: PrintSums, b: NDArray[np.float32], bb: NDArray[np.float32], ab: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Correlations from sums, sums of squares and of products over so many pixels."""
    size = ours.sizes
    theirs = bb - b * b / size
    spread = np.sqrt(ours.spreads * np.maximum(theirs, size))
    return np.asarray((ab - ours.totals * b / size) / spread, np.float64)


def _likeness(
    aligned: AlignedPage,
    tone: Tone,
    around: NDArray[np.uint8],
    place: PrintPlace,
    shift: tuple[int, int],
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
    left, top = (place.margin + round(off / 2) - _SEARCH_PX for off in shift)
    reach = 2 * _SEARCH_PX
    page = around[top : top + height + reach, left : left + width + reach].copy()
    page[_SEARCH_PX : _SEARCH_PX + height, _SEARCH_PX : _SEARCH_PX + width] *= place.telling
    x = y = _SEARCH_PX
    alike = _correlation(page[y : y + height, x : x + width], place.ours)
    if alike < _CLEARLY_ALIKE:
        alike, x, y = _search_near(page, place.ours)
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


def _search_near(page: NDArray[np.uint8], ours: NDArray[np.float32]) -> tuple[float, int, int]:
    """The best correlation of a print with any place of a page a little larger, and that place."""
    places = sliding_window_view(page, ours.shape)
    theirs = places.reshape(-1, ours.size).astype(np.float32)
    a, count = ours.ravel(), ours.size
    total, whole = theirs.sum(axis=1), float(a.sum())
    own = np.einsum("ij,ij->i", theirs, theirs) - total * total / count
    spread = own * (float(a @ a) - whole * whole / count)
    scores = (theirs @ a - total * whole / count) / np.sqrt(np.maximum(spread, 1.0))
    best = int(scores.argmax())
    y, x = divmod(best, places.shape[1])
    return float(scores[best]), x, y


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
    there = (cv2.dilate(ink, np.ones((3, 3), np.uint8)) >= PRESENT) & place.fine_print
    edges = 2 * place.pieces
    found = np.add.reduceat(there.sum(axis=0), edges)
    whole = np.add.reduceat(place.fine_print.sum(axis=0), edges)
    return np.asarray(found / np.maximum(whole, 1))
