"""Where a blank has print that tells one target from another: labels and questions.

At half the working resolution, where letters can still be told and noise is averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Box
from scanner.reading.align import Window
from scanner.reading.blank import BlankPage

SOLID = 140
"""Darkness of the blank, of 255, from which a pixel counts as print."""
_RULED_MM = 8.0
"""A straight line of print longer than this is a rule, not a letter."""
_BESIDE_MM = 8.0
"""A label starts no further than this from its target."""
_GAP_MM = 5.0
"""A gap in a line of print wider than this ends the label."""
_LONGEST_LABEL_MM = 70.0
_LINE_MM = 1.2
"""Print this far above and below a target is still on its line."""
_AROUND_MM = ((8.0, 4.0, 30.0), (15.0, 10.0, 40.0))
"""Where there is no label beside a target: how far to look to the left, above and below, and
to the right; the wider window serves where the narrower one holds too little print."""
_HALF_SOLID = 100
"""As SOLID, at half resolution, where a thin stroke is never quite black."""
_BARE = 35
"""Darkness of the blank up to which there is no print, not even a hairline that is grey at this
resolution and may come out darker on a scan."""
_EDGE_MM = 5.0
"""So near the edge of the paper no writing is looked for: scanners make a dark border there."""
ENOUGH_PRINT_PX = 10
"""At half resolution."""
MARGIN_MM = 2.4
"""A circle around a label, or a line under it, lies this near to it; no print is further off."""
_PIECE_MM = 7.0
_QUESTION_MM = 9.0
_RIGHT_OF_OPTIONS_MM = 22.0


@dataclass(frozen=True, slots=True)
class PrintPlace:
    """A window of the form with print that tells it from others, at half resolution."""

    window: Window
    """In pixels of the half-size blank."""
    picture: NDArray[np.uint8]
    """The blank's darkness there, without targets and ruled lines."""
    telling: NDArray[np.uint8]
    """1 where print is compared, 0 at targets and on ruled lines."""
    print_px: int
    """How many of its pixels are print."""
    pieces: NDArray[np.intp]
    """The first column of each piece of the line, about a word long and with print in it."""
    ours: NDArray[np.float32]
    """``picture`` as numbers to reckon with."""
    piece_sizes: NDArray[np.float32]
    """Pixels of each piece, and of its print the mean and the spread."""
    piece_means: NDArray[np.float32]
    piece_spreads: NDArray[np.float32]
    fine_window: Window
    """The same window at full working resolution."""
    fine_print: NDArray[np.bool_]
    """Where the blank has print there."""
    around: Window
    """The window with a margin of ``MARGIN_MM``, where print and writing are looked for."""
    margin: int
    """That margin, at half resolution."""
    bare: NDArray[np.bool_]
    """Where in ``around`` the blank has paper without print."""


@dataclass(frozen=True, slots=True, eq=False)
class PrintSums:
    """The pixels of each of some pieces of print, and sums of their darkness."""

    sizes: NDArray[np.float32]
    totals: NDArray[np.float32]
    spreads: NDArray[np.float32]
    """The sum of the squared distances from the mean; 1 for each pixel at the least."""

    @classmethod
    def of(
        cls, sizes: NDArray[np.float32], totals: NDArray[np.float32], squares: NDArray[np.float32]
    ) -> Self:
        """From pixels, sums of darkness and sums of its squares."""
        return cls(sizes, totals, np.maximum(squares - totals * totals / sizes, sizes))


@dataclass(frozen=True, slots=True, eq=False)
class PrintLines:
    """The print of several places, one after the other and each column by column.

    So every piece of a line, about a word long, is one run of pixels.
    """

    telling: NDArray[np.uint8]
    """1 where print is compared; shape (n,), as the next."""
    ours: NDArray[np.float32]
    """The blank's darkness."""
    starts: NDArray[np.intp]
    """Where each piece begins."""
    first: NDArray[np.intp]
    """For each place, the number of its first piece."""
    of_pieces: PrintSums
    of_whole: PrintSums
    """The same of each place as a whole."""

    @classmethod
    def of(cls, places: Sequence[PrintPlace]) -> Self:
        """Put places one after the other."""
        ends = np.cumsum([0, *(place.ours.size for place in places)])
        none = np.empty(0)
        starts = [
            end + place.pieces * len(place.ours) for end, place in zip(ends, places, strict=False)
        ]
        first = np.cumsum([0, *(len(p.pieces) for p in places)])[:-1].astype(np.intp)
        sizes, means, spreads = (
            np.concatenate([none, *values]).astype(np.float32)
            for values in (
                [p.piece_sizes for p in places],
                [p.piece_means for p in places],
                [p.piece_spreads for p in places],
            )
        )
        sums = sizes, means * sizes, (spreads**2 + means**2) * sizes
        return cls(
            telling=np.concatenate([none, *(p.telling.T.ravel() for p in places)]).astype(np.uint8),
            ours=np.concatenate([none, *(p.ours.T.ravel() for p in places)]).astype(np.float32),
            starts=np.concatenate([none, *starts]).astype(np.intp),
            first=first,
            of_pieces=PrintSums.of(*sums),
            of_whole=PrintSums.of(*(np.add.reduceat(one, first) for one in sums)),
        )


