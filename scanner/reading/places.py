"""Where to look on a blank, worked out once for all its scans.

Around every target: the inside of its outline, the outline's own band, a ring around it, the
print of its label, and the print of its contest's question.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Box
from scanner.reading.align import Window
from scanner.reading.blank import BlankPage

SOLID = 140
"""Darkness of the blank, of 255, from which a pixel counts as print."""
SEARCH_MM = 1.3
"""How far the print at a target is looked for around its place."""
_SLACK_MM = 0.30
"""Ink this near the blank's own print is not counted: edges never lie exactly alike."""
_INSET_MM = 0.55
"""The outline's own width and a little: left out of the inside."""
_ROOMY_MM = 5.0
_RIM = 0.35
"""Share of what a target's shorter side is longer than that, which is left out at each edge."""
_BOX_MM2 = 11.6
"""Area of the inside of an ordinary printed box. People do not make larger crosses because there
is more room."""
_LEAST_FREE = 0.08
"""Share of the inside free of print from which ink is counted only there."""
_NEAR_MM = 0.6
_RING_MM = 2.2
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
class TargetPlace:
    """The surroundings of one target at working resolution."""

    ring: Window
    """The part of the page that is compared, on the form."""
    outline: NDArray[np.uint8]
    """The blank's ink in the ring, without what is inside the outline: found again on a scan."""
    known: NDArray[np.uint8]
    """The blank's ink with slack around it: ink there was not added."""
    inside: NDArray[np.intp]
    """Where ink inside the outline counts; flat indices of the ring, as the next three."""
    near: NDArray[np.intp]
    """Where ink on and beside the outline counts."""
    outside: NDArray[np.intp]
    """Where ink in the ring counts; nothing at any other target."""
    edge: NDArray[np.intp]
    """The print of the outline itself."""
    core: Window
    """The inside as a window of the ring."""
    next_targets: NDArray[np.bool_] | None
    """Where other targets lie in the ring, shape as it; None where there are none."""
    roominess: float
    """How many times the inside of an ordinary box this one's is: 1 for any smaller one."""
    print_inside: float
    """Mean darkness of the blank inside the outline, 0..255: of a number printed in a box."""


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


@dataclass(frozen=True, slots=True)
class Places:
    """All places of one page, in the order of ``BlankPage.targets``."""

    targets: tuple[TargetPlace, ...]
    centers: NDArray[np.float64]
    """The middle of each target's ring, shape (n, 2), in working pixels."""
    labels: tuple[PrintPlace, ...]
    questions: tuple[PrintPlace, ...]
    """One for each contest of the page."""
    question_of: tuple[int, ...]
    """For each target, which of ``questions`` is its own."""


@lru_cache(maxsize=512)
def find_places(blank: BlankPage) -> Places:
    """The places of a page; worked out once and kept."""
    scale = blank.px_per_mm
    shape = blank.darkness.shape
    boxes = blank.target_boxes
    at_targets = np.zeros(shape, np.uint8)
    for x0, y0, x1, y1 in (_window(box.grown(_NEAR_MM * scale), shape) for box in boxes):
        at_targets[y0:y1, x0:x1] = 1
    slack = 2 * round(_SLACK_MM * scale) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (slack, slack))
    # Half as dark again, so that grey print hides what the scanner makes of it.
    known = cv2.convertScaleAbs(cv2.dilate(blank.darkness, kernel), alpha=1.5)
    kinds = [option.shape for _, option in blank.targets]
    targets = tuple(
        _target_place(blank, box, kind, known.astype(np.uint8, copy=False), at_targets)
        for box, kind in zip(boxes, kinds, strict=True)
    )
    half = _Half(blank, at_targets)
    windows, question_of = _question_boxes(blank)
    return Places(
        targets=targets,
        centers=np.array(
            [((x0 + x1) / 2, (y0 + y1) / 2) for x0, y0, x1, y1 in (t.ring for t in targets)]
        ).reshape(-1, 2),
        labels=tuple(_label_place(half, box, boxes, scale) for box in boxes),
        questions=tuple(half.place(box) for box in windows),
        question_of=question_of,
    )


