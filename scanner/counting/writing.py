"""Which comment zones of a count hold words: measured a little at a time, when somebody asks."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scanner.counting.records import PageSource
from scanner.counting.store import Store
from scanner.counting.words import Measured
from scanner.errors import InputError
from scanner.forms.picture import load_blank
from scanner.forms.template import Form
from scanner.reading.pages import close_files, load_page
from scanner.reading.text import read_lines
from scanner.reading.written import PX_PER_MM, cut_written, measure_written

PAGES_AT_ONCE = 8
PRINT_PX_PER_MM = 8.0
"""About 200 dots per inch, for printed text."""
UNREADABLE_MM2 = 0.0
"""Of a page whose image cannot be opened any more nothing can be typed."""

MOST_SUGGESTIONS = 500

Zone = tuple[int, str]
"""Sheet and comment."""


def measure_more(store: Store, forms: Sequence[Form], seconds: float) -> Measured:
    """Measure the comment zones of some more pages, and keep what was measured.

    Args:
        store: The count.
        forms: The count's forms.
        seconds: After about so much time it stops.

    Returns:
        How far it has come now.

    Raises:
        FormError: A blank is missing or broken.
    """
    by_id = {form.id: form for form in forms}
    until = time.monotonic() + seconds
    try:
        while pages := store.pages_to_measure(forms, PAGES_AT_ONCE):
            ink: dict[tuple[int, str], float] = {}
            for source, (form_id, number), homography in pages:
                found = _measure(source, by_id[form_id], number, homography)
                ink |= {(source.page, comment): added for comment, added in found.items()}
            store.save_comment_ink(ink)
            if time.monotonic() > until:
                break
    finally:
        close_files()
    return store.words_measured(forms)


class Suggestions:
    """Printed text in comment zones, read by Tesseract; a suggestion, no more.

    Several zones are read by one call, since each call starts a program. Safe to be used by several
    threads.

    Args:
        store: The count.
        forms: The count's forms by their ids.
    """

    def __init__(self, store: Store, forms: Mapping[str, Form]) -> None:
        self._store = store
        self._forms = forms
        self._known: OrderedDict[Zone, str] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, zone: Zone, following: Iterable[Zone] = ()) -> str:
        """The text of a zone; empty where nothing printed was read.

        Args:
            zone: Sheet and comment.
            following: Those that will be asked for next, read by the same call.
        """
        with self._lock:
            if zone not in self._known:
                zones = [one for one in (zone, *following) if one not in self._known]
                self._known.update(zip(zones, self._read(zones), strict=True))
                while len(self._known) > MOST_SUGGESTIONS:
                    self._known.popitem(last=False)
            return self._known.get(zone, "")

    def _read(self, zones: Sequence[Zone]) -> list[str]:
        try:
            cut = [_cut(self._store, self._forms, sheet, comment) for sheet, comment in zones]
        finally:
            close_files()
        texts = iter(read_lines([picture for picture in cut if picture is not None]))
        return [next(texts) if picture is not None else "" for picture in cut]


def _cut(
    store: Store, forms: Mapping[str, Form], sheet: int, comment_id: str
) -> NDArray[np.uint8] | None:
    for found in store.pictured_pages([sheet]):
        form = forms.get(found.form or "")
        comment = form.comment(comment_id) if form is not None else None
        page = form.page(found.form_page) if form is not None else None
        if form is None or page is None or comment is None or comment.page != page.number:
            continue
        long_side_px = round(max(page.width_mm, page.height_mm) * PRINT_PX_PER_MM)
        try:
            image = load_page(found.path, found.number, min_long_side_px=long_side_px)
        except InputError:
            return None
        blank = _blank_of(form, page.number)
        return cut_written(image, found.homography, blank, page, comment, px_per_mm=PRINT_PX_PER_MM)
    return None


def _measure(
    source: PageSource, form: Form, number: int, homography: Sequence[float]
) -> dict[str, float]:
    page = form.page(number)
    assert page is not None
    comments = [comment for comment in form.comments if comment.page == number]
    long_side_px = round(max(page.width_mm, page.height_mm) * PX_PER_MM)
    try:
        image = load_page(source.path, source.number, min_long_side_px=long_side_px)
    except InputError:
        return {comment.id: UNREADABLE_MM2 for comment in comments}
    return measure_written(image, homography, _blank_of(form, number), page, comments)


@lru_cache(maxsize=16)
def _blank_of(form: Form, number: int) -> NDArray[np.uint8]:
    page = form.page(number)
    assert page is not None
    return load_blank(form, page)
