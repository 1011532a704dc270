"""Where to look on a blank, worked out once for all its scans.

Around every target: the inside of its outline, the outline's own band, a ring around it, the
print of its label, and the print of its contest's question.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Box
from scanner.reading.align import Window, nodes_over
from scanner.reading.blank import BlankPage
from scanner.reading.pieces import PieceStack
from scanner.reading.print_places import (
    SOLID,
    HalfBlank,
    PrintLines,
    PrintPlace,
    find_label,
    find_questions,
    window_of,
)
from scanner.reading.spots import EvenWindows, HalfWindows, Spots

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
_SOME_PRINT_INSIDE = 6.0
"""Mean darkness of the inside of a blank's target, of 255, from which it holds print."""
_LEAST_FREE = 0.08
"""Share of the inside free of print from which ink is counted only there."""
_NEAR_MM = 0.6
_RING_MM = 2.2
_LINE_WIDE_MM, _LINE_HIGH_MM = 12.0, 3.0
"""Around a target, the surroundings that a line of writing or of a stamp through it fills."""
_ARM_MM, _AROUND_OTHER_MM = 0.5, 1.5
"""What reaches so near to a target may be an arm of its own mark, which the outline cuts off; and
what lies so near to another may be that one's."""
_EVEN_PX = 4
"""Surroundings are whole multiples of this wide and high."""


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

    @property
    def has_print(self) -> bool:
        """Whether something is printed inside the outline."""
        return self.print_inside >= _SOME_PRINT_INSIDE


@dataclass(frozen=True, slots=True, eq=False)
class TargetStack:
    """Targets whose surroundings are of one size, to be looked at together."""

    members: NDArray[np.intp]
    """Which of the page's targets, shape (n,)."""
    places: tuple[TargetPlace, ...]
    rings: NDArray[np.intp]
    """Their windows on the form, shape (n, 4)."""
    searched: EvenWindows
    """The same, as much wider as the outlines are looked for."""
    outlines: PieceStack
    """Their outlines, looked for ``SEARCH_MM`` around their places."""
    known: NDArray[np.uint8]
    """Shape (n, h, w)."""
    hollow: NDArray[np.intp]
    """The insides; flat indices of all rings grown by that reach."""
    inside: NDArray[np.intp]
    """Where ink inside counts; flat indices of all rings."""
    inside_of: NDArray[np.intp]
    """For each of these the target, 0..n-1."""
    inside_px: NDArray[np.intp]
    """How many there are of each, shape (n,)."""
    edge: NDArray[np.intp]
    """The print of the outlines; flat indices of all rings."""
    edge_of: NDArray[np.intp]
    edge_px: NDArray[np.intp]
    roominess: NDArray[np.float64]

    @classmethod
    def of(
        cls, members: list[int], places: list[TargetPlace], reach: int, nodes: tuple[int, int]
    ) -> Self:
        """Put places of one size together."""
        known = np.stack([place.known for place in places])
        height, width = known.shape[1:]
        hollow = np.zeros((len(places), height + 2 * reach, width + 2 * reach), bool)
        for page, place in zip(hollow, places, strict=True):
            x0, y0, x1, y1 = place.core
            page[y0 + reach : y1 + reach, x0 + reach : x1 + reach] = True
        inside, inside_of = _joined([place.inside for place in places], height * width)
        edge, edge_of = _joined([place.edge for place in places], height * width)
        rings = np.array([place.ring for place in places], np.intp)
        return cls(
            members=np.array(members, np.intp),
            places=tuple(places),
            rings=rings,
            searched=EvenWindows.of(rings + np.array([-reach, -reach, reach, reach]), nodes),
            outlines=PieceStack([place.outline for place in places], reach),
            known=known,
            hollow=np.flatnonzero(hollow),
            inside=inside,
            inside_of=inside_of,
            inside_px=np.bincount(inside_of, minlength=len(places)),
            edge=edge,
            edge_of=edge_of,
            edge_px=np.bincount(edge_of, minlength=len(places)),
            roominess=np.array([place.roominess for place in places]),
        )


def _joined(
    indices: list[NDArray[np.intp]], size: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Flat indices of single pictures as those of a stack, and for each the picture."""
    owners = np.repeat(np.arange(len(indices)), [len(one) for one in indices])
    return np.concatenate(indices) + owners * size, owners


@dataclass(frozen=True, slots=True)
class Places:
    """All places of one page, in the order of ``BlankPage.targets``."""

    stacks: tuple[TargetStack, ...]
    """Its targets by the size of their surroundings."""
    targets: tuple[TargetPlace, ...]
    centers: Spots
    """The middle of each target's ring."""
    corners: Spots
    """The four corners of each target's ring."""
    labels: tuple[PrintPlace, ...]
    questions: tuple[PrintPlace, ...]
    """One for each contest of the page."""
    question_of: tuple[int, ...]
    """For each target, which of ``questions`` is its own."""
    prints: tuple[PrintPlace, ...]
    """The labels and then the questions."""
    around: HalfWindows
    """``PrintPlace.around`` of these."""
    lines: PrintLines
    """The same, to be compared all at once."""
    bare: NDArray[np.bool_]
    """``PrintPlace.bare`` of all labels, one after the other, flat."""
    bare_starts: NDArray[np.intp]
    """Where each begins."""


@lru_cache(maxsize=512)
def find_known(blank: BlankPage) -> NDArray[np.uint8]:
    """The blank's ink with slack around it, shape as its darkness: ink there was not added."""
    slack = 2 * round(_SLACK_MM * blank.px_per_mm) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (slack, slack))
    # Half as dark again, so that grey print hides what the scanner makes of it.
    known = cv2.convertScaleAbs(cv2.dilate(blank.darkness, kernel), alpha=1.5)
    return known.astype(np.uint8, copy=False)


