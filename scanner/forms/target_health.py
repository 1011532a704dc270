"""Are the targets of a page fit to be marked and read?"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.forms.findings import Finding, Severity, Targets, ids_of, name_targets
from scanner.forms.template import TEXT_SHAPES, Form, Option, Page
from scanner.geometry import Box
from scanner.messages import gettext as _

Gray = NDArray[np.uint8]

MIN_TARGET_MM = 2.5
MIN_EDGE_MM = 5.0
"""Office printers and scanners lose up to 4 mm at the edge of the sheet."""
MIN_GAP_MM = 2.0
"""The tail of a tick reaches so far beyond its box as often as not."""
MAX_INSIDE_INK = 0.35
MORE_INSIDE_INK = 0.06
"""So much more of its inside is dark than of the other targets': somebody has marked it."""
MIN_OUTLINE_INK = 0.25
MIN_WORDS_INK = 0.03
MAX_PRINT_BESIDE = 0.03
"""Share of the ring around a target that other print may cover."""
_OUTLINE_REACH_MM = 0.6
_RING_MM = 0.8
_INSIDE_SHARE = 0.5
_MARKED_SHARE = 0.7
_SHARED_LINE_MM = 0.3


def check_targets(form: Form, page: Page, gray: Gray) -> Iterator[Finding]:
    """What is found about the targets of one page.

    Args:
        form: The form.
        page: One of its pages.
        gray: The blank of that page.
    """
    targets = form.targets_on(page.number)
    yield from _check_places(targets, page)
    yield from _check_neighbours(targets, page)
    yield from _check_zones(form, targets, page)
    words = [pair for pair in targets if pair[1].shape in TEXT_SHAPES]
    yield from _check_words(words, gray, page)
    yield from _check_outlines([pair for pair in targets if pair not in words], gray, page)


def _check_words(targets: Targets, gray: Gray, page: Page) -> Iterator[Finding]:
    """Words that are marked themselves must be there: by them a mark is told from print."""
    ink = _ink(gray)
    scale = gray.shape[1] / page.width_mm, gray.shape[0] / page.height_mm
    bare = [pair for pair in targets if _mean(ink, pair[1].box.scaled(*scale)) < MIN_WORDS_INK]
    if bare:
        yield Finding(
            Severity.FAULT,
            _("No printed words where they should be: {targets}.").format(
                targets=name_targets(bare)
            ),
            _("Look at the overlay of 'kiemphieu form show'; correct positions or resolution."),
            page.number,
            50,
            ids_of(bare),
        )


def _check_places(targets: Targets, page: Page) -> Iterator[Finding]:
    near_edge = [pair for pair in targets if _edge_distance(pair[1].box, page) < MIN_EDGE_MM]
    tiny = [pair for pair in targets if min(pair[1].w, pair[1].h) < MIN_TARGET_MM]
    if near_edge:
        yield Finding(
            Severity.WARNING,
            _("Targets less than 5 mm from the edge: {targets}.").format(
                targets=name_targets(near_edge)
            ),
            _("Move them inwards: printers and scanners lose the edge of a sheet."),
            page.number,
            15,
            ids_of(near_edge),
        )
    if tiny:
        yield Finding(
            Severity.WARNING,
            _("Targets smaller than 2.5 mm: {targets}.").format(targets=name_targets(tiny)),
            _("Print boxes of 4 mm or more."),
            page.number,
            15,
            ids_of(tiny),
        )


def _check_neighbours(targets: Targets, page: Page) -> Iterator[Finding]:
    overlapping = _closer_than(targets, -_SHARED_LINE_MM)
    near = [pair for pair in _closer_than(targets, MIN_GAP_MM) if pair not in overlapping]
    if overlapping:
        yield Finding(
            Severity.FAULT,
            _("Targets that overlap another: {targets}.").format(targets=name_targets(overlapping)),
            _("Correct their positions in form.yaml."),
            page.number,
            50,
            ids_of(overlapping),
        )
    # The cells of a table share their rules, and people mark the middle of a cell.
    loose = [pair for pair in near if pair[1].shape != "cell"]
    if loose:
        yield Finding(
            Severity.WARNING,
            _("Targets less than 2 mm from another: {targets}.").format(
                targets=name_targets(loose)
            ),
            _("Print them further apart, so that no mark reaches into the next box."),
            page.number,
            10,
            ids_of(loose),
        )


def _closer_than(targets: Targets, gap_mm: float) -> Targets:
    """Targets nearer to another than a gap; a negative one means that they overlap by more."""
    ordered = sorted(targets, key=lambda pair: pair[1].y)
    found = set()
    for index, (contest, option) in enumerate(ordered):
        box = option.box.grown(gap_mm / 2)
        for other_contest, other in ordered[index + 1 :]:
            if other.y > option.box.bottom + max(gap_mm, 0.0):
                break
            if box.overlaps(other.box.grown(gap_mm / 2)):
                found |= {(contest.id, option.id), (other_contest.id, other.id)}
    return [pair for pair in targets if (pair[0].id, pair[1].id) in found]


def _check_zones(form: Form, targets: Targets, page: Page) -> Iterator[Finding]:
    zones = [Box(z.x, z.y, z.w, z.h) for z in form.private if z.page == page.number]
    covered = [pair for pair in targets if any(zone.overlaps(pair[1].box) for zone in zones)]
    if covered:
        yield Finding(
            Severity.FAULT,
            _("Targets within a private zone: {targets}.").format(targets=name_targets(covered)),
            _("Make the zone smaller in form.yaml: it is for names, addresses and the like."),
            page.number,
            40,
            ids_of(covered),
        )