class HalfBlank:
    """The blank at half resolution, with what tells one place from another."""

    def __init__(self, blank: BlankPage, at_targets: NDArray[np.uint8]) -> None:
        self.px_per_mm = blank.px_per_mm
        size = (blank.half.shape[1], blank.half.shape[0])
        solid = (blank.darkness >= SOLID).astype(np.uint8)
        hidden = at_targets | _rules(solid, round(_RULED_MM * blank.px_per_mm))
        self.fine_print = (solid > 0) & (hidden == 0)
        self.telling = (cv2.resize(hidden, size, interpolation=cv2.INTER_AREA) == 0).astype(
            np.uint8
        )
        ink = cv2.resize(blank.darkness, size, interpolation=cv2.INTER_AREA)
        self.picture = (ink * self.telling).astype(np.uint8, copy=False)
        self.print = self.picture >= _HALF_SOLID
        around = cv2.dilate(ink, np.ones((3, 3), np.uint8))
        self.bare = (around < _BARE) & (self.telling > 0)
        edge = round(_EDGE_MM * blank.px_per_mm / 2)
        self.bare[:edge] = self.bare[-edge:] = False
        self.bare[:, :edge] = self.bare[:, -edge:] = False
        self._margin = round(MARGIN_MM * blank.px_per_mm / 2)
        self._framed = np.pad(self.bare, self._margin)

    def run_of_print(self, box: Box, scale: float, *, mirrored: bool = False) -> float:
        """How far a line of print runs on from the left end of a box (mirrored: from the right).

        Args:
            box: Where the line may be, in working pixels.
            scale: Working pixels in a millimetre.
            mirrored: Follow the line to the left.

        Returns:
            The length in working pixels; 0 where no print starts near enough.
        """
        x0, y0, x1, y1 = window_of(box.scaled(0.5, 0.5), self.telling.shape)
        columns = np.flatnonzero(self.print[y0:y1, x0:x1].any(axis=0))
        if mirrored:
            columns = (x1 - x0 - 1) - columns[::-1]
        if columns.size == 0 or columns[0] > _BESIDE_MM * scale / 2:
            return 0.0
        breaks = np.flatnonzero(np.diff(columns) > _GAP_MM * scale / 2)
        end = columns[breaks[0]] if breaks.size else columns[-1]
        return 2.0 * float(end + 1)

    def place(self, box: Box, *, in_pieces: bool = False) -> PrintPlace:
        """The place of a box that is given in working pixels."""
        x0, y0, x1, y1 = window_of(box.scaled(0.5, 0.5), self.telling.shape)
        length = _PIECE_MM * self.px_per_mm / 2
        margin = self._margin
        picture = np.ascontiguousarray(self.picture[y0:y1, x0:x1])
        pieces = _pieces(self.print[y0:y1, x0:x1], length if in_pieces else np.inf)
        ours = picture.astype(np.float32)
        sizes = (np.diff([*pieces, x1 - x0]) * (y1 - y0)).astype(np.float32)
        columns = np.stack([ours, ours * ours]).sum(axis=1)
        means, squares = np.add.reduceat(columns, pieces, axis=1) / sizes
        return PrintPlace(
            window=(x0, y0, x1, y1),
            picture=picture,
            telling=self.telling[y0:y1, x0:x1],
            print_px=int(self.print[y0:y1, x0:x1].sum()),
            pieces=pieces,
            ours=ours,
            piece_sizes=sizes,
            piece_means=means,
            piece_spreads=np.sqrt(np.maximum(squares - means * means, 1.0)),
            fine_window=(2 * x0, 2 * y0, 2 * x1, 2 * y1),
            fine_print=self.fine_print[2 * y0 : 2 * y1, 2 * x0 : 2 * x1],
            around=(x0 - margin, y0 - margin, x1 + margin, y1 + margin),
            margin=margin,
            bare=self._framed[y0 : y1 + 2 * margin, x0 : x1 + 2 * margin].copy(),
        )


