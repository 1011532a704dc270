"""How the pictures of a doubt are laid out: all in millimetres, so that targets can be outlined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scanner.ballot import MarkState, TargetReading
from scanner.counting.records import WHOLE_FILE
from scanner.counting.store_pictures import PicturedPage
from scanner.errors import CountError, InputError
from scanner.forms.template import Contest, Form, Option
from scanner.geometry import Box
from scanner.messages import gettext as _
from scanner.publishing.crops import header_box
from scanner.publishing.cutting import Mask
from scanner.review import addresses
from scanner.review.pictures import PAGE_WIDTH_PX, Picture, Pictures

OUTLINE_MM = 0.8
"""Between a printed outline and the line drawn around it."""
OWN_QUESTION_MM = 7.0
"""With less above its targets a contest has no question of its own there: it is a row of a table,
and the head of the table says what its columns mean."""
DIGIT_MM = 3.4
DIGITS = 9
"""So many options have a digit at a time."""

Readings = Mapping[tuple[str, str], TargetReading]
"""What was read, by ids of contest and option."""


@dataclass(frozen=True, slots=True)
class Part:
    """One image of a picture, and where in it it lies, in millimetres."""

    url: str
    blank: str
    """The same of the blank form; empty where there is none to compare with."""
    box: Box


@dataclass(frozen=True, slots=True)
class Outline:
    """A target as it is outlined."""

    option: str
    """Its id where it can be chosen on this page, else empty."""
    state: str
    """Of :class:`MarkState`, or ``place`` where nobody is told what was read."""
    digit: str
    box: Box

    @property
    def text(self) -> Box:
        """Where its digit stands: left of it and above, so that it covers no ink."""
        return Box(self.box.x - 0.4, self.box.y + 1.0, DIGIT_MM, DIGIT_MM)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Images and outlines in one frame."""

    width: float
    """In millimetres."""
    height: float
    parts: tuple[Part, ...]
    outlines: tuple[Outline, ...] = ()

    @property
    def is_of_paper(self) -> bool:
        """Whether there is a scan in it, and not only the blank."""
        return any(part.url for part in self.parts)

    def addresses(self) -> list[str]:
        """The images that are shown at first."""
        return [part.url or part.blank for part in self.parts]


