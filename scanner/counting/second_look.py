"""A page of the count read again with what a person says of it, for the person to see first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from scanner.ballot import PageReading, UnreadablePage
from scanner.counting.limits import settings_in_force
from scanner.counting.records import CACHE_FOLDER, WHOLE_FILE, PageSource
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError
from scanner.forms.template import Form
from scanner.messages import gettext as _
from scanner.reading.interpret import Reader
from scanner.reading.pages import PageImage, close_files, load_page
from scanner.reading.read_again import Told, read_again
from scanner.settings import Settings

_reading = Lock()
"""One page at a time: all share a reader, and reading takes all that a core has."""


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What came of reading a page again, before anybody has kept it."""

    sheet: int
    page: int
    """Id of the page."""
    told: Told
    result: PageReading | UnreadablePage


def look_again(
    store: Store, forms: Sequence[Form], sheet: int, page: int, told: Told
) -> tuple[SecondLook, PageImage]:
    """Read a page with what a person says of it; nothing is written.

    Args:
        store: The count.
        forms: The count's forms.
        sheet: The sheet that the page is on.
        page: Id of the page.
        told: What the person says; its corners as shares of the scan's width and height.

    Returns:
        What came of it, and the image that was read.

    Raises:
        BadArgumentsError: The sheet has no such page, its file cannot be opened at all, there is no
            such form, or the corners are none.
        CountError: There is no such sheet.
        InputError: The image cannot be decoded.
    """
    source = _source(store, sheet, page)
    settings = settings_in_force(store)[store.sheet(sheet).batch]
    with _reading:
        reader = _reader(_Forms(tuple(forms)), settings.model_dump_json(), store.folder)
        try:
            least_px = reader.min_long_side_px
            image = load_page(source.path, source.number, min_long_side_px=least_px)
        finally:
            # This thread may not come back to let go of the file.
            close_files()
        in_pixels = _in_pixels(told, image)
        return SecondLook(sheet, page, in_pixels, read_again(reader, image, in_pixels)), image


def _in_pixels(told: Told, image: PageImage) -> Told:
    if told.corners is None:
        return told
    width, height = image.full_size
    return replace(told, corners=tuple((x * width, y * height) for x, y in told.corners))


def told_as_json(told: Told) -> dict[str, Any]:
    """What a person said of a page as plain JSON, without what was left open."""
    said = {name: value for name, value in asdict(told).items() if value is not None}
    if told.corners is None:
        said.pop("corners_of")
    else:
        said["corners"] = [[round(value, 1) for value in point] for point in told.corners]
    return said


def _source(store: Store, sheet: int, page: int) -> PageSource:
    for _number, source in store.sources(sheet):
        if source.page == page:
            if source.number == WHOLE_FILE:
                raise BadArgumentsError(_("This file cannot be opened at all."))
            return source
    raise BadArgumentsError(_("The sheet has no such page."))


class _Forms:
    """Some forms, equal to others by their content: what a reader is kept by."""

    def __init__(self, forms: tuple[Form, ...]) -> None:
        self.forms = forms
        self._key = tuple(form.content_hash for form in forms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Forms) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=2)
def _reader(forms: _Forms, settings: str, folder: Path) -> Reader:
    parsed = Settings.model_validate_json(settings)
    return Reader(forms.forms, parsed, cache=folder / CACHE_FOLDER)
