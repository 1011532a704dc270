"""PDF files: the scan inside a page is taken out as it is, any other page is drawn.

pikepdf knows what a page is made of, pypdfium2 draws it and decodes the rarer kinds of images.
"""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2 as pdfium

from scanner.errors import EncryptedFileError, UnreadableFileError
from scanner.messages import gettext as _
from scanner.reading.pdf_scan import Scan, find_scan, images_of
from scanner.reading.raster import (
    Gray,
    PageImage,
    check_not_too_large,
    check_size,
    decode_jpeg,
    gray_of,
    open_picture,
    page_of_gray,
)

DRAWING_DPI = 200.0
"""For pages of text and lines."""
DRAWING_WITH_IMAGES_DPI = 300.0
"""For pages that hold pictures beside other things: a scan with a stamp or a typed note on it."""
_MAX_DRAWING_SIDE_PX = 14_000
_POINTS_PER_INCH = 72.0

_drawing_lock = threading.RLock()
"""PDFium works for one thread at a time, whatever the document."""

_PDF_ERRORS = (
    pikepdf.PdfError,
    pikepdf.DataDecodingError,
    pdfium.PdfiumError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RuntimeError,
)


class PdfFile:
    """An open PDF file.

    Raises:
        EncryptedFileError: It wants a password.
        UnreadableFileError: It is broken beyond repair.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._drawing: pdfium.PdfDocument | None = None
        self._structure = _open_structure(path)
        self._is_damaged = self._structure is not None and bool(self._structure.get_warnings())
        try:
            self.page_count = self._count()
        except UnreadableFileError:
            self.close()
            raise

    def load(self, number: int, min_long_side_px: int, dpi: float | None = None) -> PageImage:
        """Decode or draw page ``number``, from 1.

        Args:
            number: The page, from 1.
            min_long_side_px: How many pixels the long side must keep; 0 for all.
            dpi: The resolution of a page that has to be drawn; None for the usual one.

        Raises:
            ImageTooLargeError: An image on it has more pixels than any scan has.
            UnreadableFileError: The page is cut off, damaged, or too small.
        """
        try:
            scan = self._find_scan(number)
            if scan is None:
                with _drawing_lock:
                    return self._draw(number, min_long_side_px, dpi)
            if scan.is_jpeg:
                return self._decode_jpeg(scan, min_long_side_px)
            with _drawing_lock:
                gray = scan.turn.apply(self._decode_image(number, scan))
        except _PDF_ERRORS as error:
            raise _broken_page(self._path, number) from error
        return page_of_gray(gray, min_long_side_px, scan.dpi)

    def close(self) -> None:
        """Let go of the file."""
        if self._structure is not None:
            self._structure.close()
        if self._drawing is not None:
            with _drawing_lock:
                self._drawing.close()
        self._structure = self._drawing = None

    def _count(self) -> int:
        try:
            with _drawing_lock:
                count = len(self._drawable() if self._structure is None else self._structure.pages)
        except _PDF_ERRORS as error:
            raise broken_file(self._path) from error
        if not count:
            raise broken_file(self._path)
        return count

    def _find_scan(self, number: int) -> Scan | None:
        if self._structure is None:
            return None
        page = self._structure.pages[number - 1]
        for image in images_of(page):
            check_not_too_large((int(image.Width), int(image.Height)), self._path)
            if self._is_damaged and not image.read_raw_bytes():
                raise _broken_page(self._path, number)
        return find_scan(page)

    def _decode_jpeg(self, scan: Scan, min_long_side_px: int) -> PageImage:
        data = scan.image.read_raw_bytes()
        with open_picture(io.BytesIO(data), self._path) as picture:
            page = decode_jpeg(picture, data, self._path, min_long_side_px, scan.turn)
        return replace(page, dpi=scan.dpi)

    def _decode_image(self, number: int, scan: Scan) -> Gray:
        size = int(scan.image.Width), int(scan.image.Height)
        check_size(size, self._path)
        page = self._drawable()[number - 1]
        try:
            images = list(page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE]))
            if len(images) != 1:
                raise _broken_page(self._path, number)
            gray = _gray_of_bitmap(images[0].get_bitmap())
        finally:
            page.close()
        if (gray.shape[1], gray.shape[0]) != size:
            raise _broken_page(self._path, number)
        return gray

    def _draw(self, number: int, min_long_side_px: int, dpi: float | None) -> PageImage:
        page = self._drawable()[number - 1]
        try:
            if dpi is None:
                has_images = any(page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE]))
                dpi = DRAWING_WITH_IMAGES_DPI if has_images else DRAWING_DPI
            scale = min(dpi / _POINTS_PER_INCH, _MAX_DRAWING_SIDE_PX / max(page.get_size()))
            gray = _gray_of_bitmap(page.render(scale=scale, grayscale=True))
        finally:
            page.close()
        check_size((gray.shape[1], gray.shape[0]), self._path)
        return page_of_gray(gray, min_long_side_px, scale * _POINTS_PER_INCH)

    def _drawable(self) -> pdfium.PdfDocument:
        if self._drawing is None:
            self._drawing = pdfium.PdfDocument(self._path)
            if self._drawing.get_formtype():
                self._drawing.init_forms()
        return self._drawing


def _open_structure(path: Path) -> pikepdf.Pdf | None:
    """The file in pikepdf, or None where only pypdfium2 may be able to repair it."""
    try:
        return pikepdf.open(path, access_mode=pikepdf.AccessMode.stream, suppress_warnings=True)
    except pikepdf.PasswordError as error:
        raise EncryptedFileError(
            _("This PDF wants a password."),
            remedy=_("Open it with the password and save it without one."),
            path=path,
        ) from error
    except _PDF_ERRORS:
        return None


def _gray_of_bitmap(bitmap: pdfium.PdfBitmap) -> Gray:
    """A copy of the bitmap in grey, on white."""
    if bitmap.format == pdfium.raw.FPDFBitmap_Gray:
        pixels = bitmap.to_numpy().reshape(bitmap.height, bitmap.width)
        return np.array(pixels, dtype=np.uint8)
    return gray_of(bitmap.to_pil())


def broken_file(path: Path) -> UnreadableFileError:
    """What is said of a PDF that cannot be opened."""
    return UnreadableFileError(
        _("This PDF is damaged or was cut off."),
        remedy=_("Copy the file again from the scanner, or scan the sheets again."),
        path=path,
    )


def _broken_page(path: Path, number: int) -> UnreadableFileError:
    return UnreadableFileError(
        _("Page {number} of this PDF is damaged or was cut off.").format(number=number),
        remedy=_("Copy the file again from the scanner, or scan the sheet again."),
        path=path,
    )
