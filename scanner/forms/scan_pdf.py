"""A PDF of page pictures, written page by page, so that only one is ever in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.forms.workshop import open_whole

_CATALOG, _PAGES = 1, 2
_PT_PER_INCH = 72.0


class ScanPdf:
    """An open PDF; :func:`write_scan_pdf` makes one.

    The file holds one grey JPEG a page and no date, so the same pages give the same bytes
    (PDF 1.4, ISO 32000-1, 7.5).
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._offsets: dict[int, int] = {}
        self._pages: list[int] = []
        self._stream.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")

    def add_page(self, gray: NDArray[np.uint8], *, dpi: float, quality: int) -> None:
        """Add a picture as a page that is as large as its paper.

        Args:
            gray: Shape (height, width), 0 black .. 255 white.
            dpi: Pixels of the picture in an inch of paper.
            quality: Of the JPEG, 1..100.
        """
        options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
        jpeg = cv2.imencode(".jpg", gray, options)[1].tobytes()
        height, width = gray.shape
        width_pt, height_pt = (side / dpi * _PT_PER_INCH for side in (width, height))
        image = _PAGES + 1 + 3 * len(self._pages)
        self._put(
            image,
            f"/Type /XObject /Subtype /Image /Width {width} /Height {height}"
            " /BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /DCTDecode",
            jpeg,
        )
        drawing = f"q {width_pt:.4f} 0 0 {height_pt:.4f} 0 0 cm /Im0 Do Q"
        self._put(image + 1, "", drawing.encode())
        self._put(
            image + 2,
            f"/Type /Page /Parent {_PAGES} 0 R /MediaBox [0 0 {width_pt:.4f} {height_pt:.4f}]"
            f" /Resources << /XObject << /Im0 {image} 0 R >> >> /Contents {image + 1} 0 R",
        )
        self._pages.append(image + 2)

    def close(self) -> None:
        """Write what comes after the last page."""
        kids = " ".join(f"{page} 0 R" for page in self._pages)
        self._put(_PAGES, f"/Type /Pages /Count {len(self._pages)} /Kids [{kids}]")
        self._put(_CATALOG, f"/Type /Catalog /Pages {_PAGES} 0 R")
        start = self._stream.tell()
        lines = [f"{self._offsets[n]:010d} 00000 n \n" for n in sorted(self._offsets)]
        size = len(lines) + 1
        self._stream.write(f"xref\n0 {size}\n0000000000 65535 f \n{''.join(lines)}".encode())
        trailer = f"trailer\n<< /Size {size} /Root {_CATALOG} 0 R >>\nstartxref\n{start}\n%%EOF\n"
        self._stream.write(trailer.encode())

    def _put(self, number: int, entries: str, data: bytes | None = None) -> None:
        self._offsets[number] = self._stream.tell()
        if data is None:
            self._stream.write(f"{number} 0 obj\n<< {entries} >>\nendobj\n".encode())
            return
        self._stream.write(
            f"{number} 0 obj\n<< {entries} /Length {len(data)} >>\nstream\n".encode()
        )
        self._stream.write(data + b"\nendstream\nendobj\n")


@contextmanager
def write_scan_pdf(path: Path) -> Iterator[ScanPdf]:
    """A PDF to add pages to; it takes its place only when it is complete.

    Raises:
        StorageError: It cannot be written there.
    """
    with open_whole(path) as stream:
        pdf = ScanPdf(stream)
        yield pdf
        pdf.close()