def _check_outlines(targets: Targets, gray: Gray, page: Page) -> Iterator[Finding]:
    ink = _ink(gray)
    scale = gray.shape[1] / page.width_mm, gray.shape[0] / page.height_mm
    missing = [
        pair for pair in targets if _outline_share(ink, pair[1].box, scale) < MIN_OUTLINE_INK
    ]
    marked = _marked(targets, ink, scale)
    crowded = _crowded(targets, ink, scale)
    if missing:
        yield Finding(
            Severity.WARNING,
            _("No printed outline where it should be: {targets}.").format(
                targets=name_targets(missing)
            ),
            _("Look at the overlay of 'kiemphieu form show'; correct positions or resolution."),
            page.number,
            15,
            ids_of(missing),
        )
    if marked:
        yield Finding(
            Severity.FAULT,
            _("Targets that are dark on the blank already: {targets}.").format(
                targets=name_targets(marked)
            ),
            _("Use an empty form as the blank, not one that somebody has filled in."),
            page.number,
            50,
            ids_of(marked),
        )
    if crowded:
        yield Finding(
            Severity.WARNING,
            _("Other print less than 1.5 mm from a target: {targets}.").format(
                targets=name_targets(crowded)
            ),
            _("Leave white around each box, so that marks and print can be told apart."),
            page.number,
            5,
            ids_of(crowded),
        )


def _marked(targets: Targets, ink: NDArray[np.bool_], scale: tuple[float, float]) -> Targets:
    """Targets with ink inside that most others of their shape have not.

    What is printed in a target, as a number is, is in the others too.
    """
    filled = [
        pair for pair in targets if _inside(ink, pair[1], scale, _INSIDE_SHARE) > MAX_INSIDE_INK
    ]
    by_shape: dict[str, list[float]] = {}
    shares = [_inside(ink, option, scale, _MARKED_SHARE) for _contest, option in targets]
    for (_contest, option), share in zip(targets, shares, strict=True):
        by_shape.setdefault(option.shape, []).append(share)
    usual = {shape: median(all_) for shape, all_ in by_shape.items()}
    return [
        pair
        for pair, share in zip(targets, shares, strict=True)
        if pair in filled or share > max(usual[pair[1].shape] * 2, 0.0) + MORE_INSIDE_INK
    ]


def _inside(
    ink: NDArray[np.bool_], option: Option, scale: tuple[float, float], kept: float
) -> float:
    """Share of the middle of a target that is dark; ``kept`` of its width and height."""
    cut = (1 - kept) / 2
    return _mean(ink, option.box.grown(-option.w * cut, -option.h * cut).scaled(*scale))


def _crowded(targets: Targets, ink: NDArray[np.bool_], scale: tuple[float, float]) -> Targets:
    """Targets with print in the ring around them that is not another target's."""
    others = ink.copy()
    for _contest, option in targets:
        x0, y0, x1, y1 = _edges(others, option.box.grown(_OUTLINE_REACH_MM).scaled(*scale))
        others[y0:y1, x0:x1] = False
    crowded = []
    for pair in targets:
        inner = pair[1].box.grown(_OUTLINE_REACH_MM)
        ring = inner.grown(_RING_MM)
        white = ring.w * ring.h - inner.w * inner.h
        share = _mean(others, ring.scaled(*scale)) * ring.w * ring.h / white
        if pair[1].shape != "cell" and share > MAX_PRINT_BESIDE:
            crowded.append(pair)
    return crowded


def _ink(gray: Gray) -> NDArray[np.bool_]:
    level, _image = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    dark: NDArray[np.bool_] = gray <= min(max(level, 60.0), 200.0)
    return dark


def _outline_share(ink: NDArray[np.bool_], box: Box, scale: tuple[float, float]) -> float:
    """How far along the target's outline print is found, 0..1: the least of its four sides' halves.

    Looked for in the rows and columns of a band on either side of each edge of the box. An oval
    has print only in the middle half of each edge, so only that half is asked for.
    """
    reach = _OUTLINE_REACH_MM
    half_w, half_h = box.w / 2, box.h / 2
    x, y = box.x + box.w / 4, box.y + box.h / 4
    bands = (
        (Box(x, box.y - reach, half_w, 2 * reach), 0),
        (Box(x, box.bottom - reach, half_w, 2 * reach), 0),
        (Box(box.x - reach, y, 2 * reach, half_h), 1),
        (Box(box.right - reach, y, 2 * reach, half_h), 1),
    )
    shares = sorted(_covered(ink, band.scaled(*scale), axis) for band, axis in bands)
    # One side may be open, as that of an arrow or of a cell without a rule on its left is.
    return shares[1]


def _covered(ink: NDArray[np.bool_], box: Box, axis: int) -> float:
    part = _cut(ink, box)
    return float(part.any(axis=axis).mean()) if part.size else 0.0


def _mean(ink: NDArray[np.bool_], box: Box) -> float:
    part = _cut(ink, box)
    return float(part.mean()) if part.size else 0.0


def _cut(ink: NDArray[np.bool_], box: Box) -> NDArray[np.bool_]:
    x0, y0, x1, y1 = _edges(ink, box)
    return ink[y0:y1, x0:x1]


def _edges(ink: NDArray[np.bool_], box: Box) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a box in whole pixels of a picture."""
    height, width = ink.shape
    left, top = max(0, round(box.x)), max(0, round(box.y))
    return (
        left,
        top,
        max(left, min(round(box.right), width)),
        max(top, min(round(box.bottom), height)),
    )


def _edge_distance(box: Box, page: Page) -> float:
    return min(box.x, box.y, page.width_mm - box.right, page.height_mm - box.bottom)
