"""Is a registered form fit to be read by a machine?

What is found here is what can be told from the blank and the positions alone. A fault makes
wrong readings likely; a warning makes more sheets go before a person. Each finding takes points
away from the 100 of a form without a flaw.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scanner.errors import FormError
from scanner.forms.findings import (
    BEST_SCORE,
    Finding,
    Severity,
    Targets,
    ids_of,
    name_targets,
    score,
    shorten,
)
from scanner.forms.picture import load_blank
from scanner.forms.target_health import check_targets
from scanner.forms.template import Form, Page
from scanner.geometry import MM_PER_INCH
from scanner.messages import gettext as _

__all__ = ["Finding", "Severity", "check_form", "printed_share", "score"]

Gray = NDArray[np.uint8]

MIN_BLANK_DPI = 100.0
MAX_PROPORTION_ERROR = 0.01
TILE_MM = 5.0
MIN_PRINTED_TILES = 0.05
"""Share of the page's 5 mm tiles that hold print; the barest form tried, a page with two
ovals and a title, has 0.11."""
MIN_PRINTED_QUARTER = 0.03
"""The same for a quarter of the page in which there are targets."""
_PRINTED_CONTRAST = 80


def check_form(form: Form) -> list[Finding]:
    """Everything found about a form, page by page; empty for a form without a flaw."""
    findings = [finding for page in form.pages for finding in _check_page(form, page)]
    findings += _check_words(form)
    if not form.contests:
        findings.append(
            Finding(
                Severity.FAULT,
                _("The form has no targets on any page."),
                _("Import it again with a list of targets."),
                weight=BEST_SCORE,
            )
        )
    return findings


def _check_page(form: Form, page: Page) -> Iterator[Finding]:
    try:
        gray = load_blank(form, page)
    except FormError as error:
        yield Finding(Severity.FAULT, error.message, error.remedy, page.number, BEST_SCORE)
        return
    targets = form.targets_on(page.number)
    yield from _check_blank(gray, page)
    yield from _check_print(gray, page, targets)
    yield from check_targets(form, page, gray)


def _check_blank(gray: Gray, page: Page) -> Iterator[Finding]:
    dpi_across, dpi_down = _resolution(gray, page)
    if abs(dpi_across / dpi_down - 1) > MAX_PROPORTION_ERROR:
        yield Finding(
            Severity.FAULT,
            _("The blank has other proportions than width_mm and height_mm."),
            _("Correct the two lengths, or import the form again."),
            page.number,
            50,
        )
    if min(dpi_across, dpi_down) < MIN_BLANK_DPI:
        yield Finding(
            Severity.WARNING,
            _("The blank has only {dpi} dpi.").format(dpi=round(min(dpi_across, dpi_down))),
            _("Use one of 150 to 300 dpi."),
            page.number,
            15,
        )


def _resolution(gray: Gray, page: Page) -> tuple[float, float]:
    """Pixels an inch of a blank, across and down."""
    height, width = gray.shape
    return width / page.width_mm * MM_PER_INCH, height / page.height_mm * MM_PER_INCH


def _check_print(gray: Gray, page: Page, targets: Targets) -> Iterator[Finding]:
    """Is there enough print to lay a scan onto, and near all of the targets?"""
    tiles = _printed_tiles(gray, _resolution(gray, page)[0])
    if _share(tiles) < MIN_PRINTED_TILES:
        yield Finding(
            Severity.WARNING,
            _("There is little print on this page to lay a scan onto."),
            _("Add a frame, lines or corner marks, or a printed code."),
            page.number,
            25,
        )
        return
    centers = [option.box.center for _contest, option in targets]
    bare = []
    for down, row in enumerate((_("upper {side}"), _("lower {side}"))):
        for across, side in enumerate((_("left"), _("right"))):
            has_targets = any(
                (x >= page.width_mm / 2) == bool(across) and (y >= page.height_mm / 2) == bool(down)
                for x, y in centers
            )
            if has_targets and _share(_quarter(tiles, across, down)) < MIN_PRINTED_QUARTER:
                bare.append(row.format(side=side))
    if bare:
        yield Finding(
            Severity.WARNING,
            _("There are targets but hardly any print in these quarters of the page: {quarters}.")
            .format(quarters=", ".join(bare)),
            _("Add lines, a frame or corner marks there, so that a scan can be laid exactly."),
            page.number,
            10,
        )  # fmt: skip


def printed_share(gray: Gray, dpi: float) -> float:
    """Share of the page's 5 mm tiles that hold print, 0..1."""
    return _share(_printed_tiles(gray, dpi))


def _printed_tiles(gray: Gray, dpi: float) -> NDArray[np.bool_]:
    """Which of the page's 5 mm tiles hold print, row by row."""
    tile_px = max(2, round(TILE_MM / MM_PER_INCH * dpi))
    rows, columns = (side // tile_px for side in gray.shape)
    even = gray[: rows * tile_px, : columns * tile_px].reshape(rows, tile_px, columns, tile_px)
    if not even.size:
        return np.zeros((0, 0), bool)
    contrast = even.max(axis=(1, 3)).astype(int) - even.min(axis=(1, 3))
    printed: NDArray[np.bool_] = contrast > _PRINTED_CONTRAST
    return printed


def _quarter(tiles: NDArray[np.bool_], across: int, down: int) -> NDArray[np.bool_]:
    rows, columns = (side // 2 for side in tiles.shape)
    return tiles[rows * down : rows * (down + 1) or None, columns * across :][
        : rows + down, : columns + across
    ]


def _share(tiles: NDArray[np.bool_]) -> float:
    return float(tiles.mean()) if tiles.size else 0.0


def _check_words(form: Form) -> Iterator[Finding]:
    bare = [pair for pair in form.targets() if not pair[1].label]
    if bare:
        yield Finding(
            Severity.WARNING,
            _("Targets without a label: {targets}.").format(targets=name_targets(bare)),
            _("Write their labels into form.yaml, so that the tally can be read."),
            weight=5,
            places=ids_of(bare),
        )
    untitled = [contest.id for contest in form.contests if not contest.title]
    contests = tuple((contest, "") for contest in untitled)
    if untitled:
        yield Finding(
            Severity.WARNING,
            _("Contests without a title: {contests}.").format(contests=shorten(untitled)),
            _("Write their titles into form.yaml, so that the tally can be read."),
            weight=5,
            places=contests,
        )
