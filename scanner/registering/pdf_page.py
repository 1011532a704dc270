"""What a page of a PDF holds: its letters with their places, and its lines without its letters.

All places are in millimetres from the top left of the page as it is shown, after its crop box and
its rotation.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from pypdfium2 import raw

from scanner.geometry import MM_PER_INCH, Box
from scanner.reading.pdf import broken_file

POINTS_PER_INCH = 72.0
_HEAD_BYTES = 1024
_BOLD_WEIGHT = 600
_FORCE_BOLD = 1 << 18
"""A flag of the font descriptor (ISO 32000-1, table 123)."""
_DEVICE_UNITS = 1_000_000
_MOST_DEPTH = 8
_FONT_NAME_BYTES = 256


@dataclass(frozen=True, slots=True)
class Letter:
    """One character of a PDF's text."""

    char: str
    box: Box
    """Millimetres; of the ink as the font states it, or of the advance where it states none."""
    font: str = ""
    is_bold: bool = False
    is_generated: bool = False
    """A space or a line's end that stands in no file, only between two places."""


def is_pdf(path: Path) -> bool:
    """True where the file begins as a PDF does, whatever its name."""
    with path.open("rb") as stream:
        return b"%PDF-" in stream.read(_HEAD_BYTES)


@contextmanager
def open_pages(path: Path) -> Iterator[list[pdfium.PdfPage]]:
    """The pages of a PDF, closed again at the end.

    Raises:
        UnreadableFileError: The file is broken.
    """
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        raise broken_file(path) from error
    pages: list[pdfium.PdfPage] = []
    try:
        pages.extend(document[number] for number in range(len(document)))
        yield pages
    finally:
        for page in pages:
            page.close()
        document.close()


def read_letters(page: pdfium.PdfPage) -> list[Letter]:
    """Every character of the page's text, in the order of the file."""
    to_mm = PageToMm(page)
    text = page.get_textpage()
    try:
        count = max(0, raw.FPDFText_CountChars(text))
        return [_letter(text, index, to_mm) for index in range(count)]
    finally:
        text.close()


def draw_lines(page: pdfium.PdfPage, dpi: float) -> NDArray[np.uint8]:
    """The page without its letters, its pictures and its form fields.

    The page object itself loses them: draw it for nothing else afterwards.

    Returns:
        Shape (height, width), 0 black .. 255 white.
    """
    for item in _all_objects(page):
        if raw.FPDFPageObj_GetType(item) in {raw.FPDF_PAGEOBJ_TEXT, raw.FPDF_PAGEOBJ_IMAGE}:
            raw.FPDFPageObj_SetIsActive(item, False)  # noqa: FBT003
    bitmap = page.render(
        scale=dpi / POINTS_PER_INCH, grayscale=True, may_draw_forms=False, draw_annots=False
    )
    pixels = np.array(bitmap.to_numpy(), dtype=np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim == 3:
        pixels = np.asarray(cv2.cvtColor(pixels[:, :, :3], cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    return pixels


class PageToMm:
    """Places of a PDF page (points, upwards, before its rotation) in millimetres on the page."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        width_pt, height_pt = page.get_size()
        self.width_mm = width_pt / POINTS_PER_INCH * MM_PER_INCH
        self.height_mm = height_pt / POINTS_PER_INCH * MM_PER_INCH
        origin, right, up = (_on_device(page, x, y) for x, y in ((0, 0), (1000, 0), (0, 1000)))
        scale = np.array([self.width_mm, self.height_mm]) / _DEVICE_UNITS
        self._origin = origin * scale
        self._axes = np.stack([(right - origin) * scale, (up - origin) * scale]) / 1000

    def box(self, left: float, bottom: float, right: float, top: float) -> Box:
        """The upright box of two corners."""
        corners = np.array([[left, bottom], [right, top]]) @ self._axes + self._origin
        low, high = corners.min(axis=0), corners.max(axis=0)
        return Box(float(low[0]), float(low[1]), *(float(v) for v in high - low))


def _on_device(page: pdfium.PdfPage, x: float, y: float) -> NDArray[np.float64]:
    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, _DEVICE_UNITS, _DEVICE_UNITS, 0, x, y, across, down)
    return np.array([across.value, down.value], np.float64)


def _letter(text: pdfium.PdfTextPage, index: int, to_mm: PageToMm) -> Letter:
    left, right, bottom, top = (ctypes.c_double() for _side in range(4))
    raw.FPDFText_GetCharBox(text, index, left, right, bottom, top)
    font, flags = _font_of(text, index)
    weight = raw.FPDFText_GetFontWeight(text, index)
    return Letter(
        char=_char_of(raw.FPDFText_GetUnicode(text, index)),
        box=to_mm.box(left.value, bottom.value, right.value, top.value),
        font=font,
        is_bold=weight >= _BOLD_WEIGHT or bool(flags & _FORCE_BOLD) or "bold" in font.lower(),
        is_generated=raw.FPDFText_IsGenerated(text, index) == 1,
    )


def _char_of(code: int) -> str:
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""


def _font_of(text: pdfium.PdfTextPage, index: int) -> tuple[str, int]:
    name = ctypes.create_string_buffer(_FONT_NAME_BYTES)
    flags = ctypes.c_int()
    raw.FPDFText_GetFontInfo(text, index, name, _FONT_NAME_BYTES, flags)
    return name.value.decode("utf-8", "replace"), flags.value


def _all_objects(page: pdfium.PdfPage) -> Iterator[object]:
    for index in range(raw.FPDFPage_CountObjects(page)):
        yield from _with_parts(raw.FPDFPage_GetObject(page, index), _MOST_DEPTH)


def _with_parts(item: object, depth: int) -> Iterator[object]:
    """The object and, for a form XObject, what is inside it."""
    yield item
    if depth > 0 and raw.FPDFPageObj_GetType(item) == raw.FPDF_PAGEOBJ_FORM:
        for index in range(raw.FPDFFormObj_CountObjects(item)):
            yield from _with_parts(raw.FPDFFormObj_GetObject(item, index), depth - 1)
