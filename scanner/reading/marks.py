"""The ink at each target. This room measures and decides nothing.

What counts is ink that was *added*: the page is compared with the blank at the same place, with
a little slack around the blank's own print, so that neither the outline nor a number printed
inside a box is taken for a mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.ballot import TargetMeasures
from scanner.geometry import Box
from scanner.reading.align import AlignedPage
from scanner.reading.blank import BlankPage
from scanner.reading.ink import darkness, paper_level, print_level

INKED = 80
"""Added darkness, of 255, from which a pixel counts as ink: a light pencil line reaches it."""
_PRESENT = 90
"""Darkness of the page, of 255, from which a piece of the blank's print counts as found."""
_SOLID = 140
"""Darkness of the blank, of 255, from which a pixel counts as print."""
_SLACK_MM = 0.30
"""Ink this near the blank's own print is not counted: edges never lie exactly alike."""
_INSET_MM = 0.55
"""The outline's own width and a little: left out of the inside."""
_NEAR_MM = 0.6
_RING_MM = 2.2
_RULED_MM = 8.0
"""A straight line of print longer than this is a rule, not a letter."""
_RESIDUAL_REACH_MM = 1.3
_CONTEXT_MM = ((3.0, 1.2, 22.0), (8.0, 4.0, 30.0), (15.0, 10.0, 40.0))
"""Print looked at around a target: to the left, above and below, and to the right; wider
windows serve where the narrower one holds too little print."""
_ENOUGH_PRINT_PX = 45
_QUESTION_MM = 9.0
_ALL_FOUND = 0.96
"""Share of the blank's print from which all of it counts as found."""
_STILL_ALIKE = 0.35
"""Less correlation than this, and the place is covered rather than written over."""
_WHOLE_OUTLINE = 0.7
_WORTH_MOVING_PX = 2
_FOUND_AGAIN = 0.5
"""Correlation below which the print at a target says nothing about where it lies."""


@dataclass(frozen=True, slots=True)
class _Places:
    """Where to look on a blank; the same for every scan of it. Arrays have a row per target."""

    inside: NDArray[np.int32]
    """x0, y0, x1, y1 of the inside, working pixels."""
    near: NDArray[np.int32]
    ring: NDArray[np.int32]
    context: NDArray[np.int32]
    questions: NDArray[np.int32]
    """As above, with a row per contest: the place of the question's print."""
    question_of: NDArray[np.int32]
    """The row of ``questions`` for each target."""
    free: NDArray[np.uint8]
    """1 where added ink is counted, 0 on and beside the blank's own print; page-sized."""
    beside: NDArray[np.uint8]
    """As ``free``, and 0 as well at every target: what is counted in the rings."""
    open: NDArray[np.uint8]
    """0 inside the outlines, where voters write, 1 elsewhere; page-sized."""
    telling: NDArray[np.uint8]
    """1 where print tells one place from another: not at a target, not on a ruled line."""
    labels: NDArray[np.uint8]
    """1 on the blank's print that belongs to no outline; page-sized."""
    outlines: NDArray[np.uint8]
    """1 on the print of the outlines; page-sized."""


@dataclass(frozen=True, slots=True)
class MeasuredPage:
    """All targets of one page, measured."""

    targets: tuple[TargetMeasures, ...]
    """In the order of ``BlankPage.targets``."""
    covered: tuple[bool, ...]
    """Whether the scan has paper at each target."""
    darkness: NDArray[np.uint8]
    """The page's ink, 0..255, at working resolution."""


def measure_marks(aligned: AlignedPage) -> MeasuredPage:
    """Measure every target of an aligned page."""
    blank = aligned.blank
    places = _places(blank)
    black = print_level(aligned.gray, blank.darkness)
    laid = darkness(aligned.gray, paper_level(aligned.gray), black)
    shifts, residuals = _find_targets(blank, laid, places)
    page = _settle(laid, shifts, places)
    slack = 2 * round(_SLACK_MM * blank.px_per_mm) + 1
    added = cv2.subtract(page, _widened(blank, slack)).astype(np.uint8, copy=False)
    inked = (added >= INKED).astype(np.uint8)
    inside = _mean(inked & places.free, places.free, places.inside)
    weight = _mean(added * places.free, places.free, places.inside) / 255.0
    near = _rest(inked & places.free, places.free, places.near, places.inside)
    ring = _rest(inked & places.beside, places.beside, places.ring, places.near)
    label = _mean(inked & places.beside, places.beside, places.context)
    match = _print_match(blank, page, places)
    targets = tuple(
        TargetMeasures(
            inside=float(inside[i]),
            weight=float(weight[i]),
            outline=float(near[i]),
            outside=float(ring[i]),
            label=float(label[i]),
            extent_mm=_extent(inked, places, i) / blank.px_per_mm if inside[i] > 0 else 0.0,
            residual_mm=float(residuals[i] / blank.px_per_mm),
            print_match=float(match[i]),
        )
        for i in range(len(blank.targets))
    )
    return MeasuredPage(targets, _covered(aligned, places), laid)