@dataclass(frozen=True, slots=True)
class Side:
    """One page to be looked at."""

    title: str
    drawing: Drawing
    is_first: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What is outlined on a page, and how much is told."""

    contest: str | None
    """The contest that is asked about."""
    readings: Readings
    is_blind: bool


def draw_contest(
    pictures: Pictures, form: Form, contest: Contest, page: PicturedPage | None, shown: Shown
) -> Drawing:
    """The crop of a contest, under the head of its table if it is a row of one.

    Args:
        pictures: The count's pictures.
        form: The form.
        contest: The contest.
        page: The page of the sheet with it; None if it was not scanned, then the blank is shown.
        shown: What is outlined.
    """
    number = page.form_page if page is not None else contest.options[0].page
    crop = pictures.crop_box(form, contest, number)
    above = min(option.y for option in contest.options if option.page == number) - crop.y
    head = header_box(form, contest, crop) if above < OWN_QUESTION_MM else None
    parts, below = [], 0.0
    if head is not None and page is not None:
        below = head.h + 1.0
        url = addresses.header(form, page.sheet, contest.id)
        parts.append(Part(url, "", Box(0, 0, head.w, head.h)))
    url = addresses.crop(form, page.sheet, contest.id, page=number) if page is not None else ""
    blank = addresses.blank_crop(form, contest.id, page=number)
    parts.append(Part(url, blank, Box(0, below, crop.w, crop.h)))
    own = [(contest, option) for option in contest.options if option.page == number]
    outlines = _outline(own, Box(crop.x, crop.y - below, crop.w, crop.h), shown)
    return Drawing(crop.w, below + crop.h, tuple(parts), outlines)


def draw_page(pictures: Pictures, form: Form, page: PicturedPage, shown: Shown) -> Drawing:
    """A whole page as it lies on its form, all its targets outlined."""
    box = pictures.page_box(form.id, page.form_page)
    url = addresses.page(page.sheet, page.form_page)
    part = Part(url, addresses.blank(form, page.form_page), Box(0, 0, box.w, box.h))
    outlines = _outline(form.targets_on(page.form_page), box, shown)
    return Drawing(box.w, box.h, (part,), outlines)


def draw_blank(pictures: Pictures, form: Form, number: int, shown: Shown) -> Drawing:
    """A page of the blank, for one that was not scanned."""
    box = pictures.page_box(form.id, number)
    part = Part("", addresses.blank(form, number), Box(0, 0, box.w, box.h))
    return Drawing(box.w, box.h, (part,), _outline(form.targets_on(number), box, shown))


def draw_raw(pictures: Pictures, page: PicturedPage, *, masked: Mask) -> Drawing | None:
    """A page of which it is not known how it lies on its form; None if it cannot be shown."""
    if page.number == WHOLE_FILE:
        return None
    try:
        picture = pictures.raw_jpeg(page.page, PAGE_WIDTH_PX, masked=masked)
    except (CountError, InputError):
        return None
    box = Box(0, 0, picture.width, picture.height)
    return Drawing(box.w, box.h, (Part(addresses.raw(page.page), "", box),))


def draw_sides(
    pictures: Pictures, form: Form, pages: Sequence[PicturedPage], shown: Shown, *, masked: Mask
) -> list[Side]:
    """All sides of a sheet, the one with the contest in question first to be seen.

    Args:
        pictures: The count's pictures.
        form: The form.
        pages: The pages that were scanned.
        shown: What is outlined.
        masked: Cover what is private.
    """
    contest = form.contest(shown.contest) if shown.contest is not None else None
    wanted = contest.options[0].page if contest is not None else form.pages[0].number
    drawn: list[tuple[int, str, Drawing]] = []
    for page in pages:
        is_laid = page.form == form.id and bool(page.homography)
        drawing = (
            draw_page(pictures, form, page, shown)
            if is_laid
            else draw_raw(pictures, page, masked=masked)
        )
        if drawing is not None:
            drawn.append((page.form_page if is_laid else 0, _side_name(page, pages), drawing))
    there = {number for number, _title, _drawing in drawn}
    if contest is not None and wanted not in there:
        title = _("Page {number}, not scanned").format(number=wanted)
        drawn.append((wanted, title, draw_blank(pictures, form, wanted, shown)))
    first = next((place for place, one in enumerate(drawn) if one[0] == wanted), 0)
    return [
        Side(title, drawing, place == first)
        for place, (_number, title, drawing) in enumerate(drawn)
    ]


def shown_picture(
    pictures: Pictures,
    sheet: int,
    contest: str | None,
    pages: Sequence[PicturedPage],
    *,
    masked: Mask,
) -> Picture | None:
    """The picture that a decision is made on: the contest's crop, or the sheet's first page.

    Returns:
        None where there is no picture, or it cannot be made any more.
    """
    laid = next((page for page in pages if page.homography), None)
    try:
        if contest is not None:
            return pictures.crop_jpeg(sheet, contest, masked=masked)
        if laid is not None:
            return pictures.page_jpeg(sheet, laid.form_page, PAGE_WIDTH_PX, masked=masked)
    except (CountError, InputError):
        return None
    return None


def _side_name(page: PicturedPage, pages: Sequence[PicturedPage]) -> str:
    if not page.form_page:
        return _("Page {number}").format(number=pages.index(page) + 1)
    return _("Page {number}").format(number=page.form_page)


def _outline(
    targets: Iterable[tuple[Contest, Option]], view: Box, shown: Shown
) -> tuple[Outline, ...]:
    """The targets in a view; those that are not asked about first, so that they lie below."""
    found = []
    for contest, option in targets:
        is_asked = contest.id == shown.contest
        box = option.box.grown(OUTLINE_MM)
        place = contest.options.index(option)
        found.append(
            Outline(
                option=option.id if is_asked else "",
                state=_state(shown, contest, option),
                digit=str(place % DIGITS + 1) if is_asked else "",
                box=Box(box.x - view.x, box.y - view.y, box.w, box.h),
            )
        )
    return tuple(sorted(found, key=lambda one: bool(one.option)))


def _state(shown: Shown, contest: Contest, option: Option) -> str:
    reading = shown.readings.get((contest.id, option.id))
    if shown.is_blind or reading is None:
        return "place"
    return MarkState(reading.state).value
