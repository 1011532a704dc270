"""Where the pictures of sheets are found, and how each page lies on its form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from scanner.counting.records import IMAGES_FOLDER
from scanner.counting.store_base import CountDatabase
from scanner.counting.store_rows import Row
from scanner.counting.store_schema import file, page, sheet_page

SHEETS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class PicturedPage:
    """One page image of a sheet."""

    sheet: int
    page: int
    """Id of the page."""
    path: Path
    """The file that was scanned, as the count keeps it."""
    number: int
    """Page in that file from 1, or :data:`scanner.counting.records.WHOLE_FILE`."""
    image_hash: str
    form: str | None
    """None for a page that was refused."""
    form_page: int
    """Number of the form's page; 0 for a page that was refused."""
    homography: tuple[float, ...]
    """Nine numbers, row by row: pixels of the full-size scan to millimetres on the form."""


class PictureStore(CountDatabase):
    """What a count knows of the pictures of its sheets."""

    def pictured_pages(self, sheets: Iterable[int]) -> Iterator[PicturedPage]:
        """The pages of some sheets, each sheet's in order; all in a few queries."""
        numbers = sorted(set(sheets))
        for start in range(0, len(numbers), SHEETS_AT_ONCE):
            some = numbers[start : start + SHEETS_AT_ONCE]
            query = (
                sa.select(sheet_page.c.sheet, page, file.c.stored)
                .join_from(sheet_page, page)
                .join(file)
                .where(sheet_page.c.sheet.in_(some))
                .order_by(sheet_page.c.sheet, sheet_page.c.place)
            )
            for row in self._rows(query):
                yield _pictured(row, row["sheet"], self.folder)

    def pictured_page(self, page_id: int) -> PicturedPage | None:
        """One page by its id, refused ones too; None where the count has no such page."""
        query = (
            sa.select(page, file.c.stored, sheet_page.c.sheet)
            .join_from(page, file)
            .join(sheet_page, sheet_page.c.page == page.c.id, isouter=True)
            .where(page.c.id == page_id)
        )
        found = (_pictured(row, row["sheet"] or 0, self.folder) for row in self._rows(query))
        return next(found, None)


def _pictured(row: Row, sheet: int, folder: Path) -> PicturedPage:
    return PicturedPage(
        sheet=sheet,
        page=row["id"],
        path=folder / IMAGES_FOLDER / row["stored"],
        number=row["number"],
        image_hash=row["image_hash"],
        form=row["form"],
        form_page=row["page"] or 0,
        homography=tuple(json.loads(row["homography"])) if row["homography"] else (),
    )