@lru_cache(maxsize=64)
def _widened(blank: BlankPage, slack: int) -> NDArray[np.uint8]:
    """The blank's ink with slack around it, twice as dark so that grey print is covered too."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (slack, slack))
    return cv2.convertScaleAbs(cv2.dilate(blank.darkness, kernel), alpha=1.5).astype(
        np.uint8, copy=False
    )


@lru_cache(maxsize=64)
def _places(blank: BlankPage) -> _Places:
    scale = blank.px_per_mm
    shape = blank.darkness.shape
    boxes = blank.target_boxes
    shapes = [option.shape for _, option in blank.targets]
    slack = 2 * round(_SLACK_MM * scale) + 1
    free = (_widened(blank, slack) < 128).astype(np.uint8)
    at_targets = np.zeros(shape, np.uint8)
    for left, top, right, bottom in _pixels([box.grown(_NEAR_MM * scale) for box in boxes], shape):
        at_targets[top:bottom, left:right] = 1
    inside = _pixels(
        [_inside(box, kind, scale) for box, kind in zip(boxes, shapes, strict=True)], shape
    )
    hollow = np.zeros(shape, np.uint8)
    for left, top, right, bottom in inside:
        hollow[top:bottom, left:right] = 1
    solid = (blank.darkness >= _SOLID).astype(np.uint8)
    telling = (1 - at_targets) & (1 - _rules(blank, solid))
    labels = solid & telling
    questions, question_of = _questions(blank)
    return _Places(
        inside=inside,
        near=_pixels([box.grown(_NEAR_MM * scale) for box in boxes], shape),
        ring=_pixels([box.grown(_RING_MM * scale) for box in boxes], shape),
        context=_contexts(boxes, labels, scale),
        questions=questions,
        question_of=question_of,
        free=free,
        beside=free & (1 - at_targets),
        labels=labels,
        open=1 - hollow,
        telling=telling,
        outlines=solid & at_targets & (1 - hollow),
    )


def _rules(blank: BlankPage, solid: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """1 on long ruled lines and close to them: they look alike anywhere and tell nothing."""
    length = round(_RULED_MM * blank.px_per_mm)
    rules = np.zeros_like(solid)
    for size in ((length, 1), (1, length)):
        kernel = cv2.getStructuringElement(cv2.MORPH_RECT, size)
        rules |= cv2.morphologyEx(solid, cv2.MORPH_OPEN, kernel)
    return cv2.dilate(rules, np.ones((5, 5), np.uint8)).astype(np.uint8, copy=False)


def _inside(box: Box, shape: str, scale: float) -> Box:
    """The part of a target that a mark has to reach: without its outline and its corners."""
    if shape in ("oval", "circle"):
        return box.grown(-0.15 * box.w, -0.15 * box.h).grown(-0.1 * scale)
    inset = min(_INSET_MM * scale, 0.2 * min(box.w, box.h))
    return box.grown(-inset)


def _contexts(boxes: list[Box], labels: NDArray[np.uint8], scale: float) -> NDArray[np.int32]:
    """The window around each target with enough print in it to know it again."""
    contexts = np.zeros((len(boxes), 4), np.int32)
    undone = np.ones(len(boxes), bool)
    for left, above, right in _CONTEXT_MM:
        windows = _pixels(
            [
                Box(
                    box.x - left * scale,
                    box.y - above * scale,
                    box.w + (left + right) * scale,
                    box.h + 2 * above * scale,
                )
                for box in boxes
            ],
            labels.shape,
        )
        contexts[undone] = windows[undone]
        undone &= _sums(labels, windows) < _ENOUGH_PRINT_PX
    return contexts


def _questions(blank: BlankPage) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where the print of each contest's question is: above it, or left of it in a table.

    Options side by side make a row: its question is what stands left of it up to the next
    target or the edge. Else it is what stands above, up to the next target.
    """
    scale = blank.px_per_mm
    names = [contest.id for contest, _ in blank.targets]
    order = list(dict.fromkeys(names))
    boxes = blank.target_boxes
    windows = []
    for name in order:
        own = [box for box, owner in zip(boxes, names, strict=True) if owner == name]
        others = [box for box, owner in zip(boxes, names, strict=True) if owner != name]
        left, top = min(box.x for box in own), min(box.y for box in own)
        right, bottom = max(box.right for box in own), max(box.bottom for box in own)
        if bottom - top < 1.8 * max(box.h for box in own) and len(own) > 1:
            beside = [o.right for o in others if o.right <= left and o.y < bottom and top < o.bottom]
            edge = max(beside, default=0.0)
            row = Box(edge, top - 0.5 * scale, left - edge, bottom - top + scale)
            if row.w > _QUESTION_MM * scale:
                windows.append(row)
                continue
        above = [o.bottom for o in others if o.bottom <= top and o.x < right and left < o.right]
        ceiling = max([top - _QUESTION_MM * scale, *above])
        windows.append(Box(left, ceiling, right - left + 22 * scale, top - ceiling - 0.5 * scale))
    rows = {name: row for row, name in enumerate(order)}
    return (
        _pixels(windows, blank.darkness.shape),
        np.array([rows[name] for name in names], np.int32),
    )


