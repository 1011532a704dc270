"""Is a registered form fit to be read by a machine?

What is found here is what can be told from the blank and the positions alone. A fault makes
wrong readings likely; a warning makes more sheets go before a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.errors import FormError
from scanner.forms.picture import load_blank
from scanner.forms.template import Contest, Form, Option, Page
from scanner.geometry import MM_PER_INCH, Box
from scanner.messages import gettext as _

Gray = NDArray[np.uint8]

MIN_BLANK_DPI = 100.0
MIN_TARGET_MM = 2.0
MIN_EDGE_MM = 5.0
"""Office printers and scanners lose up to 4 mm at the edge of the sheet."""
MAX_PROPORTION_ERROR = 0.01
TILE_MM = 5.0
MIN_PRINTED_TILES = 0.05
"""Share of the page's 5 mm tiles that hold print; the barest form tried, a page with two
ovals and a title, has 0.11."""
MAX_INSIDE_INK = 0.35
MIN_OUTLINE_INK = 0.25
_OUTLINE_REACH_MM = 0.6
_INSIDE_SHARE = 0.5
_LISTED = 5


class Severity(StrEnum):
    """How bad a finding is."""

    FAULT = "fault"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a form that a person should look at."""

    severity: Severity
    message: str
    remedy: str
    page: int | None = None


def check_form(form: Form) -> list[Finding]:
    """Everything found about a form, page by page; empty for a form without a flaw."""
    findings = [finding for page in form.pages for finding in _check_page(form, page)]
    findings += _check_labels(form)
    if not form.contests:
        findings.append(
            Finding(
                Severity.FAULT,
                _("The form has no targets on any page."),
                _("Import it again with a list of targets."),
            )
        )
    return findings


def _check_page(form: Form, page: Page) -> Iterator[Finding]:
    try:
        gray = load_blank(form, page)
    except FormError as error:
        yield Finding(Severity.FAULT, error.message, error.remedy, page.number)
        return
    yield from _check_blank(gray, page)
    targets = form.targets_on(page.number)
    yield from _check_places(targets, page)
    yield from _check_outlines(targets, gray, page)


def _check_blank(gray: Gray, page: Page) -> Iterator[Finding]:
    height, width = gray.shape
    dpi_across = width / page.width_mm * MM_PER_INCH
    dpi_down = height / page.height_mm * MM_PER_INCH
    if abs(dpi_across / dpi_down - 1) > MAX_PROPORTION_ERROR:
        yield Finding(
            Severity.FAULT,
            _("The blank has other proportions than width_mm and height_mm."),
            _("Correct the two lengths, or import the form again."),
            page.number,
        )
    if min(dpi_across, dpi_down) < MIN_BLANK_DPI:
        yield Finding(
            Severity.WARNING,
            _("The blank has only {dpi} dpi.").format(dpi=round(min(dpi_across, dpi_down))),
            _("Use one of 150 to 300 dpi."),
            page.number,
        )
    if printed_share(gray, dpi_across) < MIN_PRINTED_TILES:
        yield Finding(
            Severity.WARNING,
            _("There is little print on this page to lay a scan onto."),
            _("Add a frame, lines or corner marks, or a printed code."),
            page.number,
        )


def printed_share(gray: Gray, dpi: float) -> float:
    """Share of the page's 5 mm tiles that hold print, 0..1."""
    tile_px = max(2, round(TILE_MM / MM_PER_INCH * dpi))
    rows, columns = (side // tile_px for side in gray.shape)
    if not rows or not columns:
        return 0.0
    even = gray[: rows * tile_px, : columns * tile_px].reshape(rows, tile_px, columns, tile_px)
    contrast = even.max(axis=(1, 3)).astype(int) - even.min(axis=(1, 3))
    return float(np.mean(contrast > 80))


def _check_places(targets: list[tuple[Contest, Option]], page: Page) -> Iterator[Finding]:
    near_edge = [pair for pair in targets if _edge_distance(pair[1].box, page) < MIN_EDGE_MM]
    tiny = [pair for pair in targets if min(pair[1].w, pair[1].h) < MIN_TARGET_MM]
    if near_edge:
        yield Finding(
            Severity.WARNING,
            _("Targets less than 5 mm from the edge: {targets}.").format(targets=_names(near_edge)),
            _("Move them inwards: scanners lose the edge of a sheet."),
            page.number,
        )
    if tiny:
        yield Finding(
            Severity.WARNING,
            _("Targets smaller than 2 mm: {targets}.").format(targets=_names(tiny)),
            _("Print boxes of 4 mm or more."),
            page.number,
        )
    overlapping = _overlapping(targets)
    if overlapping:
        yield Finding(
            Severity.FAULT,
            _("Targets that overlap another: {targets}.").format(targets=_names(overlapping)),
            _("Correct their positions in form.yaml."),
            page.number,
        )


def _overlapping(targets: list[tuple[Contest, Option]]) -> list[tuple[Contest, Option]]:
    """Targets that share an area with another; boxes with a common printed line do not count."""
    shrink_mm = -0.3
    ordered = sorted(targets, key=lambda pair: pair[1].y)
    found = {}
    for index, (contest, option) in enumerate(ordered):
        box = option.box.grown(shrink_mm)
        for other_contest, other in ordered[index + 1 :]:
            if other.y > option.box.bottom:
                break
            if box.overlaps(other.box.grown(shrink_mm)):
                found[other_contest.id, other.id] = other_contest, other
                found[contest.id, option.id] = contest, option
    return list(found.values())


def _check_outlines(
    targets: list[tuple[Contest, Option]], gray: Gray, page: Page
) -> Iterator[Finding]:
    ink = _ink(gray)
    scale = gray.shape[1] / page.width_mm, gray.shape[0] / page.height_mm
    missing, filled = [], []
    for pair in targets:
        option = pair[1]
        if _outline_share(ink, option.box, scale) < MIN_OUTLINE_INK:
            missing.append(pair)
        inside = option.box.grown(-option.w * _INSIDE_SHARE / 2, -option.h * _INSIDE_SHARE / 2)
        if _mean(ink, inside.scaled(*scale)) > MAX_INSIDE_INK:
            filled.append(pair)
    if missing:
        yield Finding(
            Severity.WARNING,
            _("No printed outline where it should be: {targets}.").format(targets=_names(missing)),
            _("Look at the overlay of 'kiemphieu form show'; correct positions or resolution."),
            page.number,
        )
    if filled:
        yield Finding(
            Severity.FAULT,
            _("Targets that are dark on the blank already: {targets}.").format(
                targets=_names(filled)
            ),
            _("Use an empty form as the blank, not one that somebody has filled in."),
            page.number,
        )


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
    left, top = max(0, round(box.x)), max(0, round(box.y))
    return ink[top : max(top, round(box.bottom)), left : max(left, round(box.right))]


def _check_labels(form: Form) -> Iterator[Finding]:
    bare = [pair for pair in form.targets() if not pair[1].label]
    if bare:
        yield Finding(
            Severity.WARNING,
            _("Targets without a label: {targets}.").format(targets=_names(bare)),
            _("Write their labels into form.yaml, so that the tally can be read."),
        )


def _edge_distance(box: Box, page: Page) -> float:
    return min(box.x, box.y, page.width_mm - box.right, page.height_mm - box.bottom)


def _names(targets: list[tuple[Contest, Option]]) -> str:
    names = [f"{contest.id}/{option.id}" for contest, option in targets[:_LISTED]]
    more = len(targets) - len(names)
    return ", ".join(names) + (_(" and {more} more").format(more=more) if more > 0 else "")
