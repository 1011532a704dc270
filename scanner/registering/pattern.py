"""A small piece of print, and the places on a page that look like it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Box
from scanner.registering.found import Shape
from scanner.registering.outlines import Mask, Outline, as_rows, overlaps
from scanner.registering.view import SideView

LEAST_OF_RING = 0.82
"""Share of the pattern's outline that must be inked."""

_MATCH_DPI = 120.0
_MARGIN_MM = 0.5
_LEAST_CORRELATION = 0.45
_TOUCH_MM = 0.12
_SECTORS = 12
_LEAST_OF_SECTOR = 0.5
_MOST_ADDED = 0.06
_LEAST_IN_ONE_PIECE = 0.75
_MOST_BESIDE_RING = 0.3
_MOST_AROUND = 0.4
_BLOCKED_SECTOR = 0.8
_MOST_BLOCKED_SECTORS = 2
_BESIDE_MM = (0.3, 0.85)
_CLEAR_MM = 0.15
_SAME_PLACE = 0.4
_IN_LINE_MM = 0.7
_ANOTHER = 0.3
_LEAST_FIT = 0.85
_SAME_SIZE = 0.06
_SAME_SIZE_MM = 0.35
_MOST_PEAKS = 3000


@dataclass(frozen=True)
class Pattern:
    """What an example looks like: a patch of ink with the box in it."""

    box: Box
    """Within the patch, in pixels."""
    ink: Mask
    """The patch: the box and a margin of white around it."""
    ring: NDArray[np.bool_]
    """Pixels that must be ink: the outline, or all of it where there is no outline."""
    beside: NDArray[np.bool_]
    """Pixels inside, near the outline, that must be white."""
    inside: NDArray[np.bool_]
    """All pixels within the outline, as far as they do not touch it."""
    around: NDArray[np.bool_]
    """Pixels beyond the outline that are white on most sides."""
    outline: Outline | None
    """In pixels of the side that the pattern was taken from."""
    outline_dpi: float
    dpi: float
    """Of the patch."""
    shape: Shape
    hole: NDArray[np.bool_]
    """Pixels within the outline about which nothing is said; none of them if the inside counts."""


@dataclass(frozen=True, slots=True)
class Match:
    """A place that looks like a pattern."""

    box: Box
    """In pixels of the view."""
    sure: float
    """0..1: how much of the outline is inked."""
    is_clean: bool
    """Whether as little stands inside as in the pattern."""


def match_pattern(
    view: SideView,
    pattern: Pattern,
    least_of_ring: float = LEAST_OF_RING,
    beside: Sequence[Box] | None = None,
) -> Iterator[Match]:
    """Places of a side that look like the pattern, each once, the likest first.

    Args:
        view: The side.
        pattern: What is sought.
        least_of_ring: Share of the pattern's outline that must be inked.
        beside: If given, only places level with one of these or straight above or below it count.
    """
    scale = view.dpi / pattern.dpi
    scaled = pattern if abs(scale - 1) < 0.01 else _rescale(pattern, scale, view.dpi)
    touched = _swell(view.ink, view.px(_TOUCH_MM))
    others = _other_outlines(view, scaled)
    taken = np.zeros((0, 4))
    places = _peaks(view, scaled)
    if beside is not None:
        places = places[in_line(view, places + scaled.box.center, beside)]
    for x, y in places:
        place = _refine(view.ink, scaled, int(x), int(y))
        box = Box(scaled.box.x + place[0], scaled.box.y + place[1], scaled.box.w, scaled.box.h)
        if (overlaps(box, taken) > _SAME_PLACE).any() or (overlaps(box, others) > _ANOTHER).any():
            continue
        sure = _compare(view, touched, scaled, place)
        if sure >= least_of_ring:
            taken = np.vstack([taken, as_rows([box])])
            yield Match(box, sure, _is_clean(view, scaled, place))


def in_line(
    view: SideView, centers: NDArray[np.float64], others: Sequence[Box]
) -> NDArray[np.bool_]:
    """Which points stand level with the middle of one of the boxes, or straight above or below it.

    Args:
        view: The side.
        centers: Points in pixels of the view, shape (n, 2).
        others: Boxes in pixels of the view.
    """
    if not others:
        return np.zeros(len(centers), np.bool_)
    known = np.array([box.center for box in others])
    off = np.abs(np.asarray(centers, np.float64)[:, None, :] - known[None, :, :]).min(axis=2)
    return np.asarray((off <= view.px(_IN_LINE_MM)).any(axis=1))


def unlikeness(one: Outline, other: Outline, view: SideView, scale: float = 1.0) -> float:
    """How much two outlines differ in width, height and line; up to 1 is what print and scan do.

    Args:
        one: An outline of the view.
        other: What it should look like.
        view: The side of the first.
        scale: Pixels of the view for a pixel of the other's side.
    """
    slack = max(view.px(_SAME_SIZE_MM), 2.0)
    width, height, line = other.box.w * scale, other.box.h * scale, other.line * scale
    off = (
        (one.box.w - width) / max(slack, _SAME_SIZE * width),
        (one.box.h - height) / max(slack, _SAME_SIZE * height),
        (one.line - line) / max(1.5, 0.4 * line),
    )
    return float(sum(part**2 for part in off)) / 2