def _pixels(boxes: list[Box], shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Boxes as x0, y0, x1, y1 in whole pixels within the page; never empty."""
    rows = np.array([[b.x, b.y, b.right, b.bottom] for b in boxes], float).reshape(-1, 4)
    corners = np.rint(rows).astype(np.int32)
    height, width = shape[:2]
    corners[:, 0] = corners[:, 0].clip(0, width - 1)
    corners[:, 1] = corners[:, 1].clip(0, height - 1)
    corners[:, 2] = np.maximum(corners[:, 2].clip(0, width), corners[:, 0] + 1)
    corners[:, 3] = np.maximum(corners[:, 3].clip(0, height), corners[:, 1] + 1)
    return corners


def _sums(picture: NDArray[np.uint8], windows: NDArray[np.int32]) -> NDArray[np.float64]:
    """The sum of a page-sized picture over each window, by a summed-area table."""
    table = cv2.integral(picture, sdepth=cv2.CV_32S)
    x0, y0, x1, y1 = windows.T
    sums = table[y1, x1].astype(np.int64) - table[y0, x1] - table[y1, x0] + table[y0, x0]
    return sums.astype(np.float64)


def _mean(
    picture: NDArray[np.uint8],
    weights: NDArray[np.uint8],
    windows: NDArray[np.int32],
    *,
    empty: float = 0.0,
) -> NDArray[np.float64]:
    """Sum of ``picture`` over sum of ``weights`` in each window; ``empty`` where there is none."""
    over, under = _sums(picture, windows), _sums(weights, windows)
    return np.where(under > 0, over / np.maximum(under, 1), empty)


def _rest(
    picture: NDArray[np.uint8],
    weights: NDArray[np.uint8],
    outer: NDArray[np.int32],
    inner: NDArray[np.int32],
) -> NDArray[np.float64]:
    """As ``_mean``, in the outer window without the inner one."""
    over = _sums(picture, outer) - _sums(picture, inner)
    under = _sums(weights, outer) - _sums(weights, inner)
    return np.where(under > 0, over / np.maximum(under, 1), 0.0)


def _extent(inked: NDArray[np.uint8], places: _Places, index: int) -> float:
    """Longer side, in pixels, of the largest piece of ink that touches the inside."""
    x0, y0, x1, y1 = places.ring[index]
    window = inked[y0:y1, x0:x1]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(window, connectivity=8)
    a0, b0, a1, b1 = places.inside[index]
    touching = np.unique(labels[b0 - y0 : b1 - y0, a0 - x0 : a1 - x0])
    touching = touching[touching > 0]
    if touching.size == 0:
        return 0.0
    return float(stats[touching][:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max())


def _find_targets(
    blank: BlankPage, page: NDArray[np.uint8], places: _Places
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Where the print at each target lies: its shift in x and y, and how far that is, in pixels.

    The target's outline and the print next to it are looked for around their place; what is
    inside the outlines is left out on both sides, since that is where voters write.
    """
    reach = round(_RESIDUAL_REACH_MM * blank.px_per_mm)
    found = _search(_hollow(blank), page * places.open, places.ring, reach)
    shifts = np.array([(x, y) if best >= _FOUND_AGAIN else (0, 0) for best, x, y in found])
    shifts = shifts.reshape(-1, 2).astype(np.int32)
    return shifts, np.hypot(shifts[:, 0], shifts[:, 1])


def _settle(
    page: NDArray[np.uint8], shifts: NDArray[np.int32], places: _Places
) -> NDArray[np.uint8]:
    """The page with the surroundings of each target moved to where the blank has them."""
    moved = np.flatnonzero(np.abs(shifts).max(axis=1, initial=0) >= _WORTH_MOVING_PX)
    if moved.size == 0:
        return page
    settled = page.copy()
    height, width = page.shape
    for windows in (places.context, places.ring):
        for index in moved:
            dx, dy = shifts[index]
            x0, y0, x1, y1 = windows[index]
            x0, y0 = max(x0, -dx, 0), max(y0, -dy, 0)
            x1, y1 = min(x1, width - dx), min(y1, height - dy)
            settled[y0:y1, x0:x1] = page[y0 + dy : y1 + dy, x0 + dx : x1 + dx]
    return settled


def _print_match(
    blank: BlankPage, page: NDArray[np.uint8], places: _Places
) -> NDArray[np.float64]:
    """How alike the print at each target is to the blank's, 0..1.

    The worst of three: the label beside it, the question it belongs to, and its own outline.
    """
    found = (cv2.dilate(page, np.ones((3, 3), np.uint8)) >= _PRESENT).astype(np.uint8)
    telling = cv2.pyrDown(page * places.telling).astype(np.uint8, copy=False)
    labels = _likeness(blank, found, telling, places.context)
    questions = _likeness(blank, found, telling, places.questions)[places.question_of]
    outlines = _mean(found & places.outlines, places.outlines, places.near, empty=1.0)
    # An outline is thin: a poor scan breaks it, and half of it is as good as all.
    outlines = np.minimum(outlines / _WHOLE_OUTLINE, 1.0)
    return np.minimum(np.minimum(labels, questions), outlines).clip(0.0, 1.0)


def _likeness(
    blank: BlankPage,
    found: NDArray[np.uint8],
    telling: NDArray[np.uint8],
    windows: NDArray[np.int32],
) -> NDArray[np.float64]:
    """How alike the print in each window is to the blank's: correlation, at half resolution.

    Writing across a label spoils the correlation, but leaves all of the blank's print in its
    place; other print does not. So where all of it is found, that counts as alike.
    """
    places = _places(blank)
    alike = np.array(
        [best for best, _, _ in _search(_labels_alone(blank), telling, windows // 2, 2)]
    )
    whole = _mean(found & places.labels, places.labels, windows, empty=1.0)
    written_over = (whole >= _ALL_FOUND) & (alike >= _STILL_ALIKE)
    return np.where(written_over, np.maximum(alike, whole), alike)


def _search(
    ours: NDArray[np.uint8], theirs: NDArray[np.uint8], windows: NDArray[np.int32], reach: int
) -> list[tuple[float, int, int]]:
    """The best correlation of each window of ``ours`` within ``reach`` pixels on ``theirs``.

    Returns:
        For each window: the coefficient, and by how much x and y are off; 1, 0, 0 where the
        window holds nothing to compare.
    """
    wide = cv2.copyMakeBorder(theirs, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
    found = []
    for x0, y0, x1, y1 in windows:
        piece = ours[y0:y1, x0:x1]
        if piece.max(initial=0) < _SOLID:
            found.append((1.0, 0, 0))
            continue
        window = wide[y0 : y1 + 2 * reach, x0 : x1 + 2 * reach]
        score = cv2.matchTemplate(window, piece, cv2.TM_CCOEFF_NORMED)
        _, best, _, (x, y) = cv2.minMaxLoc(score)
        found.append((best, x - reach, y - reach) if np.isfinite(best) else (0.0, 0, 0))
    return found


@lru_cache(maxsize=64)
def _hollow(blank: BlankPage) -> NDArray[np.uint8]:
    """The blank's ink without what is inside the outlines."""
    return blank.darkness * _places(blank).open


@lru_cache(maxsize=64)
def _labels_alone(blank: BlankPage) -> NDArray[np.uint8]:
    """The blank's print that tells one place from another, at half resolution."""
    return cv2.pyrDown(blank.darkness * _places(blank).telling).astype(np.uint8, copy=False)


def _covered(aligned: AlignedPage, places: _Places) -> tuple[bool, ...]:
    full = np.full_like(aligned.covered, 1)
    share = _mean((aligned.covered > 0).astype(np.uint8), full, places.near)
    return tuple(bool(value > 0.98) for value in share)
