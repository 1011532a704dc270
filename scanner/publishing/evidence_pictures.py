"""The pictures of the evidence: each page of a sheet laid on its form, and its answers cut out.

What is private is covered before anything is cut, so no picture in the folder shows it. On a page
that lies on no form nothing can be covered; it is shown only where the forms have nothing private.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from scanner.counting.records import WHOLE_FILE
from scanner.counting.store_pictures import PicturedPage
from scanner.errors import InputError
from scanner.forms.template import Comment, Form, Zone
from scanner.geometry import Box
from scanner.messages import gettext as _
from scanner.publishing.crops import contest_box
from scanner.publishing.cutting import Gray, cover, lay, long_side_px, shrink
from scanner.reading.pages import load_page

PX_PER_MM = 5.0
"""About 127 dots per inch: a pencil mark is seen, and a year of a ward fits on a USB stick."""
MARGIN_MM = 4.0
"""Shown around the page: a mark may lie on its edge."""
MASK_MARGIN_MM = 1.0
"""By which a private zone is covered beyond its edges: paper stretches."""
CROP_MARGIN_MM = 1.0
JPEG_QUALITY = 60
REFUSED_LONG_SIDE_PX = 1500
"""Of a page that lies on no form: as fine as an A4 page that does."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A box that was taken as chosen, in millimetres on the form."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a sheet."""

    chosen: Collection[tuple[str, str]]
    """The contests and options that count."""
    covered: Collection[str] = ()
    """Contests that are covered, since they would tell who answered."""


@dataclass(frozen=True, slots=True)
class PagePicture:
    """The picture of one page of a sheet."""

    number: int
    """The form's page."""
    file: str
    width_px: int
    height_px: int
    view_box: str
    """Of an SVG drawing in millimetres on the form that covers the picture."""
    box: Box
    chosen: tuple[Outline, ...]
    crops: dict[str, str]
    """Contest id -> file of what was cut out of this page."""


def cut_page(page: PicturedPage, form: Form, key: str, marks: Shown, folder: Path) -> PagePicture:
    """Write the picture of a page and of every answer on it.

    Args:
        page: The scan.
        form: Its form.
        key: Of the sheet; the names of the files begin with it.
        marks: What counts on it, and what is covered.
        folder: Where the files go.

    Raises:
        InputError: The scan cannot be read any more.
        ValueError: The page is none of its form, or its file has no such page.
        OSError: A file cannot be written.
    """
    printed = form.page(page.form_page)
    if printed is None:
        raise ValueError(f"{form.id} has no page {page.form_page}")
    paper = Box(0, 0, printed.width_mm, printed.height_mm)
    shown = paper.grown(MARGIN_MM)
    to_form = np.array(page.homography, dtype=np.float64).reshape(3, 3)
    least_px = long_side_px(to_form, paper, PX_PER_MM)
    image = load_page(page.path, page.number, min_long_side_px=least_px)
    reduced = np.diag([image.reduction, image.reduction, 1.0])
    gray = lay(image.gray, to_form @ reduced, shown, PX_PER_MM)
    cover(gray, _private(form, page.form_page), shown, PX_PER_MM)
    file = f"{key}-{page.form_page}.jpg"
    boxes = [(one, contest_box(form, one, page.form_page)) for one in form.contests]
    cover(gray, [box for one, box in boxes if box and one.id in marks.covered], shown, PX_PER_MM)
    _write(gray, folder / file)
    crops = {}
    for place, (contest, box) in enumerate(boxes, start=1):
        if box is not None and contest.id not in marks.covered:
            crops[contest.id] = f"{key}-{page.form_page}-c{place}.jpg"
            part = _part(gray, box.grown(CROP_MARGIN_MM), shown)
            _write(part, folder / crops[contest.id])
    outlines = [
        Outline(option.box.x, option.box.y, option.box.w, option.box.h)
        for contest, option in form.targets_on(page.form_page)
        if (contest.id, option.id) in marks.chosen
    ]
    return PagePicture(
        number=page.form_page,
        file=file,
        width_px=gray.shape[1],
        height_px=gray.shape[0],
        view_box=f"{shown.x:g} {shown.y:g} {shown.w:g} {shown.h:g}",
        box=shown,
        chosen=tuple(outlines),
        crops=crops,
    )


@dataclass(frozen=True, slots=True)
class RefusedPage:
    """One page of what was refused."""

    laid: PagePicture | None = None
    """Where it lies on a form after all, as a copy does."""
    file: str = ""
    """The page as it was scanned; empty where it lies on a form, or is not shown."""
    withheld: str = ""
    """Why it is not shown; empty where it is."""


def why_withheld(forms: Iterable[Form], *, has_hidden: bool) -> str:
    """Why pages that lie on no form are not shown; empty where they are.

    Args:
        forms: The count's forms: any of them may be what a page was.
        has_hidden: Whether answers of groups that are too small are covered on other pages.
    """
    is_private = any(form.private or any(one.private for one in form.comments) for form in forms)
    if is_private:
        return _(
            "Not shown: the form has places where voters write about themselves or in their own"
            " words, and on a page that could not be laid on it nobody knows where they are."
        )
    if has_hidden:
        return _(
            "Not shown: answers of groups that are too small are covered, and on a page that could"
            " not be laid on the form nobody knows where they are."
        )
    return ""


def cut_refused(
    page: PicturedPage, form: Form | None, name: str, marks: Shown, withheld: str, folder: Path
) -> RefusedPage:
    """Write the picture of a page that was refused, where it may be shown.

    Args:
        page: The scan.
        form: The form on which it lies; None where it lies on none.
        name: With which its file begins.
        marks: What is covered where it lies on a form.
        withheld: Why a page that lies on none is not shown; empty where it is.
        folder: Where the file goes.

    Raises:
        OSError: A file cannot be written.
    """
    if form is not None and page.homography:
        return RefusedPage(laid=cut_page(page, form, name, marks, folder))
    if withheld:
        return RefusedPage(withheld=withheld)
    if page.number == WHOLE_FILE:
        return RefusedPage(withheld=_("Not shown: the file has no page that can be opened."))
    try:
        gray = load_page(page.path, page.number, min_long_side_px=REFUSED_LONG_SIDE_PX).gray
    except (InputError, ValueError):
        return RefusedPage(withheld=_("Not shown: the file has no page that can be opened."))
    height, width = gray.shape
    file = f"{name}.jpg"
    _write(shrink(gray, max(1, round(REFUSED_LONG_SIDE_PX * width / max(width, height)))),
           folder / file)  # fmt: skip
    return RefusedPage(file=file)


def _private(form: Form, number: int) -> list[Box]:
    """What voters write about themselves on a page, and in their own words, in millimetres."""
    zones: list[Zone | Comment] = [*form.private, *(one for one in form.comments if one.private)]
    return [
        Box(one.x, one.y, one.w, one.h).grown(MASK_MARGIN_MM) for one in zones if one.page == number
    ]


def _part(gray: Gray, box: Box, shown: Box) -> Gray:
    left, top = round((box.x - shown.x) * PX_PER_MM), round((box.y - shown.y) * PX_PER_MM)
    right, bottom = left + round(box.w * PX_PER_MM), top + round(box.h * PX_PER_MM)
    return gray[max(0, top) : bottom, max(0, left) : right]


def _write(gray: Gray, path: Path) -> None:
    _done, data = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    path.write_bytes(data.tobytes())