def is_like(one: Outline, other: Outline, view: SideView, scale: float = 1.0) -> bool:
    """Whether two outlines have one shape and nearly one size; see :func:`unlikeness`."""
    same_shape = (one.shape == "box") == (other.shape == "box")
    return same_shape and one.fit >= _LEAST_FIT and unlikeness(one, other, view, scale) <= 1.0


def make_pattern(view: SideView, box: Box, outline: Outline | None) -> Pattern:
    """The pattern of a box in pixels of the view, and of its outline where it has one."""
    margin = max(2, round(view.px(_MARGIN_MM)))
    left, top = int(box.x) - margin, int(box.y) - margin
    patch = _cut(view.ink, left, top, (round(box.h) + 2 * margin, round(box.w) + 2 * margin))
    own = Box(box.x - left, box.y - top, box.w, box.h)
    dark, in_box = patch > 0, _filled(own, patch.shape)
    around = ~_filled(own.grown(view.px(_CLEAR_MM)), patch.shape) & ~dark
    if outline is None:
        ring = dark & in_box
        beside = inside = in_box & (_swell(patch, view.px(_BESIDE_MM[0])) == 0)
    else:
        core, near, far = (
            _within(own.grown(-max(outline.lines) - view.px(mm)), patch.shape, outline.shape)
            for mm in (_TOUCH_MM, *_BESIDE_MM)
        )
        ring, beside, inside = dark & in_box & ~core, near & ~far & ~dark, near
    # Letters in the margin belong to the example only, not to what is alike.
    clean = np.where(in_box, patch, 0).astype(np.uint8)
    shape: Shape = "box" if outline is None else outline.shape
    hole = np.zeros_like(ring)
    return Pattern(
        own, clean, ring, beside, inside, around, outline, view.dpi, view.dpi, shape, hole
    )


def with_open_inside(pattern: Pattern) -> Pattern:
    """The pattern for which it does not matter what stands inside the outline."""
    nothing = np.zeros_like(pattern.ring)
    return replace(pattern, beside=nothing, inside=nothing, hole=pattern.inside)


def _other_outlines(view: SideView, pattern: Pattern) -> NDArray[np.float64]:
    """The whole outlines of the side that have another size or shape; (n, 4)."""
    wanted = pattern.outline
    if wanted is None:
        return np.zeros((0, 4))
    scale = view.dpi / pattern.outline_dpi
    return as_rows(
        outline.box
        for outline in view.outlines
        if outline.fit >= _LEAST_FIT and not is_like(outline, wanted, view, scale)
    )


def _within(box: Box, shape: tuple[int, ...], kind: str) -> NDArray[np.bool_]:
    """Pixels in a rectangle, or in the ellipse in it."""
    inside = _filled(box, shape)
    if kind == "box" or box.w <= 0 or box.h <= 0:
        return inside
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    x, y = box.center
    across, down = (columns + 0.5 - x) / (box.w / 2), (rows + 0.5 - y) / (box.h / 2)
    return np.asarray(inside & (across**2 + down**2 <= 1))


def _filled(box: Box, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape[:2], np.bool_)
    if box.w > 0 and box.h > 0:
        top, left = max(0, round(box.y)), max(0, round(box.x))
        mask[top : round(box.bottom), left : round(box.right)] = True
    return mask


def _rescale(pattern: Pattern, scale: float, dpi: float) -> Pattern:
    """The pattern as a page of another resolution shows it."""
    height, width = pattern.ink.shape
    size = max(3, round(width * scale)), max(3, round(height * scale))

    def resized(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5

    return Pattern(
        pattern.box.scaled(size[0] / width, size[1] / height),
        np.where(resized(pattern.ink > 0), 255, 0).astype(np.uint8),
        resized(pattern.ring),
        resized(pattern.beside),
        resized(pattern.inside),
        resized(pattern.around),
        pattern.outline,
        pattern.outline_dpi,
        dpi,
        pattern.shape,
        resized(pattern.hole),
    )


def _peaks(view: SideView, pattern: Pattern) -> NDArray[np.float64]:
    """Corners of patches that correlate with the pattern, the best first; (n, 2) in full pixels."""
    shrink = min(1.0, _MATCH_DPI / view.dpi)
    page, patch = (_shrunk(mask, shrink) for mask in (view.ink, pattern.ink))
    if patch.shape[0] > page.shape[0] or patch.shape[1] > page.shape[1] or patch.std() == 0:
        return np.zeros((0, 2))
    if pattern.hole.any():
        counts = 255 - _shrunk(np.where(pattern.hole, 255, 0).astype(np.uint8), shrink)
        weights = (counts / 255).astype(np.float32)
        likeness = cv2.matchTemplate(page, patch, cv2.TM_CCOEFF_NORMED, mask=weights)
        likeness = np.nan_to_num(likeness, nan=0.0, posinf=0.0, neginf=0.0)
    else:
        likeness = cv2.matchTemplate(page, patch, cv2.TM_CCOEFF_NORMED)
    side = max(3, min(patch.shape) // 3) | 1
    crests = (likeness >= cv2.dilate(likeness, np.ones((side, side), np.uint8))) & (
        likeness >= _LEAST_CORRELATION
    )
    rows, columns = np.nonzero(crests)
    order = np.argsort(-likeness[rows, columns])[:_MOST_PEAKS]
    return np.round(np.stack([columns, rows], axis=1)[order] / shrink)


def _shrunk(mask: Mask, scale: float) -> NDArray[np.float32]:
    size = max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale))
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 0.8), np.float32)


