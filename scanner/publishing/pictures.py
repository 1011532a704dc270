"""Pictures of sheets and forms as PNG files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from scanner.ballot import UnreadablePage
from scanner.counting.adjudication import resolve, sheet_label
from scanner.counting.records import WHOLE_FILE
from scanner.counting.results import readers_of
from scanner.counting.store import Store
from scanner.forms.picture import draw_form, encode_png
from scanner.forms.template import Form
from scanner.forms.workshop import open_whole
from scanner.publishing.overlay import draw_refused, draw_sheet
from scanner.publishing.screen import place_of
from scanner.reading.pages import load_page

LONG_SIDE_PX = 1800
"""At least so large, where the scan is."""


def write_sheet(store: Store, forms: Sequence[Form], sheet: int, output: Path) -> Iterator[Path]:
    """Draw what was read, and what was decided, on the pages of a sheet: a picture for each.

    Args:
        store: The count.
        forms: The count's forms.
        sheet: Number of the sheet.
        output: The folder for the pictures; or the picture itself, if it ends in ``.png``: where
            the sheet has several, their numbers are added to its name.

    Returns:
        The files written; none for a refused file that cannot be opened at all.

    Raises:
        CountError: There is no such sheet.
        StorageError: A picture cannot be written.
    """
    by_id = {form.id: form for form in forms}
    record = store.sheet(sheet)
    readers = readers_of(store, forms)
    final = resolve(record, store.decisions_on(sheet), by_id.get(record.form or ""), readers)
    sources = [source for _number, source in store.sources(sheet)]
    for place, source in enumerate(sources, start=1):
        if source.number == WHOLE_FILE:
            continue
        title = f"{sheet_label(sheet)} · {place_of(source.name, source.number)}"
        reading = store.reading(source.page)
        image = load_page(source.path, source.number, min_long_side_px=LONG_SIDE_PX)
        if isinstance(reading, UnreadablePage):
            picture = draw_refused(image, reading, title)
        else:
            picture = draw_sheet(image, reading, by_id[reading.form], title, final.votes)
        path = _path_of_page(output, sheet, place, len(sources))
        with open_whole(path) as file:
            file.write(encode_png(picture))
        yield path


def _path_of_page(output: Path, sheet: int, place: int, count: int) -> Path:
    if output.suffix.lower() != ".png" or output.is_dir():
        return output / f"sheet-{sheet_label(sheet)}-{place}.png"
    return output if count == 1 else output.with_stem(f"{output.stem}-{place}")


def write_form(form: Form, folder: Path) -> Iterator[Path]:
    """Draw the pages of a form with their targets, a picture for each.

    Args:
        form: The form.
        folder: Where the pictures go.

    Returns:
        The files written.
    """
    for page in form.pages:
        path = folder / f"{form.id}-page-{page.number}.png"
        with open_whole(path) as file:
            file.write(encode_png(draw_form(form, page)))
        yield path