@lru_cache(maxsize=512)
def find_places(blank: BlankPage) -> Places:
    """The places of a page; worked out once and kept."""
    scale = blank.px_per_mm
    shape = blank.darkness.shape
    boxes = blank.target_boxes
    at_targets = np.zeros(shape, np.uint8)
    for x0, y0, x1, y1 in (window_of(box.grown(_NEAR_MM * scale), shape) for box in boxes):
        at_targets[y0:y1, x0:x1] = 1
    known = find_known(blank)
    kinds = [option.shape for _, option in blank.targets]
    targets = tuple(
        _target_place(blank, box, kind, known, at_targets)
        for box, kind in zip(boxes, kinds, strict=True)
    )
    half = HalfBlank(blank, at_targets)
    windows, question_of = find_questions(blank)
    labels = tuple(find_label(half, box, boxes, scale) for box in boxes)
    questions = tuple(half.place(box) for box in windows)
    nodes = nodes_over(blank)
    rings = np.array([target.ring for target in targets], np.float64).reshape(-1, 4)
    return Places(
        stacks=_stack(targets, round(SEARCH_MM * scale), nodes),
        targets=targets,
        centers=Spots.of((rings[:, :2] + rings[:, 2:]) / 2, nodes),
        corners=Spots.of(rings[:, [0, 1, 2, 1, 0, 3, 2, 3]].reshape(-1, 2), nodes),
        labels=labels,
        questions=questions,
        question_of=question_of,
        prints=labels + questions,
        around=HalfWindows.of([place.around for place in labels + questions], nodes),
        lines=PrintLines.of(labels + questions),
        bare=np.concatenate([np.zeros(0, bool), *(label.bare.ravel() for label in labels)]),
        bare_starts=np.cumsum([0, *(label.bare.size for label in labels)])[:-1],
    )


@dataclass(frozen=True, slots=True, eq=False)
class LinePlace:
    """Where a line of writing through a target would lie."""

    window: Window
    is_own: NDArray[np.bool_]
    """Where the target is and what is next to it, shape as the window."""
    is_elsewhere: NDArray[np.bool_]
    """Where neither that is nor another target and what is around it, shape as the window."""


@lru_cache(maxsize=512)
def find_line(blank: BlankPage, number: int) -> LinePlace:
    """Where a line of writing through a target would lie."""
    scale, shape = blank.px_per_mm, blank.darkness.shape
    box = blank.target_boxes[number]
    window = window_of(box.grown(_LINE_WIDE_MM * scale, _LINE_HIGH_MM * scale), shape)
    own = window_of(box.grown(_ARM_MM * scale), shape)
    is_taken = np.zeros(shape, bool)
    for other in (*blank.target_boxes[:number], *blank.target_boxes[number + 1 :]):
        x0, y0, x1, y1 = window_of(other.grown(_AROUND_OTHER_MM * scale), shape)
        is_taken[y0:y1, x0:x1] = True
    x0, y0, x1, y1 = window
    here = is_taken[y0:y1, x0:x1]
    is_own = _mask(here, _within(own, window))
    return LinePlace(window, is_own, ~here & ~is_own)


def _stack(
    targets: Sequence[TargetPlace], reach: int, nodes: tuple[int, int]
) -> tuple[TargetStack, ...]:
    """The targets of each size of surroundings together."""
    members: dict[tuple[int, ...], list[int]] = {}
    for number, place in enumerate(targets):
        members.setdefault(place.known.shape, []).append(number)
    return tuple(
        TargetStack.of(numbers, [targets[number] for number in numbers], reach, nodes)
        for numbers in members.values()
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
    ring = _ring(box.grown(_RING_MM * scale), shape)
    core = _within(window_of(_inside(box, kind, scale), shape), ring)
    near = _within(window_of(box.grown(_NEAR_MM * scale), shape), ring)
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


def _ring(box: Box, shape: tuple[int, ...]) -> Window:
    """A window a little larger than a box, so that boxes of about one size have windows of one."""
    size = [min(-(-math.ceil(side) // _EVEN_PX) * _EVEN_PX, most) for side, most in
            zip((box.w, box.h), shape[1::-1], strict=True)]  # fmt: skip
    x0, y0 = (
        min(max(round(at), 0), most - side)
        for at, side, most in zip((box.x, box.y), size, shape[1::-1], strict=True)
    )
    return x0, y0, x0 + size[0], y0 + size[1]


def _mask(like: NDArray[np.generic], window: Window) -> NDArray[np.bool_]:
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