def _refine(ink: Mask, pattern: Pattern, x: int, y: int) -> tuple[int, int]:
    """The corner near (x, y) at which the ring covers the most ink."""
    reach = 3
    shape = (pattern.ink.shape[0] + 2 * reach, pattern.ink.shape[1] + 2 * reach)
    around = _cut(ink, x - reach, y - reach, shape).astype(np.float32)
    likeness = cv2.matchTemplate(
        around, np.where(pattern.ring, 1.0, 0.0).astype(np.float32), cv2.TM_CCORR
    )
    if pattern.beside.any():
        likeness = likeness - cv2.matchTemplate(
            around, np.where(pattern.beside, 0.5, 0.0).astype(np.float32), cv2.TM_CCORR
        )
    row, column = np.unravel_index(int(np.argmax(likeness)), likeness.shape)
    return x - reach + int(column), y - reach + int(row)


def _compare(view: SideView, touched: Mask, pattern: Pattern, place: tuple[int, int]) -> float:
    """0..1: how much of the ring is inked there; 0 where a part of it is missing."""
    left, top = place
    ring = pattern.ring
    there = _cut(touched, left, top, ring.shape) > 0
    if _by_sector(ring, pattern.box, there).min() < _LEAST_OF_SECTOR:
        return 0.0
    exact = _cut(view.ink, left, top, ring.shape)
    if pattern.beside.any() and (exact[pattern.beside] > 0).mean() > _MOST_BESIDE_RING:
        return 0.0
    if pattern.outline is not None:
        if _is_part_of_more(pattern, exact > 0):
            return 0.0
        if _in_one_piece(pattern, exact, view.px(_TOUCH_MM)) < _LEAST_IN_ONE_PIECE:
            return 0.0
    return float(there[ring].mean())


def _is_part_of_more(pattern: Pattern, there: NDArray[np.bool_]) -> bool:
    """Whether the ink goes on all around, or on a whole side of a place that may be filled."""
    if there[pattern.around].mean() > _MOST_AROUND:
        return True
    blocked = (_by_sector(pattern.around, pattern.box, there) > _BLOCKED_SECTOR).sum()
    return bool(pattern.hole.any() and blocked > _MOST_BLOCKED_SECTORS)


def _in_one_piece(pattern: Pattern, exact: Mask, reach_px: float) -> float:
    """Share of the ring that one connected piece of ink covers at the most; letters are many."""
    mended = cv2.morphologyEx(exact, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _count, labels = cv2.connectedComponents(mended)
    near = np.bincount(labels[_swell(np.where(pattern.ring, 255, 0), reach_px) > 0])
    near[0] = 0
    shares = [
        float(_swell(np.where(labels == piece, 255, 0), reach_px)[pattern.ring].astype(bool).mean())
        for piece in np.argsort(-near)[:3]
        if near[piece] > 0
    ]
    return max(shares, default=0.0)


def _is_clean(view: SideView, pattern: Pattern, place: tuple[int, int]) -> bool:
    if not pattern.inside.any():
        return True
    exact = _cut(view.ink, *place, pattern.ring.shape) > 0
    printed = float((pattern.ink > 0)[pattern.inside].mean())
    return float(exact[pattern.inside].mean()) <= printed + _MOST_ADDED


def _by_sector(zone: NDArray[np.bool_], box: Box, there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of a zone that is inked, in each of twelve directions from the middle of the box."""
    rows, columns = np.nonzero(zone)
    x, y = box.center
    angles = np.arctan2((rows + 0.5 - y) / box.h, (columns + 0.5 - x) / box.w)
    sector = ((angles + np.pi) / (2 * np.pi) * _SECTORS).astype(int) % _SECTORS
    total = np.bincount(sector, minlength=_SECTORS)
    inked = np.bincount(sector, weights=there[rows, columns], minlength=_SECTORS)
    return np.where(total > 0, inked / np.maximum(total, 1), 1.0)


def _swell(mask: NDArray[np.integer], by_px: float) -> Mask:
    side = 2 * max(1, round(by_px)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel), np.uint8)


def _cut(mask: Mask, left: int, top: int, shape: tuple[int, ...]) -> Mask:
    """A piece of the mask; what lies beyond its edges is paper."""
    height, width = shape[:2]
    piece = np.zeros((height, width), np.uint8)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(mask.shape[1], left + width), min(mask.shape[0], top + height)
    if x1 > x0 and y1 > y0:
        piece[y0 - top : y1 - top, x0 - left : x1 - left] = mask[y0:y1, x0:x1]
    return piece