def _target_place(
    blank: BlankPage,
    box: Box,
    kind: str,
    known: NDArray[np.uint8],
    at_targets: NDArray[np.uint8],
) -> TargetPlace:
    scale = blank.px_per_mm
    shape = blank.darkness.shape
    ring = _window(box.grown(_RING_MM * scale), shape)
    core = _within(_window(_inside(box, kind, scale), shape), ring)
    near = _within(_window(box.grown(_NEAR_MM * scale), shape), ring)
    ours = blank.darkness[ring[1] : ring[3], ring[0] : ring[2]].copy()
    hidden = known[ring[1] : ring[3], ring[0] : ring[2]]
    free = hidden < SOLID - 12
    in_core, in_near = _mask(ours, core), _mask(ours, near)
    others = at_targets[ring[1] : ring[3], ring[0] : ring[2]] > 0
    next_targets = others & ~in_near
    inside = in_core & free
    if inside.sum() < _LEAST_FREE * in_core.sum():
        # Print fills the inside: count everywhere, and let ``known`` take the print off.
        inside = in_core
    return TargetPlace(
        ring=ring,
        outline=np.where(in_core, 0, ours).astype(np.uint8),
        known=hidden,
        inside=np.flatnonzero(inside),
        near=np.flatnonzero(in_near & ~in_core & free),
        outside=np.flatnonzero(~in_near & ~others & free),
        edge=np.flatnonzero((ours >= SOLID) & in_near & ~in_core),
        core=core,
        next_targets=next_targets if next_targets.any() else None,
        roominess=max(float(in_core.sum()) / (_BOX_MM2 * scale**2), 1.0),
        print_inside=float(ours[in_core].mean()),
    )


def _mask(like: NDArray[np.uint8], window: Window) -> NDArray[np.bool_]:
    mask = np.zeros(like.shape, bool)
    mask[window[1] : window[3], window[0] : window[2]] = True
    return mask


def _within(window: Window, outer: Window) -> Window:
    x0, y0 = outer[:2]
    return window[0] - x0, window[1] - y0, window[2] - x0, window[3] - y0


def _inside(box: Box, kind: str, scale: float) -> Box:
    """The part of a target that a mark has to reach: without its outline and its corners."""
    if kind in ("oval", "circle"):
        return box.grown(-0.15 * box.w - 0.1 * scale, -0.15 * box.h - 0.1 * scale)
    side = min(box.w, box.h)
    # In the cell of a table, what reaches in from the next one is that one's.
    rim = _RIM * max(side - _ROOMY_MM * scale, 0.0)
    return box.grown(-min(_INSET_MM * scale, 0.2 * side) - rim)


class _Half:
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

    def run_of_print(self, box: Box, scale: float, *, mirrored: bool = False) -> float:
        """How far a line of print runs on from the left end of a box (mirrored: from the right).

        Args:
            box: Where the line may be, in working pixels.
            scale: Working pixels in a millimetre.
            mirrored: Follow the line to the left.

        Returns:
            The length in working pixels; 0 where no print starts near enough.
        """
        x0, y0, x1, y1 = _window(box.scaled(0.5, 0.5), self.telling.shape)
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
        x0, y0, x1, y1 = _window(box.scaled(0.5, 0.5), self.telling.shape)
        length = _PIECE_MM * self.px_per_mm / 2
        margin = round(MARGIN_MM * self.px_per_mm / 2)
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
            bare=np.pad(self.bare, margin)[y0 : y1 + 2 * margin, x0 : x1 + 2 * margin],
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


def _label_place(half: _Half, box: Box, boxes: list[Box], scale: float) -> PrintPlace:
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


def _question_boxes(blank: BlankPage) -> tuple[list[Box], tuple[int, ...]]:
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


def _window(box: Box, shape: tuple[int, ...]) -> Window:
    """A box in whole pixels within a picture; never empty."""
    height, width = shape[:2]
    x0 = min(max(round(box.x), 0), width - 1)
    y0 = min(max(round(box.y), 0), height - 1)
    x1 = max(min(round(box.right), width), x0 + 1)
    y1 = max(min(round(box.bottom), height), y0 + 1)
    return x0, y0, x1, y1