def _pieces(printed: NDArray[np.bool_], length_px: float) -> NDArray[np.intp]:
    """Where a line of print is cut into pieces, each with enough print to be compared."""
    ink = printed.sum(axis=0)
    starts, since = [0], 0
    for column in range(len(ink)):
        since += int(ink[column])
        left = int(ink[column + 1 :].sum())
        long_enough = column + 1 - starts[-1] >= length_px
        if long_enough and since >= ENOUGH_PRINT_PX and left >= ENOUGH_PRINT_PX:
            starts.append(column + 1)
            since = 0
    return np.array(starts, np.intp)


def _rules(solid: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """1 on long ruled lines and close to them: they look alike anywhere and tell nothing."""
    rules = np.zeros_like(solid)
    for size in ((length, 1), (1, length)):
        kernel = cv2.getStructuringElement(cv2.MORPH_RECT, size)
        rules |= cv2.morphologyEx(solid, cv2.MORPH_OPEN, kernel).astype(np.uint8, copy=False)
    return cv2.dilate(rules, np.ones((5, 5), np.uint8)).astype(np.uint8, copy=False)


def find_label(half: HalfBlank, box: Box, boxes: list[Box], scale: float) -> PrintPlace:
    """The print by which a target is known: its label to the right or left, else what is near."""
    line = box.grown(0, _LINE_MM * scale)
    reach = _LONGEST_LABEL_MM * scale
    on_line = [other for other in boxes if other.y < box.bottom and box.y < other.bottom]
    after = min([reach, *(other.x - box.right for other in on_line if other.x >= box.right)])
    right = half.run_of_print(Box(line.right, line.y, after, line.h), scale)
    windows = [Box(line.x, line.y, line.w + right, line.h)]
    before = min(
        [reach, box.x, *(box.x - other.right for other in on_line if other.right <= box.x)]
    )
    left = half.run_of_print(Box(line.x - before, line.y, before, line.h), scale, mirrored=True)
    windows.append(Box(line.x - left, line.y, line.w + left, line.h))
    places = [half.place(window, in_pieces=True) for window in windows]
    for to_left, above, to_right in _AROUND_MM:
        around = box.grown(0, above * scale)
        places.append(
            half.place(
                Box(
                    box.x - to_left * scale,
                    around.y,
                    box.w + (to_left + to_right) * scale,
                    around.h,
                )
            )
        )
    return next((place for place in places if place.print_px >= ENOUGH_PRINT_PX), places[-1])


def find_questions(blank: BlankPage) -> tuple[list[Box], tuple[int, ...]]:
    """Where the print of each contest's question is: above it, or left of it in a table.

    Options side by side make a row: its question is what stands left of it up to the next
    target or the edge, if that is wide enough. Else it is what stands above, up to the next
    target.
    """
    names = [contest.id for contest, _ in blank.targets]
    rows = {name: row for row, name in enumerate(dict.fromkeys(names))}
    boxes = []
    for name in rows:
        own = [box for box, owner in zip(blank.target_boxes, names, strict=True) if owner == name]
        others = [
            box for box, owner in zip(blank.target_boxes, names, strict=True) if owner != name
        ]
        boxes.append(_question_box(own, others, blank.px_per_mm))
    return boxes, tuple(rows[name] for name in names)


def _question_box(own: list[Box], others: list[Box], scale: float) -> Box:
    left, top = min(box.x for box in own), min(box.y for box in own)
    right, bottom = max(box.right for box in own), max(box.bottom for box in own)
    is_row = len(own) > 1 and bottom - top < 1.8 * max(box.h for box in own)
    if is_row:
        beside = [o.right for o in others if o.right <= left and o.y < bottom and top < o.bottom]
        edge = max(beside, default=0.0)
        if left - edge > _QUESTION_MM * scale:
            return Box(edge, top - 0.5 * scale, left - edge, bottom - top + scale)
    above = [o.bottom for o in others if o.bottom <= top and o.x < right and left < o.right]
    ceiling = max([top - _QUESTION_MM * scale, *above])
    width = right - left + _RIGHT_OF_OPTIONS_MM * scale
    return Box(left, ceiling, width, max(top - ceiling - 0.5 * scale, 1.0))


def window_of(box: Box, shape: tuple[int, ...]) -> Window:
    """A box in whole pixels within a picture; never empty."""
    height, width = shape[:2]
    x0 = min(max(round(box.x), 0), width - 1)
    y0 = min(max(round(box.y), 0), height - 1)
    x1 = max(min(round(box.right), width), x0 + 1)
    y1 = max(min(round(box.bottom), height), y0 + 1)
    return x0, y0, x1, y1
