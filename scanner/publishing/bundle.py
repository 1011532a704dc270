"""All sheets of a count as one small PDF: what is mailed where no paper is.

Every page lies straight on its form at 200 dpi in black and white, with what voters wrote about
themselves and in their own words left out, and with its number in a strip below the paper. A page
that could not be laid on a form is not shown: nobody knows what on it is private.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from random import SystemRandom

import cv2
import fontpkg
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from scanner.ballot import PageReading, Reason, UnreadablePage
from scanner.counting.adjudication import sheet_label
from scanner.counting.records import PageSource
from scanner.counting.store import Store
from scanner.forms.template import Comment, Form, Zone
from scanner.forms.workshop import open_whole
from scanner.geometry import MM_PER_INCH, Box
from scanner.messages import describe
from scanner.messages import gettext as _
from scanner.publishing.cutting import Gray, lay, long_side_px
from scanner.publishing.fax_pdf import FaxImage, code_fax, write_fax_pdf
from scanner.reading.pages import load_page

DPI = 200
MOST_BYTES = 60_000
"""Of the image of one page."""
STRIP_MM = 7.0
"""Below the paper, for its number: nothing on the paper is written over."""
TEXT_MM = 3.4
MASK_MARGIN_MM = 1.0
"""Handwriting runs over the edge of the place that is meant for it."""
A4 = Box(0, 0, 210, 297)

BACKGROUND_MM = 6.0
"""Wider than any stroke of a pen, so that shadows and grey paper go and strokes stay."""
INK_SHARE = 0.82
"""What is darker than this share of the paper around it is black."""
NOTHING = FaxImage(b"", 0, 0)
Bilevel = NDArray[np.bool_]
"""Shape (height, width), True where there is ink."""


@dataclass(frozen=True, slots=True)
class Coarser:
    """How a page that is too large for the mail is made smaller, one way after the other."""

    speck_px: int
    """Specks of fewer pixels go, at 200 dpi."""
    ink_share: float
    """What is darker than this share of the paper is black."""
    dpi: int


WAYS = (
    Coarser(3, INK_SHARE, DPI),
    Coarser(9, INK_SHARE - 0.06, DPI),
    Coarser(20, INK_SHARE - 0.14, DPI),
    Coarser(20, INK_SHARE - 0.14, 150),
    Coarser(30, INK_SHARE - 0.20, 100),
    Coarser(60, INK_SHARE - 0.30, 75),
)


@dataclass(frozen=True, slots=True)
class BundleSummary:
    """What was written."""

    pages: int
    coarser: int
    """Pages of fewer than 200 dpi, since they would have been too large."""
    not_shown: int
    """Pages of which only the reason is shown."""


def write_bundle(
    store: Store,
    forms: Sequence[Form],
    path: Path,
    *,
    is_secret: bool = False,
    tell: Callable[[int, int], None] | None = None,
) -> BundleSummary:
    """Write all sheets of a count into one PDF. One page at a time is in memory.

    Args:
        store: The count.
        forms: The count's forms.
        path: The PDF to write; its folder is made.
        is_secret: Nobody may learn in which order the papers came: the sheets lie in an order
            drawn by lot and have its numbers. So they do where a form asks for it.
        tell: Told after each sheet how many are done and how many there are.

    Raises:
        StorageError: It cannot be written there.
        UnreadableFileError: A scan is not there any more.
    """
    by_id = {form.id: form for form in forms}
    sheets = [
        (number, [source for _number, source in sources])
        for number, sources in groupby(store.sources(), key=lambda one: one[0])
    ]
    if is_secret or any(form.secrecy.shuffled for form in forms):
        SystemRandom().shuffle(sheets)
        sheets = [(place, sources) for place, (_number, sources) in enumerate(sheets, start=1)]
    shown: list[_Page] = []
    with open_whole(path) as stream, write_fax_pdf(stream) as pdf:
        for done, (number, sources) in enumerate(sheets, start=1):
            for place, source in enumerate(sources, start=1):
                reading = store.reading(source.page)
                # The unprinted back of a leaf is no paper.
                if isinstance(reading, UnreadablePage) and reading.reason is Reason.BLANK_PAGE:
                    continue
                page = _show(source, reading, by_id, _stamp(number, place, len(sources)))
                pdf.add_page(page.image, page.paper.w, page.paper.h + STRIP_MM)
                shown.append(replace(page, image=NOTHING))
            if tell is not None:
                tell(done, len(sheets))
    return BundleSummary(
        pages=len(shown),
        coarser=sum(page.dpi < DPI for page in shown),
        not_shown=sum(not page.is_shown for page in shown),
    )


@dataclass(frozen=True, slots=True)
class _Page:
    image: FaxImage
    paper: Box
    dpi: int
    is_shown: bool = True


def _show(
    source: PageSource,
    reading: PageReading | UnreadablePage,
    forms: Mapping[str, Form],
    stamp: str,
) -> _Page:
    form = forms[reading.form] if isinstance(reading, PageReading) else None
    printed = form.page(reading.page) if form and isinstance(reading, PageReading) else None
    if isinstance(reading, UnreadablePage) or form is None or printed is None:
        reason = reading.reason if isinstance(reading, UnreadablePage) else Reason.UNREADABLE_FILE
        return _Page(_say_why(reason, stamp), A4, DPI, is_shown=False)
    paper = Box(0, 0, printed.width_mm, printed.height_mm)
    to_form = np.array(reading.homography, dtype=np.float64).reshape(3, 3)
    least_px = long_side_px(to_form, paper, DPI / MM_PER_INCH)
    scan = load_page(source.path, source.number, min_long_side_px=least_px)
    to_form = to_form @ np.diag([scan.reduction, scan.reduction, 1.0])
    private = _private(form, reading.page)
    for way in WAYS:
        scale = way.dpi / MM_PER_INCH
        ink = find_ink(lay(scan.gray, to_form, paper, scale), way)
        cover(ink, private, scale)
        image = code_fax(_with_strip(ink, stamp, scale))
        if len(image.data) <= MOST_BYTES:
            return _Page(image, paper, way.dpi)
    # So much is on it even then that no reader would find a mark.
    return _Page(_say_why(Reason.UNREADABLE_FILE, stamp), A4, DPI, is_shown=False)


def find_ink(gray: Gray, way: Coarser) -> Bilevel:
    """What is ink on a page: darker than the paper around it, and larger than a speck.

    Args:
        gray: The page, laid on its form.
        way: How dark, how large, and the resolution of the page.
    """
    scale = way.dpi / MM_PER_INCH
    small = cv2.resize(gray, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    reach = 2 * round(BACKGROUND_MM * scale / 8) + 1
    paper = cv2.GaussianBlur(cv2.dilate(small, np.ones((reach, reach), np.uint8)), (0, 0), reach)
    level = cv2.resize(paper, gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
    ink = (gray < way.ink_share * level.astype(np.float32)).astype(np.uint8)
    _number, pieces, stats, _middles = cv2.connectedComponentsWithStats(ink, connectivity=8)
    least = way.speck_px * (way.dpi / DPI) ** 2
    keeps = stats[:, cv2.CC_STAT_AREA] >= least
    keeps[0] = False
    return np.asarray(keeps[pieces], np.bool_)


def cover(ink: Bilevel, zones: Iterable[Box], scale: float) -> None:
    """Leave out what stands in some zones, and draw a frame with a cross in its place.

    Args:
        ink: The page; changed.
        zones: In millimetres.
        scale: Pixels a millimetre.
    """
    image = ink.view(np.uint8)
    for zone in zones:
        first = math.floor(zone.x * scale), math.floor(zone.y * scale)
        last = math.ceil(zone.right * scale), math.ceil(zone.bottom * scale)
        cv2.rectangle(image, first, last, 0, cv2.FILLED)
        cv2.rectangle(image, first, last, 1)
        cv2.line(image, first, last, 1)
        cv2.line(image, (first[0], last[1]), (last[0], first[1]), 1)


def _private(form: Form, number: int) -> list[Box]:
    zones: list[Zone | Comment] = [*form.private, *(one for one in form.comments if one.private)]
    return [
        Box(one.x, one.y, one.w, one.h).grown(MASK_MARGIN_MM) for one in zones if one.page == number
    ]


def _stamp(number: int, place: int, pages: int) -> str:
    label = sheet_label(number)
    return label if pages == 1 else f"{label} / {place}"


def _with_strip(ink: Bilevel, stamp: str, scale: float) -> Image.Image:
    """A page with its number below it; white is 1."""
    height, width = ink.shape
    image = Image.new("1", (width, height + round(STRIP_MM * scale)), "white")
    image.paste(Image.fromarray(~ink), (0, 0))
    pen = ImageDraw.Draw(image)
    pen.line((0, height, width, height), fill=0)
    middle = height + round(STRIP_MM * scale / 2)
    pen.text((width / 2, middle), stamp, fill=0, font=_font(TEXT_MM * scale), anchor="mm")
    return image


def _say_why(reason: Reason, stamp: str) -> FaxImage:
    scale = DPI / MM_PER_INCH
    size = round(A4.h * scale), round(A4.w * scale)
    image = _with_strip(np.zeros(size, np.bool_), stamp, scale)
    lines = (describe(reason), _("Not shown: nobody knows what on this page is private."))
    pen = ImageDraw.Draw(image)
    for place, line in enumerate(lines):
        middle = (size[1] / 2, size[0] / 3 + place * 3 * TEXT_MM * scale)
        pen.text(middle, line, fill=0, font=_font(TEXT_MM * scale), anchor="mm")
    return code_fax(image)


@lru_cache(maxsize=8)
def _font(size_px: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(fontpkg.path("Noto Serif")), round(size_px))
