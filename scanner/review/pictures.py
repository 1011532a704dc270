"""Pictures for the review page, all cut from the scans that the count keeps.

Whatever is shown of a sheet lies as on its form: the scan is laid on it by what was found when it
was read, so that a place in millimetres on the form is a place on the picture, and what is private
on the form can be covered. Only a page that was refused is shown as it was scanned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from scanner.counting.records import CACHE_FOLDER, WHOLE_FILE
from scanner.counting.store import Store
from scanner.counting.store_pictures import PicturedPage
from scanner.errors import CountError, InputError
from scanner.forms.template import Comment, Contest, Form, Option, Zone
from scanner.geometry import Box, Homography
from scanner.messages import gettext as _
from scanner.publishing.crops import contest_box, header_box
from scanner.publishing.cutting import (
    Mask,
    Picture,
    cover,
    cover_on_scan,
    encode,
    lay,
    long_side_px,
    pack,
    read_gray,
    scale_of,
    shrink,
    turn,
    unpack,
)
from scanner.review.decoding import Decoder
from scanner.review.picture_cache import CacheFolder, Recent

__all__ = ["Mask", "NoSuchPictureError", "Picture", "Pictures", "Wanted"]

PAGE_WIDTH_PX = 1400
CROP_WIDTH_PX = 1400
CROP_MARGIN_MM = 1.0
TARGET_HEIGHT_PX = 120
PAGE_MARGIN_MM = 4.0
"""Shown around the page: a mark may lie on its edge."""
MASK_MARGIN_MM = 1.0
"""By which a private zone is covered beyond its edges: paper stretches."""
MOST_JPEG_BYTES = 48 * 1024 * 1024
FOLDER = "review"


class NoSuchPictureError(CountError):
    """The count has no such sheet, page, contest or target."""

    def __init__(self) -> None:
        super().__init__(_("There is no such picture in this count."))


Masked = Mask | bool
"""What is covered; True is :attr:`Mask.PRIVATE`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One target of one sheet."""

    sheet: int
    contest: str
    option: str


class Pictures:
    """All pictures of a count; safe to be used by several threads.

    Args:
        store: The count.
        forms: Its forms by their ids.
    """

    def __init__(self, store: Store, forms: Mapping[str, Form]) -> None:
        self._store = store
        self._forms = forms
        self._jpegs = Recent[Picture](MOST_JPEG_BYTES, lambda picture: len(picture.jpeg))
        self._folder = CacheFolder(store.folder / CACHE_FOLDER / FOLDER)
        self._decoder = Decoder()
        self._decoder.do_later(self._folder.clear_out)

    def close(self) -> None:
        """Finish, and let go of all files."""
        self._decoder.close()

    # --- a sheet --------------------------------------------------------------------------------

    def page_jpeg(
        self, sheet: int, page_number: int, width_px: int = PAGE_WIDTH_PX, *, masked: Masked
    ) -> Picture:
        """A whole page of a sheet, as it lies on its form.

        Args:
            sheet: The sheet.
            page_number: The form's page.
            width_px: How wide the picture is.
            masked: Cover what is private.

        Raises:
            NoSuchPictureError: There is no such sheet, or it has no such page.
            InputError: The scan cannot be read any more.
        """
        found = self._find_page(sheet, page_number)
        return self._cut(
            found, self.page_box(found.form or "", page_number), width_px, masked=masked
        )

    def page_box(self, form_id: str, page_number: int) -> Box:
        """What :meth:`page_jpeg` and :meth:`blank_jpeg` show, in millimetres on the form.

        Raises:
            NoSuchPictureError: The form has no such page.
        """
        form = self._form(form_id)
        page = form.page(page_number)
        if page is None:
            raise NoSuchPictureError
        return Box(0, 0, page.width_mm, page.height_mm).grown(PAGE_MARGIN_MM)

    def crop_box(
        self, form: Form, contest: Contest, page_number: int, margin_mm: float = CROP_MARGIN_MM
    ) -> Box:
        """What :meth:`crop_jpeg` and :meth:`blank_crop_jpeg` show, in millimetres on the form.

        Raises:
            NoSuchPictureError: The contest has no target on that page.
        """
        box = contest_box(form, contest, page_number)
        if box is None:
            raise NoSuchPictureError
        return box.grown(margin_mm)

    def crop_jpeg(
        self,
        sheet: int,
        contest: str,
        *,
        page_number: int | None = None,
        margin_mm: float = CROP_MARGIN_MM,
        width_px: int = CROP_WIDTH_PX,
        masked: Masked,
    ) -> Picture:
        """A contest of a sheet with its printed question and options.

        Args:
            sheet: The sheet.
            contest: Id of the contest.
            page_number: The form's page, for a contest on several; None for its first.
            margin_mm: Shown around it.
            width_px: How wide the picture is at the most.
            masked: Cover what is private.

        Raises:
            NoSuchPictureError: There is no such sheet, contest or page.
            InputError: The scan cannot be read any more.
        """
        form, asked = self._contest(self.form_of(sheet), contest)
        number = page_number or asked.options[0].page
        box = self.crop_box(form, asked, number, margin_mm)
        return self._cut(self._find_page(sheet, number), box, width_px, masked=masked)

    def header_jpeg(
        self, sheet: int, contest: str, *, width_px: int = CROP_WIDTH_PX, masked: Masked
    ) -> Picture | None:
        """The head of the table that a contest is a row of, as wide as its crop; else None.

        Args:
            sheet: The sheet.
            contest: Id of the contest.
            width_px: How wide the picture is at the most.
            masked: Cover what is private.

        Raises:
            NoSuchPictureError: There is no such sheet or contest.
            InputError: The scan cannot be read any more.
        """
        form, asked = self._contest(self.form_of(sheet), contest)
        number = asked.options[0].page
        box = header_box(form, asked, self.crop_box(form, asked, number))
        if box is None:
            return None
        return self._cut(self._find_page(sheet, number), box, width_px, masked=masked)

    def target_jpeg(
        self,
        sheet: int,
        contest: str,
        option: str,
        *,
        margin_mm: float = 3.0,
        height_px: int = TARGET_HEIGHT_PX,
        masked: Masked,
    ) -> Picture:
        """One target of a sheet with what is around it.

        Raises:
            NoSuchPictureError: There is no such sheet, contest or option.
            InputError: The scan cannot be read any more.
        """
        _form, asked = self._contest(self.form_of(sheet), contest)
        target = _option(asked, option)
        found = self._find_page(sheet, target.page)
        return self._cut_target(found, target, (margin_mm, height_px), masked=masked)

    def target_jpegs(
        self,
        wanted: Sequence[Wanted],
        *,
        margin_mm: float = 3.0,
        height_px: int = TARGET_HEIGHT_PX,
        masked: Masked,
    ) -> list[Picture | None]:
        """Many targets at once, each page decoded once and several at the same time.

        Returns:
            A picture for each that was wanted, in the same order; None where it cannot be made.
        """
        pages = {
            (page.sheet, page.form_page): page
            for page in self._store.pictured_pages(one.sheet for one in wanted)
            if page.form is not None
        }
        jobs: list[tuple[int, PicturedPage, Option]] = []
        for place, one in enumerate(wanted):
            target, page = self._locate(one, pages)
            if page is not None and target is not None:
                jobs.append((place, page, target))
        jobs.sort(key=lambda job: job[1].page)
        made: list[Picture | None] = [None] * len(wanted)

        def cut_all(of_page: list[tuple[int, PicturedPage, Option]]) -> None:
            for place, page, target in of_page:
                try:
                    made[place] = self._cut_target(
                        page, target, (margin_mm, height_px), masked=masked
                    )
                except (CountError, InputError):
                    continue

        by_page = [list(jobs_) for _page, jobs_ in groupby(jobs, key=lambda job: job[1].page)]
        self._decoder.do_all(cut_all, by_page)
        return made

    def box_jpeg(
        self, sheet: int, page_number: int, box: Box, *, width_px: int, masked: Masked
    ) -> Picture:
        """Any part of a page of a sheet.

        Args:
            sheet: The sheet.
            page_number: The form's page.
            box: The part, in millimetres on the form.
            width_px: How wide the picture is at the most.
            masked: Cover what is private.

        Raises:
            NoSuchPictureError: There is no such sheet, or it has no such page.
            InputError: The scan cannot be read any more.
        """
        return self._cut(self._find_page(sheet, page_number), box, width_px, masked=masked)

    # --- what is not a sheet's ------------------------------------------------------------------

    def blank_jpeg(
        self, form_id: str, page_number: int, width_px: int = PAGE_WIDTH_PX, box: Box | None = None
    ) -> Picture:
        """The blank of a page of a form, or a part of it.

        Args:
            form_id: The form.
            page_number: Its page.
            width_px: How wide the picture is at the most.
            box: The part, in millimetres; None for the page.

        Raises:
            NoSuchPictureError: There is no such form or page.
        """
        form = self._form(form_id)
        page = form.page(page_number)
        if page is None:
            raise NoSuchPictureError
        shown = box or self.page_box(form_id, page_number)
        name = f"blank {form.content_hash} {page_number} {shown} {width_px}"

        def make() -> Picture:
            gray = read_gray(form.blank_path(page))
            to_form = np.diag([page.width_mm / gray.shape[1], page.height_mm / gray.shape[0], 1.0])
            return encode(lay(gray, to_form, shown, scale_of(shown, width_px)), shown)

        return self._kept(name, make)

    def blank_crop_jpeg(
        self,
        form_id: str,
        contest: str,
        *,
        page_number: int | None = None,
        margin_mm: float = CROP_MARGIN_MM,
        width_px: int = CROP_WIDTH_PX,
    ) -> Picture:
        """The same part of the blank as :meth:`crop_jpeg` shows of a sheet.

        Raises:
            NoSuchPictureError: There is no such form or contest.
        """
        form, asked = self._contest(form_id, contest)
        number = page_number or asked.options[0].page
        box = self.crop_box(form, asked, number, margin_mm)
        return self.blank_jpeg(form_id, number, width_px, box)

    def raw_jpeg(
        self, page_id: int, width_px: int = PAGE_WIDTH_PX, *, degrees: int = 0, masked: Masked
    ) -> Picture:
        """A page as it was scanned.

        Args:
            page_id: Id of the page.
            width_px: How wide the picture is at the most.
            degrees: By how much it is turned clockwise, in quarters.
            masked: Cover what is private, where it is known to be of a form.

        Raises:
            NoSuchPictureError: There is no such page, or nothing of it can be shown.
            InputError: The scan cannot be read any more.
        """
        found = self._store.pictured_page(page_id)
        if found is None or found.number == WHOLE_FILE:
            raise NoSuchPictureError
        page = found
        name = f"raw {page.page} {page.image_hash} {width_px} {degrees % 360} {int(masked)}"

        def make() -> Picture:
            image = self._decoder.decode(page, width_px * 3 // 2)
            gray = image.gray.copy()
            if page.homography:
                reduced = np.diag([image.reduction, image.reduction, 1.0])
                cover_on_scan(gray, self._zones(page, masked), _to_form(page) @ reduced)
            return encode(shrink(turn(gray, degrees), width_px), None)

        return self._kept(name, make)

    # --- how it is done -------------------------------------------------------------------------

    def _form(self, form_id: str) -> Form:
        if form_id not in self._forms:
            raise NoSuchPictureError
        return self._forms[form_id]

    def _contest(self, form_id: str, contest: str) -> tuple[Form, Contest]:
        form = self._form(form_id)
        found = form.contest(contest)
        if found is None:
            raise NoSuchPictureError
        return form, found

    def form_of(self, sheet: int) -> str:
        """Id of the form of a sheet; empty for one that the count does not have."""
        pages = self._store.pictured_pages([sheet])
        return next((page.form for page in pages if page.form is not None), "")

    def _find_page(self, sheet: int, page_number: int) -> PicturedPage:
        for page in self._store.pictured_pages([sheet]):
            if page.form in self._forms and page.form_page == page_number:
                return page
        raise NoSuchPictureError

    def _locate(
        self, one: Wanted, pages: Mapping[tuple[int, int], PicturedPage]
    ) -> tuple[Option | None, PicturedPage | None]:
        form_id = next((page.form for (sheet, _n), page in pages.items() if sheet == one.sheet), "")
        form = self._forms.get(form_id or "")
        contest = form.contest(one.contest) if form else None
        options = contest.options if contest else ()
        target = next((option for option in options if option.id == one.option), None)
        return target, pages.get((one.sheet, target.page)) if target else None

    def _contest_box(self, form: Form, contest: Contest, number: int, margin_mm: float) -> Box:
        box = contest_box(form, contest, number)
        if box is None:
            raise NoSuchPictureError
        return box.grown(margin_mm)

    def _cut_target(
        self, page: PicturedPage, target: Option, size: tuple[float, int], *, masked: Masked
    ) -> Picture:
        margin_mm, height_px = size
        box = target.box.grown(margin_mm)
        return self._cut(page, box, round(height_px * box.w / box.h), masked=masked)

    def _cut(self, page: PicturedPage, box: Box, width_px: int, *, masked: Masked) -> Picture:
        """Cut a part of a page out of its scan, or take it from what is kept."""
        name = f"cut {page.page} {page.image_hash} {page.homography} {box} {width_px} {int(masked)}"

        def make() -> Picture:
            scale = scale_of(box, width_px)
            to_form = _to_form(page)
            image = self._decoder.decode(page, long_side_px(to_form, self._paper(page), scale))
            reduced = np.diag([image.reduction, image.reduction, 1.0])
            gray = lay(image.gray, to_form @ reduced, box, scale)
            cover(gray, self._zones(page, masked), box, scale)
            return encode(gray, box)

        return self._kept(name, make)

    def _paper(self, page: PicturedPage) -> Box:
        printed = self._form(page.form or "").page(page.form_page)
        if printed is None:
            raise NoSuchPictureError
        return Box(0, 0, printed.width_mm, printed.height_mm)

    def _zones(self, page: PicturedPage, masked: Masked) -> list[Box]:
        """What is to be covered on a page, in millimetres."""
        form = self._forms.get(page.form or "")
        if form is None or not masked:
            return []
        covered: list[Zone | Comment] = list(form.private)
        if masked == Mask.WORDS_TOO:
            covered += [zone for zone in form.comments if zone.private]
        here = [zone for zone in covered if zone.page == page.form_page]
        return [Box(one.x, one.y, one.w, one.h).grown(MASK_MARGIN_MM) for one in here]

    def _kept(self, name: str, make: Callable[[], Picture]) -> Picture:
        picture = self._jpegs.get(name)
        if picture is None:
            kept = self._folder.get(name)
            picture = unpack(kept) if kept is not None else None
            if picture is None:
                picture = make()
                self._folder.put(name, pack(picture))
            self._jpegs.put(name, picture)
        return picture


def _option(contest: Contest, option_id: str) -> Option:
    for option in contest.options:
        if option.id == option_id:
            return option
    raise NoSuchPictureError


def _to_form(page: PicturedPage) -> Homography:
    """Pixels of the full-size scan to millimetres on the form."""
    return np.array(page.homography, dtype=np.float64).reshape(3, 3)
